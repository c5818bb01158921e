"""Does the straightened crop look like the reference, where the reference differs from its kind?

Crop and reference are compared in cells. Each cell that agrees or does not is evidence, a
log-likelihood ratio against "another item of this kind": where others of the index agree as
well, on the shared template, a cell says nothing. So near-twins are decided by what differs,
and a stranger that shares the frame is not taken for a known item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize.features import Floats, Ints

FrameMask = NDArray[
    np.uint8
]  # (H, W) of a crop: 255 where it is of the frame, 0 where it lies outside

THUMB_PX = 144  # longer side at which crop and reference are compared
_CELLS = 10  # along the longer side; glare and fingers cost only the cells they cover
_SHIFT_PX = 2  # a cell may lie off by so much
_AGREES = 0.6  # correlation from which a cell agrees
_BY_CHANCE = 0.12  # how often an unrelated cell does
_SEEN, _UNSEEN = (
    0.7,
    0.25,
)  # how often the true one does: where the crop has contrast, and where glare or a finger is
_INSIDE, _WELL_INSIDE = (
    178,
    230,
)  # of 255: of a cell, for it to count; and around a pixel, for local contrast
_FLAT = 3.0  # grey levels; a flatter cell of the reference cannot be compared
_LEAST_DIFFERENCE = 0.1  # of what sets two twins apart; less inside the frame is noise
_NEAR_DUPLICATE_FRACTION = 0.85  # of cells that agree between two references which are near-twins
_PRIOR_WEIGHT = 4
_MIN_PART = 0.3  # of a side, that an occluder must leave


@dataclass(frozen=True)
class Cells:
    """A crop against a reference, cell by cell, (rows, columns): correlation, and both
    contrasts in grey levels.
    """

    correlation: Floats
    reference_contrast: Floats
    crop_contrast: Floats

    @property
    def comparable(self) -> NDArray[np.bool_]:
        return np.asarray(self.reference_contrast > _FLAT, bool)

    @property
    def agrees(self) -> NDArray[np.bool_]:
        return np.asarray(self.correlation > _AGREES, bool)

    @property
    def visible(self) -> NDArray[np.bool_]:
        """Cells with at least 0.4 of the contrast that the rest of the crop leads one to expect."""
        use = self.comparable
        gain = (
            float(np.median(self.crop_contrast[use] / self.reference_contrast[use]))
            if use.any()
            else 1.0
        )
        expected = 0.4 * min(gain, 1.0) * self.reference_contrast
        return np.asarray(use & (self.crop_contrast > np.maximum(2.5, expected)), bool)

    def within(self, mask: FrameMask) -> Cells:
        """Without what lies outside the frame, which says nothing."""
        rows, columns = self.reference_contrast.shape
        whole = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA) > _INSIDE
        return replace(
            self,
            reference_contrast=np.asarray(np.where(whole, self.reference_contrast, 0), np.float32),
        )

    @property
    def are_near_duplicates(self) -> bool:
        """Whether two references agree in so much of what can be compared that they are
        near-twins.
        """
        use = self.comparable
        return bool(use.any() and self.agrees[use].mean() > _NEAR_DUPLICATE_FRACTION)


@dataclass(frozen=True)
class Evidence:
    """Log-likelihood ratios that the crop shows the reference: of the `whole`, with the mean
    correlation of its distinctive cells, 1 at best; and of the best `part` that a straight
    occluder leaves, less the log of the parts tried.
    """

    whole: float
    whole_correlation: float
    part: float

    @property
    def score(self) -> float:
        """What hypotheses for one place are compared by."""
        return max(self.whole, self.part - 6)


def thumbnail(picture: RGB) -> RGB:
    """(H, W, 3) → the size at which crops are compared with it, the longer side THUMB_PX."""
    height, width = picture.shape[:2]
    factor = THUMB_PX / max(height, width)
    size = (max(24, round(width * factor)), max(24, round(height * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def compare(crop: RGB, reference: RGB, shift_px: int = _SHIFT_PX) -> Cells:
    """Two pictures of one size, (H, W, 3): each cell's best correlation over displacements up
    to `shift_px`.
    """
    seen, known = _soft_gray(crop), _soft_gray(reference)
    rows, columns = (max(2, round(side / THUMB_PX * _CELLS)) for side in known.shape)
    mean, area = _cell_means(known, rows, columns)
    variance = np.maximum(_cell_means(known * known, rows, columns)[0] - mean**2, 0)
    best = np.full(area.shape, -1.0)
    crop_variance = np.zeros(area.shape)
    height, width = known.shape
    padded = cv2.copyMakeBorder(seen, shift_px, shift_px, shift_px, shift_px, cv2.BORDER_REPLICATE)
    for down in range(2 * shift_px + 1):
        for right in range(2 * shift_px + 1):
            moved = np.ascontiguousarray(
                padded[down : down + height, right : right + width], np.float32
            )
            moved_mean = _cell_means(moved, rows, columns)[0]
            moved_variance = _cell_means(moved * moved, rows, columns)[0] - moved_mean**2
            covariance = _cell_means(moved * known, rows, columns)[0] - moved_mean * mean
            best = np.maximum(
                best, covariance / np.sqrt(np.maximum(moved_variance, 1) * np.maximum(variance, 1))
            )
            if down == right == shift_px:
                crop_variance = np.maximum(moved_variance, 0)
    return Cells(
        best.astype(np.float32),
        np.sqrt(variance).astype(np.float32),
        np.sqrt(crop_variance).astype(np.float32),
    )


def learn_background(thumbs: Sequence[RGB], number: int, similar: Ints) -> tuple[Floats, list[int]]:
    """How often the cells of one of the `thumbs` agree with those `similar` to it, (rows,
    columns); and its near-twins, which are left out of that, or else nothing would speak for
    either.
    """
    own = thumbs[number]
    hits = np.zeros_like(compare(own, own, shift_px=0).correlation)
    compared, near_duplicates = 0, []
    for other in similar:
        resized = np.asarray(cv2.resize(thumbs[other], (own.shape[1], own.shape[0])), np.uint8)
        cells = compare(resized, own, shift_px=0)
        if cells.are_near_duplicates:
            near_duplicates.append(int(other))
        else:
            hits, compared = hits + cells.agrees.astype(np.float32), compared + 1
    return np.asarray(
        (hits + _PRIOR_WEIGHT * _BY_CHANCE) / (compared + _PRIOR_WEIGHT), np.float32
    ), near_duplicates


def weigh_evidence(cells: Cells, chance: Floats) -> Evidence:
    """`chance` (rows, columns): how often another item of the kind agrees in each cell."""
    likely = np.maximum(np.where(cells.visible, _SEEN, _UNSEEN), chance)
    ratio = np.where(
        cells.agrees, np.log(likely / chance), np.log((1 - likely + 1e-3) / (1 - chance + 1e-3))
    )
    ratio = np.where(cells.comparable, ratio, 0.0)
    weight = (1 - chance) * np.minimum(cells.reference_contrast, 20) * cells.comparable

    mass = max(float(weight.sum()), 1e-6)
    parts = [float(ratio[part].sum()) for part in _parts(*ratio.shape)]
    return Evidence(
        whole=float(ratio.sum()),
        whole_correlation=float((weight * cells.correlation).sum()) / mass,
        part=max(parts) - float(np.log(len(parts))),
    )


def prefers_first(crop: RGB, a: RGB, b: RGB, mask: FrameMask | None = None) -> float:
    """Which of two near-twins of one size the crop shows, judged where they differ: above 0 for
    `a`, below for `b`; near 0 when that lies outside the frame, where `mask` (H, W) is 0.

    All three are freed of local brightness and contrast first, so that light decides nothing.
    """
    seen, first, second = (
        np.asarray(cv2.GaussianBlur(p, (0, 0), 1.5), np.float32) for p in (crop, a, b)
    )
    if float(np.abs(first - second).sum(axis=2).max()) < 12:
        return 0.0
    mean = np.asarray((first + second) / 2, np.float32)
    spread = _local_spread(mean)
    own = (seen - cv2.GaussianBlur(seen, (0, 0), 10)) / _local_spread(seen)
    like_a = (first - cv2.GaussianBlur(first, (0, 0), 10)) / spread
    like_b = (second - cv2.GaussianBlur(second, (0, 0), 10)) / spread
    weight = np.abs(like_a - like_b)
    gain = np.minimum(np.abs(own - like_b), 2) - np.minimum(np.abs(own - like_a), 2)
    difference = float((weight * weight).sum())
    if mask is not None:  # less the rim, whose surroundings are partly outside
        weight[cv2.GaussianBlur(mask, (0, 0), 10) < _WELL_INSIDE] = 0
        difference = max(float((weight * weight).sum()), _LEAST_DIFFERENCE * difference)
    return float((weight * gain).sum() / max(difference, 1e-6))


def _parts(rows: int, columns: int) -> list[tuple[slice, slice]]:
    """What a straight occluder may leave: above, below, left or right of a cut."""
    everything = slice(None)
    cuts_down = range(max(1, round(_MIN_PART * rows)), rows)
    cuts_across = range(max(1, round(_MIN_PART * columns)), columns)
    parts = [
        (part, everything) for cut in cuts_down for part in (slice(0, cut), slice(rows - cut, rows))
    ]
    parts += [
        (everything, part)
        for cut in cuts_across
        for part in (slice(0, cut), slice(columns - cut, columns))
    ]
    return parts or [(everything, everything)]


def _soft_gray(picture: RGB) -> Floats:
    return np.asarray(
        cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 1.1), np.float32
    )


def _cell_means(
    values: Floats, rows: int, columns: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Means over rows × columns cells of (H, W), and the px of each, by an integral image."""
    height, width = values.shape
    sums = np.asarray(cv2.integral(values), np.float64)
    down, across = np.arange(rows + 1) * height // rows, np.arange(columns + 1) * width // columns
    corners = sums[down][:, across]
    area = np.outer(np.diff(down), np.diff(across))
    return (corners[1:, 1:] - corners[:-1, 1:] - corners[1:, :-1] + corners[:-1, :-1]) / area, area


def _local_spread(picture: Floats) -> Floats:
    mean = cv2.GaussianBlur(picture, (0, 0), 10)
    return np.asarray(
        np.sqrt(np.maximum(cv2.GaussianBlur(picture * picture, (0, 0), 10) - mean * mean, 9)),
        np.float32,
    )
