"""Pages for people: the front page, and the live tracker where it is installed."""

from __future__ import annotations

from html import escape
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from data_label_factory.identify.server.context import SharedContext
from data_label_factory.web import assets

router = APIRouter(include_in_schema=False)

_FRONT_CSP = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
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
<p>From the command line: <code>curl -F image=@photo.jpg {base}api/falcon</code></p>
</body></html>
"""
_TRACKER_LINK = "canvas/live"
_LINKS = {
    _TRACKER_LINK: "Live tracker: hold something up to the camera",
    "docs": "The API: read it and try it",
    "health": "What is served, and its state",
    "api/items": "The items it knows",
    "api/top-prices": "The most expensive of them",
    "metrics": "Metrics for Prometheus",
}


@router.get("/")
async def front(request: Request, context: SharedContext) -> HTMLResponse:
    snapshot = context.engine.snapshot
    state = "Still loading."
    if snapshot:
        state = f"{len(snapshot.index)} references of {snapshot.index.item_count} items."

    links = []
    for path, text in _LINKS.items():
        if path != _TRACKER_LINK or has_tracker():
            links.append(f'<li><a href="{path}">{text}</a></li>')

    base = escape(str(request.base_url))
    page = _FRONT.format(state=state, links="".join(links), base=base)
    return HTMLResponse(page, headers={"Content-Security-Policy": _FRONT_CSP})


def has_tracker(folder: Path = assets.FOLDER) -> bool:
    return (folder / "index.html").is_file()


def mount_tracker(app: FastAPI, folder: Path = assets.FOLDER) -> None:
    """Serve the live tracker, if it is installed, at /canvas/live and its assets below
    /canvas.
    """
    if not has_tracker(folder):
        return

    files = _Assets(directory=folder)

    async def page(request: Request) -> Response:
        return await files.get_response("index.html", request.scope)

    app.add_route(assets.PAGE, page, include_in_schema=False)
    app.mount(assets.PAGE, files)
    app.mount("/canvas", files)


class _Assets(StaticFiles):
    """The tracker's pages, scripts, styles and pictures, and nothing else in their folder."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not assets.is_asset(path):
            raise HTTPException(404, "There is no such page")
        response = await super().get_response(path, scope)
        response.headers.update(assets.HEADERS)
        return response
