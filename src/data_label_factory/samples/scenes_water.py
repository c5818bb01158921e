"""Water: ships, krakens and jellyfish."""

from __future__ import annotations

import numpy as np

from data_label_factory.samples.canvas import (
    EDGE,
    Canvas,
    Point,
    band,
    mirrored,
    moved,
    smooth,
)
from data_label_factory.samples.palette import Color, mix
from data_label_factory.samples.scenery import birds, cloud, orb, rays, sea, sky, swell


def ship(c: Canvas) -> None:
    """A tall ship before a low sun."""
    horizon = c.u(0.1, 0.35)
    sky(c, horizon, 0.6)
    s = c.side()
    sun = (-s * c.u(0.1, 0.7), horizon - c.u(0.1, 0.35))
    orb(c, sun, c.u(0.16, 0.3))
    for _ in range(c.n(1, 3)):
        at = (c.u(-1, 1), c.u(-0.7, horizon - 0.2))
        cloud(c, at, c.u(0.2, 0.4), c.pal.glow, c.pal.low, 0.6)
    sea(c, horizon, sun)

    x = s * c.u(0, 0.3)
    y = horizon + c.u(0.2, 0.32)
    size = c.u(0.85, 1.2)
    sail = mix(c.pal.glow, c.pal.accent, c.u(0, 0.65))
    for k in np.linspace(-0.3, 0.3, c.n(2, 3)):
        tall = size * c.u(0.75, 0.95) * (1 - 0.4 * abs(float(k)))
        _mast(c, (x + float(k) * size, y - 0.05), tall, sail, s)
    _hull(c, (x, y), size, s)

    for k in range(3):
        height = c.u(0.05, 0.08) * (1 + k * 0.3)
        swell(c, y + 0.08 + k * 0.2, height, c.shade(c.pal.far, 0.3 + k * 0.3))
    birds(c, c.n(3, 7), (x, -0.6), 0.6, c.pal.near)


def _mast(c: Canvas, at: Point, tall: float, sail: Color, s: int) -> None:
    """A mast with three billowing sails; `s` is the side the wind blows to."""
    x, y = at
    c.shape(c.ribbon([(x, y), (x, y - tall)], 0.025, 0.012), c.pal.near)

    for k in range(3):
        half = tall * (0.3 - 0.06 * k)
        low = y - tall * (0.14 + 0.28 * k)
        high = y - tall * (0.39 + 0.27 * k)
        middle = (low + high) / 2
        belly = s * half * 0.45
        lead = smooth([(x + half * 0.8, high), (x + half + belly, middle), (x + half, low)])
        rear = smooth([(x - half, low), (x - half + belly, middle), (x - half * 0.8, high)])
        cloth = [*lead, (x + belly * 0.3, low - 0.03), *rear]
        c.shape(cloth, c.lit(sail, 0.4), sail, volume=0.25)

    c.shape([(x, y - tall), (x + s * 0.14, y - tall - 0.02), (x, y - tall + 0.045)], c.pal.accent)


def _hull(c: Canvas, at: Point, size: float, s: int) -> None:
    """The hull with its bow to side `s`, and a painted stripe along it."""
    keel = [
        (-0.36, 0.1),
        (0.3, 0.1),
        (0.52, -0.05),
        (0.72, -0.2),
    ]
    hull = smooth([(-0.56, -0.24), (-0.5, -0.06), *keel])
    hull += smooth(
        [
            (0.72, -0.2),
            (0.4, -0.1),
            (-0.2, -0.08),
            (-0.56, -0.24),
        ]
    )
    wood = mix(c.pal.near, c.pal.accent, 0.18)
    c.shape(moved(hull, at, size, s), c.haze(wood, 0.3), wood, volume=0.4)

    stripe = smooth(
        [
            (-0.5, -0.13),
            (-0.2, 0.0),
            (0.3, 0.0),
            (0.6, -0.12),
        ]
    )
    c.shape(moved(c.ribbon(stripe, 0.02, 0.02), at, size, s), c.pal.accent)


def kraken(c: Canvas) -> None:
    """Tentacles rising from a sea at sunset."""
    horizon = c.u(-0.1, 0.15)
    sky(c, horizon, 0.6)
    sun = (c.u(-0.6, 0.6), horizon - c.u(0.15, 0.4))
    orb(c, sun, c.u(0.15, 0.28))
    sea(c, horizon, sun)

    skin = mix(c.pal.accent, c.pal.far, c.u(0.25, 0.75))
    spots = np.linspace(-0.95, 0.95, c.n(5, 7))
    for k, x in enumerate(c.rng.permutation(spots).tolist()):
        inwards = 1 if x < 0 else -1
        s = inwards if c.u(0, 1) < 0.7 else -inwards
        foot = 0.4 + 0.09 * k
        _tentacle(c, (x, foot), s, skin)
        swell(c, foot + 0.1, 0.05, c.shade(c.pal.far, 0.15 + 0.12 * k))
    birds(c, c.n(3, 6), (0, -0.7), 0.6, c.pal.near)


def _tentacle(c: Canvas, at: Point, s: int, skin: Color) -> None:
    """A tentacle that rises at `at` and curls to side `s`, with its suckers."""
    x0, foot = at
    dark = c.shade(skin, 0.65)
    pale = c.lit(skin, 0.55)

    top = c.u(-0.85, -0.3)
    lower = [(x0, foot + 0.2), (x0 - s * 0.14, foot - 0.25), (x0, (top + foot) / 2 - 0.12)]
    upper = [(x0 + s * 0.14, top), (x0 + s * 0.34, top + 0.02)]
    curl = [(x0 + s * 0.36, top + 0.2), (x0 + s * 0.24, top + 0.22)]
    path = smooth([*lower, *upper, *curl])
    width = c.u(0.18, 0.26)
    c.shape(c.ribbon(path, width, 0.02), mix(skin, pale, 0.2), dark, volume=0.5, rim=c.pal.glow)

    for j in range(6, 56, 3):
        x, y = path[j]
        nx, ny = path[j + 1]
        w = width * (1 - j / 62)
        a = float(np.arctan2(ny - y, nx - x)) + s * np.pi / 2
        sucker = (x + float(np.cos(a)) * w * 0.27, y + float(np.sin(a)) * w * 0.27)
        r = w * 0.17 + 0.004
        c.oval(sucker, r, r, pale, mix(pale, skin, 0.5))
        c.oval(sucker, r * 0.45, r * 0.45, dark)


def jelly(c: Canvas) -> None:
    """Jellyfish drifting up through the deep."""
    sky(c, 2.0, 0.1)
    c.px[:] = c.px[::-1]
    c.px *= np.float32(0.75)
    rays(c, (c.u(-0.6, 0.6), -1.5), c.n(9, 15), 0.9)

    for size in np.sort(c.rng.uniform(0.06, 0.15, c.n(3, 7))):
        _jelly(c, (c.u(-1, 1), c.u(-0.7, 0.4)), float(size))
    _jelly(c, (c.u(-0.4, 0.4), c.u(-0.35, -0.1)), c.u(0.34, 0.5))

    for k in range(9):
        x = -EDGE + k * 0.29 + c.u(-0.1, 0.1)
        middle = (x + c.u(-0.1, 0.1), 0.8)
        tip = (x + c.u(-0.2, 0.2), c.u(0.45, 0.75))
        weed = c.ribbon(smooth([(x, 1.1), middle, tip]), 0.12, 0.0)
        c.shape(weed, mix(c.pal.near, c.pal.far, 0.35), c.pal.near, volume=0.3)

    for _ in range(c.n(15, 30)):
        at = (c.u(-EDGE, EDGE), c.u(-1, 0.9))
        r = c.u(0.008, 0.03)
        c.shape(band(at, r, r * 0.35, 20), c.pal.glow, alpha=0.7)


def _jelly(c: Canvas, at: Point, size: float) -> None:
    """A translucent bell with frills and trailing threads."""
    x, y = at
    tone = c.lit(c.pal.accent, c.u(0, 0.3))
    c.glow(at, size * 1.2, tone, 0.5)

    for k in range(9):
        root = x + (k - 4) * size * 0.17
        sway = c.u(-0.35, 0.35) * size
        bends = [(root + sway, y + size * 0.8), (root - sway, y + size * 1.5)]
        tip = (root + sway * 0.5, y + size * c.u(2, 2.8))
        thread = smooth([(root, y), *bends, tip])
        frill = 0.16 if k in (3, 4, 5) else 0.035
        c.shape(c.ribbon(thread, size * frill, 0.004), c.lit(tone, 0.35), tone, alpha=0.6)

    half = [
        (0.0, -0.9),
        (0.85, -0.5),
        (1.0, 0.1),
        (0.66, 0.22),
        (0.33, 0.1),
    ]
    dome = smooth([*half, (0.0, 0.22), *mirrored(half[:0:-1])], closed=True)
    lit = c.lit(tone, 0.55)
    c.shape(moved(dome, at, size), lit, tone, volume=0.4, rim=c.pal.glow, alpha=0.82)

    for bend in (-0.6, -0.3, 0.0, 0.3, 0.6):
        nodes = [(bend * 0.3, -0.75), (bend * 1.1, -0.4), (bend * 1.25, 0.05)]
        rib = smooth(moved(nodes, at, size))
        c.shape(c.ribbon(rib, 0.012, 0.02), c.pal.glow, alpha=0.45)
    c.glow((x, y - size * 0.3), size * 0.4, c.pal.glow, 0.5)
