"""Draw the icons of the page: src/data_label_factory/web/icon-*.png, as icon.svg has them."""

from __future__ import annotations

from math import cos, radians, sin
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parent.parent / "src" / "data_label_factory" / "web"
SIDE = 32  # of icon.svg, in its units
FINE = 8  # drawn so many times larger, then reduced
GROUND, SHEET, TICK = "#0f766e", "#d1fae5", "#6ee7b7"
# name: (px, how much of the side the drawing takes, radius of the corners in units). Systems cut
# the second into a circle, and round the corners of the third by themselves.
ICONS = {
    "icon-192.png": (192, 1.0, 8.0),
    "icon-512.png": (512, 0.78, 0.0),
    "icon-180.png": (180, 0.9, 0.0),
}

Point = tuple[float, float]


def draw(px: int, part: float, radius: float) -> Image.Image:
    """An icon of `px` × `px`."""
    scale = px * FINE / SIDE
    image = Image.new("RGBA", (px * FINE, px * FINE), "#0000")
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, 0, px * FINE, px * FINE), radius * scale, GROUND)

    def place(point: Point) -> Point:
        x, y = (SIDE / 2 + part * (value - SIDE / 2) for value in point)
        return x * scale, y * scale

    def line(points: list[Point], width: float, color: str) -> None:
        placed = [place(point) for point in points]
        half = width * part * scale / 2
        pen.line(placed, color, round(2 * half))
        for x, y in placed:  # round ends and corners
            pen.ellipse((x - half, y - half, x + half, y + half), color)

    line(turned_sheet(), 2.2, SHEET)
    line([(12.5, 15.5), (15.5, 18.5), (20.5, 12.5)], 2.4, TICK)
    line([(8, 29), (24, 29)], 1.8, TICK)
    reduced = image.resize((px, px), Image.Resampling.LANCZOS)
    return reduced.quantize(64, Image.Quantize.FASTOCTREE)


def turned_sheet() -> list[Point]:
    """A rounded rectangle of 14 × 20 around (16, 15), turned by 8°."""
    left, top, right, bottom, radius = 9.0, 5.0, 23.0, 25.0, 2.5
    corners = [
        (right - radius, top + radius, -90),
        (right - radius, bottom - radius, 0),
        (left + radius, bottom - radius, 90),
        (left + radius, top + radius, 180),
    ]
    points = [
        (x + radius * cos(radians(start + step)), y + radius * sin(radians(start + step)))
        for x, y, start in corners
        for step in range(0, 91, 10)
    ]
    turn = radians(8)
    turned = [
        (
            16 + (x - 16) * cos(turn) - (y - 15) * sin(turn),
            15 + (x - 16) * sin(turn) + (y - 15) * cos(turn),
        )
        for x, y in points
    ]
    return [*turned, turned[0]]


if __name__ == "__main__":
    for name, options in ICONS.items():
        draw(*options).save(FOLDER / name, optimize=True)
