"""An assessment → the detection that it is answered with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data_label_factory.identify.recognize.detection import Assessment, Detection, common_label
from data_label_factory.identify.recognize.neighbors import NeighborSearch


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

    score = float(one.cosines[one.row])
    margin = neighbors.margin(one.row, one.cosines)
    is_enough = score > demands.cosine and margin > demands.margin
    nearest = neighbors.nearest(one.cosines, k)
    return Detection(
        label=common_label([index.label(row) for row in (one.row, *variants)]),
        reference=str(index.references[one.row]),
        score=score,
        margin=margin,
        confident=rate <= demands.strictness and is_enough and is_one_item,
        quad=one.quad,
        inliers=one.pose.hypothesis.inliers if one.pose else 0,
        top_k=_name(one, nearest, neighbors),
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
    items = neighbors.index.items
    order = np.argsort(-(one.cosines if one.ranked is None else one.ranked), kind="stable")
    _, first = np.unique(items[order], return_index=True)
    rows = [int(row) for row in order[np.sort(first)[:k]]]
    described = describe(one, rate, neighbors, demands, k)
    return replace(described, confident=False, is_guess=True, top_k=_name(one, rows, neighbors))


def _name(
    one: Assessment, rows: list[int], neighbors: NeighborSearch
) -> tuple[tuple[str, float], ...]:
    references = neighbors.index.references
    return tuple((str(references[row]), float(one.cosines[row])) for row in rows)
