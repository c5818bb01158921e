"""References of different items that show the very same picture:
neither can be named.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import ImageError
from data_label_factory.identify.encoders import Embeddings
from data_label_factory.identify.images import decode
from data_label_factory.identify.index.index import Index

T = TypeVar("T")

_SAME_PICTURE = 1 - 1e-4  # cosine above which the pixels are compared
_CLOSE = 1e-4  # rounding, in the sums that are sorted
_MOST_NEIGHBORS = 64  # compared with each; more are a collection that looks all the same


def find_same_pictures(index: Index, refs: Path) -> list[list[str]]:
    """Groups of references below `refs` whose files or pixels are
    equal, and which are of different items; those that show nothing
    are left out.

    Files are read only where the embeddings are nearly equal.
    """
    rows_of = _group(range(len(index)), lambda row: str(index.sha256[row]))
    contents = [sha for sha in rows_of if sha not in index.meta.nothing]
    first = np.array([rows_of[sha][0] for sha in contents], np.int64)

    pixels = {}
    for number in _find_nearly_equal(index.embeddings[first]):
        row = int(first[number])
        pixels[contents[number]] = _hash_pixels(refs / str(index.references[row]))

    groups = []
    for same in _group(contents, lambda sha: pixels.get(sha, sha)).values():
        rows = sorted(row for sha in same for row in rows_of[sha])
        if len({int(index.items[row]) for row in rows}) > 1:
            groups.append([str(index.references[row]) for row in rows])
    return sorted(groups)


def _find_nearly_equal(embeddings: Embeddings) -> NDArray[np.int64]:
    """The numbers of those (N, D) unit rows that another one nearly
    equals.

    Equal rows have equal sums over any weights: only neighbors in
    the order of such sums are compared, not all pairs.
    """
    weights = np.random.default_rng(0).normal(size=(embeddings.shape[1], 1))
    sums = (embeddings @ weights.astype(np.float32))[:, 0]
    order = np.argsort(sums, kind="stable")
    found = np.zeros(len(order), bool)
    for step in range(1, min(len(order), _MOST_NEIGHBORS)):
        near = np.flatnonzero(sums[order[step:]] - sums[order[:-step]] < _CLOSE)
        if not len(near):
            break
        a, b = order[near], order[near + step]
        is_same = np.einsum("nd,nd->n", embeddings[a], embeddings[b]) > _SAME_PICTURE
        found[a[is_same]] = found[b[is_same]] = True
    return np.flatnonzero(found)


def _hash_pixels(path: Path) -> str:
    """Of the whole picture; its path, unlike that of any other, if it
    cannot be read.
    """
    try:
        picture = decode(path)
    except ImageError:
        return str(path)
    return f"{picture.shape} {hashlib.sha256(picture.tobytes()).hexdigest()}"


def _group(values: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    groups: defaultdict[str, list[T]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return dict(groups)
