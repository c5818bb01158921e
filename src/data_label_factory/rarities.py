"""What catalogues, shops and people call a rarity → the one name that labels carry."""

from __future__ import annotations

import re
import unicodedata

# Codes that a file name carries as its last word: no language has such a word.
_CODES = ("PScR", "ScR", "UR", "SR", "OP", "UtR", "CR", "EA", "GMR", "QCScR")
# As written in a file name → as shown.
RARITIES = {code.lower(): code for code in _CODES} | {"qcr": "QCScR", "qcsr": "QCScR"}

# As YGOPRODeck, Yugipedia, Scryfall and the Pokémon TCG API spell them out, and as shops
# abbreviate them.
_OTHER_NAMES = {
    "prismaticsecretrare": "PScR",
    "prismaticsecret": "PScR",
    "pse": "PScR",
    "secretrare": "ScR",
    "secret": "ScR",
    "se": "ScR",
    "ultrarare": "UR",
    "ultra": "UR",
    "superrare": "SR",
    "super": "SR",
    "ultimaterare": "UtR",
    "ultimate": "UtR",
    "ul": "UtR",
    "collectorsrare": "CR",
    "grandmasterrare": "GMR",
    "quartercenturysecretrare": "QCScR",
    "quartercenturysecret": "QCScR",
    "quartercenturyrare": "QCScR",
    "quartercentury": "QCScR",
    "qcse": "QCScR",
    "starlight": "Starlight Rare",
    "starlightrare": "Starlight Rare",
    "slr": "Starlight Rare",
    "str": "Starlight Rare",
    "ghost": "Ghost Rare",
    "ghostrare": "Ghost Rare",
    "gold": "Gold Rare",
    "goldrare": "Gold Rare",
    "gur": "Gold Rare",
    "common": "Common",
    "c": "Common",
    "n": "Common",
    "uncommon": "Uncommon",
    "uc": "Uncommon",
    "u": "Uncommon",
    "rare": "Rare",
    "r": "Rare",
    "shortprint": "Short Print",
    "sp": "Short Print",
    "supershortprint": "Super Short Print",
    "ssp": "Super Short Print",
    "mythic": "Mythic Rare",
    "mythicrare": "Mythic Rare",
    "m": "Mythic Rare",
    "holo": "Holo Rare",
    "holorare": "Holo Rare",
    "rareholo": "Holo Rare",
    "reverseholo": "Reverse Holo",
    "doublerare": "Double Rare",
    "rr": "Double Rare",
    "illustrationrare": "Illustration Rare",
    "specialillustrationrare": "Special Illustration Rare",
    "hyperrare": "Hyper Rare",
    "promo": "Promo",
}


def rarity_code(text: str) -> str:
    """The rarity that `text` means: a code such as ScR, or words
    such as Ghost Rare.

    Takes codes and words in any case, such as `Secret Rare`,
    `(ScR)` and `Secret Rare (ScR)`. One that is not known is
    returned as it is, with single spaces.
    """
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    outside, _, inside = plain.removesuffix(")").partition("(")
    meant = {_find_known(words) for words in (outside, inside) if words.strip()}
    known = _find_known(plain) or (meant.pop() if len(meant) == 1 else "")
    return known or plain


def _find_known(words: str) -> str:
    key = re.sub(r"[\W_]", "", words.casefold())
    return RARITIES.get(key) or _OTHER_NAMES.get(key, "")
