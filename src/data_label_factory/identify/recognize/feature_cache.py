"""The references' local features in a file beside the index, so that a
start reads no picture again.

It is only a cache, keyed by the contents of the pictures and by how
features are made: a file that is missing, damaged or of another version
is ignored. An `.npz` without pickle.
"""

from __future__ import annotations

import zipfile
import zlib
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import FactoryError
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize.local_index import STORED_FIELDS, LocalIndex, Stored
from data_label_factory.identify.recognize.references import ReferenceFeatures, read_references
from data_label_factory.identify.recognize.vocabulary import Vocabulary

# Count it up with every change to features, words, thumbnails or background.
_VERSION = "features 5"
# One array per reference, each of its own shape.
_PICTURES = ("thumbs", "chances")
_LISTS = ("similar", "near_duplicates")  # one list of references per reference
_DAMAGED = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


def feature_cache_path(index_file: str | Path) -> Path:
    """Where the local features of an index's references are kept:

    `my.npz` → `my.features.npz`.
    """
    index_file = Path(index_file)
    return index_file.with_name(f"{index_file.stem}.features.npz")


def save_references(references: ReferenceFeatures, path: Path) -> None:
    """Write atomically, about 95 kB per reference of 300 features.

    Raises FactoryError when the disk is full.
    """
    stored, vocabulary = references.local.stored, references.local.vocabulary
    arrays: dict[str, Any] = {name: getattr(stored, name) for name in STORED_FIELDS}
    arrays |= {"coarse": vocabulary.coarse, "fine": vocabulary.fine, "sizes": vocabulary.sizes}
    arrays |= {"version": np.array(_VERSION), "contents": references.contents}

    for name in _PICTURES:
        pictures = getattr(references, name)
        arrays[f"{name}_shapes"] = np.array([p.shape[:2] for p in pictures], np.int64)
        arrays[name] = np.concatenate([p.ravel() for p in pictures])
    for name in _LISTS:
        lists = [np.asarray(row, np.int64) for row in getattr(references, name)]
        arrays[f"{name}_counts"] = np.array([len(row) for row in lists], np.int64)
        arrays[name] = np.concatenate(lists)

    with atomic_write(path) as file:
        np.savez(file, **arrays)


def load_references(path: Path) -> ReferenceFeatures | None:
    """The contents of the file; or None.

    `rows` (N,) are all -1, since the file knows no index.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return _read(kept) if str(kept["version"]) == _VERSION else None
    except _DAMAGED:
        return None


def _read(kept: Any) -> ReferenceFeatures | None:
    stored = Stored(**{name: kept[name] for name in STORED_FIELDS})
    vocabulary = Vocabulary(kept["coarse"], kept["fine"], kept["sizes"])
    thumbs = _split(kept["thumbs"], kept["thumbs_shapes"], channels=3)
    chances = _split(kept["chances"], kept["chances_shapes"])
    similar = _split(kept["similar"], kept["similar_counts"][:, None])
    near_duplicates = _split(kept["near_duplicates"], kept["near_duplicates_counts"][:, None])

    count = len(stored.counts)
    columns = (kept["contents"], thumbs, chances, similar, near_duplicates)
    if any(len(column) != count for column in columns):
        return None
    return ReferenceFeatures(
        rows=np.full(count, -1, np.int64),
        contents=kept["contents"],
        local=LocalIndex(stored, vocabulary),
        thumbs=thumbs,
        chances=chances,
        similar=similar,
        near_duplicates=[row.tolist() for row in near_duplicates],
    )


def _split(flat: NDArray[Any], shapes: NDArray[Any], channels: int = 0) -> list[NDArray[Any]]:
    """Cut a flat array into one array for each of `shapes` (N,
    any), with `channels` behind.
    """
    ends = np.concatenate([[0], np.cumsum(shapes.prod(axis=1) * max(channels, 1))])
    if ends[-1] != len(flat):
        raise ValueError("lengths do not add up")

    behind = (channels,) if channels else ()
    runs = zip(pairwise(ends), shapes, strict=True)
    return [flat[start:end].reshape(*shape, *behind) for (start, end), shape in runs]


def read_cached_references(
    index: Index, refs: Path, cache: Path | None, quiet: bool
) -> tuple[ReferenceFeatures | None, dict[str, str]]:
    """As `read_references`, with what the file `cache` knows; it is
    written anew where something has changed.
    """
    known = load_references(cache) if cache else None
    references, unreadable = read_references(index, refs, known, quiet=quiet)
    if cache is None or references is None:
        return references, unreadable

    if known is None or not np.array_equal(references.contents, known.contents):
        with suppress(FactoryError):  # a full disk costs time at the next start, nothing else
            save_references(references, cache)
    return references, unreadable
