"""What is settled before a request's body is read: key, origin, host, size, and whether there is a place at all."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from data_label_factory.identify.server.settings import LOOPBACK_HOSTS, Settings
from data_label_factory.identify.server.work_queue import BusyError

OPEN_PATHS = frozenset({"/livez", "/readyz"})
_FORM_OVERHEAD_BYTES = 64 * 2**10  # boundaries, headers and the other fields around a picture
_UPLOAD_SECONDS = 30.0
_LINGER_SECONDS, _LINGER_FACTOR = 5.0, 4


class Guard:
    """ASGI middleware that refuses early. `has_place` raises BusyError when no work can be taken."""

    def __init__(
        self, app: ASGIApp, settings: Settings, has_place: Callable[[], None], most_uploads: int
    ) -> None:
        self._app, self._settings, self._has_place = app, settings, has_place
        self._most_uploads, self._uploads = most_uploads, 0
        self._max_bytes = settings.max_upload_bytes + _FORM_OVERHEAD_BYTES
        hosts = {_host(origin.partition("://")[2]) for origin in settings.cors} - {""}
        # Bound to loopback, a page whose name was made to lead here (DNS rebinding) must not get in.
        self._hosts = LOOPBACK_HOSTS | hosts if settings.is_local and not settings.api_key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if refusal := self._refusal(scope):
            return await self._refuse(refusal, receive, send, Headers(scope=scope))
        if scope["method"] != "POST":
            return await self._app(scope, receive, send)
        self._uploads += 1
        try:
            await self._with_limits(scope, receive, send)
        finally:
            self._uploads -= 1

    def _refusal(self, scope: Scope) -> HTTPException | None:
        headers = Headers(scope=scope)
        if scope["path"] in OPEN_PATHS:
            return None
        if self._hosts is not None and _host(headers.get("host", "")) not in self._hosts:
            return HTTPException(
                421,
                "This server answers to localhost only. Use that name, or start it with --cors https://YOUR-NAME",
            )
        if self._settings.api_key and scope["method"] != "OPTIONS" and not self._has_key(headers):
            return HTTPException(
                401,
                "A key is needed: send it as the header X-API-Key",
                {"WWW-Authenticate": 'Basic realm="key"'},
            )
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and not self._is_own_origin(headers):
            return HTTPException(
                403,
                "Pages of this origin may not write here. Start the server with --cors and that origin to allow it",
            )
        if scope["method"] == "POST":
            return self._no_place(headers)
        return None

    def _no_place(self, headers: Headers) -> HTTPException | None:
        if _length(headers) > self._max_bytes:
            return self._too_large()
        try:
            self._has_place()
            if self._uploads >= self._most_uploads:
                raise BusyError(1)
        except BusyError as exc:
            return HTTPException(429, str(exc), {"Retry-After": str(exc.retry_after)})
        return None

    def _too_large(self) -> HTTPException:
        return HTTPException(
            413, f"The upload is over {self._settings.max_upload_mb:g} MB. Send a smaller picture"
        )

    def _has_key(self, headers: Headers) -> bool:
        given = headers.get("x-api-key", "")
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            given = credentials.strip()
        elif (
            scheme.lower() == "basic"
        ):  # what a browser sends, for pictures too, once it has asked for the key
            with suppress(binascii.Error, UnicodeDecodeError):
                given = base64.b64decode(credentials).decode().partition(":")[2]
        digests = (hashlib.sha256(key.encode()).digest() for key in (given, self._settings.api_key))
        return hmac.compare_digest(*digests)

    def _is_own_origin(self, headers: Headers) -> bool:
        """Forms may be posted across origins without asking: only ours, this machine's and the allowed ones count."""
        origin = headers.get("origin")
        if origin is None or origin in self._settings.cors or "*" in self._settings.cors:
            return True
        place = origin.partition("://")[2]
        return place == headers.get("host") or (
            self._settings.is_local and _host(place) in LOOPBACK_HOSTS
        )

    async def _with_limits(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app, but stop a body that grows too large or comes too slowly."""
        refusal: HTTPException | None = None
        received, complete, deadline = 0, False, time.monotonic() + _UPLOAD_SECONDS

        async def limited_receive() -> Message:
            nonlocal refusal, received, complete
            if complete:  # from here on only a client that hangs up is heard
                return await receive()
            try:
                async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                refusal = HTTPException(
                    408, f"The upload took over {_UPLOAD_SECONDS:g} s. Send a smaller picture"
                )
                raise refusal from None
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if received > self._max_bytes:
                refusal = self._too_large()
                raise refusal
            return message

        async def held_back(message: Message) -> None:
            if refusal is None:  # else what the app makes of the error is ours to answer
                await send(message)

        try:
            await self._app(scope, limited_receive, held_back)
        except HTTPException as exc:
            if exc is not refusal:
                raise
        if refusal is not None:
            await self._refuse(refusal, receive, send, Headers(scope=scope), is_read=complete)

    async def _refuse(
        self,
        error: HTTPException,
        receive: Receive,
        send: Send,
        headers: Headers,
        *,
        is_read: bool = False,
    ) -> None:
        """Answer at once, then read on for a moment: a connection closed on unread data loses the answer."""
        body = json.dumps({"detail": error.detail}).encode()
        fields = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
            **(error.headers or {}),
        }
        raw = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": error.status_code, "headers": raw})
        await send({"type": "http.response.body", "body": body, "more_body": True})
        if (
            not is_read
            and "expect" not in headers
            and _length(headers) <= _LINGER_FACTOR * self._max_bytes
        ):
            await self._linger(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _linger(self, receive: Receive) -> None:
        left = _LINGER_FACTOR * self._max_bytes
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return


def _length(headers: Headers) -> float:
    """The length that the client announces in bytes, 0 when it announces none."""
    text = headers.get("content-length", "0")
    return int(text) if text.isdecimal() and len(text) < 20 else float("inf")


def _host(netloc: str) -> str:
    """The name in `name:port` or `[address]:port`, in small letters."""
    with suppress(ValueError):
        return (urlsplit(f"//{netloc}").hostname or "").lower()
    return ""
