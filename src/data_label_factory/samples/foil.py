"""What makes a rare printing look rare: patterns of light laid over the art and the border."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from data_label_factory.samples.palette import Array, Color, rgb

# From x and y, (H, W) in card widths, to light, (H, W, 3) in 0..1.
Pattern = Callable[[Array, Array], Array]


def _rainbow(phase: Array, strength: Array) -> Array:
    """Light of all colors, one turn per unit of `phase`."""
    wave = np.cos(2 * np.pi * (phase[..., None] - np.array([0, 0.33, 0.67], dtype=np.float32)))
    return np.asarray((0.5 + 0.5 * wave) * strength[..., None])


def _sheen(x: Array, y: Array) -> Array:
    t = x + y * 0.45
    light = 0.5 * np.exp(-(((t - 0.42) / 0.09) ** 2)) + 0.3 * np.exp(-(((t - 0.66) / 0.035) ** 2))
    return np.asarray(light[..., None] * np.ones(3, dtype=np.float32))


def _stripes(x: Array, y: Array) -> Array:
    return _rainbow(x * 1.3 - y * 0.8, 0.16 + 0.34 * np.clip(np.sin((x + y) * 190) * 1.4, 0, 1))


def _prism(x: Array, y: Array) -> Array:
    grid = np.maximum(np.sin((x + y) * 120), np.sin((x - y) * 120)) > 0.86
    cells = np.sin(np.floor((x + y) * 19) * 12.99 + np.floor((x - y) * 19) * 78.2) * 43758.5
    return _rainbow(x + y * 0.7, 0.12 + 0.4 * grid + 0.45 * (cells % 1) ** 4)


def _rosette(x: Array, y: Array) -> Array:
    far = np.hypot(x - 0.5, y - 0.62)
    return _rainbow(far * 1.6, 0.12 + 0.4 * (np.sin(far * 210) > 0.3))


class Finish(NamedTuple):
    """How a rarity is printed: colors of gem, name and frame, foil on art and border."""

    gem: Color
    stamp: Color = rgb("fffaf0")
    frame: Color | None = None
    art: Pattern | None = None
    border: Pattern | None = None


_GOLD, _SILVER, _BRONZE = rgb("ffd66b"), rgb("eef3f8"), rgb("e0a070")
FINISHES: dict[str, Finish] = {
    "": Finish(rgb("3a3a40")),
    "SR": Finish(_SILVER, _SILVER, art=_sheen),
    "UR": Finish(_GOLD, _GOLD, art=_sheen, border=_sheen),
    "ScR": Finish(rgb("9ff0e0"), _SILVER, art=_stripes),
    "PScR": Finish(rgb("d9b3ff"), _SILVER, art=_prism, border=_prism),
    "UtR": Finish(_BRONZE, _BRONZE, rgb("6b4630"), art=_sheen, border=_stripes),
    "CR": Finish(rgb("ffb3c8"), _GOLD, art=_rosette, border=_rosette),
    "EA": Finish(rgb("8fd0ff"), _SILVER, rgb("23262e"), border=_prism),
    "GMR": Finish(_GOLD, rgb("fff3c4"), rgb("b98a2c"), art=_sheen, border=_rosette),
    "OP": Finish(_SILVER, _SILVER, rgb("3d434d"), art=_rosette, border=_sheen),
}


def shine(layer: Image.Image, pattern: Pattern | None) -> Image.Image:
    """Lay a pattern over a picture as reflected light; bright places catch more of it."""
    if pattern is None:
        return layer
    base = np.asarray(layer, dtype=np.float32) / 255
    y, x = np.mgrid[0 : layer.height, 0 : layer.width].astype(np.float32) / np.float32(layer.width)
    light = pattern(x, y) * (0.45 + 0.55 * base.mean(axis=2, keepdims=True))
    return Image.fromarray(((base + (1 - base) * np.clip(light, 0, 1)) * 255).astype(np.uint8))
