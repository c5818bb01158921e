"""Which views make a batch: K items × M views of each, now and then items that are easily confused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.encoders import Embeddings
from data_label_factory.identify.train.bank import Bank
from data_label_factory.identify.train.settings import Variants
from data_label_factory.labels import parse_label

Ints = NDArray[np.int64]

_NEIGHBORS = 8  # of each item, from which hard negatives are drawn
_BLOCK = 1024
_HELD_BYTES_MAX = 128 * 2**20  # of features; a larger bank is read from disk as it is used


def classes_of(bank: Bank, variants: Variants) -> Ints:
    """(N,) class of each reference, 0 … C - 1: what may be told apart.

    "same": references of one name are one class; "apart": each is its own. Files of equal content are always one
    class, whatever their names: nothing could tell them apart, and to try would tear the head.
    """
    parent = list(range(len(bank)))  # a forest: rows with one root are one class
    first: dict[str, int] = {}

    def root(row: int) -> int:
        while parent[row] != row:
            row = parent[row]
        return row

    for row, (name, digest) in enumerate(zip(bank.references, bank.sha256, strict=True)):
        for key in (
            f"file {digest}",
            f"item {parse_label(name).item}" if variants == "same" else f"row {row}",
        ):
            parent[root(row)] = root(first.setdefault(key, row))
    roots = [root(row) for row in range(len(bank))]
    return np.unique(roots, return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True)
class Batch:
    """`features` (B, D) float32 and the class (B,) int64 of each row; equal classes stand together."""

    features: Embeddings
    labels: Ints


class Batches:
    """Draws batches of `k` distinct classes × `m` views from a bank.

    A class is drawn at random, or, for the share `hard` of a batch, from the nearest classes of one drawn already (by
    the encoder's own features). With `anchor` the first of the `m` is the reference itself, since that is what a view
    will be compared with. With fewer than `k` classes a batch has all of them; a class with fewer than `m` views
    gives some twice.
    """

    def __init__(
        self,
        bank: Bank,
        classes: Ints,
        references: Embeddings,
        *,
        k: int,
        m: int,
        anchor: bool = False,
        hard: float = 0.0,
    ) -> None:
        self._bank, self._references, self._m, self._anchor = bank, references, m, anchor
        self._rows = [np.flatnonzero(classes == number) for number in range(int(classes.max()) + 1)]
        self._k = min(k, len(self._rows))
        self._hard = min(round(self._k * hard), self._k - 1)
        self._near = _nearest_classes(references, classes) if self._hard else None
        self._held: dict[int, Embeddings] = {}

    def draw(self, rng: np.random.Generator) -> Batch:
        chosen = self._choose(rng)
        features = np.concatenate([self._views(number, rng) for number in chosen])
        return Batch(features, np.repeat(np.array(chosen, np.int64), self._m))

    def _choose(self, rng: np.random.Generator) -> list[int]:
        order = rng.permutation(len(self._rows))
        chosen = [int(number) for number in order[: self._k - self._hard]]
        if self._near is not None:
            near = self._near[rng.choice(chosen, self._hard)]
            confusable = near[np.arange(self._hard), rng.integers(near.shape[1], size=self._hard)]
            chosen = list(dict.fromkeys([*chosen, *map(int, confusable)]))
            taken = set(chosen)
            chosen += [int(number) for number in order if number not in taken][
                : self._k - len(chosen)
            ]
        return chosen

    def _views(self, number: int, rng: np.random.Generator) -> Embeddings:
        """(m, D) distinct views, if there are so many, of whatever references are of this class."""
        rows, views, count = self._rows[number], self._bank.recipe.views, self._m - self._anchor
        flat = rng.choice(len(rows) * views, count, replace=count > len(rows) * views)
        drawn = [self._training(int(rows[at // views]))[at % views] for at in flat]
        anchors = [self._references[int(rng.choice(rows))]] if self._anchor else []
        return np.stack([*anchors, *drawn])

    def _training(self, row: int) -> Embeddings:
        if row in self._held:
            return self._held[row]
        features = self._bank.training(row)
        if (len(self._held) + 1) * features.nbytes <= _HELD_BYTES_MAX:
            self._held[row] = features
        return features


def _nearest_classes(references: Embeddings, classes: Ints) -> Ints:
    """(C, n) for each class the classes of the references nearest to its first one, itself left out."""
    first = np.unique(classes, return_index=True)[1]
    count = min(_NEIGHBORS, len(first) - 1)
    near = []
    for start in range(0, len(first), _BLOCK):
        cosines = references[first[start : start + _BLOCK]] @ references[first].T
        cosines[np.arange(len(cosines)), start + np.arange(len(cosines))] = -np.inf
        near.append(np.argsort(-cosines, axis=1, kind="stable")[:, :count])
    return np.concatenate(near).astype(np.int64)
