"""Things without a flat pose: which item the whole picture, or its
center, is most like, by both embeddings.

How the two are compared is in `index.centered`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from data_label_factory.identify.encoders import Encoder
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.centered import Centered
from data_label_factory.identify.index.semantic import Packed, unpack
from data_label_factory.identify.quad import Quad, straighten
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.features import Floats, Ints
from data_label_factory.identify.recognize.nearest import Nearest
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.identify.recognize.references import ReferenceFeatures

# Of two references that differ by less no region is clearly the one.
_LEAST_GAP = 0.1


class LikenessSearch:
    """What both embeddings of an index say about regions of a frame."""

    def __init__(
        self,
        index: Index,
        semantic: Packed,
        encoder: Encoder,
        neighbors: NeighborSearch,
        references: ReferenceFeatures | None,
    ) -> None:
        self._index = index
        self._encoder = encoder
        self._neighbors = neighbors
        self._references = references
        self._semantic = semantic
        self._all = self._center(np.arange(len(index)))
        self._side = int(self._encoder.identity.preprocessing["side"])

    def assess(
        self,
        frame: RGB,
        quads: Sequence[Quad],
        found: Sequence[Nearest],
        hidden: Collection[int] = (),
    ) -> Assessment | None:
        """The item that one of Q `quads` (4, 2) px is most like.

        `found` is what is near each of them, without the rows
        `hidden`; of more than Q, the first. None when no two items
        are left to tell apart.
        """
        copies = np.stack([nearest.embedding for nearest in found[: len(quads)]])
        visible = np.setdiff1d(np.arange(len(self._index)), list(hidden))
        items, number = np.unique(self._index.items[visible], return_inverse=True)
        if len(items) < 2:
            return None

        crops = [straighten(frame, quad, self._side) for quad in quads]
        known = self._center(visible) if len(hidden) else self._all
        scores = known.compare([self._encoder.encode(crops), copies])

        by_item = np.full((len(quads), len(items)), -np.inf, np.float32)
        for quad_scores, row_scores in zip(by_item, scores, strict=True):
            np.maximum.at(quad_scores, number, row_scores)
        quad = int(by_item.max(axis=1).argmax())
        best = np.sort(by_item.max(axis=0))
        row = int(visible[scores[quad].argmax()])
        evidence = float(best[-1] + (best[-1] - best[-2]))

        ranked = np.full(len(self._index), -np.inf, np.float32)
        ranked[visible] = scores[quad]
        ratio = self._neighbors.margin_ratio(row, found[quad])
        near_duplicates = self._find_ambiguous(row, ranked, known.rows)
        return Assessment(
            row,
            quads[quad],
            found[quad],
            ratio,
            pose=None,
            near_duplicates=near_duplicates,
            likeness=evidence,
            ranked=ranked,
        )

    def _find_ambiguous(self, row: int, ranked: Floats, visible: Ints) -> tuple[int, ...]:
        """The near-duplicates of `row` that a region, with `ranked`
        (N,) scores, is not clearly further from.

        Clearly is half as much as the reference itself.
        """
        alike = find_lookalikes(self._index, self._references, row)
        others = [int(other) for other in visible if other in alike and other != row]
        gaps = 1 - self._all.compare_own(row, others)
        found = [
            other
            for other, gap in zip(others, gaps, strict=True)
            if gap < _LEAST_GAP or ranked[row] - ranked[other] < gap / 2
        ]
        return self._index.other_variants(row, found)

    def _center(self, rows: Ints) -> Centered:
        kinds = unpack(self._semantic[rows])
        return Centered(rows, [kinds, self._index.embeddings[rows]])


def open_likeness(
    index: Index, neighbors: NeighborSearch, references: ReferenceFeatures | None
) -> LikenessSearch | None:
    """None where the index, or the embedder, has no second embedding,
    or each has another one.
    """
    encoder = neighbors.embedder.semantic
    if index.semantic is None or encoder is None or encoder.identity != index.meta.semantic:
        return None
    return LikenessSearch(index, index.semantic, encoder, neighbors, references)


def put_first(likely: Assessment, others: Sequence[Assessment], index: Index) -> list[Assessment]:
    """`likely` before the others; where one of these is of the same
    item, its place in the frame is the better one.
    """
    is_same = [index.items[one.row] == index.items[likely.row] for one in others]
    rest = [one for one, same in zip(others, is_same, strict=True) if not same]
    if True not in is_same:
        return [likely, *rest]
    return [replace(others[is_same.index(True)], likeness=likely.likeness), *rest]


def find_lookalikes(index: Index, references: ReferenceFeatures | None, row: int) -> set[int]:
    """The rows of the item of `row`, and their near-duplicates."""
    rows = {int(variant) for variant in np.flatnonzero(index.items == index.items[row])}
    if references is None:
        return rows

    for number in references.numbers_of(rows):
        rows |= {int(references.rows[other]) for other in references.near_duplicates(number)}
    return rows
