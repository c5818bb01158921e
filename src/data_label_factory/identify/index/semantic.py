"""A second embedding of each reference, one byte a dimension: what
kind of thing it shows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.encoders import Embeddings, unit_rows

Packed = NDArray[np.int8]  # (N, D), each row scaled to -127 … 127

_LARGEST = 127


def pack(rows: Embeddings) -> Packed:
    """(N, D) float32 → int8. The length of a row is lost: only
    directions are compared.
    """
    most = np.abs(rows).max(axis=1, keepdims=True)
    return np.asarray(np.rint(rows * (_LARGEST / np.maximum(most, 1e-12))), np.int8)


def unpack(packed: Packed) -> Embeddings:
    """(N, D) int8 → float32 unit rows."""
    return unit_rows(packed)
