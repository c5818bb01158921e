"""Engines: meshing gears and clockwork people."""

from __future__ import annotations

import numpy as np

from data_label_factory.samples.canvas import Canvas, Point, around, mirrored, smooth, turned
from data_label_factory.samples.palette import Color, mix
from data_label_factory.samples.scenery import backdrop, orb

# One tooth: the position along its pitch and the height there, as a fraction of the
# radius.
_TOOTH = ((0.0, 0.88), (0.2, 1.0), (0.5, 1.0), (0.7, 0.88))


def gears(c: Canvas) -> None:
    """A works of meshing wheels around a glowing core."""
    backdrop(c, (0, 0), 1.0)
    metals = (
        mix(c.pal.accent, c.pal.far, 0.5),
        c.haze(c.pal.far, 0.45),
        mix(c.pal.glow, c.pal.far, 0.5),
    )
    heart = (c.u(-0.4, 0.4), c.u(-0.3, 0.3))

    for k in range(c.n(9, 13)):
        a = k * 2.4 + c.u(0, 0.6)
        far = 0.42 + 0.075 * k
        tone = mix(metals[k % 3], c.pal.near, 0.45 - 0.04 * k)
        _gear(c, around(heart, a, far), c.u(0.14, 0.36), tone)

    _gear(c, heart, c.u(0.42, 0.52), metals[c.n(0, 2)])
    c.glow(heart, 0.2, c.pal.accent, 0.6)
    c.oval(heart, 0.13, 0.13, c.pal.glow, mix(c.pal.glow, c.pal.accent, 0.5), volume=0.2)

    for _ in range(c.n(2, 4)):
        puff = (c.u(-1, 1), c.u(-0.2, 0.9))
        c.glow(puff, c.u(0.15, 0.3), c.pal.low, 0.35)
    c.sparks(30, c.pal.glow, 0.008)


def _gear(c: Canvas, at: Point, radius: float, tone: Color) -> None:
    """A toothed wheel with spokes and a hub."""
    rim = _toothed(at, radius)
    c.shape([(x + 0.025, y + 0.035) for x, y in rim], c.pal.near, alpha=0.5)
    c.shape(rim, c.lit(tone, 0.35), tone, volume=0.35, rim=c.lit(tone, 0.8))
    hollow = radius * 0.74
    c.oval(at, hollow, hollow, c.shade(tone, 0.65), c.shade(tone, 0.45))

    turn = c.u(0, 3)
    right = [(0.06 * radius, -0.8 * radius), (0.09 * radius, 0.0)]
    arm = [(-0.09 * radius, 0.0), (-0.06 * radius, -0.8 * radius), *right]
    for k in range(c.n(3, 6)):
        spoke = turned(arm, turn + k * 2 * np.pi / 5, at)
        c.shape(spoke, c.lit(tone, 0.2), tone, volume=0.3)

    hub = radius * 0.26
    c.oval(at, hub, hub, c.lit(tone, 0.5), tone, volume=0.4)
    c.oval(at, radius * 0.1, radius * 0.1, c.pal.near)


def _toothed(at: Point, radius: float) -> list[Point]:
    """Outline of a gear: at least eight teeth, more on larger wheels."""
    teeth = max(8, round(radius * 34))
    outline: list[Point] = []
    for k in range(teeth):
        for along, height in _TOOTH:
            a = (k + along) / teeth * 2 * np.pi
            x = at[0] + float(np.cos(a)) * radius * height
            y = at[1] + float(np.sin(a)) * radius * height
            outline.append((x, y))
    return outline


def automaton(c: Canvas) -> None:
    """Portrait of a clockwork person: plated head, lamp eyes, antennas and a dial in
    the chest.
    """
    backdrop(c, (0, -0.2), 1.1)
    orb(c, (c.side() * c.u(0.1, 0.5), c.u(-0.4, -0.1)), c.u(0.4, 0.6))

    metal = mix(c.haze(c.pal.far, 0.3), c.pal.accent, c.u(0.0, 0.5))
    dark = c.shade(metal, 0.65)
    bright = c.lit(metal, 0.45)
    _torso(c, metal, dark, bright)

    half = c.u(0.32, 0.5)
    top = c.u(-0.68, -0.5)
    jaw = c.u(0.22, 0.4)
    _antennas(c, half, top, dark, bright)
    _plated_head(c, half, top, jaw, dark, bright)
    _lamp_eyes(c, half, metal, dark)

    for k in range(5):
        x = (k - 2) * jaw * 0.32
        slit = c.ribbon([(x, 0.08), (x, 0.19)], 0.035, 0.035)
        c.shape(slit, mix(c.pal.near, c.pal.accent, 0.15))


def _torso(c: Canvas, metal: Color, dark: Color, bright: Color) -> None:
    """Shoulders, neck, chest and the dial."""
    chest = c.u(0.55, 0.75)
    left = [(-chest, 1.1), (-chest, 0.65), (-0.3, 0.42)]
    body = smooth([*left, *mirrored(left[::-1])])

    for s in (-1, 1):
        c.oval((s * chest, 0.72), 0.2, 0.24, bright, dark, volume=0.5, rim=c.pal.glow)
    neck = [
        (-0.13, 0.55),
        (-0.11, 0.2),
        (0.11, 0.2),
        (0.13, 0.55),
    ]
    c.shape(neck, dark, c.shade(metal, 0.3), volume=0.5)
    c.shape(body, bright, dark, volume=0.45, rim=c.pal.glow)
    _gear(c, (0, 0.78), 0.2, mix(c.pal.accent, metal, 0.3))


def _antennas(c: Canvas, half: float, top: float, dark: Color, bright: Color) -> None:
    """Ears, and an antenna with a lamp on each side."""
    for s in (-1, 1):
        c.oval((s * half, -0.12), 0.09, 0.15, bright, dark, volume=0.5)

        root = (s * half * c.u(0.4, 1), top + 0.1)
        c.shape(c.ribbon([root, (s * half * 1.1, top - 0.22)], 0.03, 0.015), dark)

        lamp = (s * half * 1.1, top - 0.24)
        c.glow(lamp, 0.09, c.pal.accent, 0.8)
        c.oval(lamp, 0.04, 0.04, c.pal.accent, volume=0.3)


def _plated_head(
    c: Canvas, half: float, top: float, jaw: float, dark: Color, bright: Color
) -> None:
    left = [(-half, -0.3), (-half * 0.6, top)]
    right = [(half * 0.6, top), (half, -0.3)]
    head = smooth(
        [
            *left,
            *right,
            (jaw, 0.28),
            (-jaw, 0.28),
        ],
        closed=True,
    )
    c.shape(head, bright, dark, volume=0.5, rim=c.pal.glow)

    seam = c.ribbon([(0, top + 0.02), (0, -0.3)], 0.05, 0.02)
    c.shape(seam, c.lit(c.pal.accent, 0.2), c.pal.accent)


def _lamp_eyes(c: Canvas, half: float, metal: Color, dark: Color) -> None:
    """Two lamps or, for about one automaton in four, a single large one."""
    eyes = ((-half * 0.48, half * 0.48), (0.0,))[c.n(0, 3) == 0]
    for x in eyes:
        r = c.u(0.1, 0.13) * (1.5 if len(eyes) == 1 else 1)
        c.oval((x, -0.17), r * 1.3, r * 1.3, dark, metal, volume=0.5)
        c.glow((x, -0.17), r * 1.3, c.pal.accent, 0.9)
        c.oval((x, -0.17), r, r, c.pal.glow, c.pal.accent, volume=0.2)
        c.oval((x, -0.17), r * 0.4, r * 0.4, c.pal.near)
