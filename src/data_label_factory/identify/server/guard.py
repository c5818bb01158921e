"""Requests that can be refused before their body is read: by key, origin, host, size or load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data_label_factory.identify.server.keys import Key
from data_label_factory.identify.server.refusals import make_body, refuse_socket
from data_label_factory.identify.server.settings import LOOPBACK_HOSTS, Settings
from data_label_factory.identify.server.work_queue import BusyError

OPEN_PATHS = frozenset({"/livez", "/readyz"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_BODY_METHODS = frozenset({"POST", "PATCH"})
# What is sent there waits for no recognition: a busy camera must not keep
# an entry off its list.
_LISTS = "/api/lists"
# Boundaries, headers and the other fields around a picture.
_FORM_OVERHEAD_BYTES = 64 * 2**10
_UPLOAD_SECONDS = 30.0
# How long, and for how many times the allowed size, a refused body is still read.
_LINGER_SECONDS = 5.0
_LINGER_FACTOR = 4


class Guard:
    """ASGI middleware that refuses early.

    `check_capacity` raises BusyError if no work fits.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        check_capacity: Callable[[], None],
        max_uploads: int,
    ) -> None:
        self._app = app
        self._settings = settings
        self._check_capacity = check_capacity
        self._max_uploads = max_uploads
        self._uploads = 0
        self._max_bytes = settings.max_upload_bytes + _FORM_OVERHEAD_BYTES
        self._hosts = _find_allowed_hosts(settings)
        self._key = Key(settings.api_key) if settings.api_key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)

        if self._key and (fields := self._key.admit(scope)):
            answer = Response(status_code=303, headers=fields)
            return await answer(scope, receive, send)

        refusal = self._find_refusal(scope)
        if scope["type"] == "websocket" and refusal:
            return await refuse_socket(refusal, receive, send)
        if refusal:
            return await self._refuse(refusal, receive, send, Headers(scope=scope))
        if scope.get("method") not in _BODY_METHODS:
            return await self._app(scope, receive, send)

        self._uploads += 1
        try:
            await self._run_with_limits(scope, receive, send)
        finally:
            self._uploads -= 1

    def _find_refusal(self, scope: Scope) -> HTTPException | None:
        """Why a request is refused by its head alone, None if it is not."""
        if scope["path"] in OPEN_PATHS:
            return None

        headers = Headers(scope=scope)
        method = scope.get("method", "")  # none for a WebSocket: a page may write into it
        if self._hosts is not None and _parse_host(headers.get("host", "")) not in self._hosts:
            return HTTPException(
                421,
                "This server answers to localhost only. "
                "Use that name, or start it with --cors https://YOUR-NAME",
            )
        if self._key and method != "OPTIONS" and not self._key.is_in(headers):
            return HTTPException(
                401,
                "A key is needed: send it as the header X-API-Key",
                {"WWW-Authenticate": 'Basic realm="key"'},
            )
        if method not in _SAFE_METHODS and not self._is_allowed_origin(headers):
            return HTTPException(
                403,
                "Pages of this origin may not write here. "
                "Start the server with --cors and that origin to allow it",
            )
        if method in _BODY_METHODS:
            return self._find_upload_refusal(headers, scope["path"])
        return None

    def _find_upload_refusal(self, headers: Headers, path: str) -> HTTPException | None:
        if _announced_bytes(headers) > self._max_bytes:
            return _too_large(self._settings)
        try:
            if not path.startswith(_LISTS):
                self._check_capacity()
            if self._uploads >= self._max_uploads:
                raise BusyError(1)
        except BusyError as exc:
            return HTTPException(429, str(exc), {"Retry-After": str(exc.retry_after)})
        return None

    def _is_allowed_origin(self, headers: Headers) -> bool:
        """Whether the page that sends this is the server's own, local, or
        named by --cors.

        Browsers post forms to other origins without a preflight, so CORS
        alone does not stop them.
        """
        settings = self._settings
        origin = headers.get("origin")
        if origin is None or origin in settings.cors or "*" in settings.cors:
            return True

        netloc = origin.partition("://")[2]
        if netloc == headers.get("host"):
            return True
        return settings.is_local and _parse_host(netloc) in LOOPBACK_HOSTS

    async def _run_with_limits(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app, but stop a body that grows too large or arrives too slowly."""
        body = _LimitedBody(receive, self._settings, self._max_bytes)

        async def send_unless_refused(message: Message) -> None:
            # After a refusal, the app answers the error that it met; our answer
            # replaces that.
            if body.refusal is None:
                await send(message)

        try:
            await self._app(scope, body.receive, send_unless_refused)
        except HTTPException as exc:
            if exc is not body.refusal:
                raise
        if body.refusal is not None:
            headers = Headers(scope=scope)
            await self._refuse(body.refusal, receive, send, headers, is_read=body.is_complete)

    async def _refuse(
        self,
        error: HTTPException,
        receive: Receive,
        send: Send,
        headers: Headers,
        *,
        is_read: bool = False,
    ) -> None:
        """Answer at once, then read on for a moment.

        If a connection is closed on unread data, the client loses the answer.
        """
        media, body = make_body(error, headers)
        fields = {
            **media,
            "content-length": str(len(body)),
            "connection": "close",
            **(error.headers or {}),
        }
        raw = [(name.lower().encode(), value.encode()) for name, value in fields.items()]

        await send({"type": "http.response.start", "status": error.status_code, "headers": raw})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        if not is_read and self._should_linger(headers):
            await self._linger(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _should_linger(self, headers: Headers) -> bool:
        # A client that sent Expect waits for our answer before it sends the body.
        is_short = _announced_bytes(headers) <= _LINGER_FACTOR * self._max_bytes
        return "expect" not in headers and is_short

    async def _linger(self, receive: Receive) -> None:
        left = _LINGER_FACTOR * self._max_bytes
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return


class _LimitedBody:
    """The body of one request, read until it is complete, too large or too slow."""

    def __init__(self, receive: Receive, settings: Settings, max_bytes: int) -> None:
        self.refusal: HTTPException | None = None
        self.is_complete = False
        self._receive = receive
        self._settings = settings
        self._max_bytes = max_bytes
        self._received_bytes = 0
        self._deadline = time.monotonic() + _UPLOAD_SECONDS

    async def receive(self) -> Message:
        """The next message. Raises HTTPException, also kept as `refusal`, beyond a limit."""
        if self.is_complete:  # all that can follow is a disconnect, which has no deadline
            return await self._receive()

        try:
            async with asyncio.timeout(max(0.0, self._deadline - time.monotonic())):
                message = await self._receive()
        except TimeoutError:
            self.refusal = HTTPException(
                408, f"The upload took over {_UPLOAD_SECONDS:g} s. Send a smaller picture"
            )
            raise self.refusal from None

        self._received_bytes += len(message.get("body", b""))
        self.is_complete = not message.get("more_body", False)
        if self._received_bytes > self._max_bytes:
            self.refusal = _too_large(self._settings)
            raise self.refusal
        return message


def _find_allowed_hosts(settings: Settings) -> frozenset[str] | None:
    """The names by which the server may be addressed, None for any.

    A server on loopback without a key must not be reachable by a page
    whose name was made to resolve to this machine (DNS rebinding).
    """
    if not settings.is_local or settings.api_key:
        return None
    hosts = {_parse_host(origin.partition("://")[2]) for origin in settings.cors} - {""}
    return LOOPBACK_HOSTS | hosts


def _too_large(settings: Settings) -> HTTPException:
    limit = f"{settings.max_upload_mb:g} MB"
    return HTTPException(413, f"The upload is over {limit}. Send a smaller picture")


def _announced_bytes(headers: Headers) -> float:
    """The Content-Length, 0 without one, infinite for an invalid one."""
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() and len(text) < 20 else float("inf")


def _parse_host(netloc: str) -> str:
    """The host of `name:port` or `[address]:port`, in lower case; empty if it is invalid."""
    with suppress(ValueError):
        return (urlsplit(f"//{netloc}").hostname or "").lower()
    return ""
