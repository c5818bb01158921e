"""A search of one frame, at once or beside the frames that follow."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache

from data_label_factory.cpu import cpu_count
from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, quad_iou, straighten
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.geometry import project
from data_label_factory.identify.tracking.alignment import Anchors, hold, move_pose
from data_label_factory.identify.tracking.evidence import View
from data_label_factory.identify.tracking.flow import GrayFrame, follow_through
from data_label_factory.identify.tracking.track import Look

SAME_PLACE = 0.3  # IoU beyond which two quads are one thing
_VIEW_PX = 96
_LONGEST_PATH = 30  # frames; a search that takes longer is of no use any more


@dataclass(frozen=True, eq=False)
class Search:
    """What to look for: in `frame` (H, W, 3), taken at time `at`
    (s), outside the `explained` quads (4, 2) px. `gray` is the
    same frame.
    """

    frame: RGB
    gray: GrayFrame
    recognizer: Recognizer
    explained: Sequence[Quad]
    at: float

    def run(self) -> Found:
        """One look at each thing that is found, strongest evidence first."""
        start = time.monotonic()
        looks = [
            self._look_at(one)
            for one in self.recognizer.assess(self.frame, explained=self.explained, quick=True)
            if all(quad_iou(one.quad, quad) <= SAME_PLACE for quad in self.explained)
        ]
        return Found(self, looks, time.monotonic() - start)

    def _look_at(self, found: Assessment) -> Look:
        crop = straighten(self.frame, found.quad, _VIEW_PX)
        view = View.of(crop, found.quad)
        return Look(self.recognizer.describe(found), view, found.pose)


@dataclass(frozen=True, eq=False)
class Found:
    """The looks that a search has given, and the seconds that it took."""

    search: Search
    looks: list[Look]
    seconds: float


def bring_forward(
    found: Found, path: Sequence[GrayFrame], frame: RGB, anchors: Anchors
) -> list[Look]:
    """The looks of an earlier frame, at where the things lie in
    `frame` now.

    `path` are the frames from the one that was searched to this.
    What cannot be followed is left to the next search.
    """
    references = found.search.recognizer.references
    motions = follow_through(path, [look.quad for look in found.looks])
    looks = []
    for look, motion in zip(found.looks, motions, strict=True):
        pose = look.pose
        quad = None if motion is None else project(look.quad, motion)
        if pose is not None and references is not None:
            held = hold(frame, pose, motion, anchors, references)
            pose = held or (pose if motion is None else move_pose(pose, motion))
            quad = held.quad if held else quad
        if quad is not None:
            detection = replace(look.detection, quad=quad)
            looks.append(replace(look, detection=detection, pose=pose))
    return looks


class Searcher:
    """Runs one search at a time in threads of `executor`; None
    takes those that all sessions share.
    """

    def __init__(self, executor: Executor | None = None) -> None:
        self._executor = executor or shared_executor()
        self._pending: Future[Found] | None = None
        self._path: list[GrayFrame] = []  # the frame that is searched, and those since

    @property
    def is_busy(self) -> bool:
        """Whether a search is under way, or its result was not taken yet."""
        return self._pending is not None

    def begin(self, search: Search) -> None:
        """Start a search, and go on."""
        self._path = [search.gray]
        self._pending = self._executor.submit(search.run)

    def add(self, gray: GrayFrame) -> None:
        """A frame later than the one that is searched."""
        if self.is_busy:
            self._path = [*self._path, gray][-_LONGEST_PATH:]

    def take(self) -> tuple[Found, list[GrayFrame]] | None:
        """The result, once there is one, and the frames from the
        one that was searched to the newest. Raises what the
        search raised.
        """
        if self._pending is None or not self._pending.done():
            return None
        done, self._pending = self._pending, None
        return done.result(), self._path


@cache
def shared_executor() -> Executor:
    """Half of the cores search, the others go on following."""
    return ThreadPoolExecutor(max(1, cpu_count() // 2), thread_name_prefix="search")
