"""How pictures are met by every stage: which formats, what one may cost, how a file is read, and Pillow kept quiet."""

from __future__ import annotations

import os
import stat
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

from data_label_factory.errors import ImageError, ImageTooLargeError

# No others: Pillow also knows formats that run interpreters or that nobody photographs in.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})


@dataclass(frozen=True)
class Limits:
    """What a picture may cost. A small file can claim a huge canvas, or repeat its scans to burn time."""

    max_bytes: int = 64 * 2**20
    max_pixels: int = 64_000_000
    max_scans: int = 64


DEFAULT_LIMITS = Limits()


def read_file(path: Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The bytes of a regular file. Raises ImageError for a missing, unreadable or special one, or one too large."""
    try:
        # An opener, so that the descriptor is closed even when it is a folder's.
        with open(path, "rb", opener=_without_waiting) as file:
            info = os.fstat(file.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise ImageError("Not a regular file", "Replace it with a picture")
            if info.st_size > limits.max_bytes:
                raise too_large(
                    f"The file has {info.st_size / 2**20:.0f} MiB, over {limits.max_bytes / 2**20:.0f} MiB"
                )
            return file.read()
    except FileNotFoundError as exc:
        what = "A symlink to nothing" if path.is_symlink() else "The file is gone"
        raise ImageError(what, "Put the picture back") from exc
    except OSError as exc:
        raise ImageError(
            f"Cannot be read: {exc.strerror}", "Check its permissions and the disk"
        ) from exc


def too_large(message: str) -> ImageTooLargeError:
    return ImageTooLargeError(message, "Save a smaller copy; 2,000 pixels a side are plenty")


def _without_waiting(path: str, flags: int) -> int:
    """Non-blocking, or opening a named pipe would wait for a writer that never comes."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class Quiet:
    """Keeps Pillow from printing warnings (a large canvas, odd metadata) while any thread decodes.

    Counted, since `warnings.catch_warnings` is not made for threads that leave in another order than they came.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._before.__exit__(None, None, None)


QUIET = Quiet()
