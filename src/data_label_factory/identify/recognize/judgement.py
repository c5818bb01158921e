"""What the frame shows at the poses that geometry confirms, and which of several poses for one place is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.camera import Outline
from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize import appearance
from data_label_factory.identify.recognize.appearance import Evidence
from data_label_factory.identify.recognize.colour import colour_deficit
from data_label_factory.identify.recognize.geometry import Hypothesis, within
from data_label_factory.identify.recognize.references import References
from data_label_factory.identify.recognize.sureness import log_odds

_OVERLAP_IOU = 0.3  # beyond it, two outlines are one thing
_HOPELESS = -6.0  # log-odds: not even worth a question mark
# Log-odds, times the share outside the frame: few cells agree by chance more often. Without it, of strangers that are
# an item in other colours, cut by two thirds, one in twenty is taken for it at 1 % (bench/strangers.py cut).
_OUTSIDE = 1.5
_UNDECIDED = 0.2  # of the preference that a clear picture of one of two twins shows
_CONVINCING, _CONVINCING_CORRELATION, _CONVINCING_INLIERS = 25.0, 0.6, 15


@dataclass(frozen=True)
class Seen:
    """A pose, what the frame shows there, straightened to the size of the reference's thumbnail; its evidence,
    and how far its colours fall short (`colour_deficit`). `known` (H, W) is 255 where the crop is of the frame, 0 where
    it lies outside; None when all of it is of the frame."""

    hypothesis: Hypothesis
    crop: RGB
    evidence: Evidence
    colour: float
    known: NDArray[np.uint8] | None

    @property
    def outline(self) -> Outline:
        return self.hypothesis.outline

    @property
    def rank(self) -> float:
        """What hypotheses for one place are compared by: log-odds before the embedding has been asked."""
        return self.log_odds(self.evidence.rank, 0.0)

    def sureness(self, lead: float) -> float:
        """Log-odds with the embedding's lead, see `sureness.log_odds`."""
        return self.log_odds(self.evidence.whole, lead)

    def log_odds(self, looks: float, lead: float) -> float:
        whole = log_odds(looks, self.evidence.whole_correlation, lead, self.colour, self.hypothesis.share)
        return whole - _OUTSIDE * (1 - self.visible)

    @property
    def visible(self) -> float:
        """The share of the item inside the frame."""
        return 1.0 if self.known is None else float(self.known.mean()) / 255

    @property
    def is_convincing(self) -> bool:
        """Sure enough to take its place in the frame out of play for others."""
        looks = self.evidence.whole > _CONVINCING and self.evidence.whole_correlation > _CONVINCING_CORRELATION
        return looks and self.hypothesis.inliers >= _CONVINCING_INLIERS


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
    known = None
    if not within(hypothesis.outline, (frame.shape[0], frame.shape[1])).all():
        everywhere = np.full(frame.shape[:2], 255, np.uint8)
        seen = cv2.warpPerspective(everywhere, hypothesis.homography @ to_reference, (width, height), flags=flags)
        known = np.asarray(seen, np.uint8)
        cells = cells.inside(known)
    evidence = appearance.weigh_evidence(cells, references.chances[hypothesis.reference])
    return Seen(hypothesis, crop, evidence, colour_deficit(crop, thumb, cells), known)


def in_its_place(hypothesis: Hypothesis, reference: int, references: References) -> Hypothesis:
    """Another reference at the same outline, to be judged by looks where geometry cannot tell the two apart."""
    ours, theirs = references.local.shapes[hypothesis.reference], references.local.shapes[reference]
    resize = np.diag([ours[1] / theirs[1], ours[0] / theirs[0], 1.0])
    return replace(hypothesis, reference=reference, homography=hypothesis.homography @ resize)


def one_a_place(seen: Sequence[Seen], references: References) -> list[Seen]:
    """The best of each place, best first; between near-twins what differs decides."""
    kept: list[Seen] = []
    for one in sorted((s for s in seen if s.rank > _HOPELESS), key=lambda s: -s.rank):
        place = next((i for i, rival in enumerate(kept) if _iou(one.outline, rival.outline) > _OVERLAP_IOU), None)
        if place is None:
            kept.append(one)
        elif _preference(kept[place], one.hypothesis.reference, references) < 0:
            kept[place] = one
    return kept


def indistinguishable(seen: Seen, references: References) -> list[int]:
    """References that the frame cannot tell from the one seen: twins that differ too little, or where it is too
    blurred to show what differs."""
    twins = references.twins[seen.hypothesis.reference]
    return [twin for twin in twins if abs(_preference(seen, twin, references)) < _UNDECIDED]


def _preference(seen: Seen, twin: int, references: References) -> float:
    """Above 0 where the crop shows what sets the reference seen apart from its near-twin, below 0 for the twin, 1
    or -1 when it shows just that; 1 for a reference that is no twin."""
    own = seen.hypothesis.reference
    if twin not in references.twins[own]:
        return 1.0
    first, second = references.thumbs[own], references.thumbs[twin]
    second = np.asarray(cv2.resize(second, (first.shape[1], first.shape[0])), np.uint8)
    return appearance.prefers_first(seen.crop, first, second, seen.known)


def _iou(a: Outline, b: Outline) -> float:
    shared, _ = cv2.intersectConvexConvex(a, b)
    return float(shared) / max(cv2.contourArea(a) + cv2.contourArea(b) - float(shared), 1e-6)
