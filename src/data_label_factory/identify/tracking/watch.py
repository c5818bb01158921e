"""When to search a frame: has anything changed since it was searched last?"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize.features import Mask
from data_label_factory.identify.tracking.flow import GrayFrame

_COLUMNS, _ROWS = 40, 30
_LEVELS = 8.0  # by which a cell's mean gray has changed; camera noise averages out
_MIN_CELLS = 6  # of 1,200: a card of 60 × 80 px in 640 × 480 covers about 20

# Seconds between two searches: so many times what a search takes, which leaves a part
# of the machine to following what is known, but not more than that long.
_LOST = 0.25, 0.05
_CHANGED = 0.5, 0.1
_UNSURE = 1.0, 0.15
_UNSURE_SECONDS = 0.1  # the next frames look all the same
_REFRESH_SECONDS = 1.0  # even if nothing seems to happen


class Watch:
    """Decides from frame to frame whether a search is worth its time."""

    def __init__(self) -> None:
        self._searched: NDArray[np.float32] | None = None
        self._ended = -np.inf
        self._took = 0.0

    def is_due(
        self, frame: GrayFrame, held: Sequence[Quad], at: float, *, is_lost: bool, is_unsure: bool
    ) -> bool:
        """Whether to search `frame` at time `at` (s).

        `held` are the quads (4, 2) px that are explained.
        Something `is_lost` that was in view a moment ago, or
        `is_unsure`. What has been lost in this very frame is for
        the caller to search for at once.
        """
        since = at - self._ended
        if self._searched is None or since >= _REFRESH_SECONDS:
            return True
        if is_lost and since >= self._pause(_LOST):
            return True
        if is_unsure and since >= max(_UNSURE_SECONDS, self._pause(_UNSURE)):
            return True
        return since >= self._pause(_CHANGED) and self._has_changed(frame, held)

    def note_search(self, frame: GrayFrame, at: float, seconds: float) -> None:
        """A search of `frame`, begun at time `at`, took so many seconds."""
        self._searched = _shrink(frame)
        self._ended = at + seconds
        self._took = seconds

    def _pause(self, limits: tuple[float, float]) -> float:
        times, most = limits
        return min(times * self._took, most)

    def _has_changed(self, frame: GrayFrame, held: Sequence[Quad]) -> bool:
        assert self._searched is not None
        gap = _shrink(frame) - self._searched
        gap -= np.median(gap)  # an exposure that adapts changes all of it
        changed = (np.abs(gap) > _LEVELS) & ~_cover(held, frame.shape)
        return int(changed.sum()) >= _MIN_CELLS


def _shrink(frame: GrayFrame) -> NDArray[np.float32]:
    small = cv2.resize(frame.gray, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _cover(quads: Sequence[Quad], shape: tuple[int, int]) -> Mask:
    """The cells (rows, columns) that any of the quads touches."""
    mask = np.zeros((_ROWS, _COLUMNS), np.uint8)
    for quad in quads:
        cells = np.rint(quad * (_COLUMNS / shape[1], _ROWS / shape[0])).astype(np.int32)
        cv2.fillConvexPoly(mask, cells, 1)
    return cv2.dilate(mask, np.ones((3, 3), np.uint8)) > 0
