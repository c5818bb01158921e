"""Pieces several scenes share: skies, moons, ridges, trees, waves, clouds and lightning."""

from __future__ import annotations

import numpy as np

from data_label_factory.samples.canvas import (
    EDGE,
    HALF,
    Canvas,
    Point,
    X,
    Y,
    around,
    mirrored,
    noise,
    smooth,
)
from data_label_factory.samples.palette import Color, mix


def sky(c: Canvas, horizon: float = 0.4, clouds: float = 0.35) -> None:
    """Gradient from the palette's top to its low color at `horizon`, with streaky clouds."""
    fade = np.clip((Y + 1) / np.float32(horizon + 1), 0, 1) ** np.float32(1.3)
    c.px[:] = c.pal.top + (c.pal.low - c.pal.top) * fade[..., None]
    streaks = np.clip(noise(c.rng, (3, 9), 5) * 2.4 - 1.1, 0, 1)
    c.blend(streaks * np.float32(clouds), c.lit(c.pal.low, 0.5))


def backdrop(c: Canvas, at: Point = (0, 0), reach: float = 1.25, strength: float = 0.9) -> None:
    """A studio backdrop: light pool around `at` on a mottled ground, for portraits."""
    pool = np.exp(-((X - at[0]) ** 2 + (Y - at[1]) ** 2) / np.float32(reach**2) * 1.6)
    c.px[:] = c.shade(c.pal.top, 0.25)
    c.blend(pool * np.float32(strength), mix(c.pal.low, c.pal.far, 0.3))
    mottle = np.clip(noise(c.rng, (4, 4), 5) - 0.35, 0, 1)
    c.blend(mottle * np.float32(0.5), mix(c.pal.far, c.pal.top, 0.3))


def rays(c: Canvas, at: Point, count: int, strength: float = 0.25) -> None:
    """Soft beams fanning out from a point."""
    angle = np.arctan2(Y - at[1], X - at[0])
    broad = np.sin(angle * count + c.u(0, 6)) * 0.5
    fine = np.sin(angle * (count * 2 + 3) + c.u(0, 6)) * 0.3
    wave = broad + fine
    far = np.hypot(X - at[0], Y - at[1])
    c.blend(np.clip(wave, 0, 1) * np.exp(-far * 0.9) * np.float32(strength), c.pal.glow)


def orb(c: Canvas, at: Point, radius: float, crescent: bool = False) -> None:
    """A moon or sun with its halo; it also becomes the picture's light."""
    c.light = (float(np.sign(at[0]) or -1) * 0.6, -0.8)
    c.glow(at, radius * 1.5, c.pal.glow, 0.55)
    if crescent:
        _crescent(c, at, radius)
        return

    c.oval(at, radius, radius, c.pal.glow, c.haze(c.pal.glow, 0.45), volume=0.06)
    for _ in range(c.n(3, 7)):
        a = c.u(0, 6.3)
        far = c.u(0, 0.7) * radius
        r = c.u(0.06, 0.2) * radius
        c.oval(around(at, a, far), r, r, c.haze(c.pal.glow, 0.5), alpha=0.35)


def _crescent(c: Canvas, at: Point, radius: float) -> None:
    outer = [around(at, float(a), radius) for a in np.linspace(-1.9, 1.9, 30)]
    back = [(2 * at[0] + radius * 0.2 - x, y) for x, y in outer[::-1]]
    inner = [(x + 1.0 * (at[0] - x) * 1.35, y) for x, y in back]
    c.shape(outer + inner, c.pal.glow, c.haze(c.pal.glow, 0.3))


def ridge(c: Canvas, height: float, swing: float, rough: float = 0.55) -> list[Point]:
    """A skyline from edge to edge: midpoint displacement around `height`, closed at the
    bottom.
    """
    line = np.array([c.u(-swing, swing), c.u(-swing, swing), c.u(-swing, swing)])
    for k in range(6):
        shift = c.rng.uniform(-1, 1, len(line) - 1) * swing * 0.6 * rough**k
        middle = (line[:-1] + line[1:]) / 2 + shift
        line = np.insert(line, np.arange(1, len(line)), middle)

    xs = np.linspace(-EDGE, EDGE, len(line))
    top = [(float(x), float(height + y)) for x, y in zip(xs, line, strict=True)]
    return [*top, (EDGE, 1.05), (-EDGE, 1.05)]


def height_at(outline: list[Point], x: float) -> float:
    """Height of a ridge's skyline at `x`."""
    top = outline[:-2]
    return float(np.interp(x, [p[0] for p in top], [p[1] for p in top]))


def pine(c: Canvas, foot: Point, height: float, color: Color) -> None:
    """A fir as stacked ragged tiers."""
    x, bottom = foot
    left: list[Point] = []
    right: list[Point] = []
    for k in range(5):
        y = bottom - height * (1 - (k + 1) / 5.2)
        half = height * 0.075 * (k + 1.2)
        notch = y - height * 0.02
        left += [(x - half * c.u(0.85, 1.15), y), (x - half * 0.5, notch)]
        right += [(x + half * c.u(0.85, 1.15), y), (x + half * 0.5, notch)]

    tip = (x, bottom - height)
    trunk = [(x + height * 0.03, bottom + 0.03), (x - height * 0.03, bottom + 0.03)]
    c.shape([tip, *right, *trunk, *left[::-1]], c.haze(color, 0.12), color)


def sea(c: Canvas, horizon: float, sun: Point | None = None) -> None:
    """Water below `horizon`, with a glitter path if there is a `sun`.

    A gradient, and ripples that grow towards the viewer.
    """
    depth = np.clip((Y - np.float32(horizon)) / np.float32(1 - horizon), 0, 1)
    inside = np.asarray(np.greater_equal(Y, horizon), dtype=np.float32)
    c.blend(inside, c.haze(c.pal.far, 0.35))
    c.blend(inside * depth**0.7, mix(c.pal.near, c.pal.far, 0.2))

    waves = noise(c.rng, (4, 70), 2)
    ripples = inside * np.clip(waves * 2 - 1.1, 0, 1)
    c.blend(ripples * np.float32(0.5), c.lit(c.pal.low, 0.3))

    if sun is not None:
        path = np.exp(-(((X - np.float32(sun[0])) / (0.12 + depth * 0.35)) ** 2)) * inside
        c.blend(path * np.clip(waves * 3 - 1.2, 0, 1) * np.float32(0.9), c.pal.glow)


def swell(c: Canvas, height: float, size: float, color: Color) -> None:
    """One row of rolling waves with lit crests, from edge to edge."""
    xs = np.linspace(-EDGE, EDGE, 90)
    phase = c.u(0, 6.3)
    pitch = c.u(4, 7)
    crests = np.abs(np.sin(xs * pitch / 2 + phase)) * -1
    ys = height + size * (crests + 0.25 * np.sin(xs * 2.3 + phase))

    top = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
    outline = [*top, (EDGE, 1.05), (-EDGE, 1.05)]
    c.shape(outline, c.haze(color, 0.3), color, rim=c.pal.glow)


def cloud(c: Canvas, at: Point, size: float, top: Color, bottom: Color, alpha: float = 1.0) -> None:
    """A heaped cloud: overlapping discs, flat underside."""
    outlines: list[list[Point]] = []
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    for _ in range(9):
        x = c.u(-1, 1)
        r = c.u(0.25, 0.5)
        r *= 1.15 - 0.6 * abs(x)

        outline: list[Point] = []
        for a in t:
            px = float(np.cos(a)) * r
            py = min(float(np.sin(a)) * r, 0.3 * r)
            outline.append((at[0] + (x + px) * size, at[1] + (py - c.u(0, 0.02)) * size))
        outlines.append(outline)
    c.fill(c.polygon_mask(*outlines), top, bottom, volume=0.12, alpha=alpha)


def bolt(c: Canvas, start: Point, end: Point, width: float = 0.03, forks: int = 2) -> None:
    """Lightning from `start` to `end`, with forks and a halo."""
    line = np.array([start, end])
    for k in range(5):
        middle = (line[:-1] + line[1:]) / 2
        middle[:, 0] += c.rng.uniform(-1, 1, len(middle)) * 0.22 * 0.55**k
        line = np.insert(line, np.arange(1, len(line)), middle, axis=0)

    path: list[Point] = [(float(x), float(y)) for x, y in line]
    for x, y in path[::6]:
        c.glow((x, y), 0.05 + width, c.pal.glow, 0.16)
    c.shape(c.ribbon(path, width, width * 0.3), c.pal.glow)

    for _ in range(forks):
        x, y = path[c.n(6, 20)]
        tip = (x + c.u(0.2, 0.5) * c.side(), y + c.u(0.25, 0.5))
        bolt(c, (x, y), tip, width * 0.5, 0)


def birds(c: Canvas, count: int, at: Point, spread: float, color: Color) -> None:
    """Far birds as small open wings."""
    for _ in range(count):
        x = at[0] + c.u(-spread, spread)
        y = at[1] + c.u(-spread, spread) * 0.5
        s = c.u(0.02, 0.05)
        left = [(x - s, y - s * 0.5), (x - s * 0.4, y - s * 0.6)]
        wing = smooth([*left, (x, y), (x + s * 0.4, y - s * 0.6)])
        c.shape(c.ribbon([*wing, (x + s, y - s * 0.5)], 5 / HALF, 4 / HALF), color)


def bokeh(c: Canvas, count: int, color: Color) -> None:
    """Out-of-focus lights."""
    for _ in range(count):
        at = (c.u(-EDGE, EDGE), c.u(-1, 1))
        r = c.u(0.03, 0.12)
        c.oval(at, r, r, color, alpha=c.u(0.06, 0.2))


def both(
    c: Canvas,
    outline: list[Point],
    top: Color,
    bottom: Color,
    volume: float = 0.35,
    rim: Color | None = None,
) -> None:
    """Fill an outline and its mirror image."""
    for side in (outline, mirrored(outline)):
        c.shape(side, top, bottom, volume=volume, rim=rim)
