"""A vocabulary of local features learned from the index itself.

A word holds about `PER_WORD` descriptors however many references
there are, so looking up a descriptor costs O(√words) and scanning
its words O(1): the time per frame hardly grows with the index.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.recognize.codes import DIMENSIONS, Bits, Coordinates, Rotation
from data_label_factory.identify.recognize.features import Floats, Ints

PER_WORD = 48
_MOST_WORDS = 2**18  # 128 MiB as float32; of more descriptors each word holds more
_LEAST_PER_WORD = 12  # descriptors that a word is learned from
_CELLS = 3  # coarse cells looked into for a query
_COARSE_ITERATIONS = 8
_FINE_ITERATIONS = 5
_TRAINING_ROWS = 60_000
_ROWS_PER_WORD = 24  # that k-means within a cell learns from
_BLOCK = 8192
_BATCH = 64  # cells whose words are compared at a time


class Vocabulary:
    """Two-level k-means words over turned coordinates (N, 128) uint8; the
    same for the same descriptors.

    `rotation` turns descriptors into these. `coarse` (C, 128) float32
    are the centers of the cells, `fine` (W, 128) uint8 the words,
    `sizes` (C,) the number of words in each cell, in order, `spread`
    (W,) float32 how far a coordinate is from its word.
    """

    def __init__(
        self,
        rotation: Rotation,
        coarse: Floats,
        fine: Coordinates,
        sizes: Ints,
        spread: Floats | None = None,
    ) -> None:
        self.rotation = rotation
        self.coarse = coarse
        self.fine = fine
        self.sizes = sizes
        self.spread = np.ones(len(fine), np.float32) if spread is None else spread
        self._first = np.concatenate([[0], np.cumsum(sizes)])

        # Worked out once: done for each frame, it would grow with the index.
        self._to_coarse = _scorer(coarse)
        self._to_fine = [
            _scorer(fine[start:end].astype(np.float32)) for start, end in pairwise(self._first)
        ]

    @classmethod
    def learn(cls, descriptors: NDArray[np.uint8], expected: int = 0) -> Vocabulary:
        """Learn words from (N, 128) uint8 descriptors; of none, one word.

        As many as suit the `expected` number of descriptors, if that is
        more than N, as far as so few can tell them.
        """
        rng = np.random.default_rng(0)
        count = len(descriptors)
        rotation = Rotation(_mean(descriptors))
        rows = _turn(rotation, descriptors)

        words = min(max(count, expected) / PER_WORD, count / _LEAST_PER_WORD, _MOST_WORDS)
        cells = max(1, int(np.sqrt(words)))
        sample = rows
        if count > _TRAINING_ROWS:
            sample = rows[rng.choice(count, _TRAINING_ROWS, replace=False)]

        coarse = kmeans(sample.astype(np.float32), cells, _COARSE_ITERATIONS, rng)
        fine = _learn_words(rows, coarse, count / max(words, 1), rng)
        sizes = np.array([len(words) for words in fine], np.int64)
        found = np.rint(np.concatenate(fine)).astype(np.uint8)
        learned = cls(rotation, coarse, found, sizes)
        learned.spread = learned._measure_spread(sample)
        return learned

    def __len__(self) -> int:
        return len(self.fine)

    def words(self, rows: Coordinates, probes: int) -> Ints:
        """The nearest words (N, probes) of (N, 128) coordinates,
        nearest first; -1 where none.
        """
        cells = min(_CELLS, len(self.coarse))
        if not len(rows):
            return np.zeros((0, probes), np.int64)

        ones = _with_one(rows.astype(np.float32))
        cell = _pop_best(ones @ self._to_coarse, cells)[0].ravel()
        order = np.argsort(cell, kind="stable")

        at = np.empty((len(order), probes), np.int64)
        score = np.empty((len(order), probes), np.float32)
        at[order], score[order] = self._words_of_cells(ones[order // cells], cell[order], probes)
        at += self._first[cell, None]

        at, score = at.reshape(-1, cells * probes), score.reshape(-1, cells * probes)
        best, score = _pop_best(score, probes)
        return np.where(score > -np.inf, np.take_along_axis(at, best, axis=1), -1)

    def _words_of_cells(self, rows: Floats, cell: Ints, probes: int) -> tuple[Ints, Floats]:
        """The nearest words of rows (M, 129) in their ascending
        `cell` (M,); see `_pop_best`.
        """
        used, first = np.unique(cell, return_index=True)
        bounds = [*first.tolist(), len(cell)]
        found = []
        for batch in range(0, len(used), _BATCH):  # there may be hundreds of cells: many at a time
            batched = used[batch : batch + _BATCH]
            ends = bounds[batch : batch + _BATCH + 1]
            score = np.full((ends[-1] - ends[0], self.sizes[batched].max()), -np.inf, np.float32)
            for one, (start, stop) in zip(batched, pairwise(ends), strict=True):
                own = score[start - ends[0] : stop - ends[0], : self.sizes[one]]
                np.matmul(rows[start:stop], self._to_fine[one], out=own)
            found.append(_pop_best(score, probes))

        at, score = (np.concatenate(column) for column in zip(*found, strict=True))
        return at, score

    def _measure_spread(self, rows: Coordinates) -> Floats:
        """(W,) of the rows (N, 128) of each word; of a word of none, of all."""
        squares, counts = np.zeros(len(self)), np.zeros(len(self))
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            word = self.words(block, 1)[:, 0]
            left = block.astype(np.float32) - np.take(self.fine, word, axis=0)
            squares += np.bincount(word, np.einsum("ij,ij->i", left, left), len(self))
            counts += np.bincount(word, minlength=len(self))
        mean = squares.sum() / max(counts.sum(), 1)
        of_word = np.where(counts > 0, squares / np.maximum(counts, 1), mean) / DIMENSIONS
        return np.asarray(np.sqrt(np.maximum(of_word, 1)), np.float32)

    def signatures(self, rows: Coordinates, words: Ints) -> Bits:
        """Which side of its word each row (N, 128) lies on, packed."""
        return np.packbits(rows > np.take(self.fine, words, axis=0), axis=1)


def kmeans(rows: Floats, k: int, iterations: int, rng: np.random.Generator) -> Floats:
    """Lloyd's k-means: (N, D) → centers (min(k, N), D), at least
    one.

    An empty cluster restarts from a random row.
    """
    if not len(rows):
        return np.zeros((1, rows.shape[1]), np.float32)

    centers = rows[rng.choice(len(rows), min(k, len(rows)), replace=False)].copy()
    for _ in range(iterations):
        own = find_nearest(rows, centers)
        sizes = np.bincount(own, minlength=len(centers))
        order = np.argsort(own, kind="stable")
        full = sizes > 0
        starts = np.cumsum(sizes)[full] - sizes[full]
        centers[full] = np.add.reduceat(rows[order], starts, axis=0) / sizes[full, None]
        centers[~full] = rows[rng.choice(len(rows), int((~full).sum()))]
    return centers


def _mean(descriptors: NDArray[np.uint8]) -> Floats:
    if not len(descriptors):
        return np.zeros(DIMENSIONS, np.float32)
    return np.asarray(descriptors.mean(axis=0, dtype=np.float64), np.float32)


def _turn(rotation: Rotation, descriptors: NDArray[np.uint8]) -> Coordinates:
    turned = np.empty_like(descriptors)
    for start in range(0, len(descriptors), _BLOCK):
        block = slice(start, start + _BLOCK)
        turned[block] = rotation(descriptors[block])
    return turned


def _learn_words(
    descriptors: Coordinates, coarse: Floats, per_word: float, rng: np.random.Generator
) -> list[Floats]:
    """The words of each coarse cell; an empty cell has its own center."""
    cell = find_nearest(descriptors, coarse)
    order = np.argsort(cell, kind="stable")
    rows_of_cell = np.split(order, np.searchsorted(cell[order], np.arange(1, len(coarse))))

    fine = []
    for rows, center in zip(rows_of_cell, coarse, strict=True):
        if not len(rows):
            fine.append(center[None])
            continue
        words = max(1, round(len(rows) / per_word))
        if len(rows) > _ROWS_PER_WORD * words:
            rows = np.sort(rng.choice(rows, _ROWS_PER_WORD * words, replace=False))
        fine.append(kmeans(descriptors[rows].astype(np.float32), words, _FINE_ITERATIONS, rng))
    return fine


def find_nearest(rows: NDArray[Any], centers: Floats) -> Ints:
    """The nearest of the centers (K, D) to each of the rows (N, D): (N,)."""
    scorer = _scorer(centers)
    nearest = np.empty(len(rows), np.int64)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK].astype(np.float32, copy=False)
        nearest[start : start + _BLOCK] = (_with_one(block) @ scorer).argmax(axis=1)
    return nearest


def _scorer(centers: Floats) -> Floats:
    """(K, D) → (D + 1, K): times rows with a one appended, a
    score that falls with the distance.
    """
    half_squares = np.einsum("kd,kd->k", centers, centers) / 2
    return np.ascontiguousarray(np.column_stack([centers, -half_squares]).T, np.float32)


def _with_one(rows: Floats) -> Floats:
    return np.column_stack([rows, np.ones(len(rows), np.float32)])


def _pop_best(score: Floats, k: int) -> tuple[Ints, Floats]:
    """Columns and values (N, k) of the highest of each row,
    highest first; -inf where none.

    Takes them out of `score`. For a small k several times as fast
    as argpartition.
    """
    row = np.arange(len(score))
    at = np.empty((len(score), k), np.int64)
    value = np.empty((len(score), k), np.float32)
    for i in range(k):
        at[:, i] = score.argmax(axis=1)
        value[:, i] = score[row, at[:, i]]
        score[row, at[:, i]] = -np.inf
    return at, value
