"""Treasures: crystals, portals, blades and potions."""

from __future__ import annotations

import numpy as np

from data_label_factory.samples.canvas import (
    EDGE,
    Canvas,
    Point,
    X,
    Y,
    mirrored,
    moved,
    ring,
    smooth,
    turned,
)
from data_label_factory.samples.palette import Array, Color, mix
from data_label_factory.samples.scenery import backdrop, bokeh, rays, ridge, sky


def crystals(c: Canvas) -> None:
    """A cluster of glowing prisms in a cave."""
    backdrop(c, (0, 0.1), c.u(0.7, 1.1))
    for _ in range(7):
        _stalactite(c, c.u(-EDGE, EDGE), c.u(0.08, 0.2))

    c.shape(ridge(c, 0.45, 0.1), c.shade(c.pal.far, 0.4), c.pal.near)
    x = c.u(-0.25, 0.25)
    c.glow((x, 0.3), 0.5, c.pal.accent, 0.45)

    # The prisms in the middle are the tallest, and stand in front.
    spots = np.linspace(-0.5, 0.5, c.n(6, 11))
    for k in np.argsort(-np.abs(spots)):
        lean = float(spots[k])
        tall = c.u(0.6, 0.9) * (1.5 - abs(lean) * 1.6)
        tone = mix(c.pal.accent, c.pal.far, c.u(0, 0.55))
        foot = (x + lean * 0.9, 0.72 + c.u(-0.03, 0.05))
        _prism(c, foot, lean * c.u(0.9, 1.5), tall, c.u(0.06, 0.13), tone)

    floor = ridge(c, 0.78, 0.07)
    stone = mix(c.pal.near, c.pal.far, 0.25)
    c.shape(floor, stone, c.pal.near, rim=mix(c.pal.far, c.pal.accent, 0.6))
    c.sparks(c.n(30, 60), c.pal.glow, 0.007, -0.8, 0.8)


def _stalactite(c: Canvas, x: float, half: float) -> None:
    tip = (x + c.u(-0.05, 0.05), c.u(-0.8, -0.35))
    rock = [(x - half, -1.05), tip, (x + half, -1.05)]
    c.shape(rock, c.pal.near, mix(c.pal.near, c.pal.far, 0.5))


def _prism(c: Canvas, foot: Point, angle: float, tall: float, half: float, tone: Color) -> None:
    """A crystal with four facets and a bright edge."""
    tip = (c.u(-0.3, 0.3) * half, -tall)
    waist = tall * c.u(0.72, 0.85)
    cut = c.u(-0.35, 0.35) * half

    faces: list[tuple[list[Point], float]] = [
        (
            [
                (-half, 0),
                (-half, -waist * 0.95),
                (cut, -waist),
                (cut, 0),
            ],
            0.35,
        ),
        (
            [
                (cut, 0),
                (cut, -waist),
                (half, -waist * 0.92),
                (half, 0),
            ],
            -0.35,
        ),
        ([(-half, -waist * 0.95), tip, (cut, -waist)], 0.7),
        ([(cut, -waist), tip, (half, -waist * 0.92)], 0.05),
    ]
    for face, light in faces:
        base = c.lit(tone, light) if light > 0 else c.shade(tone, -light)
        place = turned(face, angle, foot)
        c.shape(place, c.lit(base, 0.25), c.shade(base, 0.25))

    spine = turned([(cut, -0.02), (cut, -waist), tip], angle, foot)
    c.shape(c.ribbon(spine, 0.008, 0.004), c.pal.glow)


def portal(c: Canvas) -> None:
    """A stone ring of runes around swirling light, reached by steps."""
    sky(c, 0.8, 0.4)
    c.px *= np.float32(0.65)
    at = (c.u(-0.12, 0.12), c.u(-0.18, -0.05))
    r = c.u(0.52, 0.66)

    c.shape(ridge(c, 0.4, 0.12), c.shade(c.pal.far, 0.4), c.pal.near)
    c.glow(at, r * 1.1, c.pal.accent, 0.7)
    stone = c.shade(c.pal.far, 0.4)
    disc = c.polygon_mask(ring(at, r))
    c.fill(disc, c.lit(stone, 0.25), stone, volume=0.45, rim=c.pal.glow)

    _swirl(c, at, r * 0.74)
    _runes(c, at, r)
    _steps(c, (at[0], at[1] + r * 0.82), stone)
    c.sparks(c.n(30, 60), c.lit(c.pal.accent, 0.5), 0.008)


def _swirl(c: Canvas, at: Point, radius: float) -> None:
    """Whirling light that fills a disc."""
    far = np.hypot(X - at[0], Y - at[1])
    turns = np.arctan2(Y - at[1], X - at[0]) * c.n(2, 5)
    twist = c.side() * far * c.u(9, 16)
    swirl = np.sin(turns + twist) * 0.5 + 0.5

    inside = np.clip((radius - far) * 60, 0, 1)
    c.blend(inside, c.shade(c.pal.accent, 0.45))
    c.blend(inside * swirl * np.float32(0.8), c.lit(c.pal.accent, 0.35))
    core: Array = np.exp(-((far / np.float32(radius * 0.3)) ** 2))
    c.blend(inside * core, c.pal.glow)


def _runes(c: Canvas, at: Point, r: float) -> None:
    count = c.n(8, 13)
    for k in range(count):
        angle = k * 2 * np.pi / count
        spot = turned([(0, -r * 0.87)], angle, at)[0]
        rune = [(c.u(-0.03, 0.03), c.u(-0.05, 0.05)) for _ in range(4)]
        c.glow(spot, 0.06, c.pal.accent, 0.6)
        c.shape(c.ribbon(turned(rune, angle, spot), 0.014, 0.014), c.pal.glow)


def _steps(c: Canvas, at: Point, stone: Color) -> None:
    """Five steps, wider towards the viewer."""
    x = at[0]
    for k in range(5):
        half = 0.3 + 0.14 * k
        y = at[1] + k * 0.11
        front = [(x + half + 0.05, y + 0.12), (x - half - 0.05, y + 0.12)]
        step = [(x - half, y), (x + half, y), *front]
        c.shape(step, c.lit(stone, 0.3), c.shade(stone, 0.75))


def blade(c: Canvas) -> None:
    """A sword stuck in a rock, in a shaft of light."""
    sky(c, 0.9, 0.4)
    x = c.u(-0.2, 0.2)
    lean = c.u(-0.28, 0.28)
    c.glow((x, -0.15), 0.6, c.pal.glow, 0.6)
    rays(c, (x + lean, -0.9), c.n(5, 9), 0.7)

    for k in range(2):
        tone = c.shade(c.haze(c.pal.far, 0.3), k * 0.4)
        c.shape(ridge(c, 0.38 + 0.15 * k, 0.16), tone, c.haze(tone, 0.3))
        c.mist(0.5 + 0.15 * k, 0.12, c.pal.low, 0.7)

    _sword(c, (x - lean * 0.5, 0.62), lean)

    left = [
        (-0.7, 1.05),
        (-0.5, 0.72),
        (-0.26, 0.63),
        (-0.1, 0.52),
    ]
    right = [(0.2, 0.56), (0.4, 0.7), (0.75, 1.05)]
    rock = [(x + px, py) for px, py in [*left, *right]]
    lit = c.shade(c.pal.far, 0.4)
    c.shape(rock, lit, c.pal.near, volume=0.5, rim=c.lit(c.pal.far, 0.7))
    c.sparks(c.n(20, 50), c.pal.glow, 0.008)


def _sword(c: Canvas, foot: Point, lean: float) -> None:
    """A sword standing on its point: two-toned blade, drooping or rising guard, jeweled
    pommel.
    """
    wide = c.u(0.06, 0.1)
    tall = c.u(0.85, 1.0)
    steel = mix(c.pal.glow, c.pal.far, 0.2)
    gold = c.lit(c.pal.accent, 0.2)

    edge = [
        (-wide, -tall),
        (-wide * 0.8, 0.0),
        (0.0, 0.2),
        (0.0, -tall),
    ]
    c.shape(turned(edge, lean, foot), c.pal.glow, steel)
    dull = turned(mirrored(edge), lean, foot)
    c.shape(dull, mix(steel, c.pal.far, 0.5), c.shade(steel, 0.4))

    droop = c.u(-0.12, 0.12)
    arm = [(-0.34, -tall + droop), (-0.15, -tall - 0.02), (0.0, -tall)]
    guard = c.ribbon(smooth([*arm, *mirrored(arm[1::-1])]), 0.085, 0.085)
    grip = c.ribbon([(0.0, -tall), (0.0, -tall - 0.3)], 0.07, 0.06)
    c.shape(turned(grip, lean, foot), mix(c.pal.near, c.pal.accent, 0.3), c.pal.near, volume=0.4)
    c.shape(turned(guard, lean, foot), c.lit(gold, 0.4), gold, volume=0.5)

    for y, r in ((-tall - 0.33, 0.075), (-tall, 0.07)):
        jewel = turned([(0, y)], lean, foot)[0]
        c.oval(jewel, r, r, c.lit(gold, 0.4), gold, volume=0.5)
        c.oval(jewel, r * 0.6, r * 0.6, c.pal.glow, c.pal.accent, volume=0.3)


def potion(c: Canvas) -> None:
    """A corked flask of glowing liquid on a cluttered shelf."""
    backdrop(c, (0, -0.1), 1.1)
    bokeh(c, 22, c.pal.glow)
    c.light = (-0.7, -0.7)

    shelf = [
        (-EDGE, 0.68),
        (EDGE, 0.68),
        (EDGE, 1.05),
        (-EDGE, 1.05),
    ]
    c.shape(shelf, c.shade(c.pal.far, 0.45), c.pal.near)
    c.shape(c.ribbon([(-EDGE, 0.69), (EDGE, 0.69)], 0.03, 0.03), c.haze(c.pal.far, 0.3))

    for x in (-c.u(0.7, 0.95), c.u(0.7, 0.95)):
        _flask(c, (x, 0.7), c.u(0.45, 0.65), c.haze(c.pal.far, c.u(0.2, 0.7)))
    c.glow((0, 0.25), 0.4, c.pal.accent, 0.35)
    _flask(c, (c.u(-0.1, 0.1), 0.76), c.u(1.05, 1.2), c.pal.accent)
    c.sparks(c.n(20, 40), mix(c.pal.glow, c.pal.accent, 0.3), 0.008, -0.8, 0.5)


def _flask(c: Canvas, foot: Point, size: float, liquid: Color) -> None:
    """One bottle: a random belly, neck, cork, liquid and reflections."""
    belly = c.u(0.28, 0.42)
    shoulder = c.u(-0.75, -0.5)
    neck = c.u(0.06, 0.1)

    lower = [(belly * 0.6, 0), (belly, -0.16), (belly * 0.92, shoulder * 0.6)]
    upper = [(neck, shoulder - 0.1), (neck, -1.05), (neck * 1.4, -1.1)]
    right = smooth([*lower, *upper])
    glass = moved([*right, *mirrored(right[::-1])], foot, size)
    mask = c.polygon_mask(glass)

    cork = [
        (-neck, -1.04),
        (-neck * 1.1, -1.22),
        (neck * 1.1, -1.22),
        (neck, -1.04),
    ]
    dark = mix(c.pal.near, c.pal.far, 0.5)
    c.shape(moved(cork, foot, size), c.haze(c.pal.far, 0.3), dark, volume=0.4)
    c.fill(mask, c.pal.glow, c.pal.low, alpha=0.35)

    level = foot[1] + shoulder * size * c.u(0.55, 0.9)
    wet = [(x, max(y, level)) for x, y in glass]
    c.shape(wet, c.lit(liquid, 0.35), c.shade(liquid, 0.35), volume=0.4)
    c.glow((foot[0], foot[1] - 0.2 * size), 0.12 * size, c.pal.glow, 0.4)
    for _ in range(9):
        r = c.u(0.008, 0.03) * size
        x = foot[0] + c.u(-0.5, 0.5) * belly * size
        c.oval((x, c.u(level + 0.03, foot[1] - 0.05)), r, r, c.pal.glow, alpha=0.5)

    top = (-neck * 1.3, shoulder - 0.06)
    shine = smooth([(-belly * 0.72, -0.2), (-belly * 0.7, shoulder * 0.62), top])
    c.shape(moved(c.ribbon(shine, 0.045, 0.01), foot, size), c.pal.glow, alpha=0.75)
    c.fill(mask, c.pal.glow, c.pal.glow, rim=c.pal.glow, alpha=0.06)
