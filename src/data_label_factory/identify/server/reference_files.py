"""Requests for reference pictures → a file that the index names, its ETag, and its thumbnail."""

from __future__ import annotations

import hashlib
import io
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

from PIL import Image

from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index

# The only widths there are, so that a client that asks for every width cannot fill the
# memory.
WIDTHS_PX = (60, 120, 240, 480, 960)
_SUFFIXES = {
    "image/jpeg": ".jpg .jpeg .jpe .jfif .jfi .jif .pjpeg .pjp .mpo",
    "image/png": ".png .apng",
    "image/webp": ".webp",
    "image/bmp": ".bmp .dib",
    "image/gif": ".gif",
    "image/tiff": ".tif .tiff",
    "image/avif": ".avif .avifs",
    "image/heic": ".heic .heics .hif",
    "image/heif": ".heif .heifs",
}
MEDIA_TYPES = {
    suffix: media_type for media_type, some in _SUFFIXES.items() for suffix in some.split()
}
_JPEG_QUALITY = 85
_CACHE_BYTES = 32 * 2**20


def resolve_reference(path: str, raw_path: bytes, index: Index) -> str | None:
    """The reference that a request names, None if the index has no
    such one.

    `path` is decoded, `raw_path` is as sent: some clients do not
    quote names.
    """
    raw = raw_path.decode("utf-8", "replace")
    for name in (path, unquote(raw), raw):
        if name in index.row_of:
            return name
    return index.find(path)


def compute_version(path: Path) -> str:
    """A strong ETag for a file, from its modification time, size
    and inode.

    Raises OSError.
    """
    info = path.stat()
    text = f"{info.st_mtime_ns} {info.st_size} {info.st_ino}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def newest_first(refs: Path, references: Iterable[str]) -> list[tuple[str, float]]:
    """References and the time (s since 1970) at which their file
    was last changed, latest first, without those that are gone.
    """
    changed: list[tuple[str, float]] = []
    for reference in references:
        with suppress(OSError, ValueError):
            changed.append((reference, (refs / reference).stat().st_mtime))
    return sorted(changed, key=lambda pair: (-pair[1], pair[0]))


def thumbnail_width(width: int) -> int:
    """The next of WIDTHS_PX that is at least `width`, or else the largest."""
    return WIDTHS_PX[min(bisect_left(WIDTHS_PX, width), len(WIDTHS_PX) - 1)]


class Thumbnails:
    """JPEG thumbnails in a least-recently-used cache. Thread-safe."""

    def __init__(self, max_bytes: int = _CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._held_bytes = 0
        self._cached: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path, version: str, width: int) -> bytes:
        """`path` as a JPEG at most `thumbnail_width(width)` px wide.
        Raises ImageError.

        `version` tells one content of the file from the next, see
        `compute_version`.
        """
        width = thumbnail_width(width)
        key = (version, width)
        with self._lock:
            cached = self._cached.get(key)
            if cached is not None:
                self._cached.move_to_end(key)
                return cached

        data = _draw_thumbnail(path, width)
        self._keep(key, data)
        return data

    def _keep(self, key: tuple[str, int], data: bytes) -> None:
        with self._lock:
            if key not in self._cached:
                self._held_bytes += len(data)
            self._cached[key] = data

            while self._held_bytes > self._max_bytes and len(self._cached) > 1:
                _, oldest = self._cached.popitem(last=False)
                self._held_bytes -= len(oldest)


def _draw_thumbnail(path: Path, width: int) -> bytes:
    image = Image.fromarray(decode(path, min_side=2 * width))
    image.thumbnail((width, 4 * width), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_JPEG_QUALITY)
    return file.getvalue()
