"""What of a picture is the thing: the part within an even margin, or
nothing at all.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # (H, W, 3)
Mask = NDArray[np.bool_]  # (H, W)

# Blankness is judged on so few pixels that noise and dust are averaged out.
_BLANK_SIDE_PX = 64
_BLANK_WINDOW_PX = 15
_BLANK_LEVELS = 8  # that a cell of something lies off its surroundings
_BLANK_FRACTION = 0.001  # of such cells; four of a square picture

_MIN_SIDE_PX = 24  # no detail of a reference can be compared below it

# Margins are looked for at this size.
_MARGIN_SIDE_PX = 512
_MARGIN_LEVELS = 24  # by which JPEG noise and paper differ from their median
_MARGIN_FRACTION = 0.5  # of the edge of the picture that must be of one color
_SPECK_PX = 6  # area of dust
_PAD_PX = 1

# How much of the area may be left. Around a larger rest, what is opaque may be the ground
# of a design, which belongs to the thing; and it is recognized as well with its margin.
_MAX_CARD, _MAX_OTHER, _MAX_OPAQUE = 0.5, 0.3, 0.9
_MIN_REST_PX = 64  # on each side: below, nothing is left to recognize
_CARD_SIDE = 0.85  # fraction of each side of its box that a card lies along …
_CARD_BAND = 0.04  # … within this fraction of the box


class Box(NamedTuple):
    """A part of a picture, in fractions of its width and height."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """The fraction of the picture's area."""
        return (self.right - self.left) * (self.bottom - self.top)

    def cut(self, picture: NDArray[Any]) -> NDArray[Any]:
        """That part of a picture or mask, at least one pixel."""
        height, width = picture.shape[:2]
        left, right = _as_pixels(self.left, self.right, width)
        top, bottom = _as_pixels(self.top, self.bottom, height)
        return np.ascontiguousarray(picture[top:bottom, left:right])


def is_blank(picture: Pixels) -> bool:
    """Whether nothing can be seen in a picture: one color, up to
    noise and uneven light.
    """
    small = _shrink(picture, _BLANK_SIDE_PX).astype(np.float32)
    around = cv2.blur(small, (_BLANK_WINDOW_PX, _BLANK_WINDOW_PX))
    is_something = np.abs(small - around).max(axis=2) > _BLANK_LEVELS
    return bool(is_something.mean() < _BLANK_FRACTION)


def why_nothing(picture: Pixels) -> str:
    """Why a reference says nothing, "" if it does."""
    height, width = picture.shape[:2]
    if min(height, width) < _MIN_SIDE_PX:
        return f"only {width} × {height} px"
    if is_blank(picture):
        return "nearly nothing in it: one color, or white on white"
    return ""


def find_thing(picture: Pixels, opaque: Mask | None = None) -> Box | None:
    """The part of a picture within its margin; None if that is all
    of it.

    A margin is transparent, where `opaque` (H, W) is False, or of
    one color. Of one color, it is none unless it takes more than
    half of the area around a card, and more than that around a
    thing of another shape.
    """
    size = picture.shape[:2]
    box = _bound(opaque) if opaque is not None else None
    if box is not None and _is_sane(box, size, _MAX_OPAQUE):
        return box

    small = _shrink(picture, _MARGIN_SIDE_PX)
    edge = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]]).astype(np.int16)
    color = np.median(edge, axis=0)
    if (np.abs(edge - color).max(axis=1) <= _MARGIN_LEVELS).mean() < _MARGIN_FRACTION:
        return None

    differs = np.abs(small.astype(np.int16) - color).max(axis=2) > _MARGIN_LEVELS
    thing = _without_specks(differs)
    box = _bound(thing, _PAD_PX)
    most = _MAX_CARD if _is_card(thing) else _MAX_OTHER
    return box if box is not None and _is_sane(box, size, most) else None


def _bound(mask: Mask, pad: int = 0) -> Box | None:
    """The box around what is True, `pad` px larger; None if nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    height, width = mask.shape
    return Box(
        float(max(columns[0] - pad, 0) / width),
        float(max(rows[0] - pad, 0) / height),
        float(min(columns[-1] + 1 + pad, width) / width),
        float(min(rows[-1] + 1 + pad, height) / height),
    )


def _is_sane(box: Box, size: tuple[int, ...], most: float) -> bool:
    """Whether a box in a picture of `size` (height, width) leaves
    at most the fraction `most` of it, and enough to recognize.
    """
    height, width = size
    shorter = min((box.right - box.left) * width, (box.bottom - box.top) * height)
    return box.area <= most and shorter >= _MIN_REST_PX


def _is_card(mask: Mask) -> bool:
    """Whether what is True in a mask lies along each of the four
    sides of its box.
    """
    box = _bound(mask)
    if box is None:
        return False
    mask = box.cut(mask)
    band = max(1, round(_CARD_BAND * min(mask.shape)))
    sides = (
        mask[:band].any(axis=0),
        mask[-band:].any(axis=0),
        mask[:, :band].any(axis=1),
        mask[:, -band:].any(axis=1),
    )
    return min(float(side.mean()) for side in sides) >= _CARD_SIDE


def _without_specks(mask: Mask) -> Mask:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    is_large = stats[:, cv2.CC_STAT_AREA] >= _SPECK_PX
    is_large[0] = False  # the background
    return np.asarray(is_large[labels], np.bool_)


def _shrink(picture: Pixels, side: int) -> Pixels:
    """At most `side` px a side; pixels are averaged."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return picture
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _as_pixels(low: float, high: float, side: int) -> tuple[int, int]:
    first = min(round(low * side), side - 1)
    return first, max(round(high * side), first + 1)
