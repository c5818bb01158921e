"""Koi ponds: one scene, and the parts of the fish."""

from __future__ import annotations

import numpy as np

from data_label_factory.samples.canvas import (
    Canvas,
    Place,
    Point,
    band,
    noise,
    ring,
    smooth,
    turned,
)
from data_label_factory.samples.palette import Color, mix


def koi(c: Canvas) -> None:
    """Carp circling in a pond among ripples and lily pads."""
    _pond(c)

    count = c.n(2, 3)
    turn = c.u(0, 6.3)
    way = c.side()
    skins = (
        c.haze(c.pal.glow, 0.15),
        c.pal.accent,
        mix(c.pal.near, c.pal.far, 0.3),
    )
    for k in range(count):
        a = turn + k * 2 * np.pi / count
        at = (0.5 * float(np.cos(a)), 0.42 * float(np.sin(a)))
        heading = a + (np.pi if way > 0 else 0)
        _carp(c, at, heading, c.u(0.68, 0.88), skins[k % 2], skins[(k + 1) % 2])

    for _ in range(c.n(5, 8)):
        _lily_pad(c, c.u(0, 6.3), c.u(0.14, 0.26))


def _pond(c: Canvas) -> None:
    """Water with drifting light, caustics and a few rings of ripples."""
    c.px[:] = c.shade(c.pal.far, 0.35)
    c.glow((c.u(-0.5, 0.5), c.u(-0.5, 0.5)), 0.8, c.pal.low, 0.55)
    drift = np.clip(noise(c.rng, (6, 6), 4) * 2 - 0.9, 0, 1)
    c.blend(drift * np.float32(0.4), c.pal.low)
    cells = np.abs(noise(c.rng, (9, 8), 2) - 0.5)
    c.blend(np.clip(1 - cells * 22, 0, 1) * np.float32(0.35), c.pal.glow)

    for _ in range(c.n(2, 4)):
        at = (c.u(-1, 1), c.u(-0.9, 0.9))
        for r in (0.12, 0.22, 0.34):
            c.shape(band(at, r, 0.012), c.pal.glow, alpha=0.5 - r)


def _carp(c: Canvas, at: Point, angle: float, size: float, skin: Color, patch: Color) -> None:
    """One carp from above, bending."""

    def place(points: list[Point]) -> list[Point]:
        return turned(points, angle, at, size)

    bend = c.u(0.15, 0.35) * c.side()
    spine = smooth(
        [
            (0, -0.5),
            (bend * 0.4, -0.2),
            (bend * 0.5, 0.15),
            (0, 0.5),
            (-bend * 0.6, 0.7),
        ]
    )
    half = np.interp(
        np.linspace(0, 1, len(spine)), [0, 0.12, 0.35, 0.7, 1], [0.05, 0.13, 0.165, 0.1, 0.03]
    )

    _fins(c, place, bend, skin)
    left = [(x - float(h), y) for (x, y), h in zip(spine, half, strict=True)]
    right = [(x + float(h), y) for (x, y), h in zip(spine, half, strict=True)]
    body = place([*left, *right[::-1]])
    c.shape([(x + 0.05, y + 0.09) for x, y in body], c.pal.near, alpha=0.35)
    c.shape(body, c.lit(skin, 0.3), skin, volume=0.4, rim=c.pal.glow)

    shade = c.shade(patch, 0.2)
    for k in (2, 12, 20, 29):
        x, y = spine[k]
        spot = place([(x + c.u(-0.04, 0.04), y)])[0]
        r = float(half[k]) * size
        c.oval(spot, r * 0.75, r * c.u(0.8, 1.3), patch, shade, angle=angle, volume=0.2)

    for s in (-1, 1):
        eye = place([(s * 0.095, -0.4)])[0]
        c.oval(eye, 0.026 * size, 0.026 * size, c.pal.near)


def _fins(c: Canvas, place: Place, bend: float, skin: Color) -> None:
    """Two pairs of fins and the tail of a carp."""
    pale = c.lit(skin, 0.6)
    pectoral = [
        (0.08, -0.22),
        (0.36, -0.12),
        (0.3, 0.02),
        (0.1, -0.05),
    ]
    pelvic = [(0.08, 0.2), (0.22, 0.3), (0.16, 0.36)]
    for fin in (pectoral, pelvic):
        for s in (-1, 1):
            outline = place([(s * x + bend * 0.4, y) for x, y in fin])
            c.shape(outline, pale, skin, alpha=0.75, rim=c.pal.glow)

    tail = [
        (-bend * 0.3, 0.55),
        (-bend - 0.24, 0.98),
        (-bend * 0.8, 0.82),
        (-bend + 0.2, 1.0),
    ]
    c.shape(place(smooth(tail, closed=True)), pale, skin, alpha=0.8, rim=c.pal.glow)


def _lily_pad(c: Canvas, a: float, r: float) -> None:
    """A lily pad near the edge of the pond, at angle `a`; about half of them bloom."""
    leaf = mix(c.pal.far, c.pal.accent, 0.2)
    at = (1.05 * float(np.cos(a)), 0.88 * float(np.sin(a)))
    pad = [at, *turned(ring((0, 0), r, 40)[2:-2], a, at)]
    c.shape([(x + 0.03, y + 0.04) for x, y in pad], c.pal.near, alpha=0.4)
    c.shape(pad, c.haze(leaf, 0.35), leaf, volume=0.2, rim=c.pal.glow)

    if c.n(0, 1):
        for size in (1.0, 0.7, 0.4):
            petals = ring(at, r * 0.75 * size, 16, 0.35)
            c.shape(petals, c.lit(c.pal.accent, 1 - size), c.pal.accent, volume=0.2)
