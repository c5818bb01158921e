"""Whether one view of an item is like another: what an index with
several pictures of its items knows of things that are not flat.

Each view is looked for among the others, as a photo of the item
would be: by the first embedding alone, and by both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.index import Index
from data_label_factory.identify.index.centered import Centered, Floats
from data_label_factory.identify.index.semantic import unpack

VIEWS_MAX = 2000  # of more, an even sample is compared
_BLOCK = 256  # views at once

# Of views, below which a picture of one side says too little of the others. By
# both encoders all views of household things and leaves are found, and 76 % of those
# of LEGO parts (docs/index-and-verify.md).
FEW_FOUND = 0.9

_Rows = NDArray[np.int64]


@dataclass(frozen=True)
class ViewCheck:
    """How many of `views` views, of `items` items, are nearest to
    another view of their own item, as fractions.

    `found_by_both` is None where the index has one embedding.
    """

    views: int
    items: int
    found: float
    found_by_both: float | None

    @property
    def are_unlike(self) -> bool:
        """Whether views of one item are often less like one another
        than like other items.
        """
        found = self.found if self.found_by_both is None else self.found_by_both
        return found < FEW_FOUND


def check_views(index: Index) -> ViewCheck | None:
    """Look for each view among the others; None where no item has two,
    or there is one item only.
    """
    rows = _choose_views(index)
    if not len(rows) or index.item_count < 2:
        return None

    by_copies = _count_found(index, rows, lambda some: index.embeddings[some] @ index.embeddings.T)
    by_both = None
    if index.semantic is not None:
        kinds = unpack(index.semantic)
        every = Centered(np.arange(len(index)), [kinds, index.embeddings])
        by_both = _count_found(
            index, rows, lambda some: every.compare([kinds[some], index.embeddings[some]])
        )
    items = len(np.unique(index.items[rows]))
    return ViewCheck(len(rows), items, by_copies, by_both)


def _choose_views(index: Index) -> _Rows:
    """The rows of variants that have several views, or some of them."""
    count = np.bincount(index.variants)[index.variants]
    rows = np.flatnonzero(count > 1)
    if len(rows) <= VIEWS_MAX:
        return rows
    return rows[np.linspace(0, len(rows) - 1, VIEWS_MAX).astype(np.int64)]


def _count_found(index: Index, rows: _Rows, compare: Callable[[_Rows], Floats]) -> float:
    """The fraction of `rows` whose nearest other row is of their item."""
    found = 0
    for start in range(0, len(rows), _BLOCK):
        some = rows[start : start + _BLOCK]
        scores = compare(some)
        scores[np.arange(len(some)), some] = -np.inf
        found += int((index.items[scores.argmax(axis=1)] == index.items[some]).sum())
    return found / len(rows)
