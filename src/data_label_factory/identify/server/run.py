"""Run the application on uvicorn until it is told to stop."""

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
from data_label_factory.identify.server.observe import log_to_stderr, note
from data_label_factory.identify.server.settings import Settings

_GRACE_SECONDS = 20  # for answers under way, once asked to stop
_LAST_WORDS_SECONDS = 0.3  # for who connected just before the door closed to send, and be answered
_SWITCH_SECONDS = (
    0.001  # for probes to get their turn beside busy workers; it would slow the loading down
)


class _Server(uvicorn.Server):
    """Goes on answering for a moment after SIGTERM: balancers see /readyz, clients leave their connections."""

    def __init__(self, config: uvicorn.Config, context: Context) -> None:
        super().__init__(config)
        self._context = context

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._context.draining = True
        if not self._context.failed:
            note("draining", running=self._context.work.depth)
            await asyncio.sleep(self._context.settings.drain_seconds)
            for server in self.servers:
                server.close()
            await asyncio.sleep(_LAST_WORDS_SECONDS)
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises FactoryError when it cannot begin: no index, another encoder's head, a
    port that is taken …"""
    log_to_stderr(settings.log_level)
    settings.check()
    _check_certificate(settings)
    # Workers are the parallelism: BLAS threads below them would fight over the same cores. OpenCV's do not, since one
    # worker at a time has them and the others go on alone; a single camera is answered a fifth sooner with them.
    with _bind(settings) as listener, threadpool_limits(1, user_api="blas"):
        failure: list[FactoryError] = []

        def loaded(error: FactoryError | None) -> None:
            sys.setswitchinterval(_SWITCH_SECONDS)
            if error:
                failure.append(error)
                server.should_exit = True

        app = create_app(settings, on_loaded=loaded)
        context: Context = app.state.context
        server = _Server(_config(app, settings), context)
        _announce(settings, listener)
        with _QuietEnd():
            server.run([listener])
        if failure:
            raise failure[0]
        note("stopped", served=context.served)


def _config(app: object, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http="h11",  # the strict one of uvicorn's parsers, and part of its plain install
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ssl_certfile=settings.ssl_certfile,
        ssl_keyfile=settings.ssl_keyfile,
    )


def _bind(settings: Settings) -> socket.socket:
    """Before anything slow, so that a taken port is known at once. Raises FactoryError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=128)
        # What is accepted takes this over; asyncio sets it only where a socket names its protocol, which this does not.
        # Without, a short answer's body waits 40 ms for the client to acknowledge its head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, OverflowError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise FactoryError(
            f"Cannot listen on {settings.host}:{settings.port}: {reason}",
            "Stop what uses that port, or choose another with --port",
        ) from exc


def _check_certificate(settings: Settings) -> None:
    if settings.ssl_certfile is None or settings.ssl_keyfile is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            settings.ssl_certfile, settings.ssl_keyfile
        )
    except OSError as exc:  # ssl.SSLError is one
        raise FactoryError(
            f"Cannot use the certificate {settings.ssl_certfile} with {settings.ssl_keyfile}: {exc.strerror or exc}",
            "Both are PEM files, the key without a password",
        ) from exc


def _announce(settings: Settings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    note(
        "listening",
        url=f"{'https' if settings.ssl_certfile else 'http'}://{shown}:{port}/",
        pid=os.getpid(),
    )
    if not settings.is_local and not settings.api_key:
        note(
            "open to the network without a key; set --api-key or DLF_API_KEY",
            logging.WARNING,
            host=settings.host,
        )


class _QuietEnd:
    """Ends with exit code 0 after a signal: uvicorn, once it has stopped, raises the signal it was stopped by again."""

    def __enter__(self) -> None:
        self._before = {
            number: signal.signal(number, _ignore) for number in (signal.SIGTERM, signal.SIGINT)
        }

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    pass
