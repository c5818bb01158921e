"""Treasures: crystals, portals, blades and potions."""

import numpy as np

from .canvas import EDGE, Canvas, Point, X, Y, mirrored, ring, smooth, turned
from .palette import Color, mix
from .scenery import backdrop, bokeh, rays, ridge, sky


def _prism(c: Canvas, foot: Point, angle: float, tall: float, half: float, tone: Color) -> None:
    """A crystal with three facets and a bright edge."""
    tip, waist = (c.u(-0.3, 0.3) * half, -tall), tall * c.u(0.72, 0.85)
    cut = c.u(-0.35, 0.35) * half
    faces: list[tuple[list[Point], float]] = [
        ([(-half, 0), (-half, -waist * 0.95), (cut, -waist), (cut, 0)], 0.35),
        ([(cut, 0), (cut, -waist), (half, -waist * 0.92), (half, 0)], -0.35),
        ([(-half, -waist * 0.95), tip, (cut, -waist)], 0.7),
        ([(cut, -waist), tip, (half, -waist * 0.92)], 0.05),
    ]
    for face, light in faces:
        base = mix(tone, c.pal.glow, light) if light > 0 else mix(tone, c.pal.near, -light)
        c.shape(turned(face, angle, foot), mix(base, c.pal.glow, 0.25), mix(base, c.pal.near, 0.25))
    spine = turned([(cut, -0.02), (cut, -waist), tip], angle, foot)
    c.shape(c.ribbon(spine, 0.008, 0.004), c.pal.glow)


def crystals(c: Canvas) -> None:
    """A cluster of glowing prisms in a cave."""
    backdrop(c, (0, 0.1), c.u(0.7, 1.1))
    for _ in range(7):
        x, s = c.u(-EDGE, EDGE), c.u(0.08, 0.2)
        c.shape(
            [(x - s, -1.05), (x + c.u(-0.05, 0.05), c.u(-0.8, -0.35)), (x + s, -1.05)],
            c.pal.near,
            mix(c.pal.near, c.pal.far, 0.5),
        )
    c.shape(ridge(c, 0.45, 0.1), mix(c.pal.far, c.pal.near, 0.4), c.pal.near)
    x = c.u(-0.25, 0.25)
    c.glow((x, 0.3), 0.5, c.pal.accent, 0.45)
    spots = np.linspace(-0.5, 0.5, c.n(6, 11))
    for k in np.argsort(-np.abs(spots)):
        lean = float(spots[k])
        tall = c.u(0.6, 0.9) * (1.5 - abs(lean) * 1.6)
        tone = mix(c.pal.accent, c.pal.far, c.u(0, 0.55))
        _prism(
            c,
            (x + lean * 0.9, 0.72 + c.u(-0.03, 0.05)),
            lean * c.u(0.9, 1.5),
            tall,
            c.u(0.06, 0.13),
            tone,
        )
    c.shape(
        ridge(c, 0.78, 0.07),
        mix(c.pal.near, c.pal.far, 0.25),
        c.pal.near,
        rim=mix(c.pal.far, c.pal.accent, 0.6),
    )
    c.sparks(c.n(30, 60), c.pal.glow, 0.007, -0.8, 0.8)


def portal(c: Canvas) -> None:
    """A stone ring of runes around swirling light, reached by steps."""
    sky(c, 0.8, 0.4)
    c.px *= np.float32(0.65)
    at, r = (c.u(-0.12, 0.12), c.u(-0.18, -0.05)), c.u(0.52, 0.66)
    c.shape(ridge(c, 0.4, 0.12), mix(c.pal.far, c.pal.near, 0.4), c.pal.near)
    c.glow(at, r * 1.1, c.pal.accent, 0.7)
    stone = mix(c.pal.far, c.pal.near, 0.4)
    c.fill(
        c.polygon_mask(ring(at, r)),
        mix(stone, c.pal.glow, 0.25),
        stone,
        volume=0.45,
        rim=c.pal.glow,
    )
    inner = r * 0.74
    far = np.hypot(X - at[0], Y - at[1])
    swirl = (
        np.sin(np.arctan2(Y - at[1], X - at[0]) * c.n(2, 5) + c.side() * far * c.u(9, 16)) * 0.5
        + 0.5
    )
    inside = np.clip((inner - far) * 60, 0, 1)
    c.blend(inside, mix(c.pal.accent, c.pal.near, 0.45))
    c.blend(inside * swirl * np.float32(0.8), mix(c.pal.accent, c.pal.glow, 0.35))
    c.blend(inside * np.exp(-((far / np.float32(inner * 0.3)) ** 2)), c.pal.glow)
    count = c.n(8, 13)
    for k in range(count):
        spot = turned([(0, -r * 0.87)], k * 2 * np.pi / count, at)[0]
        rune = [(c.u(-0.03, 0.03), c.u(-0.05, 0.05)) for _ in range(4)]
        c.glow(spot, 0.06, c.pal.accent, 0.6)
        c.shape(c.ribbon(turned(rune, k * 2 * np.pi / count, spot), 0.014, 0.014), c.pal.glow)
    for k in range(5):
        half, y = 0.3 + 0.14 * k, at[1] + r * 0.82 + k * 0.11
        step = [
            (at[0] - half, y),
            (at[0] + half, y),
            (at[0] + half + 0.05, y + 0.12),
            (at[0] - half - 0.05, y + 0.12),
        ]
        c.shape(step, mix(stone, c.pal.glow, 0.3), mix(stone, c.pal.near, 0.75))
    c.sparks(c.n(30, 60), mix(c.pal.accent, c.pal.glow, 0.5), 0.008)


def blade(c: Canvas) -> None:
    """A sword stuck in a rock, in a shaft of light."""
    sky(c, 0.9, 0.4)
    x, lean = c.u(-0.2, 0.2), c.u(-0.28, 0.28)
    c.glow((x, -0.15), 0.6, c.pal.glow, 0.6)
    rays(c, (x + lean, -0.9), c.n(5, 9), 0.7)
    for k in range(2):
        tone = mix(mix(c.pal.far, c.pal.low, 0.3), c.pal.near, k * 0.4)
        c.shape(ridge(c, 0.38 + 0.15 * k, 0.16), tone, mix(tone, c.pal.low, 0.3))
        c.mist(0.5 + 0.15 * k, 0.12, c.pal.low, 0.7)
    _sword(c, (x - lean * 0.5, 0.62), lean)
    crag = (
        (-0.7, 1.05),
        (-0.5, 0.72),
        (-0.26, 0.63),
        (-0.1, 0.52),
        (0.2, 0.56),
        (0.4, 0.7),
        (0.75, 1.05),
    )
    rock = [(x + px, py) for px, py in crag]
    c.shape(
        rock,
        mix(c.pal.far, c.pal.near, 0.4),
        c.pal.near,
        volume=0.5,
        rim=mix(c.pal.far, c.pal.glow, 0.7),
    )
    c.sparks(c.n(20, 50), c.pal.glow, 0.008)


def _sword(c: Canvas, foot: Point, lean: float) -> None:
    """A sword standing on its point: two-toned blade, drooping or rising guard, jewelled pommel."""
    wide, tall = c.u(0.06, 0.1), c.u(0.85, 1.0)
    steel, gold = mix(c.pal.glow, c.pal.far, 0.2), mix(c.pal.accent, c.pal.glow, 0.2)
    edge = [(-wide, -tall), (-wide * 0.8, 0.0), (0.0, 0.2), (0.0, -tall)]
    c.shape(turned(edge, lean, foot), c.pal.glow, steel)
    c.shape(
        turned(mirrored(edge), lean, foot), mix(steel, c.pal.far, 0.5), mix(steel, c.pal.near, 0.4)
    )
    droop = c.u(-0.12, 0.12)
    arm = [(-0.34, -tall + droop), (-0.15, -tall - 0.02), (0.0, -tall)]
    guard = smooth([*arm, *mirrored(arm[1::-1])])
    grip = c.ribbon([(0.0, -tall), (0.0, -tall - 0.3)], 0.07, 0.06)
    c.shape(turned(grip, lean, foot), mix(c.pal.near, c.pal.accent, 0.3), c.pal.near, volume=0.4)
    c.shape(
        turned(c.ribbon(guard, 0.085, 0.085), lean, foot),
        mix(gold, c.pal.glow, 0.4),
        gold,
        volume=0.5,
    )
    for y, r in ((-tall - 0.33, 0.075), (-tall, 0.07)):
        jewel = turned([(0, y)], lean, foot)[0]
        c.oval(jewel, r, r, mix(gold, c.pal.glow, 0.4), gold, volume=0.5)
        c.oval(jewel, r * 0.6, r * 0.6, c.pal.glow, c.pal.accent, volume=0.3)


def potion(c: Canvas) -> None:
    """A corked flask of glowing liquid on a cluttered shelf."""
    backdrop(c, (0, -0.1), 1.1)
    bokeh(c, 22, c.pal.glow)
    c.light = (-0.7, -0.7)
    shelf = [(-EDGE, 0.68), (EDGE, 0.68), (EDGE, 1.05), (-EDGE, 1.05)]
    c.shape(shelf, mix(c.pal.far, c.pal.near, 0.45), c.pal.near)
    c.shape(c.ribbon([(-EDGE, 0.69), (EDGE, 0.69)], 0.03, 0.03), mix(c.pal.far, c.pal.low, 0.3))
    for x in (-c.u(0.7, 0.95), c.u(0.7, 0.95)):
        _flask(c, (x, 0.7), c.u(0.45, 0.65), mix(c.pal.far, c.pal.low, c.u(0.2, 0.7)))
    c.glow((0, 0.25), 0.4, c.pal.accent, 0.35)
    _flask(c, (c.u(-0.1, 0.1), 0.76), c.u(1.05, 1.2), c.pal.accent)
    c.sparks(c.n(20, 40), mix(c.pal.glow, c.pal.accent, 0.3), 0.008, -0.8, 0.5)


def _flask(c: Canvas, foot: Point, size: float, liquid: Color) -> None:
    """One bottle: a random belly, neck, cork, liquid and reflections."""
    belly, shoulder, neck = c.u(0.28, 0.42), c.u(-0.75, -0.5), c.u(0.06, 0.1)
    right: list[Point] = smooth(
        [
            (belly * 0.6, 0),
            (belly, -0.16),
            (belly * 0.92, shoulder * 0.6),
            (neck, shoulder - 0.1),
            (neck, -1.05),
            (neck * 1.4, -1.1),
        ]
    )
    glass = [
        (foot[0] + px * size, foot[1] + py * size)
        for px, py in [*right, *[(-px, py) for px, py in right[::-1]]]
    ]
    mask = c.polygon_mask(glass)
    cork = [
        (foot[0] + px * size, foot[1] + py * size)
        for px, py in ((-neck, -1.04), (-neck * 1.1, -1.22), (neck * 1.1, -1.22), (neck, -1.04))
    ]
    c.shape(cork, mix(c.pal.far, c.pal.low, 0.3), mix(c.pal.near, c.pal.far, 0.5), volume=0.4)
    c.fill(mask, c.pal.glow, c.pal.low, alpha=0.35)
    level = foot[1] + shoulder * size * c.u(0.55, 0.9)
    wet = [(x, max(y, level)) for x, y in glass]
    c.shape(wet, mix(liquid, c.pal.glow, 0.35), mix(liquid, c.pal.near, 0.35), volume=0.4)
    c.glow((foot[0], foot[1] - 0.2 * size), 0.12 * size, c.pal.glow, 0.4)
    for _ in range(9):
        r = c.u(0.008, 0.03) * size
        c.oval(
            (foot[0] + c.u(-0.5, 0.5) * belly * size, c.u(level + 0.03, foot[1] - 0.05)),
            r,
            r,
            c.pal.glow,
            alpha=0.5,
        )
    shine = smooth(
        [(-belly * 0.72, -0.2), (-belly * 0.7, shoulder * 0.62), (-neck * 1.3, shoulder - 0.06)]
    )
    c.shape(
        [(foot[0] + px * size, foot[1] + py * size) for px, py in c.ribbon(shine, 0.045, 0.01)],
        c.pal.glow,
        alpha=0.75,
    )
    c.fill(mask, c.pal.glow, c.pal.glow, rim=c.pal.glow, alpha=0.06)
