"""Uploaded bytes → a picture, and `quad_norm` → the quad to cut out of it."""

from __future__ import annotations

import json

import numpy as np
from starlette.exceptions import HTTPException

from data_label_factory.errors import ImageError, ImageTooLargeError, ImageUnsupportedError
from data_label_factory.identify.images import RGB, Limits, decode
from data_label_factory.identify.quad import Quad, as_points

# First bytes of files that people upload by mistake → what to call them in the answer.
_OTHER_FORMATS = {
    b"%PDF": "a PDF",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML or SVG file",
    b"8BPS": "a Photoshop file",
    b"PK\x03\x04": "a zip archive",
    b"\x1aE\xdf\xa3": "a video",
    b"\x00\x00\x01\x00": "an icon",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 picture",
}
_OTHER_MEDIA_TYPES = ("video/", "audio/", "application/pdf", "application/zip", "image/svg+xml")
_MAX_COORDINATE = 10  # a corner may lie outside the picture, but not absurdly far


def decode_upload(data: bytes, media_type: str, limits: Limits) -> RGB:
    """An uploaded picture as (H, W, 3) uint8 RGB.

    Raises HTTPException: 413 if it is too large, 415 if it is another
    kind of file, else 400.
    """
    try:
        return decode(data, limits=limits)
    except ImageTooLargeError as exc:
        raise HTTPException(413, str(exc)) from exc
    except ImageUnsupportedError as exc:
        kind = _identify_format(data)
        if kind or media_type.lower().startswith(_OTHER_MEDIA_TYPES):
            raise HTTPException(415, f"This is {kind or media_type}. {exc.hint}") from exc
        raise HTTPException(400, str(exc)) from exc
    except ImageError as exc:
        raise HTTPException(400, str(exc)) from exc


def read_quad(text: str, picture: RGB) -> Quad | None:
    """`[[x, y] × 4]` as JSON, in fractions of the picture → (4, 2) px.

    None for an empty text.

    Raises HTTPException 422 if it is not four corners of a convex quad,
    clockwise.
    """
    if not text.strip():
        return None

    height, width = picture.shape[:2]
    try:
        corners = np.asarray(json.loads(text), np.float64)
        if corners.shape != (4, 2) or not (np.abs(corners) <= _MAX_COORDINATE).all():
            raise ValueError
        quad = as_points(corners * (width, height))
        if not _is_clockwise(quad):
            raise ValueError
    except (ValueError, TypeError, OverflowError, RecursionError) as exc:
        raise HTTPException(
            422,
            "quad_norm is a JSON list of four corners [x, y], clockwise from the top left, "
            "in fractions of the picture",
        ) from exc
    return quad


def _identify_format(data: bytes) -> str | None:
    if data[4:8] == b"ftyp":
        return "a video or an unknown kind of picture"
    start = data.lstrip()
    return next((name for magic, name in _OTHER_FORMATS.items() if start.startswith(magic)), None)


def _is_clockwise(quad: Quad) -> bool:
    """Whether the quad turns right at every corner, so that it is convex too."""
    edges = np.roll(quad, -1, axis=0) - quad
    next_edges = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * next_edges[:, 1] - edges[:, 1] * next_edges[:, 0]
    return bool((turns > 1).all())
