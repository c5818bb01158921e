"""What a server is started with; the same values come as options or from the environment."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from data_label_factory.cpu import cpu_count
from data_label_factory.errors import FactoryError
from data_label_factory.identify.choices import (
    DEFAULT_READ_MS,
    DEFAULT_STRICTNESS,
    Detector,
    Device,
    Effort,
    ReadMode,
)
from data_label_factory.lists.place import find_lists

# Where `data_label_factory web` serves the tracker. The server's own copy needs no
# permission.
TRACKER_ORIGINS = ("http://localhost:3030", "http://127.0.0.1:3030")
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_MAX_WORKERS = 4
# As browsers send it.
_ORIGIN = re.compile(r"\*|https?://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?")


@dataclass(frozen=True)
class Settings:
    """The options of one server.

    `strictness` is the false-accept rate for unknown items. The
    thresholds are cosines; None leaves the decision to the recognizer.
    Beside the requests that `workers` answer, `queue` may wait. What
    `lan` leaves open, `access.prepare` fills in.
    `lists` is the file of lists, "" for the one beside the index.
    """

    index: Path
    refs: Path | None = None
    encoder: str = ""
    projection: Path | None = None
    prices: Path | None = None
    lists: str = ""
    host: str = "127.0.0.1"
    port: int = 8500
    strictness: float = DEFAULT_STRICTNESS
    sim_threshold: float | None = None
    margin_threshold: float | None = None
    detector: Detector = "flat"
    device: Device = "auto"
    read: ReadMode = "auto"
    read_ms: float = DEFAULT_READ_MS
    effort: Effort = "auto"
    cors: tuple[str, ...] = TRACKER_ORIGINS
    api_key: str = field(default="", repr=False)
    max_upload_mb: float = 20
    queue: int = 8
    workers: int = field(default_factory=lambda: min(cpu_count(), _MAX_WORKERS))
    watch: bool = False
    allow_enroll: bool = False
    lan: bool = False
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    webhook: tuple[str, ...] = field(default=(), repr=False)
    webhook_secret: str = field(default="", repr=False)
    fx_url: str | None = None
    fx_rates: tuple[str, ...] = ()
    drain_seconds: float = 1.0
    log_level: str = "info"

    @property
    def max_upload_bytes(self) -> int:
        return int(self.max_upload_mb * 2**20)

    @property
    def lists_path(self) -> Path | None:
        """The file of lists, None if none are kept."""
        return find_lists(self.index, self.lists)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK_HOSTS

    def check(self) -> None:
        """Raises FactoryError if values contradict each other, or `refs` is not a folder."""
        if self.refs is not None and not self.refs.is_dir():
            raise FactoryError(
                f"{self.refs} is not a folder", "--refs names the folder of reference pictures"
            )

        needs_refs = {"--watch": self.watch, "--allow-enroll": self.allow_enroll}
        for option, is_given in needs_refs.items():
            if is_given and self.refs is None:
                raise FactoryError(f"{option} needs --refs, the folder of reference pictures")

        for origin in self.cors:
            if not _ORIGIN.fullmatch(origin):
                raise FactoryError(
                    f"{origin!r} is not an origin",
                    "--cors takes origins such as https://cards.example.org, or *",
                )

        self._check_webhooks()
        if (self.ssl_certfile is None) != (self.ssl_keyfile is None):
            raise FactoryError("TLS needs both --ssl-certfile and --ssl-keyfile")

    def _check_webhooks(self) -> None:
        for url in self.webhook:
            if not _is_address(url):
                raise FactoryError(
                    f"{url!r} is not an address for --webhook",
                    "Give one such as https://example.org/hook",
                )
        if self.webhook_secret and not self.webhook:
            raise FactoryError("--webhook-secret needs --webhook")


def _is_address(url: str) -> bool:
    """Whether it is an http address of a host."""
    with suppress(ValueError):
        parts = urlsplit(url)
        parts.port  # noqa: B018, raises ValueError
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    return False
