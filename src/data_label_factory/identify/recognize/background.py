"""What the references of a kind have in common, reference by reference:
those that look most like it, and where these agree with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.cpu import cpu_count
from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize.appearance import (
    MOST_CELLS,
    compare,
    resize_like,
)
from data_label_factory.identify.recognize.columns import Columns
from data_label_factory.identify.recognize.features import Floats, Ints
from data_label_factory.identify.recognize.vocabulary import find_nearest, kmeans

SIMILAR = 12  # references that show what a kind has in common
TINY_PX = (6, 8)  # width, height: only the coarsest can be seen
_BY_CHANCE = 0.12  # how often an unrelated cell agrees
_PRIOR_WEIGHT = 4  # references that `_BY_CHANCE` counts for
_BLOCK = 256  # references compared with all others at a time
_LEAST_DEVIATION = 1e-3  # keeps a picture of one color finite

# Of more references, only those in the nearest of √N cells are compared: a hundred
# thousand take seconds instead of minutes.
_COMPARED = 2**31  # pairs
_CELLS = 8
_ITERATIONS = 5
_TRAINING_ROWS = 60_000

RECORD = np.dtype(
    [
        ("compared", "u1"),
        ("rows", "u1"),
        ("columns", "u1"),
        ("near_duplicates", "<u2"),  # bit by bit, of the similar ones
        ("similar", "<i4", (SIMILAR,)),  # -1 where there are fewer
        ("hits", "u1", (MOST_CELLS,)),
    ]
)


@dataclass(frozen=True, eq=False)
class Agreement:
    """How many of the `compared` references agree with one in each cell:
    `hits` (rows, columns). `near_duplicates` are the places of those
    that look the same; they are left out of it: otherwise no cell could
    tell them apart.
    """

    hits: Ints
    compared: int
    near_duplicates: list[int]


class Backgrounds:
    """The records of N references: the column `backgrounds` holds them,
    `background_of` (the same length) says of which reference each is.
    The last one of a reference counts.
    """

    def __init__(self, columns: Columns) -> None:
        self._records = columns["backgrounds"]
        self._latest = np.full(columns.rows("counts"), -1, np.int64)
        self._latest[columns["background_of"]] = np.arange(len(self._records))

    @property
    def missing(self) -> Ints:
        """The numbers of references without a record."""
        return np.flatnonzero(self._latest < 0)

    @property
    def doubtful(self) -> Ints:
        """The numbers of references with near-duplicates, or that are one."""
        own = np.flatnonzero(self._records["near_duplicates"][self._latest])
        return np.unique([n for one in own for n in (int(one), *self.near_duplicates(int(one)))])

    def similar(self, number: int) -> Ints:
        """The references that look most like one, most alike first."""
        found = self._record(number)["similar"]
        return np.asarray(found[found >= 0], np.int64)

    def near_duplicates(self, number: int) -> list[int]:
        """Those of the similar ones that look the same."""
        record = self._record(number)
        bits = int(record["near_duplicates"])
        return [int(other) for at, other in enumerate(record["similar"]) if bits >> at & 1]

    def chance(self, number: int) -> Floats:
        """(rows, columns) how often another of its kind agrees with a
        reference in each cell.
        """
        record = self._record(number)
        rows, columns = int(record["rows"]), int(record["columns"])
        hits = record["hits"][: rows * columns].reshape(rows, columns)
        return weigh_agreement(hits.astype(np.float32), int(record["compared"]))

    def _record(self, number: int) -> Any:
        return self._records[self._latest[number]]


def learn_backgrounds(
    thumb: Callable[[int], RGB], numbers: Ints, similar: Sequence[Ints]
) -> dict[str, NDArray[Any]]:
    """Records of the references `numbers` (M,), and the columns they go
    into; `similar` are those like each.
    """

    def learn(number: int, others: Ints) -> Agreement:
        return learn_background(thumb(number), [thumb(int(other)) for other in others])

    records = np.zeros(len(numbers), RECORD)
    records["similar"] = -1
    with ThreadPoolExecutor(cpu_count()) as pool:
        learned = pool.map(learn, map(int, numbers), similar)
        for record, others, one in zip(records, similar, learned, strict=True):
            record["rows"], record["columns"] = one.hits.shape
            record["hits"][: one.hits.size] = one.hits.ravel()
            record["compared"] = one.compared
            record["similar"][: len(others)] = others
            record["near_duplicates"] = sum(1 << at for at in one.near_duplicates)
    return {"backgrounds": records, "background_of": numbers.astype(np.uint32)}


def learn_background(own: RGB, others: Sequence[RGB]) -> Agreement:
    """Where the thumbnails of other references agree with one."""
    hits = np.zeros(compare(own, own, shift_px=0).correlation.shape, np.int64)
    near_duplicates = []
    for place, other in enumerate(others):
        cells = compare(resize_like(other, own), own, shift_px=0)
        if cells.are_near_duplicates:
            near_duplicates.append(place)
        else:
            hits += cells.agrees
    return Agreement(hits, len(others) - len(near_duplicates), near_duplicates)


def weigh_agreement(hits: Floats, compared: int) -> Floats:
    """(rows, columns) → how often another item of the kind agrees in each cell."""
    return (hits + _PRIOR_WEIGHT * _BY_CHANCE) / np.float32(compared + _PRIOR_WEIGHT)


def find_similar(tiny: NDArray[np.uint8], numbers: Ints, known: Ints) -> list[Ints]:
    """For each of the `numbers` (M,) the references that look most like
    it, coarsely, of those `known` (K,): they show its kind. `tiny` (N, D)
    are all of them.
    """
    most = min(SIMILAR, len(known) - 1)
    if most <= 0:
        return [np.zeros(0, np.int64) for _ in numbers]

    rows = _standardize(tiny[known])
    own = np.searchsorted(known, numbers)
    if len(numbers) * len(known) > _COMPARED:
        found = _find_by_cells(rows, own, most)
    else:
        found = np.full((len(own), most), -1, np.int64)
        for start in range(0, len(own), _BLOCK):
            block = own[start : start + _BLOCK]
            found[start : start + _BLOCK] = _highest(rows[block] @ rows.T, block, most)
    return [known[one[one >= 0]] for one in found]


def make_tiny(picture: RGB) -> NDArray[np.uint8]:
    """(D,): the picture with so few pixels that only the coarsest can be seen."""
    return np.asarray(cv2.resize(picture, TINY_PX, interpolation=cv2.INTER_AREA), np.uint8).ravel()


def _find_by_cells(rows: Floats, own: Ints, most: int) -> Ints:
    """As by comparing rows (N, D) `own` (M,) with all: (M, most), -1
    where the cells hold fewer.
    """
    rng = np.random.default_rng(0)
    sample = rows[rng.choice(len(rows), min(len(rows), _TRAINING_ROWS), replace=False)]
    centers = kmeans(sample, int(np.sqrt(len(rows))), _ITERATIONS, rng)
    cell = find_nearest(rows, centers)
    members = np.split(np.argsort(cell, kind="stable"), np.cumsum(np.bincount(cell))[:-1])
    squares = np.einsum("ij,ij->i", centers, centers)
    near = np.argsort(squares - 2 * centers @ centers.T, axis=1)[:, :_CELLS]

    found = np.full((len(own), most), -1, np.int64)
    for number in np.unique(cell[own]):
        asking = np.flatnonzero(cell[own] == number)
        others = np.sort(np.concatenate([members[c] for c in near[number] if c < len(members)]))
        for start in range(0, len(asking), _BLOCK):
            block = asking[start : start + _BLOCK]
            likeness = rows[own[block]] @ rows[others].T
            at = np.searchsorted(others, own[block])
            kept = min(most, len(others) - 1)
            found[block, :kept] = others[_highest(likeness, at, kept)]
    return found


def _highest(likeness: Floats, own: Ints, most: int) -> Ints:
    """The columns (M, most) of the highest values, highest first, but
    for each row's `own` (M,).
    """
    likeness[np.arange(len(own)), own] = -np.inf
    near = np.argpartition(-likeness, most - 1, axis=1)[:, :most]
    order = np.argsort(-np.take_along_axis(likeness, near, axis=1), axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1)


def _standardize(tiny: NDArray[np.uint8]) -> Floats:
    rows = tiny.astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    rows /= rows.std(axis=1, keepdims=True) + _LEAST_DEVIATION
    return rows
