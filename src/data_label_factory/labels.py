"""A picture's file name is its label.

    LOCH-JP001_dark_magician_pscr.jpg   ⇄   Label("Dark Magician", "LOCH-JP001", "PScR")

The stem of a file name is `[SETCODE_]name_words[_rarity]`. Underscores in the name
stand for spaces. A name without capital letters is put in title case; a name with
capitals is taken as written.

`format_label` writes the plainest stem that `parse_label` reads back unchanged. What a
stem cannot carry literally (`/`, `?`, a name that ends in a rarity, …) becomes `%XX`,
the UTF-8 bytes as in a URL.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from data_label_factory.errors import LabelError

_RARITY_CODES = ("PScR", "ScR", "UR", "SR", "OP", "UtR", "CR", "EA", "GMR")
# In a file name → as shown.
RARITIES = {code.lower(): code for code in _RARITY_CODES}
# Every spelling in use of the formats in `pictures.FORMATS`, and of HEIF.
_JPEG_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo"}
_OTHER_SUFFIXES = {".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
_HEIF_SUFFIXES = {".heic", ".heics", ".heif", ".heifs", ".hif", ".avif", ".avifs"}
IMAGE_SUFFIXES = frozenset(_JPEG_SUFFIXES | _OTHER_SUFFIXES | _HEIF_SUFFIXES)

# File systems allow 255 bytes per name; this leaves room for a suffix.
MAX_STEM_BYTES = 240

SET_CODE = re.compile(r"[A-Z0-9]+-[A-Z]*\d+")
_SET_CODE_PREFIX = re.compile(rf"({SET_CODE.pattern})_")

# Up to 39: larger Roman numerals include words such as "mix" and "dim".
_ROMAN = re.compile(r"x{0,3}(ix|iv|v?i{0,3})")
_LETTERS = re.compile(r"[^\W\d_]+")

_ESCAPE = re.compile(r"(?:%[0-9A-F]{2})+")
# What some file system forbids, and the underscore that stands for a space.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|_]')
# What word processors, keyboards and catalogues write for one another, as `item_key` reads it.
_ALIKE = str.maketrans(
    {
        **dict.fromkeys("’‘‛ʼʻʹ`´＇′", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
        "…": "...",
        **dict.fromkeys("\u00ad\u200b\u2060\ufeff", None),  # soft hyphen, zero-width spaces
    }
)
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Label:
    """What a file name says about its picture.

    `set_code` and `rarity` are "" if the file name does not give them.
    """

    name: str
    set_code: str = ""
    rarity: str = ""

    @property
    def item(self) -> str:
        """The key that all variants of one item have in common: the name without its case."""
        return item_key(self.name)

    def __str__(self) -> str:
        return f"{self.name} ({self.rarity})" if self.rarity else self.name


def item_key(name: str) -> str:
    """Return the identity of an item: names with the same key are variants of one item.

    The key of a name is the same whether it was typed or came out of a word processor:
    Unicode's canonical caseless match (The Unicode Standard, D145), with one kind of
    apostrophe, quote, dash and space each, and without characters that show nothing.
    """
    folded = unicodedata.normalize("NFD", name).casefold()
    return " ".join(unicodedata.normalize("NFC", folded.translate(_ALIKE)).split())


def stem_of(filename: str) -> str:
    """Return the file name without folders (`/`) and image suffix, NFC-normalized."""
    path = PurePosixPath(filename)
    is_image = path.suffix.lower() in IMAGE_SUFFIXES
    return unicodedata.normalize("NFC", path.stem if is_image else path.name)


def parse_label(filename: str) -> Label:
    """Return the label of a file name or relative path (`/` separators).

    Folders do not change the label. Never raises.
    """
    stem = stem_of(filename)
    words = stem
    set_code = ""
    rarity = ""

    if match := _SET_CODE_PREFIX.match(words):
        set_code = match[1]
        words = words[match.end() :]

    before, underscore, last = words.rpartition("_")
    if underscore and before.strip("_ ") and _is_rarity(last):
        words = before
        rarity = RARITIES[last.lower()]

    name = _join_words(words.replace("_", " ").split())
    if not name:
        return Label(stem)
    return Label(name, set_code, rarity)


def format_label(label: Label) -> str:
    """Return the stem that `parse_label` turns back into `label`.

    The name comes back NFC-normalized and with single spaces. Raises LabelError if the
    name is empty or too long for a file, or if the set code or the rarity is invalid.
    """
    name = " ".join(unicodedata.normalize("NFC", label.name).split())
    _check_label(name, label.set_code, label.rarity)

    expected = Label(name, label.set_code, label.rarity)
    prefix = f"{label.set_code}_" if label.set_code else ""
    suffix = f"_{label.rarity.lower()}" if label.rarity else ""

    for words in _list_spellings(name):
        stem = prefix + words + suffix
        if not _is_safe(stem) or parse_label(stem + ".jpg") != expected:
            continue
        if len(stem.encode()) > MAX_STEM_BYTES:
            break
        return stem

    raise LabelError(
        f"No file name can carry {name[:60]!r}",
        f"Shorten it to {MAX_STEM_BYTES} bytes of plain text",
    )


def titled(name: str) -> str:
    """Return `name` in title case if it has no capitals, otherwise unchanged."""
    if any(c.isupper() or c.istitle() for c in name):
        return name
    return " ".join(_capitalize_word(word) for word in name.split(" "))


def _check_label(name: str, set_code: str, rarity: str) -> None:
    if not name:
        raise LabelError("A label needs a name")
    if set_code and not SET_CODE.fullmatch(set_code):
        raise LabelError(
            f"{set_code!r} is not a set code",
            "It looks like LOCH-JP001: capitals, a hyphen, a number",
        )
    if rarity and RARITIES.get(rarity.lower()) != rarity:
        known = ", ".join(RARITIES.values())
        raise LabelError(f"{rarity!r} is not a known rarity", f"Known are {known}")


def _is_rarity(word: str) -> bool:
    """Accept `pscr`, `PScR` and `PSCR`, but not `Sr` as in "Robert Downey Sr"."""
    code = RARITIES.get(word.lower())
    return code is not None and word in (word.lower(), word.upper(), code)


def _join_words(words: list[str]) -> str:
    """Join the words of a stem into a name.

    `pharaoh s` becomes `pharaoh's`, a name without capitals gets title case, and %XX is
    decoded.
    """
    joined: list[str] = []
    for word in words:
        if word == "s" and joined and _can_be_possessive(joined[-1]):
            joined[-1] += "'s"
        else:
            joined.append(word)

    name = " ".join(joined)
    if not _ESCAPE.search(name):
        name = titled(name)
    return " ".join(_ESCAPE.sub(_unescape, name).split())


def _can_be_possessive(word: str) -> bool:
    # A single letter is an initial (`c s lewis`), and a number has no 's (`formula 1 s`).
    return len(word) > 1 and word[-1].isalpha()


def _capitalize_word(word: str) -> str:
    """Put one lower-case word in title case: X-Wing, O'Brien, 'n', 3D, 2nd, XIV."""
    if _ROMAN.fullmatch(word):
        return word.upper()
    return _LETTERS.sub(lambda run: _capitalize_run(run[0], word[: run.start()]), word)


def _capitalize_run(letters: str, before: str) -> str:
    """Capitalize a run of letters, unless what stands before it in the word forbids it."""
    if before.endswith(("'", "’")):
        capital = len(letters) > 2 and len(before) <= 2
    elif before[-1:].isdigit():
        capital = len(letters) == 1 and letters != "s"
    else:
        capital = True

    first = letters[0].title()
    if not capital or len(first) != 1:
        return letters
    return first + letters[1:]


def _list_spellings(name: str) -> list[str]:
    """List ways to write `name` in a stem, plainest first; the last one always reads back."""
    lower = _escape_unsafe(name.lower())
    words = name.split(" ")
    return [
        re.sub(r"'s(?=_|$)", "_s", lower),
        lower,
        _escape_unsafe(name),
        _escape_first_letter(name),
        "_".join(_escape_first_letter(word) for word in words),
        _escape(name),
    ]


def _escape_first_letter(text: str) -> str:
    return _escape(text[0]) + _escape_unsafe(text[1:])


def _escape_unsafe(name: str) -> str:
    """Escape what a stem cannot carry: %XX itself, unsafe characters; spaces become `_`."""
    name = _ESCAPE.sub(lambda match: match[0].replace("%", "%25"), name)
    name = _UNSAFE.sub(lambda match: _escape(match[0]), name)
    return name.replace(" ", "_")


def _escape(text: str) -> str:
    try:
        return "".join(f"%{byte:02X}" for byte in text.encode("utf-8"))
    except UnicodeEncodeError as exc:
        raise LabelError(f"The name {text!r} is not valid Unicode") from exc


def _unescape(match: re.Match[str]) -> str:
    try:
        return bytes.fromhex(match[0].replace("%", "")).decode("utf-8")
    except UnicodeDecodeError:
        return match[0]


def _is_safe(stem: str) -> bool:
    """Return whether every common file system takes `stem`, and no folder walk hides it."""
    if stem.startswith(".") or stem.endswith((".", " ")):
        return False
    return not _WINDOWS_DEVICES.match(stem)
