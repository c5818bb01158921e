"""What a catalogue prints on one card: LOCH-JP001, PLST-2XM-129,
SLD-83★, 633Ph.

A field that holds nothing else takes any of them (`read_set_code`).
At the beginning of a file name, where an ordinary word may stand,
only those count that look like one (`split_set_code`).
"""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 40  # twice the longest of the catalogues

# What word processors write for a hyphen.
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")

# A number as catalogues print it; letters after it tell variants apart (12a, 633Ph, 12s of a
# prerelease), and so do stars and daggers. Other letters are units: 20mm, 40w.
_NUMBER = r"\d+(?:[A-Z][A-Z]?|Ph|[a-eps])?[★☆†‡Φ]?"

# The codes that count in a file name as they are: capitals, hyphen, number. Sets have two letters
# or digits at least, so that T-34 and 4-H are none; the promotional P-001 and the numbered 1-001H
# have leading zeros. Letters alone are those of Unown (EX10-A).
SET_CODE = re.compile(
    rf"(?=[A-Z\d-]*[A-Z])[A-Z\d]{{2,}}(?:-[A-Z\d]+)*-[A-Z]*{_NUMBER}"
    r"|[A-Z]+\d+-[A-Z]"
    r"|(?:[A-Z]|\d\d?)-0\d{2,}[A-Z]?"
)
# In small letters most words with a hyphen and a number are ordinary: catch-22, img-001. A
# language before three digits is not, nor are leading zeros after a numbered set.
_LANGUAGE = "en|jp|ja|fr|de|ge|it|pt|po|sp|es|kr|ko|ae|sc|tc|na|eu"
_SMALL = re.compile(
    rf"[a-z][a-z\d]{{1,4}}-(?:(?:{_LANGUAGE})(?:\d{{3}}|[a-z]\d\d)|[efgis]0\d\d)"
    r"|[a-z]{2,4}\d[a-z\d]{0,3}-0\d\d",
    re.IGNORECASE,
)
_TWO_LETTERS = re.compile(r"(?<=\d)[A-Z][a-z]$")
_PREFIX = re.compile(rf"({SET_CODE.pattern}|(?i:{_SMALL.pattern}))(?: - |_-_|[_ ])")


def is_set_code(text: str) -> bool:
    """Whether `text` can be a set code: printable, no space or brace,
    with a digit or a hyphen.
    """
    return (
        len(text) <= MAX_LENGTH
        and text.isprintable()
        and not set(text) & set(" {}")
        and any(c.isalnum() for c in text)
        and any(c.isdigit() or c == "-" for c in text)
    )


def read_set_code(text: str) -> str:
    """The set code that a catalogue or a person gave, "" if that is
    none.

    It is put in capitals, but for the small letter after a capital with
    which some numbers end (neo-12a → NEO-12A, sld-633Ph → SLD-633Ph).
    """
    plain = unicodedata.normalize("NFC", text).translate(_DASHES)
    code = re.sub(r"\s*-\s*", "-", plain.strip().strip("()[]").strip())
    if not is_set_code(code):
        return ""
    ending = _TWO_LETTERS.search(code)
    return code[: ending.start()].upper() + ending[0] if ending else code.upper()


def is_surely_a_card(code: str) -> bool:
    """Whether only cards have such a code: LOB-EN001, but not M8-20 or DIN-912."""
    return bool(_SMALL.fullmatch(code))


def join_set_code(code: str, number: str) -> str:
    """The set code of a table with a column each for set and number: `NEO` and
    `12` → NEO-12. A whole one in the first column counts alone; "" if it is none.
    """
    is_whole = not code or not number or "-" in code
    return read_set_code(code if is_whole else f"{code}-{number}")


def split_set_code(stem: str) -> tuple[str, str]:
    """The set code that `stem` begins with ("" if it does not), and
    the rest.

    An underscore, a space or ` - ` stands between the two.
    """
    match = _PREFIX.match(stem)
    if not match:
        return "", stem
    return read_set_code(match[1]), stem[match.end() :]


def prefix_of(code: str) -> str:
    """The code without its number: LOCH-JP001 → LOCH-JP, SLD-83★ → SLD-, EX10-A → EX10-."""
    set_part, hyphen, number = code.rpartition("-")
    if not hyphen:
        return re.sub(r"\d+\D*$", "", code)
    letters = re.match(r"\D*(?=\d)", number)
    return set_part + hyphen + (letters[0] if letters else "")
