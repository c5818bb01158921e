"""Settings → the application on uvicorn, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
from types import FrameType

import uvicorn
from threadpoolctl import threadpool_limits

from data_label_factory.errors import FactoryError
from data_label_factory.identify.server.app import create_app
from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.logs import log_to_stderr, note
from data_label_factory.identify.server.settings import Settings

_BACKLOG = 128
# For requests that are being answered when the server is told to stop.
_GRACE_SECONDS = 20
# Of one camera; `live` takes them at once and keeps the newest.
_WAITING_MESSAGES = 2
# For clients that connected just before the socket closed.
_LATE_CLIENT_SECONDS = 0.3
# Shorter than Python's 5 ms, so that /health gets its turn beside busy workers. Only
# once loaded, because it slows loading down.
_SWITCH_SECONDS = 0.001


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises FactoryError if it cannot start: there is no index, the head
    belongs to another encoder, the port is taken, and the like.
    """
    log_to_stderr(settings.log_level)
    settings.check()
    _check_certificate(settings)

    # The workers are the parallelism: BLAS threads below them would compete for the
    # same cores. OpenCV's threads do not, because only one worker at a time has them; a
    # single camera gets its answers in four fifths of the time with them.
    with _bind(settings) as listener, threadpool_limits(1, user_api="blas"):
        failures: list[FactoryError] = []

        def on_loaded(error: FactoryError | None) -> None:
            sys.setswitchinterval(_SWITCH_SECONDS)
            if error:
                failures.append(error)
                server.should_exit = True

        app = create_app(settings, on_loaded=on_loaded)
        context: Context = app.state.context
        server = _Server(_make_config(app, settings), context)
        with _EarlyAndLateSignals(server):
            _announce(settings, listener)
            server.run([listener])

        if failures:
            raise failures[0]
        note("stopped", served=context.served)


class _Server(uvicorn.Server):
    """Goes on answering for a moment after SIGTERM.

    Load balancers see /readyz change meanwhile, and clients close their
    connections.
    """

    def __init__(self, config: uvicorn.Config, context: Context) -> None:
        super().__init__(config)
        self._context = context
        self.told_to_stop = False

    async def main_loop(self) -> None:
        self.should_exit |= self.told_to_stop
        await super().main_loop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._context.draining = True
        if not self._context.failed:
            note("draining", running=self._context.work.depth)
            await asyncio.sleep(self._context.settings.drain_seconds)

            for server in self.servers:
                server.close()
            await asyncio.sleep(_LATE_CLIENT_SECONDS)
        await super().shutdown(sockets)


class _EarlyAndLateSignals:
    """Takes SIGTERM and SIGINT outside uvicorn's own handlers.

    A signal before it has them stops the server as soon as it runs.
    Once stopped, uvicorn raises the signal again, to no effect: the
    exit code should be 0.
    """

    def __init__(self, server: _Server) -> None:
        self._server = server

    def __enter__(self) -> None:
        self._before = {
            number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)
        }

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._server.told_to_stop = True


def _make_config(app: object, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http="h11",  # the strictest of uvicorn's parsers, and part of its plain install
        ws="websockets-sansio",
        ws_max_size=settings.max_upload_bytes,
        ws_max_queue=_WAITING_MESSAGES,
        ws_per_message_deflate=False,  # frames are compressed already
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ssl_certfile=settings.ssl_certfile,
        ssl_keyfile=settings.ssl_keyfile,
    )


def _bind(settings: Settings) -> socket.socket:
    """Listen before anything slow, so that a taken port shows at once.

    Raises FactoryError.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    address = (settings.host, settings.port)

    try:
        listener = socket.create_server(address, family=family, backlog=_BACKLOG)
        # Accepted sockets inherit this. asyncio sets it only for sockets with an
        # explicit protocol number, which this one has not. Without it, the body of a
        # short answer waits 40 ms for the client to acknowledge the head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, OverflowError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise FactoryError(
            f"Cannot listen on {settings.host}:{settings.port}: {reason}",
            "Stop what uses that port, or choose another with --port",
        ) from exc


def _check_certificate(settings: Settings) -> None:
    certificate = settings.ssl_certfile
    key = settings.ssl_keyfile
    if certificate is None or key is None:
        return

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as exc:  # ssl.SSLError is a subclass
        raise FactoryError(
            f"Cannot use the certificate {certificate} with {key}: {exc.strerror or exc}",
            "Both are PEM files, the key without a password",
        ) from exc


def _announce(settings: Settings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown_host = f"[{host}]" if ":" in host else host
    scheme = "https" if settings.ssl_certfile else "http"
    note("listening", url=f"{scheme}://{shown_host}:{port}/", pid=os.getpid())

    if not settings.is_local and not settings.api_key:
        note(
            "open to the network without a key; set --api-key or DLF_API_KEY",
            logging.WARNING,
            host=settings.host,
        )
