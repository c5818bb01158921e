"""Crops of a frame against an index by embedding: margins and
margin ratios.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Quad, straighten
from data_label_factory.identify.recognize.features import Ints
from data_label_factory.identify.recognize.nearest import Nearest, find_nearest

# A reference with a near-duplicate has hardly a margin; the ratio
# to it would be unbounded.
_SMALLEST_OWN_MARGIN = 0.05


class NeighborSearch:
    """What an embedder and an index say about quads of a frame."""

    def __init__(self, index: Index, embedder: Embedder) -> None:
        self.index = index
        self.embedder = embedder
        self._own_margins: dict[int, float] = {}

    def look_at(
        self, frame: RGB, quads: Sequence[Quad], hidden: Collection[int] = ()
    ) -> list[Nearest]:
        """What is near the frame inside each of the `quads` (4, 2) px,
        with the rows `hidden` taken out of the index.
        """
        if not quads:
            return []
        crops = [straighten(frame, quad, self.embedder.crop_side) for quad in quads]
        return find_nearest(self.index, self.embedder.encode(crops), hidden)

    def margin(self, row: int, nearest: Nearest) -> float:
        """How much nearer `row` is to a crop than the best row of
        another item.
        """
        best = nearest.best_other(int(self.index.items[row]))
        # With no other item to compare with: cosine 0, the
        # expectation of unrelated pictures.
        return nearest.cosine(row) - (best if np.isfinite(best) else 0.0)

    def margin_ratio(self, row: int, nearest: Nearest) -> float:
        """The margin of `row` divided by the margin that its own
        reference picture has, with the same rows hidden.
        """
        own = None if nearest.hides else self._own_margins.get(row)
        if own is None:
            own = self.margin(row, nearest.around(row))
        if not nearest.hides:
            self._own_margins[row] = own
        return self.margin(row, nearest) / max(own, _SMALLEST_OWN_MARGIN)

    def best_margin_ratio(self, nearest: Nearest) -> float:
        """That of the nearest row; -inf where all are hidden."""
        row = nearest.best
        return -np.inf if row is None else self.margin_ratio(row, nearest)

    def nearest_variants(self, nearest: Nearest, k: int) -> list[int]:
        """The rows of the `k` variants nearest to a crop, nearest
        first, each by its nearest view.
        """
        return first_of_each(nearest.rows(), self.index.variants, k)


def first_of_each(rows: Iterable[int], groups: Ints, k: int) -> list[int]:
    """The first of the `rows` of each group, until there are `k`;
    `groups` (N,) has the group of each row of the index.
    """
    first: dict[int, int] = {}
    for row in rows:
        first.setdefault(int(groups[row]), row)
        if len(first) >= k:
            break
    return list(first.values())[:k]
