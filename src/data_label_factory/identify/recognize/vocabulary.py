"""A vocabulary of local features learnt from the index itself, and short binary signatures within a word.

A word holds about `PER_WORD` descriptors however many references there are, so looking a descriptor up costs
O(√words) and scanning its words O(1): the time a frame stays almost constant as an index grows. Signatures after
Hamming embedding: Jégou, Douze & Schmid, ECCV 2008.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.recognize.features import Floats, Ints

PER_WORD = 48
SIGNATURE_BITS = 128
_CELLS = 3  # coarse cells looked into for a query
_TRAINING_ROWS = 60_000
_ROWS_A_WORD = 24  # that k-means within a cell learns from
_BLOCK = 8192
_BATCH = 64  # cells whose words are compared at a time

Signatures = NDArray[np.uint64]  # (N, SIGNATURE_BITS / 64)
_BITS_OF_BYTE = np.array([value.bit_count() for value in range(256)], np.uint8)


class Vocabulary:
    """Two-level k-means words over (N, 128) uint8 descriptors. Deterministic for the same descriptors.

    `coarse` (C, 128) are the centres of the cells, `fine` (W, 128) the words, `sizes` (C,) how many of them each cell
    has, in order; all float32 but the last.
    """

    def __init__(self, coarse: Floats, fine: Floats, sizes: Ints) -> None:
        self.coarse, self.fine, self.sizes = coarse, fine, sizes
        self._first = np.concatenate([[0], np.cumsum(sizes)])
        # Worked out once: done for each frame, it would grow with the index.
        self._to_coarse = _scorer(coarse)
        self._to_fine = [_scorer(words) for words in np.split(fine, self._first[1:-1])]
        rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((coarse.shape[1],) * 2))[0]
        self._rotation = np.asarray(rotation[:, :SIGNATURE_BITS], np.float32)
        self._rotated_words = fine @ self._rotation

    @classmethod
    def learn(cls, descriptors: NDArray[np.uint8]) -> Vocabulary:
        rng = np.random.default_rng(0)
        count = len(descriptors)
        cells = max(1, int(np.sqrt(count / PER_WORD)))
        sample = (
            descriptors
            if count <= _TRAINING_ROWS
            else descriptors[rng.choice(count, _TRAINING_ROWS, replace=False)]
        )
        coarse = kmeans(sample.astype(np.float32), cells, 8, rng)
        fine = _split(descriptors, coarse, rng)
        return cls(coarse, np.concatenate(fine), np.array([len(words) for words in fine], np.int64))

    def __len__(self) -> int:
        return len(self.fine)

    def words(self, rows: Floats, probes: int) -> Ints:
        """(N, 128) float32 descriptors → their nearest words (N, probes), nearest first; -1 where there are fewer."""
        cells = min(_CELLS, len(self.coarse))
        if not len(rows):
            return np.zeros((0, probes), np.int64)
        rows = _with_one(rows)
        cell = _best(rows @ self._to_coarse, cells)[0].ravel()
        order = np.argsort(cell, kind="stable")
        at, value = (np.empty((len(order), probes), kind) for kind in (np.int64, np.float32))
        at[order], value[order] = self._words_of_cells(rows[order // cells], cell[order], probes)
        at += self._first[cell, None]
        at, value = at.reshape(-1, cells * probes), value.reshape(-1, cells * probes)
        best, value = _best(value, probes)
        return np.where(value > -np.inf, np.take_along_axis(at, best, axis=1), -1)

    def _words_of_cells(self, rows: Floats, cell: Ints, probes: int) -> tuple[Ints, Floats]:
        """The nearest words of each row (M, 129) within its `cell` (M,), ascending: what `_best` gives."""
        used, first = np.unique(cell, return_index=True)
        bounds = [*first.tolist(), len(cell)]
        found = []
        for batch in range(
            0, len(used), _BATCH
        ):  # one look for the best of many cells, since there may be hundreds
            batched, ends = used[batch : batch + _BATCH], bounds[batch : batch + _BATCH + 1]
            score = np.full((ends[-1] - ends[0], self.sizes[batched].max()), -np.inf, np.float32)
            for one, (start, stop) in zip(batched, pairwise(ends), strict=True):
                own = score[start - ends[0] : stop - ends[0], : self.sizes[one]]
                np.matmul(rows[start:stop], self._to_fine[one], out=own)
            found.append(_best(score, probes))
        at, value = (np.concatenate(column) for column in zip(*found, strict=True))
        return at, value

    def rotate(self, rows: Floats) -> Floats:
        """(N, 128) → (N, SIGNATURE_BITS), what `signatures` compares."""
        return rows @ self._rotation

    def signatures(self, rotated: Floats, words: Ints) -> Signatures:
        """Which side of its word's centre each rotated row lies on, packed."""
        return np.packbits(rotated > self._rotated_words[words], axis=1).view(np.uint64)


def _split(
    descriptors: NDArray[np.uint8], coarse: Floats, rng: np.random.Generator
) -> list[Floats]:
    """Each coarse cell's words."""
    cell = _nearest(descriptors, coarse)
    order = np.argsort(cell, kind="stable")
    fine = []
    for rows, center in zip(
        np.split(order, np.searchsorted(cell[order], np.arange(1, len(coarse)))),
        coarse,
        strict=True,
    ):
        words = max(1, round(len(rows) / PER_WORD))
        if len(rows) > _ROWS_A_WORD * words:
            rows = np.sort(rng.choice(rows, _ROWS_A_WORD * words, replace=False))
        fine.append(
            kmeans(descriptors[rows].astype(np.float32), words, 5, rng)
            if len(rows)
            else center[None]
        )
    return fine


def count_bits(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """How many bits of each word are set, 0 … 64, in the same shape. numpy has this from version 2 on."""
    if hasattr(np, "bitwise_count"):
        return np.asarray(np.bitwise_count(words), np.uint8)
    bytes_ = np.ascontiguousarray(words).view(np.uint8).reshape(*words.shape, 8)
    return np.asarray(_BITS_OF_BYTE[bytes_].sum(axis=-1), np.uint8)


def kmeans(rows: Floats, k: int, iterations: int, rng: np.random.Generator) -> Floats:
    """Lloyd's k-means: (N, D) → centres (min(k, N), D), at least one; an empty cluster restarts from a random row."""
    if not len(rows):
        return np.zeros((1, rows.shape[1]), np.float32)
    centers = rows[rng.choice(len(rows), min(k, len(rows)), replace=False)].copy()
    for _ in range(iterations):
        own = _nearest(rows, centers)
        sizes = np.bincount(own, minlength=len(centers))
        order = np.argsort(own, kind="stable")
        full = sizes > 0
        starts = np.cumsum(sizes)[full] - sizes[full]
        centers[full] = np.add.reduceat(rows[order], starts, axis=0) / sizes[full, None]
        centers[~full] = rows[rng.choice(len(rows), int((~full).sum()))]
    return centers


def _nearest(rows: NDArray[Any], centers: Floats) -> Ints:
    """(N, D) rows and (K, D) centres → the nearest centre of each row (N,)."""
    scorer, nearest = _scorer(centers), np.empty(len(rows), np.int64)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK].astype(np.float32, copy=False)
        nearest[start : start + _BLOCK] = (_with_one(block) @ scorer).argmax(axis=1)
    return nearest


def _scorer(centers: Floats) -> Floats:
    """(K, D) → (D + 1, K): times rows with a one behind, a score that falls with the distance to each centre."""
    half_squares = np.einsum("kd,kd->k", centers, centers) / 2
    return np.ascontiguousarray(np.column_stack([centers, -half_squares]).T, np.float32)


def _with_one(rows: Floats) -> Floats:
    return np.column_stack([rows, np.ones(len(rows), np.float32)])


def _best(score: Floats, k: int) -> tuple[Ints, Floats]:
    """Columns and values of the `k` highest of each row, highest first, both (N, k); -inf where there are fewer.
    Takes them out of `score`; for a few several times as quick as argpartition."""
    row = np.arange(len(score))
    at, value = (np.empty((len(score), k), kind) for kind in (np.int64, np.float32))
    for i in range(k):
        at[:, i] = score.argmax(axis=1)
        value[:, i] = score[row, at[:, i]]
        score[row, at[:, i]] = -np.inf
    return at, value
