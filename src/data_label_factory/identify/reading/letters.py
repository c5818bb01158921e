"""Whose print is it: a small region of a frame against the same region
of several references, letter shapes and all.

A reader has to name letters; to choose among known prints their shapes
are enough, down to four pixels a letter. Each reference's region is
brought to the frame's resolution, shifted, and blurred as the frame is;
the shift and blur are those under which the mean of all references fits
best, so they favor none. The rest is noise: by least squares, each
reference has a log-likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Box, Quad
from data_label_factory.identify.reading.cutting import cut_reference, cut_region

Floats = NDArray[np.float32]

# Blurs that webcams have: sigma in px, and of a movement
# the length in px and the direction in degrees.
_SIGMAS = (0.0, 0.6, 0.9, 1.2, 1.5)
_MOVED_PX, _MOVED_SIGMAS, _MOVED_DEGREES = (3, 5, 7), (0.3, 0.9), range(0, 180, 30)
_KERNEL_PX = 9

_SHIFT = 0.012  # of the item's height in the frame, which its pose may be off
_LEAST_SHIFT_PX = 3
_FINE = (-0.5, -0.25, 0.0, 0.25, 0.5)  # px
_LOCAL_PX = 15  # window whose mean is taken out, with light and glare
_MIN_SIDE_PX = 6

# Neighboring pixels of a compressed frame are no independent
# witnesses: so many count as one.
# With `bench/printings.py`.
_PIXELS_A_WITNESS = 4.0


@dataclass(frozen=True, eq=False)
class LetterFit:
    """`log_likelihoods` (N,) of the references; `fit` is the part of the
    region's contrast that the best of them explains, 1 at best.
    """

    log_likelihoods: NDArray[np.float64]
    fit: float


def fit_letters(frame: RGB, quad: Quad, region: Box, references: Sequence[RGB]) -> LetterFit | None:
    """Compare what `frame` (H, W, 3) shows in `region` of the item at
    `quad` (4, 2) px with N reference pictures.

    `region` is left, top, right, bottom in fractions of the item. None
    where the frame shows it in too few pixels.
    """
    width, height = _size_of(quad)
    left, top, right, bottom = region
    size = round((right - left) * width), round((bottom - top) * height)
    if min(size) < _MIN_SIDE_PX:
        return None

    reach = max(_LEAST_SHIFT_PX, round(_SHIFT * height))
    margin_x, margin_y = reach * (right - left) / size[0], reach * (bottom - top) / size[1]
    wider = left - margin_x, top - margin_y, right + margin_x, bottom + margin_y
    wide = size[0] + 2 * reach, size[1] + 2 * reach

    seen = _flatten_light(_gray(cut_region(frame, quad, region, size)))
    known = [_gray(cut_reference(picture, wider, wide)) for picture in references]
    kernel, shift = _find_blur(seen, np.mean(known, axis=0, dtype=np.float32))
    blurred = [_convolve(one, kernel) for one in known]
    return _weigh(seen, blurred, shift)


def _size_of(quad: Quad) -> tuple[float, float]:
    """The mean width and height of a quad in px."""
    sides = [float(np.linalg.norm(quad[(i + 1) % 4] - quad[i])) for i in range(4)]
    return (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2


def _find_blur(seen: Floats, mean: Floats) -> tuple[Floats, tuple[int, int]]:
    """The kernel, and the shift (x, y) in whole px, under which the mean
    reference correlates best with what is seen.
    """
    best, found = -np.inf, (_KERNELS[0], (0, 0))
    for kernel in _KERNELS:
        match = cv2.matchTemplate(
            _flatten_light(_convolve(mean, kernel)), seen, cv2.TM_CCOEFF_NORMED
        )
        _, value, _, (x, y) = cv2.minMaxLoc(match)
        if value > best:
            best, found = value, (kernel, (int(x), int(y)))
    return found


def _weigh(seen: Floats, known: Sequence[Floats], shift: tuple[int, int]) -> LetterFit:
    """Least squares with the light as the one unknown, at the fine shift
    that suits the best reference.
    """
    height, width = seen.shape
    errors = np.full(len(known), np.inf)
    for x, y in product(_FINE, _FINE):
        move = np.array([[1, 0, -shift[0] - x], [0, 1, -shift[1] - y]], np.float32)
        here = []
        for one in known:
            moved = cv2.warpAffine(one, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
            flat = _flatten_light(np.asarray(moved, np.float32))
            gain = float((flat * seen).sum()) / max(float((flat * flat).sum()), 1e-3)
            here.append(float(((seen - gain * flat) ** 2).sum()))
        if min(here) < errors.min():
            errors = np.array(here)

    noise = max(float(errors.min()) / seen.size, 1e-3)
    contrast = max(float((seen * seen).sum()), 1e-3)
    return LetterFit(-errors / (2 * noise * _PIXELS_A_WITNESS), 1 - float(errors.min()) / contrast)


def _gray(picture: RGB) -> Floats:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)


def _flatten_light(gray: Floats) -> Floats:
    return np.asarray(gray - cv2.blur(gray, (_LOCAL_PX, _LOCAL_PX)), np.float32)


def _convolve(gray: Floats, kernel: Floats) -> Floats:
    return np.asarray(cv2.filter2D(gray, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def _make_kernel(sigma: float, length: int = 0, degrees: float = 0.0) -> Floats:
    """A Gaussian, moved along a line; (n, n), with the sum 1."""
    kernel = np.zeros((_KERNEL_PX, _KERNEL_PX), np.float32)
    middle = _KERNEL_PX // 2
    reach = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]) * max(
        length - 1, 0
    )
    for along in np.linspace(-0.5, 0.5, 4 * _KERNEL_PX) if length else [0.0]:
        point = middle + reach * along
        column, row = np.floor(point).astype(int)
        right, below = point - (column, row)
        kernel[row, column] += (1 - right) * (1 - below)
        if right or below:
            kernel[row, column + 1] += right * (1 - below)
            kernel[row + 1, column] += (1 - right) * below
            kernel[row + 1, column + 1] += right * below
    if sigma:
        kernel = np.asarray(cv2.GaussianBlur(kernel, (0, 0), sigma), np.float32)
    return np.asarray(kernel / kernel.sum(), np.float32)


_KERNELS = [
    *(_make_kernel(sigma) for sigma in _SIGMAS),
    *(_make_kernel(*shape) for shape in product(_MOVED_SIGMAS, _MOVED_PX, _MOVED_DEGREES)),
]
