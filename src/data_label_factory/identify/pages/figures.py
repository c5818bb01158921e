"""Pictures with captions, and lists of files with reasons, as several pages show them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from data_label_factory.errors import ImageError
from data_label_factory.identify.images import RGB, decode

_THUMB_PX = 220
_LISTED_MAX = 200
_JPEG_QUALITY = 82


@dataclass(frozen=True)
class Figure:
    """A picture above its `name` and a smaller line.

    `url` is a data: URL or one relative to the page; None shows a
    placeholder.
    """

    url: str | None
    name: str
    detail: str


@dataclass(frozen=True)
class Reasons:
    """Names, each with a reason or "", under a title; `hidden` more are not listed."""

    title: str
    rows: Sequence[tuple[str, str]]
    hidden: int


def list_reasons(title: str, rows: Sequence[tuple[str, str]]) -> Reasons:
    """The first 200 of the (name, reason) rows."""
    return Reasons(title, rows[:_LISTED_MAX], max(0, len(rows) - _LISTED_MAX))


def show_reference(reference: str, refs: Path | None, caption: str) -> Figure:
    """A reference as a thumbnail inside the page, with its path
    below the caption.

    Without a picture if `refs` is None or the file cannot be read.
    """
    url = None
    if refs is not None:
        try:
            url = encode_as_url(_make_thumbnail(decode(refs / reference, min_side=_THUMB_PX)))
        except ImageError:
            url = None
    return Figure(url, caption, reference)


def encode_as_url(picture: Image.Image) -> str:
    """The picture as a JPEG in a data: URL."""
    jpeg = io.BytesIO()
    picture.convert("RGB").save(jpeg, "JPEG", quality=_JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.getvalue()).decode()}"


def _make_thumbnail(pixels: RGB) -> Image.Image:
    picture = Image.fromarray(pixels)
    picture.thumbnail((_THUMB_PX, _THUMB_PX))
    return picture
