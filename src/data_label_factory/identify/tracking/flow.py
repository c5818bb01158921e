"""Where quads of one frame have moved to in the next, by optical
flow.

Pyramidal Lucas–Kanade: Bouguet, Intel 2000, as OpenCV has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, frame_quad
from data_label_factory.identify.recognize.features import Floats, Mask
from data_label_factory.identify.recognize.geometry import Matrix, project

_FLOW_PX = 640  # longer side; larger frames are shrunk
_WINDOW_PX = 15
_LEVELS = 3  # follows motions up to about 2³ · 7 px between two frames
_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 12, 0.03)

_GRID = 7  # points along each side of a quad
_MARGIN = 0.08  # of the quad, left free at its rim: what is behind it moves otherwise
_TOLERANCE_PX = 1.5
_MIN_POINTS = 8
_MIN_AGREEING = 0.4  # fraction of the points inside the frame


class GrayFrame:
    """(H, W, 3) uint8 RGB as optical flow needs it.

    `gray` (h, w) uint8 has at most 640 px a side; `scale` is its
    px per px of the frame.
    """

    def __init__(self, frame: RGB) -> None:
        self.shape = frame.shape[0], frame.shape[1]
        self.scale = min(1.0, _FLOW_PX / max(self.shape))
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        if self.scale < 1:
            size = tuple(max(8, round(side * self.scale)) for side in self.shape[::-1])
            gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
        self.gray = np.asarray(gray, np.uint8)

    def follow(self, points: Floats, after: GrayFrame) -> tuple[Floats, Mask]:
        """(N, 2) px of this frame → px of a later one, and which
        could be found there.
        """
        start = np.asarray(points * self.scale, np.float32)
        end, found, _ = cv2.calcOpticalFlowPyrLK(
            self.gray,
            after.gray,
            start[:, None],
            None,  # type: ignore[call-overload]
            winSize=(_WINDOW_PX,) * 2,
            maxLevel=_LEVELS,
            criteria=_CRITERIA,
        )
        return np.asarray(end[:, 0] / after.scale, np.float32), found.ravel() == 1


def follow_quads(before: GrayFrame, after: GrayFrame, quads: Sequence[Quad]) -> list[Matrix | None]:
    """The affine motion (3, 3) of what lies inside each of the
    `quads` (4, 2) px.

    None where too few points agree on one, as when something else
    now covers it.
    """
    if not quads or before.shape != after.shape:
        return [None] * len(quads)

    points = np.concatenate([_spread_points(quad) for quad in quads])
    moved, found = before.follow(points, after)
    height, width = before.shape
    found &= ((points >= 0) & (points < (width, height))).all(axis=1)

    per_quad = _GRID**2
    return [
        _fit_motion(points[run], moved[run], found[run], _TOLERANCE_PX / after.scale)
        for run in (slice(i * per_quad, (i + 1) * per_quad) for i in range(len(quads)))
    ]


def follow_through(frames: Sequence[GrayFrame], quads: Sequence[Quad]) -> list[Matrix | None]:
    """The motion (3, 3) of the `quads` of the first frame until
    the last, step by step.
    """
    whole: list[Matrix | None] = [np.eye(3)] * len(quads)
    for before, after in pairwise(frames):
        known = [at for at, motion in enumerate(whole) if motion is not None]
        places = [project(quads[at], _known(whole[at])) for at in known]
        for at, step in zip(known, follow_quads(before, after, places), strict=True):
            whole[at] = None if step is None else step @ _known(whole[at])
    return whole


def _known(motion: Matrix | None) -> Matrix:
    assert motion is not None
    return motion


def _spread_points(quad: Quad) -> Floats:
    """A grid of points (N, 2) px inside a quad."""
    steps = np.linspace(_MARGIN, 1 - _MARGIN, _GRID, dtype=np.float32)
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    to_quad = cv2.getPerspectiveTransform(frame_quad(1, 1), quad)
    return project(np.asarray(grid, np.float32), np.asarray(to_quad, np.float64))


def _fit_motion(
    before: Floats, after: Floats, found: NDArray[np.bool_], tolerance_px: float
) -> Matrix | None:
    inside = int(found.sum())
    if inside < _MIN_POINTS:
        return None

    affine, agrees = cv2.estimateAffine2D(
        before[found], after[found], method=cv2.RANSAC, ransacReprojThreshold=tolerance_px
    )
    if affine is None or not np.isfinite(affine).all():
        return None
    if int(agrees.sum()) < max(_MIN_POINTS, _MIN_AGREEING * inside):
        return None
    return np.vstack([affine, [0, 0, 1]]).astype(np.float64)
