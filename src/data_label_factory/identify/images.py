"""Bytes or a file → (H, W, 3) uint8 RGB: the one decoder for indexing,
serving and training.

It applies EXIF orientation, lays transparency over white (white
print over gray), takes the first picture of an animation or a
multi-page file that is not blank, scales 16-bit and float samples
to 8 bits, and converts CMYK and grayscale to RGB. It ignores ICC
profiles and takes samples as sRGB, because the encoders were
trained without color management.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from data_label_factory.errors import ImageError, ImageUnsupportedError
from data_label_factory.extras import need
from data_label_factory.identify.content import Mask, is_blank
from data_label_factory.pictures import (
    DEFAULT_LIMITS,
    FORMATS,
    HEIF_BRANDS,
    QUIET,
    halvings,
    too_large,
)
from data_label_factory.pictures import Limits as Limits
from data_label_factory.pictures import read_file as read_file

RGB = NDArray[np.uint8]  # (H, W, 3), red first
Picture = str | Path | bytes | Image.Image | NDArray[Any]  # what `as_rgb` takes

_JPEG = b"\xff\xd8\xff"
_SCAN_OR_END = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
_START_OF_SCAN = b"\xda"
_END_OF_IMAGE = b"\xd9"

# Several pictures in one file, of which the first may be a fade-in or an empty page. MPO
# is not one of them: its further pictures are previews of the first.
_SEQUENCES = ("GIF", "WEBP", "PNG", "AVIF", "TIFF")
_FRAMES_TRIED = 50
_PIXELS_TRIED = 4  # times the limit of one picture

# Print that white paper hides, and the ground that shows it.
_WHITE_PRINT = 224  # mean gray level of the opaque pixels
_TRANSPARENT = 0.1  # fraction of the picture: less is a rounded corner
_OPAQUE = 64  # of 255: less is a shadow
_GRAY = (64, 64, 64, 255)


def decode(
    source: bytes | Path, *, limits: Limits = DEFAULT_LIMITS, min_side: int | None = None
) -> RGB:
    """Decode one picture to (H, W, 3) uint8 RGB, see `decode_layers`."""
    return decode_layers(source, limits=limits, min_side=min_side)[0]


def decode_layers(
    source: bytes | Path, *, limits: Limits = DEFAULT_LIMITS, min_side: int | None = None
) -> tuple[RGB, Mask | None]:
    """Decode one picture to (H, W, 3) uint8 RGB, and to where it is
    opaque, (H, W) bool.

    The latter is None for a picture without transparency.

    `min_side` (px) allows a JPEG to be decoded at a half, a quarter
    or an eighth of its size, as long as its shorter side stays at
    least that long. For phone photos this is several times faster.
    A JPEG of up to four times as many pixels as the limit, as
    phones make them, is decoded at half its size or less.

    Raises ImageTooLargeError over a limit, ImageUnsupportedError if
    it is not a picture in a known format, and ImageError if it is
    empty, truncated or damaged.
    """
    data = source if isinstance(source, bytes) else read_file(source, limits)
    if not data:
        raise ImageError("The file is empty", "Copy or download the picture again")
    if len(data) > limits.max_bytes:
        size = len(data) / 2**20
        raise too_large(f"The file has {size:.0f} MiB, over {limits.max_bytes / 2**20:.0f} MiB")

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
        # On hostile input, decoders raise anything: SyntaxError, struct.error, KeyError …
        raise ImageError(
            f"The picture is truncated or damaged ({exc})", "Copy or download it again"
        ) from exc


def as_rgb(picture: Picture) -> RGB:
    """Any kind of picture → (H, W, 3) uint8 RGB.

    `picture` is a file's path or bytes, a Pillow image, or an array
    (H, W[, 1, 3 or 4]) uint8. Arrays are taken as gray, RGB or
    RGBA; transparency is laid over white. Raises ImageError as
    `decode` does, and ValueError for an array of another shape or
    dtype.
    """
    if isinstance(picture, bytes):
        return decode(picture)
    if isinstance(picture, str | Path):
        return decode(Path(picture))
    if isinstance(picture, Image.Image):
        return _flatten(_apply_orientation(picture))[0]

    array = np.asarray(picture)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    is_picture = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not is_picture or not array.size:
        raise ValueError(
            "A picture is an array (H, W), (H, W, 3) or (H, W, 4) of uint8, "
            f"not {array.shape} of {array.dtype}"
        )
    return _flatten(Image.fromarray(array))[0]


def _open(data: bytes) -> Image.Image:
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS and b"avif" not in data[8:40]:
        # Not registered as a plugin, because that would change Pillow for the whole
        # process.
        heif: Image.Image = need("pi_heif", extra="identify").HeifImageFile(io.BytesIO(data))
        return heif
    if data.startswith(_JPEG):
        # Image.open() refuses what JPEGs of phones have, though half of it is enough.
        return JpegImagePlugin.jpeg_factory(io.BytesIO(data))
    return Image.open(io.BytesIO(data), formats=FORMATS)


def _to_rgb(
    image: Image.Image, data: bytes, limits: Limits, min_side: int | None
) -> tuple[RGB, Mask | None]:
    width, height = image.size
    halved = halvings(image, limits)
    if image.format in ("JPEG", "MPO"):
        scans = _count_scans(data, limits.max_scans)
        if scans > limits.max_scans:
            raise too_large(
                f"The JPEG repeats its scans ({scans} or more, over {limits.max_scans})"
            )
        if halved or min_side is not None:
            shorter = min(width, height)
            at_least = min(min_side or shorter, shorter >> halved)
            wanted = (max(1, width * at_least // shorter), max(1, height * at_least // shorter))
            image.draft("RGB", wanted)

    image.load()
    # Orientation first, because flattening makes a new image without the EXIF block.
    layers = _flatten(_apply_orientation(image))
    if image.format in _SEQUENCES and is_blank(layers[0]) and getattr(image, "is_animated", False):
        frames = min(_FRAMES_TRIED, _PIXELS_TRIED * limits.max_pixels // (width * height))
        return _find_shown(image, frames) or layers
    return layers


def _find_shown(image: Image.Image, frames: int) -> tuple[RGB, Mask | None] | None:
    """The first of the `frames` after the first one that is not
    blank, or None.
    """
    for number in range(1, frames):
        try:
            image.seek(number)
            layers = _flatten(_apply_orientation(image))
        except Exception:  # the end; or damage, and the first frame is good
            return None
        if not is_blank(layers[0]):
            return layers
    return None


def _flatten(image: Image.Image) -> tuple[RGB, Mask | None]:
    """Any mode → 8-bit RGB, with transparency laid over a ground;
    and where it is opaque.
    """
    if image.mode in ("F", "I") or image.mode.startswith("I;16"):
        image = _to_8_bit(image)
    if not image.has_transparency_data:
        return np.array(image.convert("RGB")), None

    image = image.convert("RGBA")
    opacity = np.asarray(image.getchannel("A"))
    ground = Image.new("RGBA", image.size, _choose_ground(image, opacity))
    flat = Image.alpha_composite(ground, image)
    return np.array(flat.convert("RGB")), opacity > _OPAQUE


def _choose_ground(image: Image.Image, opacity: NDArray[np.uint8]) -> str | tuple[int, ...]:
    """White, unless an RGBA picture is white print, of which
    nothing could be seen there.
    """
    if (opacity <= _OPAQUE).mean() < _TRANSPARENT or not opacity.any():
        return "white"
    print_level = np.average(np.asarray(image.convert("RGB").convert("L")), weights=opacity)
    return _GRAY if print_level >= _WHITE_PRINT else "white"


def _apply_orientation(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block does not make the picture unusable
        return image


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Scale deep grayscale to 8 bits, where Pillow would clip it.

    16-bit samples are scaled by their full range, float samples by the
    range they use.
    """
    samples = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
    low, high = _choose_range(samples) if image.mode == "F" else (0.0, 65535.0)
    scaled = (samples - low) / max(high - low, 1e-9) * 255
    return Image.fromarray(np.clip(scaled + 0.5, 0, 255).astype(np.uint8))


def _choose_range(samples: NDArray[np.float64]) -> tuple[float, float]:
    """What black and white are in float samples: 0…1 or 0…255 if
    they fit, else their own range.
    """
    low = float(samples.min())
    high = float(samples.max())
    if low < 0 or high > 255:
        return low, high
    return 0.0, 1.0 if high <= 1 else 255.0


def _count_scans(data: bytes, stop_after: int) -> int:
    """The number of scans (SOS markers) in a JPEG, at most `stop_after + 1`."""
    scans = 0
    position = 0
    while scans <= stop_after:
        # Inside a scan, 0xFF is followed by 00 or a restart; anything else is the next
        # marker (ITU T.81, B.1.1).
        marker = _SCAN_OR_END.search(data, position)
        if marker is None or marker[1] == _END_OF_IMAGE:
            break
        scans += marker[1] == _START_OF_SCAN
        length = int.from_bytes(data[marker.end() : marker.end() + 2], "big")
        position = marker.end() + max(length, 2)
    return scans
