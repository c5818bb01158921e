"""The ASGI application: endpoints, middleware, and how errors of the library become answers."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from threading import Thread

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
    ListError,
    UnknownItemError,
    UnknownListError,
)
from data_label_factory.identify.server import (
    items,
    list_files,
    list_steps,
    lists,
    live,
    overlay,
    pages,
    phone,
    recognition,
    status,
)
from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.engine import Engine
from data_label_factory.identify.server.events import stream
from data_label_factory.identify.server.events.telling import telling
from data_label_factory.identify.server.events.webhooks import read_secret
from data_label_factory.identify.server.guard import Guard
from data_label_factory.identify.server.logs import logger, note
from data_label_factory.identify.server.observer import Observer
from data_label_factory.identify.server.refusals import UNEXPECTED
from data_label_factory.identify.server.settings import Settings
from data_label_factory.identify.server.warm import prepare_endpoints
from data_label_factory.identify.server.watch import Watcher
from data_label_factory.identify.server.work_queue import BusyError

OnLoaded = Callable[[FactoryError | None], None]

_SWAGGER = "/docs/assets"
_SWAGGER_CSP = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "frame-ancestors 'none'",
    )
)
_STATUS_CODES: list[tuple[type[FactoryError], int]] = [
    (UnknownItemError, 404),
    (UnknownListError, 404),
    (ConflictError, 409),
    (LabelError, 422),
    (ListError, 422),
    (ImageError, 422),
]
_OTHER_STATUS_CODE = 503
_MAX_FIELD_BYTES = 64 * 2**10


def create_app(
    settings: Settings,
    engine: Engine | None = None,
    *,
    load: bool = True,
    on_loaded: OnLoaded | None = None,
) -> FastAPI:
    """The application for `settings`.

    With `load`, it reads the references and the prices in threads
    once it starts. `on_loaded` is called from such a thread, with
    the error if there was one. Raises FactoryError for settings
    that cannot be served.
    """
    settings.check()
    read_secret(settings.webhook_secret)
    context = Context(settings, engine or Engine(settings))
    app = FastAPI(
        title="data_label_factory",
        version=__version__,
        summary="Which of your things is in the picture?",
        docs_url=None,
        redoc_url=None,
        servers=[{"url": "."}],  # beside openapi.json, below whatever path a proxy puts it
        lifespan=_make_lifespan(context, load, on_loaded),
        # Nothing leaves this computer, whatever exporters the environment names.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        form_limits={"max_files": 4, "max_fields": 16, "max_part_size": _MAX_FIELD_BYTES},
    )
    app.state.context = context

    for module in (
        *(recognition, live, items, lists, list_steps, list_files),
        *(status, phone, stream, overlay, pages),
    ):
        app.include_router(module.router)
    _add_docs(app)
    pages.mount_tracker(app)

    _add_error_handlers(app)
    status.add_gauges(context)
    _add_middleware(app, context)
    prepare_endpoints(app)
    return app


def _add_middleware(app: FastAPI, context: Context) -> None:
    """Add the middleware, the innermost first."""
    settings = context.settings
    app.add_middleware(
        Guard,
        settings=settings,
        check_capacity=context.work.check,
        max_uploads=2 * context.work.places,
    )

    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.cors),
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["X-API-Key", "Authorization", "If-Match", "If-None-Match", "X-Device"],
        expose_headers=["Retry-After", "ETag", "X-Warnings", "Content-Disposition"],
    )

    app.add_middleware(Observer, metrics=context.metrics, is_draining=lambda: context.draining)


def _make_lifespan(
    context: Context, load: bool, on_loaded: OnLoaded | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        watcher = Watcher(context.engine) if context.settings.watch else None
        if load:
            Thread(target=_load, args=(context, on_loaded), name="load", daemon=True).start()
            # A thread of its own: exchange rates come over a network that may be slow
            # or absent.
            Thread(target=_load_prices, args=(context.engine,), name="prices", daemon=True).start()
        if watcher:
            watcher.start()

        async with telling(context):
            yield
            context.draining = True

        if watcher:
            watcher.stop()
        context.close()

    return lifespan


def _load(context: Context, on_loaded: OnLoaded | None) -> None:
    error: FactoryError | None = None
    try:
        context.engine.load()
    except FactoryError as exc:
        error = exc
    except Exception as exc:
        error = FactoryError(f"{type(exc).__name__}: {exc}")
    if error:
        context.failed = True

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
    """Serve Swagger UI from an installed package, instead of from a CDN as FastAPI does."""
    app.mount(_SWAGGER, StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static"))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        assets = _SWAGGER.removeprefix("/")
        page = get_swagger_ui_html(
            openapi_url="openapi.json",
            title="data_label_factory API",
            swagger_js_url=f"{assets}/swagger-ui-bundle.js",
            swagger_css_url=f"{assets}/swagger-ui.css",
            swagger_favicon_url=f"{assets}/favicon.png",
        )
        page.headers["Content-Security-Policy"] = _SWAGGER_CSP
        return page


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(BusyError)
    async def on_busy(_request: Request, exc: BusyError) -> JSONResponse:
        return _as_problem(429, str(exc), {"Retry-After": str(exc.retry_after)})

    @app.exception_handler(FactoryError)
    async def on_factory_error(_request: Request, exc: FactoryError) -> JSONResponse:
        code = _find_status_code(exc)
        if code == _OTHER_STATUS_CODE:
            note("failed", logging.ERROR, reason=exc)
        return _as_problem(code, str(exc))

    @app.exception_handler(404)
    @app.exception_handler(405)
    async def on_wrong_address(_request: Request, exc: HTTPException) -> JSONResponse:
        details = {
            "Not Found": "There is nothing here. See /docs",
            "Method Not Allowed": "This method is not allowed here. See /docs",
        }
        return _as_problem(exc.status_code, details.get(exc.detail, exc.detail), exc.headers)

    @app.exception_handler(RequestValidationError)
    async def on_invalid_request(_request: Request, exc: RequestValidationError) -> JSONResponse:
        return _as_problem(422, _describe_faults(exc))

    @app.exception_handler(Exception)
    async def on_unexpected(request: Request, exc: Exception) -> JSONResponse:
        logger.error("unexpected", exc_info=exc, extra={"fields": {"path": request.url.path}})
        return _as_problem(500, UNEXPECTED)


_NAMED_FAULTS = 10  # of a request
# pydantic's kinds of faults, in words for people.
_FAULTS = {
    "missing": "is missing",
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "extra_forbidden": "is no field here",
    "literal_error": "must be {expected}",
    "too_short": "has too few",
    "too_long": "has too many",
    "string_pattern_mismatch": "has characters that are not allowed, or too many",
}


def _find_status_code(error: FactoryError) -> int:
    for kind, code in _STATUS_CODES:
        if isinstance(error, kind):
            return code
    return _OTHER_STATUS_CODE


def _describe_faults(error: RequestValidationError) -> str:
    """What is wrong with a request, without the values sent: one may be a whole picture."""
    faults = []
    every = error.errors()
    for fault in every[:_NAMED_FAULTS]:
        field = ".".join(str(part) for part in fault["loc"][1:])
        is_file = "UploadFile" in fault["msg"]
        what = "must be a file" if is_file else _FAULTS.get(fault["type"], "is not valid")
        what = what.format(**fault.get("ctx", {}))
        faults.append(f"{field} {what}")
    if len(every) > _NAMED_FAULTS:
        faults.append(f"and {len(every) - _NAMED_FAULTS} more")

    hint = "See /docs"
    if "image" in str(faults):
        hint = "Send multipart/form-data with the picture as the field image"
    return f"{'; '.join(faults)}. {hint}"


def _as_problem(code: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    # A name that is not valid UTF-8 holds surrogates, which JSONResponse cannot encode.
    return JSONResponse({"detail": detail.encode("utf-8", "replace").decode()}, code, headers)
