"""Which of the poses that geometry confirms are believed: one a place, and only where the looks say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from data_label_factory.identify.camera import Outline
from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize import appearance
from data_label_factory.identify.recognize.appearance import Evidence
from data_label_factory.identify.recognize.geometry import Hypothesis
from data_label_factory.identify.recognize.references import References

_OVERLAP_IOU = 0.3  # beyond it, two outlines are one thing

# Strangers simulated from several collections reached 28 (whole) and 35 (part); near-certain true views have 50 and
# more. In an index of very few items nothing shows what is template, so nearly every visible cell must agree.
_WHOLE_MIN, _PART_MIN = 30.0, 36.0
_WHOLE_CORRELATION_MIN, _PART_CORRELATION_MIN = 0.45, 0.6
_FEW_ITEMS, _FEW_WHOLE_MIN, _FEW_AGREEING_MIN = 8, 20.0, 0.77
_CONVINCING, _CONVINCING_CORRELATION, _CONVINCING_INLIERS = 25.0, 0.6, 15


@dataclass(frozen=True)
class Seen:
    """A pose, what the frame shows there, straightened to the size of the reference's thumbnail, and its evidence."""

    hypothesis: Hypothesis
    crop: RGB
    evidence: Evidence

    @property
    def outline(self) -> Outline:
        return self.hypothesis.outline

    @property
    def is_convincing(self) -> bool:
        """Sure enough to take its place in the frame out of play for others."""
        looks = self.evidence.whole > _CONVINCING and self.evidence.whole_correlation > _CONVINCING_CORRELATION
        return looks and self.hypothesis.inliers >= _CONVINCING_INLIERS

    def is_accepted(self, item_count: int) -> bool:
        """Whether the evidence is enough to name it, in an index of so many items."""
        evidence = self.evidence
        if item_count <= _FEW_ITEMS:
            return evidence.whole >= _FEW_WHOLE_MIN and evidence.agreeing >= _FEW_AGREEING_MIN
        whole = evidence.whole >= _WHOLE_MIN and evidence.whole_correlation >= _WHOLE_CORRELATION_MIN
        return whole or (evidence.part >= _PART_MIN and evidence.part_correlation >= _PART_CORRELATION_MIN)


def look(frame: RGB, hypothesis: Hypothesis, references: References) -> Seen:
    """Straighten (H, W, 3) `frame` by the pose and compare it with the reference, cell by cell."""
    thumb = references.thumbs[hypothesis.reference]
    height, width = thumb.shape[:2]
    shape = references.local.shapes[hypothesis.reference]
    to_reference = np.diag([shape[1] / width, shape[0] / height, 1.0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpPerspective(frame, hypothesis.homography @ to_reference, (width, height), flags=flags)
    crop = np.asarray(warped, np.uint8)
    cells = appearance.compare(crop, thumb)
    return Seen(hypothesis, crop, appearance.weigh_evidence(cells, references.chances[hypothesis.reference]))


def in_its_place(hypothesis: Hypothesis, reference: int, references: References) -> Hypothesis:
    """Another reference at the same outline, to be judged by looks where geometry cannot tell the two apart."""
    ours, theirs = references.local.shapes[hypothesis.reference], references.local.shapes[reference]
    resize = np.diag([ours[1] / theirs[1], ours[0] / theirs[0], 1.0])
    return Hypothesis(reference, hypothesis.homography @ resize, hypothesis.outline, hypothesis.inliers)


def one_a_place(seen: Sequence[Seen], references: References) -> list[Seen]:
    """The best of each place, best first; between near-twins what differs decides."""
    kept: list[Seen] = []
    for one in sorted(seen, key=lambda s: -s.evidence.rank):
        if one.evidence.whole < 0 and one.evidence.part < 0:
            continue
        place = next((i for i, rival in enumerate(kept) if _iou(one.outline, rival.outline) > _OVERLAP_IOU), None)
        if place is None:
            kept.append(one)
        elif _is_likelier_twin(one, kept[place], references):
            kept[place] = one
    return kept


def _is_likelier_twin(one: Seen, rival: Seen, references: References) -> bool:
    ours, theirs = one.hypothesis.reference, rival.hypothesis.reference
    if ours not in references.twins[theirs]:
        return False
    first, second = references.thumbs[theirs], references.thumbs[ours]
    second = np.asarray(cv2.resize(second, (first.shape[1], first.shape[0])), np.uint8)
    return appearance.prefers_first(rival.crop, first, second) < 0


def _iou(a: Outline, b: Outline) -> float:
    shared, _ = cv2.intersectConvexConvex(a, b)
    return float(shared) / max(cv2.contourArea(a) + cv2.contourArea(b) - float(shared), 1e-6)
