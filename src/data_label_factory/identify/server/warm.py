"""Endpoints that are ready before the first request."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import Scope


def prepare_endpoints(app: FastAPI) -> None:
    """Build what FastAPI would build when a path is first matched.

    It takes a tenth of a second, in the event loop, and changes the
    filters of warnings meanwhile, as threads that decode pictures do.
    """
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "root_path": "",
        "headers": [],
        "app": app,
    }
    for route in app.routes:
        route.matches(dict(scope))
