"""Is this file a picture? Checked before it is kept, without decoding it where that is enough."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from data_label_factory.errors import ImageError, ImageUnsupportedError
from data_label_factory.pictures import (
    DEFAULT_LIMITS,
    FORMATS,
    HEIF_BRANDS,
    QUIET,
    halvings,
    too_large,
)

# For other formats the suffix is their name.
_SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif"}

# An end mark within the last bytes shows that the file is complete.
_END_MARKS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND"}
_END_BYTES = 1024


@dataclass(frozen=True)
class Picture:
    """The format and size of a picture file.

    Width and height are in pixels; both are 0 for HEIC, which is not
    opened here.
    """

    suffix: str
    width: int
    height: int


def inspect(data: bytes) -> Picture:
    """Return the format and size of a picture file.

    A JPEG or PNG with its end mark in place counts as complete; other
    files are decoded to make sure. Raises ImageError if `data` is not a
    picture, is truncated, or exceeds a limit.
    """
    if not data:
        raise ImageError("The file is empty")
    if _is_heic(data):
        return Picture(".heic", 0, 0)

    max_megapixels = DEFAULT_LIMITS.max_pixels / 1e6
    try:
        with QUIET, Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return _inspect_image(image, data)
    except ImageError:
        raise
    except Image.DecompressionBombError as exc:
        raise too_large(f"The picture has over {max_megapixels:.0f} megapixels") from exc
    except UnidentifiedImageError as exc:
        raise ImageUnsupportedError(
            "The file is not a picture in a format that this program reads"
        ) from exc
    except Exception as exc:  # decoders raise all kinds of errors on hostile input
        raise ImageError(f"The picture is cut off or damaged ({exc})") from exc


def _is_heic(data: bytes) -> bool:
    is_heif = data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS
    return is_heif and b"avif" not in data[8:40]


def _inspect_image(image: Image.Image, data: bytes) -> Picture:
    width, height = image.size
    halvings(image)

    image_format = image.format or ""
    mark = _END_MARKS.get(image_format)
    if mark is None or mark not in data[-_END_BYTES:]:
        image.load()
    return Picture(_SUFFIXES.get(image_format, f".{image_format.lower()}"), width, height)
