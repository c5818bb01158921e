"""Engines: meshing gears and clockwork people."""

import numpy as np

from .canvas import Canvas, Point, smooth, turned
from .palette import Color, mix
from .scenery import backdrop, orb


def _gear(c: Canvas, at: Point, radius: float, tone: Color) -> None:
    """A toothed wheel with spokes and a hub."""
    teeth = max(8, round(radius * 34))
    outline: list[Point] = []
    for k in range(teeth):
        for t, r in ((0.0, 0.88), (0.2, 1.0), (0.5, 1.0), (0.7, 0.88)):
            a = (k + t) / teeth * 2 * np.pi
            outline.append(
                (at[0] + float(np.cos(a)) * radius * r, at[1] + float(np.sin(a)) * radius * r)
            )
    c.shape([(x + 0.025, y + 0.035) for x, y in outline], c.pal.near, alpha=0.5)
    c.shape(outline, mix(tone, c.pal.glow, 0.35), tone, volume=0.35, rim=mix(tone, c.pal.glow, 0.8))
    c.oval(
        at, radius * 0.74, radius * 0.74, mix(tone, c.pal.near, 0.65), mix(tone, c.pal.near, 0.45)
    )
    turn = c.u(0, 3)
    for k in range(c.n(3, 6)):
        arm = [
            (-0.09 * radius, 0.0),
            (-0.06 * radius, -0.8 * radius),
            (0.06 * radius, -0.8 * radius),
            (0.09 * radius, 0.0),
        ]
        c.shape(
            turned(arm, turn + k * 2 * np.pi / 5, at), mix(tone, c.pal.glow, 0.2), tone, volume=0.3
        )
    c.oval(at, radius * 0.26, radius * 0.26, mix(tone, c.pal.glow, 0.5), tone, volume=0.4)
    c.oval(at, radius * 0.1, radius * 0.1, c.pal.near)


def gears(c: Canvas) -> None:
    """A works of meshing wheels around a glowing core."""
    backdrop(c, (0, 0), 1.0)
    metals = (
        mix(c.pal.accent, c.pal.far, 0.5),
        mix(c.pal.far, c.pal.low, 0.45),
        mix(c.pal.glow, c.pal.far, 0.5),
    )
    heart = (c.u(-0.4, 0.4), c.u(-0.3, 0.3))
    for k in range(c.n(9, 13)):
        a, far = k * 2.4 + c.u(0, 0.6), 0.42 + 0.075 * k
        at = (heart[0] + far * float(np.cos(a)), heart[1] + far * float(np.sin(a)))
        _gear(c, at, c.u(0.14, 0.36), mix(metals[k % 3], c.pal.near, 0.45 - 0.04 * k))
    _gear(c, heart, c.u(0.42, 0.52), metals[c.n(0, 2)])
    c.glow(heart, 0.2, c.pal.accent, 0.6)
    c.oval(heart, 0.13, 0.13, c.pal.glow, mix(c.pal.glow, c.pal.accent, 0.5), volume=0.2)
    for _ in range(c.n(2, 4)):
        puff = (c.u(-1, 1), c.u(-0.2, 0.9))
        c.glow(puff, c.u(0.15, 0.3), c.pal.low, 0.35)
    c.sparks(30, c.pal.glow, 0.008)


def automaton(c: Canvas) -> None:
    """Portrait of a clockwork person: plated head, lamp eyes, antenna and a dial in the chest."""
    backdrop(c, (0, -0.2), 1.1)
    orb(c, (c.side() * c.u(0.1, 0.5), c.u(-0.4, -0.1)), c.u(0.4, 0.6))
    metal = mix(mix(c.pal.far, c.pal.low, 0.3), c.pal.accent, c.u(0.0, 0.5))
    dark, bright = mix(metal, c.pal.near, 0.65), mix(metal, c.pal.glow, 0.45)
    chest = c.u(0.55, 0.75)
    body = smooth(
        [(-chest, 1.1), (-chest, 0.65), (-0.3, 0.42), (0.3, 0.42), (chest, 0.65), (chest, 1.1)]
    )
    for s in (-1, 1):
        c.oval((s * chest, 0.72), 0.2, 0.24, bright, dark, volume=0.5, rim=c.pal.glow)
    c.shape(
        [(-0.13, 0.55), (-0.11, 0.2), (0.11, 0.2), (0.13, 0.55)],
        dark,
        mix(metal, c.pal.near, 0.3),
        volume=0.5,
    )
    c.shape(body, bright, dark, volume=0.45, rim=c.pal.glow)
    _gear(c, (0, 0.78), 0.2, mix(c.pal.accent, metal, 0.3))
    half, top, jaw = c.u(0.32, 0.5), c.u(-0.68, -0.5), c.u(0.22, 0.4)
    for s in (-1, 1):
        c.oval((s * half, -0.12), 0.09, 0.15, bright, dark, volume=0.5)
        c.shape(
            c.ribbon(
                [(s * half * c.u(0.4, 1), top + 0.1), (s * half * 1.1, top - 0.22)], 0.03, 0.015
            ),
            dark,
        )
        c.glow((s * half * 1.1, top - 0.24), 0.09, c.pal.accent, 0.8)
        c.oval((s * half * 1.1, top - 0.24), 0.04, 0.04, c.pal.accent, volume=0.3)
    head = smooth(
        [
            (-half, -0.3),
            (-half * 0.6, top),
            (half * 0.6, top),
            (half, -0.3),
            (jaw, 0.28),
            (-jaw, 0.28),
        ],
        closed=True,
    )
    c.shape(head, bright, dark, volume=0.5, rim=c.pal.glow)
    c.shape(
        c.ribbon([(0, top + 0.02), (0, -0.3)], 0.05, 0.02),
        mix(c.pal.accent, c.pal.glow, 0.2),
        c.pal.accent,
    )
    eyes = ((-half * 0.48, half * 0.48), (0.0,))[c.n(0, 3) == 0]
    for x in eyes:
        r = c.u(0.1, 0.13) * (1.5 if len(eyes) == 1 else 1)
        c.oval((x, -0.17), r * 1.3, r * 1.3, dark, metal, volume=0.5)
        c.glow((x, -0.17), r * 1.3, c.pal.accent, 0.9)
        c.oval((x, -0.17), r, r, c.pal.glow, c.pal.accent, volume=0.2)
        c.oval((x, -0.17), r * 0.4, r * 0.4, c.pal.near)
    for k in range(5):
        x = (k - 2) * jaw * 0.32
        c.shape(c.ribbon([(x, 0.08), (x, 0.19)], 0.035, 0.035), mix(c.pal.near, c.pal.accent, 0.15))
