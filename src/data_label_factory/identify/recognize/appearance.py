"""Does the straightened crop look like the reference, where that
differs from others of its kind?

Crop and reference are compared in cells. Each cell that agrees or
not is evidence: a log-likelihood ratio against "another item of
this kind". Where others of the index agree as well, on a shared
template, a cell tells nothing. So near-duplicates are decided by
what differs, and an unknown item that shares the template is not
taken for a known one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize.features import Floats, Mask

FrameMask = NDArray[np.uint8]  # (H, W) of a crop: 255 inside the frame, 0 outside

THUMB_PX = 144  # longer side at which crop and reference are compared
_MIN_THUMB_PX = 24
# Along the longer side; glare and fingers cost only the cells they cover.
_CELLS = 10
MOST_CELLS = _CELLS**2
_SHIFT_PX = 2  # that a cell may lie off
_MIDDLE_GRAY = 128
_SOFTENING_PX = 1.1  # sigma of the blur before cells are compared

# The likelihood of a cell.
_AGREES = 0.6  # correlation from which a cell agrees
# How often the true one does: with contrast, and under glare.
_VISIBLE, _HIDDEN = 0.7, 0.25
_MIN_CHANCE = 1e-3  # keeps the logarithm finite

# The contrast of a cell, in gray levels.
_FLAT = 3.0  # a flatter cell of the reference cannot be compared
_HIDDEN_CONTRAST = 2.5  # a flatter cell of the crop is hidden …
# … as is one with less of the contrast that the crop has elsewhere.
_HIDDEN_FRACTION = 0.4
_FULL_CONTRAST = 20  # from which a cell counts in full

_INSIDE = 178  # of 255: of a cell, for it to count as inside the frame
_NEAR_DUPLICATE_FRACTION = 0.85  # of cells that agree between two near-duplicates

# Which of two near-duplicates: local brightness and contrast are taken out first.
_DETAIL_PX = 1.5  # sigma below which differences are noise
_LOCAL_PX = 10  # sigma of what counts as local
_MIN_VARIANCE = 9
# Gray levels, summed over RGB, by which equal pictures may differ, and the part of the
# pixels that may differ by more: thumbnails are compressed (docs/scale.md).
_SAME, _SAME_PART = 40, 0.002
# Local standard deviations, beyond which a pixel counts no more.
_MAX_DEVIATION = 2
_WELL_INSIDE = 230  # of 255: around a pixel, for local contrast
_LEAST_DIFFERENCE = 0.1  # of what sets two apart; less inside the frame is noise


@dataclass(frozen=True, eq=False)
class Cells:
    """A crop against a reference, cell by cell, (rows, columns):
    correlation, and contrasts.
    """

    correlation: Floats
    reference_contrast: Floats  # gray levels
    crop_contrast: Floats

    @property
    def comparable(self) -> Mask:
        """Cells of the reference that are not flat: (rows, columns)."""
        return np.asarray(self.reference_contrast > _FLAT, bool)

    @property
    def agrees(self) -> Mask:
        """Cells whose correlation is that of one picture: (rows, columns)."""
        return np.asarray(self.correlation > _AGREES, bool)

    @property
    def visible(self) -> Mask:
        """Cells that show about the contrast that the rest of the
        crop leads one to expect.
        """
        use = self.comparable
        gain = 1.0
        if use.any():
            gain = float(np.median(self.crop_contrast[use] / self.reference_contrast[use]))

        expected = _HIDDEN_FRACTION * min(gain, 1.0) * self.reference_contrast
        shown = self.crop_contrast > np.maximum(_HIDDEN_CONTRAST, expected)
        return np.asarray(use & shown, bool)

    @property
    def are_near_duplicates(self) -> bool:
        """Whether two references agree in nearly all that can be compared."""
        use = self.comparable
        return bool(use.any() and self.agrees[use].mean() > _NEAR_DUPLICATE_FRACTION)

    def within(self, mask: FrameMask) -> Cells:
        """Without what lies outside the frame, which tells nothing."""
        rows, columns = self.reference_contrast.shape
        inside = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA) > _INSIDE
        contrast = np.asarray(np.where(inside, self.reference_contrast, 0), np.float32)
        return replace(self, reference_contrast=contrast)


@dataclass(frozen=True)
class Evidence:
    """The log-likelihood ratio that the crop shows the reference,
    as a `whole`.

    `whole_correlation` is the mean correlation of its distinctive
    cells, 1 at best.
    """

    whole: float
    whole_correlation: float


def make_thumbnail(picture: RGB) -> RGB:
    """(H, W, 3) → the size at which crops are compared with it,
    the longer side THUMB_PX.
    """
    height, width = picture.shape[:2]
    factor = THUMB_PX / max(height, width)
    size = max(_MIN_THUMB_PX, round(width * factor)), max(_MIN_THUMB_PX, round(height * factor))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def compare(crop: RGB, reference: RGB, shift_px: int = _SHIFT_PX) -> Cells:
    """Two pictures of one size, (H, W, 3): each cell's best
    correlation, shifted by `shift_px`.
    """
    seen, known = _soften(crop), _soften(reference)
    rows, columns = (max(2, round(side / THUMB_PX * _CELLS)) for side in known.shape)
    mean = _average_cells(known, rows, columns)
    variance = np.maximum(_average_cells(known * known, rows, columns) - mean**2, 0)

    # Every shift at once: (shifts down, shifts right, rows, columns).
    border = (shift_px,) * 4
    padded = np.asarray(cv2.copyMakeBorder(seen, *border, cv2.BORDER_REPLICATE), np.float32)
    moved_mean = _average_moved_cells(padded, known.shape, rows, columns)
    moved_squares = _average_moved_cells(padded * padded, known.shape, rows, columns)
    moved_variance = moved_squares - moved_mean**2
    products = sliding_window_view(padded, known.shape) * known
    covariance = _average_cells(products, rows, columns) - moved_mean * mean
    norm = np.sqrt(np.maximum(moved_variance, 1) * np.maximum(variance, 1))
    crop_variance = np.maximum(moved_variance[shift_px, shift_px], 0)

    return Cells(
        correlation=np.maximum((covariance / norm).max(axis=(0, 1)), -1),
        reference_contrast=np.sqrt(variance),
        crop_contrast=np.sqrt(crop_variance),
    )


def weigh_evidence(cells: Cells, chance: Floats) -> Evidence:
    """`chance` (rows, columns) is how often another item of the
    kind agrees in each cell.
    """
    likely = np.maximum(np.where(cells.visible, _VISIBLE, _HIDDEN), chance)
    if_agrees = np.log(likely / chance)
    if_not = np.log((1 - likely + _MIN_CHANCE) / (1 - chance + _MIN_CHANCE))
    ratio = np.where(cells.agrees, if_agrees, if_not)
    ratio = np.where(cells.comparable, ratio, 0.0)

    contrast = np.minimum(cells.reference_contrast, _FULL_CONTRAST)
    weight = (1 - chance) * contrast * cells.comparable
    correlation = float((weight * cells.correlation).sum()) / max(float(weight.sum()), 1e-6)
    return Evidence(whole=float(ratio.sum()), whole_correlation=correlation)


def prefer_first(crop: RGB, a: RGB, b: RGB, mask: FrameMask | None = None) -> float:
    """Which of two near-duplicates of one size the crop shows,
    judged where they differ.

    Above 0 for `a`, below for `b`; near 0 when the difference
    lies outside the frame, where `mask` (H, W) is 0. Local
    brightness and contrast are taken out first, so that light
    decides nothing.
    """
    seen, first, second = (_blur(picture, _DETAIL_PX) for picture in (crop, a, b))
    differs = np.abs(first - second).sum(axis=2) > _SAME
    if differs.mean() < _SAME_PART:
        return 0.0

    spread = _local_spread(np.asarray((first + second) / 2, np.float32))
    own = (seen - _blur(seen, _LOCAL_PX)) / _local_spread(seen)
    like_a = (first - _blur(first, _LOCAL_PX)) / spread
    like_b = (second - _blur(second, _LOCAL_PX)) / spread

    weight = np.abs(like_a - like_b) * differs[..., None]
    far_from_a = np.minimum(np.abs(own - like_a), _MAX_DEVIATION)
    far_from_b = np.minimum(np.abs(own - like_b), _MAX_DEVIATION)
    difference = float((weight * weight).sum())
    if mask is not None:  # without the rim, whose surroundings are partly outside
        weight[cv2.GaussianBlur(mask, (0, 0), _LOCAL_PX) < _WELL_INSIDE] = 0
        difference = max(float((weight * weight).sum()), _LEAST_DIFFERENCE * difference)
    return float((weight * (far_from_b - far_from_a)).sum() / max(difference, 1e-6))


def resize_like(picture: RGB, other: RGB) -> RGB:
    """`picture` at the size of `other`."""
    height, width = other.shape[:2]
    return np.asarray(cv2.resize(picture, (width, height)), np.uint8)


def _soften(picture: RGB) -> Floats:
    """Gray and blurred a little, around 0, where float32 is finest."""
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    return _blur(gray, _SOFTENING_PX) - np.float32(_MIDDLE_GRAY)


def _blur(picture: NDArray[np.uint8] | Floats, sigma_px: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), np.float32)


def _average_cells(values: Floats, rows: int, columns: int) -> Floats:
    """Means over rows × columns cells of pictures (…, H, W): (…,
    rows, columns).
    """
    height, width = values.shape[-2:]
    bands = _cell_weights(height, rows) @ values
    return np.asarray(bands @ _cell_weights(width, columns).T, np.float32)


def _average_moved_cells(padded: Floats, shape: tuple[int, int], rows: int, columns: int) -> Floats:
    """The means of all windows of `shape` in a padded picture:
    (shifts down, shifts right, rows, columns).
    """
    down = _moved_weights(shape[0], rows, len(padded) - shape[0] + 1)
    right = _moved_weights(shape[1], columns, padded.shape[1] - shape[1] + 1)
    means = (down @ padded @ right.T).reshape(-1, rows, right.shape[0] // columns, columns)
    return np.asarray(means.transpose(0, 2, 1, 3), np.float32)


@lru_cache(maxsize=256)
def _moved_weights(length: int, cells: int, shifts: int) -> Floats:
    """(shifts × cells, length + shifts - 1): `_cell_weights`,
    each time one px further.
    """
    weights = np.zeros((shifts, cells, length + shifts - 1), np.float32)
    for shift in range(shifts):
        weights[shift, :, shift : shift + length] = _cell_weights(length, cells)
    return weights.reshape(shifts * cells, -1)


@lru_cache(maxsize=256)
def _cell_weights(length: int, cells: int) -> Floats:
    """(cells, length): what each px counts for the mean of each
    cell along one side.
    """
    weights = np.zeros((cells, length), np.float32)
    for cell, (start, end) in enumerate(pairwise(np.arange(cells + 1) * length // cells)):
        weights[cell, start:end] = 1 / (end - start)
    return weights


def _local_spread(picture: Floats) -> Floats:
    """The standard deviation around each pixel."""
    mean = _blur(picture, _LOCAL_PX)
    variance = _blur(picture * picture, _LOCAL_PX) - mean * mean
    return np.asarray(np.sqrt(np.maximum(variance, _MIN_VARIANCE)), np.float32)
