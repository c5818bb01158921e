"""A large photo → its local features, as many as its area can hold.

SIFT holds some two hundred bytes for each pixel, so a large photo is
cut into tiles. These overlap, and each feature is taken from the
tile in whose own part it lies: no item is cut by a seam, and no
feature comes twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Box
from data_label_factory.identify.recognize.features import Extractor, Features, Floats, join

# Each of 1024 x 1024 px takes SIFT some 250 MB.
_TILE_PX = 960
_OVERLAP_PX = 32
_PER_TILE = 4000  # half as many name as much, a quarter 3 % less

# Around features that a coarser look has found and not explained. Both
# are set by hand.
_LEAST_POINTS = 5  # in a tile
_RIM_PX = 24


def dense_features(frame: RGB, factor: float, around: Floats | None = None) -> Features:
    """The features of a (H, W, 3) frame at the scale `factor`; with
    `around` (N, 2) px, only those near some of these points.
    """
    shape = frame.shape[0], frame.shape[1]
    side = max(1, round(factor * max(shape)))
    extract = Extractor(
        most=_PER_TILE,
        contrast=0.02,
        zoom=factor,
        min_side=1,
        max_side=side,
        spread=True,
        described=2 * _PER_TILE,
    )
    found = [
        _take_own(extract.within(frame, _grow(tile, _OVERLAP_PX / factor)), tile)
        for tile in _narrow(_cut(shape, _TILE_PX / factor), around)
    ]
    return join(found, shape)


def _cut(shape: tuple[int, int], side: float) -> Iterator[Box]:
    """Tiles of one size, at most `side` px, row by row."""
    height, width = shape
    rows, columns = (max(1, int(np.ceil(length / side))) for length in shape)
    for row in range(rows):
        for column in range(columns):
            left, right = (width * at / columns for at in (column, column + 1))
            top, bottom = (height * at / rows for at in (row, row + 1))
            yield left, top, right, bottom


def _grow(box: Box, by: float) -> Box:
    left, top, right, bottom = box
    return left - by, top - by, right + by, bottom + by


def _take_own(features: Features, tile: Box) -> Features:
    left, top, right, bottom = tile
    x, y = features.xy.T
    return features.taken((x >= left) & (x < right) & (y >= top) & (y < bottom))


def _narrow(tiles: Iterable[Box], around: Floats | None) -> Iterator[Box]:
    """Of each tile the part that holds points, if more than chance
    would leave there.
    """
    for tile in tiles:
        if around is None:
            yield tile
            continue

        left, top, right, bottom = tile
        x, y = around.T
        own = around[(x >= left) & (x < right) & (y >= top) & (y < bottom)]
        if len(own) >= _LEAST_POINTS:
            low, high = own.min(axis=0).tolist(), own.max(axis=0).tolist()
            yield (
                max(left, low[0] - _RIM_PX),
                max(top, low[1] - _RIM_PX),
                min(right, high[0] + _RIM_PX),
                min(bottom, high[1] + _RIM_PX),
            )
