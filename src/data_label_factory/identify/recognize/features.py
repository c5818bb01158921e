"""A picture → its local features: SIFT keypoints with RootSIFT
descriptors.

SIFT: Lowe, IJCV 2004. RootSIFT: Arandjelović & Zisserman, CVPR
2012: the square root of the L1-normalized histogram, so that the
Euclidean distance becomes the Hellinger distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# RootSIFT entries, mostly under 0.5, are stored as round(512 · v) in a byte.
DESCRIPTOR_SCALE = 512.0
_OCTAVE_LAYERS = 3  # as Lowe has it
_BLOCK = 16384  # descriptors compared at a time: they stay in the cache


@dataclass(frozen=True, eq=False)
class Features:
    """N keypoints, in the picture's own px. `shape` is its (height, width)."""

    xy: Floats  # (N, 2)
    size: Floats  # (N,) diameter
    angle: Floats  # (N,) radians
    descriptors: NDArray[np.uint8]  # (N, 128)
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.xy)

    def taken(self, rows: NDArray[Any]) -> Features:
        """Those keypoints alone, by number or by mask."""
        return Features(
            self.xy[rows], self.size[rows], self.angle[rows], self.descriptors[rows], self.shape
        )


@dataclass(frozen=True)
class Extractor:
    """SIFT at a settled scale: the picture is enlarged by `zoom`,
    but to no more than `max_side` px.

    References are small and clean, frames large and soft, so each
    has its own settings.
    """

    most: int
    contrast: float
    zoom: float = 1.0
    min_side: int = 64
    max_side: int = 1024

    def __call__(self, image: RGB) -> Features:
        """(H, W, 3) uint8 RGB → at most `most` features; none for a blank picture."""
        gray = self._resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
        detector = cv2.SIFT.create(self.most, _OCTAVE_LAYERS, self.contrast)
        keypoints, histograms = detector.detectAndCompute(gray, None)

        shape = image.shape[0], image.shape[1]
        if histograms is None or not len(keypoints):
            return _no_features(shape)

        # Back to the picture's own px, from center to center.
        table = np.array([(*k.pt, k.size, k.angle) for k in keypoints[: self.most]], np.float32)
        back = np.array([shape[1] / gray.shape[1], shape[0] / gray.shape[0]], np.float32)
        return Features(
            xy=(table[:, :2] + 0.5) * back - 0.5,
            size=table[:, 2] * np.float32(np.sqrt(back.prod())),
            angle=np.deg2rad(table[:, 3]),
            descriptors=_take_root(np.asarray(histograms[: self.most], np.float32)),
            shape=shape,
        )

    def _resize(self, gray: NDArray[Any]) -> NDArray[np.uint8]:
        height, width = gray.shape
        longest = max(height, width)
        factor = min(max(self.zoom, self.min_side / longest), self.max_side / longest)
        size = max(8, round(width * factor)), max(8, round(height * factor))
        if size == (width, height):
            return np.asarray(gray, np.uint8)

        interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(gray, size, interpolation=interpolation), np.uint8)


FRAME = Extractor(most=2000, contrast=0.02)


def reference_extractor(most: int) -> Extractor:
    """The settings for reference pictures, with at most `most` features each."""
    return Extractor(most=most, contrast=0.03, zoom=1.5, max_side=480)


def distances(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Floats:
    """(M,) RootSIFT distances, 0 … √2, of (M, 128) descriptors, row by row."""
    squares = np.empty(len(a), np.float32)
    for start in range(0, len(a), _BLOCK):
        block = slice(start, start + _BLOCK)
        gap = (a[block].astype(np.int16) - b[block].astype(np.int16)).astype(np.float32)
        squares[block] = np.einsum("ij,ij->i", gap, gap)
    return np.asarray(np.sqrt(squares) / np.float32(DESCRIPTOR_SCALE), np.float32)


def _no_features(shape: tuple[int, int]) -> Features:
    none = np.zeros(0, np.float32)
    return Features(none.reshape(0, 2), none, none, np.zeros((0, 128), np.uint8), shape)


def _take_root(histograms: Floats) -> NDArray[np.uint8]:
    fractions = histograms / np.maximum(histograms.sum(axis=1, keepdims=True), 1e-6)
    return np.asarray(np.minimum(np.rint(np.sqrt(fractions) * DESCRIPTOR_SCALE), 255), np.uint8)
