"""From a cluster of votes to a checked homography with its outline, or to nothing.

Robust fit: MAGSAC++, Barath et al., CVPR 2020, as OpenCV has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.identify.recognize.features import Features, Floats, Ints, distances
from data_label_factory.identify.recognize.hough import Cluster
from data_label_factory.identify.recognize.local_index import LocalIndex, Pairs

Matrix = NDArray[np.float64]  # (3, 3)
Mask = NDArray[np.bool_]

_MIN_INLIERS = 5  # four points fit any homography
_MAX_DISTANCE = 0.5  # RootSIFT
_CLOSE, _WIDE = (0.03, 0.012), (0.08, 0.03, 0.012)
_WELL_SEEN = 0.12  # share of the expected features from which a pose needs no second start
_RATIO = 0.85
_TOLERANCE_PX = 3.0
_SURELY_SEEN_PX = (
    1.8  # a feature of this diameter in the frame should be found unless something is amiss
)
_MIN_EXPECTED = 5.0  # features; a share of fewer says little
_LEAST_INSIDE = (
    0.3  # of the expected features; of an item that the frame cuts off further, some are missed
)
_MIN_SIDE_PX = 12
_MIN_ANGLE_SINE = 0.34  # corners between 20° and 160°
_MAX_FORESHORTENING = 3
_MAX_ASPECT_CHANGE = 4
_MAX_REACH = 6  # frame sizes that a corner may lie outside


@dataclass(frozen=True)
class Hypothesis:
    """A reference that lies in the frame by `homography` (3, 3), reference px → frame px; `outline` (4, 2) px is
    clockwise from the reference's own top left; `inliers` are counted once a place; `share` is how much of
    what the reference should show at this size, inside the frame, was found, each feature by its rarity in the index:
    what all references have in common counts for nothing."""

    reference: int
    homography: Matrix
    quad: Quad
    inliers: int
    inlier_ratio: float


class FrameMatcher:
    """One frame's features against the references that votes point to."""

    def __init__(self, index: LocalIndex, frame: Features) -> None:
        self._index, self._frame = index, frame

    def verify(self, cluster: Cluster, candidates: Pairs, free: Mask) -> list[Hypothesis]:
        """Check a cluster against all `candidates` of its reference, using only the frame's `free` features (F,): one
        pose, or two to choose from by looks, or none."""
        index, frame = self._index, self._frame
        shape = index.shapes[cluster.reference]
        half = shape[::-1] / 2
        cos, sin = np.cos(cluster.angle), np.sin(cluster.angle)
        turn = cluster.scale * np.array([[cos, -sin], [sin, cos]])
        diagonal = 2 * float(np.hypot(*half)) * cluster.scale
        query, feature = candidates.query, candidates.feature
        gap = (index.xy[feature] - half) @ turn.T + cluster.center - frame.xy[query]
        fits = free[query] & (np.einsum("ij,ij->i", gap, gap) < (0.25 * diagonal) ** 2)
        fits &= self._fits_pose(query, feature, cluster.scale, cluster.angle)
        # One to one: in an index of few references a detail is paired with many of the same one.
        fits = np.flatnonzero(fits)
        fits = fits[mutual_best(query[fits], feature[fits], candidates.distance[fits])]
        query, feature = query[fits], feature[fits]
        fit = fit_homography(index.xy[feature], frame.xy[query], max(2.0, 0.012 * diagonal))
        if fit is None or project_quad(fit[0], shape, frame.shape) is None:
            return []
        found = [self._refine(cluster.reference, fit[0], free)]
        if found[0] is not None and found[0].inlier_ratio < _WELL_SEEN:
            # Matches in one corner of an item say little of how it lies: start from the votes' own similarity as well.
            similar = np.eye(3)
            similar[:2, :2], similar[:2, 2] = turn, cluster.center - turn @ half
            found.append(self._refine(cluster.reference, similar, free, _WIDE))
        return [one for one in found if one is not None]

    def match(self, reference: int, free: Mask) -> Hypothesis | None:
        """Match one reference with all `free` features of the frame, without votes: slower, and finds what the
        inverted index misses. Nearest neighbour with Lowe's ratio test among the reference's own features."""
        index, frame = self._index, self._frame
        first, last = index.first[reference], index.first[reference + 1]
        query = np.flatnonzero(free)
        if last - first < 2 or not len(query):
            return None
        ours = frame.descriptors[query].astype(np.float32)
        theirs = index.descriptors[first:last].astype(np.float32)
        gap = np.einsum("ij,ij->i", theirs, theirs) - 2 * ours @ theirs.T
        nearest = np.argpartition(gap, 1, axis=1)[:, :2]
        pair = (
            np.sort(np.take_along_axis(gap, nearest, axis=1), axis=1)
            + np.einsum("ij,ij->i", ours, ours)[:, None]
        )
        fits = pair[:, 0] < _RATIO**2 * pair[:, 1]
        feature = first + gap[fits].argmin(axis=1)
        shape = index.shapes[reference]
        fit = fit_homography(index.xy[feature], frame.xy[query[fits]], _TOLERANCE_PX)
        if fit is None or project_quad(fit[0], shape, frame.shape) is None:
            return None
        return self._refine(reference, fit[0], free)

    def _refine(
        self, reference: int, homography: Matrix, free: Mask, radii: Sequence[float] = _CLOSE
    ) -> Hypothesis | None:
        """Match again where the homography says, within each of `radii` (shares of the diagonal), and fit anew."""
        index, frame = self._index, self._frame
        shape = index.shapes[reference]
        features = np.arange(index.first[reference], index.first[reference + 1])
        found: tuple[Ints, Ints] | None = None
        for radius in radii:
            quad = project_quad(homography, shape, frame.shape)
            if quad is None:
                return None
            scale = float(np.sqrt(cv2.contourArea(quad) / shape.prod()))
            diagonal = scale * float(np.hypot(*shape))
            edge = quad[1] - quad[0] + quad[2] - quad[3]
            seen = features[
                index.size[features] * scale > 1.2
            ]  # finer than anything SIFT finds in the frame
            place = project(index.xy[seen], homography)
            turn = float(np.arctan2(edge[1], edge[0]))
            query, feature = self._near(seen, place, max(3.0, radius * diagonal), scale, turn, free)
            fit = fit_homography(index.xy[feature], frame.xy[query], max(2.0, 0.006 * diagonal))
            if fit is None or project_quad(fit[0], shape, frame.shape) is None:
                break
            homography, inlier = fit
            found = query[inlier], feature[inlier]
        quad = project_quad(homography, shape, frame.shape)
        if found is None or quad is None or len(found[0]) < _MIN_INLIERS:
            return None
        rarity = index.rarity[found[1]]
        kept = _first_of_place(frame.xy[found[0]], index.xy[found[1]], rarity)
        scale = float(np.sqrt(cv2.contourArea(quad) / shape.prod()))
        large = features[index.size[features] * scale > _SURELY_SEEN_PX]
        inside = within(project(index.xy[large], homography), frame.shape)
        expected = max(
            float(index.rarity[large[inside]].sum()),
            _LEAST_INSIDE * float(index.rarity[large].sum()),
        )
        inlier_ratio = float(rarity[kept].sum()) / max(expected, _MIN_EXPECTED)
        return Hypothesis(reference, homography, quad, len(kept), min(inlier_ratio, 1.0))

    def _near(
        self, features: Ints, place: Floats, radius: float, scale: float, angle: float, free: Mask
    ) -> tuple[Ints, Ints]:
        """Pairs that are each other's best within `radius` px of the predicted places: (frame rows, features)."""
        height, width = self._frame.shape
        inside = (
            (place > -radius).all(axis=1)
            & (place[:, 0] < width + radius)
            & (place[:, 1] < height + radius)
        )
        features, place = features[inside], place[inside]
        if not len(features):
            return features, features
        query, at = pairs_within(self._frame.xy, place, radius)
        feature = features[at]
        fits = free[query] & self._fits_pose(query, feature, scale, angle)
        query, feature = query[fits], feature[fits]
        gap = distances(self._index.descriptors[feature], self._frame.descriptors[query])
        best = mutual_best(query, feature, gap)
        best = best[gap[best] < _MAX_DISTANCE]
        return query[best], feature[best]

    def _fits_pose(self, query: Ints, feature: Ints, scale: float, angle: float) -> Mask:
        """Pairs whose size and angle fit the pose to about a factor of two and 45°."""
        octaves = np.log2(self._frame.size[query] / (self._index.size[feature] * scale))
        turn = (self._frame.angle[query] - self._index.angle[feature] - angle + np.pi) % (
            2 * np.pi
        ) - np.pi
        return np.asarray((np.abs(octaves) < 1.1) & (np.abs(turn) < 0.85), bool)


def fit_homography(
    source: Floats, target: Floats, tolerance_px: float
) -> tuple[Matrix, Mask] | None:
    """(N, 2) → (N, 2) px: the homography and its inliers (N,), or None. OpenCV raises for too few points and answers
    nothing for collinear ones."""
    if len(source) < _MIN_INLIERS:
        return None
    try:
        matrix, inlier = cv2.findHomography(
            source, target, cv2.USAC_MAGSAC, tolerance_px, maxIters=1500, confidence=0.999
        )
    except cv2.error:
        return None
    if matrix is None or matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        return None
    return np.asarray(matrix, np.float64), np.asarray(inlier, bool).ravel()


def project_quad(homography: Matrix, shape: Floats, frame_shape: tuple[int, int]) -> Quad | None:
    """The outline (4, 2) px of a reference of `shape` (height, width), if it is one a flat thing before a camera can
    have: convex, not mirrored, of some size, no corner too sharp, not too foreshortened."""
    height, width = (float(v) for v in shape)
    corners = as_points([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    depth = corners @ homography[2, :2] + homography[2, 2]
    if (
        depth <= 1e-6 * abs(homography[2, 2])
    ).any() or depth.max() > _MAX_FORESHORTENING * depth.min():
        return None
    quad = as_points((corners @ homography[:2, :2].T + homography[:2, 2]) / depth[:, None])
    edges = np.roll(quad, -1, axis=0) - quad
    following = np.roll(edges, -1, axis=0)
    cross = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    sides = np.hypot(edges[:, 0], edges[:, 1])
    if (cross <= 0).any() or sides.min() < _MIN_SIDE_PX:
        return None
    if (cross / (sides * np.roll(sides, -1))).min() < _MIN_ANGLE_SINE:
        return None
    opposite = sides[:2] / sides[2:]
    aspect = (sides[0] + sides[2]) / (sides[1] + sides[3]) / (width / height)
    if max(opposite.max(), (1 / opposite).max()) > _MAX_FORESHORTENING:
        return None
    if not 1 / _MAX_ASPECT_CHANGE < aspect < _MAX_ASPECT_CHANGE or np.abs(
        quad
    ).max() > _MAX_REACH * max(frame_shape):
        return None
    return quad


def project(points: Floats, homography: Matrix) -> Floats:
    """(N, 2) → (N, 2); OpenCV raises for none."""
    return (
        np.asarray(cv2.perspectiveTransform(points[None], homography)[0], np.float32)
        if len(points)
        else points
    )


def within(points: Floats, frame_shape: tuple[int, int]) -> Mask:
    """(N, 2) px → (N,) whether inside a frame of that (height, width)."""
    height, width = frame_shape
    return np.asarray(((points >= 0) & (points <= (width - 1, height - 1))).all(axis=1), bool)


def pairs_within(points: Floats, places: Floats, radius: float) -> tuple[Ints, Ints]:
    """Pairs of (P, 2) points and (Q, 2) places at most `radius` px apart: rows of both, (M,) each.

    By a grid of cells as wide as the radius. Cells are numbered row by row, so the three that a place needs of each
    row are one run of the sorted points.
    """
    if not len(points) or not len(places):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    corner = points.min(axis=0)
    cell = np.floor((points - corner) / radius).astype(np.int64)
    last = cell.max(axis=0)
    stride = last[0] + 3  # two empty columns, so that no run reaches into the next row
    key = cell[:, 1] * stride + cell[:, 0]
    order = np.argsort(key, kind="stable")
    # Far places are moved to just beyond the grid, which keeps their numbers valid; their distance refuses them below.
    column, row = np.floor((places - corner) / radius).clip(-1, last + 1).astype(np.int64).T
    middle = ((row[:, None] + np.array([-1, 0, 1])) * stride + column[:, None]).ravel()
    start = np.searchsorted(key[order], middle - 1, side="left")
    lengths = np.searchsorted(key[order], middle + 1, side="right") - start
    run = np.repeat(np.arange(len(middle)), lengths)
    within_run = np.arange(len(run)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    point, place = order[start[run] + within_run], run // 3
    gap = points[point] - places[place]
    near = np.einsum("ij,ij->i", gap, gap) <= radius**2
    return point[near], place[near]


def mutual_best(a: Ints, b: Ints, distance: Floats) -> Ints:
    """Which of M pairs (a[i], b[i]) are the nearest of both their sides: rows, ascending."""
    order = np.argsort(distance, kind="stable")
    best_of_a, best_of_b = np.zeros(len(order), bool), np.zeros(len(order), bool)
    best_of_a[order[np.unique(a[order], return_index=True)[1]]] = True
    best_of_b[order[np.unique(b[order], return_index=True)[1]]] = True
    return np.flatnonzero(best_of_a & best_of_b)


def _first_of_place(a: Floats, b: Floats, rarity: Floats) -> Ints:
    """Rows of one inlier a place (2 px in both pictures), the rarest, since SIFT often describes one place several
    times."""
    order = np.argsort(-rarity, kind="stable")
    for points in (a, b):
        spots = np.round(points[order] / 2).astype(np.int64)
        order = order[np.sort(np.unique(spots, axis=0, return_index=True)[1])]
    return order
