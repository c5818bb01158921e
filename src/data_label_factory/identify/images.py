"""Bytes or a file → (H, W, 3) uint8 RGB. The one decoder of the program: building, serving and training use it.

What it settles, once: EXIF orientation is applied; transparency is laid over white; of an animation or a
multi-page file the first picture counts; 16-bit and float samples are scaled to 8 bits; CMYK and greyscale become
RGB; an ICC profile is ignored (samples are taken as sRGB), since the encoders never saw managed colours either.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from data_label_factory.errors import ImageError, ImageUnsupportedError
from data_label_factory.extras import need
from data_label_factory.labels import IMAGE_SUFFIXES
from data_label_factory.pictures import DEFAULT_LIMITS, FORMATS, HEIF_BRANDS, QUIET, too_large
from data_label_factory.pictures import Limits as Limits
from data_label_factory.pictures import read_file as read_file

RGB = NDArray[np.uint8]  # (H, W, 3), red first
Picture = (
    str | Path | bytes | Image.Image | NDArray[Any]
)  # what programs may hand over, see `as_rgb`

_SCAN_OR_END = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")


def decode(
    source: bytes | Path, *, limits: Limits = DEFAULT_LIMITS, min_side: int | None = None
) -> RGB:
    """Decode one picture to (H, W, 3) uint8 RGB.

    `min_side` (px) allows a JPEG to be decoded at a half, a quarter or an eighth while its shorter side stays at
    least that long: several times faster for phone photos when only a small picture is wanted.

    Raises ImageTooLargeError over a limit, ImageUnsupportedError for what is no picture in a known format, and
    ImageError for an empty, truncated or damaged one.
    """
    data = source if isinstance(source, bytes) else read_file(source, limits)
    if not data:
        raise ImageError("The file is empty", "Copy or download the picture again")
    if len(data) > limits.max_bytes:
        raise too_large(
            f"The file has {len(data) / 2**20:.0f} MiB, over {limits.max_bytes / 2**20:.0f} MiB"
        )
    try:
        with QUIET, _open(data) as image:
            return _to_rgb(image, data, limits, min_side)
    except ImageError:
        raise
    except Image.DecompressionBombError as exc:
        raise too_large(f"The picture has over {limits.max_pixels / 1e6:.0f} megapixels") from exc
    except UnidentifiedImageError as exc:
        raise ImageUnsupportedError(
            "Not a picture in a format this program reads",
            "Save it as JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC",
        ) from exc
    except Exception as exc:
        # Decoders meet hostile input with whatever they happen to trip over: SyntaxError, struct.error, KeyError …
        raise ImageError(
            f"The picture is truncated or damaged ({exc})", "Copy or download it again"
        ) from exc


def as_rgb(picture: Picture) -> RGB:
    """A file's path or bytes, a Pillow image, or an array (H, W[, 1, 3 or 4]) uint8 → (H, W, 3) uint8 RGB.

    Arrays are taken as gray, RGB or RGBA; transparency is laid over white. Raises ImageError as `decode`, and
    ValueError, naming shape and dtype, for any other array.
    """
    if isinstance(picture, bytes):
        return decode(picture)
    if isinstance(picture, str | Path):
        return decode(Path(picture))
    if isinstance(picture, Image.Image):
        return _flatten(_turned(picture))

    array = np.asarray(picture)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    is_picture = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not is_picture or not array.size:
        raise ValueError(
            f"A picture is an array (H, W), (H, W, 3) or (H, W, 4) of uint8, not {array.shape} of {array.dtype}"
        )
    return _flatten(Image.fromarray(array))


def find_images(folder: Path, suffixes: frozenset[str] = IMAGE_SUFFIXES) -> Iterator[str]:
    """Relative paths (with `/`) of the picture files in `folder` and below, sorted.

    By file suffix (`suffixes` in lower case); hidden files are passed over, links to files are followed, links to
    folders are not (they can form loops). Raises ImageError when `folder` is not a folder, or one in it may not be
    read: to leave out what is in it without a word would drop its items from the index.
    """
    if not folder.is_dir():
        raise ImageError(f"{folder} is not a folder", "Name the folder that holds the pictures")
    found = []
    for root, folders, files in os.walk(folder, onerror=_cannot_walk):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        found += [
            (Path(root) / name).relative_to(folder).as_posix()
            for name in files
            if not name.startswith(".") and Path(name).suffix.lower() in suffixes
        ]
    yield from sorted(found)


def _cannot_walk(exc: OSError) -> None:
    raise ImageError(
        f"Cannot read the folder {exc.filename}: {exc.strerror}", "Check its permissions"
    ) from exc


def _open(data: bytes) -> Image.Image:
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS and b"avif" not in data[8:40]:
        # The plugin's own class, since registering it would change Pillow for the whole process.
        heif: Image.Image = need("pi_heif", extra="identify").HeifImageFile(io.BytesIO(data))
        return heif
    return Image.open(io.BytesIO(data), formats=FORMATS)


def _to_rgb(image: Image.Image, data: bytes, limits: Limits, min_side: int | None) -> RGB:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise too_large(
            f"The picture is {width} × {height}, over the limit of {limits.max_pixels / 1e6:.0f} megapixels"
        )
    if image.format in ("JPEG", "MPO"):
        if (scans := _count_scans(data, limits.max_scans)) > limits.max_scans:
            raise too_large(
                f"The JPEG repeats its scans ({scans} or more, over {limits.max_scans})"
            )
        if min_side is not None:
            image.draft(
                "RGB",
                (
                    max(1, width * min_side // min(width, height)),
                    max(1, height * min_side // min(width, height)),
                ),
            )
    image.load()
    return _flatten(_turned(image))  # turned first: a new image would have no EXIF block


def _flatten(image: Image.Image) -> RGB:
    """Any mode → 8-bit RGB, transparency laid over white."""
    if image.mode in ("F", "I") or image.mode.startswith("I;16"):
        image = _to_8_bit(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def _turned(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block says nothing of the picture; leave it as it lies
        return image


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Scale deep greyscale to 8 bits: 16-bit by its full range, float by what it holds (Pillow would clip both)."""
    samples = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
    if image.mode == "F":
        low, high = float(samples.min()), float(samples.max())
        low, high = (0.0, 1.0 if high <= 1 else 255.0) if low >= 0 and high <= 255 else (low, high)
    else:
        low, high = 0.0, 65535.0
    scaled = (samples - low) / max(high - low, 1e-9) * 255
    return Image.fromarray(np.clip(scaled + 0.5, 0, 255).astype(np.uint8))


def _count_scans(data: bytes, stop_after: int) -> int:
    """Number of scans (SOS markers) in a JPEG up to its end marker, counted to `stop_after + 1` at the most."""
    scans = position = 0
    while scans <= stop_after:
        # Inside a scan 0xFF is followed by 00 or a restart; anything else is the next marker (ITU T.81, B.1.1).
        marker = _SCAN_OR_END.search(data, position)
        if marker is None or marker[1] == b"\xd9":
            break
        scans += marker[1] == b"\xda"
        length = int.from_bytes(data[marker.end() : marker.end() + 2], "big")
        position = marker.end() + max(length, 2)
    return scans
