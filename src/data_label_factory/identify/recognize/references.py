"""The reference pictures of an index, read once: their local features, thumbnails, and what each kind has in common."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from data_label_factory.errors import ImageError
from data_label_factory.identify.encoders import cpu_count
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize import appearance
from data_label_factory.identify.recognize.features import REFERENCE, Features, Floats, Ints
from data_label_factory.identify.recognize.local_index import LocalIndex

_MIN_SIDE_PX = 480  # a larger JPEG is decoded smaller
_SIMILAR = 12  # references that show what is common to a kind


@dataclass(frozen=True)
class References:
    """N references that could be read. `rows` (N,) are their rows in the index; the other fields follow its order.

    `chances` (rows, columns) say how often others of the kind agree in each cell, `twins` which others look the same.
    """

    rows: Ints
    local: LocalIndex
    thumbs: list[RGB]
    chances: list[Floats]
    twins: list[list[int]]


def read_references(index: Index, refs: Path) -> tuple[References | None, dict[str, str]]:
    """Read every reference of `index` below `refs`, in threads, since OpenCV works outside Python's lock.

    Returns them, or None when not one could be read, and the reason for each file that could not.
    """

    def read(row: int) -> tuple[Features, RGB] | str:
        try:
            picture = decode(refs / str(index.filenames[row]), min_side=_MIN_SIDE_PX)
        except ImageError as exc:
            return str(exc)
        return REFERENCE(picture), appearance.thumbnail(picture)

    with ThreadPoolExecutor(cpu_count()) as pool:
        results = list(pool.map(read, range(len(index))))
    unreadable = {str(index.filenames[row]): got for row, got in enumerate(results) if isinstance(got, str)}
    good = [(row, *got) for row, got in enumerate(results) if not isinstance(got, str)]
    if not good:
        return None, unreadable
    rows, features, thumbs = (list(column) for column in zip(*good, strict=True))
    chances, twins = appearance.learn_background(thumbs, _most_similar(thumbs))
    return References(np.array(rows, np.int64), LocalIndex(features), thumbs, chances, twins), unreadable


def _most_similar(thumbs: Sequence[RGB]) -> list[Ints]:
    """For each reference the ones that look most like it, coarsely: they show what its kind has in common."""
    tiny = np.stack([cv2.resize(t, (12, 16), interpolation=cv2.INTER_AREA).ravel() for t in thumbs]).astype(np.float32)
    tiny = (tiny - tiny.mean(axis=1, keepdims=True)) / (tiny.std(axis=1, keepdims=True) + 1e-3)
    most = min(_SIMILAR, len(thumbs) - 1)
    similar = []
    for number, row in enumerate(tiny):
        likeness = tiny @ row
        likeness[number] = -np.inf
        similar.append(np.argsort(-likeness, kind="stable")[:most])
    return similar
