"""What every endpoint shares, and how it reaches it."""

from __future__ import annotations

import json
import time
from typing import Annotated

import numpy as np
from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from data_label_factory.errors import ImageError, ImageTooLargeError, ImageUnsupportedError
from data_label_factory.identify.images import RGB, Limits, decode
from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.identify.server.engine import Engine, Snapshot
from data_label_factory.identify.server.observe import Metrics
from data_label_factory.identify.server.refs_files import Thumbnails
from data_label_factory.identify.server.settings import Settings
from data_label_factory.identify.server.work_queue import WorkQueue

_KNOWN_OTHERS = {
    b"%PDF": "a PDF", b"<svg": "an SVG drawing", b"<?xml": "an XML or SVG file", b"8BPS": "a Photoshop file",
    b"PK\x03\x04": "a zip archive", b"\x1aE\xdf\xa3": "a video", b"\x00\x00\x01\x00": "an icon",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture", b"\xff\x0a": "a JPEG XL picture",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 picture",
}  # fmt: skip
_WRITTEN_MOTION = ("video/", "audio/", "application/pdf", "application/zip", "image/svg+xml")


class Context:
    """One server's engine, queues and counters. Made inside the event loop's thread."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.settings, self.engine = settings, engine
        self.metrics = Metrics()
        self.work = WorkQueue(settings.workers, settings.queue)
        self.chores = WorkQueue(1, 8, "chores")  # enrolment: one at a time, beside the answering
        self.thumbnails, self.drawing = Thumbnails(), WorkQueue(1, 256, "thumbnails")
        self.limits = Limits(max_bytes=settings.max_upload_bytes)
        self.started = time.monotonic()
        self.served = 0
        self.last_query: str | None = None
        self.draining = False
        self.failed = False

    @property
    def phase(self) -> str:
        if self.draining or self.failed:
            return "failed" if self.failed else "draining"
        return "ready" if self.engine.snapshot else "loading"

    @property
    def snapshot(self) -> Snapshot:
        """What is served now. Raises HTTPException 503 while it is still being read."""
        if self.engine.snapshot is None:
            raise HTTPException(
                503, "Still reading the references. Send it again in a moment", {"Retry-After": "1"}
            )
        return self.engine.snapshot

    def close(self) -> None:
        for queue in (self.work, self.chores, self.drawing):
            queue.close()


def context_of(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Shared = Annotated[Context, Depends(context_of)]


def decode_upload(data: bytes, media_type: str, limits: Limits) -> RGB:
    """An uploaded picture, (H, W, 3) uint8 RGB. Raises HTTPException: 413 too large, 415 another kind of file, 400."""
    try:
        return decode(data, limits=limits)
    except ImageTooLargeError as exc:
        raise HTTPException(413, str(exc)) from exc
    except ImageUnsupportedError as exc:
        kind = next(
            (what for start, what in _KNOWN_OTHERS.items() if data.lstrip()[: len(start)] == start),
            None,
        )
        if data[4:8] == b"ftyp":
            kind = "a video or an unknown kind of picture"
        if kind or media_type.lower().startswith(_WRITTEN_MOTION):
            raise HTTPException(415, f"This is {kind or media_type}. {exc.hint}") from exc
        raise HTTPException(400, str(exc)) from exc
    except ImageError as exc:
        raise HTTPException(400, str(exc)) from exc


def read_quad(text: str, picture: RGB) -> Quad | None:
    """`[[x, y] × 4]`, JSON, in shares of the picture → (4, 2) px; None for "". Raises HTTPException 422."""
    if not text.strip():
        return None
    height, width = picture.shape[:2]
    try:
        corners = np.asarray(json.loads(text), np.float64)
        if corners.shape != (4, 2) or not (np.abs(corners) <= 10).all():
            raise ValueError
        quad = as_points(corners * (width, height))
        edges = np.roll(quad, -1, axis=0) - quad
        turns = edges[:, 0] * np.roll(edges[:, 1], -1) - edges[:, 1] * np.roll(edges[:, 0], -1)
        if not (turns > 1).all():
            raise ValueError
    except (ValueError, TypeError, OverflowError, RecursionError) as exc:
        raise HTTPException(
            422,
            "quad_norm is a JSON list of four corners [x, y], clockwise from the top left, in shares of the picture",
        ) from exc
    return quad
