"""The rows of a large index most similar to some queries, without
comparing all.

A graph of near rows (HNSW: Malkov and Yashunin, TPAMI 2020; by
`usearch`, of the extra `scale`) lies beside the index, mapped into
memory, and names candidates. Their cosines are then computed
exactly. It may miss a row, and what it finds is right.

The graph knows a row by what was indexed, not by its number: it
stays good when rows come and go. Those that it does not know are all
compared.
"""

from __future__ import annotations

import logging
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import MissingExtraError
from data_label_factory.extras import need
from data_label_factory.identify.encoders import Embeddings
from data_label_factory.identify.index.exact import Rows, Scores
from data_label_factory.identify.index.semantic import pack

if TYPE_CHECKING:
    from data_label_factory.identify.index.index import Index

Keys = NDArray[np.uint64]

# Comparing all of so few takes about 8 ms a query and finds everything.
EXACT_ROWS = 50_000

# Of the rows, that the graph may not know: comparing these takes as long as 10,000 rows.
_MOST_UNKNOWN = 0.1
_MOST_ASKED = 4096  # candidates; for more, comparing all is no slower

# The width of the search, four times what `usearch` takes: a row that is missed makes
# another one look surer than it is.
_WIDTH = 256
_EDGES = 32  # of a row, twice what `usearch` takes, for the same reason
_SPARE = 32  # candidates more than twice as many: a byte a dimension confuses their order
_BATCH = 4096  # rows at once


class Approximate:
    """The graph beside an index file, with the rows of one index."""

    def __init__(self, index: Index, graph: Any) -> None:
        keys = _keys_of(index)
        self._embeddings = index.embeddings
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]
        self._unknown = np.flatnonzero(~graph.contains(keys))
        self._graph = graph
        self._lock = threading.Lock()  # a graph is searched by one thread at a time

    @classmethod
    def open(cls, index: Index, index_file: Path) -> Approximate | None:
        """None without a graph of these rows, or without the means to read it."""
        path = graph_path(index_file)
        if not path.exists() or not _has_usearch():
            return None
        graph = _restore(path, index.dim, view=True)
        if graph is None:
            return None
        graph.expansion_search = _WIDTH
        opened = cls(index, graph)
        return opened if len(opened._unknown) <= _MOST_UNKNOWN * len(index) else None

    def search(self, queries: Embeddings, k: int) -> tuple[Scores, Rows] | None:
        """As `Index.search`; None where too many rows are asked for."""
        if k > _MOST_ASKED:
            return None
        scores = np.empty((len(queries), k), np.float32)
        rows = np.empty((len(queries), k), np.int64)
        packed = pack(queries)
        for number, query in enumerate(queries):
            with self._lock:
                keys = self._graph.search(packed[number], 2 * k + _SPARE).keys
            near = np.union1d(self._rows_of(np.asarray(keys, np.uint64)), self._unknown)
            if len(near) < k:
                return None
            cosines = self._embeddings[near] @ query
            best = np.argsort(-cosines, kind="stable")[:k]
            scores[number], rows[number] = cosines[best], near[best]
        return scores, rows

    def _rows_of(self, keys: Keys) -> Rows:
        """All rows that have these keys: equal files are one in the graph."""
        first = np.searchsorted(self._sorted, keys, side="left")
        counts = np.searchsorted(self._sorted, keys, side="right") - first
        offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.asarray(self._order[np.repeat(first, counts) + offsets], np.int64)


def graph_path(index_file: str | Path) -> Path:
    """Where the graph of an index file is."""
    return Path(f"{index_file}.near")


def update_graph(index: Index, index_file: Path) -> None:
    """Make the graph beside an index file know its rows; a small index
    has none.

    What it knows already is not added again, and it is made anew
    when a tenth of it is of no use. Does nothing without the extra
    `scale`. Raises FactoryError when the disk is full.
    """
    path = graph_path(index_file)
    if len(index) <= EXACT_ROWS:
        path.unlink(missing_ok=True)
        return
    if not _has_usearch():
        return

    keys, rows = np.unique(_keys_of(index), return_index=True)
    graph = _read_graph(path, index.dim, keys)
    is_new = ~graph.contains(keys)
    keys, rows = keys[is_new], rows[is_new]
    if not len(rows):
        return
    for start in range(0, len(rows), _BATCH):
        batch = slice(start, start + _BATCH)
        graph.add(keys[batch], pack(index.embeddings[rows[batch]]))
    with atomic_write(path) as file:
        file.write(graph.save())


def _read_graph(path: Path, dim: int, keys: Keys) -> Any:
    """The graph at `path` to add to; an empty one where it is not worth it."""
    graph = _restore(path, dim, view=False) if path.exists() else None
    if graph is not None:
        used = int(np.count_nonzero(graph.contains(keys)))
        if used >= (1 - _MOST_UNKNOWN) * len(graph):
            return graph
    graph = need("usearch.index", extra="scale").Index
    return graph(ndim=dim, metric="cos", dtype="i8", connectivity=_EDGES, expansion_add=_WIDTH)


def _restore(path: Path, dim: int, *, view: bool) -> Any:
    """The graph in a file; None if it is damaged, or of another dimension."""
    try:
        graph = need("usearch.index", extra="scale").Index.restore(str(path), view=view)
    except (ValueError, RuntimeError, OSError):
        return None
    return graph if graph is not None and graph.ndim == dim else None


@cache
def _has_usearch() -> bool:
    try:
        need("usearch.index", extra="scale")
    except MissingExtraError as exc:
        logging.getLogger(__name__).warning(
            "All rows of a large index are compared with every crop. %s", exc
        )
        return False
    return True


def _keys_of(index: Index) -> Keys:
    """(N,) of what was indexed of each file, and by what: a sum of its
    letters, each times a random number (Carter and Wegman, 1979).
    """
    contents = np.ascontiguousarray(index.contents)
    width = contents.dtype.itemsize // 4
    maker = f"{index.meta.maker} {index.meta.trim}".encode()
    factors = np.random.default_rng(list(maker)).integers(1, 2**63, width, np.uint64)
    letters = contents.view(np.uint32).reshape(len(index), width)
    keys = np.empty(len(index), np.uint64)
    for start in range(0, len(index), _BATCH):
        block = slice(start, start + _BATCH)
        keys[block] = (letters[block] * factors).sum(axis=1)
    return keys
