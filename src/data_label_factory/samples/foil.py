"""What makes a rare printing look rare: sheens, holo patterns, relief, starry borders.

Every finish is laid over a drawn layer as light: an RGB array in 0..1 of shape (height,
width, 3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from data_label_factory.samples.palette import Array, Color, rgb

Pattern = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Finish:
    """How one rarity is printed: color of frame and name, foil on the art and on the
    border.
    """

    gem: Color
    frame: Color | None = None
    stamp: Color | None = None
    art: Pattern | None = None
    border: Pattern | None = None
    relief: bool = False
    extended: bool = False


def spectrum(phase: Array) -> Array:
    """Rainbow light, one turn per unit of `phase`; adds a trailing axis of three colors."""
    shift = np.array([0.0, 0.33, 0.67], dtype=np.float32)
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (phase[..., None] - shift))
    return np.asarray(wave, dtype=np.float32)


def sheen(x: Array, y: Array) -> Array:
    """Two broad diagonal reflections."""
    t = x + y * 0.45
    wide = np.exp(-(((t - 0.42) / 0.09) ** 2))
    narrow = np.exp(-(((t - 0.66) / 0.035) ** 2))
    light = wide + 0.6 * narrow
    return np.asarray((light * 0.5)[..., None] * np.ones(3), dtype=np.float32)


def stripes(x: Array, y: Array) -> Array:
    """Fine diagonal lines in drifting rainbow colors."""
    lines = np.clip(np.sin((x + y) * 190) * 1.4, 0, 1)
    strength = 0.16 + 0.34 * lines
    light = spectrum(x * 1.3 - y * 0.8) * strength[..., None]
    return np.asarray(light, dtype=np.float32)


def prism(x: Array, y: Array) -> Array:
    """A cross-hatched holo grid with sparkling cells."""
    grid = np.maximum(np.sin((x + y) * 120), np.sin((x - y) * 120)) > 0.86
    cells = np.sin(np.floor((x + y) * 19) * 12.99 + np.floor((x - y) * 19) * 78.2) * 43758.5
    glint = (cells - np.floor(cells)) ** 4
    strength = 0.12 + 0.4 * grid + 0.45 * glint
    return np.asarray(spectrum(x + y * 0.7) * strength[..., None], dtype=np.float32)


def rosette(x: Array, y: Array) -> Array:
    """Engraved circles around a point below the middle, in pastel light."""
    far = np.hypot(x - 0.5, y - 0.62)
    pastel = 0.35 + 0.65 * spectrum(far * 1.6)
    strength = 0.08 + 0.36 * (np.sin(far * 210) > 0.3)
    return np.asarray(pastel * strength[..., None], dtype=np.float32)


def waves(x: Array, y: Array) -> Array:
    """Silver ripples."""
    t = np.sin(y * 95 + np.sin(x * 13) * 2.2)
    strength = 0.06 + 0.26 * np.clip(t, 0, 1) ** 3
    return np.asarray(strength[..., None] * np.ones(3), dtype=np.float32)


def stars(x: Array, y: Array) -> Array:
    """Four-pointed stars on a lattice, each with a brightness drawn from its place."""
    u, v = x * 22, y * 22
    column, row = np.floor(u), np.floor(v)
    dice = np.sin(column * 127.1 + row * 311.7) * 43758.5
    dice = dice - np.floor(dice)

    px, py = np.abs(u - column - 0.5), np.abs(v - row - 0.5)
    star = np.clip(1 - (px**0.5 + py**0.5) * 1.5, 0, 1) * (dice > 0.35)
    strength = star * (0.6 + 2.4 * dice)
    return np.asarray(strength[..., None] * np.array([1, 0.95, 0.75]), dtype=np.float32)


GOLD = rgb("#ffd66b")
SILVER = rgb("#eef3f8")
BRONZE = rgb("#e0a070")

FINISHES: dict[str, Finish] = {
    "": Finish(gem=rgb("#3a3a40")),
    "SR": Finish(gem=SILVER, art=sheen, stamp=SILVER),
    "UR": Finish(gem=GOLD, art=sheen, stamp=GOLD, border=sheen),
    "ScR": Finish(gem=rgb("#9ff0e0"), art=stripes, stamp=SILVER),
    "PScR": Finish(gem=rgb("#d9b3ff"), art=prism, border=prism, stamp=SILVER),
    "UtR": Finish(gem=BRONZE, frame=rgb("#6b4630"), relief=True, art=sheen, stamp=BRONZE),
    "CR": Finish(gem=rgb("#ffb3c8"), art=rosette, border=rosette, stamp=GOLD),
    "EA": Finish(gem=rgb("#8fd0ff"), extended=True),
    "GMR": Finish(gem=GOLD, frame=rgb("#b98a2c"), border=stars, art=sheen, stamp=rgb("#fff3c4")),
    "OP": Finish(gem=SILVER, frame=rgb("#3d434d"), border=waves, art=waves, stamp=SILVER),
}


def shine(layer: Image.Image, pattern: Pattern) -> Image.Image:
    """Lay a pattern over a picture as reflected light; bright places catch more of it."""
    base = np.asarray(layer.convert("RGB"), dtype=np.float32) / 255
    rows, cols = np.mgrid[0 : layer.height, 0 : layer.width].astype(np.float32)
    # One unit is the picture's width on both axes, so that patterns keep their
    # proportions.
    light = pattern(cols / layer.width, rows / layer.width)
    catch = 0.45 + 0.55 * base.mean(axis=2, keepdims=True)
    out = base + (1 - base) * np.clip(light * catch, 0, 1)
    return Image.fromarray((np.clip(out, 0, 1) * 255).astype(np.uint8))


def emboss(layer: Image.Image) -> Image.Image:
    """Raise a picture's edges as if pressed into metal."""
    soft = layer.convert("L").filter(ImageFilter.GaussianBlur(2))
    gray = np.asarray(soft, dtype=np.float32) / 255
    relief = np.roll(gray, (3, 3), (0, 1)) - gray
    base = np.asarray(layer, dtype=np.float32) / 255
    out = base * 0.9 - relief[..., None] * 1.9
    return Image.fromarray((np.clip(out, 0, 1) * 255).astype(np.uint8))
