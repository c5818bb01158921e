"""A small painting surface: soft-shaded shapes, glow and noise on
a float image.

Coordinates are in half picture heights from the center: y runs
from -1 (top) to 1 (bottom), x from -EDGE to EDGE.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from data_label_factory.samples.palette import Array, Color, Palette, mix
from data_label_factory.samples.shapes import At, Points, star

WIDTH, HEIGHT = 656, 568
HALF = HEIGHT / 2
EDGE = WIDTH / HEIGHT

_rows, _cols = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
X: Array = (_cols - WIDTH / 2) / np.float32(HALF)
Y: Array = (_rows - HEIGHT / 2) / np.float32(HALF)


def noise(rng: np.random.Generator, columns: int, rows: int, octaves: int = 4) -> Array:
    """Fractal noise in 0..1, (HEIGHT, WIDTH), of `columns` x
    `rows` cells at its coarsest.
    """
    # Half resolution is enough and twice as quick; the last upscale hides it.
    size = (WIDTH // 2, HEIGHT // 2)
    total = np.zeros(size[::-1], dtype=np.float32)
    for k in range(octaves):
        cells = rng.random((min(rows << k, size[1]), min(columns << k, size[0])), dtype=np.float32)
        layer = Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)
        total += np.asarray(layer) * np.float32(0.5**k)
    total = (total - total.min()) / np.ptp(total)
    return np.asarray(Image.fromarray(total).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))


class Canvas:
    """A palette, a random generator, and the pixels `px`,
    (HEIGHT, WIDTH, 3) float32.
    """

    def __init__(self, palette: Palette, seed: int) -> None:
        self.pal = palette
        self.rng = np.random.default_rng(seed)
        self.px: Array = np.zeros((HEIGHT, WIDTH, 3), dtype=np.float32)

    def u(self, low: float, high: float) -> float:
        """A uniform random number."""
        return float(self.rng.uniform(low, high))

    def n(self, low: int, high: int) -> int:
        """A random whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def lit(self, color: Color, amount: float) -> Color:
        """A color nearer to the palette's glow."""
        return mix(color, self.pal.glow, amount)

    def dim(self, color: Color, amount: float) -> Color:
        """A color nearer to the palette's near, dark shapes."""
        return mix(color, self.pal.near, amount)

    def blend(self, weight: Array, color: Color) -> None:
        """Lay `color` over the picture, `weight` (HEIGHT, WIDTH) in 0..1."""
        self.px += (color - self.px) * weight[..., None]

    def flat(self, shapes: Points | Sequence[Points], color: Color, alpha: float = 1) -> None:
        """Fill outlines with one color."""
        self.body(shapes, color, color, volume=0, alpha=alpha)

    def body(
        self,
        shapes: Points | Sequence[Points],
        top: Color,
        low: Color | None = None,
        *,
        volume: float = 0.35,
        alpha: float = 1,
    ) -> None:
        """Fill outlines with a gradient (`low`: a darker `top`),
        rounded, one edge lit.
        """
        rings = [shapes] if isinstance(shapes, np.ndarray) else shapes
        corners = [ring * HALF + (WIDTH / 2, HALF) for ring in rings]
        ends = np.concatenate(corners).clip(0, (WIDTH - 1, HEIGHT - 1)).astype(int)
        (left, upper), (right, lower) = ends.min(axis=0).tolist(), (ends.max(axis=0) + 1).tolist()
        mask = Image.new("L", (right - left, lower - upper))
        for ring in corners:
            ImageDraw.Draw(mask).polygon((ring - (left, upper)).ravel().tolist(), fill=255)

        fade = np.linspace(0, 1, mask.height, dtype=np.float32)[:, None, None]
        paint = mix(top, self.dim(top, 0.45) if low is None else low, fade)
        if volume:
            paint = paint * (1 + np.float32(volume) * _relief(mask, 2 + 0.14 * min(mask.size)))
            paint = mix(paint, self.pal.glow, np.clip(_relief(mask, 2.5) * 1.1 - 0.15, 0, 0.6))
        region = self.px[upper:lower, left:right]
        region += (paint - region) * (np.asarray(mask, dtype=np.float32)[..., None] * alpha / 255)

    def glow(self, at: At, radius: float, color: Color, strength: float = 0.8) -> None:
        """Add light that fades to nothing about three radii away."""
        x, y, reach = float(at[0]), float(at[1]), 3.2 * radius
        ends = [(1 + y - reach, 1 + y + reach), (EDGE + x - reach, EDGE + x + reach)]
        box = tuple(slice(*(max(0, int(end * HALF)) for end in pair)) for pair in ends)
        far = ((X[box] - x) ** 2 + (Y[box] - y) ** 2) / np.float32(radius**2)
        light = np.clip(np.exp(-far * np.float32(0.55)) - 0.004, 0, 1) * np.float32(strength)
        self.px[box] += (1 - np.clip(self.px[box], 0, 1)) * light[..., None] * color

    def sparks(self, count: int, size: float = 0.005, low: float = -1, high: float = 1) -> None:
        """Scatter bright motes between two heights."""
        spots = [(self.u(-EDGE, EDGE), self.u(low, high)) for _ in range(count)]
        self.flat([star(at, size * self.u(0.5, 1.7), 10) for at in spots], self.pal.glow, 0.85)

    def finish(self) -> Image.Image:
        """Bloom, brush texture, vignette and contrast; the
        picture as RGB, WIDTH x HEIGHT.
        """
        flat = Image.fromarray((np.clip(self.px, 0, 1) * 255).astype(np.uint8))
        small = flat.resize((WIDTH // 4, HEIGHT // 4)).filter(ImageFilter.GaussianBlur(7))
        bloom = np.asarray(small.resize(flat.size), dtype=np.float32) / 255
        out = self.px + (1 - np.clip(self.px, 0, 1)) * bloom**3 * np.float32(0.3)

        brush = noise(self.rng, 14, 90, 2) + noise(self.rng, 70, 12, 2) - 1
        dark = 1 - np.float32(0.2) * (X**2 / EDGE**2 + Y**2) ** 1.5
        out = np.clip(out * (dark * (1 + np.float32(0.055) * brush))[..., None], 0, 1)
        out += (out - out.mean(axis=2, keepdims=True)) * np.float32(0.22)
        out += np.sin((out - 0.5) * 2 * np.pi) * np.float32(0.045)
        return Image.fromarray((np.clip(out, 0, 1) * 255).astype(np.uint8))


def _relief(mask: Image.Image, reach: float) -> Array:
    """How much each pixel of a pillow-shaped mask faces the
    light, -1..1, (H, W, 1).
    """
    pad = int(reach) + 1
    wide = Image.new("L", (mask.width + 2 * pad, mask.height + 2 * pad))
    wide.paste(mask, (pad, pad))
    soft = np.asarray(wide.filter(ImageFilter.GaussianBlur(reach)), dtype=np.float32)
    slope = 0.6 * np.gradient(soft, axis=1) + 0.8 * np.gradient(soft, axis=0)
    lit = slope[pad:-pad, pad:-pad, None]
    return np.asarray(lit / max(float(np.abs(lit).max()), 1e-6), dtype=np.float32)
