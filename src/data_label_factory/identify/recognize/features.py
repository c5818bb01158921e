"""A picture → its local features: SIFT keypoints with RootSIFT
descriptors.

SIFT: Lowe, IJCV 2004. RootSIFT: Arandjelović & Zisserman, CVPR
2012: the square root of the L1-normalized histogram, so that the
Euclidean distance becomes the Hellinger distance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Box

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# RootSIFT entries, mostly under 0.5, are stored as round(512 · v) in a byte.
DESCRIPTOR_SCALE = 512.0
_OCTAVE_LAYERS = 3  # as Lowe has it
_LEAST_PX = 8  # of a side, that SIFT is given
_GRID = 6  # cells along the longer side
_BLOCK = 2048  # descriptors compared at a time: they stay in the cache


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


def join(parts: Sequence[Features], shape: tuple[int, int]) -> Features:
    """The features of parts of one picture of `shape`, as one."""
    parts = [_no_features(shape), *parts]
    return Features(
        np.concatenate([part.xy for part in parts]),
        np.concatenate([part.size for part in parts]),
        np.concatenate([part.angle for part in parts]),
        np.concatenate([part.descriptors for part in parts]),
        shape,
    )


@dataclass(frozen=True)
class Extractor:
    """SIFT at a settled scale: the picture is enlarged by `zoom`,
    but to no less than `min_side` and no more than `max_side` px.

    References are small and clean, frames large and soft, so each
    has its own settings. With `spread`, the features kept are the
    strongest of each part of the picture (`choose_spread`)
    instead of the strongest of all, out of the `described`
    strongest, or of all for 0.
    """

    most: int
    contrast: float
    zoom: float = 1.0
    min_side: int = 64
    max_side: int = 1024
    spread: bool = False
    described: int = 0

    def __call__(self, image: RGB) -> Features:
        """(H, W, 3) uint8 RGB → at most `most` features; none for
        a blank picture.
        """
        height, width = image.shape[:2]
        return self.within(image, (0, 0, width, height))

    def within(self, image: RGB, box: Box) -> Features:
        """The features inside a box (left, top, right, bottom)
        px, in the px and at the scale of the whole (H, W, 3)
        image; at most `most`.
        """
        shape = image.shape[0], image.shape[1]
        left, top, right, bottom = _clip(box, shape)
        part = image[top:bottom, left:right]
        if not part.size:
            return _no_features(shape)

        gray = _resize(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), self.factor(shape))
        keypoints, histograms = self._find(gray)
        if histograms is None or not len(keypoints):
            return _no_features(shape)
        table = _tabulate(keypoints)

        # Back to the picture's own px, from center to center.
        back = np.array([part.shape[1] / gray.shape[1], part.shape[0] / gray.shape[0]], np.float32)
        return Features(
            xy=(table[:, :2] + 0.5) * back - 0.5 + np.array([left, top], np.float32),
            size=table[:, 2] * np.float32(np.sqrt(back.prod())),
            angle=np.deg2rad(table[:, 3]),
            descriptors=_take_root(np.asarray(histograms, np.float32)),
            shape=shape,
        )

    def _find(self, gray: NDArray[np.uint8]) -> tuple[Sequence[cv2.KeyPoint], Any]:
        """At most `most` keypoints, and their histograms."""
        if not self.spread:
            detector = cv2.SIFT.create(self.most, _OCTAVE_LAYERS, self.contrast)
            keypoints, histograms = detector.detectAndCompute(gray, None)
            return keypoints[: self.most], None if histograms is None else histograms[: self.most]

        # Only those that are chosen are described: that takes as long as finding them all.
        detector = cv2.SIFT.create(self.described, _OCTAVE_LAYERS, self.contrast)
        found = detector.detect(gray, None)
        if not found:
            return found, None
        table = _tabulate(found)
        # By area: large ones are all that is left of an item seen from afar.
        strength = table[:, 2] ** 2 * table[:, 4]
        kept = choose_spread(table[:, :2], strength, gray.shape, self.most)
        return detector.compute(gray, [found[row] for row in kept])

    def factor(self, shape: tuple[int, int]) -> float:
        """The scale at which a picture of that (height, width) is searched."""
        longest = max(shape)
        return min(max(self.zoom, self.min_side / longest), self.max_side / longest)


FINE = Extractor(most=2000, contrast=0.02)
# Of frames of 640 px, 384, and of larger ones 512: about a third of the work.
COARSE = replace(FINE, most=1200, zoom=0.6, min_side=320, max_side=512)


def reference_extractor(most: int) -> Extractor:
    """The settings for reference pictures, with at most `most`
    features each.
    """
    return Extractor(most=most, contrast=0.03, zoom=1.5, max_side=480, spread=True)


def choose_spread(xy: Floats, strength: Floats, shape: tuple[int, int], most: int) -> Ints:
    """The rows of at most `most` of N points (N, 2) px, spread
    over a picture of `shape` (height, width).

    The cells of a grid take turns, each with the strongest (N,)
    that it has left, in the last turn only the strongest cells.
    So no corner of an item goes without, where glare or a finger
    may leave just that one. Measured (docs/benchmarks.md): 300
    such features name as much as 1,000 of the strongest.
    """
    side = max(shape) / _GRID
    column, row = np.floor(xy / side).astype(np.int64).T
    cell = row * (_GRID + 1) + column

    order = np.lexsort((-strength, cell))
    first = np.searchsorted(cell[order], cell[order])
    turn = np.arange(len(order)) - first
    return np.asarray(order[np.lexsort((-strength[order], turn))[:most]], np.int64)


def distances(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> Floats:
    """(M,) RootSIFT distances, 0 … √2, of (M, 128) descriptors, row by row."""
    squares = np.empty(len(a), np.float32)
    for start in range(0, len(a), _BLOCK):
        block = slice(start, start + _BLOCK)
        gap = cv2.absdiff(a[block], b[block]).astype(np.float32)
        squares[block] = np.einsum("ij,ij->i", gap, gap)
    return np.asarray(np.sqrt(squares) / np.float32(DESCRIPTOR_SCALE), np.float32)


def _tabulate(keypoints: Sequence[cv2.KeyPoint]) -> Floats:
    """(N, 5): x, y, diameter, angle in degrees, response."""
    return np.array([(*k.pt, k.size, k.angle, k.response) for k in keypoints], np.float32)


def _no_features(shape: tuple[int, int]) -> Features:
    none = np.zeros(0, np.float32)
    return Features(none.reshape(0, 2), none, none, np.zeros((0, 128), np.uint8), shape)


def _clip(box: Box, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box in whole px, as far as it is inside a picture of
    that (height, width).
    """
    left, top = (max(0, math.floor(low)) for low in box[:2])
    right, bottom = min(shape[1], math.ceil(box[2])), min(shape[0], math.ceil(box[3]))
    return left, top, max(left, right), max(top, bottom)


def _resize(gray: NDArray[Any], factor: float) -> NDArray[np.uint8]:
    height, width = gray.shape
    size = max(_LEAST_PX, round(width * factor)), max(_LEAST_PX, round(height * factor))
    if size == (width, height):
        return np.asarray(gray, np.uint8)

    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(gray, size, interpolation=interpolation), np.uint8)


def _take_root(histograms: Floats) -> NDArray[np.uint8]:
    fractions = histograms / np.maximum(histograms.sum(axis=1, keepdims=True), 1e-6)
    return np.asarray(np.minimum(np.rint(np.sqrt(fractions) * DESCRIPTOR_SCALE), 255), np.uint8)
