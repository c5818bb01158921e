"""Where in a frame an item may lie, found without knowing any item: whole, centre, and outlines of flat things."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, as_points

Propose = Callable[[RGB], list[Quad]]  # (H, W, 3) frame → regions (4, 2) px

_WORKING_PX = 480  # longer side at which edges are looked for
_MIN_AREA, _MAX_AREA = 0.03, 0.95  # of the frame
_SLACK = 0.03  # of the perimeter that a polygon may leave its contour by
_CENTER = (0.2, 0.1, 0.8, 0.9)
_SAME_PX = 12


def whole_and_center(frame: RGB) -> list[Quad]:
    """The whole (H, W, 3) frame and its centre, where things are held up; (4, 2) px clockwise from the top left."""
    height, width = frame.shape[:2]
    size = as_points([[width, height]])
    return [
        as_points([[a, b], [c, b], [c, d], [a, d]]) * size for a, b, c, d in ((0, 0, 1, 1), _CENTER)
    ]


def find_flat_quads(frame: RGB, most: int = 3) -> list[Quad]:
    """At most `most` quadrilaterals (4, 2) px with clear edges all around, largest first, clockwise from the corner
    nearest the top left; which side of the item is up they cannot tell."""
    height, width = frame.shape[:2]
    factor = min(1.0, _WORKING_PX / max(height, width))
    small = cv2.resize(frame, (max(1, round(width * factor)), max(1, round(height * factor))))
    gray = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    threshold = float(cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[0])
    edges = cv2.dilate(cv2.Canny(gray, threshold / 3, threshold), np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found: list[Quad] = []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[: most * 8]:
        hull = cv2.convexHull(contour)
        corners = cv2.approxPolyDP(hull, _SLACK * cv2.arcLength(hull, True), True)
        share = cv2.contourArea(hull) / gray.size
        if len(corners) != 4 or not _MIN_AREA < share < _MAX_AREA:
            continue
        quad = _from_top_left(as_points(corners[:, 0]) / np.float32(factor))
        if all(np.abs(quad - other).max() > _SAME_PX / factor for other in found):
            found.append(quad)
    return found[:most]


def _from_top_left(corners: Quad) -> Quad:
    """Clockwise in the picture, which a positive area means where y points down, from the corner nearest the origin."""
    if cv2.contourArea(corners, oriented=True) < 0:
        corners = corners[::-1]
    return as_points(np.roll(corners, -int(corners.sum(axis=1).argmin()), axis=0))
