"""The references' thumbnails, compressed, and decoded as they are looked at."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize.columns import Columns

# Beside one that is not compressed, this names as much (docs/scale.md).
_QUALITY = 50
_HELD = 1024  # decoded, of some 43 KB each


class Thumbnails:
    """The N thumbnails in the columns `thumbs` (bytes) and `thumb_ends` (N,)."""

    def __init__(self, columns: Columns) -> None:
        self._ends = columns["thumb_ends"]
        self._bytes = columns["thumbs"]
        self._decoded = lru_cache(_HELD)(self._decode)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> RGB:
        """The thumbnail (H, W, 3) of a reference; not to be written to."""
        return self._decoded(int(number))

    def compressed(self, number: int) -> NDArray[np.uint8]:
        """The bytes of one."""
        start = int(self._ends[number - 1]) if number else 0
        return np.array(self._bytes[start : int(self._ends[number])])

    def _decode(self, number: int) -> RGB:
        data = self.compressed(number)
        decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        return np.ascontiguousarray(decoded[..., ::-1])


def compress(thumbnail: RGB) -> NDArray[np.uint8]:
    """(H, W, 3) → the bytes of a WebP."""
    options = [cv2.IMWRITE_WEBP_QUALITY, _QUALITY]
    done, data = cv2.imencode(".webp", thumbnail[..., ::-1], options)
    assert done
    return np.asarray(data, np.uint8).ravel()
