"""From a cluster of votes to a checked pose with its homography and quad,
or to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize.codes import ZERO, Coordinates
from data_label_factory.identify.recognize.features import Features, Floats, Ints, Mask
from data_label_factory.identify.recognize.geometry import (
    MIN_INLIERS,
    Matrix,
    fit_homography,
    mutual_best,
    pairs_within,
    project,
    project_quad,
    rows_in_box,
    within,
)
from data_label_factory.identify.recognize.hough import Cluster
from data_label_factory.identify.recognize.local_index import (
    Details,
    LocalIndex,
    Pairs,
    near_distances,
)

_MAX_DISTANCE = 0.5  # RootSIFT
_RATIO = 0.85  # of the nearest distance to the second: Lowe, IJCV 2004, has 0.8

# Radii, as fractions of the item's diagonal in the frame.
_AROUND_CLUSTER = 0.25  # of matches that the first fit is made from
_CLOSE = (0.03, 0.012)  # of matches around a homography, step by step
# The same around the similarity of the votes, which is less exact.
_WIDE = (0.08, 0.03, 0.012)
_MIN_RADIUS_PX = 3.0

# Tolerances of a fit, as fractions of the diagonal. SIFT is not more exact than 2
# px in a frame.
_FIRST_TOLERANCE = 0.012
_TOLERANCE = 0.006
_MIN_TOLERANCE_PX = 2.0
_MATCH_TOLERANCE_PX = 3.0

# How far size and angle of a feature may differ from what the pose predicts.
_MAX_OCTAVES = 1.1
_MAX_TURN = 0.85  # radians

_WELL_SEEN = 0.12  # inlier ratio from which a pose needs no second start
_DETECTABLE_PX = 1.2  # SIFT finds nothing of a smaller diameter in the frame
# A feature of this diameter should be found unless something is amiss.
_SURELY_SEEN_PX = 1.8
_MIN_EXPECTED = 5.0  # features; a fraction of fewer says little
# Of the expected features; of an item cut off further, some are missed.
_LEAST_INSIDE = 0.3
_PLACE_PX = 2  # SIFT often describes one place several times


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A reference that lies in the frame by `homography` (3, 3), reference px
    → frame px.

    `quad` (4, 2) px runs clockwise from the reference's own top left.
    `inliers` are counted once per place. `inlier_ratio` is how much of what
    the reference should show at this size, inside the frame, was found. Each
    feature counts by its rarity in the index: what all references have in
    common counts for nothing.
    """

    reference: int
    homography: Matrix
    quad: Quad
    inliers: int
    inlier_ratio: float


@dataclass(frozen=True, eq=False)
class _Size:
    """How large and how turned a reference of `shape` lies in a frame, by
    its quad there.
    """

    scale: float  # frame px per reference px
    diagonal: float  # px in the frame
    turn: float  # radians

    @classmethod
    def of(cls, quad: Quad, shape: Floats) -> _Size:
        scale = float(np.sqrt(cv2.contourArea(quad) / shape.prod()))
        edge = quad[1] - quad[0] + quad[2] - quad[3]
        turn = float(np.arctan2(edge[1], edge[0]))
        return cls(scale, scale * float(np.hypot(*shape)), turn)


class FrameMatcher:
    """One frame's features against the references that votes point to."""

    def __init__(self, index: LocalIndex, frame: Features) -> None:
        self._index = index
        self._frame = frame

    def verify(self, cluster: Cluster, candidates: Pairs, free: Mask) -> list[Hypothesis]:
        """Check a cluster against all `candidates` of its reference.

        Uses only the frame's `free` features (F,). Gives one pose, or two to
        choose from by appearance, or none.
        """
        details = self._index.details(cluster.reference)
        half = details.shape[::-1] / 2
        cos, sin = np.cos(cluster.angle), np.sin(cluster.angle)
        turn = cluster.scale * np.array([[cos, -sin], [sin, cos]])
        homography = self._fit_cluster(cluster, details, candidates, free, turn)
        if homography is None:
            return []

        found = [self._refine(cluster.reference, details, homography, free)]
        if found[0] is not None and found[0].inlier_ratio < _WELL_SEEN:
            # Matches in one corner of an item say little about how it lies: start
            # from the votes' own similarity as well.
            similarity = np.eye(3)
            similarity[:2, :2] = turn
            similarity[:2, 2] = cluster.center - turn @ half
            found.append(self._refine(cluster.reference, details, similarity, free, _WIDE))
        return [one for one in found if one is not None]

    def match(self, reference: int, free: Mask) -> Hypothesis | None:
        """Match one reference with all `free` features of the frame, without
        votes.

        Slower, and finds what the inverted index misses. Nearest neighbor
        with Lowe's ratio test among the reference's own features.
        """
        details = self._index.details(reference)
        query = np.flatnonzero(free)
        if len(details) < 2 or not len(query):
            return None

        ours = _centered(self._frame.descriptors[query])
        theirs = _centered(details.descriptors)
        gap = np.einsum("ij,ij->i", theirs, theirs) - 2 * ours @ theirs.T
        nearest = np.argpartition(gap, 1, axis=1)[:, :2]
        two_best = np.sort(np.take_along_axis(gap, nearest, axis=1), axis=1)
        squares = two_best + np.einsum("ij,ij->i", ours, ours)[:, None]

        passes = squares[:, 0] < _RATIO**2 * squares[:, 1]
        feature = gap[passes].argmin(axis=1)
        fit = self._fit(details, query[passes], feature, _MATCH_TOLERANCE_PX)
        return None if fit is None else self._refine(reference, details, fit[0], free)

    def _fit_cluster(
        self, cluster: Cluster, details: Details, candidates: Pairs, free: Mask, turn: Matrix
    ) -> Matrix | None:
        """A first homography, from the candidates near where the cluster's
        similarity puts them.
        """
        half = details.shape[::-1] / 2
        diagonal = 2 * float(np.hypot(*half)) * cluster.scale

        query, feature = candidates.query, candidates.feature - details.first
        gap = (details.xy[feature] - half) @ turn.T + cluster.center - self._frame.xy[query]
        near = np.einsum("ij,ij->i", gap, gap) < (_AROUND_CLUSTER * diagonal) ** 2
        near &= free[query]
        near &= self._fits_pose(details, query, feature, cluster.scale, cluster.angle)

        # One to one: in an index of few references a detail is paired with many of
        # the same one.
        rows = np.flatnonzero(near)
        rows = rows[mutual_best(query[rows], feature[rows], candidates.distance[rows])]
        tolerance = max(_MIN_TOLERANCE_PX, _FIRST_TOLERANCE * diagonal)
        fit = self._fit(details, query[rows], feature[rows], tolerance)
        return None if fit is None else fit[0]

    def _refine(
        self,
        reference: int,
        details: Details,
        homography: Matrix,
        free: Mask,
        radii: Sequence[float] = _CLOSE,
    ) -> Hypothesis | None:
        """Match again around where the homography puts each feature, and
        fit anew, per radius.
        """
        shape = details.shape
        inliers: tuple[Ints, Ints] | None = None
        for radius in radii:
            quad = project_quad(homography, shape, self._frame.shape)
            if quad is None:
                return None
            size = _Size.of(quad, shape)
            query, feature = self._match_around(details, homography, size, radius, free)
            tolerance = max(_MIN_TOLERANCE_PX, _TOLERANCE * size.diagonal)
            fit = self._fit(details, query, feature, tolerance)
            if fit is None:
                break
            homography, inlier = fit
            inliers = query[inlier], feature[inlier]

        quad = project_quad(homography, shape, self._frame.shape)
        if inliers is None or quad is None or len(inliers[0]) < MIN_INLIERS:
            return None
        count, inlier_ratio = self._measure(details, homography, quad, *inliers)
        return Hypothesis(reference, homography, quad, count, inlier_ratio)

    def _fit(
        self, details: Details, query: Ints, feature: Ints, tolerance_px: float
    ) -> tuple[Matrix, Mask] | None:
        """The homography of matches and its inliers, if a camera can see the
        reference so.
        """
        fit = fit_homography(details.xy[feature], self._frame.xy[query], tolerance_px)
        if fit is None or project_quad(fit[0], details.shape, self._frame.shape) is None:
            return None
        return fit

    def _measure(
        self, details: Details, homography: Matrix, quad: Quad, query: Ints, feature: Ints
    ) -> tuple[int, float]:
        """The number of inliers, one per place, and the inlier ratio; see Hypothesis."""
        rarity = details.rarity[feature]
        kept = _keep_one_per_place(self._frame.xy[query], details.xy[feature], rarity)

        scale = _Size.of(quad, details.shape).scale
        large = np.flatnonzero(details.size * scale > _SURELY_SEEN_PX)
        inside = within(project(details.xy[large], homography), self._frame.shape)
        expected_inside = float(details.rarity[large[inside]].sum())
        expected = max(expected_inside, _LEAST_INSIDE * float(details.rarity[large].sum()))
        inlier_ratio = float(rarity[kept].sum()) / max(expected, _MIN_EXPECTED)
        return len(kept), min(inlier_ratio, 1.0)

    def _match_around(
        self, details: Details, homography: Matrix, size: _Size, radius: float, free: Mask
    ) -> tuple[Ints, Ints]:
        """Pairs that are each other's best around the predicted places:
        (frame rows, features).

        `radius` is a fraction of the diagonal.
        """
        frame = self._frame
        features = np.flatnonzero(details.size * size.scale > _DETECTABLE_PX)
        place = project(details.xy[features], homography)

        reach = max(_MIN_RADIUS_PX, radius * size.diagonal)
        height, width = frame.shape
        inside = (place > -reach).all(axis=1) & (place < (width + reach, height + reach)).all(
            axis=1
        )
        features, place = features[inside], place[inside]
        if not len(features):
            return features, features

        around = rows_in_box(frame.xy, place, reach)
        near, at = pairs_within(frame.xy[around], place, reach)
        query, feature = around[near], features[at]
        fits = free[query] & self._fits_pose(details, query, feature, size.scale, size.turn)
        query, feature = query[fits], feature[fits]

        ours, theirs = frame.descriptors[query], details.descriptors[feature]
        distance = near_distances(ours, theirs, details.slack[feature])
        best = mutual_best(query, feature, distance)
        best = best[distance[best] < _MAX_DISTANCE]
        return query[best], feature[best]

    def _fits_pose(
        self, details: Details, query: Ints, feature: Ints, scale: float, angle: float
    ) -> Mask:
        """Pairs whose size and angle fit the pose to about a factor of two and 45°."""
        frame = self._frame
        octaves = np.log2(frame.size[query] / (details.size[feature] * scale))
        turn = frame.angle[query] - details.angle[feature] - angle
        turn = (turn + np.pi) % (2 * np.pi) - np.pi
        return np.asarray((np.abs(octaves) < _MAX_OCTAVES) & (np.abs(turn) < _MAX_TURN), bool)


def _centered(coordinates: Coordinates) -> Floats:
    """As float32, around 0, where sums of products are exact."""
    return coordinates.astype(np.float32) - np.float32(ZERO)


def _keep_one_per_place(a: Floats, b: Floats, rarity: Floats) -> Ints:
    """Rows of one inlier per place in both pictures: the rarest."""
    order = np.argsort(-rarity, kind="stable")
    for points in (a, b):
        spots = np.round(points[order] / _PLACE_PX).astype(np.int64)
        order = order[np.sort(np.unique(spots, axis=0, return_index=True)[1])]
    return order
