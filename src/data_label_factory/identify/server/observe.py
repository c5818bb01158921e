"""What can be seen of the server from outside: metrics, one log line a request, headers that keep pages safe."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("data_label_factory.server")

_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10)
_SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-site",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS"})
_REFUSED = {401: "key", 403: "origin", 408: "slow", 413: "size", 421: "host", 429: "busy"}


class Metrics:
    """The server's own Prometheus registry. Stages of a recognition: decode, wait, recognize, encode."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "dlf_requests",
            "Requests answered",
            ["method", "path", "status"],
            registry=self.registry,
        )
        self.stages = Histogram(
            "dlf_stage_seconds", "Seconds a recognition spends by stage", ["stage"], buckets=_BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.rejected = Counter(
            "dlf_rejected", "Requests refused unread", ["reason"], registry=self.registry
        )
        self.errors = 0  # also for /health, which has no labels

    def gauge(self, name: str, help_: str, read: Callable[[], float]) -> None:
        Gauge(name, help_, registry=self.registry).set_function(read)

    def count(self, method: str, path: str, status: int) -> None:
        self.requests.labels(method, path, str(status)).inc()
        self.errors += status >= 400 and path != "/readyz"
        if status in _REFUSED:
            self.rejected.labels(_REFUSED[status]).inc()


class Observer:
    """ASGI middleware: counts and logs each request, and sets the headers that every answer carries."""

    def __init__(self, app: ASGIApp, metrics: Metrics, is_draining: Callable[[], bool]) -> None:
        self._app, self._metrics, self._is_draining = app, metrics, is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        start, status, method = time.perf_counter(), 500, scope["method"]
        if method == "HEAD":  # answered as GET; the server sends no body
            scope = {**scope, "method": "GET"}

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                if self._is_draining():
                    headers["Connection"] = "close"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            path = getattr(scope.get("route"), "path", None) or "other"
            self._metrics.count(method if method in _METHODS else "other", path, status)
            if logger.isEnabledFor(logging.DEBUG):
                milliseconds = round((time.perf_counter() - start) * 1000, 1)
                client = (scope.get("client") or ("",))[0]
                note("request", logging.DEBUG, method=method, path=scope["path"], status=status,
                     ms=milliseconds, client=client)  # fmt: skip


def note(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Log one structured line; what was sent by a client can neither break it nor begin another."""
    logger.log(level, event, extra={"fields": fields})


class LineFormatter(logging.Formatter):
    """`time=… level=… event=… name=value …`, each value a JSON string when it is more than one plain word."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())


def _quoted(value: object) -> str:
    text = str(value)
    plain = text.isascii() and text.isprintable() and text and not set(text) & set(' ="\\')
    return text if plain else json.dumps(text)


def log_to_stderr(level: str) -> None:
    """Send our lines and uvicorn's warnings to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    for name, lowest in (("data_label_factory", level.upper()), ("uvicorn", "WARNING")):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [handler], False
        log.setLevel(lowest)
