"""Which files the page consists of, and the headers that they are served with, by whichever server."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

FOLDER = Path(__file__).parent
PAGE = "/canvas/live"
HEADERS = {
    "Cache-Control": "no-cache",  # kept, but asked for again with its ETag
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


def is_asset(path: str) -> bool:
    """Whether `path`, relative to the folder, may be served: nothing hidden, nothing of another kind beside it."""
    parts = PurePosixPath(path).parts
    return PurePosixPath(path).suffix in MEDIA_TYPES and not any(
        part.startswith(".") for part in parts
    )
