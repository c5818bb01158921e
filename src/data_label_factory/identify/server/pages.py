"""Pages for people: the start page, and the live tracker where it is installed."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from data_label_factory.identify.pages import content_security_policy
from data_label_factory.identify.server.context import SharedContext
from data_label_factory.identify.server.start_page import render_start_page
from data_label_factory.web import assets

router = APIRouter(include_in_schema=False)


# Not async: the first time, it looks at every reference picture's file.
@router.get("/")
def start(request: Request, context: SharedContext) -> HTMLResponse:
    tracker = assets.PAGE.removeprefix("/") if has_tracker() else ""
    page = render_start_page(context, str(request.base_url), tracker)
    headers = {"Content-Security-Policy": content_security_policy(), "Cache-Control": "no-cache"}
    return HTMLResponse(page, headers=headers)


def has_tracker(folder: Path = assets.FOLDER) -> bool:
    return (folder / "index.html").is_file()


def mount_tracker(app: FastAPI, folder: Path = assets.FOLDER) -> None:
    """Serve the live tracker, if it is installed, at /canvas/live
    and its assets below /canvas.
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
