"""The reference pictures of an index, read once: their local features, thumbnails, and what
each kind has in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import ImageError
from data_label_factory.identify.encoders import cpu_count
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize import appearance
from data_label_factory.identify.recognize.features import (
    Features,
    Floats,
    Ints,
    distances,
    reference_extractor,
)
from data_label_factory.identify.recognize.geometry import pairs_within
from data_label_factory.identify.recognize.local_index import SAME_DISTANCE, LocalIndex, Stored
from data_label_factory.progress import Progress

_MIN_SIDE_PX = 480  # a larger JPEG is decoded smaller
_SIMILAR = 12  # references that show what is common to a kind
_TINY_PX = (12, 16)
_SAME_DETAILS, _FEW_DETAILS = 0.5, 5.0  # share; features, by rarity
_SAME_PLACE = 0.02  # of the diagonal
_SIMILAR_BLOCK = 256  # references compared with all others at a time
_MEMORY_BYTES = 2 * 2**30  # what the local features of all references may take
_FEATURE_BYTES = 230
_MOST_FEATURES, _FEWEST_FEATURES = 1000, 60
_NEW_VOCABULARY = (
    0.5  # share of the references that changed, from which on the words are learnt anew
)
_SHOWN_FROM = 100  # references read, for a progress line to be worth it


@dataclass(frozen=True)
class ReferenceFeatures:
    """N references that could be read.

    `rows` (N,) are their rows in the index; the other fields follow its order.

    `sha256` (N,) are of the files' bytes. `similar` are the references that look most like
    each, `chances` (rows, columns) how often those agree with it in each cell, `twins` which of
    them look the same.
    """

    rows: Ints
    sha256: NDArray[np.str_]
    local: LocalIndex
    thumbs: list[RGB]
    similar: list[Ints]
    chances: list[Floats]
    near_duplicates: list[list[int]]

    @cached_property
    def _tiny(self) -> NDArray[np.uint8]:
        return _tiny_pictures(self.thumbs)

    def near_duplicates_within(self, number: int, mask: appearance.FrameMask) -> list[int]:
        """The numbers of a reference's twins, and of those that would be if there were no more
        of both than what `mask`, of its thumbnail's (H, W), leaves.
        """
        columns = cv2.resize(mask, _TINY_PX, interpolation=cv2.INTER_AREA).ravel() > 127
        near_duplicates = list(self.near_duplicates[number])
        if not columns.any():
            return near_duplicates
        own = self.thumbs[number]
        for other in map(int, _nearest(self._tiny[:, np.repeat(columns, 3)], number)):
            resized = np.asarray(cv2.resize(self.thumbs[other], own.shape[1::-1]), np.uint8)
            cells = appearance.compare(resized, own, shift_px=0).within(mask)
            if (
                other not in near_duplicates
                and cells.are_near_duplicates
                and self._shared_details(number, other, mask) > _SAME_DETAILS
            ):
                near_duplicates.append(other)
        return near_duplicates

    def _shared_details(self, number: int, other: int, mask: appearance.FrameMask) -> float:
        """How much of what `mask` leaves of a reference's local features, by rarity, another
        has in the same places; 1 where too little is left to tell. Finer than cells: lines
        of text look alike in those.
        """
        local = self.local
        shape, theirs = local.shapes[number], slice(local.first[other], local.first[other + 1])
        own = np.arange(local.first[number], local.first[number + 1])
        column, row = (local.xy[own] / shape[::-1] * mask.shape[::-1]).astype(np.int64).clip(0).T
        own = own[mask[row.clip(max=mask.shape[0] - 1), column.clip(max=mask.shape[1] - 1)] > 0]
        rarity = local.rarity[own]
        if rarity.sum() < _FEW_DETAILS:
            return 1.0
        places = local.xy[theirs] * (shape / local.shapes[other])[::-1]
        at, near = pairs_within(local.xy[own], places, _SAME_PLACE * float(np.hypot(*shape)))
        same = (
            distances(local.descriptors[own[at]], local.descriptors[theirs][near]) < SAME_DISTANCE
        )
        return float(rarity[np.unique(at[same])].sum() / rarity.sum())


def read_references(
    index: Index, refs: Path, known: ReferenceFeatures | None = None, *, quiet: bool = True
) -> tuple[ReferenceFeatures | None, dict[str, str]]:
    """Read every reference of `index` below `refs`, in threads, since OpenCV works outside
    Python's lock.

    What is `known` of a file by its content is not worked out again. In a collection of over
    10,000 each reference gets fewer features, so that all stay within 2 GiB. Returns the
    references, or None when not one could be read, and the reason for each file that could not.
    """
    numbers, kept, missing = _match(index, refs, known)
    rows, added, thumbs, unreadable = _read_files(index, refs, missing, quiet)
    rows = [*kept, *rows]
    if not rows:
        return None, unreadable
    sha256 = index.sha256[rows]
    if known is None:
        return _with_background(rows, sha256, LocalIndex.build(added), thumbs, None), unreadable
    if len(kept) == len(rows) and np.array_equal(numbers, np.arange(len(known.rows))):
        return replace(known, rows=np.array(rows, np.int64)), unreadable
    if len(added.counts) < _NEW_VOCABULARY * len(rows):
        local = known.local.taken(numbers).extended(added)
    else:
        local = LocalIndex.build(known.local.stored.taken(numbers).followed_by(added))
    thumbs = [*(known.thumbs[number] for number in numbers), *thumbs]
    return _with_background(rows, sha256, local, thumbs, known), unreadable


def _match(
    index: Index, refs: Path, known: ReferenceFeatures | None
) -> tuple[Ints, list[int], list[int]]:
    """What is known of which file: numbers (K,) of known references, the rows they are for, and
    the rows left over.
    """
    held: dict[str, list[int]] = {}
    for number, digest in enumerate(known.sha256 if known is not None else ()):
        held.setdefault(str(digest), []).append(number)
    kept, missing = [], []
    for row in range(len(index)):
        same = held.get(str(index.sha256[row]))
        if same and (refs / str(index.references[row])).is_file():
            kept.append(
                (same.pop(0) if len(same) > 1 else same[0], row)
            )  # copies share what is known once
        else:
            missing.append(row)
    kept.sort()
    return np.array([number for number, _ in kept], np.int64), [row for _, row in kept], missing


def _read_files(
    index: Index, refs: Path, rows: Sequence[int], quiet: bool
) -> tuple[list[int], Stored, list[RGB], dict[str, str]]:
    """The rows that can be read with their features and thumbnails, and what was wrong with the
    other files.
    """
    most = _MEMORY_BYTES // (_FEATURE_BYTES * len(index))
    extract = reference_extractor(max(_FEWEST_FEATURES, min(_MOST_FEATURES, most)))

    def read(row: int) -> tuple[Features, RGB] | str:
        try:
            picture = decode(refs / str(index.references[row]), min_side=_MIN_SIDE_PX)
        except ImageError as exc:
            return str(exc)
        return extract(picture), appearance.thumbnail(picture)

    good: list[int] = []
    features: list[Features] = []
    thumbs: list[RGB] = []
    unreadable: dict[str, str] = {}
    with (
        ThreadPoolExecutor(cpu_count()) as pool,
        Progress(
            "references read", len(rows), enabled=not quiet and len(rows) >= _SHOWN_FROM
        ) as progress,
    ):
        for row, got in zip(rows, pool.map(read, rows), strict=True):
            if isinstance(got, str):
                unreadable[str(index.references[row])] = got
            else:
                good.append(row)
                features.append(got[0])
                thumbs.append(got[1])
            progress.step()
    return good, Stored.of(features), thumbs, unreadable


def _with_background(
    rows: Sequence[int],
    sha256: NDArray[np.str_],
    local: LocalIndex,
    thumbs: list[RGB],
    known: ReferenceFeatures | None,
) -> ReferenceFeatures:
    """Learn what each reference's kind has in common, unless its most similar ones are still
    the known ones.
    """
    similar = _most_similar(thumbs)
    before = (
        {} if known is None else {str(digest): number for number, digest in enumerate(known.sha256)}
    )
    chances, near_duplicates = [], []
    for number, others in enumerate(similar):
        old = before.get(str(sha256[number]), -1)
        if (
            known is not None
            and old >= 0
            and np.array_equal(known.sha256[known.similar[old]], sha256[others])
        ):
            chances.append(known.chances[old])
            # By their place among the similar ones: by content a copy would become its own twin.
            pairs = zip(others, known.similar[old], strict=True)
            near_duplicates.append(
                [int(other) for other, was in pairs if was in known.near_duplicates[old]]
            )
        else:
            chance, same = appearance.learn_background(thumbs, number, others)
            chances.append(chance)
            near_duplicates.append(same)
    return ReferenceFeatures(
        np.array(rows, np.int64), sha256, local, thumbs, similar, chances, near_duplicates
    )


def _most_similar(thumbs: Sequence[RGB]) -> list[Ints]:
    """For each reference the ones that look most like it, coarsely: they show what its kind has
    in common.
    """
    tiny, most = _standardized(_tiny_pictures(thumbs)), min(_SIMILAR, len(thumbs) - 1)
    if not most:
        return [np.zeros(0, np.int64) for _ in thumbs]
    similar: list[Ints] = []
    for start in range(0, len(tiny), _SIMILAR_BLOCK):
        likeness = tiny[start : start + _SIMILAR_BLOCK] @ tiny.T
        own = np.arange(len(likeness))
        likeness[own, start + own] = -np.inf
        similar += [_highest(row, most) for row in likeness]
    return similar


def _nearest(tiny: NDArray[np.uint8], number: int) -> Ints:
    """The most similar ones to one of (N, D) coarse pictures, or parts of them."""
    standardized = _standardized(tiny)
    likeness = standardized @ standardized[number]
    likeness[number] = -np.inf
    return _highest(likeness, min(_SIMILAR, len(tiny) - 1))


def _tiny_pictures(thumbs: Sequence[RGB]) -> NDArray[np.uint8]:
    """(N, D): each as so few pixels that only the coarsest can be seen."""
    return np.stack(
        [cv2.resize(thumb, _TINY_PX, interpolation=cv2.INTER_AREA).ravel() for thumb in thumbs]
    )


def _standardized(tiny: NDArray[np.uint8]) -> Floats:
    rows = tiny.astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= rows.std(axis=1, keepdims=True) + 1e-3
    return rows


def _highest(likeness: Floats, most: int) -> Ints:
    """The columns of the `most` highest values, highest first."""
    if not most:
        return np.zeros(0, np.int64)
    near = np.argpartition(-likeness, most - 1)[:most]
    return near[np.argsort(-likeness[near], kind="stable")]
