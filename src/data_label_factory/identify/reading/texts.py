"""The texts of references, read once and kept in a file beside the
index.

Reading a picture takes seconds, so only those are read whose text can
decide something. The file is a cache, keyed by content: one that is
missing, damaged or of another version is made anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_label_factory.atomic import write_text
from data_label_factory.errors import FactoryError, ImageError
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.files import read_row
from data_label_factory.identify.quad import Box, box_of
from data_label_factory.identify.reading.lines import TextReader
from data_label_factory.progress import Progress

# Count it up with every change to how references are read.
_VERSION = "texts 1"
_MIN_SIDE_PX = 736  # to which the detector enlarges a smaller picture
_DIGITS = 5  # of a fraction of a picture


@dataclass(frozen=True)
class PlacedText:
    """A line of a reference; `box` is left, top, right, bottom in
    fractions of the picture.
    """

    text: str
    confidence: float
    box: Box


# The lines of each picture, by its content.
Texts = Mapping[str, Sequence[PlacedText]]


def text_cache_path(index_file: str | Path) -> Path:
    """Where the texts of an index's references are kept: `my.npz` →
    `my.texts.json`.
    """
    index_file = Path(index_file)
    return index_file.with_name(f"{index_file.stem}.texts.json")


def read_texts(
    index: Index,
    refs: Path,
    rows: Sequence[int],
    reader: TextReader,
    *,
    cache: Path | None = None,
    quiet: bool = True,
) -> dict[str, list[PlacedText]]:
    """The texts of those `rows` of an index; what is in the file `cache`
    is not read again.

    The file is written when something new was read. A picture that
    cannot be read has no text.
    """
    found = load_texts(cache) if cache else {}
    contents = {str(index.contents[row]): row for row in rows}
    missing = [content for content in contents if content not in found]
    with Progress("texts read", len(missing), enabled=not quiet and bool(missing)) as progress:
        for content in missing:
            with suppress(ImageError):
                picture = read_row(index, refs, contents[content], _MIN_SIDE_PX)
                found[content] = place_lines(reader, picture)
            progress.step()

    texts = {content: list(found[content]) for content in contents if content in found}
    if cache and missing:
        with suppress(FactoryError):  # a full disk costs time at the next start, nothing else
            save_texts(texts, cache)
    return texts


def place_lines(reader: TextReader, picture: RGB) -> list[PlacedText]:
    """The lines of (H, W, 3), in fractions of it."""
    height, width = picture.shape[:2]
    size = np.array([width, height, width, height])
    return [
        PlacedText(line.text, line.confidence, _as_box(np.array(box_of(line.box)) / size))
        for line in reader.read(picture)
    ]


def load_texts(path: Path) -> dict[str, list[PlacedText]]:
    """The contents of the file; nothing if it is no such file."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["version"] != _VERSION:
            return {}
        return {
            str(content): [
                PlacedText(str(text), float(confidence), _as_box(np.array(box, np.float64)))
                for text, confidence, box in lines
            ]
            for content, lines in kept["texts"].items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def save_texts(texts: Texts, path: Path) -> None:
    """Write atomically, about 100 bytes a line. Raises FactoryError when
    the disk is full.
    """
    lines = {
        content: [[line.text, round(line.confidence, _DIGITS), list(line.box)] for line in rows]
        for content, rows in texts.items()
    }
    write_text(path, json.dumps({"version": _VERSION, "texts": lines}, ensure_ascii=False))


def _as_box(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Box:
    """Raises ValueError unless there are four."""
    left, top, right, bottom = (round(float(value), _DIGITS) for value in values)
    return left, top, right, bottom
