"""How alike the pictures of one index are: nearest other items, margins, thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.encoders import Embeddings
from data_label_factory.identify.index import Index

# Cosines are computed in blocks of this size, at most 32 MB each.
_ROW_BLOCK = 1024
_COLUMN_BLOCK = 8192

_SIM_STEPS = 64  # cosine thresholds that `choose_thresholds` tries

Floats = NDArray[np.float32]
_Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Neighbors:
    """Each query's cosine to its own row, and to the best rows of
    the two nearest other items.
    """

    own: Floats  # (Q,)
    other: Floats  # (Q,)
    second: Floats  # (Q,)
    other_row: _Rows  # (Q,) the row behind `other`; -1 if there is no other item


def nearest_others(queries: Embeddings, truth_rows: _Rows, index: Index) -> Neighbors:
    """The nearest other items of Q queries (Q, D) that show the
    references `truth_rows` (Q,).

    Variants of a query's own item do not count as other items. If
    there is no other item, the cosine is 0, which is what unlike
    pictures have on average. The result is exact; memory stays
    small because the Q × N cosines are computed in blocks.
    """
    count = len(queries)
    other = np.zeros(count, np.float32)
    second = np.zeros(count, np.float32)
    other_row = np.full(count, -1, np.int64)
    item_rows = _ItemRows(index)

    for block in _split(count, _ROW_BLOCK):
        own_items = index.items[truth_rows[block]]
        best, runner_up, best_row = _search_block(queries[block], own_items, index, item_rows)
        other[block] = np.where(np.isfinite(best), best, 0)
        second[block] = np.where(np.isfinite(runner_up), runner_up, 0)
        other_row[block] = best_row

    own = np.einsum("qd,qd->q", queries, index.embeddings[truth_rows]).astype(np.float32)
    return Neighbors(own, other, second, other_row)


def choose_thresholds(
    genuine_sim: Floats,
    genuine_margin: Floats,
    unknown_sim: Floats,
    unknown_margin: Floats,
    rate: float,
) -> tuple[float, float]:
    """The cosine and margin thresholds that accept the most genuine
    answers.

    At most the fraction `rate` of unknown items passes both. All
    inputs are (V,). An answer passes if its cosine and its margin
    are both above their thresholds. Tries 64 cosine thresholds,
    each with the lowest margin that keeps the rate.
    """
    allowed = int(rate * len(unknown_sim))
    sims = np.concatenate([genuine_sim, unknown_sim])

    best = (-1.0, 1.0, 1.0)
    for sim in np.quantile(sims, np.linspace(0, 1, _SIM_STEPS)):
        passing = np.sort(unknown_margin[unknown_sim > sim])[::-1]
        margin = max(0.0, float(passing[allowed])) if len(passing) > allowed else 0.0
        accepted = float(np.mean((genuine_sim > sim) & (genuine_margin > margin)))
        best = max(best, (accepted, float(sim), margin))

    _, best_sim, best_margin = best
    return rounded_up(best_sim), rounded_up(best_margin)


def rounded_up(threshold: float) -> float:
    """The threshold to four digits, rounded up so that it accepts
    no more than was measured.
    """
    return math.ceil(threshold * 1e4) / 1e4


class _ItemRows:
    """The rows of each item, found without a search through the index."""

    def __init__(self, index: Index) -> None:
        items = index.items
        self._by_item = np.argsort(items, kind="stable")
        self._firsts = np.searchsorted(items[self._by_item], np.arange(index.item_count + 1))

    def hide(self, cosines: Floats, items: _Rows, columns: slice) -> None:
        """Set to -inf, in place, the cosines of each line to the
        rows of its item.

        `cosines` is (Q, C), for the index rows `columns`; `items`
        is (Q,).
        """
        counts = self._firsts[items + 1] - self._firsts[items]
        lines = np.repeat(np.arange(len(items)), counts)
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = self._by_item[np.repeat(self._firsts[items], counts) + offsets]

        inside = (rows >= columns.start) & (rows < columns.stop)
        cosines[lines[inside], rows[inside] - columns.start] = -np.inf


def _search_block(
    queries: Embeddings, own_items: _Rows, index: Index, item_rows: _ItemRows
) -> tuple[Floats, Floats, _Rows]:
    """The cosines to the two nearest other items, and the row of
    the nearest; all (Q,).

    They are -inf and -1 where there is no such item.
    """
    count = len(queries)
    best = np.full(count, -np.inf, np.float32)
    runner_up = np.full(count, -np.inf, np.float32)
    best_row = np.full(count, -1, np.int64)
    best_item = np.full(count, -1, np.int64)

    for columns in _split(len(index), _COLUMN_BLOCK):
        cosines = queries @ index.embeddings[columns].T
        item_rows.hide(cosines, own_items, columns)
        top_column = cosines.argmax(axis=1)
        top = cosines[np.arange(count), top_column]
        top_item = index.items[top_column + columns.start]

        # An unknown item's margin is measured to the next item, as in recognition. So the
        # variants of the best item must not be its runner-up.
        item_rows.hide(cosines, top_item, columns)
        loser = np.where(top_item == best_item, -np.inf, np.minimum(top, best))
        rest = np.maximum(cosines.max(axis=1), loser.astype(np.float32))
        runner_up = np.maximum(runner_up, rest)

        is_better = top > best
        best = np.maximum(best, top)
        best_row[is_better] = top_column[is_better] + columns.start
        best_item = np.where(is_better, top_item, best_item)

    return best, runner_up, best_row


def _split(count: int, size: int) -> Iterator[slice]:
    """Slices of `size` that cover `count` rows; the last may be shorter."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))
