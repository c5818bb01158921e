"""What the frame shows at the poses that geometry confirms, and which of several poses for one
place is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize import appearance
from data_label_factory.identify.recognize.appearance import Evidence, FrameMask
from data_label_factory.identify.recognize.color import measure_color_deficit
from data_label_factory.identify.recognize.confidence import log_odds
from data_label_factory.identify.recognize.geometry import project, within
from data_label_factory.identify.recognize.pose import Hypothesis
from data_label_factory.identify.recognize.references import ReferenceFeatures

_OVERLAP_IOU = 0.3  # beyond it, two outlines are one thing
_HOPELESS = -6.0  # log-odds: not even worth a question mark
_UNDECIDED = 0.2  # of the preference that a clear picture of one of two twins shows
_CONVINCING, _CONVINCING_CORRELATION, _CONVINCING_INLIERS = 25.0, 0.6, 15


@dataclass(frozen=True)
class ScoredPose:
    """A pose, what the frame shows there, straightened to the size of the reference's
    thumbnail; its evidence, and how far its colours fall short (`colour_deficit`). `mask`
    (H, W) is 255 where the crop is of the frame, 0 where it lies outside; None when all of
    it is of the frame.
    """

    hypothesis: Hypothesis
    crop: RGB
    evidence: Evidence
    color: float
    mask: FrameMask | None

    @property
    def quad(self) -> Quad:
        return self.hypothesis.quad

    @property
    def score(self) -> float:
        """What hypotheses for one place are compared by: log-odds before the embedding has been
        asked.
        """
        return self._log_odds(self.evidence.score, margin_ratio=0.0)

    def log_odds(self, margin_ratio: float) -> float:
        """Log-odds with the embedding's margin ratio, see `confidence.log_odds`."""
        return self._log_odds(self.evidence.whole, margin_ratio)

    def _log_odds(self, appearance: float, margin_ratio: float) -> float:
        return log_odds(
            appearance=appearance,
            correlation=self.evidence.whole_correlation,
            margin_ratio=margin_ratio,
            color=self.color,
            inlier_ratio=self.hypothesis.inlier_ratio,
            outside=0.0 if self.mask is None else 1 - float(self.mask.mean()) / 255,
        )

    @property
    def is_convincing(self) -> bool:
        """Sure enough to take its place in the frame out of play for others."""
        appearance = (
            self.evidence.whole > _CONVINCING
            and self.evidence.whole_correlation > _CONVINCING_CORRELATION
        )
        return appearance and self.hypothesis.inliers >= _CONVINCING_INLIERS


def score_pose(frame: RGB, hypothesis: Hypothesis, references: ReferenceFeatures) -> ScoredPose:
    """Straighten (H, W, 3) `frame` by the pose and compare it with the reference, cell by cell."""
    thumb = references.thumbs[hypothesis.reference]
    height, width = thumb.shape[:2]
    shape = references.local.shapes[hypothesis.reference]
    to_frame = hypothesis.homography @ np.diag([shape[1] / width, shape[0] / height, 1.0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(
        frame, to_frame, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    crop = np.asarray(warped, np.uint8)
    cells, mask = appearance.compare(crop, thumb), None
    frame_shape = (frame.shape[0], frame.shape[1])
    if not within(hypothesis.quad, frame_shape).all():
        places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 2)
        inside = within(project(np.asarray(places, np.float32), to_frame), frame_shape)
        mask = np.where(inside, 255, 0).astype(np.uint8).reshape(height, width)
        cells = cells.within(mask)
    evidence = appearance.weigh_evidence(cells, references.chances[hypothesis.reference])
    return ScoredPose(hypothesis, crop, evidence, measure_color_deficit(crop, thumb, cells), mask)


def swap_reference(
    hypothesis: Hypothesis, reference: int, references: ReferenceFeatures
) -> Hypothesis:
    """Another reference at the same outline, to be judged by looks where geometry cannot tell
    the two apart.
    """
    ours, theirs = references.local.shapes[hypothesis.reference], references.local.shapes[reference]
    resize = np.diag([ours[1] / theirs[1], ours[0] / theirs[0], 1.0])
    return replace(hypothesis, reference=reference, homography=hypothesis.homography @ resize)


def keep_best_per_place(
    seen: Sequence[ScoredPose], references: ReferenceFeatures
) -> list[ScoredPose]:
    """The best of each place, best first; between near-twins what differs decides."""
    kept: list[ScoredPose] = []
    for one in sorted((s for s in seen if s.score > _HOPELESS), key=lambda s: -s.score):
        place = next(
            (i for i, rival in enumerate(kept) if _iou(one.quad, rival.quad) > _OVERLAP_IOU), None
        )
        if place is None:
            kept.append(one)
        elif _is_refuted_by(kept[place], one.hypothesis.reference, references):
            kept[place] = one
    return kept


def find_indistinguishable(seen: ScoredPose, references: ReferenceFeatures) -> list[int]:
    """References that the frame cannot tell from the one seen: twins that differ too little, or
    where it is too blurred, or cut off, to show what differs.
    """
    return [
        near_duplicate
        for near_duplicate in find_near_duplicates(seen, references)
        if _preference(seen, near_duplicate, references) < _UNDECIDED
    ]


def find_near_duplicates(seen: ScoredPose, references: ReferenceFeatures) -> list[int]:
    """References that differ from the one seen in little of what the frame shows of it."""
    own = seen.hypothesis.reference
    return (
        references.near_duplicates[own]
        if seen.mask is None
        else references.near_duplicates_within(own, seen.mask)
    )


def _is_refuted_by(seen: ScoredPose, other: int, references: ReferenceFeatures) -> bool:
    """Whether the crop shows another reference, a twin, rather than the one seen."""
    return (
        other in find_near_duplicates(seen, references) and _preference(seen, other, references) < 0
    )


def _preference(seen: ScoredPose, near_duplicate: int, references: ReferenceFeatures) -> float:
    """Above 0 where the crop shows what sets the reference seen apart from its near-twin, below
    0 for the twin, 1 or -1 when it shows all of that and nothing else.
    """
    first, second = references.thumbs[seen.hypothesis.reference], references.thumbs[near_duplicate]
    second = np.asarray(cv2.resize(second, (first.shape[1], first.shape[0])), np.uint8)
    return appearance.prefers_first(seen.crop, first, second, seen.mask)


def _iou(a: Quad, b: Quad) -> float:
    shared, _ = cv2.intersectConvexConvex(a, b)
    return float(shared) / max(cv2.contourArea(a) + cv2.contourArea(b) - float(shared), 1e-6)
