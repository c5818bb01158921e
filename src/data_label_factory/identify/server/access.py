"""`--lan`: what opens a server to the phones of the network, and
the addresses by which it is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from data_label_factory.errors import FactoryError
from data_label_factory.extras import need
from data_label_factory.folders import cache_folder
from data_label_factory.identify.server.keys import PARAMETER
from data_label_factory.identify.server.settings import Settings
from data_label_factory.lan import (
    QrCode,
    draw_code,
    find_addresses,
    is_wildcard,
    keep_certificate,
    keep_key,
)
from data_label_factory.lan.addresses import find_names
from data_label_factory.lan.certificate import read_fingerprint
from data_label_factory.web import assets


@dataclass(frozen=True)
class Access:
    """How a server is reached. The first of `urls` is for other
    machines, if there are any that can; `local_url` is for this
    one. Both end in `/`.

    `fingerprint` is that of the certificate, `authority` who signed
    it, if we did, in DER; empty without one. With `is_for_phones`,
    the key may be shown to who has it already.
    """

    urls: tuple[str, ...]
    local_url: str
    key: str = ""
    fingerprint: str = ""
    authority: bytes = b""
    is_for_phones: bool = False

    @property
    def links(self) -> list[str]:
        """What a phone has to open, with the key."""
        return [self._link(url) for url in self.urls]

    @property
    def local_link(self) -> str:
        return self._link(self.local_url)

    @cached_property
    def code(self) -> QrCode:
        """The first of the links, to scan."""
        return draw_code(self.links[0])

    def _link(self, url: str) -> str:
        key = f"?{PARAMETER}={quote(self.key, safe='')}" if self.key else ""
        return f"{url}{assets.PAGE.removeprefix('/')}{key}"


OnListening = Callable[[Access], None]


def lan_folder() -> Path:
    """Where certificate and key are kept."""
    return cache_folder() / "lan"


def prepare(settings: Settings) -> Settings:
    """The settings of a server with `--lan`, completed: the address
    to listen on, the key and the certificate. Others are returned
    as they are.

    Raises MissingExtraError without the extra `lan`, FactoryError
    if there is no network.
    """
    if not settings.lan:
        return settings
    need("segno", extra="lan")

    host = settings.host
    if settings.is_local:
        addresses = find_addresses()
        if not addresses:
            raise FactoryError(
                "This computer is in no network that a phone could share",
                "Connect it, or name its address with --host",
            )
        host = addresses[0]

    completed = replace(
        settings,
        host=host,
        api_key=settings.api_key or keep_key(lan_folder()),
    )
    if settings.ssl_certfile is None:
        kept = keep_certificate(lan_folder(), [*reachable(host), *find_names()])
        return replace(completed, ssl_certfile=kept.path, ssl_keyfile=kept.path)
    return completed


def reachable(host: str) -> list[str]:
    """The addresses by which a server that listens on `host` is
    reached from other machines.
    """
    if is_wildcard(host):
        return find_addresses(v6=host == "::")
    return [host]


def describe(settings: Settings, port: int, *, is_open_here: bool) -> Access:
    """How a server with these settings, which listens on `port`,
    is reached. `is_open_here` says that it also listens on
    loopback, without a certificate.
    """
    scheme = "https" if settings.ssl_certfile else "http"
    hosts = [settings.host] if settings.is_local else reachable(settings.host)
    urls = [_spell(scheme, host, port) for host in hosts]

    local = urls[0] if urls else _spell(scheme, "localhost", port)
    if is_open_here:
        local = _spell("http", "localhost", port)
    elif is_wildcard(settings.host):
        local = _spell(scheme, "localhost", port)

    fingerprint, authority = _read_certificate(settings)
    return Access(
        tuple(urls) or (local,),
        local,
        settings.api_key,
        fingerprint,
        authority,
        is_for_phones=settings.lan,
    )


def _read_certificate(settings: Settings) -> tuple[str, bytes]:
    path = settings.ssl_certfile
    if path is None:
        return "", b""
    if settings.lan and path.parent == lan_folder():
        kept = keep_certificate(lan_folder(), [])
        return kept.fingerprint, kept.authority
    with suppress(OSError, ValueError):
        return read_fingerprint(path), b""
    return "", b""


def _spell(scheme: str, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}/"


def describe_for_people(access: Access) -> Sequence[str]:
    """What a terminal says, line by line, before and after the
    code: to whom the address belongs, and what a browser asks.
    """
    host = access.urls[0].partition("://")[2].rpartition(":")[0]
    lines = [
        *(f"  {link}" for link in access.links),
        "",
        "Whoever has this address can use the server.",
        f"On this computer: {access.local_link}",
    ]
    if access.authority:
        lines += [
            "",
            "The phone will warn you once: it does not know the certificate,",
            "which this computer made itself. Press",
            f"  Chrome:  Advanced, then Proceed to {host}",
            "  Safari:  Show Details, then visit this website",
            "  Firefox: Advanced, then Accept the Risk and Continue",
        ]
    if access.fingerprint:
        lines += [
            "It is the right one if its SHA-256 fingerprint is",
            *(f"  {part}" for part in halve(access.fingerprint)),
        ]
    return lines


def halve(fingerprint: str) -> list[str]:
    """A fingerprint as two lines, which fit a terminal."""
    middle = len(fingerprint) // 2
    return [fingerprint[:middle], fingerprint[middle + 1 :]]
