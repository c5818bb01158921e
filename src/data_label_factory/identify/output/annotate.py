"""Outlines and names drawn on a copy of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize import Detection

CONFIDENT, UNSURE, TRUE = "#3ddc84", "#f2b84b", "#f4f6fa"
_INK = "#0a140e"
_UNIT_PX = 640  # lines and letters keep their size relative to a frame this wide
_SMOOTH_MAX_PX = 2_000_000


@dataclass(frozen=True)
class Mark:
    """An `outline` (4, 2) px to draw in `colour`, with `text` above it unless that is empty."""

    quad: Quad
    text: str
    color: str


def mark(detection: Detection) -> Mark:
    """Name and cosine of a detection; sure ones in another colour than unsure ones."""
    question = "" if detection.confident else "?"
    text = f"{detection.label}{question}  {detection.score:.2f}"
    return Mark(detection.quad, text, CONFIDENT if detection.confident else UNSURE)


def draw_marks(frame: RGB, marks: Sequence[Mark], *, longest_px: int | None = None) -> Image.Image:
    """A copy of `frame` (H, W, 3) uint8 with the marks, shrunk so that no side is over `longest_px`."""
    picture = Image.fromarray(frame)
    if longest_px is not None:
        picture.thumbnail((longest_px, longest_px))
    size = picture.size
    # Pillow's lines are not antialiased: what is small is drawn twice as large.
    enlarge = 2 if size[0] * size[1] <= _SMOOTH_MAX_PX else 1
    if enlarge > 1:
        picture = picture.resize((size[0] * enlarge, size[1] * enlarge))
    scale = np.array(picture.size) / (frame.shape[1], frame.shape[0])
    unit = max(max(size) / _UNIT_PX, 1.0) * enlarge
    draw = ImageDraw.Draw(picture)
    for one in marks:
        corners = [(float(x), float(y)) for x, y in one.quad * scale]
        draw.line([*corners, corners[0], corners[1]], one.color, round(3.5 * unit), joint="curve")
    for one in marks:
        if one.text:
            _write_name(draw, one, (one.quad * scale).min(axis=0), unit, picture.width)
    return picture.resize(size, Image.Resampling.LANCZOS) if enlarge > 1 else picture


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _write_name(
    draw: ImageDraw.ImageDraw, one: Mark, corner: Quad, unit: float, width: int
) -> None:
    letters = font(17 * unit)
    text_width = draw.textbbox((0, 0), one.text, letters)[2]
    left = max(4 * unit, min(float(corner[0]), width - text_width - 17 * unit))
    top = max(4 * unit, float(corner[1]) - 28 * unit)
    draw.rounded_rectangle(
        (left, top, left + text_width + 13 * unit, top + 25 * unit), 6 * unit, one.color
    )
    draw.text((left + 6.5 * unit, top + 2.5 * unit), one.text, _INK, letters)
