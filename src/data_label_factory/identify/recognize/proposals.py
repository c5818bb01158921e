"""A frame → outlines that may hold an item: the whole frame, its centre, and what looks like a flat thing in it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.camera import Outline, as_points
from data_label_factory.identify.images import RGB

_WORKING_SIDE_PX = 480  # edges of a held-up thing are plain at this size, and its print is not
_MIN_AREA_SHARE, _MAX_AREA_SHARE = 0.01, 0.95
_MIN_FILL = 0.75  # share of its bounding quadrilateral that a flat thing fills
_SAME_IOU = 0.8


def propose(frame: RGB, most: int = 10) -> list[Outline]:
    """Outlines of (H, W, 3) uint8 `frame`, at most `most` beside the whole frame and its centre.

    Each is (4, 2) float32 px, clockwise as seen, from the corner nearest the frame's top left; which corner is the
    item's own top left is not known yet.
    """
    height, width = frame.shape[:2]
    found = [_rectangle(0, 0, width, height), _rectangle(width * 0.2, height * 0.1, width * 0.8, height * 0.9)]
    scale = min(1.0, _WORKING_SIDE_PX / max(height, width))
    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else frame
    quads = [quad for edges in _edge_maps(np.asarray(small, np.uint8)) for quad in _quads(edges)]
    kept: list[Outline] = []
    for quad in sorted(quads, key=lambda q: -cv2.contourArea(q)):
        if len(kept) < most and all(_box_iou(quad, other) < _SAME_IOU for other in kept):
            kept.append(quad)
    return found + [as_points(quad / scale) for quad in kept]


def turns(outline: Outline) -> list[Outline]:
    """The four ways round of an outline: each corner in turn as the item's top left."""
    return [np.roll(outline, -shift, axis=0) for shift in range(4)]


def _edge_maps(small: RGB) -> list[NDArray[np.uint8]]:
    """Outlines show in lightness or in colour, softly or sharply: closed edges of each at two thresholds."""
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), 1.2), cv2.COLOR_RGB2LAB)
    maps = []
    for low, high in ((20, 60), (60, 150)):
        edges = np.max([cv2.Canny(channel, low, high) for channel in cv2.split(lab)], axis=0)
        maps.append(np.asarray(cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8))
    return maps


def _quads(edges: NDArray[np.uint8]) -> list[Outline]:
    contours, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    quads = []
    for contour in contours:
        hull = cv2.convexHull(contour)
        area = cv2.contourArea(hull)
        if not _MIN_AREA_SHARE * edges.size < area < _MAX_AREA_SHARE * edges.size:
            continue
        polygon = cv2.approxPolyDP(hull, 0.04 * cv2.arcLength(hull, True), True)
        quad = polygon.reshape(-1, 2) if len(polygon) == 4 else cv2.boxPoints(cv2.minAreaRect(hull))
        if area > _MIN_FILL * cv2.contourArea(as_points(quad)):
            quads.append(_clockwise(as_points(quad)))
    return quads


def _clockwise(quad: Outline) -> Outline:
    centre = quad.mean(axis=0)
    quad = quad[np.argsort(np.arctan2(quad[:, 1] - centre[1], quad[:, 0] - centre[0]))]
    return np.roll(quad, -int(np.argmin(quad.sum(axis=1))), axis=0)


def _rectangle(left: float, top: float, right: float, bottom: float) -> Outline:
    return as_points([[left, top], [right, top], [right, bottom], [left, bottom]])


def _box_iou(a: Outline, b: Outline) -> float:
    """Intersection over union of the upright boxes around two outlines."""
    low, high = np.maximum(a.min(axis=0), b.min(axis=0)), np.minimum(a.max(axis=0), b.max(axis=0))
    shared = float(np.prod(np.clip(high - low, 0, None)))
    areas = float(np.prod(np.ptp(a, axis=0)) + np.prod(np.ptp(b, axis=0)))
    return shared / max(areas - shared, 1e-9)
