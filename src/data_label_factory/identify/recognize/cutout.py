"""Things photographed on a plain ground: which part of a reference is
the thing, where that is not a rectangle.

A package in a studio, on white, shares its ground with every other
one, and with no photo of it in a shop: what lies outside its outline
says nothing about the thing.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB

Mask = NDArray[np.uint8]  # (H, W): 255 on the thing, 0 beside it

_LEVELS = 24  # as margins are told in `content`: JPEG noise, paper and soft shadows
_LIGHT = 224  # gray levels of each channel of a ground that is paper or studio wall
_PLAIN_EDGE = 0.8  # of the edge of the picture that is of one color
_LEAST, _MOST = 0.05, 0.8  # of the area that the thing takes
_ONE_THING = 0.99  # of what is not ground, that is one piece …
_SOLID = 0.8  # … which fills its hull: no letters, no drawing on a colored ground


def find_outline(picture: RGB) -> Mask | None:
    """Where the thing is in a picture (H, W, 3); None where the picture
    is not of one thing on a plain ground.

    The ground is what the edge of the picture is joined to in its
    color; holes in the thing belong to it.
    """
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    color = np.median(edge.astype(np.int16), axis=0)
    differs = np.abs(picture.astype(np.int16) - color).max(axis=2) > _LEVELS
    height, width = differs.shape
    is_edge = np.ones_like(differs)
    is_edge[1:-1, 1:-1] = False
    if color.min() < _LIGHT or differs[is_edge].mean() > 1 - _PLAIN_EDGE:
        return None

    contours, _ = cv2.findContours(
        differs.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    if not contours:
        return None
    areas = [cv2.contourArea(contour) for contour in contours]
    main = contours[int(np.argmax(areas))]
    area = max(areas)
    hull = cv2.contourArea(cv2.convexHull(main))
    is_one = area >= _ONE_THING * sum(areas) and area >= _SOLID * hull
    if not (is_one and _LEAST <= area / (height * width) <= _MOST):
        return None

    mask = np.zeros((height, width), np.uint8)
    cv2.drawContours(mask, [main], -1, 255, cv2.FILLED)
    return mask
