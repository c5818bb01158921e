"""Outlines: (N, 2) arrays of points, in the units that suit whoever paints them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
At = Sequence[float] | Points


def outline(text: str) -> Points:
    """Points written as SVG does, "x,y x,y", in hundredths."""
    return np.array([[float(v) for v in pair.split(",")] for pair in text.split()]) / 100


def smooth(nodes: Points, closed: bool = False, steps: int = 10) -> Points:
    """Catmull-Rom curve through at least two points, `steps` samples per span."""
    before, after = (nodes[-1:], nodes[:2]) if closed else (nodes[:1], nodes[-1:])
    p = np.concatenate([before, nodes, after])
    a, b, c, d = (p[k : len(p) - 3 + k, None] for k in range(4))
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.concatenate([curve.reshape(-1, 2), after[:1] if closed else after])


def place(points: Points, at: At, size: float = 1, turn: float = 0) -> Points:
    """Points scaled, turned by `turn` radians about the origin and moved to `at`."""
    c, s = np.cos(turn) * size, np.sin(turn) * size
    return np.asarray(points @ np.array([[c, s], [-s, c]]) + np.asarray(at))


def mirror(half: Points) -> Points:
    """The outline that `half` and its image beyond the vertical axis make together."""
    return np.concatenate([half, half[::-1] * (-1, 1)])


def star(at: At, radius: float, corners: int = 48, dent: float = 0, squeeze: float = 1) -> Points:
    """A circle, or with a `dent` a star; `squeeze` times as high as wide."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) - np.pi / 2
    radii = radius * np.where(np.arange(corners) % 2, 1 - dent, 1)
    return np.stack([np.cos(angle), np.sin(angle) * squeeze], axis=1) * radii[:, None] + at


def around(at: At, angle: float, radius: float) -> Points:
    """The point `radius` away from `at` in the direction of `angle`, in radians."""
    return np.asarray(at) + radius * np.array([np.cos(angle), np.sin(angle)])


def ribbon(line: Points, width: float, end: float | None = None) -> Points:
    """Outline of a stroke along `line`, `width` thick at its start and `end` at its tip."""
    step = np.gradient(line, axis=0)
    step /= np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
    half = np.linspace(width, width if end is None else end, len(line))[:, None] / 2
    side = np.stack([-step[:, 1], step[:, 0]], axis=1) * half
    return np.concatenate([line + side, (line - side)[::-1]])
