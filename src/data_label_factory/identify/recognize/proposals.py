"""Where in a frame an item may lie, without knowing any: whole, center, quads of flat things."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, as_points, frame_quad

Propose = Callable[[RGB], list[Quad]]  # (H, W, 3) frame → regions (4, 2) px

_WORKING_PX = 480  # longer side at which edges are looked for
_MIN_AREA, _MAX_AREA = 0.03, 0.95  # fractions of the frame
# Fraction of the perimeter by which a polygon may leave its contour.
_SLACK = 0.03
# Left, top, right, bottom as fractions of the frame.
_CENTER = (0.2, 0.1, 0.8, 0.9)
_SAME_PX = 12
_CONTOURS_PER_QUAD = 8


def whole_and_center(frame: RGB) -> list[Quad]:
    """The whole (H, W, 3) frame, and its center, where things are held
    up: (4, 2) px, clockwise.
    """
    height, width = frame.shape[:2]
    left, top, right, bottom = _CENTER
    center = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return [frame_quad(width, height), as_points(center) * as_points([[width, height]])]


def whole_center_and_flat(frame: RGB) -> list[Quad]:
    """The whole (H, W, 3) frame, its center, and quads of flat things."""
    return whole_and_center(frame) + find_flat_quads(frame)


def find_flat_quads(frame: RGB, most: int = 3) -> list[Quad]:
    """At most `most` quads (4, 2) px with clear edges all around,
    largest first.

    Clockwise from the corner nearest the top left; they cannot tell
    which side of the item is up.
    """
    height, width = frame.shape[:2]
    factor = min(1.0, _WORKING_PX / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    edges = _find_edges(np.asarray(cv2.resize(frame, size), np.uint8))

    contours, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    largest = sorted(contours, key=cv2.contourArea, reverse=True)[: most * _CONTOURS_PER_QUAD]
    found: list[Quad] = []
    for contour in largest:
        hull = cv2.convexHull(contour)
        corners = cv2.approxPolyDP(hull, _SLACK * cv2.arcLength(hull, True), True)
        fraction = cv2.contourArea(hull) / edges.size
        if len(corners) != 4 or not _MIN_AREA < fraction < _MAX_AREA:
            continue

        quad = _start_at_top_left(as_points(corners[:, 0]) / np.float32(factor))
        if all(np.abs(quad - other).max() > _SAME_PX / factor for other in found):
            found.append(quad)
    return found[:most]


def _find_edges(small: RGB) -> NDArray[np.uint8]:
    """Canny with thresholds from Otsu's method, closed a little."""
    gray = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    threshold = float(cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[0])
    edges = cv2.Canny(gray, threshold / 3, threshold)
    return np.asarray(cv2.dilate(edges, np.ones((3, 3), np.uint8)), np.uint8)


def _start_at_top_left(corners: Quad) -> Quad:
    """Clockwise in the picture, where y points down, from the corner nearest the origin."""
    if cv2.contourArea(corners, oriented=True) < 0:
        corners = corners[::-1]
    return as_points(np.roll(corners, -int(corners.sum(axis=1).argmin()), axis=0))
