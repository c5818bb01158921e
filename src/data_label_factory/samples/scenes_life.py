"""Small and strange faces: moths, flowers and festival masks."""

from __future__ import annotations

import numpy as np

from data_label_factory.samples.canvas import Canvas, Point, mirrored, moved, ring, smooth, turned
from data_label_factory.samples.palette import Color, mix
from data_label_factory.samples.scenery import backdrop, bokeh, both, orb, rays


def moth(c: Canvas) -> None:
    """A great moth with eye-spotted wings."""
    backdrop(c, (0, 0), 1.3)
    orb(c, (0, c.u(-0.2, 0.1)), c.u(0.45, 0.62), c.n(0, 3) == 0)
    bokeh(c, 14, c.pal.glow)

    wing = mix(c.pal.accent, c.pal.far, c.u(0, 0.5))
    y = c.u(-0.78, -0.45)
    tail = c.u(0.55, 0.9)

    hind = [
        (0.05, 0.05),
        (0.5, 0.1),
        (0.62, 0.38),
        (0.42, 0.55),
        (0.36, tail),
    ]
    hind += [(0.22, 0.55), (0.06, 0.35)]
    _wings(c, hind, (0.38, 0.33), 0.1, wing)

    fore = [
        (0.04, -0.12),
        (0.45, y),
        (0.95, y - 0.05),
        (0.98, y + 0.3),
    ]
    fore += [(0.72, 0.12), (0.3, 0.22), (0.04, 0.12)]
    _wings(c, fore, (0.62, y + 0.36), 0.14, wing)

    _moth_body(c, wing)
    c.sparks(c.n(40, 90), c.pal.glow, 0.007)


def _wings(c: Canvas, outline: list[Point], eye: Point, size: float, wing: Color) -> None:
    """A pair of wings: three nested fields, veins and an eye-spot."""
    dark = c.shade(wing, 0.65)
    pale = c.lit(wing, 0.6)

    corners = np.asarray(outline)
    middle = np.mean(corners, axis=0)
    for tone, scale in ((dark, 1.0), (wing, 0.86), (mix(wing, pale, 0.55), 0.62)):
        field = middle + (corners - middle) * scale
        inner = smooth([(float(x), float(y)) for x, y in field], closed=True)
        both(c, inner, tone, c.shade(tone, 0.3), 0.25, c.pal.glow)

    for k in range(5):
        x, y = outline[1 + k % 4]
        vein = smooth([(0.05, 0.0), eye, (x * 0.93, y * 0.93)])
        both(c, c.ribbon(vein, 0.012, 0.004), dark, dark, 0)

    tones = (c.pal.near, c.pal.glow, c.pal.low, c.pal.near, c.pal.glow)
    for tone, r in zip(tones, (1.0, 0.78, 0.6, 0.38, 0.14), strict=True):
        both(c, ring(eye, size * r, 28), tone, tone, 0.1)


def _moth_body(c: Canvas, wing: Color) -> None:
    """Feelers, the banded body, the head and its eyes."""
    dark = c.shade(wing, 0.65)
    pale = c.lit(wing, 0.6)

    feeler = smooth(
        [
            (0.02, -0.25),
            (0.1, -0.5),
            (0.28, -0.66),
            (0.36, -0.6),
        ]
    )
    both(c, c.ribbon(feeler, 0.03, 0.012), pale, pale, 0)

    for k in range(6):
        r = 0.05 + 0.011 * k
        c.oval((0, 0.5 - 0.1 * k), r, 0.075, pale if k % 2 else wing, dark, volume=0.4)

    c.oval((0, -0.14), 0.11, 0.16, pale, wing, volume=0.4)
    for s in (-1, 1):
        c.oval((s * 0.05, -0.26), 0.045, 0.045, c.pal.near, c.pal.accent, volume=0.5)


def flower(c: Canvas) -> None:
    """A luminous blossom and its buds."""
    backdrop(c, (0, -0.1), 1.1)
    bokeh(c, 30, c.lit(c.pal.low, 0.5))

    leaf = c.shade(c.pal.far, 0.25)
    bloom = (c.u(-0.25, 0.25), c.u(-0.3, -0.05))
    heads = [(c.u(0.55, 0.85) * s, c.u(-0.3, 0.35), c.u(0.22, 0.36)) for s in (-1, 1)]
    for x, y, r in [*heads, (*bloom, c.u(0.62, 0.78))]:
        _stem(c, (x, y), leaf)
        _blossom(c, (x, y), r)
    c.sparks(c.n(40, 70), c.pal.glow, 0.007)


def _stem(c: Canvas, head: Point, leaf: Color) -> None:
    """The stem of a flower from its head down, with a leaf on each side."""
    x, y = head
    stem = smooth([(x, y), (x * 0.9 + 0.05, (y + 1) / 2), (x * 0.4, 1.1)])
    c.shape(c.ribbon(stem, 0.05, 0.07), c.haze(leaf, 0.3), leaf, volume=0.4)

    lit = c.lit(leaf, 0.25)
    for s in (-1, 1):
        at = stem[c.n(6, 14)]
        blade = smooth(
            [
                (0, 0),
                (0.12, -0.1),
                (0.5, -0.06),
                (0.15, 0.06),
            ],
            closed=True,
        )
        c.shape(moved(blade, at, 1, s), lit, leaf, volume=0.35, rim=c.pal.glow)


def _blossom(c: Canvas, at: Point, radius: float) -> None:
    """Layers of petals around a glowing heart."""
    count = c.n(5, 11)
    plump = c.u(0.7, 1.5)
    squash = c.u(0.8, 1.0)
    c.glow(at, radius * 0.7, c.pal.accent, 0.4)

    for layer, scale in enumerate((1.0, 0.74, 0.48)):
        tone = c.lit(c.shade(c.pal.accent, 0.3), 0.33 * layer)
        lit = c.lit(tone, 0.2)
        shade = c.shade(tone, 0.12)
        rim = c.lit(tone, 0.7)

        tip = radius * scale
        half = plump * radius * scale * 2.2 / count
        corners = [
            (0, 0),
            (-half, -tip * 0.62),
            (0, -tip),
            (half, -tip * 0.62),
        ]
        petal = smooth(corners, closed=True)
        for k in range(count):
            upright = turned(petal, (k + layer * 0.5) * 2 * np.pi / count)
            place = [(at[0] + x, at[1] + y * squash) for x, y in upright]
            c.shape(place, lit, shade, volume=0.4, rim=rim)

    heart = radius * 0.2
    edge = c.shade(c.pal.accent, 0.3)
    c.oval(at, heart, heart * squash, c.pal.glow, edge, volume=0.4)
    for k in range(12):
        dot = turned([(0.0, -radius * c.u(0.18, 0.34))], k * 0.524, at)[0]
        c.oval(dot, 0.014, 0.014, c.pal.glow)
    c.glow(at, radius * 0.2, c.pal.glow, 0.5)


def mask(c: Canvas) -> None:
    """A festival mask with crest, cheek marks and lit eye slots."""
    backdrop(c, (0, 0), 1.1)
    rays(c, (0, 0), c.n(6, 11), 0.6)

    skin = mix(c.pal.glow, c.pal.accent, c.u(0.05, 0.7))
    ink = mix(c.pal.near, c.pal.far, 0.15)
    dark = c.shade(skin, 0.5)
    paint = c.shade(c.pal.accent, 0.15) if skin.mean() > 0.6 else c.pal.glow

    _crest(c)
    wide = c.u(0.42, 0.52)
    jaw = c.u(0.2, 0.4)
    chin = c.u(0.68, 0.85)

    cheek = [
        (0.0, -0.5),
        (wide * 0.8, -0.42),
        (wide, -0.05),
        (jaw, chin * 0.75),
        (0.0, chin),
    ]
    face = smooth([*cheek, *mirrored(cheek[3:0:-1])], closed=True)
    c.shape([(x * 1.07, y * 1.05 + 0.02) for x, y in face], ink)
    c.shape(face, c.lit(skin, 0.3), dark, volume=0.4, rim=c.pal.glow)

    _mask_eyes(c, wide, ink, paint)
    _mask_paint(c, skin, ink, dark, paint)
    c.sparks(30, c.pal.glow, 0.007)


def _crest(c: Canvas) -> None:
    """A fan of plumes, the outer ones behind."""
    plumes = c.n(7, 13)
    spread = c.u(1.0, 1.7)
    tones = (
        c.pal.accent,
        c.haze(c.pal.far, 0.4),
        c.shade(c.pal.accent, 0.4),
    )

    for k in sorted(range(plumes), key=lambda j: -abs(j - (plumes - 1) / 2)):
        a = (k / (plumes - 1) - 0.5) * 2 * spread
        tone = tones[k % 3]
        long = c.u(0.82, 0.98)
        corners = [
            (0, 0),
            (-0.11, -long * 0.7),
            (0, -long),
            (0.11, -long * 0.7),
        ]
        plume = turned(smooth(corners, closed=True), a, (0, -0.02))
        c.shape(plume, c.lit(tone, 0.25), c.shade(tone, 0.4), volume=0.35)

        spot = turned([(0, -long * 0.8)], a, (0, -0.02))[0]
        c.oval(spot, 0.04, 0.055, c.pal.glow, tone, angle=a)


def _mask_eyes(c: Canvas, wide: float, ink: Color, paint: Color) -> None:
    """Painted brows over slots with a light behind each."""
    tilt = c.u(-0.09, 0.09)
    brow = smooth([(0.05, -0.14 + tilt), (0.22, -0.3), (wide * 0.92, -0.2 - tilt)])
    both(c, c.ribbon(brow, 0.07, 0.015), paint, paint, 0.3)

    corners = [
        (0.08, -0.06 + tilt),
        (0.22, -0.17),
        (0.37, -0.08 - tilt),
        (0.22, 0.0),
    ]
    slot = smooth(corners, closed=True)
    both(c, [(x * 1.08 - 0.015, y * 1.15) for x, y in slot], paint, paint, 0)
    both(c, slot, ink, ink, 0)

    for s in (-1, 1):
        c.glow((s * 0.23, -0.07), 0.07, c.pal.accent, 0.8)
        c.oval((s * 0.23, -0.075), 0.04, 0.035, c.pal.glow)


def _mask_paint(c: Canvas, skin: Color, ink: Color, dark: Color, paint: Color) -> None:
    """Cheek marks, nose, lips and the jewel on the forehead."""
    for k in range(c.n(1, 3)):
        mark = smooth([(0.14 + 0.09 * k, 0.1), (0.2 + 0.07 * k, 0.26), (0.13 + 0.05 * k, 0.4)])
        both(c, c.ribbon(mark, 0.05, 0.005), paint, paint, 0.2)

    nose = [
        (0.0, -0.12),
        (0.03, -0.1),
        (0.09, 0.2),
        (0.0, 0.25),
    ]
    c.shape([*nose, (-0.09, 0.2), (-0.03, -0.1)], c.lit(skin, 0.45), dark, volume=0.5)

    curve = c.u(-0.08, 0.1)
    upper = [(-0.2, 0.42 - curve), (0, 0.46 + curve / 2), (0.2, 0.42 - curve)]
    lips = smooth([*upper, (0, 0.53 + curve)], closed=True)
    c.shape(lips, ink, paint, volume=0.3)

    c.oval((0, -0.36), 0.07, 0.09, c.pal.glow, c.pal.accent, volume=0.5, rim=c.pal.glow)
