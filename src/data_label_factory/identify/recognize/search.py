"""One frame against all references, from coarse to fine.

What a camera shows at some size is found in half the resolution,
at a quarter of the cost. Small items, and ones seen badly, leave
a few votes there that no pose explains: only around these is the
frame looked at in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import cv2
import numpy as np

from data_label_factory.identify.choices import Effort
from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Box, Quad, as_points, box_of
from data_label_factory.identify.recognize.features import COARSE, FINE, Features, Floats, Ints
from data_label_factory.identify.recognize.hough import Cluster
from data_label_factory.identify.recognize.references import ReferenceFeatures
from data_label_factory.identify.recognize.scale_search import MOST_CHECKED, ScaleSearch
from data_label_factory.identify.recognize.scoring import ScoredPose
from data_label_factory.identify.recognize.tiles import dense_features

# Clusters that are worth a closer look. A larger item shows enough in few px; and
# votes of unrelated pictures agree by chance mostly on large ones. Set by hand: of
# 282 cards, seen with 75 to 140 px, those that the coarse look misses have weights of
# 0.3 to 1.7.
_MOST_REGIONS = 3
_WEIGHT = 1.5  # times the item's diagonal, as a fraction of the frame's longer side
_LEAST_WEIGHT = 0.3
_LARGEST = 0.6  # of the frame's longer side, beside an item that is found already

# A photo that a look at 1,024 px shows at less than this scale is large; where
# it has no main thing of this part of its area, it may be of many small ones.
_LARGE = 0.8
_MAIN_THING = 0.08
_FRAME_PX = 1024 * 768  # that limits for one frame are meant for

# Of many small things: the longer side of the photo at the first level, and at most;
# and the least step between two. Cards and spines are found from 45 to 50 px on the
# short side (docs/benchmarks.md).
_FIRST_LEVEL_PX = 1280
_LAST_LEVEL_PX = 5000
_NEXT_LEVEL = 1.4
_ENOUGH_PX = 50

_MARGIN = 1.25  # of a region around the item that votes place there


class FrameSearch:
    """The poses of references in one (H, W, 3) frame.

    `hidden` are the numbers of references to pass over,
    `explained` quads (4, 2) px whose features belong to something
    that is known already, and `most_checked` the clusters of
    votes that are verified at each scale. With the `effort`
    "thorough", and in large photos with "auto", what the coarse
    look leaves is searched for many small things.
    """

    def __init__(
        self,
        frame: RGB,
        references: ReferenceFeatures,
        hidden: Ints,
        explained: Sequence[Quad] = (),
        most_checked: int = MOST_CHECKED,
        effort: Effort = "fast",
    ) -> None:
        self._effort = effort
        self._frame = frame
        self._shape = frame.shape[0], frame.shape[1]
        self._references = references
        self._hidden = hidden
        self._explained = list(explained)
        self._most_checked = most_checked

    def by_votes(self) -> list[ScoredPose]:
        """The poses of clusters of votes, see `ScaleSearch.by_votes`."""
        is_small = COARSE.factor(self._shape) >= FINE.factor(self._shape)
        if is_small and self._effort != "thorough":
            return self._by_votes(self._fine)

        coarse = self._search(COARSE(self._frame))
        poses = self._by_votes(coarse)
        if self._is_worth_more(poses):
            return [*poses, *self._by_levels()]

        regions: list[Quad] = []
        for cluster in sorted(coarse.undecided, key=lambda one: -one.weight):
            if len(regions) == _MOST_REGIONS:
                break
            if self._is_promising(cluster) and not _holds(regions, cluster.center):
                regions.append(self._region(cluster))
                poses += self._by_votes(self._look_closely(box_of(regions[-1])))
        return poses

    def by_shortlist(self, numbers: Sequence[int]) -> list[ScoredPose]:
        """The poses of the references `numbers`, each matched
        alone with all features that no convincing pose explains.
        """
        return self._fine.by_shortlist(numbers) if numbers else []

    def _by_votes(self, one: ScaleSearch) -> list[ScoredPose]:
        poses = one.by_votes()
        self._explained += [pose.quad for pose in poses if pose.is_convincing]
        return poses

    @cached_property
    def _fine(self) -> ScaleSearch:
        height, width = self._shape
        return self._look_closely((0, 0, width, height))

    def _by_levels(self) -> list[ScoredPose]:
        """Many things: first at one scale, with all features that there are;
        then, of what that leaves, as closely as their size asks for.
        """
        longest = max(self._shape)
        first = min(1.0, _FIRST_LEVEL_PX / longest)
        search = self._search_densely(first)
        poses = self._by_votes(search)
        second = min(1.0, _LAST_LEVEL_PX / longest, self._choose_level(poses))
        if second > first * _NEXT_LEVEL:
            poses += self._by_votes(self._search_densely(second, search.unexplained))
        return poses

    def _search_densely(self, factor: float, around: Floats | None = None) -> ScaleSearch:
        features = dense_features(self._frame, factor, around)
        height, width = self._shape
        area = height * width * factor**2
        most = round(self._most_checked * max(1.0, area / _FRAME_PX))
        return self._search(features, most)

    def _choose_level(self, poses: Sequence[ScoredPose]) -> float:
        """The scale at which things of half the size of those that were
        found show enough; 1 if none were.
        """
        sides = [_short_side(pose.quad) for pose in poses if pose.is_convincing]
        return _ENOUGH_PX / (float(np.median(sides)) / 2) if sides else 1.0

    def _is_worth_more(self, poses: Sequence[ScoredPose]) -> bool:
        """Whether to look for many small things."""
        if self._effort != "auto":
            return self._effort == "thorough"
        if FINE.factor(self._shape) > _LARGE:
            return False
        height, width = self._shape
        main = _MAIN_THING * height * width
        return not any(pose.is_convincing and cv2.contourArea(pose.quad) > main for pose in poses)

    def _look_closely(self, box: Box) -> ScaleSearch:
        return self._search(FINE.within(self._frame, box))

    def _search(self, features: Features, most: int = 0) -> ScaleSearch:
        return ScaleSearch(
            self._frame,
            features,
            self._references,
            self._hidden,
            self._explained,
            most or self._most_checked,
        )

    def _is_promising(self, cluster: Cluster) -> bool:
        """Whether there may be an item that a closer look would show."""
        shape = self._references.local.shape(cluster.reference)
        part = cluster.scale * float(np.hypot(*shape)) / max(self._shape)
        if cluster.weight < max(_LEAST_WEIGHT, _WEIGHT * part):
            return False
        if part > _LARGEST and self._explained:
            return False
        return not _holds(self._explained, cluster.center)

    def _region(self, cluster: Cluster) -> Quad:
        """(4, 2) px around the item that a cluster places in the frame."""
        height, width = self._references.local.shape(cluster.reference) * cluster.scale * _MARGIN
        center = tuple(map(float, cluster.center))
        turned = (center, (float(width), float(height)), float(np.rad2deg(cluster.angle)))
        return as_points(cv2.boxPoints(turned))


def _short_side(quad: Quad) -> float:
    """The mean of two opposite sides, of the shorter pair."""
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    return float(min(sides[0] + sides[2], sides[1] + sides[3]) / 2)


def _holds(quads: Sequence[Quad], point: Floats) -> bool:
    x, y = map(float, point)
    return any(cv2.pointPolygonTest(quad, (x, y), False) >= 0 for quad in quads)
