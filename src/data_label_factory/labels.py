"""The file name is the label.

    LOCH-JP001_dark_magician_pscr.jpg   ⇄   Label("Dark Magician", set_code="LOCH-JP001", rarity="PScR")

Grammar of a stem: `[SETCODE_]name_words[_rarity]`. In the name, underscores are spaces; a name without capital
letters is put in title case, one that has some is taken as written. `format_label` writes the plainest
stem that `parse_label` reads back unchanged; what a stem cannot carry literally (`/`, `?`, a name that happens to
end in a rarity, …) it writes as `%XX`, the UTF-8 bytes as in a URL.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from data_label_factory.errors import LabelError

RARITIES = {
    code.lower(): code for code in ("PScR", "ScR", "UR", "SR", "OP", "UtR", "CR", "EA", "GMR")
}  # as written in a file name → as shown
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif"}
)
MAX_STEM_BYTES = 240  # file systems stop at 255 bytes a name; this leaves room for a suffix

SET_CODE = re.compile(r"[A-Z0-9]+-[A-Z]*\d+")
_SET_CODE = re.compile(rf"({SET_CODE.pattern})_")
_ROMAN = re.compile(
    r"x{0,3}(ix|iv|v?i{0,3})"
)  # up to 39: beyond it, words such as "mix" and "dim" begin
_ESCAPE = re.compile(r"(?:%[0-9A-F]{2})+")
_UNSAFE = re.compile(
    r'[\x00-\x1f\x7f/\\:*?"<>|_]'
)  # what some file system forbids, and our own space
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Label:
    """What a file name says of the picture in it. `set_code` and `rarity` are "" when it does not say."""

    name: str
    set_code: str = ""
    rarity: str = ""

    @property
    def item(self) -> str:
        """The key two variants of one item share: the name, whatever its capitals."""
        return item_key(self.name)

    def __str__(self) -> str:
        return f"{self.name} ({self.rarity})" if self.rarity else self.name


def item_key(name: str) -> str:
    """The identity of an item: pictures whose names give the same key are variants of one item."""
    return unicodedata.normalize("NFC", name).casefold()


def stem_of(filename: str) -> str:
    """File name or relative path (`/` separators) without folders and without the suffix of a picture; NFC."""
    path = PurePosixPath(filename)
    return unicodedata.normalize(
        "NFC", path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name
    )


def parse_label(filename: str) -> Label:
    """Read the label off a file name or relative path (`/` separators); subfolders do not count. Never raises."""
    stem = stem_of(filename)
    rest, set_code, rarity = stem, "", ""
    if match := _SET_CODE.match(rest):
        set_code, rest = match[1], rest[match.end() :]
    head, underscore, last = rest.rpartition("_")
    if underscore and head.strip("_ ") and _is_rarity(last):
        rest, rarity = head, RARITIES[last.lower()]
    name = _name_from_words(rest.replace("_", " ").split())
    return Label(name or stem, set_code if name else "", rarity if name else "")


def format_label(label: Label) -> str:
    """The stem that `parse_label` turns back into `label`.

    The name comes back NFC-normalised and with single spaces. Raises LabelError for an empty name, a set code or
    rarity that is none, or a name too long for a file.
    """
    name = " ".join(unicodedata.normalize("NFC", label.name).split())
    if not name:
        raise LabelError("A label needs a name")
    if label.set_code and not SET_CODE.fullmatch(label.set_code):
        raise LabelError(
            f"{label.set_code!r} is not a set code",
            "It looks like LOCH-JP001: capitals, a hyphen, a number",
        )
    if label.rarity and RARITIES.get(label.rarity.lower()) != label.rarity:
        raise LabelError(
            f"{label.rarity!r} is not a known rarity", f"Known are {', '.join(RARITIES.values())}"
        )
    wanted = Label(name, label.set_code, label.rarity)
    prefix = f"{label.set_code}_" if label.set_code else ""
    suffix = f"_{label.rarity.lower()}" if label.rarity else ""
    for words in _spellings(name):
        stem = prefix + words + suffix
        if _is_safe(stem) and parse_label(stem + ".jpg") == wanted:
            if len(stem.encode()) > MAX_STEM_BYTES:
                break
            return stem
    raise LabelError(
        f"No file name can carry {name[:60]!r}",
        f"Shorten it to {MAX_STEM_BYTES} bytes of plain text",
    )


def _is_rarity(word: str) -> bool:
    """`pscr`, `PScR` and `PSCR` are; `Sr`, as in "Robert Downey Sr", is not."""
    return word.lower() in RARITIES and word in (word.lower(), word.upper(), RARITIES[word.lower()])


def _name_from_words(words: list[str]) -> str:
    """Join words to a name: `pharaoh s` → `pharaoh's`, title case unless written with capitals, %XX decoded."""
    joined: list[str] = []
    for word in words:
        # One letter before it makes initials (`c s lewis`), a digit no owner (`formula 1 s`).
        if word == "s" and joined and len(joined[-1]) > 1 and joined[-1][-1].isalpha():
            joined[-1] += "'s"
        else:
            joined.append(word)
    name = " ".join(joined)
    return " ".join(_ESCAPE.sub(_unescape, name if _ESCAPE.search(name) else titled(name)).split())


def titled(name: str) -> str:
    """Title case for a name that has no capitals; one that has some is taken as written."""
    if any(c.isupper() or c.istitle() for c in name):
        return name
    return " ".join(_capitalised(word) for word in name.split(" "))


def _capitalised(word: str) -> str:
    """Title case for one lower-case word: X-Wing, O'Brien, 'n', 3D, 2nd, XIV."""
    if _ROMAN.fullmatch(word):
        return word.upper()
    return re.sub(r"[^\W\d_]+", lambda run: _capital(run[0], word[: run.start()]), word)


def _capital(letters: str, before: str) -> str:
    if before.endswith(("'", "’")):
        capital = len(letters) > 2 and len(before) <= 2
    elif before[-1:].isdigit():
        capital = len(letters) == 1 and letters != "s"
    else:
        capital = True
    first = letters[0].title()
    return first + letters[1:] if capital and len(first) == 1 else letters


def _spellings(name: str) -> list[str]:
    """Ways to write `name` as words of a stem, plainest first; the last one always reads back."""
    lower = _escape_unsafe(name.lower())
    written = _escape_unsafe(name)
    words = name.split(" ")
    return [
        re.sub(r"'s(?=_|$)", "_s", lower),
        lower,
        written,
        _escape(words[0][0]) + _escape_unsafe(name[1:]),
        "_".join(_escape(word[0]) + _escape_unsafe(word[1:]) for word in words),
        _escape(name),
    ]


def _escape_unsafe(name: str) -> str:
    name = _ESCAPE.sub(lambda found: "%25" + found[0][1:].replace("%", "%25"), name)
    return _UNSAFE.sub(lambda found: _escape(found[0]), name).replace(" ", "_")


def _escape(text: str) -> str:
    try:
        return "".join(f"%{byte:02X}" for byte in text.encode("utf-8"))
    except UnicodeEncodeError as exc:
        raise LabelError(f"The name {text!r} is not valid Unicode") from exc


def _unescape(found: re.Match[str]) -> str:
    try:
        return bytes.fromhex(found[0].replace("%", "")).decode("utf-8")
    except UnicodeDecodeError:
        return found[0]


def _is_safe(stem: str) -> bool:
    """Whether every common file system takes the stem as it is, and a folder walk does not skip it as hidden."""
    return not (stem.startswith(".") or stem.endswith((".", " ")) or _WINDOWS_DEVICES.match(stem))
