"""Reference pictures and their thumbnails: only what the index names, and nothing outside its folder."""

from __future__ import annotations

import hashlib
import io
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from PIL import Image

from data_label_factory.identify.images import decode

WIDTHS_PX = (
    60,
    120,
    240,
    480,
    960,
)  # a thumbnail has the next of these, so that asking for all sizes fills no memory
_QUALITY = 85
_CACHE_BYTES = 32 * 2**20
MEDIA_TYPES = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".bmp": "image/bmp",
    ".gif": "image/gif", ".tif": "image/tiff", ".tiff": "image/tiff", ".avif": "image/avif", ".heic": "image/heic",
    ".heif": "image/heif",
}  # fmt: skip


def wanted(path: str, raw_path: bytes, known: Mapping[str, int]) -> str | None:
    """The reference that a request names: its path decoded or, sent by a client that quotes nothing, as it is."""
    raw = raw_path.decode("utf-8", "replace")
    for name in (path, unquote(raw), raw):
        if name in known:
            return name
    return None


def version(path: Path) -> str:
    """A strong ETag for the file as it is now: its time, size and place on disk. Raises OSError."""
    info = path.stat()
    return hashlib.sha256(f"{info.st_mtime_ns} {info.st_size} {info.st_ino}".encode()).hexdigest()[
        :24
    ]


class Thumbnails:
    """JPEG thumbnails, kept in memory, the least used forgotten first. Safe to use from several threads."""

    def __init__(self, most_bytes: int = _CACHE_BYTES) -> None:
        self._most, self._held = most_bytes, 0
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path, tag: str, width: int) -> bytes:
        """`path` at most `width_for(width)` px wide. Raises ImageError as decode."""
        width = width_for(width)
        with self._lock:
            if (known := self._kept.get((tag, width))) is not None:
                self._kept.move_to_end((tag, width))
                return known
        image = Image.fromarray(decode(path, min_side=2 * width))
        image.thumbnail((width, 4 * width), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=_QUALITY)
        return self._keep((tag, width), file.getvalue())

    def _keep(self, key: tuple[str, int], data: bytes) -> bytes:
        with self._lock:
            if key not in self._kept:
                self._held += len(data)
            self._kept[key] = data
            while self._held > self._most and len(self._kept) > 1:
                self._held -= len(self._kept.popitem(last=False)[1])
        return data


def width_for(width: int) -> int:
    """The thumbnail width, px, that a wish for `width` gets: the next larger one, or the largest."""
    return WIDTHS_PX[min(bisect_left(WIDTHS_PX, width), len(WIDTHS_PX) - 1)]
