"""An assessment → the detection that it is answered with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from data_label_factory.identify.recognize.detection import Assessment, Detection, common_label
from data_label_factory.identify.recognize.neighbors import NeighborSearch, first_of_each


@dataclass(frozen=True)
class Demands:
    """What is asked of a confident answer.

    `strictness` is the highest false-accept rate, the others are the
    lowest cosine and margin.
    """

    strictness: float
    cosine: float
    margin: float


def describe(
    one: Assessment, rate: float, neighbors: NeighborSearch, demands: Demands, k: int
) -> Detection:
    """An assessment with its label, and whether to believe it.

    `rate` is the fraction of unknown items that look as good, `k`
    the number of neighbors to name.
    """
    index = neighbors.index
    variants = [row for row in one.near_duplicates if index.items[row] == index.items[one.row]]
    is_one_item = len(variants) == len(one.near_duplicates)

    score = one.nearest.cosine(one.row)
    margin = neighbors.margin(one.row, one.nearest)
    is_enough = score > demands.cosine and margin > demands.margin
    variants_near = neighbors.nearest_variants(one.nearest, k)
    return Detection(
        label=common_label([index.label(row) for row in (one.row, *variants)]),
        reference=str(index.references[one.row]),
        score=score,
        margin=margin,
        confident=rate <= demands.strictness and is_enough and is_one_item,
        quad=one.quad,
        inliers=one.pose.hypothesis.inliers if one.pose else 0,
        top_k=_name(one, variants_near, neighbors),
        false_accept_rate=rate if is_one_item else 1.0,
        ambiguous_with=tuple(str(index.references[row]) for row in one.near_duplicates),
        read=one.read,
    )


def describe_guess(
    one: Assessment, rate: float, neighbors: NeighborSearch, demands: Demands, k: int
) -> Detection:
    """The same, never confident; `top_k` has one reference of each of
    the `k` nearest items.
    """
    order: Iterable[int] = one.nearest.rows()
    if one.ranked is not None:
        order = map(int, np.argsort(-one.ranked, kind="stable"))
    rows = first_of_each(order, neighbors.index.items, k)
    described = describe(one, rate, neighbors, demands, k)
    return replace(described, confident=False, is_guess=True, top_k=_name(one, rows, neighbors))


def _name(
    one: Assessment, rows: list[int], neighbors: NeighborSearch
) -> tuple[tuple[str, float], ...]:
    references = neighbors.index.references
    cosines = one.nearest.cosines(rows).tolist()
    return tuple((str(references[row]), cosine) for row, cosine in zip(rows, cosines, strict=True))
