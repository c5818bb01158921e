"""Water: ships, krakens, koi ponds and jellyfish."""

import numpy as np

from .canvas import EDGE, Canvas, Point, band, mirrored, noise, ring, smooth, turned
from .palette import Color, mix
from .scenery import birds, cloud, orb, rays, sea, sky, swell


def _mast(c: Canvas, at: Point, tall: float, sail: Color, s: int) -> None:
    """A mast with three billowing sails; `s` is the side the wind blows to."""
    x, y = at
    c.shape(c.ribbon([(x, y), (x, y - tall)], 0.025, 0.012), c.pal.near)
    for k in range(3):
        half = tall * (0.3 - 0.06 * k)
        low, high = y - tall * (0.14 + 0.28 * k), y - tall * (0.39 + 0.27 * k)
        belly = s * half * 0.45
        lead = smooth(
            [(x + half * 0.8, high), (x + half + belly, (low + high) / 2), (x + half, low)]
        )
        rear = smooth(
            [(x - half, low), (x - half + belly, (low + high) / 2), (x - half * 0.8, high)]
        )
        c.shape(
            [*lead, (x + belly * 0.3, low - 0.03), *rear],
            mix(sail, c.pal.glow, 0.4),
            sail,
            volume=0.25,
        )
    c.shape([(x, y - tall), (x + s * 0.14, y - tall - 0.02), (x, y - tall + 0.045)], c.pal.accent)


def ship(c: Canvas) -> None:
    """A tall ship before a low sun."""
    horizon = c.u(0.1, 0.35)
    sky(c, horizon, 0.6)
    s = c.side()
    sun = (-s * c.u(0.1, 0.7), horizon - c.u(0.1, 0.35))
    orb(c, sun, c.u(0.16, 0.3))
    for _ in range(c.n(1, 3)):
        cloud(c, (c.u(-1, 1), c.u(-0.7, horizon - 0.2)), c.u(0.2, 0.4), c.pal.glow, c.pal.low, 0.6)
    sea(c, horizon, sun)
    x, y, size = s * c.u(0, 0.3), horizon + c.u(0.2, 0.32), c.u(0.85, 1.2)
    sail = mix(c.pal.glow, c.pal.accent, c.u(0, 0.65))
    for k in np.linspace(-0.3, 0.3, c.n(2, 3)):
        _mast(
            c,
            (x + float(k) * size, y - 0.05),
            size * c.u(0.75, 0.95) * (1 - 0.4 * abs(float(k))),
            sail,
            s,
        )
    hull: list[Point] = smooth(
        [(-0.56, -0.24), (-0.5, -0.06), (-0.36, 0.1), (0.3, 0.1), (0.52, -0.05), (0.72, -0.2)]
    )
    hull += smooth([(0.72, -0.2), (0.4, -0.1), (-0.2, -0.08), (-0.56, -0.24)])
    wood = mix(c.pal.near, c.pal.accent, 0.18)
    c.shape(
        [(x + px * size * s, y + py * size) for px, py in hull],
        mix(wood, c.pal.low, 0.3),
        wood,
        volume=0.4,
    )
    stripe = smooth([(-0.5, -0.13), (-0.2, 0.0), (0.3, 0.0), (0.6, -0.12)])
    c.shape(
        [(x + px * size * s, y + py * size) for px, py in c.ribbon(stripe, 0.02, 0.02)],
        c.pal.accent,
    )
    for k in range(3):
        swell(
            c,
            y + 0.08 + k * 0.2,
            c.u(0.05, 0.08) * (1 + k * 0.3),
            mix(c.pal.far, c.pal.near, 0.3 + k * 0.3),
        )
    birds(c, c.n(3, 7), (x, -0.6), 0.6, c.pal.near)


def kraken(c: Canvas) -> None:
    """Tentacles rising from the sea around a small boat."""
    horizon = c.u(-0.1, 0.15)
    sky(c, horizon, 0.6)
    sun = (c.u(-0.6, 0.6), horizon - c.u(0.15, 0.4))
    orb(c, sun, c.u(0.15, 0.28))
    sea(c, horizon, sun)
    skin = mix(c.pal.accent, c.pal.far, c.u(0.25, 0.75))
    dark, pale = mix(skin, c.pal.near, 0.65), mix(skin, c.pal.glow, 0.55)
    spots = np.linspace(-0.95, 0.95, c.n(5, 7))
    for k, x0 in enumerate(c.rng.permutation(spots).tolist()):
        s, foot = (1 if x0 < 0 else -1) * (1 if c.u(0, 1) < 0.7 else -1), 0.4 + 0.09 * k
        top = c.u(-0.85, -0.3)
        path = smooth(
            [
                (x0, foot + 0.2),
                (x0 - s * 0.14, foot - 0.25),
                (x0, (top + foot) / 2 - 0.12),
                (x0 + s * 0.14, top),
                (x0 + s * 0.34, top + 0.02),
                (x0 + s * 0.36, top + 0.2),
                (x0 + s * 0.24, top + 0.22),
            ]
        )
        width = c.u(0.18, 0.26)
        c.shape(c.ribbon(path, width, 0.02), mix(skin, pale, 0.2), dark, volume=0.5, rim=c.pal.glow)
        for j in range(6, 56, 3):
            (x, y), (nx, ny) = path[j], path[j + 1]
            w = width * (1 - j / 62)
            a = float(np.arctan2(ny - y, nx - x)) + s * np.pi / 2
            r = w * 0.17 + 0.004
            at = (x + float(np.cos(a)) * w * 0.27, y + float(np.sin(a)) * w * 0.27)
            c.oval(at, r, r, pale, mix(pale, skin, 0.5))
            c.oval(at, r * 0.45, r * 0.45, dark)
        swell(c, foot + 0.1, 0.05, mix(c.pal.far, c.pal.near, 0.15 + 0.12 * k))
    birds(c, c.n(3, 6), (0, -0.7), 0.6, c.pal.near)


def _koi(c: Canvas, at: Point, angle: float, size: float, skin: Color, patch: Color) -> None:
    """One carp from above, bending."""
    bend = c.u(0.15, 0.35) * c.side()
    spine = smooth(
        [(0, -0.5), (bend * 0.4, -0.2), (bend * 0.5, 0.15), (0, 0.5), (-bend * 0.6, 0.7)]
    )
    fins = [
        [(0.08, -0.22), (0.36, -0.12), (0.3, 0.02), (0.1, -0.05)],
        [(0.08, 0.2), (0.22, 0.3), (0.16, 0.36)],
    ]
    pale = mix(skin, c.pal.glow, 0.6)
    for fin in fins:
        for s in (-1, 1):
            place = turned([(s * x + bend * 0.4, y) for x, y in fin], angle, at, size)
            c.shape(place, pale, skin, alpha=0.75, rim=c.pal.glow)
    tail = [(-bend * 0.3, 0.55), (-bend - 0.24, 0.98), (-bend * 0.8, 0.82), (-bend + 0.2, 1.0)]
    c.shape(
        turned(smooth(tail, closed=True), angle, at, size), pale, skin, alpha=0.8, rim=c.pal.glow
    )
    half = np.interp(
        np.linspace(0, 1, len(spine)), [0, 0.12, 0.35, 0.7, 1], [0.05, 0.13, 0.165, 0.1, 0.03]
    )
    left = [(x - float(h), y) for (x, y), h in zip(spine, half, strict=True)]
    right = [(x + float(h), y) for (x, y), h in zip(spine, half, strict=True)]
    body = turned([*left, *right[::-1]], angle, at, size)
    c.shape([(x + 0.05, y + 0.09) for x, y in body], c.pal.near, alpha=0.35)
    c.shape(body, mix(skin, c.pal.glow, 0.3), skin, volume=0.4, rim=c.pal.glow)
    for k in (2, 12, 20, 29):
        x, y = spine[k]
        spot = turned([(x + c.u(-0.04, 0.04), y)], angle, at, size)[0]
        r = float(half[k]) * size
        c.oval(
            spot,
            r * 0.75,
            r * c.u(0.8, 1.3),
            patch,
            mix(patch, c.pal.near, 0.2),
            angle=angle,
            volume=0.2,
        )
    for s in (-1, 1):
        eye = turned([(s * 0.095, -0.4)], angle, at, size)[0]
        c.oval(eye, 0.026 * size, 0.026 * size, c.pal.near)


def koi(c: Canvas) -> None:
    """Carp circling in a pond among ripples and lily pads."""
    c.px[:] = mix(c.pal.far, c.pal.near, 0.35)
    c.glow((c.u(-0.5, 0.5), c.u(-0.5, 0.5)), 0.8, c.pal.low, 0.55)
    c.blend(np.clip(noise(c.rng, (6, 6), 4) * 2 - 0.9, 0, 1) * np.float32(0.4), c.pal.low)
    cells = np.abs(noise(c.rng, (9, 8), 2) - 0.5)
    c.blend(np.clip(1 - cells * 22, 0, 1) * np.float32(0.35), c.pal.glow)
    for _ in range(c.n(2, 4)):
        at = (c.u(-1, 1), c.u(-0.9, 0.9))
        for r in (0.12, 0.22, 0.34):
            c.shape(band(at, r, 0.012), c.pal.glow, alpha=0.5 - r)
    count, turn, way = c.n(2, 3), c.u(0, 6.3), c.side()
    skins = (mix(c.pal.glow, c.pal.low, 0.15), c.pal.accent, mix(c.pal.near, c.pal.far, 0.3))
    for k in range(count):
        a = turn + k * 2 * np.pi / count
        at = (0.5 * float(np.cos(a)), 0.42 * float(np.sin(a)))
        first, second = skins[k % 2], skins[(k + 1) % 2]
        _koi(c, at, a + (np.pi if way > 0 else 0), c.u(0.68, 0.88), first, second)
    leaf = mix(c.pal.far, c.pal.accent, 0.2)
    for _ in range(c.n(5, 8)):
        a, r = c.u(0, 6.3), c.u(0.14, 0.26)
        at = (1.05 * float(np.cos(a)), 0.88 * float(np.sin(a)))
        pad = [at, *turned(ring((0, 0), r, 40)[2:-2], a, at)]
        c.shape([(x + 0.03, y + 0.04) for x, y in pad], c.pal.near, alpha=0.4)
        c.shape(pad, mix(leaf, c.pal.low, 0.35), leaf, volume=0.2, rim=c.pal.glow)
        if c.n(0, 1):
            for size in (1.0, 0.7, 0.4):
                c.shape(
                    ring(at, r * 0.75 * size, 16, 0.35),
                    mix(c.pal.accent, c.pal.glow, 1 - size),
                    c.pal.accent,
                    volume=0.2,
                )


def _jelly(c: Canvas, at: Point, size: float) -> None:
    """A translucent bell with frills and trailing threads."""
    x, y = at
    tone = mix(c.pal.accent, c.pal.glow, c.u(0, 0.3))
    c.glow(at, size * 1.2, tone, 0.5)
    for k in range(9):
        x0, sway = x + (k - 4) * size * 0.17, c.u(-0.35, 0.35) * size
        thread = smooth(
            [
                (x0, y),
                (x0 + sway, y + size * 0.8),
                (x0 - sway, y + size * 1.5),
                (x0 + sway * 0.5, y + size * c.u(2, 2.8)),
            ]
        )
        frill = 0.16 if k in (3, 4, 5) else 0.035
        c.shape(c.ribbon(thread, size * frill, 0.004), mix(tone, c.pal.glow, 0.35), tone, alpha=0.6)
    half = [(0.0, -0.9), (0.85, -0.5), (1.0, 0.1), (0.66, 0.22), (0.33, 0.1)]
    dome = smooth([*half, (0.0, 0.22), *mirrored(half[:0:-1])], closed=True)
    bell = [(x + px * size, y + py * size) for px, py in dome]
    c.shape(bell, mix(tone, c.pal.glow, 0.55), tone, volume=0.4, rim=c.pal.glow, alpha=0.82)
    for bend in (-0.6, -0.3, 0.0, 0.3, 0.6):
        nodes = ((bend * 0.3, -0.75), (bend * 1.1, -0.4), (bend * 1.25, 0.05))
        rib = smooth([(x + px * size, y + py * size) for px, py in nodes])
        c.shape(c.ribbon(rib, 0.012, 0.02), c.pal.glow, alpha=0.45)
    c.glow((x, y - size * 0.3), size * 0.4, c.pal.glow, 0.5)


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
        weed = smooth([(x, 1.1), (x + c.u(-0.1, 0.1), 0.8), (x + c.u(-0.2, 0.2), c.u(0.45, 0.75))])
        c.shape(c.ribbon(weed, 0.12, 0.0), mix(c.pal.near, c.pal.far, 0.35), c.pal.near, volume=0.3)
    for _ in range(c.n(15, 30)):
        at, r = (c.u(-EDGE, EDGE), c.u(-1, 0.9)), c.u(0.008, 0.03)
        c.shape(band(at, r, r * 0.35, 20), c.pal.glow, alpha=0.7)
