"""The references of an index, read once: features, thumbnails, kinds."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.cpu import cpu_count
from data_label_factory.errors import ImageError
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.files import read_row
from data_label_factory.identify.recognize.appearance import (
    FrameMask,
    compare,
    learn_background,
    make_thumbnail,
    resize_like,
)
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
_SIMILAR = 12  # references that show what a kind has in common
_TINY_PX = (12, 16)
_SIMILAR_BLOCK = 256  # references compared with all others at a time
_NEW_VOCABULARY = 0.5  # fraction that changed, from which words are learned anew
_SHOWN_FROM = 100  # references read, for a progress line to be worth it

# Details that a near-duplicate shares.
_SAME_DETAILS = 0.5  # fraction, by rarity
_FEW_DETAILS = 5.0  # features, by rarity
_SAME_PLACE = 0.02  # of the diagonal

# What the local features of all references may take.
_MEMORY_BYTES = 2 * 2**30
_FEATURE_BYTES = 230
_MOST_FEATURES, _FEWEST_FEATURES = 300, 60


@dataclass(frozen=True, eq=False)
class ReferenceFeatures:
    """N references that could be read.

    `rows` (N,) are their rows in the index; the other fields follow its
    order. `contents` (N,) are those of the index. `similar` are the
    references that look most like each, `chances` (rows, columns) how
    often those agree with it in each cell, `near_duplicates` which of
    them look the same.
    """

    rows: Ints
    contents: NDArray[np.str_]
    local: LocalIndex
    thumbs: list[RGB]
    similar: list[Ints]
    chances: list[Floats]
    near_duplicates: list[list[int]]

    @cached_property
    def _tiny(self) -> NDArray[np.uint8]:
        return _tiny_pictures(self.thumbs)

    def near_duplicates_within(self, number: int, mask: FrameMask) -> list[int]:
        """The near-duplicates of a reference, as far as a frame shows it.

        Includes those that would be near-duplicates if there were no more
        of both than `mask`, of its thumbnail's (H, W), leaves.
        """
        known = list(self.near_duplicates[number])
        columns = cv2.resize(mask, _TINY_PX, interpolation=cv2.INTER_AREA).ravel() > 127
        if not columns.any():
            return known

        own = self.thumbs[number]
        more = []
        for other in map(int, _find_nearest(self._tiny[:, np.repeat(columns, 3)], number)):
            cells = compare(resize_like(self.thumbs[other], own), own, shift_px=0).within(mask)
            if (
                other not in known
                and cells.are_near_duplicates
                and self._shared_details(number, other, mask) > _SAME_DETAILS
            ):
                more.append(other)
        return known + more

    def _shared_details(self, number: int, other: int, mask: FrameMask) -> float:
        """How much of a reference's local features inside `mask` another
        has in the same places.

        By rarity; 1 where too little is left to tell. Finer than cells:
        in those, lines of text look alike.
        """
        local = self.local
        shape = local.shapes[number]
        own = np.arange(local.first[number], local.first[number + 1])
        theirs = slice(local.first[other], local.first[other + 1])

        column, row = (local.xy[own] / shape[::-1] * mask.shape[::-1]).astype(np.int64).clip(0).T
        row = row.clip(max=mask.shape[0] - 1)
        column = column.clip(max=mask.shape[1] - 1)
        own = own[mask[row, column] > 0]
        rarity = local.rarity[own]
        if rarity.sum() < _FEW_DETAILS:
            return 1.0

        places = local.xy[theirs] * (shape / local.shapes[other])[::-1]
        at, near = pairs_within(local.xy[own], places, _SAME_PLACE * float(np.hypot(*shape)))
        gap = distances(local.descriptors[own[at]], local.descriptors[theirs][near])
        shared = np.unique(at[gap < SAME_DISTANCE])
        return float(rarity[shared].sum() / rarity.sum())


def read_references(
    index: Index, refs: Path, known: ReferenceFeatures | None = None, *, quiet: bool = True
) -> tuple[ReferenceFeatures | None, dict[str, str]]:
    """Read every reference of `index` below `refs`, in threads: OpenCV
    releases the lock.

    What is `known` of a file by its content is not worked out again. In a
    collection of over 10,000 each reference gets fewer features, so that
    all stay within 2 GiB. Returns the references, or None when not one
    could be read, and the reason for each file that could not.
    """
    numbers, kept, missing = _match_known(index, refs, known)
    rows, added, thumbs, unreadable = _read_files(index, refs, missing, quiet)
    rows = [*kept, *rows]
    if not rows:
        return None, unreadable

    contents = index.contents[rows]
    if known is None:
        local = LocalIndex.build(added)
        return _with_background(rows, contents, local, thumbs, None), unreadable
    if len(kept) == len(rows) and np.array_equal(numbers, np.arange(len(known.rows))):
        return replace(known, rows=np.array(rows, np.int64)), unreadable

    if len(added.counts) < _NEW_VOCABULARY * len(rows):
        local = known.local.taken(numbers).extended(added)
    else:
        local = LocalIndex.build(known.local.stored.taken(numbers).followed_by(added))
    thumbs = [*(known.thumbs[number] for number in numbers), *thumbs]
    return _with_background(rows, contents, local, thumbs, known), unreadable


def _match_known(
    index: Index, refs: Path, known: ReferenceFeatures | None
) -> tuple[Ints, list[int], list[int]]:
    """Which known reference is which row, by content.

    Numbers (K,) of known references, the rows they are for, and the rows
    left over.
    """
    held: dict[str, list[int]] = {}
    for number, digest in enumerate(known.contents if known is not None else ()):
        held.setdefault(str(digest), []).append(number)

    kept, missing = [], []
    for row in range(len(index)):
        same = held.get(str(index.contents[row]))
        if same and (refs / str(index.references[row])).is_file():
            # Copies share what is known once.
            kept.append((same.pop(0) if len(same) > 1 else same[0], row))
        else:
            missing.append(row)
    kept.sort()
    numbers = np.array([number for number, _ in kept], np.int64)
    return numbers, [row for _, row in kept], missing


def _read_files(
    index: Index, refs: Path, rows: Sequence[int], quiet: bool
) -> tuple[list[int], Stored, list[RGB], dict[str, str]]:
    """The rows that can be read, their features and thumbnails, and why
    the others cannot.
    """
    most = _MEMORY_BYTES // (_FEATURE_BYTES * len(index))
    extract = reference_extractor(max(_FEWEST_FEATURES, min(_MOST_FEATURES, most)))

    def read(row: int) -> tuple[Features, RGB] | str:
        try:
            picture = read_row(index, refs, row, _MIN_SIDE_PX)
        except ImageError as exc:
            return str(exc)
        return extract(picture), make_thumbnail(picture)

    good: list[int] = []
    features: list[Features] = []
    thumbs: list[RGB] = []
    unreadable: dict[str, str] = {}
    is_shown = not quiet and len(rows) >= _SHOWN_FROM
    with (
        ThreadPoolExecutor(cpu_count()) as pool,
        Progress("references read", len(rows), enabled=is_shown) as progress,
    ):
        for row, result in zip(rows, pool.map(read, rows), strict=True):
            if isinstance(result, str):
                unreadable[str(index.references[row])] = result
            else:
                good.append(row)
                features.append(result[0])
                thumbs.append(result[1])
            progress.step()
    return good, Stored.of(features), thumbs, unreadable


def _with_background(
    rows: Sequence[int],
    contents: NDArray[np.str_],
    local: LocalIndex,
    thumbs: list[RGB],
    known: ReferenceFeatures | None,
) -> ReferenceFeatures:
    """Learn what each reference's kind has in common, unless its most
    similar ones are known.
    """
    similar = _find_similar(thumbs)
    before = {} if known is None else {str(d): number for number, d in enumerate(known.contents)}
    chances, near_duplicates = [], []
    for number, others in enumerate(similar):
        old = before.get(str(contents[number]), -1)
        if known is None or old < 0 or not _same_files(known, old, contents[others]):
            chance, duplicates = learn_background(thumbs, number, others)
        else:
            chance = known.chances[old]
            # By their place among the similar ones: by content, a copy would become
            # its own near-duplicate.
            pairs = zip(others, known.similar[old], strict=True)
            duplicates = [int(new) for new, was in pairs if was in known.near_duplicates[old]]
        chances.append(chance)
        near_duplicates.append(duplicates)

    numbers = np.array(rows, np.int64)
    return ReferenceFeatures(numbers, contents, local, thumbs, similar, chances, near_duplicates)


def _same_files(known: ReferenceFeatures, number: int, contents: NDArray[np.str_]) -> bool:
    return np.array_equal(known.contents[known.similar[number]], contents)


def _find_similar(thumbs: Sequence[RGB]) -> list[Ints]:
    """For each reference the ones that look most like it, coarsely: they
    show its kind.
    """
    most = min(_SIMILAR, len(thumbs) - 1)
    if not most:
        return [np.zeros(0, np.int64) for _ in thumbs]

    tiny = _standardize(_tiny_pictures(thumbs))
    similar: list[Ints] = []
    for start in range(0, len(tiny), _SIMILAR_BLOCK):
        likeness = tiny[start : start + _SIMILAR_BLOCK] @ tiny.T
        own = np.arange(len(likeness))
        likeness[own, start + own] = -np.inf
        similar += [_highest(row, most) for row in likeness]
    return similar


def _find_nearest(tiny: NDArray[np.uint8], number: int) -> Ints:
    """The most similar ones to one of (N, D) coarse pictures, or parts of them."""
    standardized = _standardize(tiny)
    likeness = standardized @ standardized[number]
    likeness[number] = -np.inf
    return _highest(likeness, min(_SIMILAR, len(tiny) - 1))


def _tiny_pictures(thumbs: Sequence[RGB]) -> NDArray[np.uint8]:
    """(N, D): each with so few pixels that only the coarsest can be seen."""
    small = [cv2.resize(thumb, _TINY_PX, interpolation=cv2.INTER_AREA) for thumb in thumbs]
    return np.stack([picture.ravel() for picture in small])


def _standardize(tiny: NDArray[np.uint8]) -> Floats:
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
