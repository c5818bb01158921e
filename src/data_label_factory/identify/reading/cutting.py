"""Parts of an item, straightened out of a frame or a reference."""

from __future__ import annotations

import cv2
import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Box, Quad, frame_quad

LINE_PX = 48  # the recogniser's height of a line
_WIDEST_PX = 960
_PADDING = 0.3  # of a region's shorter side, around it


def cut_region(picture: RGB, quad: Quad, region: Box, size: tuple[int, int]) -> RGB:
    """The part `region` (fractions) of what lies at `quad`, straightened
    to `size` (width, height) px.
    """
    left, top, right, bottom = region
    unit = cv2.getPerspectiveTransform(frame_quad(1, 1), quad)
    # From pixel centers of the cut to fractions of the
    # item, and on to the picture.
    step_x, step_y = (right - left) / size[0], (bottom - top) / size[1]
    to_unit = [[step_x, 0, left + step_x / 2], [0, step_y, top + step_y / 2], [0, 0, 1]]
    center = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    cut = cv2.warpPerspective(
        picture,
        center @ unit @ np.array(to_unit),
        size,
        flags=flags,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cut, np.uint8)


def cut_reference(picture: RGB, region: Box, size: tuple[int, int]) -> RGB:
    """The part `region` (fractions) of a whole picture, averaged down to
    `size` (width, height) px.
    """
    height, width = picture.shape[:2]
    finer = max(1, int(np.ceil((region[2] - region[0]) * width / size[0])))
    larger = size[0] * finer, size[1] * finer
    cut = cut_region(picture, frame_quad(width, height), region, larger)
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)


def cut_line(frame: RGB, quad: Quad, region: Box) -> RGB:
    """A region of the item at `quad` as the recogniser takes it, (48, W,
    3). A column of text lies on its side.
    """
    left, top, right, bottom = pad_region(region)
    width = (right - left) * float(np.linalg.norm(quad[1] - quad[0]))
    height = (bottom - top) * float(np.linalg.norm(quad[3] - quad[0]))
    long, short = max(width, height, 1.0), max(min(width, height), 1.0)
    length = min(_WIDEST_PX, max(LINE_PX, round(LINE_PX * long / short)))
    if height <= width:
        return cut_region(frame, quad, (left, top, right, bottom), (length, LINE_PX))
    upright = cut_region(frame, quad, (left, top, right, bottom), (LINE_PX, length))
    return np.ascontiguousarray(np.rot90(upright))


def pad_region(region: Box) -> Box:
    """A little more than a region, as much on each side."""
    left, top, right, bottom = region
    more = _PADDING * min(bottom - top, right - left)
    return left - more, top - more, right + more, bottom + more
