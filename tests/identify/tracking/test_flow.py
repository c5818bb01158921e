"""Optical flow: what lies inside a quad, carried to the next frame."""

import cv2
import numpy as np
import pytest
from drawn import photo_like

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize.geometry import project
from data_label_factory.identify.tracking.flow import GrayFrame, follow_quads, follow_through

QUAD = np.array([[200, 120], [400, 130], [390, 360], [190, 350]], np.float32)


def moved(picture: RGB, matrix: np.ndarray) -> RGB:
    height, width = picture.shape[:2]
    return np.asarray(
        cv2.warpAffine(picture, matrix[:2], (width, height), borderMode=cv2.BORDER_REFLECT)
    )


def turn_and_shift(degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D((295, 240), degrees, scale)
    matrix[:, 2] += (x, y)
    return np.vstack([matrix, [0, 0, 1]])


def follow_one(before: RGB, after: RGB, quad: Quad = QUAD) -> np.ndarray | None:
    return follow_quads(GrayFrame(before), GrayFrame(after), [quad])[0]


@pytest.mark.parametrize("size", [(640, 480), (1600, 1200)])
@pytest.mark.parametrize(
    ("degrees", "scale", "x", "y"),
    [(0, 1, 0, 0), (0, 1, 14, -9), (4, 1.03, 6, 3), (-6, 0.96, 0, 9)],
)
def test_motion_is_found_to_half_a_pixel(
    size: tuple[int, int], degrees: float, scale: float, x: float, y: float
) -> None:
    frame = photo_like(*size)
    matrix = turn_and_shift(degrees, scale, x, y)
    motion = follow_one(frame, moved(frame, matrix))
    assert motion is not None
    gap = project(QUAD, motion) - project(QUAD, matrix)
    assert np.abs(gap).max() < 0.5 * size[0] / 640


def test_each_quad_has_its_own_motion() -> None:
    before, table = photo_like(640, 480), photo_like(640, 480, seed=1)
    left = np.array([[40, 100], [240, 100], [240, 380], [40, 380]], np.float32)
    right = left + np.float32([340, 0])
    after = before.copy()
    after[:, :320] = moved(before, turn_and_shift(0, 1, 8, 0))[:, :320]
    after[:, 320:] = moved(before, turn_and_shift(0, 1, 0, -8))[:, 320:]

    motions = follow_quads(GrayFrame(before), GrayFrame(after), [left, right])
    shifts = [motion[:2, 2] if motion is not None else None for motion in motions]
    assert shifts[0] == pytest.approx([8, 0], abs=0.5)
    assert shifts[1] == pytest.approx([0, -8], abs=0.5)
    assert follow_quads(GrayFrame(before), GrayFrame(table), []) == []


def test_something_else_in_its_place_is_no_motion() -> None:
    assert follow_one(photo_like(640, 480), photo_like(640, 480, seed=5)) is None


def test_half_covered_it_is_still_followed() -> None:
    before = photo_like(640, 480)
    after = moved(before, turn_and_shift(0, 1, 10, 5))
    after[300:] = photo_like(640, 480, seed=9)[300:]
    motion = follow_one(before, after)
    assert motion is not None
    assert motion[:2, 2] == pytest.approx([10, 5], abs=0.5)


def test_a_blank_picture_shows_no_motion() -> None:
    blank = np.full((480, 640, 3), 128, np.uint8)
    assert follow_one(blank, blank) is None


def test_frames_of_another_size_have_no_common_place() -> None:
    assert follow_one(photo_like(640, 480), photo_like(480, 640)) is None


@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (2, 3000)])
def test_frames_of_any_shape_are_taken(size: tuple[int, int]) -> None:
    frame = photo_like(*size)
    assert follow_one(frame, frame, QUAD) is None


def test_a_way_of_many_steps_is_followed_to_its_end() -> None:
    first = photo_like(640, 480)
    steps = [turn_and_shift(0, 1, 12 * n, 5 * n) for n in range(6)]
    frames = [GrayFrame(moved(first, step)) for step in steps]
    (motion,) = follow_through(frames, [QUAD])
    assert motion is not None
    assert np.abs(project(QUAD, motion) - project(QUAD, steps[-1])).max() < 1
    assert follow_quads(frames[0], frames[-1], [QUAD]) == [None]  # too far for one step


def test_a_way_that_is_lost_once_is_lost() -> None:
    first = GrayFrame(photo_like(640, 480))
    other = GrayFrame(photo_like(640, 480, seed=5))
    assert follow_through([first, other, first], [QUAD]) == [None]
