"""Where features lie, in a few bytes: places in 1/65,535 of the
picture's sides, sizes in 1/16 octave, angles in 1/256 turn, counts in
1/12 octave.

The steps are far finer than what a camera shows: at most 0.01 px of a
reference, 2 % of a size, 0.7 degrees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.recognize.features import Floats

_PLACES = 65_535
_SIZES = 16  # steps an octave, from 1/4 px on
_SMALLEST = -2.0  # log2
_ANGLES = 256
_COUNTS = 12  # steps an octave


def pack_places(xy: Floats, shape: tuple[int, int]) -> NDArray[np.uint16]:
    """(N, 2) px of a picture of `shape` (height, width)."""
    sides = np.array(shape[::-1], np.float32)
    return np.asarray(np.rint((xy + 0.5) / sides * _PLACES).clip(0, _PLACES), np.uint16)


def unpack_places(packed: NDArray[np.uint16], shape: Floats) -> Floats:
    """(N, 2) px of pictures of the `shape` (N, 2)."""
    return np.asarray(packed * (shape[:, ::-1] / _PLACES) - 0.5, np.float32)


def pack_size(size: Floats) -> NDArray[np.uint8]:
    """(N,) px."""
    steps = (np.log2(np.maximum(size, 1e-3)) - _SMALLEST) * _SIZES
    return np.asarray(np.rint(steps).clip(0, 255), np.uint8)


def unpack_size(packed: NDArray[np.uint8]) -> Floats:
    """(N,) px."""
    return np.exp2(packed.astype(np.float32) / _SIZES + _SMALLEST)


def pack_angle(angle: Floats) -> NDArray[np.uint8]:
    """(N,) radians."""
    return np.asarray(np.rint(angle / (2 * np.pi) * _ANGLES) % _ANGLES, np.uint8)


def unpack_angle(packed: NDArray[np.uint8]) -> Floats:
    """(N,) radians."""
    return packed.astype(np.float32) * np.float32(2 * np.pi / _ANGLES)


def pack_shared(counts: NDArray[Any]) -> NDArray[np.uint8]:
    """(N,) counts, up to two million."""
    return np.asarray(np.rint(np.log2(1.0 + counts) * _COUNTS).clip(0, 255), np.uint8)


def unpack_shared(packed: NDArray[np.uint8]) -> Floats:
    """(N,), about."""
    return np.exp2(packed.astype(np.float32) / _COUNTS) - 1
