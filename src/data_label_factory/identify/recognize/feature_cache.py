"""References in a file beside the index, so that starting costs no second look at every picture.

A cache and no more: it is keyed by the pictures' contents and by how features are made, and a file that is missing,
damaged or of another version is passed over. An `.npz` without pickle.
"""

from __future__ import annotations

import zipfile
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.atomic import atomic_write
from data_label_factory.identify.recognize.local_index import LocalIndex, Stored
from data_label_factory.identify.recognize.references import ReferenceFeatures
from data_label_factory.identify.recognize.vocabulary import Vocabulary

# Count it up with every change to features, words, thumbnails or background.
_VERSION = "features 3"
_STORED = (
    "counts",
    "shapes",
    "xy",
    "size",
    "angle",
    "descriptors",
    "words",
    "signatures",
    "shared",
)
_DAMAGED = (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


def feature_cache_path(index_file: str | Path) -> Path:
    """Where the local features of an index's references are kept: `my.npz` → `my.features.npz`."""
    index_file = Path(index_file)
    return index_file.with_name(f"{index_file.stem}.features.npz")


def save_references(references: ReferenceFeatures, path: Path) -> None:
    """Write atomically, about 220 kB a reference of 1,000 features. Raises FactoryError when the disk is full."""
    vocabulary = references.local.vocabulary
    arrays: dict[str, Any] = {name: getattr(references.local.stored, name) for name in _STORED}
    arrays |= {"coarse": vocabulary.coarse, "fine": vocabulary.fine, "sizes": vocabulary.sizes}
    arrays |= {"version": np.array(_VERSION), "sha256": references.sha256}
    for name in ("thumbs", "chances"):
        pictures = getattr(references, name)
        arrays[f"{name}_shapes"] = np.array([picture.shape[:2] for picture in pictures], np.int64)
        arrays[name] = np.concatenate([picture.ravel() for picture in pictures])
    for name in ("similar", "near_duplicates"):
        lists = [np.asarray(row, np.int64) for row in getattr(references, name)]
        arrays[f"{name}_counts"] = np.array([len(row) for row in lists], np.int64)
        arrays[name] = np.concatenate(lists)
    with atomic_write(path) as file:
        np.savez(file, **arrays)


def load_references(path: Path) -> ReferenceFeatures | None:
    """What the file holds, with `rows` (N,) all -1 since it knows no index; or None."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            if str(kept["version"]) != _VERSION:
                return None
            stored = Stored(**{name: kept[name] for name in _STORED})
            vocabulary = Vocabulary(kept["coarse"], kept["fine"], kept["sizes"])
            count = len(stored.counts)
            references = ReferenceFeatures(
                rows=np.full(count, -1, np.int64),
                sha256=kept["sha256"],
                local=LocalIndex(stored, vocabulary),
                thumbs=[
                    flat.reshape(*shape, 3)
                    for flat, shape in _runs(kept["thumbs"], kept["thumbs_shapes"], 3)
                ],
                chances=[
                    flat.reshape(shape)
                    for flat, shape in _runs(kept["chances"], kept["chances_shapes"], 1)
                ],
                similar=[
                    row for row, _ in _runs(kept["similar"], kept["similar_counts"][:, None], 1)
                ],
                near_duplicates=[
                    row.tolist()
                    for row, _ in _runs(kept["near_duplicates"], kept["near_duplicates_counts"][:, None], 1)
                ],
            )
    except _DAMAGED:
        return None
    by_reference = (
        references.sha256,
        references.thumbs,
        references.chances,
        references.similar,
        references.near_duplicates,
    )
    return references if all(len(column) == count for column in by_reference) else None


def _runs(
    flat: np.ndarray[Any, Any], shapes: np.ndarray[Any, Any], channels: int
) -> list[tuple[Any, Any]]:
    """Cut a flat array into one run for each of `shapes` (N, any), with its shape."""
    ends = np.concatenate([[0], np.cumsum(shapes.prod(axis=1) * channels)])
    if ends[-1] != len(flat):
        raise ValueError("lengths do not add up")
    return [(flat[a:b], shape) for (a, b), shape in zip(pairwise(ends), shapes, strict=True)]
