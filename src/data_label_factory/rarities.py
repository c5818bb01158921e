"""What catalogs and shops call a rarity → the code that file names carry."""

from __future__ import annotations

import re

from data_label_factory.labels import RARITIES

# As YGOPRODeck and Yugipedia spell them out, and as Japanese shops abbreviate them.
_OTHER_NAMES = {
    "prismaticsecretrare": "PScR",
    "prismaticsecret": "PScR",
    "pse": "PScR",
    "secretrare": "ScR",
    "se": "ScR",
    "ultrarare": "UR",
    "superrare": "SR",
    "ultimaterare": "UtR",
    "ul": "UtR",
    "collectorsrare": "CR",
    "grandmasterrare": "GMR",
}


def rarity_code(text: str) -> str:
    """Return the code in `labels.RARITIES` for a name or code, such as `Secret Rare` or
    `(ScR)`.

    Returns "" for an unknown rarity.
    """
    key = re.sub(r"[^a-z]", "", text.casefold())
    return RARITIES.get(key) or _OTHER_NAMES.get(key, "")
