"""How every stage reads pictures: the formats, the limits, the file, and Pillow kept quiet."""

from __future__ import annotations

import os
import stat
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data_label_factory.errors import ImageError, ImageTooLargeError

if TYPE_CHECKING:
    from PIL import Image

# No others: Pillow also knows formats that run interpreters, or that no camera writes.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})


@dataclass(frozen=True)
class Limits:
    """What a picture may cost.

    A small file can claim a huge canvas, or repeat its scans to
    waste time.
    """

    max_bytes: int = 64 * 2**20
    max_pixels: int = 64_000_000  # decoded
    max_scans: int = 64


DEFAULT_LIMITS = Limits()


def read_file(path: Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Return the bytes of a regular file.

    Raises ImageError if the file is missing, unreadable or not a
    regular file, and ImageTooLargeError if it has more than
    `limits.max_bytes`.
    """
    try:
        # An opener, so that the descriptor is closed even if it is a folder's.
        with open(path, "rb", opener=_open_nonblocking) as file:
            _check_file(os.fstat(file.fileno()), limits)
            return file.read()
    except FileNotFoundError as exc:
        what = "A symlink to nothing" if path.is_symlink() else "There is no such file"
        raise ImageError(what, "Check its name and folder") from exc
    except OSError as exc:
        raise ImageError(
            f"Cannot be read: {exc.strerror}",
            "Check its permissions and the disk",
        ) from exc


def halvings(image: Image.Image, limits: Limits = DEFAULT_LIMITS) -> int:
    """How often the sides of an opened picture have to be halved to
    be within `limits.max_pixels`: 0, or 1 for the large JPEGs of
    phones.

    A JPEG decoder can halve on the way, at a quarter of the cost; but a
    progressive one holds all coefficients first. Raises
    ImageTooLargeError where that does not help.
    """
    width, height = image.size
    if width * height <= limits.max_pixels:
        return 0

    is_baseline = image.format in ("JPEG", "MPO") and not image.info.get("progressive")
    if is_baseline and width * height <= 4 * limits.max_pixels:
        return 1
    raise too_large(
        f"The picture is {width} × {height}, over {limits.max_pixels / 1e6:.0f} megapixels"
    )


def too_large(message: str) -> ImageTooLargeError:
    """Return the error for a picture over a limit, with the usual hint."""
    return ImageTooLargeError(message, "Save a smaller copy; 2,000 pixels per side are plenty")


def _check_file(info: os.stat_result, limits: Limits) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise ImageError("Not a regular file", "Replace it with a picture")
    if info.st_size > limits.max_bytes:
        size = info.st_size / 2**20
        limit = limits.max_bytes / 2**20
        raise too_large(f"The file has {size:.0f} MiB, over {limit:.0f} MiB")


def _open_nonblocking(path: str, flags: int) -> int:
    """Open without blocking: a named pipe would wait for a writer that never comes."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class Quiet:
    """Keep Pillow's warnings (large canvas, odd metadata) silent while
    any thread decodes.

    It counts its users, because `warnings.catch_warnings` does not
    support threads that leave in another order than they entered.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._filters.__exit__(None, None, None)


QUIET = Quiet()
