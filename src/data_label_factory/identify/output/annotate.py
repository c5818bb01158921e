"""Detections drawn on a copy of a frame, as outlines with names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize import Detection

CONFIDENT = "#3ddc84"
UNSURE = "#f2b84b"
TRUE = "#f4f6fa"
_INK = "#0a140e"

_UNIT_PX = 640  # lines and letters scale with frames wider than this
_SMOOTH_MAX_PX = 2_000_000

# All in units of a frame 640 px wide.
_LINE_WIDTH = 3.5
_FONT_SIZE = 17
_EDGE = 4  # between a name's box and the edge of the frame
_PADDING = 6.5  # between a name's box and its text, left and right
_NAME_HEIGHT = 25
_NAME_ABOVE = 28  # from the top of a quad to the top of its name


@dataclass(frozen=True)
class Mark:
    """A quad (4, 2) px to draw in `color`, with `text` above it unless that is empty."""

    quad: Quad
    text: str
    color: str


def mark(detection: Detection) -> Mark:
    """A detection's name and cosine; the color says whether it is confident."""
    question = "" if detection.confident else "?"
    text = f"{detection.label}{question}  {detection.score:.2f}"
    return Mark(detection.quad, text, CONFIDENT if detection.confident else UNSURE)


def draw_marks(frame: RGB, marks: Sequence[Mark], *, longest_px: int | None = None) -> Image.Image:
    """A copy of `frame` (H, W, 3) uint8 with the marks, at most `longest_px` on each side."""
    picture = Image.fromarray(frame)
    if longest_px is not None:
        picture.thumbnail((longest_px, longest_px))

    # Pillow does not antialias lines, so draw small pictures twice as large and shrink
    # them.
    size = picture.size
    enlarge = 2 if size[0] * size[1] <= _SMOOTH_MAX_PX else 1
    if enlarge > 1:
        picture = picture.resize((size[0] * enlarge, size[1] * enlarge))

    scale = np.array(picture.size) / (frame.shape[1], frame.shape[0])
    unit = max(max(size) / _UNIT_PX, 1.0) * enlarge
    draw = ImageDraw.Draw(picture)
    for one in marks:
        _draw_quad(draw, one, scale, unit)
    # Names go on top of all lines.
    for one in marks:
        if one.text:
            _draw_name(draw, one, (one.quad * scale).min(axis=0), unit, picture.width)

    return picture.resize(size, Image.Resampling.LANCZOS) if enlarge > 1 else picture


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's built-in font, `size` px tall."""
    return ImageFont.load_default(size)


def _draw_quad(
    draw: ImageDraw.ImageDraw, one: Mark, scale: NDArray[np.float64], unit: float
) -> None:
    """Draw the outline of a quad; `scale` (2,) are picture pixels per frame pixel."""
    corners = [(float(x), float(y)) for x, y in one.quad * scale]
    # One side more than closes the quad, so that the first corner is rounded too.
    path = [*corners, corners[0], corners[1]]
    draw.line(path, one.color, round(_LINE_WIDTH * unit), joint="curve")


def _draw_name(
    draw: ImageDraw.ImageDraw, one: Mark, corner: Quad, unit: float, frame_width: int
) -> None:
    """Write the text on a filled box above `corner` (2,) px, inside the frame."""
    letters = font(_FONT_SIZE * unit)
    text_width = draw.textbbox((0, 0), one.text, letters)[2]
    rightmost = frame_width - text_width - (2 * _PADDING + _EDGE) * unit
    left = max(_EDGE * unit, min(float(corner[0]), rightmost))
    top = max(_EDGE * unit, float(corner[1]) - _NAME_ABOVE * unit)

    box = (left, top, left + text_width + 2 * _PADDING * unit, top + _NAME_HEIGHT * unit)
    draw.rounded_rectangle(box, 6 * unit, one.color)
    draw.text((left + _PADDING * unit, top + 2.5 * unit), one.text, _INK, letters)
