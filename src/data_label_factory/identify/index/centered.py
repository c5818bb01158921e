"""Rows of an index by both of its embeddings.

An embedding that was trained to find copies and one that was
trained on kinds of things err on different things. Both are taken
less what all references have in common (the mean), so that "leaf
on white paper" says nothing and the rest more; then their cosines
are added.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.encoders import Embeddings, unit_rows

Floats = NDArray[np.float32]

# Of the two embeddings, of kinds and of copies: twice as much for the first loses least
# on household things, parts and leaves together (docs/benchmarks.md). On packages in a
# shop the second is the better one.
_WEIGHTS = (2 / 3, 1 / 3)


class Centered:
    """Both embeddings of M `rows` of an index, less their means.

    `embeddings` are (M, D) of kinds, and (M, E) of copies.
    """

    def __init__(self, rows: NDArray[np.int64], embeddings: Sequence[Embeddings]) -> None:
        self.rows = rows
        self._means = [each.mean(axis=0) for each in embeddings]
        self._known = [
            unit_rows(each - mean) for each, mean in zip(embeddings, self._means, strict=True)
        ]

    def compare(self, found: Sequence[Embeddings]) -> Floats:
        """(Q, D) of each embedding → (Q, M), 1 for what is the same."""
        total = np.zeros((len(found[0]), len(self.rows)), np.float32)
        for query, mean, known, weight in zip(
            found, self._means, self._known, _WEIGHTS, strict=True
        ):
            total += weight * (unit_rows(query - mean) @ known.T)
        return total

    def compare_own(self, one: int, others: Sequence[int]) -> Floats:
        """The same of two of the M, by number: (len(others),)."""
        total = np.zeros(len(others), np.float32)
        for known, weight in zip(self._known, _WEIGHTS, strict=True):
            total += weight * (known[list(others)] @ known[one])
        return total
