"""Things without a flat pose: which item the whole picture, or its
center, is most like, by both embeddings.

An embedding that was trained to find copies and one that was
trained on kinds of things err on different things. Both are taken
less what all references have in common (the mean), so that "leaf
on white paper" says nothing and the rest more; then their cosines
are added.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from data_label_factory.identify.encoders import Embeddings, Encoder, unit_rows
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.semantic import Packed, unpack
from data_label_factory.identify.quad import Quad, straighten
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.features import Floats, Ints
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.identify.recognize.references import ReferenceFeatures

# Of the two embeddings, of kinds and of copies: twice as much for the first loses least
# on household things, parts and leaves together (docs/benchmarks.md). On packages in a
# shop the second is the better one.
_WEIGHTS = np.sqrt(np.array([2 / 3, 1 / 3], np.float32))


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
        self._rows = [unpack(semantic), index.embeddings]
        self._side = int(self._encoder.identity.preprocessing["side"])

    def assess(
        self,
        frame: RGB,
        quads: Sequence[Quad],
        copies: Embeddings,
        cosines: Floats,
        hidden: Collection[int] = (),
    ) -> Assessment | None:
        """The item that one of Q `quads` (4, 2) px is most like.

        `copies` (Q, D) are their embeddings, `cosines` (Q, N) those
        to every row; of more than Q, the first. Rows `hidden` are
        taken out of the index. None when no two items are left to
        tell apart.
        """
        copies, cosines = copies[: len(quads)], cosines[: len(quads)]
        visible = np.setdiff1d(np.arange(len(self._index)), list(hidden))
        items, number = np.unique(self._index.items[visible], return_inverse=True)
        if len(items) < 2:
            return None

        crops = [straighten(frame, quad, self._side) for quad in quads]
        found = [unit_rows(self._encoder.encode(crops)), copies]
        scores = self._compare(found, visible)

        by_item = np.full((len(quads), len(items)), -np.inf, np.float32)
        for quad_scores, row_scores in zip(by_item, scores, strict=True):
            np.maximum.at(quad_scores, number, row_scores)
        quad = int(by_item.max(axis=1).argmax())
        best = np.sort(by_item.max(axis=0))
        row = int(visible[scores[quad].argmax()])
        evidence = float(best[-1] + (best[-1] - best[-2]))

        ranked = np.full(len(self._index), -np.inf, np.float32)
        ranked[visible] = scores[quad]
        ratio = self._neighbors.margin_ratio(row, cosines[quad])
        near_duplicates = self._find_ambiguous(row, ranked, visible)
        return Assessment(
            row,
            quads[quad],
            cosines[quad],
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
        index = self._index
        alike = find_lookalikes(index, self._references, row)
        others = [o for o in visible if o in alike and index.variants[o] != index.variants[row]]
        if not others:
            return ()

        gaps = 1 - self._compare([rows[[row]] for rows in self._rows], visible)[0]
        gap_of = dict(zip(visible.tolist(), gaps.tolist(), strict=True))
        found = [
            int(index.first_views[other])
            for other in others
            if gap_of[other] < _LEAST_GAP or ranked[row] - ranked[other] < gap_of[other] / 2
        ]
        return tuple(dict.fromkeys(found))

    def _compare(self, found: Sequence[Embeddings], visible: Ints) -> Floats:
        """(Q, D) of each embedding → (Q, M) with the `visible` rows."""
        total = np.zeros((len(found[0]), len(visible)), np.float32)
        for query, rows, weight in zip(found, self._rows, _WEIGHTS, strict=True):
            known = rows[visible]
            mean = known.mean(axis=0)
            total += weight**2 * (unit_rows(query - mean) @ unit_rows(known - mean).T)
        return total


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

    for number in np.flatnonzero(np.isin(references.rows, list(rows))):
        rows |= {int(references.rows[other]) for other in references.near_duplicates[number]}
    return rows
