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
from PIL import Image

from data_label_factory.errors import ConflictError, ImageError
from data_label_factory.identify.encoders import Embeddings
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index.index import Index

T = TypeVar("T")

_SAME_PICTURE = 1 - 1e-4  # cosine above which the pixels are compared
_CLOSE = 1e-4  # rounding, in the sums that are sorted
_MOST_NEIGHBORS = 64  # compared with each; more are a collection that looks all the same
# Cosine of a picture and itself saved as a reference: above 0.995, drawn cards and noise, SSCD.
_SAVED_AGAIN = 0.97


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


def require_new(index: Index, refs: Path, picture: RGB, sha256: str, embedding: Embeddings) -> None:
    """Raise ConflictError when a reference shows this very picture: its
    file is the same, or the pixels are.

    `picture` is as it came, `sha256` and the (D,) unit `embedding` are of
    what it would be saved as.
    """
    (cosines,), (nearest,) = index.search(embedding[None], _MOST_NEIGHBORS)
    near = nearest[cosines > _SAVED_AGAIN].tolist()
    same = [int(row) for row in np.flatnonzero(index.sha256 == sha256)]
    same += [row for row in near if _shows(refs / str(index.references[row]), picture)]
    if same:
        reference = index.references[same[0]]
        raise ConflictError(
            f"This very picture is there already: it is {index.label(same[0])}, as {reference}",
            "Take another picture, or remove that one first",
        )


def _shows(path: Path, picture: RGB) -> bool:
    """Whether a file has exactly the pixels of `picture`."""
    height, width = picture.shape[:2]
    try:
        with Image.open(path) as image:
            if sorted(image.size) != sorted((width, height)):
                return False
        return bool(np.array_equal(decode(path), picture))
    except (OSError, ImageError):
        return False


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
