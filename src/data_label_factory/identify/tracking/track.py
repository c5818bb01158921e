"""One thing in front of the camera: its name, its place, and what
is known of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, cut_out
from data_label_factory.identify.recognize import Detection
from data_label_factory.identify.recognize.geometry import Matrix, project
from data_label_factory.identify.recognize.scoring import ScoredPose
from data_label_factory.identify.tracking.alignment import move_pose
from data_label_factory.identify.tracking.evidence import Evidence, View
from data_label_factory.labels import item_key

# Seconds since a track was last seen as itself. For so long it may be blurred, or in
# glare, while flow still follows it; then it is not shown any more; and then its id is
# forgotten, should the thing come back.
SURE_FOR, SHOWN_FOR, KEPT_FOR = 0.3, 1.0, 3.0

_PICTURE_PX = 720
_JPEG_QUALITY = 90
_BETTER = 1.15  # a picture must be better by this factor to be worth keeping
_SHOWN_FROM = 2  # looks at it, for a name that is not sure to be shown
_SOON, _SELDOM = 0.25, 4.0  # seconds after the first look, and at most, until the next


@dataclass(frozen=True, eq=False)
class Look:
    """What recognition says about a thing in one frame.

    `view` is how the thing is seen; `pose` is None where the
    embedding alone speaks for it.
    """

    detection: Detection
    view: View
    pose: ScoredPose | None

    @property
    def item(self) -> str:
        """What all its variants have in common."""
        return item_key(self.detection.name)

    @property
    def quad(self) -> Quad:
        """(4, 2) px of the frame."""
        return self.detection.quad

    def names_the_same(self, other: Look) -> bool:
        """Whether both may be of one thing: not of two items, nor
        surely of two variants. Views of one variant are.
        """
        ours, theirs = self.detection, other.detection
        if self.item != other.item:
            return False
        if not (ours.confident and theirs.confident):
            return True
        if ours.label.variant == theirs.label.variant:
            return True
        candidates = {ours.reference, *ours.ambiguous_with}
        return bool(candidates & {theirs.reference, *theirs.ambiguous_with})


@dataclass(frozen=True, eq=False)
class TrackedDetection:
    """A detection with its track's lasting number, and the
    evidence of all looks.

    `lost_seconds` is 0 for a thing that is in view now; otherwise
    it was there so long ago, at the detection's quad, and its
    name is not sure.
    """

    detection: Detection
    track_id: int
    lost_seconds: float


@dataclass(eq=False)
class Track:
    """A thing. `number` is 0 until it is shown; times are in
    seconds.

    `look` is the newest of those that named it as it is named
    now. It was `seen_at` as itself, and `followed_at` by flow,
    which a blur does not end but a gap does: what lies there
    afterwards may be another thing, for which the evidence so far
    says nothing.
    """

    look: Look
    quad: Quad
    seen_at: float
    followed_at: float
    looked_at: float
    number: int = 0
    looks: int = 1
    evidence: Evidence = field(default_factory=Evidence)
    pose: ScoredPose | None = None
    verified_at: float = 0.0  # when its looks were last compared with the reference
    is_doubted: bool = False  # something else was surely seen in its place
    picture_quality: float = 0.0  # of the best picture taken so far
    was_confident: bool = False

    @classmethod
    def begin(cls, look: Look, at: float) -> Track:
        """A track of a first look at time `at`."""
        track = cls(look, look.quad, at, at, at, looks=0)
        track.take_in(look, at)
        return track

    def take_in(self, look: Look, at: float) -> None:
        """One more look at it, whatever name that gives.

        The name changes only to one that the evidence of all
        looks prefers.
        """
        if self.followed_at < at:
            self.evidence, self.was_confident = Evidence(), False

        rate = look.detection.false_accept_rate
        self.evidence.add(look.view, look.item, rate)
        self.looked_at = at
        self.looks += 1

        if not look.names_the_same(self.look):
            if self.evidence.rate(look.item) >= self.evidence.rate(self.look.item):
                return
            self.was_confident = False
            self.look = look

        self.is_doubted = False
        self.was_confident |= look.detection.confident
        # Of variants, a blurred look may tell no more than what they have in common.
        if look.detection.confident or not self.look.detection.confident:
            self.look = look
        self.be_seen(look.pose, look.quad, at)

    def be_seen(self, pose: ScoredPose | None, quad: Quad, at: float) -> None:
        """It lies at `quad` at time `at`, and looks as it should."""
        self.pose = pose
        self.quad = quad
        self.seen_at = self.followed_at = self.verified_at = at

    def be_moved(self, motion: Matrix, at: float, *, is_seen: bool) -> None:
        """What lies there has moved by `motion` (3, 3) px.

        `is_seen` takes it for granted that this is the thing.
        """
        self.quad = project(self.quad, motion)
        self.followed_at = at
        if is_seen:
            self.seen_at = at
        if self.pose is not None:
            self.pose = move_pose(self.pose, motion)

    def is_due(self, at: float) -> bool:
        """Whether to look at it anew: soon at first, more and more seldom."""
        return at - self.looked_at >= min(_SOON * 2.0 ** (self.looks - 1), _SELDOM)

    def is_in_view(self, at: float) -> bool:
        """Whether it is there at time `at`, if maybe blurred or in glare."""
        return self.followed_at == at and at - self.seen_at <= SURE_FOR

    def is_sure(self, at: float, strictness: float) -> bool:
        """Whether its name can be believed at time `at`.

        It takes the evidence of all looks, and one look that was
        confident.
        """
        return (
            self.was_confident
            and not self.is_doubted
            and self.is_in_view(at)
            and self.evidence.rate(self.look.item) <= strictness
        )

    def is_shown(self, at: float, strictness: float) -> bool:
        """Whether to tell of it: once it is sure, or has been
        named so twice.
        """
        is_known = self.number > 0 or self.looks >= _SHOWN_FROM or self.is_sure(at, strictness)
        return is_known and at - self.seen_at <= SHOWN_FOR

    def take_better_picture(self, frame: RGB) -> bytes | None:
        """The straightened crop of this (H, W, 3) frame as JPEG,
        if none taken so far was as good.

        Good is what agrees with the reference in many cells,
        which glare and blur prevent, and is large.
        """
        if self.pose is None:
            return None
        area = max(float(cv2.contourArea(self.quad)), 1.0)
        quality = max(self.pose.evidence.whole, 0.0) * float(np.sqrt(area))
        if quality < _BETTER * self.picture_quality or quality <= 0:
            return None

        self.picture_quality = quality
        crop = cut_out(frame, self.quad, _PICTURE_PX)[..., ::-1]
        _, data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        return data.tobytes()

    def describe(self, at: float, strictness: float) -> TrackedDetection:
        """What is known of it at time `at`."""
        detection = replace(
            self.look.detection,
            quad=self.quad,
            confident=self.is_sure(at, strictness),
            false_accept_rate=self.evidence.rate(self.look.item),
        )
        lost = 0.0 if self.is_in_view(at) else at - self.seen_at
        return TrackedDetection(detection, self.number, lost)
