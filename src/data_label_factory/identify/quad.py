"""Quadrilaterals: where an item lies in a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from data_label_factory.identify.images import RGB

Outline = NDArray[np.float32]  # (4, 2) px, x then y; clockwise from the reference's own top left


def as_points(corners: ArrayLike) -> Outline:
    """Corners as (n, 2) float32 px, the type OpenCV wants."""
    return np.asarray(corners, dtype=np.float32)


def straighten(image: RGB, outline: Outline, side: int) -> RGB:
    """Warp the quadrilateral `outline` (4, 2) px of `image` to a (side, side, 3) square, without aliasing."""
    corners = as_points([[0, 0], [side, 0], [side, side], [0, side]])
    longest = max(float(np.linalg.norm(outline[i] - outline[i - 1])) for i in range(4))
    shrink = max(1, int(longest / side))  # warping samples single pixels, so shrink first what is much larger
    if shrink > 1:
        image = np.asarray(
            cv2.resize(image, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
    matrix = cv2.getPerspectiveTransform(as_points(outline / shrink), corners)
    return np.asarray(cv2.warpPerspective(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE), np.uint8)
