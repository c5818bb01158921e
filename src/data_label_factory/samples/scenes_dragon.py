"""Dragons: one scene, and the parts of the animal."""

from __future__ import annotations

import numpy as np

from data_label_factory.samples.canvas import Canvas, Place, Point, moved, smooth, turned
from data_label_factory.samples.palette import Color, mix
from data_label_factory.samples.scenery import cloud, orb, sky


def serpent(c: Canvas) -> None:
    """A dragon winding through the clouds."""
    sky(c, 0.9, 0.5)
    s = c.side()
    orb(c, (s * c.u(-0.3, 0.3), c.u(-0.4, -0.1)), c.u(0.3, 0.5))
    for _ in range(5):
        at = (c.u(-1.1, 1.1), c.u(-0.3, 0.9))
        cloud(c, at, c.u(0.3, 0.5), c.pal.glow, c.pal.low, 0.55)

    hide = mix(c.pal.accent, c.pal.far, c.u(0.2, 0.7))
    path = _wind(c, s)
    _body(c, path, hide)
    _head(c, path[0], s, hide)

    for _ in range(3):
        at = (c.u(-1.1, 1.1), c.u(0.6, 1.0))
        cloud(c, at, c.u(0.35, 0.6), c.pal.glow, c.pal.low, 0.85)


def _wind(c: Canvas, s: int) -> list[Point]:
    """The line of the body, from the head on side `s` to the tip of the tail."""
    loops = c.u(1.15, 1.7)
    swing = c.u(0.45, 0.62)

    t = np.linspace(0, 1, 90)
    xs = s * (0.42 - 1.15 * t + 0.42 * np.sin(t * 7 + 1) * t)
    bends = np.sin(t * loops * 2 * np.pi) * (0.35 + 0.65 * (1 - t))
    ys = -0.42 + 1.25 * t + swing * bends
    return [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]


def _body(c: Canvas, path: list[Point], hide: Color) -> None:
    """Fins along the back, the body over them, scales on top."""
    dark = c.shade(hide, 0.6)
    pale = c.lit(hide, 0.55)
    width = c.u(0.24, 0.3)

    for k in range(len(path) - 3, 2, -3):
        w = width * (1 - k / len(path)) ** 0.7
        along = _direction(path[k], path[k + 2])
        fin = [(-0.04, -w * 0.45), (0.06, -w * 1.05), (0.05, -w * 0.4)]
        c.shape(turned(fin, along, path[k]), mix(c.pal.glow, c.pal.accent, 0.6), dark)

    body = c.ribbon(path, width, 0.02)
    c.shape(body, mix(hide, pale, 0.25), dark, volume=0.5, rim=c.pal.glow)

    for k in range(4, len(path) - 6, 3):
        w = width * (1 - k / len(path))
        along = _direction(path[k], path[k + 1])
        c.oval(path[k], w * 0.12, w * 0.36, pale, hide, angle=along, alpha=0.45)


def _direction(start: Point, end: Point) -> float:
    return float(np.arctan2(end[1] - start[1], end[0] - start[0]))


def _head(c: Canvas, at: Point, s: int, hide: Color) -> None:
    """Profile of a dragon's head looking to side `s`, with horn, mane and whiskers."""

    def place(points: list[Point]) -> list[Point]:
        return moved(points, at, 1.15, s)

    _mane(c, place)
    _skull(c, place, hide)

    whisker = [
        (0.42, 0.0),
        (0.55, 0.12),
        (0.5, 0.3),
        (0.6, 0.42),
    ]
    c.shape(place(c.ribbon(smooth(whisker), 0.025, 0.004)), c.pal.glow)

    eye = place([(0.11, -0.07)])[0]
    c.glow(eye, 0.07, c.pal.glow, 0.9)
    c.oval(eye, 0.045, 0.03, c.pal.glow, angle=s * 0.4)
    c.oval(eye, 0.012, 0.028, c.pal.near)
    nostril = place([(0.42, -0.03)])[0]
    c.oval(nostril, 0.014, 0.01, c.pal.near)


def _mane(c: Canvas, place: Place) -> None:
    """Five locks, and the horn over them."""
    for k in range(5):
        tip = (-0.4 - c.u(0, 0.1), -0.2 + 0.13 * k)
        lock = smooth([(-0.05, -0.1 + 0.06 * k), (-0.25, -0.16 + 0.09 * k), tip])
        shade = c.shade(c.pal.accent, 0.4)
        c.shape(place(c.ribbon(lock, 0.1, 0.0)), c.pal.accent, shade, volume=0.3)

    horn = smooth([(0.0, -0.1), (-0.15, -0.26), (-0.38, -0.34)])
    dull = mix(c.pal.glow, c.pal.far, 0.5)
    c.shape(place(c.ribbon(horn, 0.08, 0.0)), c.pal.glow, dull, volume=0.4)


def _skull(c: Canvas, place: Place, hide: Color) -> None:
    """The lower jaw, then the skull over it."""
    jaw = [
        (-0.05, 0.08),
        (0.12, 0.16),
        (0.34, 0.17),
        (0.38, 0.12),
        (0.2, 0.08),
        (0.05, 0.02),
    ]
    c.shape(place(smooth(jaw, closed=True)), hide, c.shade(hide, 0.55), volume=0.4)

    skull = [
        (-0.14, 0.06),
        (-0.1, -0.14),
        (0.08, -0.17),
        (0.22, -0.08),
        (0.42, -0.07),
        (0.47, 0.02),
        (0.4, 0.07),
        (0.15, 0.06),
        (0.0, 0.13),
    ]
    outline = place(smooth(skull, closed=True))
    c.shape(outline, c.lit(hide, 0.5), hide, volume=0.5, rim=c.pal.glow)
