"""Settings → sockets that listen, and a log line that says where."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from data_label_factory.errors import FactoryError
from data_label_factory.identify.server.access import Access, describe
from data_label_factory.identify.server.logs import note
from data_label_factory.identify.server.settings import Settings

_BACKLOG = 128
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Listeners:
    """`main` has the certificate, if there is one. `plain` is for
    this machine, which needs none; None: there is only one socket.
    """

    main: socket.socket
    plain: socket.socket | None

    @property
    def port(self) -> int:
        return int(self.main.getsockname()[1])


@contextmanager
def listening(settings: Settings) -> Iterator[Listeners]:
    """Listen before anything slow, so that a taken port shows at
    once. Raises FactoryError.
    """
    main = _bind(settings.host, settings.port)
    with main:
        plain = None
        if settings.lan and _is_beside_loopback(settings):
            # The same number: no other program may pose as this
            # server on loopback, and people know one port.
            plain = _bind(_LOOPBACK, main.getsockname()[1])
        try:
            yield Listeners(main, plain)
        finally:
            if plain is not None:
                plain.close()


def check_certificate(settings: Settings) -> None:
    """Raises FactoryError if there is one that cannot be used."""
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


def announce(settings: Settings, listeners: Listeners) -> Access:
    """Log the address that works from other machines, or of a
    server on loopback from this one, without the key.
    """
    access = describe(
        settings,
        listeners.port,
        is_open_here=listeners.plain is not None,
    )
    note("listening", url=access.urls[0], pid=os.getpid())

    if not settings.is_local and not settings.api_key:
        note(
            "open to the network without a key; set --api-key or DLF_API_KEY",
            logging.WARNING,
            host=settings.host,
        )
    return access


def _is_beside_loopback(settings: Settings) -> bool:
    """Whether loopback is free for a second socket."""
    return settings.host not in ("", "0.0.0.0", "::", _LOOPBACK)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server(
            (host, port),
            family=family,
            backlog=_BACKLOG,
        )
        # Accepted sockets inherit this. asyncio sets it only for
        # sockets with an explicit protocol number, which this one
        # has not. Without it, the body of a short answer waits 40 ms
        # for the client to acknowledge the head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, OverflowError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise FactoryError(
            f"Cannot listen on {host}:{port}: {reason}",
            "Stop what uses that port, or choose another with --port",
        ) from exc
