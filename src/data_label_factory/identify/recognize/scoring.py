"""The evidence that a frame shows for a pose, and which of several
poses for one place is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, quad_iou
from data_label_factory.identify.recognize.appearance import (
    Evidence,
    FrameMask,
    compare,
    prefer_first,
    resize_like,
    weigh_evidence,
)
from data_label_factory.identify.recognize.color import measure_color_deficit
from data_label_factory.identify.recognize.confidence import log_odds
from data_label_factory.identify.recognize.features import Floats
from data_label_factory.identify.recognize.geometry import Matrix, project, within
from data_label_factory.identify.recognize.pose import Hypothesis
from data_label_factory.identify.recognize.references import ReferenceFeatures

_OVERLAP_IOU = 0.3  # beyond it, two quads are one thing
_HOPELESS = -6.0  # log-odds: not even worth an unsure answer
# Of the preference that a clear picture of one of two near-duplicates shows.
_UNDECIDED = 0.2

# Appearance, correlation and inliers of a pose that takes its place out of play for
# others.
_CONVINCING_APPEARANCE = 25.0
_CONVINCING_CORRELATION = 0.6
_CONVINCING_INLIERS = 15


@dataclass(frozen=True, eq=False)
class ScoredPose:
    """A pose, and what the frame shows there.

    `crop` is the frame straightened to the size of the reference's
    thumbnail; `color` the color deficit (`measure_color_deficit`);
    `mask` (H, W) is 255 where the crop is inside the frame and 0
    outside, or None when all of it is inside.
    """

    hypothesis: Hypothesis
    crop: RGB
    evidence: Evidence
    color: float
    mask: FrameMask | None

    @property
    def quad(self) -> Quad:
        """Where the pose puts the reference, (4, 2) px of the frame."""
        return self.hypothesis.quad

    @property
    def score(self) -> float:
        """What poses for one place are compared by: log-odds before the
        embedding is asked.
        """
        return self.log_odds(margin_ratio=0.0)

    def log_odds(self, margin_ratio: float) -> float:
        """Log-odds with the embedding's margin ratio, see `confidence.log_odds`."""
        return log_odds(
            appearance=self.evidence.whole,
            correlation=self.evidence.whole_correlation,
            margin_ratio=margin_ratio,
            color=self.color,
            inlier_ratio=self.hypothesis.inlier_ratio,
            outside=0.0 if self.mask is None else 1 - float(self.mask.mean()) / 255,
        )

    @property
    def is_convincing(self) -> bool:
        """Sure enough to take its place in the frame out of play for others."""
        return (
            self.evidence.whole > _CONVINCING_APPEARANCE
            and self.evidence.whole_correlation > _CONVINCING_CORRELATION
            and self.hypothesis.inliers >= _CONVINCING_INLIERS
        )


def score_pose(frame: RGB, hypothesis: Hypothesis, references: ReferenceFeatures) -> ScoredPose:
    """Straighten (H, W, 3) `frame` by the pose and compare it with the reference."""
    number = hypothesis.reference
    thumb = references.thumbs[number]
    to_frame = hypothesis.homography @ resizing(references.local.shape(number), thumb.shape)
    crop = straighten_like(frame, to_frame, thumb.shape)

    cells = compare(crop, thumb)
    mask = None
    frame_shape = frame.shape[0], frame.shape[1]
    if not within(hypothesis.quad, frame_shape).all():
        mask = _mask_frame(to_frame, thumb.shape, frame_shape)
        cells = cells.within(mask)

    evidence = weigh_evidence(cells, references.chance(number))
    color = measure_color_deficit(crop, thumb, cells)
    return ScoredPose(hypothesis, crop, evidence, color, mask)


def swap_reference(
    hypothesis: Hypothesis, reference: int, references: ReferenceFeatures
) -> Hypothesis:
    """Another reference at the same quad, to be told by appearance
    where geometry cannot.
    """
    local = references.local
    resize = resizing(local.shape(hypothesis.reference), local.shape(reference))
    return replace(hypothesis, reference=reference, homography=hypothesis.homography @ resize)


def keep_best_per_place(
    poses: Sequence[ScoredPose], references: ReferenceFeatures
) -> list[ScoredPose]:
    """The best pose of each place, best first.

    Between near-duplicates, what differs decides.
    """
    kept: list[ScoredPose] = []
    promising = [pose for pose in poses if pose.score > _HOPELESS]
    for pose in sorted(promising, key=lambda pose: -pose.score):
        overlaps = [
            at for at, other in enumerate(kept) if quad_iou(pose.quad, other.quad) > _OVERLAP_IOU
        ]
        if not overlaps:
            kept.append(pose)
        elif _is_refuted_by(kept[overlaps[0]], pose.hypothesis.reference, references):
            kept[overlaps[0]] = pose
    return kept


def find_near_duplicates(pose: ScoredPose, references: ReferenceFeatures) -> list[int]:
    """References that differ from the one of the pose in little of what
    the frame shows.
    """
    number = pose.hypothesis.reference
    if pose.mask is None:
        return references.near_duplicates(number)
    return references.near_duplicates_within(number, pose.mask)


def find_indistinguishable(pose: ScoredPose, references: ReferenceFeatures) -> list[int]:
    """References that the frame cannot tell from the one of the pose.

    Near-duplicates that differ too little, or where it is too
    blurred, or cut off, to show what differs.
    """
    near_duplicates = find_near_duplicates(pose, references)
    return [other for other in near_duplicates if _prefer(pose, other, references) < _UNDECIDED]


def _is_refuted_by(pose: ScoredPose, other: int, references: ReferenceFeatures) -> bool:
    """Whether the crop shows another reference, a near-duplicate,
    rather than that of the pose.
    """
    is_near_duplicate = other in find_near_duplicates(pose, references)
    return is_near_duplicate and _prefer(pose, other, references) < 0


def _prefer(pose: ScoredPose, other: int, references: ReferenceFeatures) -> float:
    """Above 0 where the crop shows what sets the reference of the pose
    apart from another.

    Below 0 for the other, 1 or -1 when it shows all of that and
    nothing else.
    """
    first = references.thumbs[pose.hypothesis.reference]
    second = resize_like(references.thumbs[other], first)
    return prefer_first(pose.crop, first, second, pose.mask)


def resizing(to: Floats | Sequence[int], from_: Floats | Sequence[int]) -> Matrix:
    """(3, 3): px of a picture of the shape `from_` → px of one of the shape `to`."""
    return np.diag([to[1] / from_[1], to[0] / from_[0], 1.0])


def straighten_like(frame: RGB, to_frame: Matrix, shape: Sequence[int]) -> RGB:
    """The part of a (H, W, 3) frame that `to_frame` (3, 3) lays a
    picture of `shape` (height, width, …) onto, at its size.
    """
    size = shape[1], shape[0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.warpPerspective(frame, to_frame, size, flags=flags, borderMode=border), np.uint8
    )


def _mask_frame(to_frame: Matrix, shape: Sequence[int], frame_shape: tuple[int, int]) -> FrameMask:
    """(H, W) of a crop of that shape: 255 where it is inside the frame."""
    height, width = shape[:2]
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 2)
    inside = within(project(np.asarray(places, np.float32), to_frame), frame_shape)
    return np.where(inside, 255, 0).astype(np.uint8).reshape(height, width)
