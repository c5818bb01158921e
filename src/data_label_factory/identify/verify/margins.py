"""How alike pictures of one index are: nearest other items, margins, and thresholds that keep strangers out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.encoders import Embeddings
from data_label_factory.identify.index import Index

_ROW_BLOCK, _COLUMN_BLOCK = 1024, 8192

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Neighbors:
    """Of each of Q queries: its cosine to its own row, and to the best rows of the two nearest other items."""

    own: Floats  # (Q,)
    other: Floats  # (Q,)
    second: Floats  # (Q,)
    other_row: NDArray[np.int64]  # (Q,) the best one; -1 when there is no other item


def nearest_others(queries: Embeddings, truth_rows: NDArray[np.int64], index: Index) -> Neighbors:
    """For Q queries (Q, D) that show the references `truth_rows` (Q,): how alike they are to those and to others.

    "Other" means another item; variants of the true one do not count. Exact, in blocks: Q × N cosines are never held.
    """
    count, items = len(queries), index.items
    other, second = np.zeros(count, np.float32), np.zeros(count, np.float32)
    other_row = np.full(count, -1, np.int64)
    own = np.einsum("qd,qd->q", queries, index.embeddings[truth_rows]).astype(np.float32)
    by_item = np.argsort(items, kind="stable")
    first_of_item = np.searchsorted(items[by_item], np.arange(index.item_count + 1))
    for rows in _blocks(count, _ROW_BLOCK):
        best, runner_up = np.full((2, rows.stop - rows.start), -np.inf, np.float32)
        where, best_item = np.full((2, len(best)), -1, np.int64)
        for columns in _blocks(len(index), _COLUMN_BLOCK):
            cosines = queries[rows] @ index.embeddings[columns].T
            _hide_own_item(cosines, items[truth_rows[rows]], by_item, first_of_item, columns)
            at = cosines.argmax(axis=1)
            top, top_item = cosines[np.arange(len(at)), at], items[at + columns.start]
            # A stranger's margin is its lead over the next item, as in recognition: hide the variants of the best.
            _hide_own_item(cosines, top_item, by_item, first_of_item, columns)
            better = top > best
            loser = np.where(top_item == best_item, -np.inf, np.minimum(top, best))
            runner_up = np.maximum.reduce(
                [runner_up, cosines.max(axis=1), loser.astype(np.float32)]
            )
            where[better] = at[better] + columns.start
            best, best_item = np.maximum(best, top), np.where(better, top_item, best_item)
        # With no other item at all, a query is compared with nothing: cosine 0, the expectation of unlike pictures.
        other[rows], second[rows] = (
            np.where(np.isfinite(column), column, 0) for column in (best, runner_up)
        )
        other_row[rows] = where
    return Neighbors(own, other, second, other_row)


def choose_thresholds(
    genuine_sim: Floats,
    genuine_margin: Floats,
    unknown_sim: Floats,
    unknown_margin: Floats,
    rate: float,
) -> tuple[float, float]:
    """The cosine and margin thresholds that accept most genuine answers while at most `rate` of strangers pass both.

    All inputs (V,). An answer passes when its cosine and its margin are both above. Tries 64 cosine thresholds, and
    for each the lowest margin that keeps the rate.
    """
    allowed = int(rate * len(unknown_sim))
    best = (-1.0, 1.0, 1.0)
    for sim in np.quantile(np.concatenate([genuine_sim, unknown_sim]), np.linspace(0, 1, 64)):
        passing = np.sort(unknown_margin[unknown_sim > sim])[::-1]
        margin = max(0.0, float(passing[allowed])) if len(passing) > allowed else 0.0
        accepted = float(np.mean((genuine_sim > sim) & (genuine_margin > margin)))
        best = max(best, (accepted, float(sim), margin))
    return rounded_up(best[1]), rounded_up(best[2])


def rounded_up(threshold: float) -> float:
    """To four digits, never down: shown so, it must not let in more than the one that was measured."""
    return math.ceil(threshold * 1e4) / 1e4


def _hide_own_item(
    cosines: Floats,
    own_items: NDArray[np.int64],
    by_item: NDArray[np.int64],
    first: NDArray[np.int64],
    columns: slice,
) -> None:
    """Set to -inf, in place, each query's cosines to rows of its own item (few, found through the item order)."""
    counts = first[own_items + 1] - first[own_items]
    line = np.repeat(np.arange(len(own_items)), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = by_item[np.repeat(first[own_items], counts) + offset]
    inside = (rows >= columns.start) & (rows < columns.stop)
    cosines[line[inside], rows[inside] - columns.start] = -np.inf


def _blocks(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
