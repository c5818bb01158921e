"""The picture of an entry: a small JPEG, kept once by its digest."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from data_label_factory.errors import ListError
from data_label_factory.pictures import QUIET

MOST_BYTES = 512 * 2**10  # as sent
MOST_SIDE = 480  # px, as kept: enough to tell a card by, at some 30 KB
_MOST_PIXELS = 16_000_000
_KEPT_BYTES = 64 * 2**10
_QUALITY = 80


def bound_crop(data: bytes) -> bytes:
    """The JPEG `data`, at most 480 px a side.

    Raises ListError if it is none, or too large.
    """
    if len(data) > MOST_BYTES:
        raise ListError(f"crop is over {MOST_BYTES // 1024} KiB", "Send a smaller JPEG")
    try:
        with QUIET, Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise ListError("crop has too many pixels", "480 px a side are enough")
            image.load()
            is_small = max(image.size) <= MOST_SIDE and len(data) <= _KEPT_BYTES
            return data if is_small else _shrink(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
        raise ListError("crop is not a JPEG", "Send the JPEG's bytes") from exc


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _shrink(image: Image.Image) -> bytes:
    image = image.convert("RGB")
    image.thumbnail((MOST_SIDE, MOST_SIDE))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()
