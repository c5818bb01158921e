"""Skies: storms, lantern nights, floating isles, star charts and cloud whales."""

from itertools import pairwise

import numpy as np

from .canvas import EDGE, Canvas, Point, X, Y, noise, ring, smooth, turned
from .palette import mix
from .scenery import birds, bolt, cloud, height_at, orb, pine, ridge, sea, sky, swell


def storm(c: Canvas) -> None:
    """Heaped thunderheads, lightning and slanting rain over hills or a rough sea."""
    sky(c, 0.6, 0.3)
    c.px *= np.float32(0.6)
    strike = (c.u(-0.6, 0.6), c.u(0.3, 0.5))
    c.glow((strike[0], 0.1), 0.5, c.pal.low, 0.3)
    for k in range(9):
        tone = mix(mix(c.pal.far, c.pal.low, 0.5), c.pal.near, c.u(0.1, 0.6))
        if k == 5:
            bolt(c, (strike[0] + c.u(-0.3, 0.3), -0.5), strike, c.u(0.025, 0.045), c.n(1, 4))
        place = (c.u(-1.2, 1.2), -0.95 + 0.07 * k + c.u(0, 0.2))
        cloud(c, place, c.u(0.45, 0.8), mix(tone, c.pal.glow, 0.3), mix(tone, c.pal.near, 0.6))
    if c.n(0, 1):
        sea(c, 0.42, strike)
        for k in range(3):
            swell(c, 0.6 + k * 0.16, 0.09 + 0.03 * k, mix(c.pal.far, c.pal.near, 0.3 + k * 0.3))
    else:
        for k in range(2):
            line = ridge(c, 0.5 + k * 0.22, 0.14)
            c.shape(
                line,
                mix(c.pal.far, c.pal.near, 0.3 + k * 0.5),
                c.pal.near,
                rim=mix(c.pal.far, c.pal.glow, 0.4),
            )
            for x in c.rng.uniform(-1, 1, 4 * k):
                pine(c, (float(x), height_at(line, float(x)) + 0.03), c.u(0.2, 0.35), c.pal.near)
    rain = np.clip(noise(c.rng, (90, 6), 2) * 3 - 1.9, 0, 1) * np.clip(0.8 + 0.2 * X, 0, 1)
    c.blend(rain * np.clip(Y + 0.7, 0, 1) * np.float32(0.3), c.pal.glow)


def lanterns(c: Canvas) -> None:
    """Paper lanterns rising from a night lake."""
    horizon = c.u(0.3, 0.5)
    sky(c, horizon + 0.3, 0.3)
    c.px *= np.float32(0.5)
    c.sparks(70, c.pal.glow, 0.004, -1, 0.1)
    c.shape(
        ridge(c, horizon - 0.12, 0.14),
        mix(c.pal.far, c.pal.near, 0.3),
        mix(c.pal.far, c.pal.low, 0.2),
    )
    sea(c, horizon)
    warm = (mix(c.pal.accent, c.pal.glow, 0.35), mix(c.pal.accent, c.pal.near, 0.15))
    for size in np.sort(c.rng.gamma(2.2, 0.045, c.n(14, 26)) + 0.03):
        r = min(float(size), 0.25)
        x, y = c.u(-EDGE, EDGE), c.u(-0.9, horizon - 0.1 - r)
        c.glow((x, y), r * 1.3, warm[0], 0.32)
        c.glow((x, 2 * horizon - y * 0.6), r * 0.8, warm[0], 0.2)
        side = smooth([(0.35, -0.75), (0.8, -0.55), (0.9, 0.2), (0.55, 0.75)])
        body = [
            (x + px * r, y + py * r) for px, py in [*side, *[(-px, py) for px, py in side[::-1]]]
        ]
        c.shape(body, warm[1], mix(c.pal.glow, warm[0], 0.55), volume=0.15)
        c.glow((x, y + r * 0.35), r * 0.33, c.pal.glow, 0.75)
        for k in (-0.4, 0.0, 0.4) if r > 0.07 else ():
            rib = smooth(
                [(x + k * r * 0.5, y - r * 0.75), (x + k * r * 1.5, y), (x + k * r, y + r * 0.75)]
            )
            c.shape(c.ribbon(rib, 0.008, 0.008), warm[1], alpha=0.6)
        c.oval((x, y - r * 0.75), r * 0.36, r * 0.08, c.pal.near)
        c.oval((x, y + r * 0.75), r * 0.55, r * 0.07, mix(c.pal.near, warm[1], 0.4))


def _isle(c: Canvas, at: Point, half: float) -> None:
    """A floating rock with a meadow, trees and a waterfall."""
    x, y = at
    tone = mix(c.pal.far, c.pal.near, 0.3)
    edge: list[Point] = [(x + half, y)]
    for k in range(1, 12):
        t = k / 12
        drop = half * (1 - abs(2 * t - 1)) ** 0.8 * c.u(0.85, 1.3)
        edge.append((x + half * (1 - 2 * t), y + drop))
    c.shape(
        [*edge, (x - half, y)],
        mix(tone, c.pal.low, 0.2),
        c.pal.near,
        volume=0.5,
        rim=mix(tone, c.pal.glow, 0.5),
    )
    spill = x + c.u(-0.5, 0.5) * half
    c.shape(
        c.ribbon([(spill, y), (spill, y + half * 1.6)], half * 0.13, half * 0.3),
        c.pal.glow,
        c.pal.low,
        alpha=0.7,
    )
    grass = mix(c.pal.accent, c.pal.far, 0.55)
    for k in range(c.n(3, 7)):
        spot = (x + c.u(-0.75, 0.75) * half, y)
        if k % 2:
            pine(c, spot, half * c.u(0.5, 0.9), mix(c.pal.near, grass, 0.3))
            continue
        r = half * c.u(0.15, 0.28)
        c.shape(c.ribbon([spot, (spot[0], y - r * 1.6)], r * 0.3, r * 0.2), c.pal.near)
        c.oval(
            (spot[0], y - r * 1.9),
            r,
            r * 0.85,
            mix(c.pal.accent, c.pal.glow, 0.25),
            c.pal.accent,
            volume=0.3,
        )
    c.oval(at, half * 1.03, half * 0.13, mix(grass, c.pal.glow, 0.35), grass, volume=0.2)


def isles(c: Canvas) -> None:
    """Islands adrift above a sea of clouds."""
    sky(c, 0.9, 0.4)
    orb(c, (c.side() * c.u(0.4, 0.8), c.u(-0.7, -0.4)), c.u(0.1, 0.22), c.n(0, 1) == 0)
    for k in range(c.n(3, 5)):
        size = 0.1 + 0.04 * k + c.u(0, 0.08)
        _isle(c, (c.u(-0.95, 0.95), c.u(-0.6, 0.1)), size)
        cloud(c, (c.u(-1, 1), c.u(-0.2, 0.6)), c.u(0.2, 0.4), c.pal.glow, c.pal.low, 0.7)
    _isle(c, (c.u(-0.4, 0.4), c.u(0.05, 0.3)), c.u(0.42, 0.6))
    for k in range(10):
        cloud(
            c,
            (c.u(-1.2, 1.2), 0.75 + 0.03 * k),
            c.u(0.3, 0.5),
            c.pal.glow,
            mix(c.pal.low, c.pal.far, 0.3),
            0.85,
        )
    birds(c, c.n(3, 8), (0, -0.5), 0.7, c.pal.near)


def constellation(c: Canvas) -> None:
    """A nebula, a ringed planet and a drawn star sign."""
    c.px[:] = mix(c.pal.near, c.pal.top, 0.6)
    for color in (c.pal.low, c.pal.accent, c.pal.far, c.pal.glow):
        arm = np.exp(-((Y - X * np.float32(c.u(-0.8, 0.8)) - np.float32(c.u(-0.5, 0.5))) ** 2) * 3)
        c.blend(np.clip(noise(c.rng, (4, 3), 6) * 2.6 - 1.2, 0, 1) * arm * np.float32(0.65), color)
    c.sparks(260, c.pal.glow, 0.0035)
    c.sparks(25, c.pal.glow, 0.009)
    at, r = (c.side() * c.u(0.45, 0.8), c.u(-0.6, 0.6)), c.u(0.18, 0.34)
    tilt = c.u(-0.6, 0.6)
    c.oval(
        at, r, r, mix(c.pal.accent, c.pal.glow, 0.3), mix(c.pal.accent, c.pal.near, 0.6), volume=0.7
    )
    hoop = [
        (px * r, py * r)
        for px, py in smooth([(-0.95, 0.1), (-1.8, 0.12), (0, 0.5), (1.8, 0.12), (0.95, 0.1)])
    ]
    c.shape(c.ribbon(turned(hoop, tilt, at), 0.03, 0.03), c.pal.glow, alpha=0.85)
    angle, path = c.u(0, 6.3), [(-np.sign(at[0]) * c.u(0.2, 0.5), c.u(-0.3, 0.3))]
    nodes: list[Point] = []
    for _ in range(c.n(6, 9)):
        angle += c.u(-1.3, 1.3)
        x, y = path[-1][0] + 0.34 * np.cos(angle), path[-1][1] + 0.34 * np.sin(angle)
        if abs(x) > 1.0 or abs(y) > 0.85:
            angle += np.pi
            x, y = path[-1][0] * 0.7, path[-1][1] * 0.7 + 0.1
        path.append((float(x), float(y)))
    nodes = [(float(x), float(y)) for x, y in path]
    for a, b in pairwise(nodes):
        c.shape(c.ribbon([a, b], 0.007, 0.007), c.pal.glow, alpha=0.75)
    for node in nodes:
        size = c.u(0.03, 0.065)
        c.glow(node, size * 1.4, c.pal.glow, 0.8)
        c.shape(ring(node, size, 8, 0.72), c.pal.glow)


def whale(c: Canvas) -> None:
    """A whale swimming through the evening sky."""
    sky(c, 0.9, 0.6)
    s = c.side()
    c.sparks(100, c.pal.glow, 0.004, -1, 0.2)
    orb(c, (-s * c.u(0.1, 0.7), c.u(-0.7, -0.35)), c.u(0.15, 0.4), c.n(0, 1) == 0)
    for _ in range(4):
        cloud(c, (c.u(-1, 1), c.u(-0.3, 0.6)), c.u(0.25, 0.45), c.pal.glow, c.pal.low, 0.6)
    _whale(c, s)
    for _ in range(6):
        cloud(
            c,
            (c.u(-1.2, 1.2), c.u(0.8, 1.0)),
            c.u(0.3, 0.55),
            c.pal.glow,
            mix(c.pal.low, c.pal.far, 0.3),
            0.85,
        )
    birds(c, c.n(3, 7), (0.5 * s, -0.5), 0.5, c.pal.near)


def _whale(c: Canvas, s: int) -> None:
    """The animal itself, swimming to side `s`: fluke, flippers, grooved belly, glowing freckles."""
    hide = mix(mix(c.pal.far, c.pal.near, 0.4), c.pal.accent, c.u(0, 0.3))
    dark, pale = mix(hide, c.pal.near, 0.5), mix(hide, c.pal.glow, 0.65)
    tilt, at, size = s * c.u(-0.4, 0.05), (0.0, c.u(-0.05, 0.15)), c.u(0.85, 1.05)

    def place(points: list[Point]) -> list[Point]:
        return turned([(s * x, y) for x, y in points], tilt, at, size)

    fluke = smooth(
        [(-0.78, 0.0), (-1.0, -0.3), (-1.14, -0.34), (-1.02, -0.08), (-1.16, 0.1), (-0.98, 0.1)],
        closed=True,
    )
    c.shape(place(fluke), hide, dark, volume=0.4, rim=c.pal.glow)
    c.shape(
        place(smooth([(0.2, 0.2), (0.1, 0.55), (-0.08, 0.66), (0.0, 0.3)], closed=True)),
        dark,
        c.pal.near,
        volume=0.3,
    )
    back = [(0.86, 0.02), (0.7, -0.24), (0.2, -0.34), (-0.4, -0.16), (-0.9, -0.04)]
    front = [(-0.88, 0.06), (-0.4, 0.16), (0.2, 0.34), (0.68, 0.28)]
    body = smooth([*back, *front], closed=True)
    c.shape(place(body), mix(hide, c.pal.low, 0.2), dark, volume=0.45, rim=c.pal.glow)
    belly = smooth(
        [(0.85, 0.06), (0.45, 0.12), (0.0, 0.2), (-0.35, 0.16), (0.2, 0.33), (0.66, 0.27)],
        closed=True,
    )
    c.shape(place(belly), pale, mix(pale, hide, 0.5), volume=0.25)
    for k in range(6):
        groove = smooth([(0.76, 0.11 + 0.028 * k), (0.4, 0.16 + 0.03 * k), (0.0, 0.21 + 0.022 * k)])
        c.shape(place(c.ribbon(groove, 0.008, 0.004)), hide)
    c.shape(
        place(
            smooth([(0.3, 0.16), (0.28, 0.5), (0.1, 0.74), (0.06, 0.5), (0.1, 0.2)], closed=True)
        ),
        hide,
        dark,
        volume=0.4,
        rim=c.pal.glow,
    )
    eye = place([(0.56, 0.05)])[0]
    c.oval(eye, 0.04, 0.034, c.pal.near)
    c.oval((eye[0] - 0.01, eye[1] - 0.012), 0.013, 0.013, c.pal.glow)
    for _ in range(c.n(8, 16)):
        spot = place([(c.u(-0.5, 0.65), c.u(-0.22, 0.0))])[0]
        c.glow(spot, 0.02, c.pal.accent, 0.7)
        c.oval(spot, 0.011, 0.011, c.pal.glow)
