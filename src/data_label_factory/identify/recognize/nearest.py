"""What of an index is near one crop, by embedding."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from data_label_factory.identify.encoders import Embeddings
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize.features import Floats, Ints

_FIRST = 64  # rows that are asked for: enough for the best other item of nearly every crop
_MORE = 8  # times as many, where these were all of one item or hidden


class Nearest:
    """The rows of an index by their cosines to one crop, nearest first.

    Only as many rows are asked for as somebody looks at, so that a
    large index costs no more than a small one. `embedding` (D,)
    float32 is the crop's; `hidden` rows are taken out of the index.
    """

    def __init__(
        self,
        index: Index,
        embedding: Embeddings,
        hidden: Collection[int] = (),
        found: tuple[Floats, Ints] | None = None,
    ) -> None:
        """`found` are the cosines and rows (K,) of `search`, if they
        are known already.
        """
        self.embedding = embedding
        self._index = index
        self._hidden = np.array(sorted(hidden), np.int64)
        self._cosines, self._rows = found or self._search(_FIRST + len(hidden))

    @property
    def hides(self) -> bool:
        """Whether any rows are hidden."""
        return bool(len(self._hidden))

    def around(self, row: int) -> Nearest:
        """What is near that reference, with the same rows hidden."""
        return Nearest(self._index, self._index.embeddings[row], self._hidden.tolist())

    def cosines(self, rows: Sequence[int]) -> Floats:
        """(M,) of the crop to these M `rows`, exactly; -inf to hidden ones."""
        wanted = np.asarray(rows, np.int64)
        cosines = np.asarray(self._index.embeddings[wanted] @ self.embedding, np.float32)
        # One sum in two orders differs by rounding: as the order of the rows has it.
        at, place = np.nonzero(wanted[:, None] == self._rows)
        cosines[at] = self._cosines[place]
        cosines[np.isin(wanted, self._hidden)] = -np.inf
        return cosines

    def cosine(self, row: int) -> float:
        """The same to one row."""
        return float(self.cosines([row])[0])

    @property
    def best(self) -> int | None:
        """The nearest row; None where all are hidden."""
        return next(self.rows(), None)

    def rows(self) -> Iterator[int]:
        """All rows, nearest first, without the hidden ones; equal
        cosines in row order.
        """
        for _, rows in self._parts():
            yield from rows.tolist()

    def best_other(self, item: int) -> float:
        """The cosine of the nearest row of another item; -inf where
        there is none.
        """
        for cosines, rows in self._parts():
            others = cosines[self._index.items[rows] != item]
            if len(others):
                return float(others[0])
        return -np.inf

    def _parts(self) -> Iterator[tuple[Floats, Ints]]:
        """Cosines and rows, more and more of them."""
        start = 0
        while start < len(self._rows) or self._ask_for_more():
            cosines, rows = self._cosines[start:], self._rows[start:]
            start = len(self._rows)
            seen = ~np.isin(rows, self._hidden)
            yield cosines[seen], rows[seen]

    def _ask_for_more(self) -> bool:
        """Whether there were more rows. What is known keeps its place."""
        if len(self._rows) >= len(self._index):
            return False
        cosines, rows = self._search(_MORE * len(self._rows))
        is_new = ~np.isin(rows, self._rows)
        self._cosines = np.concatenate([self._cosines, cosines[is_new]])
        self._rows = np.concatenate([self._rows, rows[is_new]])
        return bool(is_new.any())

    def _search(self, count: int) -> tuple[Floats, Ints]:
        cosines, rows = self._index.search(self.embedding[None], count)
        return cosines[0], rows[0]


def find_nearest(
    index: Index, embeddings: Embeddings, hidden: Collection[int] = ()
) -> list[Nearest]:
    """Of each of the crops with these `embeddings` (Q, D), in one search."""
    cosines, rows = index.search(embeddings, _FIRST + len(hidden))
    return [
        Nearest(index, embedding, hidden, (cosines[number], rows[number]))
        for number, embedding in enumerate(embeddings)
    ]
