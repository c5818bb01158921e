"""The files of the page, and the headers that any server sends with them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

FOLDER = Path(__file__).parent
PAGE = "/canvas/live"

_CSP = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Cache-Control": "no-cache",  # cached, but revalidated by its ETag
    "Content-Security-Policy": _CSP,
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
    """Whether a path relative to FOLDER may be served: not hidden, and of a known type."""
    pure = PurePosixPath(path)
    is_hidden = any(part.startswith(".") for part in pure.parts)
    return pure.suffix in MEDIA_TYPES and not is_hidden
