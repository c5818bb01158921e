"""Planes and points: fit and apply a homography, and find points
that lie close together.

Robust fit: MAGSAC++, Barath et al., CVPR 2020, as OpenCV has it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.quad import Quad, as_points, frame_quad
from data_label_factory.identify.recognize.features import Floats, Ints, Mask

Matrix = NDArray[np.float64]  # (3, 3)

MIN_INLIERS = 5  # four points fit any homography
_MAGSAC_ITERATIONS = 1500
_MAGSAC_CONFIDENCE = 0.999

# What a flat thing in front of a camera can look like.
_MIN_SIDE_PX = 12
_MIN_ANGLE_SINE = 0.34  # corners between 20° and 160°
_MAX_FORESHORTENING = 3
_MAX_ASPECT_CHANGE = 4
_MAX_REACH = 6  # frame sizes that a corner may lie outside
_HORIZON = 1e-6  # depth, as a fraction of that at the reference's own top left


def fit_homography(
    source: Floats, target: Floats, tolerance_px: float
) -> tuple[Matrix, Mask] | None:
    """(N, 2) → (N, 2) px: the homography and its inliers (N,), or None."""
    if len(source) < MIN_INLIERS:
        return None

    try:
        matrix, inlier = cv2.findHomography(
            source,
            target,
            cv2.USAC_MAGSAC,
            tolerance_px,
            maxIters=_MAGSAC_ITERATIONS,
            confidence=_MAGSAC_CONFIDENCE,
        )
    except cv2.error:  # for collinear points, now and then
        return None
    if matrix is None or matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        return None
    return np.asarray(matrix, np.float64), np.asarray(inlier, bool).ravel()


def project_quad(homography: Matrix, shape: Floats, frame_shape: tuple[int, int]) -> Quad | None:
    """The quad (4, 2) px of a reference of `shape` (height, width),
    if a camera can see it so.

    None unless it is convex, not mirrored, of some size, and
    neither too sharp nor too foreshortened.
    """
    height, width = (float(v) for v in shape)
    corners = frame_quad(width, height)
    depth = corners @ homography[2, :2] + homography[2, 2]
    if (depth <= _HORIZON * abs(homography[2, 2])).any():
        return None
    if depth.max() > _MAX_FORESHORTENING * depth.min():
        return None

    quad = as_points((corners @ homography[:2, :2].T + homography[:2, 2]) / depth[:, None])
    reach = _MAX_REACH * max(frame_shape)
    return quad if _is_plausible(quad, width / height) and np.abs(quad).max() <= reach else None


def _is_plausible(quad: Quad, aspect_ratio: float) -> bool:
    edges = np.roll(quad, -1, axis=0) - quad
    following = np.roll(edges, -1, axis=0)
    cross = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    sides = np.hypot(edges[:, 0], edges[:, 1])
    if (cross <= 0).any() or sides.min() < _MIN_SIDE_PX:
        return False
    if (cross / (sides * np.roll(sides, -1))).min() < _MIN_ANGLE_SINE:
        return False

    opposite = sides[:2] / sides[2:]
    if max(opposite.max(), (1 / opposite).max()) > _MAX_FORESHORTENING:
        return False
    change = (sides[0] + sides[2]) / (sides[1] + sides[3]) / aspect_ratio
    return bool(1 / _MAX_ASPECT_CHANGE < change < _MAX_ASPECT_CHANGE)


def project(points: Floats, homography: Matrix) -> Floats:
    """(N, 2) → (N, 2) by the homography."""
    if not len(points):  # OpenCV raises for none
        return points
    return np.asarray(cv2.perspectiveTransform(points[None], homography)[0], np.float32)


def within(points: Floats, frame_shape: tuple[int, int]) -> Mask:
    """(N, 2) px → (N,) whether inside a frame of that (height, width)."""
    height, width = frame_shape
    return np.asarray(((points >= 0) & (points <= (width - 1, height - 1))).all(axis=1), bool)


def pairs_within(points: Floats, places: Floats, radius: float) -> tuple[Ints, Ints]:
    """Pairs of (P, 2) points and (Q, 2) places at most `radius` px
    apart: rows of both, (M,) each.

    By a grid of cells as wide as the radius. Cells are numbered row by
    row, so the three that a place needs of each row are one run of the
    sorted points.
    """
    if not len(points) or not len(places):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)

    corner = points.min(axis=0)
    cell = np.floor((points - corner) / radius).astype(np.int64)
    last = cell.max(axis=0)
    stride = last[0] + 3  # two empty columns, so that no run reaches into the next row
    key = cell[:, 1] * stride + cell[:, 0]
    order = np.argsort(key, kind="stable")

    # Far places are moved to just beyond the grid, which keeps their numbers valid;
    # the distance below refuses them.
    column, row = np.floor((places - corner) / radius).clip(-1, last + 1).astype(np.int64).T
    middle = ((row[:, None] + np.array([-1, 0, 1])) * stride + column[:, None]).ravel()
    start = np.searchsorted(key[order], middle - 1, side="left")
    lengths = np.searchsorted(key[order], middle + 1, side="right") - start

    run = np.repeat(np.arange(len(middle)), lengths)
    within_run = np.arange(len(run)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    point = order[start[run] + within_run]
    place = run // 3
    gap = points[point] - places[place]
    near = np.einsum("ij,ij->i", gap, gap) <= radius**2
    return point[near], place[near]


def rows_in_box(points: Floats, places: Floats, reach: float) -> Ints:
    """The rows of the points (N, 2) in the box around the places,
    and at most `reach` px beyond it.
    """
    low, high = places.min(axis=0) - reach, places.max(axis=0) + reach
    x, y = points.T
    inside = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
    return np.flatnonzero(inside)


def mutual_best(a: Ints, b: Ints, distance: Floats) -> Ints:
    """Which of M pairs (a[i], b[i]) are the nearest of both their
    sides: rows, ascending.
    """
    order = np.argsort(distance, kind="stable")
    best_of_a = np.zeros(len(order), bool)
    best_of_a[order[np.unique(a[order], return_index=True)[1]]] = True
    best_of_b = np.zeros(len(order), bool)
    best_of_b[order[np.unique(b[order], return_index=True)[1]]] = True
    return np.flatnonzero(best_of_a & best_of_b)
