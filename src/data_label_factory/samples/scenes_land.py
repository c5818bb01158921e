"""Places: mountains, forests, castles and deserts."""

from __future__ import annotations

import numpy as np

from data_label_factory.samples.canvas import EDGE, Canvas, Point, Y, noise, smooth
from data_label_factory.samples.palette import Color, mix
from data_label_factory.samples.scenery import birds, height_at, orb, pine, ridge, sky


def mountains(c: Canvas) -> None:
    """Peaks under a moon, ridges fading into mist, firs in front."""
    sky(c, c.u(0.1, 0.5))
    if c.pal.top.mean() < 0.3:
        c.sparks(90, c.pal.glow, 0.004, -1, 0)
    orb(c, (c.side() * c.u(0.35, 0.8), c.u(-0.75, -0.35)), c.u(0.12, 0.26), c.n(0, 2) == 0)

    base = c.u(0.25, 0.45)
    for _ in range(c.n(2, 4)):
        foot = (c.u(-1, 1), base)
        half = c.u(0.5, 0.9)
        tall = c.u(0.5, 1.0)
        _peak(c, foot, half, tall, c.haze(c.pal.far, c.u(0.1, 0.4)))
    c.mist(base, 0.14, c.pal.glow, 0.9)

    for k in range(3):
        line = ridge(c, base + 0.08 + k * 0.18, 0.13)
        tone = c.shade(c.haze(c.pal.far, 0.2), k / 2)
        for x in np.sort(c.rng.uniform(-EDGE, EDGE, 5 + k * 6)) if k else []:
            foot = (float(x), height_at(line, float(x)) + 0.02)
            pine(c, foot, c.u(0.12, 0.2) * (1 + k * 0.45), tone)
        c.shape(line, tone, c.shade(tone, 0.3))
        if k < 2:
            c.mist(base + 0.25 + k * 0.18, 0.1, c.pal.low, 0.8)


def _peak(c: Canvas, at: Point, half: float, tall: float, color: Color) -> None:
    """A mountain with a lit and a shadowed flank and a snow cap."""
    x, y = at
    tip = (x + c.u(-0.15, 0.15) * half, y - tall)
    spine = [tip]
    for k in range(1, 7):
        bend = tip[0] + c.u(-0.16, 0.16) * half * (0.4 + k / 7)
        spine.append((bend, y - tall * (1 - k / 6)))

    lit = c.lit(color, 0.25)
    dark = c.shade(color, 0.35)
    left, right = (lit, dark) if c.light[0] < 0 else (dark, lit)
    c.shape([(x - half, y), *spine], left, c.haze(left, 0.45))
    c.shape([(x + half, y), *spine], right, c.haze(right, 0.45))

    snow = []
    for k in range(9):
        drop = 0.24 + 0.09 * (k % 2) + c.u(-0.03, 0.03)
        snow.append((tip[0] + (2 * (k / 8) - 1) * half * drop, tip[1] + tall * drop))
    c.shape([tip, *snow[::-1]], c.pal.glow, mix(c.pal.glow, c.pal.far, 0.3), alpha=0.9)


def forest(c: Canvas) -> None:
    """Trunks in three depths, light between them, toadstools below."""
    sky(c, 0.9, 0.2)
    heart = (c.u(-0.5, 0.5), c.u(-0.35, 0.15))
    c.light = (heart[0] or 0.3, -0.6)
    c.glow(heart, c.u(0.35, 0.5), c.pal.glow, 0.9)

    for k in range(3):
        tone = c.shade(mix(c.pal.low, c.pal.far, 0.6), k / 2.1)
        foot = 0.45 + k * 0.2
        count = 8 - k * 2
        for x in np.linspace(-EDGE, EDGE, count) + c.rng.uniform(-0.14, 0.14, count):
            if k < 2 or abs(x - heart[0]) > 0.4:
                _tree(c, float(x), c.u(0.05, 0.08) * (1 + k * 0.8), tone, foot)
        c.shape(ridge(c, foot, 0.05), c.haze(tone, 0.2), tone)
        c.mist(foot, 0.16, c.pal.low, 0.7 - k * 0.2)

    for x in c.rng.uniform(-1, 1, c.n(4, 8)):
        _toadstool(c, (float(x), c.u(0.86, 0.98)), c.u(0.05, 0.12))
    c.sparks(c.n(25, 60), c.pal.glow, 0.008, -0.3, 0.9)


def _tree(c: Canvas, x: float, width: float, color: Color, foot: float) -> None:
    """A tall trunk with bent boughs that leaves the picture at the top."""
    lean = c.u(-0.12, 0.12)
    crown = [(x + lean * 0.3, 0.2), (x + lean, -0.4), (x + lean * 1.3, -1.1)]
    path = smooth([(x, foot), *crown])

    roots = []
    for s in (-1, 1):
        end = (x + s * width * 1.5, foot + 0.06)
        roots.append([(x, foot - width), end, (x, foot + 0.05)])

    boughs = []
    for _ in range(c.n(2, 4)):
        px, py = path[c.n(12, 26)]
        s = c.side()
        tip = (px + s * c.u(0.2, 0.45), py - c.u(0.2, 0.35))
        bend = smooth([(px, py), (px + s * width * 2, py - 0.12), tip])
        boughs.append(c.ribbon(bend, width * 0.5, 0.005))

    mask = c.polygon_mask(c.ribbon(path, width, width * 0.6), *roots, *boughs)
    c.fill(mask, color, c.shade(color, 0.4), volume=0.25, rim=c.lit(color, 0.5))


def _toadstool(c: Canvas, at: Point, size: float) -> None:
    """A glowing toadstool that stands at `at`."""
    x, foot = at
    c.glow((x, foot - size), size * 1.5, c.pal.accent, 0.55)

    stem = c.ribbon([(x, foot), (x, foot - size)], size * 0.35, size * 0.25)
    c.shape(stem, c.pal.glow)

    dome = []
    for a in np.linspace(0, 3.15, 16):
        height = size * (0.8 + float(np.sin(a)) * 0.8)
        dome.append((x + size * float(np.cos(a)), foot - height))
    c.shape(dome, c.lit(c.pal.accent, 0.3), c.pal.accent, volume=0.3)


def tower(c: Canvas) -> None:
    """A castle on a crag before a great moon."""
    sky(c, c.u(0.3, 0.8), 0.5)
    x = c.u(-0.35, 0.35)
    orb(c, (x + c.side() * c.u(0.15, 0.5), c.u(-0.5, -0.2)), c.u(0.28, 0.5))

    far = c.haze(c.pal.far, 0.45)
    c.shape(ridge(c, 0.45, 0.2), far, c.haze(far, 0.3))
    c.mist(0.5, 0.2, c.pal.glow, 0.8)

    foot = c.u(0.35, 0.5)
    stone = mix(c.pal.near, c.pal.far, 0.35)
    count = c.n(3, 6)
    spots = np.linspace(-0.13, 0.13, count) * count * 0.8
    for k in c.rng.permutation(count):
        spot = float(spots[k])
        tall = c.u(0.35, 0.6) + 0.35 * (1 - abs(spot) / 0.6)
        half = c.u(0.06, 0.11)
        _keep(c, x + spot, foot + 0.12, half, tall, mix(stone, c.pal.far, c.u(0, 0.35)))

    _crag(c, (x, foot), abs(float(spots[0])) + 0.25, stone)
    c.mist(0.85, 0.18, c.pal.low, 0.9)
    birds(c, c.n(4, 9), (-x, -0.4), 0.5, c.pal.near)


def _keep(c: Canvas, x: float, foot: float, half: float, tall: float, stone: Color) -> None:
    """One castle tower: shaft, battlement, pointed roof with pennant, lit windows."""
    top = foot - tall
    shaft = [
        (x - half, foot),
        (x - half * 0.85, top),
        (x + half * 0.85, top),
        (x + half, foot),
    ]
    c.shape(shaft, c.haze(stone, 0.2), stone, volume=0.35, rim=c.lit(stone, 0.6))

    left = x - half * 1.15
    right = x + half * 1.15
    wall = [
        (left, top + 0.03),
        (left, top - 0.03),
        (right, top - 0.03),
        (right, top + 0.03),
    ]
    c.shape(wall, c.haze(stone, 0.25))

    peak = top - half * c.u(2.2, 3.6)
    slate = c.shade(c.pal.accent, 0.45)
    roof = [(x - half * 1.3, top - 0.02), (x, peak), (x + half * 1.3, top - 0.02)]
    c.shape(roof, c.lit(slate, 0.15), slate, volume=0.4)

    c.shape([(x, peak - 0.1), (x + 0.1, peak - 0.07), (x, peak - 0.04)], c.pal.accent)
    c.shape(c.ribbon([(x, peak + 0.02), (x, peak - 0.1)], 0.008, 0.008), c.pal.near)

    for _ in range(int(tall * 6)):
        window = (x + c.u(-0.45, 0.45) * half, c.u(top + 0.06, foot - 0.06))
        c.glow(window, 0.03, c.pal.glow, 0.6)
        c.oval(window, 0.011, 0.021, c.pal.glow)


def _crag(c: Canvas, at: Point, wide: float, stone: Color) -> None:
    """The rock under a castle, `wide` on each side of `at`."""
    x, foot = at
    right = [(x + wide + 0.06, foot + 0.2), (x + wide - 0.04, foot + 0.34), (x + wide + 0.2, 1.05)]
    left = [(x - wide - 0.25, 1.05), (x - wide + 0.02, foot + 0.3), (x - wide - 0.05, foot + 0.16)]
    crag = [
        (x - wide, foot + 0.06),
        (x + wide, foot + 0.03),
        *right,
        *left,
    ]

    lit = c.shade(stone, 0.3)
    c.shape(crag, lit, c.pal.near, volume=0.35, rim=c.lit(stone, 0.5))


def desert(c: Canvas) -> None:
    """Dunes with knife-edged crests, pyramids, one or two suns."""
    sky(c, 0.3, 0.25)
    s = c.side()
    orb(c, (s * c.u(0.3, 0.8), c.u(-0.6, -0.2)), c.u(0.16, 0.3))
    if c.n(0, 1):
        second = (s * c.u(-0.1, 0.2), c.u(-0.75, -0.5))
        c.oval(second, 0.08, 0.08, c.pal.accent, c.pal.glow)

    for _ in range(c.n(1, 4)):
        _pyramid(c, c.u(-0.9, 0.9), c.u(0.2, 0.5), s)
    for k in range(4):
        tone = c.shade(mix(c.pal.low, c.pal.far, 0.45), k / 5)
        _dune(c, c.u(-0.8, 0.8), 0.3 + k * 0.17, s, tone)

    ripples = np.clip(noise(c.rng, (5, 60), 2) - 0.5, 0, 1)
    c.blend(np.clip(Y, 0, 1) * ripples * np.float32(0.6), c.pal.glow)


def _pyramid(c: Canvas, x: float, half: float, s: int) -> None:
    """A pyramid whose sun is on side `s`."""
    foot = 0.32
    tip = (x, foot - half * 1.2)
    split = (x + half * 0.3 * s, foot)
    tone = c.haze(c.pal.far, 0.3)

    whole = [(x - half, foot), tip, (x + half, foot)]
    c.shape(whole, c.lit(tone, 0.35), c.haze(tone, 0.4))
    shadow = [split, tip, (x - s * half, foot)]
    c.shape(shadow, c.shade(tone, 0.4), c.haze(tone, 0.3))


def _dune(c: Canvas, x: float, base: float, s: int, tone: Color) -> None:
    """A dune from edge to edge, its crest at `x`, its shadow away from the sun on side
    `s`.
    """
    left = (-EDGE, base + c.u(0, 0.15))
    top = (x, base - c.u(0.1, 0.2))
    right = (EDGE, base + c.u(0, 0.1))
    crest = smooth([left, (x - 0.5, base + 0.06), top, (x + 0.6, base + 0.1), right])
    c.shape([*crest, (EDGE, 1.05), (-EDGE, 1.05)], c.lit(tone, 0.4), tone)

    foot = [(x - 0.15 * s, base + 0.3), (x + 0.1 * s, 1.05)]
    fall = smooth([(x, base - 0.12), (x + 0.1 * s, base + 0.1), *foot])
    shade = [p for p in crest if (p[0] - x) * s < 0]
    if s < 0:
        shade.reverse()
    c.shape([*shade, *fall, (-s * EDGE, 1.05)], c.shade(tone, 0.35), tone, alpha=0.7)
