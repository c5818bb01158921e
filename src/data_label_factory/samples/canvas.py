"""A small painting surface: soft-shaded shapes, glow, mist and noise on a float image.

Coordinates are in half picture heights from the center: y runs from -1 (top) to 1
(bottom), x from -EDGE to EDGE. Masks are Pillow images of mode L, so Pillow rasterizes
and numpy does the light.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from data_label_factory.samples.palette import Array, Color, Palette, mix

WIDTH, HEIGHT = 656, 568
HALF = HEIGHT / 2
EDGE = WIDTH / HEIGHT
Point = tuple[float, float]
# From an animal's own frame to the picture.
Place = Callable[[list[Point]], list[Point]]

_rows, _cols = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
X: Array = (_cols - WIDTH / 2) / np.float32(HALF)
Y: Array = (_rows - HEIGHT / 2) / np.float32(HALF)


def smooth(points: Sequence[Point], closed: bool = False, steps: int = 10) -> list[Point]:
    """Catmull-Rom curve through at least two points, `steps` samples per span."""
    nodes = np.asarray(points, dtype=np.float64)
    ends = (nodes[-1:], nodes[:2]) if closed else (nodes[:1], nodes[-1:])
    p = np.concatenate([ends[0], nodes, ends[1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]

    out: list[Point] = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        out += [(float(x), float(y)) for x, y in curve]
    if not closed:
        out.append((float(nodes[-1, 0]), float(nodes[-1, 1])))
    return out


def turned(
    points: Sequence[Point], angle: float, at: Point = (0, 0), scale: float = 1
) -> list[Point]:
    """Points scaled, turned by `angle` radians about the origin and moved to `at`."""
    c = np.cos(angle) * scale
    s = np.sin(angle) * scale
    return [(float(at[0] + x * c - y * s), float(at[1] + x * s + y * c)) for x, y in points]


def mirrored(points: Sequence[Point]) -> list[Point]:
    """The same points on the other side of the vertical axis."""
    return [(-x, y) for x, y in points]


def moved(points: Sequence[Point], at: Point, scale: float = 1, side: int = 1) -> list[Point]:
    """Points scaled and moved to `at`; a `side` of -1 mirrors them first."""
    return [(at[0] + side * x * scale, at[1] + y * scale) for x, y in points]


def around(at: Point, angle: float, radius: float) -> Point:
    """The point `radius` away from `at` in the direction of `angle`, in radians."""
    return at[0] + radius * float(np.cos(angle)), at[1] + radius * float(np.sin(angle))


def ring(at: Point, radius: float, points: int = 60, wobble: float = 0.0) -> list[Point]:
    """A circle as an outline; `wobble` pulls every other point inwards, as in stars."""
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False) - np.pi / 2
    radii = radius * np.where(np.arange(points) % 2, 1 - wobble, 1)
    xs = at[0] + np.cos(angles) * radii
    ys = at[1] + np.sin(angles) * radii
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]


def band(at: Point, radius: float, width: float, points: int = 72) -> list[Point]:
    """A thin ring as one outline."""
    outer = ring(at, radius, points)
    inner = ring(at, radius - width, points)
    return [*outer, outer[0], inner[0], *inner[::-1]]


def noise(rng: np.random.Generator, cells: tuple[int, int] = (5, 4), octaves: int = 4) -> Array:
    """Fractal noise in 0..1, shape (HEIGHT, WIDTH); `cells` = coarsest columns and rows."""
    # Half resolution is enough for clouds and twice as quick; the last upscale hides it.
    size = (WIDTH // 2, HEIGHT // 2)
    total = np.zeros((size[1], size[0]), dtype=np.float32)
    for k in range(octaves):
        shape = (min(cells[1] * 2**k, size[1]), min(cells[0] * 2**k, size[0]))
        grid = Image.fromarray(rng.random(shape, dtype=np.float32))
        total += np.asarray(grid.resize(size, Image.Resampling.BICUBIC)) * np.float32(0.5**k)
    total = (total - total.min()) / max(float(np.ptp(total)), 1e-6)
    return np.asarray(Image.fromarray(total).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))


class Canvas:
    """The picture under the brush: its pixels, palette, random generator and light.

    `px` holds the pixels as (HEIGHT, WIDTH, 3) float32, `light` the direction the light
    comes from.
    """

    def __init__(self, palette: Palette, seed: int) -> None:
        self.pal = palette
        self.rng = np.random.default_rng(seed)
        self.light: Point = (-0.6, -0.8)
        self.px: Array = np.empty((HEIGHT, WIDTH, 3), dtype=np.float32)
        self.px[:] = palette.low

    def u(self, low: float, high: float) -> float:
        """A uniform random number."""
        return float(self.rng.uniform(low, high))

    def n(self, low: int, high: int) -> int:
        """A random whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def side(self) -> int:
        """Minus one or one."""
        return self.n(0, 1) * 2 - 1

    def lit(self, color: Color, amount: float) -> Color:
        """A color nearer to the palette's glow."""
        return mix(color, self.pal.glow, amount)

    def shade(self, color: Color, amount: float) -> Color:
        """A color nearer to the palette's near, dark shapes."""
        return mix(color, self.pal.near, amount)

    def haze(self, color: Color, amount: float) -> Color:
        """A color nearer to the palette's low sky."""
        return mix(color, self.pal.low, amount)

    def blend(self, weight: Array, color: Color) -> None:
        """Lay `color` over the picture, `weight` (HEIGHT, WIDTH) in 0..1."""
        self.px += (color - self.px) * weight[..., None]

    def polygon_mask(self, *outlines: Sequence[Point]) -> Image.Image:
        """A mask with every outline filled."""
        mask = Image.new("L", (WIDTH, HEIGHT))
        draw = ImageDraw.Draw(mask)
        for outline in outlines:
            draw.polygon([(WIDTH / 2 + x * HALF, HALF + y * HALF) for x, y in outline], fill=255)
        return mask

    def fill(
        self,
        mask: Image.Image,
        top: Color,
        bottom: Color | None = None,
        *,
        volume: float = 0.0,
        rim: Color | None = None,
        alpha: float = 1.0,
    ) -> None:
        """Paint a mask with a vertical gradient; `volume` rounds it, `rim` lights its
        lit edge.
        """
        box = mask.getbbox()
        if box is None:
            return
        left, upper, right, lower = box
        cut = mask.crop(box)

        fade = np.linspace(0, 1, lower - upper, dtype=np.float32)[:, None, None]
        paint = top + ((top if bottom is None else bottom) - top) * fade
        if volume:
            reach = max(2.0, 0.16 * min(cut.size))
            paint = paint * (1 + np.float32(volume) * self._relief(cut, reach)[..., None])
        if rim is not None:
            edge = np.clip(self._relief(cut, 2.5) * 1.1 - 0.15, 0, 1)
            paint = paint + (rim - paint) * edge[..., None]

        weight = np.asarray(cut, dtype=np.float32)[..., None] * np.float32(alpha / 255)
        region = self.px[upper:lower, left:right]
        region += (paint - region) * weight

    def _relief(self, mask: Image.Image, reach: float) -> Array:
        """How much each pixel of a pillow-shaped mask faces the light, -1..1."""
        pad = int(reach) + 1
        wide = Image.new("L", (mask.width + 2 * pad, mask.height + 2 * pad))
        wide.paste(mask, (pad, pad))

        soft = np.asarray(wide.filter(ImageFilter.GaussianBlur(reach)), dtype=np.float32)
        down = np.gradient(soft, axis=0)
        along = np.gradient(soft, axis=1)
        lit = -(along * np.float32(self.light[0]) + down * np.float32(self.light[1]))
        # Without the padding, which the blur needed.
        lit = lit[pad:-pad, pad:-pad]
        return np.asarray(lit / max(float(np.abs(lit).max()), 1e-6), dtype=np.float32)

    def shape(
        self,
        outline: Sequence[Point],
        top: Color,
        bottom: Color | None = None,
        *,
        volume: float = 0.0,
        rim: Color | None = None,
        alpha: float = 1.0,
    ) -> None:
        """Fill one outline; see `fill`."""
        self.fill(self.polygon_mask(outline), top, bottom, volume=volume, rim=rim, alpha=alpha)

    def oval(
        self,
        at: Point,
        rx: float,
        ry: float,
        top: Color,
        bottom: Color | None = None,
        *,
        angle: float = 0.0,
        volume: float = 0.0,
        rim: Color | None = None,
        alpha: float = 1.0,
    ) -> None:
        """Fill an ellipse with half axes `rx` and `ry`; see `fill`."""
        t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        ring = [(float(x), float(y)) for x, y in zip(np.cos(t) * rx, np.sin(t) * ry, strict=True)]
        self.shape(turned(ring, angle, at), top, bottom, volume=volume, rim=rim, alpha=alpha)

    def ribbon(self, path: Sequence[Point], width: float, end: float = 0.0) -> list[Point]:
        """Outline of a stroke along `path`, `width` thick at the start and `end` at the
        tip.
        """
        p = np.asarray(path, dtype=np.float64)
        step = np.gradient(p, axis=0)
        step /= np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
        thick = np.linspace(width / 2, end / 2, len(p))[:, None]
        side = np.stack([-step[:, 1], step[:, 0]], axis=1) * thick
        return [(float(x), float(y)) for x, y in np.concatenate([p + side, (p - side)[::-1]])]

    def glow(self, at: Point, radius: float, color: Color, strength: float = 0.8) -> None:
        """Add light that fades to nothing about three radii away."""
        # Beyond 3.2 radii the light is less than what is subtracted below.
        reach = round(3.2 * radius * HALF)
        col, row = round(WIDTH / 2 + at[0] * HALF), round(HALF + at[1] * HALF)
        rows = slice(max(0, row - reach), max(0, row + reach))
        cols = slice(max(0, col - reach), max(0, col + reach))

        far = ((X[rows, cols] - at[0]) ** 2 + (Y[rows, cols] - at[1]) ** 2) / np.float32(radius**2)
        light = np.clip(np.exp(-far * 0.55) - 0.004, 0, 1)[..., None] * np.float32(strength)
        region = self.px[rows, cols]
        region += (1 - np.clip(region, 0, 1)) * light * color

    def sparks(
        self, count: int, color: Color, size: float = 0.006, below: float = -1, above: float = 1
    ) -> None:
        """Scatter glowing motes between two heights."""
        mask = Image.new("L", (WIDTH, HEIGHT))
        draw = ImageDraw.Draw(mask)
        for _ in range(count):
            x = self.u(0, WIDTH)
            y = HALF + self.u(below, above) * HALF
            r = size * HALF * self.u(0.4, 1.6)
            draw.ellipse((x - r, y - r, x + r, y + r), fill=self.n(120, 255))

        halo = mask.filter(ImageFilter.GaussianBlur(size * HALF * 2.2))
        light = np.asarray(mask, dtype=np.float32) / 255 + np.asarray(halo, dtype=np.float32) / 90
        self.px += (1 - np.clip(self.px, 0, 1)) * np.clip(light, 0, 1)[..., None] * color

    def mist(self, height: float, depth: float, color: Color, strength: float = 0.6) -> None:
        """A drifting band of fog around `height`."""
        band = np.exp(-(((Y - np.float32(height)) / np.float32(depth)) ** 2))
        self.blend(band * noise(self.rng, (3, 8), 3) * np.float32(strength), color)

    def finish(self) -> Image.Image:
        """Bloom, brush texture and vignette; returns the picture as RGB, WIDTH x HEIGHT."""
        flat = Image.fromarray((np.clip(self.px, 0, 1) * 255).astype(np.uint8))
        small = flat.resize((WIDTH // 4, HEIGHT // 4)).filter(ImageFilter.GaussianBlur(7))
        bloom = np.asarray(small.resize(flat.size), dtype=np.float32) / 255
        out = self.px + (1 - np.clip(self.px, 0, 1)) * bloom**3 * np.float32(0.3)

        brush = noise(self.rng, (14, 90), 2) + noise(self.rng, (70, 12), 2) - 1
        dark = 1 - np.float32(0.2) * (X**2 / EDGE**2 + Y**2) ** 1.5
        out *= (dark * (1 + np.float32(0.055) * brush))[..., None]
        out = np.clip(out, 0, 1)

        # More saturation, then more contrast.
        out += (out - out.mean(axis=2, keepdims=True)) * np.float32(0.22)
        out += np.sin((out - 0.5) * 2 * np.pi) * np.float32(0.045)
        return Image.fromarray((np.clip(out, 0, 1) * 255).astype(np.uint8))
