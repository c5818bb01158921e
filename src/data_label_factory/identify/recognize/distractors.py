"""Pictures that could be of the user's collection and are not, made
from its own references.

A collection of few items has few others that can be mistaken for
one of them. So its references are cut into tiles, and tiles of any
of them, each mirrored, are laid out anew: colors, textures and
lettering stay, and no reference fits in any pose. That suits every
kind of collection, since nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from data_label_factory.identify.camera import Rng
from data_label_factory.identify.images import RGB

_TILES = 4  # along each side; with two, a tile can still be taken for its reference
_SIDE_MAX_PX = 480  # more than a frame of three items shows of each


def shrink(picture: RGB) -> RGB:
    """The picture with its longer side at most 480 px."""
    height, width = picture.shape[:2]
    scale = _SIDE_MAX_PX / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def recompose(pictures: Sequence[RGB], rng: Rng) -> RGB:
    """A picture of mirrored tiles of `pictures`, as large as one of them."""
    base = pictures[int(rng.integers(len(pictures)))]
    mosaic = np.empty_like(base)
    rows, columns = (_cuts(length) for length in base.shape[:2])
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            tile = _take_tile(pictures[int(rng.integers(len(pictures)))], rng)
            size = (right - left, bottom - top)
            mosaic[top:bottom, left:right] = cv2.resize(tile, size, interpolation=cv2.INTER_AREA)
    return mosaic


def _cuts(length: int) -> list[int]:
    """Where a side of `length` px is cut into parts of at least one px."""
    return [round(at) for at in np.linspace(0, length, min(_TILES, length) + 1)]


def _take_tile(picture: RGB, rng: Rng) -> RGB:
    """A part of `picture` from a random place, mirrored."""
    height, width = (max(1, length // _TILES) for length in picture.shape[:2])
    top = int(rng.integers(picture.shape[0] - height + 1))
    left = int(rng.integers(picture.shape[1] - width + 1))
    return np.ascontiguousarray(picture[top : top + height, left : left + width][:, ::-1])
