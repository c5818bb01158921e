"""The files of the page, and the headers that any server sends with
them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

FOLDER = Path(__file__).parent
PAGE = "/canvas/live"
OVERLAY = "/overlay"
SHELL = "shell.json"

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
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
# What is no part of the page, or must come from the server.
_NO_SHELL = frozenset({"sw.js", "show.html", "show.css", "js/show.js"})
_PACKED_ALREADY = ".png"
# A comment that is alone on its lines. A fifth of what the scripts
# weigh, packed, are types for `tsc` and words for readers.
_COMMENT = re.compile(
    rb"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_ETAG_DIGITS = 16
_MOST_KEPT = 256


@dataclass(frozen=True)
class Asset:
    """A file as it is sent; `packed` is the same by gzip, None if
    that would not be smaller.
    """

    data: bytes
    packed: bytes | None
    media_type: str
    digest: str

    def answer(self, accepted: str, known: str) -> tuple[int, dict[str, str], bytes]:
        """Status, header fields and body for a client that accepts
        these encodings and has the versions `known`; the values of
        Accept-Encoding and If-None-Match.
        """
        packs = self.packed is not None and "gzip" in accepted.lower()
        etag = f'"{self.digest}{"-gz" if packs else ""}"'
        headers = {**HEADERS, "Content-Type": self.media_type, "ETag": etag}
        if packs:
            headers["Content-Encoding"] = "gzip"

        versions = [text.strip().removeprefix("W/") for text in known.split(",")]
        if etag in versions or known.strip() == "*":
            return 304, headers, b""
        body = self.packed if packs and self.packed else self.data
        return 200, headers, body


def find_asset(name: str, folder: Path = FOLDER) -> Asset | None:
    """The asset of that path relative to `folder`, None if there is
    none that may be served.
    """
    if name == SHELL:
        text = json.dumps(describe_shell(folder))
        return _make_asset(text.encode(), "application/json")

    try:
        file = (folder / name).resolve()
        is_inside = file.is_relative_to(folder.resolve())
        if not is_asset(name) or not is_inside:
            return None
        state = file.stat()
        return _read(file, state.st_mtime_ns, state.st_size)
    except (OSError, ValueError):
        return None


def is_asset(path: str) -> bool:
    """Whether a path relative to FOLDER may be served: not hidden, and of a known type."""
    pure = PurePosixPath(path)
    is_hidden = any(part.startswith(".") for part in pure.parts)
    return pure.suffix in MEDIA_TYPES and not is_hidden


def describe_shell(folder: Path = FOLDER) -> dict[str, object]:
    """What the page needs without a server: the paths of its files
    beside it, and a version that changes with any of them.
    """
    names = sorted(
        name
        for file in folder.rglob("*")
        if (name := file.relative_to(folder).as_posix()) not in _NO_SHELL and is_asset(name)
    )
    digest = hashlib.sha256()
    for name in [*names, "sw.js"]:
        asset = find_asset(name, folder)
        digest.update(f"{name} {asset and asset.digest}\n".encode())

    page = PAGE.rpartition("/")[2]
    files = [page if name == "index.html" else name for name in names]
    return {"version": digest.hexdigest()[:_ETAG_DIGITS], "files": files}


@lru_cache(_MOST_KEPT)
def _read(file: Path, _changed: int, _size: int) -> Asset:
    """Raises OSError."""
    data = file.read_bytes()
    if file.suffix == ".js":
        data = without_comments(data)
    return _make_asset(data, MEDIA_TYPES[file.suffix])


def without_comments(script: bytes) -> bytes:
    """A script without its JSDoc; its lines keep their numbers."""
    return _COMMENT.sub(lambda found: b"\n" * found[0].count(b"\n"), script)


def _make_asset(data: bytes, media_type: str) -> Asset:
    packed = None
    if MEDIA_TYPES[_PACKED_ALREADY] != media_type:
        packed = gzip.compress(data, mtime=0)
    digest = hashlib.sha256(data).hexdigest()[:_ETAG_DIGITS]
    is_smaller = packed is not None and len(packed) < len(data)
    return Asset(data, packed if is_smaller else None, media_type, digest)
