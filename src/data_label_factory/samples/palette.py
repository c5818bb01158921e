"""Colors of the sample cards: six elements, each with four hand-picked palettes.

A color is a float32 array of shape (3,), red/green/blue in 0..1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Color = npt.NDArray[np.float32]


class Palette(NamedTuple):
    """The colors a card is painted with, from sky to highlight."""

    top: Color
    low: Color
    far: Color
    near: Color
    glow: Color
    accent: Color


def rgb(code: str) -> Color:
    """Turn `rrggbb` into a color. Raises ValueError if it is not hexadecimal."""
    return np.array([*bytes.fromhex(code)], dtype=np.float32) / np.float32(255)


def mix(first: Color, second: Color, amount: float | Array) -> Color:
    """Blend from `first` (amount 0) to `second` (amount 1)."""
    return np.asarray(first + (second - first) * np.asarray(amount, np.float32), dtype=np.float32)


def bytes_of(color: Color) -> tuple[int, int, int]:
    """A color as three whole numbers 0..255, as Pillow takes them."""
    red, green, blue = (round(float(v) * 255) for v in np.clip(color, 0, 1))
    return red, green, blue


# Four palettes an element, two a line, each in the order of `Palette`.
_CODES = {
    "Ember": "2b1036 e8603c 8f3a4a 2a1220 ffd27a ff7a3d|4a1218 f29a4a a63b2c 2e0f12 fff0b0 57c4c4"
    "|141a3a d9534f 5b2d55 1a1024 ffc46b ffe39a|7a2a22 f6c177 b4532f 3d1518 fff4d0 2f8f93",
    "Tide": "06283d 47b5c4 256d85 06202f dff6ff ffb86b|0b1340 5a8ee0 2c4c9a 0a1030 c9e8ff ff8fa3"
    "|04353a 7fe0c2 1f7a78 04242b f1ffd9 ff9e64|2a2f6b f2b5c0 5a6fb5 1b1d4a fff1e0 6fe3e1",
    "Grove": "10302a b5d16a 3f7a4a 0c2219 f7ffb8 ff9e5e|1d3b4a e9d98a 4f8a6b 11302c fffbd1 e85d75"
    "|0a2416 56b870 1f6b3f 07190f d4ff9e ffd35c|463c1e e8c35a 7d8a3a 252a12 fff3b8 d4563f",
    "Gale": "4b83c4 f4ead7 8fb0c9 34506e ffffff ff8c69|3a5a78 cfe3e8 7695a8 22384c ffffff ffcf56"
    "|6a7fb8 ffd9c7 9c8fb5 3a3a66 fff6e8 2fa8a0|22364f 9fb8c9 566f88 17222f e8f6ff b6f09c",
    "Dusk": "170b33 8a4fbf 4a2a80 10081f f3c9ff 6cf0d0|0d0d24 b04a8f 4f2766 0b0716 ffd0e6 ffcb6b"
    "|1b1440 5f6fd0 38398a 0f0d2a cfd8ff ff7bac|240a2a d96a7a 6d2a5c 17061a ffe0c2 8fd0ff",
    "Lumen": "7a5222 fbe3a1 c89443 3e2812 fffbe6 3f74b8|8a5a6a ffe8c4 d09a7a 4a2a35 fffdf0 3f9a84"
    "|36406b ffe08a 9a8560 232544 fff8d8 ff8b61|a97a3a fff4d6 d8b878 5a4020 ffffff a63f6a",
}
PALETTES = {
    element: [Palette(*map(rgb, codes.split())) for codes in text.split("|")]
    for element, text in _CODES.items()
}
