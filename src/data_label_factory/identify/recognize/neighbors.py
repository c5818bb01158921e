"""Crops of a frame against an index by embedding: cosines,
margins, margin ratios.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from data_label_factory.identify.encoders import Embedder, Embeddings
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Quad, straighten
from data_label_factory.identify.recognize.features import Floats

# A reference with a near-duplicate has hardly a margin; the ratio
# to it would be unbounded.
_SMALLEST_OWN_MARGIN = 0.05


class NeighborSearch:
    """What an embedder and an index say about quads of a frame."""

    def __init__(self, index: Index, embedder: Embedder) -> None:
        self.index = index
        self.embedder = embedder
        self._own_margins: dict[int, float] = {}
        views = np.bincount(index.variants)
        self._variant_count, self._most_views = len(views), int(views.max())

    def cosines(self, frame: RGB, quads: Sequence[Quad], hidden: Collection[int] = ()) -> Floats:
        """(Q, N) of the frame inside each of Q quads to every
        row, -inf for the `hidden` ones.
        """
        return self.look_at(frame, quads, hidden)[1]

    def look_at(
        self, frame: RGB, quads: Sequence[Quad], hidden: Collection[int] = ()
    ) -> tuple[Embeddings, Floats]:
        """The same after the embeddings (Q, D) of those crops."""
        if not quads:
            none = np.zeros((0, self.index.dim), np.float32)
            return none, np.zeros((0, len(self.index)), np.float32)

        crops = [straighten(frame, quad, self.embedder.crop_side) for quad in quads]
        embeddings = self.embedder.encode(crops)
        cosines = embeddings @ self.index.embeddings.T
        cosines[:, list(hidden)] = -np.inf
        return embeddings, np.asarray(cosines, np.float32)

    def margin(self, row: int, cosines: Floats) -> float:
        """How much nearer `row` is than the best row of another
        item, by cosines (N,).
        """
        others = cosines[self.index.items != self.index.items[row]]
        best = float(others.max()) if len(others) else -np.inf
        # With no other item to compare with: cosine 0, the
        # expectation of unrelated pictures.
        return float(cosines[row]) - (best if np.isfinite(best) else 0.0)

    def margin_ratio(self, row: int, cosines: Floats, hidden: Collection[int] = ()) -> float:
        """The margin of `row` divided by the margin that its own
        reference picture has, with the same rows `hidden`.
        """
        own = None if hidden else self._own_margins.get(row)
        if own is None:
            own_cosines = self.index.embeddings @ self.index.embeddings[row]
            own_cosines[list(hidden)] = -np.inf
            own = self.margin(row, own_cosines)
        if not hidden:
            self._own_margins[row] = own
        return self.margin(row, cosines) / max(own, _SMALLEST_OWN_MARGIN)

    def nearest(self, cosines: Floats, k: int) -> list[int]:
        """The rows of the `k` nearest variants by cosines (N,),
        nearest first, each by its nearest view.
        """
        k = min(k, self._variant_count)
        most = min(k + len(cosines) - self._variant_count, k * self._most_views)
        near = np.argpartition(-cosines, most - 1)[:most]
        near = near[np.argsort(-cosines[near], kind="stable")]
        firsts = np.unique(self.index.variants[near], return_index=True)[1]
        return [int(row) for row in near[np.sort(firsts)[:k]]]
