"""The highest of many cosines, ties in row order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def top_k(cosines: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The `k` highest of cosines (Q, N) float32: (Q, k) float32,
    highest first, and their columns (Q, k) int64. Equal ones come
    in order.
    """
    n = cosines.shape[1]
    if 0 < k < n:
        rows = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        chosen = np.take_along_axis(cosines, rows, axis=1)
        last = chosen.min(axis=1, keepdims=True)

        # Of equal cosines at the cut a partition keeps any: sort
        # those few queries in full.
        torn = np.count_nonzero(cosines == last, axis=1) > np.count_nonzero(chosen == last, axis=1)
        rows[torn] = np.argsort(-cosines[torn], axis=1, kind="stable")[:, :k]
        rows = np.sort(rows, axis=1)
    else:
        rows = np.tile(np.arange(k), (len(cosines), 1))

    scores = np.take_along_axis(cosines, rows, axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1)
