"""The ASGI application: endpoints, middleware, and how errors of the library become answers."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from data_label_factory import __version__
from data_label_factory.errors import (
    ConflictError,
    FactoryError,
    ImageError,
    LabelError,
    UnknownItemError,
)
from data_label_factory.identify.server import items, pages, recognition, status
from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.engine import Engine
from data_label_factory.identify.server.guard import Guard
from data_label_factory.identify.server.observe import Observer, logger, note
from data_label_factory.identify.server.settings import Settings
from data_label_factory.identify.server.watch import Watcher
from data_label_factory.identify.server.work_queue import BusyError

_SWAGGER = "/docs/assets"
_SWAGGER_CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'"
)
_STATUS: list[tuple[type[FactoryError], int]] = [
    (UnknownItemError, 404),
    (ConflictError, 409),
    (LabelError, 422),
    (ImageError, 422),
]


def create_app(
    settings: Settings,
    engine: Engine | None = None,
    *,
    load: bool = True,
    on_loaded: Callable[[FactoryError | None], None] | None = None,
) -> FastAPI:
    """The application. With `load` it begins to read the references and prices when it starts, and calls `on_loaded`,
    from a thread, with what was wrong, if anything. Raises FactoryError for settings that cannot be served."""
    settings.check()
    engine = engine or Engine(settings)
    context = Context(settings, engine)
    app = FastAPI(
        title="data_label_factory",
        version=__version__,
        summary="Which of your things is in the picture?",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(context, load, on_loaded),
        # Nothing leaves the computer, whatever the environment says of exporters.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        form_limits={"max_files": 4, "max_fields": 16, "max_part_size": 64 * 2**10},
    )
    app.state.context = context
    for module in (recognition, items, status, pages):
        app.include_router(module.router)
    _add_docs(app)
    pages.mount_tracker(app)
    _add_error_answers(app)
    _add_gauges(context)
    # The last one added is met first.
    app.add_middleware(
        Guard, settings=settings, has_place=context.work.check, most_uploads=2 * context.work.places
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.cors),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["X-API-Key", "Authorization"],
        expose_headers=["Retry-After"],
    )
    app.add_middleware(Observer, metrics=context.metrics, is_draining=lambda: context.draining)
    return app


def _lifespan(
    context: Context, load: bool, on_loaded: Callable[[FactoryError | None], None] | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        watcher = Watcher(context.engine) if context.settings.watch else None
        if load:
            Thread(target=_load, args=(context, on_loaded), name="load", daemon=True).start()
            # Beside it: the exchange rate comes over a network that may be slow or absent.
            Thread(target=_load_prices, args=(context.engine,), name="prices", daemon=True).start()
        if watcher:
            watcher.start()
        yield
        context.draining = True
        if watcher:
            watcher.stop()
        context.close()

    return lifespan


def _load(context: Context, on_loaded: Callable[[FactoryError | None], None] | None) -> None:
    error: FactoryError | None = None
    try:
        context.engine.load()
    except Exception as exc:
        context.failed = True
        error = (
            exc if isinstance(exc, FactoryError) else FactoryError(f"{type(exc).__name__}: {exc}")
        )
    if on_loaded:
        on_loaded(error)
    elif error:
        note("cannot load", logging.ERROR, reason=error)


def _load_prices(engine: Engine) -> None:
    try:
        engine.adopt_prices()
    except FactoryError as exc:
        engine.problem("prices", exc)


def _add_docs(app: FastAPI) -> None:
    """Swagger UI from the files of an installed package: its usual place is another site's server."""
    app.mount(_SWAGGER, StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static"))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        page = get_swagger_ui_html(
            openapi_url="openapi.json",
            title="data_label_factory API",
            swagger_js_url=f"{_SWAGGER[1:]}/swagger-ui-bundle.js",
            swagger_css_url=f"{_SWAGGER[1:]}/swagger-ui.css",
            swagger_favicon_url=f"{_SWAGGER[1:]}/favicon.png",
        )
        page.headers["Content-Security-Policy"] = _SWAGGER_CSP
        return page


def _add_error_answers(app: FastAPI) -> None:
    @app.exception_handler(BusyError)
    async def busy(_request: Request, exc: BusyError) -> JSONResponse:
        return _problem(429, str(exc), {"Retry-After": str(exc.retry_after)})

    @app.exception_handler(FactoryError)
    async def refused(_request: Request, exc: FactoryError) -> JSONResponse:
        code = next((code for kind, code in _STATUS if isinstance(exc, kind)), 503)
        if code == 503:
            note("failed", logging.ERROR, reason=exc)
        return _problem(code, str(exc))

    @app.exception_handler(404)
    @app.exception_handler(405)
    async def nowhere(_request: Request, exc: HTTPException) -> JSONResponse:
        said = {
            "Not Found": "There is nothing here",
            "Method Not Allowed": "That cannot be done here",
        }
        detail = (
            f"{said[exc.detail]}. /docs shows what there is" if exc.detail in said else exc.detail
        )
        return _problem(exc.status_code, detail, exc.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, exc: RequestValidationError) -> JSONResponse:
        # Without the values sent, which may be a whole picture.
        faults = [
            f"{'.'.join(str(part) for part in fault['loc'][1:])}: {fault['msg']}"
            for fault in exc.errors()
        ]
        hint = (
            "Send multipart/form-data with the picture as the field image"
            if "image" in str(faults)
            else "See /docs"
        )
        return _problem(422, f"{'; '.join(faults)}. {hint}")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, exc: Exception) -> JSONResponse:
        logger.error("unexpected", exc_info=exc, extra={"fields": {"path": request.url.path}})
        return _problem(500, "The server met an error of its own; its log says more")


def _problem(code: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    # Surrogates, from a name that is no UTF-8, cannot be sent.
    return JSONResponse({"detail": detail.encode("utf-8", "replace").decode()}, code, headers)


def _add_gauges(context: Context) -> None:
    def references() -> float:
        snapshot = context.engine.snapshot
        return len(snapshot.index) if snapshot else 0

    gauges: list[tuple[str, str, Any]] = [
        ("dlf_queue_depth", "Recognitions that run or wait", lambda: context.work.depth),
        ("dlf_queue_places", "Recognitions that can run or wait", lambda: context.work.places),
        ("dlf_index_references", "References in the index", references),
        ("dlf_ready", "1 when it can answer", lambda: float(context.phase == "ready")),
    ]
    for name, help_, read in gauges:
        context.metrics.gauge(name, help_, read)
