"""Every request → one count, one log line, and the security headers of its response."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data_label_factory.identify.server.logs import logger, note
from data_label_factory.identify.server.metrics import Metrics

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-site",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
# Any other method is counted as "other": a client must not create labels at will.
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"})


class Observer:
    """ASGI middleware that counts and logs requests, and completes the
    headers of responses.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, is_draining: Callable[[], bool]) -> None:
        self._app = app
        self._metrics = metrics
        self._is_draining = is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        start = time.perf_counter()
        status = 500
        method = scope["method"]
        if method == "HEAD":  # handled as GET; uvicorn sends no body
            scope = {**scope, "method": "GET"}

        async def send_completed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete_headers(message)
            await send(message)

        try:
            await self._app(scope, receive, send_completed)
        finally:
            self._record(scope, method, status, time.perf_counter() - start)

    def _complete_headers(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in _SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        if self._is_draining():
            headers["Connection"] = "close"

    def _record(self, scope: Scope, method: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or "other"
        self._metrics.count(method if method in _METHODS else "other", route, status)

        if logger.isEnabledFor(logging.DEBUG):
            client = (scope.get("client") or ("",))[0]
            note(
                "request",
                logging.DEBUG,
                method=method,
                path=scope["path"],
                status=status,
                ms=round(seconds * 1000, 1),
                client=client,
            )
