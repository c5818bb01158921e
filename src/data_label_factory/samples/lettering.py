"""Text for cards, drawn with Pillow's built-in font: fitted, spaced, bold, wrapped."""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageDraw, ImageFont

from data_label_factory.samples.palette import Color, bytes_of

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@cache
def font(size: int) -> Font:
    """The built-in font, `size` pixels tall."""
    return ImageFont.load_default(size)


def width(text: str, size: int, spacing: float = 0.0) -> float:
    """Length of a line in pixels, `spacing` extra pixels between letters."""
    return sum(font(size).getlength(letter) for letter in text) + spacing * max(0, len(text) - 1)


def fitted(text: str, size: int, room: float, spacing: float = 0.0) -> int:
    """The largest size up to `size` (at least 12) at which the line fits into `room`
    pixels.
    """
    while size > 12 and width(text, size, spacing) > room:
        size -= 1
    return size


def line(
    picture: Image.Image,
    at: tuple[float, float],
    text: str,
    size: int,
    ink: Color,
    *,
    spacing: float = 0.0,
    bold: float = 0.0,
    anchor: str = "m",
) -> None:
    """Draw one line, vertically centered at `at`.

    `anchor` says which part of the line stands there: its left end (l), middle (m) or
    right (r).
    """
    x = at[0] - {"l": 0.0, "m": 0.5, "r": 1.0}[anchor] * width(text, size, spacing)

    draw = ImageDraw.Draw(picture)
    # Centered on capital letters: with the anchor "mm", descenders would shift the line.
    baseline = at[1] + size * 0.35
    for letter in text:
        draw.text(
            (x, baseline),
            letter,
            fill=bytes_of(ink),
            font=font(size),
            anchor="ls",
            stroke_width=bold,
        )
        x += font(size).getlength(letter) + spacing


def wrapped(text: str, size: int, room: float) -> list[str]:
    """Break a text into lines no wider than `room` pixels (a longer word gets a line to
    itself).
    """
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
