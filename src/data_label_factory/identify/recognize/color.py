"""Does a crop have the reference's colors, apart from what light and
camera do to all of them?

Appearance is compared in gray (`appearance`), which light changes
least. But two pictures can be one drawing in other colors, and then
color is all that tells them apart.
"""

from __future__ import annotations

import cv2
import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize.appearance import Cells
from data_label_factory.identify.recognize.features import Floats

# Gray levels added before the logarithm: in the dark, noise has colors too.
_BLACK = 16.0
_BURNT = 250.0  # gray levels from which a channel is clipped
_LITTLE = 0.05  # squared chroma below which a sum of deviations is noise
# Mean deviation of the reference's chroma from which color can tell much.
_COLORFUL = 0.15
_EXPECTED = 0.8  # correlation of the true item, at the median of real photographs
_MIN_CELLS = 6


def measure_color_deficit(crop: RGB, reference: RGB, cells: Cells) -> float:
    """How far the colors of two pictures of one size, (H, W, 3), fall
    short of agreement.

    0.2 at best, about 0 as expected of the true item, down to -1.8 for
    opposite colors; 0 for a reference of one color, which cannot tell.

    It is the correlation of log-chroma over the visible cells. A
    colored lamp or a white balance shifts all cells alike and drops
    out; haze and faded colors scale them alike and drop out too.
    """
    rows, columns = cells.correlation.shape
    crop_colors = _average_cells(crop, rows, columns)
    reference_colors = _average_cells(reference, rows, columns)
    use = cells.visible & (crop_colors.max(axis=2) < _BURNT)
    if use.sum() < _MIN_CELLS:
        return 0.0

    ours, theirs = _chroma(crop_colors[use]), _chroma(reference_colors[use])
    deviation = np.linalg.norm(theirs - np.median(theirs, axis=0), axis=1)
    colorfulness = min(float(deviation.mean()) / _COLORFUL, 1.0)

    ours = ours - ours.mean(axis=0)
    theirs = theirs - theirs.mean(axis=0)
    norm = np.sqrt(((ours**2).sum() + _LITTLE) * ((theirs**2).sum() + _LITTLE))
    correlation = float((ours * theirs).sum() / norm)
    return (correlation - _EXPECTED) * colorfulness


def _average_cells(picture: RGB, rows: int, columns: int) -> Floats:
    small = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _chroma(colors: Floats) -> Floats:
    """(N, 3) RGB → (N, 2): log-ratios of red to green and of yellow to blue."""
    red, green, blue = np.log(colors + _BLACK).T
    return np.stack([red - green, (red + green) / 2 - blue], axis=1)
