"""What sites call a condition, a language and a finish.

An entry has free words. Those that are known have one code each, and
each site one word for a code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from data_label_factory.rarities import rarity_code

# From the best to the worst: what a site lacks is rounded down.
CONDITIONS = ("M", "NM", "EX", "GD", "LP", "MP", "HP", "DMG")
_CONDITION_WORDS = {
    "M": "m mt mint gem",
    "NM": "nm nearmint nmm nmint nearmintnm",
    "EX": "ex excellent excellentex",
    "GD": "gd good",
    "LP": "lp lightlyplayed lightplayed slightlyplayed sp goodlightlyplayed",
    "MP": "mp moderatelyplayed played pl",
    "HP": "hp heavilyplayed",
    "DMG": "dmg d damaged poor po",
}
_US = {
    "NM": "Near Mint",
    "LP": "Lightly Played",
    "MP": "Moderately Played",
    "HP": "Heavily Played",
    "DMG": "Damaged",
}
SCALES: dict[str, dict[str, str]] = {
    "tcgplayer": _US,
    "moxfield": {"M": "Mint", **_US},
    "archidekt": {"NM": "NM", "LP": "LP", "MP": "MP", "HP": "HP", "DMG": "D"},
    "deckbox": {
        "M": "Mint",
        "NM": "Near Mint",
        "LP": "Good (Lightly Played)",
        "MP": "Played",
        "HP": "Heavily Played",
        "DMG": "Poor",
    },
    "manabox": {
        "M": "mint",
        "NM": "near_mint",
        "EX": "excellent",
        "GD": "good",
        "LP": "light_played",
        "MP": "played",
        "DMG": "poor",
    },
    "dragonshield": {
        "M": "Mint",
        "NM": "NearMint",
        "EX": "Excellent",
        "GD": "Good",
        "LP": "LightPlayed",
        "MP": "Played",
        "DMG": "Poor",
    },
    "cardmarket": {
        "M": "MT",
        "NM": "NM",
        "EX": "EX",
        "GD": "GD",
        "LP": "LP",
        "MP": "PL",
        "DMG": "PO",
    },
    # The Goldmine scale, one word for each of ours.
    "discogs": {
        "M": "Mint (M)",
        "NM": "Near Mint (NM or M-)",
        "EX": "Very Good Plus (VG+)",
        "GD": "Very Good (VG)",
        "LP": "Good Plus (G+)",
        "MP": "Good (G)",
        "HP": "Fair (F)",
        "DMG": "Poor (P)",
    },
}

# Code, word, the number that Cardmarket's API gives it ("" for none), other words.
_LANGUAGES = (
    ("en", "English", "1", "englisch anglais"),
    ("fr", "French", "2", "français"),
    ("de", "German", "3", "deutsch"),
    ("es", "Spanish", "4", "español sp"),
    ("it", "Italian", "5", "italiano"),
    ("zhs", "Simplified Chinese", "6", "chinesesimplified chinese zhcn zhhans zh cs cn"),
    ("ja", "Japanese", "7", "jp jpn"),
    ("pt", "Portuguese", "8", "portugues ptbr"),
    ("ru", "Russian", "9", ""),
    ("ko", "Korean", "10", "kr"),
    ("zht", "Traditional Chinese", "11", "chinesetraditional zhtw zhhant ct tw"),
)
LANGUAGES: dict[str, dict[str, str]] = {
    "english": {code: word for code, word, *_ in _LANGUAGES},
    "code": {code: code for code, *_ in _LANGUAGES},
    "capitals": {code: code.upper() for code, *_ in _LANGUAGES},
    "number": {code: number for code, _, number, _ in _LANGUAGES},
}

_FINISH_WORDS = {
    "": "normal nonfoil regular nofoil none no false 0",
    "foil": "foil foiled yes true 1 x",
    "etched": "etched foiletched etchedfoil e",
}
FINISHES: dict[str, dict[str, str]] = {
    "foil": {"": "", "foil": "foil"},
    "foil or etched": {"": "", "foil": "foil", "etched": "etched"},
    "lower": {"": "normal", "foil": "foil", "etched": "etched"},
    "words": {"": "Normal", "foil": "Foil", "etched": "Etched"},
    "printing": {"": "Normal", "foil": "Foil"},
    "mark": {"": "", "foil": "X"},
}
# Where the file names of a collection have codes, sites have words.
RARITIES = {
    "PScR": "Prismatic Secret Rare",
    "ScR": "Secret Rare",
    "UR": "Ultra Rare",
    "SR": "Super Rare",
    "UtR": "Ultimate Rare",
    "CR": "Collector's Rare",
    "GMR": "Grandmaster Rare",
    "QCScR": "Quarter Century Secret Rare",
}


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())


def _index(words: Mapping[str, str]) -> dict[str, str]:
    return {word: code for code, others in words.items() for word in others.split()}


_CONDITION_OF = _index(_CONDITION_WORDS)
_FINISH_OF = _index(_FINISH_WORDS)
_LANGUAGE_OF = {
    _plain(word): code
    for code, english, _, others in _LANGUAGES
    for word in (code, english, *others.split())
}


def condition_code(text: str) -> str | None:
    """The code of a condition in words; None if it is not known."""
    return _CONDITION_OF.get(_plain(text))


def language_code(text: str) -> str | None:
    return _LANGUAGE_OF.get(_plain(text))


def finish_code(text: str) -> str | None:
    return _FINISH_OF.get(_plain(text))


@cache
def find_vocabulary(field: str, scale: str) -> Vocabulary | None:
    """The words of a column, by the name of its scale; None if it takes any text."""
    if field == "rarity":
        return Vocabulary(RARITIES if scale else {}, rarity_code, is_free=True)
    if not scale or field.startswith("extra:"):
        return None
    if field == "condition":
        return Vocabulary(SCALES[scale], condition_code, order=CONDITIONS)
    if field == "language":
        return Vocabulary(LANGUAGES[scale], language_code)
    return Vocabulary(FINISHES[scale], finish_code, is_free=scale == "printing")


@dataclass(frozen=True)
class Vocabulary:
    """A site's words by code.

    `code_of` reads other spellings. With `order`, a code that the site
    lacks is rounded to a worse one; with `is_free`, the site takes other
    words as they are.
    """

    words: Mapping[str, str]
    code_of: Callable[[str], str | None]
    order: tuple[str, ...] = ()
    is_free: bool = False

    def write(self, text: str) -> tuple[str, str]:
        """The site's word, and "lost" or "rounded" if it says less."""
        known: str | None = self.code_of(text) if text else ""
        if known is not None and known in self.words:
            return self.words[known], ""
        if self.is_free:
            return text, ""
        if known in self.order:
            for worse in self.order[self.order.index(known) :]:
                if worse in self.words:
                    return self.words[worse], "rounded"
        return self.words.get("", ""), "lost" if text else ""

    def read(self, cell: str) -> str:
        """The code of a site's word; other words as they are."""
        plain = _plain(cell)
        for code, word in self.words.items():
            if word and _plain(word) == plain:
                return code
        known = self.code_of(cell) if cell else ""
        return cell if known is None else known
