"""Things in rows → the order in which people read them.

A shelf, a wall or a binder page is seen at an angle, and things stand
in it a little askew. So each is compared with its neighbor on the
right, not with a line across the whole photo: a chain of neighbors is
a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize.detection import Detection
from data_label_factory.identify.recognize.features import Ints

_Floats = NDArray[np.float64]

# All of these are set by hand.
_SAME_ROW = 0.5  # of the lower of two neighbors, that they have in common in height
_REACH = 8.0  # widths within which the next thing of a row stands
_SAME_COLUMN = 0.45  # of the median width, that things of a column are apart
_LIKELY = 0.2  # false-accept rate up to which an unsure answer has a place, too


@dataclass(frozen=True, eq=False)
class _Boxes:
    """Upright boxes of N things once the photo is straight; (N,) px each."""

    left: _Floats
    top: _Floats
    right: _Floats
    bottom: _Floats

    @classmethod
    def of(cls, quads: Sequence[Quad]) -> _Boxes:
        corners = np.stack(quads).astype(np.float64)
        angle = _tilt(corners)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        low, high = (corners @ turn).min(axis=1), (corners @ turn).max(axis=1)
        return cls(low[:, 0], low[:, 1], high[:, 0], high[:, 1])

    @property
    def x(self) -> _Floats:
        return (self.left + self.right) / 2

    @property
    def y(self) -> _Floats:
        return (self.top + self.bottom) / 2

    @property
    def width(self) -> _Floats:
        return self.right - self.left

    @property
    def height(self) -> _Floats:
        return self.bottom - self.top


def put_in_order(found: Sequence[Detection]) -> list[Detection]:
    """Detections with their `row` and `column`, row by row, if two or
    more of them are confident and stand in rows; then the others, as
    they came.
    """
    placed = [at for at, one in enumerate(found) if one.false_accept_rate <= _LIKELY]
    if sum(one.confident for one in found) < 2:
        return list(found)

    places = find_places([found[at].quad for at in placed])
    if places is None:
        return list(found)
    in_rows = sorted(zip(places, placed, strict=True))
    told = [replace(found[at], row=row, column=column) for (row, column), at in in_rows]
    return told + [one for at, one in enumerate(found) if at not in placed]


def find_places(quads: Sequence[Quad]) -> list[tuple[int, int]] | None:
    """The (row, column) of each quad (4, 2) px, from 1 on; None where
    they lie about as they please.

    Where rows share their columns, as in a binder, an empty place
    counts as a column; else columns are counted along each row.
    """
    boxes = _Boxes.of(quads)
    rows = _chain(boxes)
    rows.sort(key=lambda row: float(boxes.y[row].mean()))
    if not _are_apart(rows, boxes):
        return None

    columns = _find_grid(rows, boxes)
    places = [(0, 0)] * len(quads)
    for number, row in enumerate(rows, 1):
        for at, one in enumerate(row):
            column = at if columns is None else int(columns[one])
            places[one] = number, column + 1
    return places


def _tilt(corners: _Floats) -> float:
    """Radians by which most edges of (N, 4, 2) quads are off level or upright."""
    edges = np.roll(corners, -1, axis=1) - corners
    # Four times the angle is the same for the four edges of a rectangle.
    angles = 4 * np.arctan2(edges[..., 1], edges[..., 0]).ravel()
    lengths = np.hypot(edges[..., 0], edges[..., 1]).ravel()
    return float(np.angle((lengths * np.exp(1j * angles)).sum()) / 4)


def _chain(boxes: _Boxes) -> list[Ints]:
    """Rows: the numbers of their things, from left to right."""
    count = len(boxes.left)
    following = [_find_next(at, boxes) for at in range(count)]
    row_of = np.arange(count)
    for at, after in enumerate(following):
        if after is not None:
            row_of[row_of == row_of[at]] = row_of[after]

    rows = [np.flatnonzero(row_of == row) for row in np.unique(row_of)]
    return [row[np.argsort(boxes.x[row], kind="stable")] for row in rows]


def _find_next(at: int, boxes: _Boxes) -> int | None:
    """The nearest thing on the right that stands as high."""
    shared = np.minimum(boxes.bottom, boxes.bottom[at]) - np.maximum(boxes.top, boxes.top[at])
    level = shared > _SAME_ROW * np.minimum(boxes.height, boxes.height[at])
    away = boxes.x - boxes.x[at]
    near = (away > 0) & (away < _REACH * np.maximum(boxes.width, boxes.width[at]))
    candidates = np.flatnonzero(level & near)
    return int(candidates[away[candidates].argmin()]) if len(candidates) else None


def _are_apart(rows: Sequence[Ints], boxes: _Boxes) -> bool:
    """Whether nothing of a row stands above or below another of it."""
    for row in rows:
        gap = np.diff(boxes.x[row])
        width = np.minimum(boxes.width[row][1:], boxes.width[row][:-1])
        if (gap < _SAME_COLUMN * width).any():
            return False
    return True


def _find_grid(rows: Sequence[Ints], boxes: _Boxes) -> Ints | None:
    """The column of each thing, from 0 on, where rows share them."""
    if len(rows) < 2:
        return None

    order = np.argsort(boxes.x, kind="stable")
    width = float(np.median(boxes.width))
    starts = np.diff(boxes.x[order], prepend=boxes.x[order[0]]) > _SAME_COLUMN * width
    column = np.empty(len(order), np.int64)
    column[order] = np.cumsum(starts)
    spread = [np.ptp(boxes.x[column == one]) for one in range(int(column.max()) + 1)]
    is_tidy = max(spread) < _SAME_COLUMN * width
    are_full = all(len(np.unique(column[row])) == len(row) for row in rows)
    return column if is_tidy and are_full else None
