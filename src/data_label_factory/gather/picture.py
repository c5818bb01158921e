"""Is this a picture? Asked of every file before it is kept, without the cost of decoding it where that is enough."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from data_label_factory.errors import ImageError, ImageUnsupportedError
from data_label_factory.pictures import DEFAULT_LIMITS, FORMATS, HEIF_BRANDS, QUIET, too_large

_SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif"}  # others: the format's own name
_ENDS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND"}
_END_BYTES = 1024  # an end mark this near the end says that the file is whole


@dataclass(frozen=True)
class Picture:
    """What a file turned out to be. Width and height are in pixels, 0 for HEIC, which is not opened here."""

    suffix: str
    width: int
    height: int


def inspect(data: bytes) -> Picture:
    """Tell format and size of a picture file. Raises ImageError for one that is none, cut off, or over the limits.

    A JPEG or PNG whose end mark is in place is taken for whole; anything else is decoded to see.
    """
    if not data:
        raise ImageError("The file is empty")
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS and b"avif" not in data[8:40]:
        return Picture(".heic", 0, 0)
    try:
        with QUIET, Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return _checked(image, data)
    except ImageError:
        raise
    except Image.DecompressionBombError as exc:
        raise too_large(
            f"The picture has over {DEFAULT_LIMITS.max_pixels / 1e6:.0f} megapixels"
        ) from exc
    except UnidentifiedImageError as exc:
        raise ImageUnsupportedError(
            "What came is not a picture in a format this program reads"
        ) from exc
    except Exception as exc:  # decoders meet hostile input with whatever they happen to trip over
        raise ImageError(f"The picture is cut off or damaged ({exc})") from exc


def _checked(image: Image.Image, data: bytes) -> Picture:
    width, height = image.size
    if width * height > DEFAULT_LIMITS.max_pixels:
        raise too_large(
            f"The picture is {width} × {height}, over {DEFAULT_LIMITS.max_pixels / 1e6:.0f} megapixels"
        )
    kind = image.format or ""
    if _ENDS.get(kind, data) not in data[-_END_BYTES:]:
        image.load()
    return Picture(_SUFFIXES.get(kind, f".{kind.lower()}"), width, height)
