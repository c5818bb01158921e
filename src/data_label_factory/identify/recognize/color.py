"""Does a crop have the reference's colours, apart from what light and camera do to all of them?

Looks are compared in grey (`appearance`), which light changes least; but two pictures can be one drawing in other
colours, and then colour is all that tells them apart.
"""

from __future__ import annotations

import cv2
import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize.appearance import Cells
from data_label_factory.identify.recognize.features import Floats

_BLACK = 16.0  # grey levels added before the logarithm: in the dark, noise has colours too
_BURNT = 250.0
_LITTLE = 0.05  # squared chroma below which a sum of deviations is noise
_COLORFUL = 0.15  # mean deviation of the reference's chroma from which colour can tell much
_EXPECTED = 0.8  # correlation of the true item, at the median of real photographs
_MIN_CELLS = 6


def measure_color_deficit(crop: RGB, reference: RGB, cells: Cells) -> float:
    """How far the colours of two pictures of one size, (H, W, 3), fall short of agreement: 0.2 at best, about 0 as
    expected of the true item, to -1.8 for opposite colours; 0 for a reference of one colour, which cannot tell.

    The correlation of log-chroma over the visible cells: a coloured lamp or a white balance shifts all cells alike
    and drops out, haze and faded colours scale them alike and drop out too.
    """
    rows, columns = cells.correlation.shape
    seen, known = (_cell_colors(picture, rows, columns) for picture in (crop, reference))
    use = cells.visible & (seen.max(axis=2) < _BURNT)
    if use.sum() < _MIN_CELLS:
        return 0.0
    ours, theirs = _chroma(seen[use]), _chroma(known[use])
    spread = float(np.linalg.norm(theirs - np.median(theirs, axis=0), axis=1).mean())
    ours, theirs = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
    norm = np.sqrt(((ours**2).sum() + _LITTLE) * ((theirs**2).sum() + _LITTLE))
    return (float((ours * theirs).sum() / norm) - _EXPECTED) * min(spread / _COLORFUL, 1.0)


def _cell_colors(picture: RGB, rows: int, columns: int) -> Floats:
    return np.asarray(
        cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA), np.float32
    )


def _chroma(colors: Floats) -> Floats:
    """(N, 3) RGB → (N, 2): log-ratios of red to green and of yellow to blue."""
    red, green, blue = np.log(colors + _BLACK).T
    return np.stack([red - green, (red + green) / 2 - blue], axis=1)
