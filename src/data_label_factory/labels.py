"""A picture's file name is its label.

    LOCH-JP001_dark_magician_pscr.jpg   ⇄   Label("Dark Magician", "LOCH-JP001", "PScR")

The stem of a file name is `[SETCODE_]name_words[_rarity]`.
Underscores in the name stand for spaces. A name without capital
letters is put in title case; a name with capitals is taken as
written. An ending that says "copy" is no part of the name, nor is
`__2`, `__3`, …: those are further views of what the label says.
Collections of other things than cards have plain labels: a name and
nothing else.

`format_label` writes the plainest stem that `parse_label` reads
back unchanged. What a stem cannot carry literally (`/`, `?`, a name
that ends in a rarity, …) becomes `%XX`, the UTF-8 bytes as in a
URL. A set code or rarity that could be part of an ordinary name
stands in braces: `{633Ph}_dark_magician_{Ghost_Rare}`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from data_label_factory.errors import LabelError
from data_label_factory.rarities import RARITIES
from data_label_factory.set_codes import SET_CODE as SET_CODE  # for the sources, too
from data_label_factory.set_codes import is_set_code, split_set_code
from data_label_factory.spelling import (
    decode,
    escape,
    escape_first_letter,
    escape_unsafe,
    normalize,
    titled_stem,
)

# What the file names of a collection say: `plain` ones a name only.
LabelScheme = Literal["cards", "plain"]

# Every spelling in use of the formats in `pictures.FORMATS`, and of HEIF.
_JPEG_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo"}
_OTHER_SUFFIXES = {".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
_HEIF_SUFFIXES = {".heic", ".heics", ".heif", ".heifs", ".hif", ".avif", ".avifs"}
IMAGE_SUFFIXES = frozenset(_JPEG_SUFFIXES | _OTHER_SUFFIXES | _HEIF_SUFFIXES)

# File systems allow 255 bytes per name; this leaves room for a suffix.
MAX_STEM_BYTES = 240
MAX_VIEWS = 999  # of one label: the number has three digits at most

_BRACED_CODE = re.compile(r"\{([^{}]+)\}_")
_BRACED_RARITY = re.compile(r"_\{([^{}]+)\}\Z")

# What file managers and browsers write behind the name of a copy: Windows, GNOME and KDE, macOS.
# `hard_copy` and `Master Copy` are names.
_COPY = "copy|kopie|copie|copia|cópia|kopia|kopi|копия|копія|コピー|副本|복사본"
_COPY_ENDING = re.compile(
    rf" ?\(\d{{1,3}}\)|_\(\d{{1,3}}\)|(?i: [-–—] (?:{_COPY}))| \((?i:{_COPY})(?: \d+)?\)"
    r"| (?:copy|Kopie|kopie|copie|copia|cópia|kopia)(?: \d{1,3})?"
)
_COPY_ENDINGS = re.compile(rf"(?:{_COPY_ENDING.pattern}){{1,9}}\Z")

# The first view has no number; `blade_runner__2049` and `bond__007` are names. No spelling of
# a label ends so, since an underscore in a name is escaped.
_VIEW_ENDING = re.compile(r"__([2-9]|[1-9]\d{1,2})\Z")

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

    @property
    def variant(self) -> Label:
        """The key that all views of one variant have in common: the label without its case."""
        return Label(self.item, self.set_code, self.rarity)

    def __str__(self) -> str:
        return f"{self.name} ({self.rarity})" if self.rarity else self.name


def item_key(name: str) -> str:
    """Return the identity of an item: names with the same key are
    variants of one item.

    The key of a name is the same whether it was typed or came out of a
    word processor: Unicode's canonical caseless match (The Unicode
    Standard, D145), with one kind of apostrophe, quote, dash and space
    each, and without characters that show nothing.
    """
    folded = unicodedata.normalize("NFD", name).casefold()
    return " ".join(unicodedata.normalize("NFC", folded.translate(_ALIKE)).split())


def stem_of(filename: str) -> str:
    """Return the file name without folders (`/`) and image suffix, NFC-normalized."""
    path = PurePosixPath(filename)
    is_image = path.suffix.lower() in IMAGE_SUFFIXES
    return unicodedata.normalize("NFC", path.stem if is_image else path.name)


def parse_label(filename: str, scheme: LabelScheme = "cards") -> Label:
    """Return the label of a file name or relative path (`/`
    separators).

    Folders do not change the label. Never raises.
    """
    stem = stem_of(filename)
    words = split_copy_ending(stem)[0]
    first = split_view_ending(words)[0]
    return _parse_words(first, scheme) or _parse_words(words, scheme) or Label(stem)


def format_label(label: Label, scheme: LabelScheme = "cards") -> str:
    """Return the stem that `parse_label` turns back into `label`.

    All three come back NFC-normalized, name and rarity with single
    spaces. Raises LabelError if the name is empty, the set code
    none, or all too long for a file; and for a plain label with a
    set code or rarity.
    """
    name, rarity = map(normalize, (label.name, label.rarity))
    expected = Label(name, unicodedata.normalize("NFC", label.set_code), rarity)
    _check_label(expected, scheme)
    prefix = _spell_set_code(expected.set_code)
    suffix = _spell_rarity(rarity)

    for words in _list_spellings(name):
        stem = prefix + words + suffix
        if not _is_safe(stem) or parse_label(stem + ".jpg", scheme) != expected:
            continue
        if len(stem.encode()) > MAX_STEM_BYTES:
            break
        return stem

    raise LabelError(
        f"No file name can carry {name[:60]!r}",
        f"Shorten it to {MAX_STEM_BYTES} bytes of plain text",
    )


def reduce_label(label: Label, scheme: LabelScheme) -> Label:
    """Return what of `label` the file names of a collection can say."""
    return label if scheme == "cards" else Label(label.name)


def split_copy_ending(stem: str) -> tuple[str, str]:
    """Split the ending off that marks a copy: ` (1)`, ` - Copy`, ` copy 2`, …"""
    match = _COPY_ENDINGS.search(stem)
    if match and stem[: match.start()].strip("_ "):
        return stem[: match.start()], match[0]
    return stem, ""


def split_view_ending(stem: str) -> tuple[str, int]:
    """Split the ending off that numbers views; the number is 1 without one."""
    match = _VIEW_ENDING.search(stem)
    if match and stem[: match.start()].strip("_ "):
        return stem[: match.start()], int(match[1])
    return stem, 1


def view_number(filename: str) -> int:
    """Which of the views of its label a file shows, by its name: 1, 2, …"""
    return split_view_ending(split_copy_ending(stem_of(filename))[0])[1]


def _parse_words(words: str, scheme: LabelScheme) -> Label | None:
    """The label of a stem without endings; None if no name is in it."""
    set_code = rarity = ""
    if scheme == "cards":
        set_code, words = _split_set_code(words)
        words, rarity = _split_rarity(words)

    name = _join_words(words.replace("_", " ").split(), scheme)
    return Label(name, set_code, rarity) if name else None


def _check_label(label: Label, scheme: LabelScheme) -> None:
    if not label.name:
        raise LabelError("A label needs a name")
    if label.set_code and not is_set_code(label.set_code):
        raise LabelError(
            f"{label.set_code!r} is not a set code",
            "It has a number or a hyphen and no spaces, such as LOCH-JP001",
        )
    if label != reduce_label(label, scheme):
        raise LabelError(
            "The labels of this collection are plain: it has no set codes and rarities",
            "Leave them out, or index with --labels cards",
        )


def _split_set_code(stem: str) -> tuple[str, str]:
    if match := _BRACED_CODE.match(stem):
        code = decode(match[1])
        return (code, stem[match.end() :]) if is_set_code(code) else ("", stem)
    return split_set_code(stem)


def _split_rarity(words: str) -> tuple[str, str]:
    if match := _BRACED_RARITY.search(words):
        before = words[: match.start()]
        rarity = normalize(decode(match[1].replace("_", " ")))
        return (before, rarity) if rarity and before.strip("_ ") else (words, "")

    before, underscore, last = words.rpartition("_")
    if underscore and before.strip("_ ") and _is_rarity(last):
        return before, RARITIES[last.lower()]
    return words, ""


def _spell_set_code(code: str) -> str:
    """Write a set code in front of a name: in braces where a name could begin like it."""
    if not code or split_set_code(f"{code}_") == (code, ""):
        return code and f"{code}_"
    return f"{{{escape_unsafe(code)}}}_"


def _spell_rarity(rarity: str) -> str:
    if not rarity or RARITIES.get(rarity.lower()) == rarity:
        return rarity and f"_{rarity.lower()}"
    words = escape_unsafe(rarity)
    return "_{" + re.sub("[{}]", lambda match: escape(match[0]), words) + "}"


def _is_rarity(word: str) -> bool:
    """Accept `pscr`, `PScR` and `PSCR`, but not `Sr` as in "Robert Downey Sr"."""
    code = RARITIES.get(word.lower())
    return code is not None and word in (word.lower(), word.upper(), code)


def _join_words(words: list[str], scheme: LabelScheme) -> str:
    """Join the words of a stem into a name.

    `pharaoh s` becomes `pharaoh's`, unless the scheme is plain. A name
    without capitals gets title case, and %XX is decoded.
    """
    joined: list[str] = []
    for word in words:
        is_possessive = word == "s" and joined and _can_be_possessive(decode(joined[-1]))
        if is_possessive and scheme == "cards":
            joined[-1] += "'s"
        else:
            joined.append(word)

    return " ".join(decode(titled_stem(joined, roman=scheme == "cards")).split())


def _can_be_possessive(word: str) -> bool:
    # A single letter is an initial (`c s lewis`), and a number has no 's (`formula 1 s`).
    return len(word) > 1 and word[-1].isalpha()


def _list_spellings(name: str) -> list[str]:
    """List ways to write `name` in a stem, plainest first; the last one always reads back."""
    written = escape_unsafe(name)
    lower = name.lower().replace(" ", "_")
    words = name.split(" ")
    return [
        *([re.sub(r"'s(?=_|$)", "_s", lower), lower] if "%" not in written else []),
        written,
        escape_first_letter(name),
        "_".join(escape_first_letter(word) for word in words),
        escape(name),
    ]


def _is_safe(stem: str) -> bool:
    """Return whether every common file system takes `stem`, and no folder walk hides it."""
    if stem.startswith(".") or stem.endswith((".", " ")):
        return False
    return not _WINDOWS_DEVICES.match(stem)
