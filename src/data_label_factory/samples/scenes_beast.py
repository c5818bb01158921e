"""Large creatures: horned beasts and owls."""

from __future__ import annotations

import numpy as np

from data_label_factory.samples.canvas import EDGE, Canvas, Point, mirrored, smooth, turned
from data_label_factory.samples.palette import Color, mix
from data_label_factory.samples.scenery import backdrop, both, orb, sky


def beast(c: Canvas) -> None:
    """Portrait of a horned, furry creature."""
    backdrop(c, (0, -0.2), c.u(0.9, 1.3))
    orb(c, (c.side() * c.u(0, 0.5), c.u(-0.5, -0.2)), c.u(0.35, 0.6), False)

    coat = mix(c.shade(c.pal.far, c.u(0.1, 0.5)), c.pal.accent, c.u(0, 0.5))
    dark = c.shade(coat, 0.6)
    pale = c.lit(coat, 0.4)

    chest = _fur(c, (0, 1.0), 0.85, 0.72, 34, 0.12)
    c.shape(chest, coat, dark, volume=0.35, rim=c.pal.glow)
    mane = _fur(c, (0, 0.75), 0.5, 0.5, 26, 0.15)
    c.shape(mane, c.haze(coat, 0.35), coat, volume=0.3)

    _horns(c, -0.32, mix(c.pal.glow, c.pal.far, 0.45))
    _ears(c, coat, dark)

    wide = c.u(0.42, 0.56)
    jaw = c.u(0.2, 0.34)
    _head(c, wide, jaw, coat, dark, pale)
    _muzzle(c, jaw, coat, pale)

    apart = wide * c.u(0.45, 0.55)
    size = c.u(0.08, 0.12)
    _eyes(c, apart, -0.08, size, c.pal.accent if c.n(0, 1) else c.pal.glow)
    c.sparks(30, c.pal.glow, 0.007)


def _fur(c: Canvas, at: Point, rx: float, ry: float, tufts: int, depth: float) -> list[Point]:
    """Outline of a shaggy oval."""
    angles = np.linspace(0, 2 * np.pi, tufts * 2, endpoint=False)
    length = c.rng.uniform(0.5, 1.2, tufts * 2)
    reach = 1 + np.where(np.arange(tufts * 2) % 2, depth, 0) * length
    return [
        (at[0] + rx * float(np.cos(a)) * k, at[1] + ry * float(np.sin(a)) * k)
        for a, k in zip(angles, reach.tolist(), strict=True)
    ]


def _horns(c: Canvas, y: float, tone: Color) -> None:
    """One of three headdresses: ram curls, antlers or swept spikes."""
    kind = c.n(0, 2)
    pale = c.lit(tone, 0.4)
    if kind == 0:
        _ram_curls(c, y, tone, pale)
    elif kind == 1:
        _antlers(c, y, tone, pale)
    else:
        _spikes(c, y, tone, pale)


def _ram_curls(c: Canvas, y: float, tone: Color, pale: Color) -> None:
    curl: list[Point] = []
    for a in np.linspace(0, 4.6, 40):
        radius = 1 - a / 7
        across = 0.48 + 0.27 * radius * float(np.cos(a + 3.6))
        down = y + 0.06 + 0.3 * radius * float(np.sin(a + 3.6))
        curl.append((across, down))
    both(c, c.ribbon(curl, 0.2, 0.02), pale, tone, 0.5, c.pal.glow)


def _antlers(c: Canvas, y: float, tone: Color, pale: Color) -> None:
    beam = smooth(
        [
            (0.16, y),
            (0.34, y - 0.18),
            (0.42, y - 0.4),
            (0.34, y - 0.62),
        ]
    )
    both(c, c.ribbon(beam, 0.09, 0.02), pale, tone, 0.4, c.pal.glow)
    for k in (8, 15, 21):
        px, py = beam[k]
        tip = (px + 0.2, py - c.u(0.16, 0.26))
        tine = smooth([(px, py), (px + 0.13, py - 0.06), tip])
        both(c, c.ribbon(tine, 0.055, 0.008), pale, tone, 0.4, c.pal.glow)


def _spikes(c: Canvas, y: float, tone: Color, pale: Color) -> None:
    for k in range(c.n(1, 3)):
        root = (0.12 + 0.1 * k, y + 0.05 * k)
        bend = (0.3 + 0.14 * k, y - 0.2)
        tip = (0.24 + 0.26 * k, y - c.u(0.4, 0.62))
        spike = smooth([root, bend, tip])
        both(c, c.ribbon(spike, 0.12, 0.0), pale, tone, 0.5, c.pal.glow)


def _ears(c: Canvas, coat: Color, dark: Color) -> None:
    long = c.u(0.2, 0.5)
    tip = (0.52 + long * 0.3, -0.2 - long * 0.8)
    ear = smooth([(0.2, -0.3), (0.36, -0.3 - long), tip, (0.44, -0.05)], closed=True)
    inside = [(0.34 + (x - 0.38) * 0.55, -0.24 + (y + 0.3) * 0.6) for x, y in ear]

    both(c, ear, coat, dark, 0.4, c.pal.glow)
    both(c, inside, c.pal.accent, dark, 0.1)


def _head(c: Canvas, wide: float, jaw: float, coat: Color, dark: Color, pale: Color) -> None:
    """The head in its ruff, with a blaze down the forehead."""
    right = [(wide * 0.75, -0.38), (wide, 0), (jaw, 0.42)]
    left = mirrored(right[::-1])
    head = smooth(
        [
            (0, -0.5),
            *right,
            (0, 0.52),
            *left,
        ],
        closed=True,
    )

    ruff = _fur(c, (0, 0.02), wide * 1.12, 0.48, 30, 0.12)
    c.shape(ruff, coat, dark, volume=0.3, rim=c.pal.glow)
    c.shape(head, mix(coat, pale, 0.4), coat, volume=0.45)

    blaze = smooth(
        [
            (0, -0.46),
            (c.u(0.06, 0.2), -0.2),
            (0.05, 0.1),
            (0, 0.2),
        ]
    )
    both(c, [*blaze, (0.0, -0.46)], pale, pale, 0.1)


def _muzzle(c: Canvas, jaw: float, coat: Color, pale: Color) -> None:
    c.oval((0, 0.3), jaw * 0.9, 0.2, pale, mix(pale, coat, 0.6), volume=0.35)

    corners = [
        (-0.1, 0.17),
        (0, 0.15),
        (0.1, 0.17),
        (0.03, 0.27),
        (-0.03, 0.27),
    ]
    nose = smooth(corners, closed=True)
    c.shape(nose, mix(c.pal.near, c.pal.far, 0.3), c.pal.near, volume=0.5)

    smile = smooth(
        [
            (0, 0.26),
            (0.02, 0.36),
            (0.1, 0.39),
            (0.16, 0.35),
        ]
    )
    both(c, c.ribbon(smile, 0.018, 0.008), c.pal.near, c.pal.near, 0.0)


def _eyes(c: Canvas, x: float, y: float, r: float, color: Color) -> None:
    """A pair of glowing eyes with slit or round pupils."""
    slit = c.u(0.15, 0.6)
    for s in (-1, 1):
        c.glow((s * x, y), r * 1.6, color, 0.7)
        c.oval((s * x, y), r * 1.25, r * 1.05, c.pal.near, angle=s * 0.3)
        c.oval((s * x, y), r, r * 0.85, c.lit(color, 0.5), color, angle=s * 0.3)
        c.oval((s * x, y), r * slit, r * 0.75, c.pal.near)
        c.oval((s * x - r * 0.3, y - r * 0.35), r * 0.2, r * 0.2, c.pal.glow)


def owl(c: Canvas) -> None:
    """An owl with spread wings before the moon."""
    sky(c, 0.9, 0.3)
    orb(c, (0, -0.15), c.u(0.55, 0.75))

    coat = mix(c.shade(c.pal.far, 0.3), c.pal.accent, c.u(0, 0.45))
    dark = c.shade(coat, 0.55)
    pale = c.lit(coat, 0.5)

    _owl_wings(c, coat, dark, pale)
    _owl_body(c, coat, dark, pale)
    _owl_face(c, coat, dark, pale)
    _bough(c, dark)


def _owl_wings(c: Canvas, coat: Color, dark: Color, pale: Color) -> None:
    """Three rows of feathers on each side."""
    lift = c.u(-0.35, 0.25)
    rows = ((0.98, dark), (0.76, coat), (0.52, pale))
    for reach, color in rows:
        lower = [(reach, 0.0), (reach * 0.8, 0.07), (0.0, 0.07)]
        feather = [(0.0, -0.07), (reach * 0.8, -0.075), *lower]

        for k in range(8):
            angle = -0.5 + lift + k * 0.19
            tone = c.shade(color, 0.12 * (k % 2))
            place = turned(feather, angle, (0.13, -0.12))
            both(c, place, tone, c.shade(tone, 0.25), 0.3)


def _owl_body(c: Canvas, coat: Color, dark: Color, pale: Color) -> None:
    """Tail, belly and the scalloped feathers on it."""
    tail = [
        (-0.2, 0.5),
        (-0.24, 0.88),
        (0, 0.8),
        (0.24, 0.88),
        (0.2, 0.5),
    ]
    c.shape(tail, coat, dark, volume=0.3)
    c.oval((0, 0.2), 0.34, 0.52, mix(coat, pale, 0.3), dark, volume=0.4, rim=c.pal.glow)

    for row in range(6):
        for k in range(-2 - row % 2, 3):
            at = (k * 0.1 + 0.05 * (row % 2), 0.08 + row * 0.095)
            if (at[0] / 0.29) ** 2 + ((at[1] - 0.25) / 0.42) ** 2 < 1:
                c.oval(at, 0.052, 0.06, pale, mix(pale, coat, 0.7), volume=0.2)


def _owl_face(c: Canvas, coat: Color, dark: Color, pale: Color) -> None:
    both(c, [(0.12, -0.42), (0.38, -0.74), (0.32, -0.28)], coat, dark)
    c.oval((0, -0.28), 0.37, 0.3, coat, dark, volume=0.35, rim=c.pal.glow)

    for s in (-1, 1):
        disc = _fur(c, (s * 0.16, -0.26), 0.18, 0.19, 18, 0.1)
        c.shape(disc, pale, mix(pale, coat, 0.4), volume=0.2)
    _eyes(c, 0.155, -0.27, c.u(0.09, 0.12), c.pal.accent)

    beak = [
        (-0.05, -0.22),
        (0, -0.26),
        (0.05, -0.22),
        (0, -0.06),
    ]
    c.shape(beak, c.pal.glow, c.pal.accent, volume=0.4)


def _bough(c: Canvas, dark: Color) -> None:
    """The branch the owl sits on, with its toes and leaves."""
    left = (-EDGE, 0.78 + c.u(-0.1, 0.1))
    right = (EDGE, 0.68 + c.u(-0.1, 0.1))
    bough = smooth([left, (-0.3, 0.76), (0.3, 0.78), right])

    for x in (-0.12, 0.12):
        for toe in (-0.05, 0, 0.05):
            c.oval((x + toe, 0.72), 0.025, 0.07, c.pal.accent, dark)

    bark = mix(c.pal.near, c.pal.far, 0.25)
    c.shape(c.ribbon(bough, 0.12, 0.07), bark, c.pal.near, volume=0.4)

    leaf = [
        (0.0, 0.0),
        (0.05, -0.035),
        (0.15, 0.0),
        (0.05, 0.035),
    ]
    for k in range(c.n(5, 10)):
        at = bough[c.n(2, 28)]
        angle = c.u(-2.6, -0.4) if k % 2 else c.u(0.4, 2.6)
        c.shape(turned(leaf, angle, at), c.pal.accent, c.shade(c.pal.accent, 0.5))
