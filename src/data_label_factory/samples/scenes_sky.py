"""Skies: storms, lantern nights, floating isles and star charts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from data_label_factory.samples.canvas import (
    EDGE,
    Canvas,
    Point,
    X,
    Y,
    mirrored,
    moved,
    noise,
    ring,
    smooth,
    turned,
)
from data_label_factory.samples.palette import Color, mix
from data_label_factory.samples.scenery import (
    birds,
    bolt,
    cloud,
    height_at,
    orb,
    pine,
    ridge,
    sea,
    sky,
    swell,
)


def storm(c: Canvas) -> None:
    """Heaped thunderheads, lightning and slanting rain over hills or a rough sea."""
    sky(c, 0.6, 0.3)
    c.px *= np.float32(0.6)
    strike = (c.u(-0.6, 0.6), c.u(0.3, 0.5))
    c.glow((strike[0], 0.1), 0.5, c.pal.low, 0.3)

    for k in range(9):
        tone = c.shade(c.haze(c.pal.far, 0.5), c.u(0.1, 0.6))
        if k == 5:
            bolt(c, (strike[0] + c.u(-0.3, 0.3), -0.5), strike, c.u(0.025, 0.045), c.n(1, 4))
        place = (c.u(-1.2, 1.2), -0.95 + 0.07 * k + c.u(0, 0.2))
        cloud(c, place, c.u(0.45, 0.8), c.lit(tone, 0.3), c.shade(tone, 0.6))

    if c.n(0, 1):
        _rough_sea(c, strike)
    else:
        _dark_hills(c)

    rain = np.clip(noise(c.rng, (90, 6), 2) * 3 - 1.9, 0, 1) * np.clip(0.8 + 0.2 * X, 0, 1)
    c.blend(rain * np.clip(Y + 0.7, 0, 1) * np.float32(0.3), c.pal.glow)


def _rough_sea(c: Canvas, strike: Point) -> None:
    sea(c, 0.42, strike)
    for k in range(3):
        swell(c, 0.6 + k * 0.16, 0.09 + 0.03 * k, c.shade(c.pal.far, 0.3 + k * 0.3))


def _dark_hills(c: Canvas) -> None:
    rim = c.lit(c.pal.far, 0.4)
    for k in range(2):
        line = ridge(c, 0.5 + k * 0.22, 0.14)
        c.shape(line, c.shade(c.pal.far, 0.3 + k * 0.5), c.pal.near, rim=rim)
        for x in c.rng.uniform(-1, 1, 4 * k):
            foot = (float(x), height_at(line, float(x)) + 0.03)
            pine(c, foot, c.u(0.2, 0.35), c.pal.near)


def lanterns(c: Canvas) -> None:
    """Paper lanterns rising from a night lake."""
    horizon = c.u(0.3, 0.5)
    sky(c, horizon + 0.3, 0.3)
    c.px *= np.float32(0.5)
    c.sparks(70, c.pal.glow, 0.004, -1, 0.1)

    hills = ridge(c, horizon - 0.12, 0.14)
    c.shape(hills, c.shade(c.pal.far, 0.3), c.haze(c.pal.far, 0.2))
    sea(c, horizon)

    # Many small lanterns and a few large ones, the largest in front.
    for size in np.sort(c.rng.gamma(2.2, 0.045, c.n(14, 26)) + 0.03):
        r = min(float(size), 0.25)
        at = (c.u(-EDGE, EDGE), c.u(-0.9, horizon - 0.1 - r))
        _lantern(c, at, r, horizon)


def _lantern(c: Canvas, at: Point, r: float, horizon: float) -> None:
    """One lantern and its glow on the water."""
    x, y = at
    warm = c.lit(c.pal.accent, 0.35)
    paper = c.shade(c.pal.accent, 0.15)
    c.glow(at, r * 1.3, warm, 0.32)
    c.glow((x, 2 * horizon - y * 0.6), r * 0.8, warm, 0.2)

    side = smooth(
        [
            (0.35, -0.75),
            (0.8, -0.55),
            (0.9, 0.2),
            (0.55, 0.75),
        ]
    )
    body = moved([*side, *mirrored(side[::-1])], at, r)
    c.shape(body, paper, mix(c.pal.glow, warm, 0.55), volume=0.15)
    c.glow((x, y + r * 0.35), r * 0.33, c.pal.glow, 0.75)

    for k in (-0.4, 0.0, 0.4) if r > 0.07 else ():
        top = (x + k * r * 0.5, y - r * 0.75)
        rib = smooth([top, (x + k * r * 1.5, y), (x + k * r, y + r * 0.75)])
        c.shape(c.ribbon(rib, 0.008, 0.008), paper, alpha=0.6)

    c.oval((x, y - r * 0.75), r * 0.36, r * 0.08, c.pal.near)
    c.oval((x, y + r * 0.75), r * 0.55, r * 0.07, mix(c.pal.near, paper, 0.4))


def isles(c: Canvas) -> None:
    """Islands adrift above a sea of clouds."""
    sky(c, 0.9, 0.4)
    orb(c, (c.side() * c.u(0.4, 0.8), c.u(-0.7, -0.4)), c.u(0.1, 0.22), c.n(0, 1) == 0)

    for k in range(c.n(3, 5)):
        size = 0.1 + 0.04 * k + c.u(0, 0.08)
        _isle(c, (c.u(-0.95, 0.95), c.u(-0.6, 0.1)), size)
        cloud(c, (c.u(-1, 1), c.u(-0.2, 0.6)), c.u(0.2, 0.4), c.pal.glow, c.pal.low, 0.7)
    _isle(c, (c.u(-0.4, 0.4), c.u(0.05, 0.3)), c.u(0.42, 0.6))

    shade = mix(c.pal.low, c.pal.far, 0.3)
    for k in range(10):
        at = (c.u(-1.2, 1.2), 0.75 + 0.03 * k)
        cloud(c, at, c.u(0.3, 0.5), c.pal.glow, shade, 0.85)
    birds(c, c.n(3, 8), (0, -0.5), 0.7, c.pal.near)


def _isle(c: Canvas, at: Point, half: float) -> None:
    """A floating rock with a meadow, trees and a waterfall."""
    x, y = at
    tone = c.shade(c.pal.far, 0.3)
    rock: list[Point] = [(x + half, y)]
    for k in range(1, 12):
        t = k / 12
        drop = half * (1 - abs(2 * t - 1)) ** 0.8 * c.u(0.85, 1.3)
        rock.append((x + half * (1 - 2 * t), y + drop))
    rock.append((x - half, y))
    lit = c.haze(tone, 0.2)
    c.shape(rock, lit, c.pal.near, volume=0.5, rim=c.lit(tone, 0.5))

    spill = x + c.u(-0.5, 0.5) * half
    fall = c.ribbon([(spill, y), (spill, y + half * 1.6)], half * 0.13, half * 0.3)
    c.shape(fall, c.pal.glow, c.pal.low, alpha=0.7)

    grass = mix(c.pal.accent, c.pal.far, 0.55)
    for k in range(c.n(3, 7)):
        spot = (x + c.u(-0.75, 0.75) * half, y)
        if k % 2:
            pine(c, spot, half * c.u(0.5, 0.9), mix(c.pal.near, grass, 0.3))
        else:
            _round_tree(c, spot, half * c.u(0.15, 0.28))
    c.oval(at, half * 1.03, half * 0.13, c.lit(grass, 0.35), grass, volume=0.2)


def _round_tree(c: Canvas, foot: Point, r: float) -> None:
    x, y = foot
    c.shape(c.ribbon([foot, (x, y - r * 1.6)], r * 0.3, r * 0.2), c.pal.near)
    lit = c.lit(c.pal.accent, 0.25)
    c.oval((x, y - r * 1.9), r, r * 0.85, lit, c.pal.accent, volume=0.3)


def constellation(c: Canvas) -> None:
    """A nebula, a ringed planet and a drawn star sign."""
    c.px[:] = mix(c.pal.near, c.pal.top, 0.6)
    for color in (c.pal.low, c.pal.accent, c.pal.far, c.pal.glow):
        _nebula_arm(c, color)
    c.sparks(260, c.pal.glow, 0.0035)
    c.sparks(25, c.pal.glow, 0.009)

    at = (c.side() * c.u(0.45, 0.8), c.u(-0.6, 0.6))
    _planet(c, at, c.u(0.18, 0.34))

    stars = _star_sign(c, -np.sign(at[0]))
    for a, b in pairwise(stars):
        c.shape(c.ribbon([a, b], 0.007, 0.007), c.pal.glow, alpha=0.75)
    for star in stars:
        size = c.u(0.03, 0.065)
        c.glow(star, size * 1.4, c.pal.glow, 0.8)
        c.shape(ring(star, size, 8, 0.72), c.pal.glow)


def _nebula_arm(c: Canvas, color: Color) -> None:
    slope = np.float32(c.u(-0.8, 0.8))
    offset = np.float32(c.u(-0.5, 0.5))
    arm = np.exp(-((Y - X * slope - offset) ** 2) * 3)
    clouds = np.clip(noise(c.rng, (4, 3), 6) * 2.6 - 1.2, 0, 1)
    c.blend(clouds * arm * np.float32(0.65), color)


def _planet(c: Canvas, at: Point, r: float) -> None:
    """A planet with a tilted ring."""
    tilt = c.u(-0.6, 0.6)
    lit = c.lit(c.pal.accent, 0.3)
    c.oval(at, r, r, lit, c.shade(c.pal.accent, 0.6), volume=0.7)

    path = smooth(
        [
            (-0.95, 0.1),
            (-1.8, 0.12),
            (0, 0.5),
            (1.8, 0.12),
            (0.95, 0.1),
        ]
    )
    hoop = [(px * r, py * r) for px, py in path]
    c.shape(c.ribbon(turned(hoop, tilt, at), 0.03, 0.03), c.pal.glow, alpha=0.85)


def _star_sign(c: Canvas, s: float) -> list[Point]:
    """Seven to ten stars, each a step from the last; the first is on side `s`."""
    angle = c.u(0, 6.3)
    stars: list[Point] = [(float(s * c.u(0.2, 0.5)), c.u(-0.3, 0.3))]
    for _ in range(c.n(6, 9)):
        angle += c.u(-1.3, 1.3)
        x, y = stars[-1][0] + 0.34 * np.cos(angle), stars[-1][1] + 0.34 * np.sin(angle)

        # Turn back towards the middle rather than leave the picture.
        if abs(x) > 1.0 or abs(y) > 0.85:
            angle += np.pi
            x, y = stars[-1][0] * 0.7, stars[-1][1] * 0.7 + 0.1
        stars.append((float(x), float(y)))
    return stars
