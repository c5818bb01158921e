"""Pages for people: the front page, the live tracker when it is part of the install, the browsable API."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from pathlib import Path, PurePosixPath

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from data_label_factory.identify.server.context import Shared

router = APIRouter(include_in_schema=False)
_FRONT_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TRACKER_CSP = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TRACKER = Path(str(files("data_label_factory"))) / "web"
_ASSETS = frozenset(
    {".html", ".js", ".mjs", ".css", ".svg", ".png", ".jpg", ".ico", ".json", ".webmanifest", ".woff2", ".map", ".mp3"}
)

_FRONT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>data_label_factory</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
  body {{ max-width: 34rem; margin: 3rem auto; padding: 0 1rem }}
  li {{ margin: .3rem 0 }} code {{ font-size: .9em }}
</style></head><body>
<h1>data_label_factory</h1>
<p>{state}</p>
<ul>{links}</ul>
<p>To ask by hand: <code>curl -F image=@photo.jpg {base}api/falcon</code></p>
</body></html>
"""
_LINKS = {
    "canvas/live": "Live tracker: hold something up to the camera",
    "docs": "The API, to read and to try",
    "health": "What is served, and how it is doing",
    "api/items": "The items it knows",
    "api/top-prices": "The dearest of them",
    "metrics": "Metrics for Prometheus",
}


@router.get("/")
async def front(request: Request, context: Shared) -> HTMLResponse:
    snapshot = context.engine.snapshot
    state = f"{len(snapshot.index)} references of {snapshot.index.item_count} items." if snapshot else "Still loading."
    shown = {path: text for path, text in _LINKS.items() if path != "canvas/live" or has_tracker()}
    links = "".join(f'<li><a href="{path}">{text}</a></li>' for path, text in shown.items())
    page = _FRONT.format(state=state, links=links, base=escape(str(request.base_url)))
    return HTMLResponse(page, headers={"Content-Security-Policy": _FRONT_CSP})


class _Assets(StaticFiles):
    """The tracker's files: pages, scripts, styles and pictures, and nothing else that may lie beside them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        parts = PurePosixPath(path).parts
        if any(part.startswith(".") for part in parts) or PurePosixPath(path).suffix not in _ASSETS:
            raise HTTPException(404, "There is no such page")
        response = await super().get_response(path, scope)
        response.headers.update(
            {
                "Cache-Control": "no-cache",  # kept, but asked for again with its ETag
                "Content-Security-Policy": _TRACKER_CSP,
                "Permissions-Policy": "camera=(self), microphone=()",
            }
        )
        return response


def has_tracker(folder: Path = _TRACKER) -> bool:
    return (folder / "index.html").is_file()


def mount_tracker(app: FastAPI, folder: Path = _TRACKER) -> None:
    """Serve the live tracker at /canvas/live, and its assets beside and below that, when it is there."""
    if not has_tracker(folder):
        return
    assets = _Assets(directory=folder)

    async def page(request: Request) -> Response:
        return await assets.get_response("index.html", request.scope)

    app.add_route("/canvas/live", page, include_in_schema=False)
    app.mount("/canvas/live", assets)
    app.mount("/canvas", assets)
