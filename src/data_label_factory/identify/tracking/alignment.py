"""A known pose in a new frame: moved by flow, laid exactly onto
the reference, and checked by its looks.

Far cheaper than finding the item anew, and without drift, since
every frame is compared with the reference picture and not with
the frame before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, box_of
from data_label_factory.identify.recognize.features import COARSE, Floats
from data_label_factory.identify.recognize.geometry import Matrix, project, project_quad
from data_label_factory.identify.recognize.pose import Hypothesis
from data_label_factory.identify.recognize.references import ReferenceFeatures
from data_label_factory.identify.recognize.scale_search import ScaleSearch
from data_label_factory.identify.recognize.scoring import (
    ScoredPose,
    resizing,
    score_pose,
    straighten_like,
)

_MOST_POINTS, _QUALITY, _APART_PX = 60, 0.02, 6  # corners of the thumbnail
_MOST_ANCHORS = 64
_WINDOW = (15, 15)
_LEVELS = 2
_TOLERANCE_PX = 1.5  # of the thumbnail's 144
_MIN_AGREEING, _MIN_FRACTION = 12, 0.4
_GRAY_MEAN, _GRAY_SPREAD = 128.0, 50.0  # of what flow compares

# What a pose must look like to be the same thing as a frame ago. Of 868 cards laid
# into the place of another of the same template, 3 reach all three, none without a
# sudden fall, and none the second line; of 87 true ones all reach the first, and 86
# the second (`python bench/held_poses.py`). A fall is left to a search to decide.
_SAME_APPEARANCE, _SAME_CORRELATION, _SAME_COLOR = 10.0, 0.55, -0.6
_CLEAR_APPEARANCE, _CLEAR_CORRELATION = 25.0, 0.7  # where there is no frame ago
_SUDDEN_FALL = 0.25  # of the correlation
_REACH = 0.6  # times its size that a thing may have moved


@dataclass(frozen=True, eq=False)
class Anchor:
    """A reference's thumbnail (H, W), and its corners (N, 2) px
    to hold on to.
    """

    gray: NDArray[np.uint8]
    corners: Floats

    @classmethod
    def of(cls, thumbnail: RGB) -> Anchor:
        """(H, W, 3) uint8 RGB, as `references` keeps it."""
        gray = np.asarray(cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY), np.uint8)
        corners = cv2.goodFeaturesToTrack(gray, _MOST_POINTS, _QUALITY, _APART_PX)
        none = np.zeros((0, 2), np.float32)
        return cls(_even_out(gray), none if corners is None else np.asarray(corners[:, 0]))


class Anchors:
    """The anchors of the references used last, made when they are
    first needed.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Anchor] = OrderedDict()

    def find(self, reference: int, references: ReferenceFeatures) -> Anchor:
        """The anchor of a reference by its number."""
        if reference not in self._kept:
            self._kept[reference] = Anchor.of(references.thumbs[reference])
        self._kept.move_to_end(reference)
        if len(self._kept) > _MOST_ANCHORS:
            self._kept.popitem(last=False)
        return self._kept[reference]


def hold(
    frame: RGB,
    pose: ScoredPose,
    motion: Matrix | None,
    anchors: Anchors,
    references: ReferenceFeatures,
) -> ScoredPose | None:
    """The pose of a frame ago in this (H, W, 3) one, or None if
    the item is not seen there any more.

    `motion` (3, 3) is that of the frame's content there; None
    tries the old place.
    """
    before = pose.hypothesis
    homography = before.homography if motion is None else motion @ before.homography
    anchor = anchors.find(before.reference, references)
    homography = _align(frame, homography, before.reference, anchor, references)

    shape = references.local.shape(before.reference)
    quad = project_quad(homography, shape, (frame.shape[0], frame.shape[1]))
    if quad is None:
        return None

    moved: Hypothesis = replace(before, homography=homography, quad=quad)
    found = score_pose(frame, moved, references)
    return found if is_same_thing(pose, found) else None


def find_again(
    frame: RGB, pose: ScoredPose, others: Sequence[Quad], references: ReferenceFeatures
) -> ScoredPose | None:
    """The thing of a pose of a moment ago, looked for around its
    place by local features, or None. `others` are the quads (4,
    2) px of other things.

    Finds what moved too fast for flow, at a fraction of the cost
    of a search.
    """
    left, top, right, bottom = box_of(pose.quad)
    reach = _REACH * max(right - left, bottom - top)
    box = left - reach, top - reach, right + reach, bottom + reach
    features = COARSE.within(frame, box)

    nothing_hidden = np.zeros(0, np.int64)
    around = ScaleSearch(frame, features, references, nothing_hidden, others)
    found = around.by_shortlist([pose.hypothesis.reference])
    return found[0] if found and is_clear(found[0]) else None


def move_pose(pose: ScoredPose, motion: Matrix) -> ScoredPose:
    """The pose moved by `motion` (3, 3) px, with what it was
    scored by before.
    """
    before = pose.hypothesis
    homography = np.asarray(motion @ before.homography, np.float64)
    quad = project(before.quad, motion)
    return replace(pose, hypothesis=replace(before, homography=homography, quad=quad))


def is_clear(pose: ScoredPose) -> bool:
    """Whether a pose shows its reference without a doubt."""
    return (
        pose.evidence.whole > _CLEAR_APPEARANCE
        and pose.evidence.whole_correlation > _CLEAR_CORRELATION
        and pose.color > _SAME_COLOR
    )


def is_same_thing(before: ScoredPose, now: ScoredPose) -> bool:
    """Whether a place still shows what it did a frame `before`."""
    fall = before.evidence.whole_correlation - now.evidence.whole_correlation
    return (
        now.evidence.whole > _SAME_APPEARANCE
        and now.evidence.whole_correlation > _SAME_CORRELATION
        and fall < _SUDDEN_FALL
        and now.color > _SAME_COLOR
    )


def _align(
    frame: RGB, homography: Matrix, reference: int, anchor: Anchor, references: ReferenceFeatures
) -> Matrix:
    """The homography (3, 3) with what is left between crop and
    thumbnail taken out.

    Unchanged where too few corners agree.
    """
    if len(anchor.corners) < _MIN_AGREEING:
        return homography

    size = anchor.gray.shape
    resize = resizing(references.local.shape(reference), size)
    crop = straighten_like(frame, homography @ resize, size)
    gray = _even_out(np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8))
    found, is_found, _ = cv2.calcOpticalFlowPyrLK(
        anchor.gray,
        gray,
        anchor.corners[:, None],
        None,  # type: ignore[call-overload]
        winSize=_WINDOW,
        maxLevel=_LEVELS,
    )
    good = is_found.ravel() == 1
    if good.sum() < _MIN_AGREEING:
        return homography

    residual, agrees = cv2.findHomography(
        anchor.corners[good], found[:, 0][good], cv2.RANSAC, _TOLERANCE_PX
    )
    enough = max(_MIN_AGREEING, _MIN_FRACTION * len(anchor.corners))
    if residual is None or not np.isfinite(residual).all() or agrees.sum() < enough:
        return homography
    return np.asarray(homography @ resize @ residual @ np.linalg.inv(resize), np.float64)


def _even_out(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """At one mean and contrast, since flow takes a change of
    light for motion.
    """
    spread = max(float(gray.std()), 1.0)
    even = (gray - float(gray.mean())) * (_GRAY_SPREAD / spread) + _GRAY_MEAN
    return np.asarray(even.clip(0, 255), np.uint8)
