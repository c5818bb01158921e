"""Regions of a frame by embedding alone: where local features say
too little.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.features import Floats
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.identify.recognize.references import ReferenceFeatures

_SHORTLIST = 3  # references of each region that a second look tries


def turn(regions: Sequence[Quad], turns: int) -> list[Quad]:
    """Each of the `regions` (4, 2) px turned `turns` ways, first as it is."""
    return [as_points(np.roll(quad, -turn, axis=0)) for turn in range(turns) for quad in regions]


def assess_regions(
    quads: Sequence[Quad],
    cosines: Floats,
    neighbors: NeighborSearch,
    hidden: Collection[int] = (),
) -> list[Assessment]:
    """The nearest item of each of the `quads` (4, 2) px, by the
    cosines (Q, N) of what is in them, with the rows `hidden` taken
    out of the index.

    Best margin ratio first, each item once.
    """
    index = neighbors.index
    best: dict[int, Assessment] = {}
    for quad, row_cosines in zip(quads, cosines, strict=True):
        row = int(row_cosines.argmax())
        item = int(index.items[row])
        margin_ratio = neighbors.margin_ratio(row, row_cosines, hidden)
        if item not in best or margin_ratio > best[item].margin_ratio:
            best[item] = Assessment(row, quad, row_cosines, margin_ratio, None)
    return sorted(best.values(), key=lambda one: -one.margin_ratio)


def shortlist(guesses: Sequence[Assessment], references: ReferenceFeatures) -> list[int]:
    """The numbers of the references nearest to each region by
    embedding, each once.
    """
    numbers: dict[int, None] = {}
    for guess in guesses:
        for row in np.argsort(-guess.cosines, kind="stable")[:_SHORTLIST]:
            numbers |= dict.fromkeys(references.numbers_of([int(row)]))
    return list(numbers)
