"""Regions of a frame by embedding alone: where local features say
too little.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.identify.recognize.references import ReferenceFeatures

_SHORTLIST = 3  # references of each region that a second look tries


def assess_regions(
    frame: RGB,
    regions: Sequence[Quad],
    neighbors: NeighborSearch,
    hidden: Collection[int],
    turns: int,
) -> list[Assessment]:
    """The nearest item of each of the `regions` (4, 2) px, each
    turned `turns` ways.

    Best margin ratio first, each item once.
    """
    index = neighbors.index
    quads = [as_points(np.roll(quad, -turn, axis=0)) for quad in regions for turn in range(turns)]

    best: dict[int, Assessment] = {}
    for quad, cosines in zip(quads, neighbors.cosines(frame, quads, hidden), strict=True):
        row = int(cosines.argmax())
        item = int(index.items[row])
        margin_ratio = neighbors.margin_ratio(row, cosines)
        if item not in best or margin_ratio > best[item].margin_ratio:
            best[item] = Assessment(row, quad, cosines, margin_ratio, None)
    return sorted(best.values(), key=lambda one: -one.margin_ratio)


def shortlist(guesses: Sequence[Assessment], references: ReferenceFeatures) -> list[int]:
    """The numbers of the references nearest to each region by
    embedding, each once.
    """
    numbers: dict[int, None] = {}
    for guess in guesses:
        for row in np.argsort(-guess.cosines, kind="stable")[:_SHORTLIST]:
            numbers |= dict.fromkeys(np.flatnonzero(references.rows == row).tolist())
    return list(numbers)
