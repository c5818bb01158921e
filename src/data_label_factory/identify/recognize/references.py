"""The reference pictures of an index, read once: their local features, thumbnails, and what each kind has in common."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import ImageError
from data_label_factory.identify.encoders import cpu_count
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize import appearance
from data_label_factory.identify.recognize.features import Features, Floats, Ints, reference_extractor
from data_label_factory.identify.recognize.local_index import LocalIndex, Stored
from data_label_factory.progress import Progress

_MIN_SIDE_PX = 480  # a larger JPEG is decoded smaller
_SIMILAR = 12  # references that show what is common to a kind
_TINY_PX = (12, 16)
_MEMORY_BYTES = 2 * 2**30  # what the local features of all references may take
_FEATURE_BYTES = 210
_MOST_FEATURES, _FEWEST_FEATURES = 1000, 60
_NEW_VOCABULARY = 0.5  # share of the references that changed, from which on the words are learnt anew
_SHOWN_FROM = 100  # references read, for a progress line to be worth it


@dataclass(frozen=True)
class References:
    """N references that could be read. `rows` (N,) are their rows in the index; the other fields follow its order.

    `sha256` (N,) are of the files' bytes. `similar` are the references that look most like each, `chances` (rows,
    columns) how often those agree with it in each cell, `twins` which of them look the same.
    """

    rows: Ints
    sha256: NDArray[np.str_]
    local: LocalIndex
    thumbs: list[RGB]
    similar: list[Ints]
    chances: list[Floats]
    twins: list[list[int]]


def read_references(
    index: Index, refs: Path, known: References | None = None, *, quiet: bool = True
) -> tuple[References | None, dict[str, str]]:
    """Read every reference of `index` below `refs`, in threads, since OpenCV works outside Python's lock.

    What is `known` of a file by its content is not worked out again. In a collection of over 10,000 each reference
    gets fewer features, so that all stay within 2 GiB. Returns the references, or None when not one could be read,
    and the reason for each file that could not.
    """
    held = {} if known is None else {str(digest): number for number, digest in enumerate(known.sha256)}
    is_kept = [
        str(index.sha256[row]) in held and (refs / str(index.filenames[row])).is_file() for row in range(len(index))
    ]
    kept, missing = np.flatnonzero(is_kept), np.flatnonzero(np.logical_not(is_kept))
    read, unreadable = _read_files(index, refs, missing.tolist(), quiet)
    rows = np.array([*kept, *read], np.int64)
    if not len(rows):
        return None, unreadable
    numbers = np.array([held[str(index.sha256[row])] for row in kept], np.int64)
    if known is not None and not read and np.array_equal(numbers, np.arange(len(known.rows))):
        return References(**{**vars(known), "rows": rows}), unreadable
    features = [features for features, _ in read.values()]
    if known is not None and len(read) < _NEW_VOCABULARY * len(rows):
        local = known.local.taken(numbers).extended(Stored.of(features))
    else:
        old = [known.local.features(number) for number in numbers] if known is not None else []
        local = LocalIndex.build([*old, *features])
    thumbs = [known.thumbs[number] for number in numbers] if known is not None else []
    thumbs += [thumb for _, thumb in read.values()]
    return _with_background(rows, index.sha256[rows], local, thumbs, known), unreadable


def _read_files(
    index: Index, refs: Path, rows: Sequence[int], quiet: bool
) -> tuple[dict[int, tuple[Features, RGB]], dict[str, str]]:
    """Features and thumbnail by row, and what was wrong with the files that cannot be read."""
    most = _MEMORY_BYTES // (_FEATURE_BYTES * len(index))
    extract = reference_extractor(max(_FEWEST_FEATURES, min(_MOST_FEATURES, most)))

    def read(row: int) -> tuple[Features, RGB] | str:
        try:
            picture = decode(refs / str(index.filenames[row]), min_side=_MIN_SIDE_PX)
        except ImageError as exc:
            return str(exc)
        return extract(picture), appearance.thumbnail(picture)

    good, unreadable = {}, {}
    with (
        ThreadPoolExecutor(cpu_count()) as pool,
        Progress("references read", len(rows), enabled=not quiet and len(rows) >= _SHOWN_FROM) as progress,
    ):
        for row, got in zip(rows, pool.map(read, rows), strict=True):
            if isinstance(got, str):
                unreadable[str(index.filenames[row])] = got
            else:
                good[row] = got
            progress.step()
    return good, unreadable


def _with_background(
    rows: Ints, sha256: NDArray[np.str_], local: LocalIndex, thumbs: list[RGB], known: References | None
) -> References:
    """Learn what each reference's kind has in common, unless its most similar ones are still the known ones."""
    similar = _most_similar(thumbs)
    before = {}
    if known is not None:
        for number, others in enumerate(known.similar):
            before[str(known.sha256[number])] = (number, [str(known.sha256[other]) for other in others])
    place = {str(digest): number for number, digest in enumerate(sha256)}
    chances, twins = [], []
    for number, others in enumerate(similar):
        old, neighbours = before.get(str(sha256[number]), (-1, []))
        if known is not None and old >= 0 and neighbours == [str(sha256[other]) for other in others]:
            chances.append(known.chances[old])
            twins.append([place[str(known.sha256[twin])] for twin in known.twins[old]])
        else:
            chance, same = appearance.learn_background(thumbs, number, others)
            chances.append(chance)
            twins.append(same)
    return References(rows, sha256, local, thumbs, similar, chances, twins)


def _most_similar(thumbs: Sequence[RGB]) -> list[Ints]:
    """For each reference the ones that look most like it, coarsely: they show what its kind has in common."""
    tiny = np.stack([cv2.resize(t, _TINY_PX, interpolation=cv2.INTER_AREA).ravel() for t in thumbs]).astype(np.float32)
    tiny = (tiny - tiny.mean(axis=1, keepdims=True)) / (tiny.std(axis=1, keepdims=True) + 1e-3)
    most = min(_SIMILAR, len(thumbs) - 1)
    similar = []
    for number, row in enumerate(tiny):
        likeness = tiny @ row
        likeness[number] = -np.inf
        near = np.argpartition(-likeness, most - 1)[:most] if most else np.zeros(0, np.int64)
        similar.append(near[np.argsort(-likeness[near], kind="stable")])
    return similar
