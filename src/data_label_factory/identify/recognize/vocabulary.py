"""A vocabulary of local features learnt from the index itself, and short binary signatures within a word.

A word holds about `PER_WORD` descriptors however many references there are, so looking a descriptor up costs
O(√words) and scanning its words O(1): the time a frame stays almost constant as an index grows. Signatures after
Hamming embedding: Jégou, Douze & Schmid, ECCV 2008.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.recognize.features import Floats, Ints

PER_WORD = 48
SIGNATURE_BITS = 128
_CELLS = 3  # coarse cells looked into for a query
_TRAINING_ROWS = 60_000
_ROWS_A_WORD = 24  # that k-means within a cell learns from
_BLOCK = 8192

Signatures = NDArray[np.uint64]  # (N, SIGNATURE_BITS / 64)
_BITS_OF_BYTE = np.array([value.bit_count() for value in range(256)], np.uint8)


class Vocabulary:
    """Two-level k-means words over (N, 128) uint8 descriptors. Deterministic for the same descriptors.

    `coarse` (C, 128) are the centres of the cells, `fine` (W, 128) the words, `sizes` (C,) how many of them each cell
    has, in order; all float32 but the last.
    """

    signature_words = SIGNATURE_BITS // 64

    def __init__(self, coarse: Floats, fine: Floats, sizes: Ints) -> None:
        self.coarse, self.fine, self.sizes = coarse, fine, sizes
        self._first = np.concatenate([[0], np.cumsum(sizes)])
        self._cells = np.split(fine, self._first[1:-1])
        rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((coarse.shape[1],) * 2))[0]
        self._rotation = np.asarray(rotation[:, :SIGNATURE_BITS], np.float32)
        self._rotated_words = fine @ self._rotation

    @classmethod
    def learn(cls, descriptors: NDArray[np.uint8]) -> Vocabulary:
        rng = np.random.default_rng(0)
        count = len(descriptors)
        cells = max(1, int(np.sqrt(count / PER_WORD)))
        sample = (
            descriptors if count <= _TRAINING_ROWS else descriptors[rng.choice(count, _TRAINING_ROWS, replace=False)]
        )
        coarse = kmeans(sample.astype(np.float32), cells, 8, rng)
        fine = _split(descriptors, coarse, rng)
        return cls(coarse, np.concatenate(fine), np.array([len(words) for words in fine], np.int64))

    def __len__(self) -> int:
        return len(self.fine)

    def words(self, rows: Floats, probes: int) -> Ints:
        """(N, 128) float32 descriptors → their nearest words (N, probes), nearest first; -1 where there are fewer."""
        count = len(rows)
        if not count:
            return np.zeros((0, probes), np.int64)
        cells = min(_CELLS, len(self.coarse))
        near = _nearest(rows, self.coarse, cells)[0].ravel()
        score = np.full((count * cells, probes), -np.inf, np.float32)
        word = np.full((count * cells, probes), -1, np.int64)
        order = np.argsort(near, kind="stable")
        used, start = np.unique(near[order], return_index=True)
        for cell, slots in zip(used, np.split(order, start[1:]), strict=True):
            at, value = _nearest(rows[slots // cells], self._cells[cell], min(probes, len(self._cells[cell])))
            columns = np.arange(at.shape[1])
            score[slots[:, None], columns] = value
            word[slots[:, None], columns] = at + self._first[cell]
        score, word = score.reshape(count, -1), word.reshape(count, -1)
        best = np.argsort(-score, axis=1, kind="stable")[:, :probes]
        return np.take_along_axis(word, best, axis=1)

    def rotate(self, rows: Floats) -> Floats:
        """(N, 128) → (N, SIGNATURE_BITS), what `signatures` compares."""
        return rows @ self._rotation

    def signatures(self, rotated: Floats, words: Ints) -> Signatures:
        """Which side of its word's centre each rotated row lies on, packed."""
        return np.packbits(rotated > self._rotated_words[words], axis=1).view(np.uint64)


def _split(descriptors: NDArray[np.uint8], coarse: Floats, rng: np.random.Generator) -> list[Floats]:
    """Each coarse cell's words."""
    blocks = range(0, len(descriptors), _BLOCK)
    own = [_nearest(descriptors[i : i + _BLOCK].astype(np.float32), coarse, 1)[0][:, 0] for i in blocks]
    cell = np.concatenate([np.zeros(0, np.int64), *own])
    order = np.argsort(cell, kind="stable")
    fine = []
    for rows, centre in zip(
        np.split(order, np.searchsorted(cell[order], np.arange(1, len(coarse)))), coarse, strict=True
    ):
        words = max(1, round(len(rows) / PER_WORD))
        if len(rows) > _ROWS_A_WORD * words:
            rows = np.sort(rng.choice(rows, _ROWS_A_WORD * words, replace=False))
        fine.append(kmeans(descriptors[rows].astype(np.float32), words, 5, rng) if len(rows) else centre[None])
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
    centres = rows[rng.choice(len(rows), min(k, len(rows)), replace=False)].copy()
    for _ in range(iterations):
        own = np.concatenate([_nearest(rows[i : i + _BLOCK], centres, 1)[0][:, 0] for i in range(0, len(rows), _BLOCK)])
        sizes = np.bincount(own, minlength=len(centres))
        order = np.argsort(own, kind="stable")
        full = sizes > 0
        starts = np.cumsum(sizes)[full] - sizes[full]
        centres[full] = np.add.reduceat(rows[order], starts, axis=0) / sizes[full, None]
        centres[~full] = rows[rng.choice(len(rows), int((~full).sum()))]
    return centres


def _nearest(rows: Floats, centres: Floats, k: int) -> tuple[Ints, Floats]:
    """The `k` nearest centres of each row, in no order, and a score that falls with the distance; both (N, k)."""
    score = rows @ centres.T - np.einsum("kd,kd->k", centres, centres) / 2
    if k < len(centres):
        at = np.argpartition(-score, k - 1, axis=1)[:, :k] if k > 1 else score.argmax(axis=1)[:, None]
    else:
        at = np.tile(np.arange(len(centres)), (len(rows), 1))
    return at.astype(np.int64), np.take_along_axis(score, at, axis=1)
