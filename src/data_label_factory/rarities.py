"""What catalogues and shops call a rarity → the code that file names carry."""

from __future__ import annotations

import re

from data_label_factory.labels import RARITIES

# As ygoprodeck and yugipedia write them in words, and as Japanese shops abbreviate them.
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
    """One of `labels.RARITIES` for a rarity in words or as a code, such as `(ScR)` or `Secret Rare`; "" for others."""
    key = re.sub(r"[^a-z]", "", text.casefold())
    return RARITIES.get(key) or _OTHER_NAMES.get(key, "")
