"""Pages for people: the start page, and the live tracker where it is installed."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

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
    has_key = context.access is not None and context.access.is_for_phones
    headers = {
        "Content-Security-Policy": content_security_policy(),
        "Cache-Control": "no-store" if has_key else "no-cache",
    }
    return HTMLResponse(page, headers=headers)


def has_tracker(folder: Path = assets.FOLDER) -> bool:
    return (folder / "index.html").is_file()


def mount_tracker(app: FastAPI, folder: Path = assets.FOLDER) -> None:
    """Serve the live tracker, if it is installed, at /canvas/live
    and its assets below /canvas.
    """
    if not has_tracker(folder):
        return

    def page(request: Request) -> Response:
        return send_asset(request, "index.html", folder)

    def file(request: Request) -> Response:
        return send_asset(request, request.path_params["name"], folder)

    paths = {
        assets.PAGE: page,
        f"{assets.PAGE}/{{name:path}}": file,
        "/canvas/{name:path}": file,
    }
    for path, endpoint in paths.items():
        app.add_route(path, endpoint, include_in_schema=False)


def send_asset(request: Request, name: str, folder: Path = assets.FOLDER) -> Response:
    """An asset of the tracker. Raises HTTPException 404 if there is
    none.
    """
    asset = assets.find_asset(name, folder)
    if asset is None:
        raise HTTPException(404, "There is no such page")
    status, headers, body = asset.answer(
        request.headers.get("accept-encoding", ""),
        request.headers.get("if-none-match", ""),
    )
    return Response(body, status, headers)
