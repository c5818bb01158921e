"""Quadrilaterals and boxes: where an item lies in a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from data_label_factory.identify.images import RGB

# (4, 2) px, x then y; clockwise from the reference's own top left.
Quad = NDArray[np.float32]
Box = tuple[float, float, float, float]  # left, top, right, bottom in px


def as_points(corners: ArrayLike) -> Quad:
    """Corners as (n, 2) float32 px, the type OpenCV wants."""
    return np.asarray(corners, dtype=np.float32)


def frame_quad(width: float, height: float) -> Quad:
    """The quad (4, 2) px of a whole picture, clockwise from its top left."""
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def box_of(quad: Quad) -> Box:
    """The upright box around a quad."""
    (left, top), (right, bottom) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    return left, top, right, bottom


def quad_iou(a: Quad, b: Quad) -> float:
    """Intersection over union of two convex quads (4, 2), 0 … 1."""
    shared, _ = cv2.intersectConvexConvex(a, b)
    union = cv2.contourArea(a) + cv2.contourArea(b) - float(shared)
    return float(shared) / max(union, 1e-6)


def straighten(image: RGB, quad: Quad, side: int) -> RGB:
    """Warp the part of `image` inside `quad` (4, 2) px to a (side,
    side, 3) square, without aliasing.
    """
    # Warping samples single pixels, so shrink first what is much larger; a strip of a
    # few pixels only along its length.
    longest = max(float(np.linalg.norm(quad[i] - quad[i - 1])) for i in range(4))
    factor = max(1, int(longest / side))
    image, quad = _cut_around(image, quad, factor)
    height, width = image.shape[:2]
    shrink = as_points((min(factor, width), min(factor, height)))
    if factor > 1:
        fx, fy = 1 / shrink.astype(float)
        smaller = cv2.resize(image, None, fx=fx, fy=fy, interpolation=cv2.INTER_AREA)
        image = np.asarray(smaller, np.uint8)

    matrix = cv2.getPerspectiveTransform(as_points(quad / shrink), frame_quad(side, side))
    return np.asarray(
        cv2.warpPerspective(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _cut_around(image: RGB, quad: Quad, step: int) -> tuple[RGB, Quad]:
    """The part of a picture that holds a quad, from a multiple of
    `step` px on, and the quad in it.
    """
    low = np.floor(quad.min(axis=0) / step).astype(int) - 1
    high = np.ceil(quad.max(axis=0) / step).astype(int) + 2
    left, top = (low * step).clip(0)
    right, bottom = (high * step).clip(0)
    part = image[top:bottom, left:right]
    if not part.size:
        return image, quad
    return part, as_points(quad - (left, top))


def cut_out(image: RGB, quad: Quad, max_side: int) -> RGB:
    """The part of (H, W, 3) `image` inside `quad` (4, 2) px,
    straightened to its own size, at most `max_side` px.
    """
    sides = [float(np.linalg.norm(quad[(i + 1) % 4] - quad[i])) for i in range(4)]
    width, height = max(sides[0], sides[2]), max(sides[1], sides[3])
    shrink = min(1.0, max_side / max(width, height, 1.0))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))

    matrix = cv2.getPerspectiveTransform(as_points(quad), frame_quad(*size))
    return np.asarray(
        cv2.warpPerspective(image, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
