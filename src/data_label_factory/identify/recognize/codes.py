"""Descriptors in 32 bytes: which word a descriptor is nearest to, and
two bits for each coordinate of what is left.

Descriptors are first turned so that no coordinate holds more than
another: Ailon & Chazelle, STOC 2006. What is left to the word is then
nearly Gaussian in each, and takes the levels that suit a Gaussian best:
Lloyd, 1957; Max, 1960. The bits of the signs alone are the signature of
Hamming embedding: Jégou, Douze & Schmid, ECCV 2008.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.recognize.features import DESCRIPTOR_SCALE, Floats

DIMENSIONS = 128
ZERO = 128  # what a turned coordinate of 0 is stored as

# Of a Gaussian of deviation 1, in two bits: where the outer level begins, and both.
_EDGE, _INNER, _OUTER = 0.9816, 0.4528, 1.510
_LOST = 0.1175  # of the variance

Coordinates = NDArray[np.uint8]  # (N, DIMENSIONS), turned
Bits = NDArray[np.uint8]  # (N, DIMENSIONS / 8)


class Rotation:
    """Turns descriptors less their `mean` (128,)."""

    def __init__(self, mean: Floats) -> None:
        self.mean = mean

    def __call__(self, descriptors: NDArray[np.uint8]) -> Coordinates:
        """(N, 128) uint8 descriptors → uint8 coordinates, with the same
        distances; rounded.
        """
        turned = (descriptors.astype(np.float32) - self.mean) @ _hadamard()
        turned += ZERO
        return np.asarray(np.rint(turned).clip(0, 255), np.uint8)


def encode(left: Floats, spread: Floats) -> tuple[Bits, Bits]:
    """What is left (N, 128) of coordinates to their words, whose
    deviation is `spread` (N,) → the bits of the signs, and those of
    the outer level.
    """
    outer = np.abs(left) > _EDGE * spread[:, None]
    return np.packbits(left > 0, axis=1), np.packbits(outer, axis=1)


def decode(words: Floats, spread: Floats, signs: Bits, outer: Bits) -> Coordinates:
    """The coordinates (N, 128), about, of `encode` and the words (N, 128)."""
    level = _LEVELS[2 * np.unpackbits(signs, axis=1) + np.unpackbits(outer, axis=1)]
    level *= spread[:, None]
    level += words
    return np.asarray(np.rint(level).clip(0, 255), np.uint8)


def excess(spread: Floats) -> Floats:
    """By how much the squared RootSIFT distance to a decoded descriptor
    exceeds that to the one encoded, on average: (N,).
    """
    return _LOST * DIMENSIONS * (spread / np.float32(DESCRIPTOR_SCALE)) ** 2


_LEVELS = np.array([-_INNER, -_OUTER, _INNER, _OUTER], np.float32)


@lru_cache(maxsize=1)
def _hadamard() -> Floats:
    """(128, 128) orthonormal: signs at random, Hadamard's matrix, twice."""
    rng = np.random.default_rng(0)
    matrix = np.ones((1, 1))
    while len(matrix) < DIMENSIONS:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    first, second = rng.integers(0, 2, (2, DIMENSIONS, 1)) * 2 - 1
    turned = (first * matrix) @ (second * matrix)
    return np.asarray(turned / DIMENSIONS, np.float32)
