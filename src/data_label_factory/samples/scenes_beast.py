"""Large creatures: horned beasts, owls and dragons."""

import numpy as np

from .canvas import EDGE, Canvas, Point, smooth, turned
from .palette import Color, mix
from .scenery import backdrop, both, cloud, orb, sky


def _eyes(c: Canvas, x: float, y: float, r: float, color: Color) -> None:
    """A pair of glowing eyes with slit or round pupils."""
    slit = c.u(0.15, 0.6)
    for s in (-1, 1):
        c.glow((s * x, y), r * 1.6, color, 0.7)
        c.oval((s * x, y), r * 1.25, r * 1.05, c.pal.near, angle=s * 0.3)
        c.oval((s * x, y), r, r * 0.85, mix(color, c.pal.glow, 0.5), color, angle=s * 0.3)
        c.oval((s * x, y), r * slit, r * 0.75, c.pal.near)
        c.oval((s * x - r * 0.3, y - r * 0.35), r * 0.2, r * 0.2, c.pal.glow)


def _horns(c: Canvas, y: float, tone: Color) -> None:
    """One of three headdresses: ram curls, antlers or swept spikes."""
    kind, pale = c.n(0, 2), mix(tone, c.pal.glow, 0.4)
    if kind == 0:
        t = np.linspace(0, 4.6, 40)
        curl = [
            (
                0.48 + 0.27 * (1 - a / 7) * float(np.cos(a + 3.6)),
                y + 0.06 + 0.3 * (1 - a / 7) * float(np.sin(a + 3.6)),
            )
            for a in t
        ]
        both(c, c.ribbon(curl, 0.2, 0.02), pale, tone, 0.5, c.pal.glow)
    elif kind == 1:
        beam = smooth([(0.16, y), (0.34, y - 0.18), (0.42, y - 0.4), (0.34, y - 0.62)])
        both(c, c.ribbon(beam, 0.09, 0.02), pale, tone, 0.4, c.pal.glow)
        for k in (8, 15, 21):
            px, py = beam[k]
            tine = smooth([(px, py), (px + 0.13, py - 0.06), (px + 0.2, py - c.u(0.16, 0.26))])
            both(c, c.ribbon(tine, 0.055, 0.008), pale, tone, 0.4, c.pal.glow)
    else:
        for k in range(c.n(1, 3)):
            spike = smooth(
                [
                    (0.12 + 0.1 * k, y + 0.05 * k),
                    (0.3 + 0.14 * k, y - 0.2),
                    (0.24 + 0.26 * k, y - c.u(0.4, 0.62)),
                ]
            )
            both(c, c.ribbon(spike, 0.12, 0.0), pale, tone, 0.5, c.pal.glow)


def _fur(c: Canvas, at: Point, rx: float, ry: float, tufts: int, depth: float) -> list[Point]:
    """A shaggy oval."""
    angles = np.linspace(0, 2 * np.pi, tufts * 2, endpoint=False)
    out = 1 + np.where(np.arange(tufts * 2) % 2, depth, 0) * c.rng.uniform(0.5, 1.2, tufts * 2)
    return [
        (at[0] + rx * float(np.cos(a)) * k, at[1] + ry * float(np.sin(a)) * k)
        for a, k in zip(angles, out.tolist(), strict=True)
    ]


def beast(c: Canvas) -> None:
    """Portrait of a horned, furry creature."""
    backdrop(c, (0, -0.2), c.u(0.9, 1.3))
    orb(c, (c.side() * c.u(0, 0.5), c.u(-0.5, -0.2)), c.u(0.35, 0.6), False)
    coat = mix(mix(c.pal.far, c.pal.near, c.u(0.1, 0.5)), c.pal.accent, c.u(0, 0.5))
    dark, pale = mix(coat, c.pal.near, 0.6), mix(coat, c.pal.glow, 0.4)
    c.shape(_fur(c, (0, 1.0), 0.85, 0.72, 34, 0.12), coat, dark, volume=0.35, rim=c.pal.glow)
    c.shape(_fur(c, (0, 0.75), 0.5, 0.5, 26, 0.15), mix(coat, c.pal.low, 0.35), coat, volume=0.3)
    _horns(c, -0.32, mix(c.pal.glow, c.pal.far, 0.45))
    long = c.u(0.2, 0.5)
    ear = smooth(
        [(0.2, -0.3), (0.36, -0.3 - long), (0.52 + long * 0.3, -0.2 - long * 0.8), (0.44, -0.05)],
        closed=True,
    )
    both(c, ear, coat, dark, 0.4, c.pal.glow)
    both(
        c,
        [(0.34 + (x - 0.38) * 0.55, -0.24 + (y + 0.3) * 0.6) for x, y in ear],
        c.pal.accent,
        dark,
        0.1,
    )
    wide, jaw = c.u(0.42, 0.56), c.u(0.2, 0.34)
    head = smooth(
        [
            (0, -0.5),
            (wide * 0.75, -0.38),
            (wide, 0),
            (jaw, 0.42),
            (0, 0.52),
            (-jaw, 0.42),
            (-wide, 0),
            (-wide * 0.75, -0.38),
        ],
        closed=True,
    )
    c.shape(_fur(c, (0, 0.02), wide * 1.12, 0.48, 30, 0.12), coat, dark, volume=0.3, rim=c.pal.glow)
    c.shape(head, mix(coat, pale, 0.4), coat, volume=0.45)
    mark = smooth([(0, -0.46), (c.u(0.06, 0.2), -0.2), (0.05, 0.1), (0, 0.2)])
    both(c, [*mark, (0.0, -0.46)], pale, pale, 0.1)
    c.oval((0, 0.3), jaw * 0.9, 0.2, pale, mix(pale, coat, 0.6), volume=0.35)
    nose: list[Point] = smooth(
        [(-0.1, 0.17), (0, 0.15), (0.1, 0.17), (0.03, 0.27), (-0.03, 0.27)], closed=True
    )
    c.shape(nose, mix(c.pal.near, c.pal.far, 0.3), c.pal.near, volume=0.5)
    smile = smooth([(0, 0.26), (0.02, 0.36), (0.1, 0.39), (0.16, 0.35)])
    both(c, c.ribbon(smile, 0.018, 0.008), c.pal.near, c.pal.near, 0.0)
    _eyes(
        c, wide * c.u(0.45, 0.55), -0.08, c.u(0.08, 0.12), c.pal.accent if c.n(0, 1) else c.pal.glow
    )
    c.sparks(30, c.pal.glow, 0.007)


def owl(c: Canvas) -> None:
    """An owl with spread wings before the moon."""
    sky(c, 0.9, 0.3)
    orb(c, (0, -0.15), c.u(0.55, 0.75))
    coat = mix(mix(c.pal.far, c.pal.near, 0.3), c.pal.accent, c.u(0, 0.45))
    dark, pale = mix(coat, c.pal.near, 0.55), mix(coat, c.pal.glow, 0.5)
    lift = c.u(-0.35, 0.25)
    for row, reach in enumerate((0.98, 0.76, 0.52)):
        for k in range(8):
            a = -0.5 + lift + k * 0.19
            feather = [
                (0.0, -0.07),
                (reach * 0.8, -0.075),
                (reach, 0.0),
                (reach * 0.8, 0.07),
                (0.0, 0.07),
            ]
            tone = mix((dark, coat, pale)[row], c.pal.near, 0.12 * (k % 2))
            both(c, turned(feather, a, (0.13, -0.12)), tone, mix(tone, c.pal.near, 0.25), 0.3)
    c.shape(
        [(-0.2, 0.5), (-0.24, 0.88), (0, 0.8), (0.24, 0.88), (0.2, 0.5)], coat, dark, volume=0.3
    )
    c.oval((0, 0.2), 0.34, 0.52, mix(coat, pale, 0.3), dark, volume=0.4, rim=c.pal.glow)
    for row in range(6):
        for k in range(-2 - row % 2, 3):
            at = (k * 0.1 + 0.05 * (row % 2), 0.08 + row * 0.095)
            if (at[0] / 0.29) ** 2 + ((at[1] - 0.25) / 0.42) ** 2 < 1:
                c.oval(at, 0.052, 0.06, pale, mix(pale, coat, 0.7), volume=0.2)
    both(c, [(0.12, -0.42), (0.38, -0.74), (0.32, -0.28)], coat, dark)
    c.oval((0, -0.28), 0.37, 0.3, coat, dark, volume=0.35, rim=c.pal.glow)
    for s in (-1, 1):
        c.shape(
            _fur(c, (s * 0.16, -0.26), 0.18, 0.19, 18, 0.1), pale, mix(pale, coat, 0.4), volume=0.2
        )
    _eyes(c, 0.155, -0.27, c.u(0.09, 0.12), c.pal.accent)
    c.shape(
        [(-0.05, -0.22), (0, -0.26), (0.05, -0.22), (0, -0.06)],
        c.pal.glow,
        c.pal.accent,
        volume=0.4,
    )
    bough = smooth(
        [(-EDGE, 0.78 + c.u(-0.1, 0.1)), (-0.3, 0.76), (0.3, 0.78), (EDGE, 0.68 + c.u(-0.1, 0.1))]
    )
    for x in (-0.12, 0.12):
        for toe in (-0.05, 0, 0.05):
            c.oval((x + toe, 0.72), 0.025, 0.07, c.pal.accent, dark)
    c.shape(c.ribbon(bough, 0.12, 0.07), mix(c.pal.near, c.pal.far, 0.25), c.pal.near, volume=0.4)
    for k in range(c.n(5, 10)):
        x, y = bough[c.n(2, 28)]
        leaf = [(0.0, 0.0), (0.05, -0.035), (0.15, 0.0), (0.05, 0.035)]
        c.shape(
            turned(leaf, c.u(-2.6, -0.4) if k % 2 else c.u(0.4, 2.6), (x, y)),
            c.pal.accent,
            mix(c.pal.accent, c.pal.near, 0.5),
        )


def serpent(c: Canvas) -> None:
    """A dragon winding through the clouds."""
    sky(c, 0.9, 0.5)
    s = c.side()
    orb(c, (s * c.u(-0.3, 0.3), c.u(-0.4, -0.1)), c.u(0.3, 0.5))
    for _ in range(5):
        cloud(c, (c.u(-1.1, 1.1), c.u(-0.3, 0.9)), c.u(0.3, 0.5), c.pal.glow, c.pal.low, 0.55)
    hide = mix(c.pal.accent, c.pal.far, c.u(0.2, 0.7))
    dark, pale = mix(hide, c.pal.near, 0.6), mix(hide, c.pal.glow, 0.55)
    t = np.linspace(0, 1, 90)
    loops, swing = c.u(1.15, 1.7), c.u(0.45, 0.62)
    xs = s * (0.42 - 1.15 * t + 0.42 * np.sin(t * 7 + 1) * t)
    ys = -0.42 + 1.25 * t + swing * np.sin(t * loops * 2 * np.pi) * (0.35 + 0.65 * (1 - t))
    path = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
    width = c.u(0.24, 0.3)
    for k in range(len(path) - 3, 2, -3):
        w = width * (1 - k / len(path)) ** 0.7
        (x, y), (nx, ny) = path[k], path[k + 2]
        along = float(np.arctan2(ny - y, nx - x))
        fin = [(-0.04, -w * 0.45), (0.06, -w * 1.05), (0.05, -w * 0.4)]
        c.shape(turned(fin, along, (x, y)), mix(c.pal.glow, c.pal.accent, 0.6), dark)
    body = np.asarray(c.ribbon(path, width, 0.02))
    c.shape(
        [(float(x), float(y)) for x, y in body],
        mix(hide, pale, 0.25),
        dark,
        volume=0.5,
        rim=c.pal.glow,
    )
    for k in range(4, len(path) - 6, 3):
        w = width * (1 - k / len(path))
        c.oval(
            path[k],
            w * 0.12,
            w * 0.36,
            pale,
            hide,
            angle=float(np.arctan2(path[k + 1][1] - path[k][1], path[k + 1][0] - path[k][0])),
            alpha=0.45,
        )
    _dragon_head(c, path[0], s, hide)
    for _ in range(3):
        cloud(c, (c.u(-1.1, 1.1), c.u(0.6, 1.0)), c.u(0.35, 0.6), c.pal.glow, c.pal.low, 0.85)


def _dragon_head(c: Canvas, at: Point, s: int, hide: Color) -> None:
    """Profile of a dragon's head looking to side `s`, with horn, mane and whiskers."""
    dark, pale = mix(hide, c.pal.near, 0.55), mix(hide, c.pal.glow, 0.5)

    def place(points: list[Point]) -> list[Point]:
        return [(at[0] + s * x * 1.15, at[1] + y * 1.15) for x, y in points]

    for k in range(5):
        lock = smooth(
            [
                (-0.05, -0.1 + 0.06 * k),
                (-0.25, -0.16 + 0.09 * k),
                (-0.4 - c.u(0, 0.1), -0.2 + 0.13 * k),
            ]
        )
        c.shape(
            place(c.ribbon(lock, 0.1, 0.0)),
            c.pal.accent,
            mix(c.pal.accent, c.pal.near, 0.4),
            volume=0.3,
        )
    horn = smooth([(0.0, -0.1), (-0.15, -0.26), (-0.38, -0.34)])
    c.shape(
        place(c.ribbon(horn, 0.08, 0.0)), c.pal.glow, mix(c.pal.glow, c.pal.far, 0.5), volume=0.4
    )
    jaw = smooth(
        [(-0.05, 0.08), (0.12, 0.16), (0.34, 0.17), (0.38, 0.12), (0.2, 0.08), (0.05, 0.02)],
        closed=True,
    )
    c.shape(place(jaw), hide, dark, volume=0.4)
    skull = smooth(
        [
            (-0.14, 0.06),
            (-0.1, -0.14),
            (0.08, -0.17),
            (0.22, -0.08),
            (0.42, -0.07),
            (0.47, 0.02),
            (0.4, 0.07),
            (0.15, 0.06),
            (0.0, 0.13),
        ],
        closed=True,
    )
    c.shape(place(skull), pale, hide, volume=0.5, rim=c.pal.glow)
    whisker = smooth([(0.42, 0.0), (0.55, 0.12), (0.5, 0.3), (0.6, 0.42)])
    c.shape(place(c.ribbon(whisker, 0.025, 0.004)), c.pal.glow)
    eye = place([(0.11, -0.07)])[0]
    c.glow(eye, 0.07, c.pal.glow, 0.9)
    c.oval(eye, 0.045, 0.03, c.pal.glow, angle=s * 0.4)
    c.oval(eye, 0.012, 0.028, c.pal.near)
    c.oval(place([(0.42, -0.03)])[0], 0.014, 0.01, c.pal.near)
