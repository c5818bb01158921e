"""Which views make a batch: K items × M views each (P × K
sampling), with hard negatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.encoders import Embeddings
from data_label_factory.identify.train.bank import Bank
from data_label_factory.identify.train.settings import Variants
from data_label_factory.labels import Label, parse_label

Ints = NDArray[np.int64]

_NEIGHBORS = 8  # nearest classes per class, from which hard negatives are drawn
_BLOCK = 1024
# Of features; the rest of a larger bank is read from disk.
_HELD_BYTES_MAX = 128 * 2**20


def classes_of(bank: Bank, variants: Variants) -> Ints:
    """(N,) the class of each reference, 0 … C - 1. The head
    learns to tell classes apart.

    "same": all references of one name are one class. "apart":
    those of one label are, which are views of one variant. Files
    of equal content are always one class, whatever their names:
    nothing could tell them apart, and trying to would spoil the
    head.
    """
    parent = list(range(len(bank)))  # a forest: rows with the same root are one class
    first_row: dict[str | Label, int] = {}

    def root(row: int) -> int:
        while parent[row] != row:
            row = parent[row]
        return row

    for row, (name, digest) in enumerate(zip(bank.references, bank.sha256, strict=True)):
        label = parse_label(name, bank.labels).variant
        shown = Label(label.name) if variants == "same" else label
        for key in (digest, shown):
            parent[root(row)] = root(first_row.setdefault(key, row))

    roots = [root(row) for row in range(len(bank))]
    return np.unique(roots, return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True)
class Batch:
    """`features` (B, D) float32, and the class (B,) of each row;
    equal classes are adjacent.
    """

    features: Embeddings
    labels: Ints


class BatchSampler:
    """Draws batches of `k` distinct classes × `m` views from a
    bank.

    A fraction `hard` of the classes of a batch are hard
    negatives: each is drawn from the nearest classes, by the
    encoder's features, of a class drawn before. The others are
    drawn at random. With `anchor` the first of the `m` views is
    the reference itself, since that is what a view will be
    compared with. With fewer than `k` classes a batch has all of
    them; a class with fewer than `m` views repeats some.
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
        self._bank = bank
        self._references = references
        self._m = m
        self._anchor = anchor

        count = int(classes.max()) + 1
        self._rows = [np.flatnonzero(classes == number) for number in range(count)]
        self._k = min(k, count)
        self._hard = min(round(self._k * hard), self._k - 1)
        self._near = _nearest_classes(references, classes) if self._hard else None
        self._held: dict[int, Embeddings] = {}

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw the next batch. Equal states of `rng` give equal batches."""
        chosen = self._choose_classes(rng)
        features = np.concatenate([self._draw_views(number, rng) for number in chosen])
        return Batch(features, np.repeat(np.array(chosen, np.int64), self._m))

    def _choose_classes(self, rng: np.random.Generator) -> list[int]:
        order = rng.permutation(len(self._rows))
        chosen = [int(number) for number in order[: self._k - self._hard]]
        if self._near is None:
            return chosen

        near = self._near[rng.choice(chosen, self._hard)]
        picks = rng.integers(near.shape[1], size=self._hard)
        confusable = near[np.arange(self._hard), picks]
        chosen = list(dict.fromkeys([*chosen, *map(int, confusable)]))

        # Hard negatives may repeat; random classes make up for those.
        taken = set(chosen)
        others = [int(number) for number in order if number not in taken]
        return chosen + others[: self._k - len(chosen)]

    def _draw_views(self, number: int, rng: np.random.Generator) -> Embeddings:
        """(m, D) views of any references of this class, distinct
        if there are m of them.
        """
        rows = self._rows[number]
        per_row = self._bank.recipe.views
        count = self._m - self._anchor

        available = len(rows) * per_row
        flat = rng.choice(available, count, replace=count > available)
        drawn = [self._training_views(int(rows[at // per_row]))[at % per_row] for at in flat]

        anchors = [self._references[int(rng.choice(rows))]] if self._anchor else []
        return np.stack([*anchors, *drawn])

    def _training_views(self, row: int) -> Embeddings:
        if row in self._held:
            return self._held[row]
        features = self._bank.training(row)
        if (len(self._held) + 1) * features.nbytes <= _HELD_BYTES_MAX:
            self._held[row] = features
        return features


def _nearest_classes(references: Embeddings, classes: Ints) -> Ints:
    """(C, n) for each class, the other classes whose first
    references are nearest to its own.
    """
    first = np.unique(classes, return_index=True)[1]
    count = min(_NEIGHBORS, len(first) - 1)

    near = []
    for start in range(0, len(first), _BLOCK):
        cosines = references[first[start : start + _BLOCK]] @ references[first].T
        block = np.arange(len(cosines))
        cosines[block, start + block] = -np.inf
        near.append(np.argsort(-cosines, axis=1, kind="stable")[:, :count])
    return np.concatenate(near).astype(np.int64)
