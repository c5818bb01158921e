"""A picture → its local features: SIFT keypoints with RootSIFT descriptors.

SIFT: Lowe, IJCV 2004. RootSIFT: Arandjelović & Zisserman, CVPR 2012: the square root of the L1-normalised histogram,
so that Euclidean distance becomes the Hellinger distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

DESCRIPTOR_SCALE = (
    512.0  # RootSIFT entries, mostly under 0.5, are stored as round(512 · v) in a byte
)


@dataclass(frozen=True)
class Features:
    """N keypoints, in the picture's own px. `shape` is its (height, width)."""

    xy: Floats  # (N, 2)
    size: Floats  # (N,) diameter
    angle: Floats  # (N,) radians
    descriptors: NDArray[np.uint8]  # (N, 128)
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.xy)


@dataclass(frozen=True)
class Extractor:
    """SIFT at a settled scale: the picture is enlarged by `zoom`, but to no more than `max_side` px.

    References are small and clean, frames large and soft, so each has its own settings.
    """

    most: int
    contrast: float
    zoom: float = 1.0
    min_side: int = 64
    max_side: int = 1024

    def __call__(self, image: RGB) -> Features:
        """(H, W, 3) uint8 RGB → at most `most` features; none for a blank picture."""
        height, width = image.shape[:2]
        longest = max(height, width)
        factor = min(max(self.zoom, self.min_side / longest), self.max_side / longest)
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        size = (max(8, round(width * factor)), max(8, round(height * factor)))
        if size != (width, height):
            gray = cv2.resize(
                gray, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
            )
        keypoints, histograms = cv2.SIFT.create(self.most, 3, self.contrast).detectAndCompute(
            gray, None
        )
        if histograms is None or not len(keypoints):
            none = np.zeros(0, np.float32)
            return Features(
                none.reshape(0, 2), none, none, np.zeros((0, 128), np.uint8), (height, width)
            )
        table = np.array([(*k.pt, k.size, k.angle) for k in keypoints[: self.most]], np.float32)
        back = np.array([width / size[0], height / size[1]], np.float32)
        return Features(
            xy=(table[:, :2] + 0.5) * back - 0.5,
            size=table[:, 2] * np.float32(np.sqrt(back.prod())),
            angle=np.deg2rad(table[:, 3]),
            descriptors=_root(np.asarray(histograms[: self.most], np.float32)),
            shape=(height, width),
        )


FRAME = Extractor(most=2000, contrast=0.02)


def reference_extractor(most: int) -> Extractor:
    """The settings for reference pictures, with at most so many features each."""
    return Extractor(most=most, contrast=0.03, zoom=1.5, max_side=480)


def distances(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Floats:
    """(M,) RootSIFT distances, 0 … √2, of (M, 128) descriptors, row by row."""
    rows = np.empty(len(a), np.float32)
    for start in range(0, len(a), 16384):  # in blocks that stay in the cache
        part = slice(start, start + 16384)
        gap = (a[part].astype(np.int16) - b[part].astype(np.int16)).astype(np.float32)
        rows[part] = np.einsum("ij,ij->i", gap, gap)
    return np.asarray(np.sqrt(rows) / np.float32(DESCRIPTOR_SCALE), np.float32)


def _root(histograms: Floats) -> NDArray[np.uint8]:
    shares = histograms / np.maximum(histograms.sum(axis=1, keepdims=True), 1e-6)
    return np.asarray(np.minimum(np.rint(np.sqrt(shares) * DESCRIPTOR_SCALE), 255), np.uint8)
