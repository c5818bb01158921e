"""Which items of an index are most easily confused, and whether
they are the very same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_label_factory.errors import ImageError
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.verify.margins import Neighbors

SAME_PICTURE = 1 - 1e-4  # cosine above which the pixels are compared
SIMILAR = "similar"


@dataclass(frozen=True)
class ConfusablePair:
    """Two similar items.

    `kind` is "same file", "same picture" (equal pixels) or "similar".
    """

    a: str
    b: str
    similarity: float
    kind: str


def find_confusable_pairs(
    index: Index, near: Neighbors, refs: Path | None, count: int
) -> list[ConfusablePair]:
    """The `count` most similar pairs of items, each once, most similar first."""
    pairs: dict[frozenset[int], ConfusablePair] = {}
    for row in np.argsort(-near.other, kind="stable"):
        partner = int(near.other_row[row])
        if len(pairs) >= count or partner < 0:
            break

        items = frozenset((int(index.items[row]), int(index.items[partner])))
        if items in pairs:
            continue
        a, b = sorted((int(row), partner))
        similarity = float(near.other[row])
        pairs[items] = ConfusablePair(
            str(index.references[a]),
            str(index.references[b]),
            similarity,
            classify_pair(index, a, b, similarity, refs),
        )
    return list(pairs.values())


def classify_pair(index: Index, a: int, b: int, similarity: float, refs: Path | None) -> str:
    """The kind of the pair of rows `a` and `b`, as ConfusablePair describes."""
    if index.sha256[a] == index.sha256[b]:
        return "same file"
    if similarity > SAME_PICTURE and refs is not None and _have_same_pixels(index, a, b, refs):
        return "same picture"
    return SIMILAR


def _have_same_pixels(index: Index, a: int, b: int, refs: Path) -> bool:
    """Whether both files can be read and show the same pixels."""
    try:
        first, second = (decode(refs / str(index.references[row])) for row in (a, b))
    except ImageError:
        return False
    return np.array_equal(first, second)
