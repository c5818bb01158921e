"""Places: mountains, forests, castles and deserts."""

import numpy as np

from .canvas import EDGE, Canvas, Point, Y, noise, smooth
from .palette import Color, mix
from .scenery import birds, height_at, orb, pine, ridge, sky


def _peak(c: Canvas, at: Point, half: float, tall: float, color: Color) -> None:
    """A mountain with a lit and a shadowed flank and a snow cap."""
    x, y = at
    tip = (x + c.u(-0.15, 0.15) * half, y - tall)
    bends = [
        (tip[0] + c.u(-0.16, 0.16) * half * (0.4 + k / 7), y - tall * (1 - k / 6))
        for k in range(1, 7)
    ]
    spine = [tip, *bends]
    left, right = (x - half, y), (x + half, y)
    lit, dark = mix(color, c.pal.glow, 0.25), mix(color, c.pal.near, 0.35)
    near, far = (lit, dark) if c.light[0] < 0 else (dark, lit)
    c.shape([left, *spine], near, mix(near, c.pal.low, 0.45))
    c.shape([right, *spine], far, mix(far, c.pal.low, 0.45))
    edge = []
    for k in range(9):
        t = k / 8
        drop = 0.24 + 0.09 * (k % 2) + c.u(-0.03, 0.03)
        edge.append((tip[0] + (2 * t - 1) * half * drop, tip[1] + tall * drop))
    c.shape([tip, *edge[::-1]], c.pal.glow, mix(c.pal.glow, c.pal.far, 0.3), alpha=0.9)


def mountains(c: Canvas) -> None:
    """Peaks under a moon, ridges fading into mist, firs in front."""
    sky(c, c.u(0.1, 0.5))
    if c.pal.top.mean() < 0.3:
        c.sparks(90, c.pal.glow, 0.004, -1, 0)
    orb(c, (c.side() * c.u(0.35, 0.8), c.u(-0.75, -0.35)), c.u(0.12, 0.26), c.n(0, 2) == 0)
    base = c.u(0.25, 0.45)
    for _ in range(c.n(2, 4)):
        _peak(
            c,
            (c.u(-1, 1), base),
            c.u(0.5, 0.9),
            c.u(0.5, 1.0),
            mix(c.pal.far, c.pal.low, c.u(0.1, 0.4)),
        )
    c.mist(base, 0.14, c.pal.glow, 0.9)
    for k in range(3):
        line = ridge(c, base + 0.08 + k * 0.18, 0.13)
        tone = mix(mix(c.pal.far, c.pal.low, 0.2), c.pal.near, k / 2)
        for x in np.sort(c.rng.uniform(-EDGE, EDGE, 5 + k * 6)) if k else []:
            pine(
                c,
                (float(x), height_at(line, float(x)) + 0.02),
                c.u(0.12, 0.2) * (1 + k * 0.45),
                tone,
            )
        c.shape(line, tone, mix(tone, c.pal.near, 0.3))
        if k < 2:
            c.mist(base + 0.25 + k * 0.18, 0.1, c.pal.low, 0.8)


def _tree(c: Canvas, x: float, width: float, color: Color, foot: float) -> None:
    """A tall trunk with bent boughs that leaves the picture at the top."""
    lean = c.u(-0.12, 0.12)
    path = smooth([(x, foot), (x + lean * 0.3, 0.2), (x + lean, -0.4), (x + lean * 1.3, -1.1)])
    roots = [
        [(x, foot - width), (x + s * width * 1.5, foot + 0.06), (x, foot + 0.05)] for s in (-1, 1)
    ]
    boughs = []
    for _ in range(c.n(2, 4)):
        px, py = path[c.n(12, 26)]
        s = c.side()
        bend = smooth(
            [
                (px, py),
                (px + s * width * 2, py - 0.12),
                (px + s * c.u(0.2, 0.45), py - c.u(0.2, 0.35)),
            ]
        )
        boughs.append(c.ribbon(bend, width * 0.5, 0.005))
    mask = c.polygon_mask(c.ribbon(path, width, width * 0.6), *roots, *boughs)
    c.fill(mask, color, mix(color, c.pal.near, 0.4), volume=0.25, rim=mix(color, c.pal.glow, 0.5))


def forest(c: Canvas) -> None:
    """Trunks in three depths, light between them, toadstools or watching eyes below."""
    sky(c, 0.9, 0.2)
    heart = (c.u(-0.5, 0.5), c.u(-0.35, 0.15))
    c.light = (heart[0] or 0.3, -0.6)
    c.glow(heart, c.u(0.35, 0.5), c.pal.glow, 0.9)
    for k in range(3):
        tone = mix(mix(c.pal.low, c.pal.far, 0.6), c.pal.near, k / 2.1)
        foot = 0.45 + k * 0.2
        for x in np.linspace(-EDGE, EDGE, 8 - k * 2) + c.rng.uniform(-0.14, 0.14, 8 - k * 2):
            if k < 2 or abs(x - heart[0]) > 0.4:
                _tree(c, float(x), c.u(0.05, 0.08) * (1 + k * 0.8), tone, foot)
        c.shape(ridge(c, foot, 0.05), mix(tone, c.pal.low, 0.2), tone)
        c.mist(foot, 0.16, c.pal.low, 0.7 - k * 0.2)
    for x in c.rng.uniform(-1, 1, c.n(4, 8)):
        foot, size = c.u(0.86, 0.98), c.u(0.05, 0.12)
        c.glow((float(x), foot - size), size * 1.5, c.pal.accent, 0.55)
        c.shape(
            c.ribbon([(float(x), foot), (float(x), foot - size)], size * 0.35, size * 0.25),
            c.pal.glow,
        )
        dome = [
            (float(x) + size * float(np.cos(a)), foot - size * (0.8 + float(np.sin(a)) * 0.8))
            for a in np.linspace(0, 3.15, 16)
        ]
        c.shape(dome, mix(c.pal.accent, c.pal.glow, 0.3), c.pal.accent, volume=0.3)
    c.sparks(c.n(25, 60), c.pal.glow, 0.008, -0.3, 0.9)


def _keep(c: Canvas, x: float, foot: float, half: float, tall: float, stone: Color) -> None:
    """One castle tower: shaft, battlement, pointed roof with pennant, lit windows."""
    top = foot - tall
    shaft = [(x - half, foot), (x - half * 0.85, top), (x + half * 0.85, top), (x + half, foot)]
    c.shape(shaft, mix(stone, c.pal.low, 0.2), stone, volume=0.35, rim=mix(stone, c.pal.glow, 0.6))
    c.shape(
        [
            (x - half * 1.15, top + 0.03),
            (x - half * 1.15, top - 0.03),
            (x + half * 1.15, top - 0.03),
            (x + half * 1.15, top + 0.03),
        ],
        mix(stone, c.pal.low, 0.25),
    )
    peak = top - half * c.u(2.2, 3.6)
    roof = mix(c.pal.accent, c.pal.near, 0.45)
    c.shape(
        [(x - half * 1.3, top - 0.02), (x, peak), (x + half * 1.3, top - 0.02)],
        mix(roof, c.pal.glow, 0.15),
        roof,
        volume=0.4,
    )
    c.shape([(x, peak - 0.1), (x + 0.1, peak - 0.07), (x, peak - 0.04)], c.pal.accent)
    c.shape(c.ribbon([(x, peak + 0.02), (x, peak - 0.1)], 0.008, 0.008), c.pal.near)
    for _ in range(int(tall * 6)):
        wx, wy = x + c.u(-0.45, 0.45) * half, c.u(top + 0.06, foot - 0.06)
        c.glow((wx, wy), 0.03, c.pal.glow, 0.6)
        c.oval((wx, wy), 0.011, 0.021, c.pal.glow)


def tower(c: Canvas) -> None:
    """A castle on a crag before a great moon."""
    sky(c, c.u(0.3, 0.8), 0.5)
    x = c.u(-0.35, 0.35)
    orb(c, (x + c.side() * c.u(0.15, 0.5), c.u(-0.5, -0.2)), c.u(0.28, 0.5))
    far = mix(c.pal.far, c.pal.low, 0.45)
    c.shape(ridge(c, 0.45, 0.2), far, mix(far, c.pal.low, 0.3))
    c.mist(0.5, 0.2, c.pal.glow, 0.8)
    foot = c.u(0.35, 0.5)
    stone = mix(c.pal.near, c.pal.far, 0.35)
    count = c.n(3, 6)
    spots = np.linspace(-0.13, 0.13, count) * count * 0.8
    for k in c.rng.permutation(count):
        tall = c.u(0.35, 0.6) + 0.35 * (1 - abs(float(spots[k])) / 0.6)
        _keep(
            c,
            x + float(spots[k]),
            foot + 0.12,
            c.u(0.06, 0.11),
            tall,
            mix(stone, c.pal.far, c.u(0, 0.35)),
        )
    wide = abs(float(spots[0])) + 0.25
    crag = [(x - wide, foot + 0.06), (x + wide, foot + 0.03)]
    crag += [(x + wide + 0.06, foot + 0.2), (x + wide - 0.04, foot + 0.34), (x + wide + 0.2, 1.05)]
    crag += [(x - wide - 0.25, 1.05), (x - wide + 0.02, foot + 0.3), (x - wide - 0.05, foot + 0.16)]
    c.shape(
        crag, mix(stone, c.pal.near, 0.3), c.pal.near, volume=0.35, rim=mix(stone, c.pal.glow, 0.5)
    )
    c.mist(0.85, 0.18, c.pal.low, 0.9)
    birds(c, c.n(4, 9), (-x, -0.4), 0.5, c.pal.near)


def desert(c: Canvas) -> None:
    """Dunes with knife-edged crests, pyramids or arches, one or two suns."""
    sky(c, 0.3, 0.25)
    s = c.side()
    orb(c, (s * c.u(0.3, 0.8), c.u(-0.6, -0.2)), c.u(0.16, 0.3))
    if c.n(0, 1):
        c.oval((s * c.u(-0.1, 0.2), c.u(-0.75, -0.5)), 0.08, 0.08, c.pal.accent, c.pal.glow)
    for _ in range(c.n(1, 4)):
        x, half, foot = c.u(-0.9, 0.9), c.u(0.2, 0.5), 0.32
        tip, split = (x, foot - half * 1.2), (x + half * 0.3 * s, foot)
        tone = mix(c.pal.far, c.pal.low, 0.3)
        c.shape(
            [(x - half, foot), tip, (x + half, foot)],
            mix(tone, c.pal.glow, 0.35),
            mix(tone, c.pal.low, 0.4),
        )
        c.shape(
            [split, tip, (x - s * half, foot)],
            mix(tone, c.pal.near, 0.4),
            mix(tone, c.pal.low, 0.3),
        )
    for k in range(4):
        base, x = 0.3 + k * 0.17, c.u(-0.8, 0.8)
        tone = mix(mix(c.pal.low, c.pal.far, 0.45), c.pal.near, k / 5)
        crest = smooth(
            [
                (-EDGE, base + c.u(0, 0.15)),
                (x - 0.5, base + 0.06),
                (x, base - c.u(0.1, 0.2)),
                (x + 0.6, base + 0.1),
                (EDGE, base + c.u(0, 0.1)),
            ]
        )
        c.shape([*crest, (EDGE, 1.05), (-EDGE, 1.05)], mix(tone, c.pal.glow, 0.4), tone)
        fall = smooth(
            [
                (x, base - 0.12),
                (x + 0.1 * s, base + 0.1),
                (x - 0.15 * s, base + 0.3),
                (x + 0.1 * s, 1.05),
            ]
        )
        shade = [p for p in crest if (p[0] - x) * s < 0]
        shade = shade if s > 0 else shade[::-1]
        c.shape([*shade, *fall, (-s * EDGE, 1.05)], mix(tone, c.pal.near, 0.35), tone, alpha=0.7)
    c.blend(
        np.clip(Y, 0, 1) * np.clip(noise(c.rng, (5, 60), 2) - 0.5, 0, 1) * np.float32(0.6),
        c.pal.glow,
    )
