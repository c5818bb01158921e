"""The art of a card: a table of scenes, each painted from a
palette and a seed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from data_label_factory.samples.canvas import EDGE, Canvas, X, Y, noise
from data_label_factory.samples.palette import PALETTES, Array, mix
from data_label_factory.samples.shapes import around, mirror, outline, place, ribbon, smooth, star

TURN = 2 * np.pi
PETAL = smooth(outline("0,0 16,-30 20,-70 0,-100 -20,-70 -16,-30"), closed=True)
WINDOW = mirror(outline("0,-4 2,-2 2,3"))
HULL = smooth(outline("-82,-14 -70,-10 0,-2 60,-6 112,-24 78,16 40,24 -50,24 -76,14"))
MAST = outline("-1,0 1,0 1,-108 -1,-108")
SAIL = smooth(outline("-80,0 80,0 104,50 92,100 10,84 -92,100 -70,50"), closed=True)
LANTERN = mirror(smooth(outline("0,-76 35,-75 80,-55 90,20 55,75 0,77")))
LID = star((0, 0.75), 0.45, squeeze=0.2)
FORE_WING = outline("4,0 40,-62 92,-72 104,-40 74,6 30,14")
HIND_WING = outline("4,8 55,5 82,34 60,76 32,66 8,30")


def paint_art(scene: str, element: str, shade: int, seed: int) -> Image.Image:
    """Paint one picture, RGB of canvas.WIDTH x canvas.HEIGHT
    pixels.

    `scene` is a key of SCENES, `element` and `shade` pick the
    palette, `seed` the composition. Raises KeyError or IndexError
    for what there is not.
    """
    canvas = Canvas(PALETTES[element][shade], seed)
    SCENES[scene](canvas)
    return canvas.finish()


def _sky(c: Canvas, orb: float = 0.3) -> float:
    """Sky with clouds, stars, rays and a spotted moon or sun;
    returns the x of that.
    """
    fade = np.clip((Y + 1) / np.float32(1.5), 0, 1) ** 1.3
    c.px[:] = mix(c.pal.top, c.pal.low, fade[..., None])
    c.blend(np.clip(noise(c.rng, 3, 9, 5) * 2.4 - 1.1, 0, 0.4), c.lit(c.pal.low, 0.5))
    c.sparks(c.n(20, 70), 0.004, high=0.2)

    at, radius = (c.u(-0.75, 0.75), c.u(-0.6, -0.25)), orb * c.u(0.7, 1.2)
    beams = np.sin(np.arctan2(Y - at[1], X - at[0]) * c.n(7, 13) + c.u(0, 6))
    far = np.hypot(X - at[0], Y - at[1])
    c.blend(np.clip(beams, 0, 1) * np.exp(-far) * np.float32(0.25), c.pal.glow)
    c.glow(at, radius * 1.5, c.pal.glow, 0.55)
    c.body(star(at, radius), c.pal.glow, mix(c.pal.glow, c.pal.low, 0.45), volume=0)
    for size in c.rng.uniform(0.06, 0.2, 5) * radius:
        c.flat(star(around(at, c.u(0, 6), radius * c.u(0, 0.7)), size), c.pal.low, 0.25)
    return at[0]


def _studio(c: Canvas) -> None:
    """A backdrop for portraits: a pool of light on mottled
    ground, inside fine rings.
    """
    c.px[:] = c.dim(c.pal.top, 0.25)
    c.blend(np.exp((X**2 + Y**2) * np.float32(-1.1)), mix(c.pal.low, c.pal.far, 0.3))
    c.blend(np.clip(noise(c.rng, 4, 4, 5) - 0.35, 0, 1) * np.float32(0.6), c.pal.top)
    rings = [ribbon(star((0, 0), c.u(0.72, 1.1), 90), c.u(0.006, 0.02)) for _ in "123"]
    beads = [star(around((0, 0), turn, 0.87), 0.02) for turn in np.linspace(0, TURN, c.n(9, 24))]
    c.flat([*rings, *beads], c.pal.glow, 0.4)
    c.sparks(c.n(40, 90))


def _land(c: Canvas, level: float, rough: float, color: Array, pines: int = 0) -> None:
    """A rolling skyline with pines on it, and haze at its foot."""
    x = np.linspace(-EDGE, EDGE, 90)
    bumps = [c.rng.normal(0, rough / 2**k, 4 << k) for k in range(4)]
    y = level + np.sum([np.interp(x, np.linspace(-EDGE, EDGE, len(b)), b) for b in bumps], axis=0)
    zigzag = np.array([(0.08 + 0.04 * k - 0.12 * (k % 2), k / 8) for k in range(8, -1, -1)])
    shapes = [np.concatenate([np.stack([x, y], axis=1), [(EDGE, 1.1), (-EDGE, 1.1)]])]
    for k in c.rng.integers(0, 90, pines):
        size = c.u(0.12, 0.34)
        shapes.append(place(mirror(zigzag), (x[k], y[k] - size + 0.04), size))
    c.body(shapes, color, c.dim(color, 0.6), volume=0.05)
    fog = np.exp(-(((Y - np.float32(level + 0.25)) / np.float32(0.16)) ** 2))
    c.blend(fog * noise(c.rng, 3, 8, 3) * np.float32(0.5), c.lit(c.pal.low, 0.3))


def _sea(c: Canvas, level: float, light: float) -> None:
    """Water up to `level`, glittering below the light at x = `light`."""
    water = np.greater(Y, level).astype(np.float32)
    depth = np.clip((Y - np.float32(level)) / np.float32(1 - level), 0, 1)
    c.blend(water, mix(c.pal.low, c.pal.far, 0.6))
    c.blend(depth, c.pal.near)
    path = np.exp(-(((X - light) / (np.float32(0.14) + depth * np.float32(0.4))) ** 2))
    ripples = np.clip(noise(c.rng, 9, 60, 3) * 5 - 2.9, 0, 1) * water
    c.blend(ripples * (path * np.float32(0.8) + np.float32(0.16)), c.pal.glow)


def crystals(c: Canvas) -> None:
    """A cluster of faceted crystals on a hill."""
    _sky(c, 0.2)
    _land(c, 0.35, 0.12, mix(c.pal.low, c.pal.far, 0.6), 14)
    c.glow((0, 0.4), 0.45, c.pal.accent, 0.6)
    turns = np.linspace(-1.15, 1.15, c.n(9, 15))
    for turn in sorted(turns, key=lambda turn: c.u(0, 0.3) - abs(turn)):
        size, wide = c.u(0.75, 1.35) * (1 - 0.45 * abs(turn)), c.u(0.09, 0.15)
        tone = mix(c.pal.accent, c.pal.low, c.u(0, 0.6))
        ridge, tip = c.u(-0.5, 0.3) * wide, (c.u(-0.4, 0.4) * wide, -size)
        for x, color in ((-wide, c.lit(tone, 0.6)), (wide, c.dim(tone, 0.2))):
            face = [(x * 0.7, 0.1), (x, -size * 0.8), tip, (ridge, -size * 0.72), (ridge, 0.1)]
            c.body(place(np.array(face), (turn * 0.3, 0.62), 1, turn), c.lit(color, 0.3), color)
    _land(c, 0.66, 0.06, c.dim(c.pal.far, 0.7), 3)
    c.sparks(30, 0.008)


def moth(c: Canvas) -> None:
    """A moth with banded wings and eyespots."""
    _studio(c)
    base = mix(c.pal.far, c.pal.accent, c.u(0.2, 1))
    tones = [c.dim(base, 0.4), base, c.lit(base, 0.3), c.dim(c.pal.low, 0.2), c.lit(base, 0.55)]
    for nodes in (HIND_WING, FORE_WING):
        wing = smooth(nodes + c.rng.normal(0, 0.05, nodes.shape), closed=True)
        hub, order = wing.mean(axis=0), c.rng.permutation(4)
        veins = [ribbon(np.array([hub * 0.1, tip]), 0.012, 0.004) for tip in wing[8:-8:5] * 0.95]
        eye = hub + c.rng.normal(0.05, 0.06, 2)
        for s in (-1, 1):
            for k, size in enumerate((1, c.u(0.82, 0.92), c.u(0.6, 0.76), c.u(0.35, 0.5))):
                c.body(place(wing - hub, hub, size) * (s, 1), tones[order[k]], volume=0.25)
            c.flat([vein * (s, 1) for vein in veins], tones[0], 0.5)
            for size, tone in ((0.14, c.pal.near), (0.12, tones[order[3]]), (0.06, c.pal.near)):
                c.body(star(eye * (s, 1), size), c.lit(tone, 0.2), tone)
            c.flat(star(eye * (s, 1) - 0.03, 0.025), c.pal.glow)
    feeler = ribbon(smooth(outline("2,-28 14,-50 32,-64 46,-62")), 0.03, 0.008)
    c.body([feeler, feeler * (-1, 1)], tones[4])
    for k in range(9):
        c.body(star((0, -0.24 + k * 0.09), 0.085 - k * 0.005, squeeze=0.8), tones[k % 2 + 1])


def ship(c: Canvas) -> None:
    """A tall ship under full sail."""
    _sea(c, 0.36, _sky(c, 0.35))
    flip, at = (c.rng.choice((-1, 1)), 1), (c.u(-0.25, 0.25), c.u(0.4, 0.56))
    wood = c.dim(mix(c.pal.far, c.pal.accent, 0.3), 0.5)
    size, masts = c.u(0.7, 1.05), c.n(2, 4)
    for x in np.linspace(-0.5, 0.46, masts):
        tall = c.u(0.8, 1.15)
        c.flat(place(place(MAST * (1, tall), (x, 0)) * flip, at, size), wood)
        for k in range(c.n(3, 4)):
            yard = (x, tall * (0.29 * (2 - k) - 1) + 0.04)
            sail = place(SAIL * (0.9 / masts - k * 0.055, tall * 0.26), yard)
            cloth = mix(c.pal.glow, c.pal.accent, c.rng.choice((0, 0, 0.8)))
            c.body(place(sail * flip, at, size), cloth, mix(cloth, c.pal.far, 0.35), volume=0.25)
    c.body(place(HULL * flip, at, size), c.lit(wood, 0.25), c.pal.near)
    for x in np.linspace(-0.6, 0.55, 9):
        c.glow(at + np.array([x * flip[0], 0.06]) * size, 0.02, c.pal.glow, 0.9)
    for k in range(3):
        _land(c, 0.62 + k * 0.13, 0.03, c.dim(mix(c.pal.low, c.pal.far, 0.7), 0.25 + k * 0.25))


def bloom(c: Canvas) -> None:
    """A great flower among leaves, ring upon ring of petals."""
    _studio(c)
    middle, petal = (c.u(-0.2, 0.2), c.u(-0.15, 0.05)), PETAL * (c.u(0.7, 1.3), 1)
    for turn in np.linspace(0, TURN, c.n(6, 10))[1:] + c.u(0, 1):
        c.body(place(petal, middle, c.u(0.95, 1.15), turn), mix(c.pal.far, c.pal.near, 0.2))
        c.flat(place(PETAL * (0.15, 0.9), middle, 1, turn), c.pal.low, 0.7)
    rings, count = c.n(3, 6), c.n(7, 15)
    inner = mix(c.pal.glow, c.pal.accent, c.u(0, 0.6))
    outer = mix(c.pal.accent, c.pal.low, c.u(0, 0.5))
    for ring in range(rings):
        size, tone = 0.84 * (1 - ring / rings) ** 0.8 + 0.08, mix(outer, inner, ring / rings)
        for turn in (np.arange(count) + ring / 2) * TURN / count:
            c.body(place(petal, middle, size * c.u(0.92, 1.05), turn), c.lit(tone, 0.35), tone)
            c.flat(place(petal * (0.3, 0.8), middle, size, turn), c.dim(tone, 0.3), 0.5)
    seeds = [star(around(middle, k * 2.4, 0.018 * k**0.5), 0.013, 12) for k in range(40)]
    c.body(seeds, c.pal.glow, c.pal.accent)


def castle(c: Canvas) -> None:
    """A castle on a hill, its windows lit."""
    _sky(c, 0.4)
    _land(c, 0.2, 0.14, mix(c.pal.low, c.pal.far, 0.45), 12)
    wall, roof = c.dim(c.pal.far, 0.25), c.dim(c.pal.accent, c.u(0, 0.35))
    for x in c.rng.permutation(np.linspace(-0.62, 0.62, c.n(5, 8))) + c.u(-0.15, 0.15):
        wide, top = c.u(0.06, 0.12), c.u(-0.45, 0.15) + 0.35 * x * x
        stem = [(wide, 0.6), (wide, top + 0.03), (wide * 1.25, top), (wide * 1.25, top - 0.08)]
        c.body(place(mirror(np.array(stem)), (x, 0)), c.lit(wall, 0.3), wall)
        spire = np.array([(0, -c.u(0.2, 0.42)), (wide * 1.6, 0.0)])
        c.body(place(mirror(spire), (x, top - 0.07)), c.lit(roof, 0.35), roof)
        for y in np.arange(top + 0.08, 0.45, c.u(0.12, 0.2)):
            window = np.array([x + wide * c.u(-0.45, 0.45), y])
            c.glow(window, 0.025, c.pal.glow, 0.6)
            c.flat(place(WINDOW, window), c.pal.glow)
    for k in range(2):
        _land(c, 0.46 + k * 0.26, 0.07, c.dim(c.pal.far, 0.4 + k * 0.4), 8 + 4 * k)


def lanterns(c: Canvas) -> None:
    """Paper lanterns rising from a night lake."""
    light = _sky(c, 0.14)
    c.px *= np.float32(0.6)
    _land(c, 0.2, 0.12, c.dim(c.pal.far, 0.4), 12)
    _sea(c, 0.4, light)
    warm = c.lit(c.pal.accent, 0.35)
    for size in np.sort(c.rng.gamma(2.2, 0.05, c.n(12, 22)) + 0.04).clip(0, 0.27):
        at = np.array([c.u(-1.1, 1.1), c.u(-0.9, 0.35 - size)])
        c.glow(at, size * 1.3, warm, 0.35)
        c.glow((at[0], 0.8 - at[1] * 0.6), size * 0.8, warm, 0.25)
        c.body(place(LANTERN, at, size), c.dim(c.pal.accent, 0.15), c.lit(warm, 0.6))
        c.glow((at[0], at[1] + size * 0.35), size * 0.35, c.pal.glow)
        ribs = [place(LANTERN[:51] * (x, 1), at, size) for x in (-0.5, -0.1, 0.3, 0.7)]
        c.flat([ribbon(rib, 0.005) for rib in ribs], c.dim(warm, 0.4), 0.6)
        c.flat([place(LID * (1, s), at, size) for s in (-1, 1)], c.pal.near)


def gears(c: Canvas) -> None:
    """A clockwork of many wheels."""
    _studio(c)
    metals = [c.lit(c.pal.accent, 0.2), mix(c.pal.low, c.pal.far, 0.4), c.dim(c.pal.accent, 0.3)]
    for k in range(c.n(13, 18)):
        radius, at, turn = c.u(0.14, 0.4), (c.u(-1.1, 1.1), c.u(-0.9, 0.9)), c.u(0, 6)
        teeth = np.tile([1, 1, 1.22, 1.22], int(radius * 50))[:, None]
        cogs = place(star((0, 0), 1, len(teeth)) * teeth, at, radius, turn)
        c.flat(place(cogs, (0.03, 0.05)), c.pal.near, 0.5)
        c.body(cogs, c.lit(metals[k % 3], 0.3))
        c.flat(star(at, radius * 0.84), c.dim(metals[k % 3], 0.5))
        c.body(star(at, radius * 0.78), metals[k % 3])
        for angle in np.linspace(turn, turn + TURN, c.n(4, 8))[1:]:
            c.body(star(around(at, angle, radius * 0.5), radius * 0.17), c.pal.near, c.pal.far)
        c.body(star(at, radius * 0.2), c.pal.glow)


SCENES: dict[str, Callable[[Canvas], None]] = {
    scene.__name__: scene for scene in (crystals, moth, ship, bloom, castle, lanterns, gears)
}
