"""Regions of a frame by embedding alone: where local features say
too little.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.nearest import Nearest
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.identify.recognize.references import ReferenceFeatures

_SHORTLIST = 3  # references of each region that a second look tries


def turn(regions: Sequence[Quad], turns: int) -> list[Quad]:
    """Each of the `regions` (4, 2) px turned `turns` ways, first as it is."""
    return [as_points(np.roll(quad, -turn, axis=0)) for turn in range(turns) for quad in regions]


def assess_regions(
    quads: Sequence[Quad], found: Sequence[Nearest], neighbors: NeighborSearch
) -> list[Assessment]:
    """The nearest item of each of the `quads` (4, 2) px, by what was
    `found` near each.

    Best margin ratio first, each item once; nothing where all rows
    are hidden.
    """
    index = neighbors.index
    best: dict[int, Assessment] = {}
    for quad, nearest in zip(quads, found, strict=True):
        row = nearest.best
        if row is None:
            continue
        item = int(index.items[row])
        margin_ratio = neighbors.margin_ratio(row, nearest)
        if item not in best or margin_ratio > best[item].margin_ratio:
            best[item] = Assessment(row, quad, nearest, margin_ratio, None)
    return sorted(best.values(), key=lambda one: -one.margin_ratio)


def shortlist(guesses: Sequence[Assessment], references: ReferenceFeatures) -> list[int]:
    """The numbers of the references nearest to each region by
    embedding, each once.
    """
    numbers: dict[int, None] = {}
    for guess in guesses:
        for row in islice(guess.nearest.rows(), _SHORTLIST):
            numbers |= dict.fromkeys(references.numbers_of([row]))
    return list(numbers)
