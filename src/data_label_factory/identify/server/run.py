"""Settings → the application on uvicorn, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from types import FrameType

import uvicorn
from threadpoolctl import threadpool_limits

from data_label_factory.errors import FactoryError
from data_label_factory.identify.server.access import OnListening, prepare
from data_label_factory.identify.server.app import create_app
from data_label_factory.identify.server.context import Context
from data_label_factory.identify.server.listening import (
    Listeners,
    announce,
    check_certificate,
    listening,
)
from data_label_factory.identify.server.logs import log_to_stderr, note
from data_label_factory.identify.server.settings import Settings

# For requests that are being answered when the server is told to stop.
_GRACE_SECONDS = 20
# Of one camera; `live` takes them at once and keeps the newest.
_WAITING_MESSAGES = 2
# For clients that connected just before the socket closed.
_LATE_CLIENT_SECONDS = 0.3
# Shorter than Python's 5 ms, so that /health gets its turn beside busy workers. Only
# once loaded, because it slows loading down.
SWITCH_SECONDS = 0.001


def serve(settings: Settings, on_listening: OnListening | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C.

    `on_listening` is told how the server is reached.

    Raises FactoryError if it cannot start: there is no index, the head
    belongs to another encoder, the port is taken, and the like.
    """
    log_to_stderr(settings.log_level)
    settings.check()
    settings = prepare(settings)
    check_certificate(settings)

    # The workers are the parallelism: BLAS threads below them would compete for the
    # same cores. OpenCV's threads do not, because only one worker at a time has them; a
    # single camera gets its answers in four fifths of the time with them.
    with listening(settings) as listeners, threadpool_limits(1, user_api="blas"):
        failures: list[FactoryError] = []

        def on_loaded(error: FactoryError | None) -> None:
            sys.setswitchinterval(SWITCH_SECONDS)
            if error:
                failures.append(error)
                server.should_exit = True

        app = create_app(settings, on_loaded=on_loaded)
        context: Context = app.state.context
        server = _Server(_make_config(app, settings), context, listeners)
        with _EarlyAndLateSignals(server):
            context.access = announce(settings, listeners)
            if on_listening:
                on_listening(context.access)
            server.run([listeners.main])

        if failures:
            raise failures[0]
        note("stopped", served=context.served)


class _Server(uvicorn.Server):
    """Goes on answering for a moment after SIGTERM.

    Load balancers see /readyz change meanwhile, and clients close their
    connections.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        context: Context,
        listeners: Listeners,
    ) -> None:
        super().__init__(config)
        self._context = context
        self._plain = listeners.plain
        self.told_to_stop = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._plain is not None:
            loop = asyncio.get_running_loop()
            plain = await loop.create_server(
                self._make_protocol,
                sock=self._plain,
                backlog=self.config.backlog,
            )
            self.servers.append(plain)

    def _make_protocol(self) -> asyncio.Protocol:
        """What answers one connection, as uvicorn makes it."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )

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
        loop="asyncio",  # also where another package brings uvloop
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
