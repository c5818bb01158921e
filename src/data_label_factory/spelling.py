"""How a file name spells words: %XX for what it cannot carry, and title case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from data_label_factory.errors import LabelError

# Up to 39: larger Roman numerals include words such as "mix" and "dim".
_ROMAN = re.compile(r"x{0,3}(ix|iv|v?i{0,3})")

_ESCAPE = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_LETTERS = re.compile(r"[^\W\d_]+")
_ESCAPE_OR_LETTERS = re.compile(f"{_ESCAPE.pattern}|{_LETTERS.pattern}")
# What some file system forbids, and the underscore that stands for a space.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|_]')


def normalize(text: str) -> str:
    """Return `text` in NFC, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def escape(text: str) -> str:
    """Write every character as %XX. Raises LabelError for a lone surrogate."""
    try:
        return "".join(f"%{byte:02X}" for byte in text.encode("utf-8"))
    except UnicodeEncodeError as exc:
        raise LabelError(f"The name {text!r} is not valid Unicode") from exc


def escape_unsafe(text: str) -> str:
    """Escape what a stem cannot carry: %XX itself, unsafe characters; spaces become `_`."""
    text = _ESCAPE.sub(lambda match: match[0].replace("%", "%25"), text)
    text = _UNSAFE.sub(lambda match: escape(match[0]), text)
    return text.replace(" ", "_")


def escape_first_letter(text: str) -> str:
    return escape(text[0]) + escape_unsafe(text[1:])


def decode(text: str) -> str:
    """Decode %XX, in capitals or small letters, wherever that is UTF-8."""
    return _ESCAPE.sub(_decode_run, text)


def titled(name: str) -> str:
    """Return `name` in title case if it has no capitals, otherwise unchanged."""
    if _has_capitals(name):
        return name
    return " ".join(_capitalize_word(word, _LETTERS) for word in name.split(" "))


def titled_stem(words: Sequence[str], *, roman: bool) -> str:
    """Join words that may hold %XX; in title case if what they say
    has no capitals.

    An escaped letter stays as it is. If the first character is
    escaped, though a stem could carry it, all of the name is taken
    as written: so `format_label` marks it. `roman` says whether
    `iv` is a number.
    """
    name = " ".join(words)
    if _has_capitals(decode(name)) or _is_taken_as_written(name):
        return name
    return " ".join(_capitalize_word(word, _ESCAPE_OR_LETTERS, roman=roman) for word in words)


def _has_capitals(name: str) -> bool:
    return any(c.isupper() or c.istitle() for c in name)


def _is_taken_as_written(name: str) -> bool:
    match = _ESCAPE.match(name)
    first = decode(match[0])[0] if match else "/"
    return not _UNSAFE.match(first)


def _capitalize_word(word: str, runs: re.Pattern[str], *, roman: bool = True) -> str:
    """Put one lower-case word in title case: X-Wing, O'Brien, 'n', 3D,
    2nd, XIV.

    `runs` finds the letters, and what to leave out: escapes.
    """
    if roman and _ROMAN.fullmatch(word):
        return word.upper()

    def capitalize(match: re.Match[str]) -> str:
        if match[0].startswith("%"):
            return match[0]
        return _capitalize_run(match[0], decode(word[: match.start()]))

    return runs.sub(capitalize, word)


def _capitalize_run(letters: str, before: str) -> str:
    """Capitalize a run of letters, unless what stands before it in the word forbids it."""
    if before.endswith(("'", "’")):
        capital = len(letters) > 2 and len(before) <= 2
    elif before[-1:].isdigit():
        capital = len(letters) == 1 and letters != "s"
    else:
        capital = not before[-1:].isalpha()  # that was escaped

    first = letters[0].title()
    if not capital or len(first) != 1:
        return letters
    return first + letters[1:]


def _decode_run(match: re.Match[str]) -> str:
    try:
        return bytes.fromhex(match[0].replace("%", "")).decode("utf-8")
    except UnicodeDecodeError:
        return match[0]
