"""The counters and timings of a server, as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10)
_REFUSALS = {401: "key", 403: "origin", 408: "slow", 413: "size", 421: "host", 429: "busy"}


class Metrics:
    """One server's own Prometheus registry.

    `stages` times the parts of a recognition: decode, wait, recognize,
    encode.
    """

    def __init__(self) -> None:
        self.errors = 0  # a plain number, because /health reports the sum over all labels
        self.registry = CollectorRegistry()

        self.requests = Counter(
            "dlf_requests",
            "Requests answered",
            ["method", "path", "status"],
            registry=self.registry,
        )
        self.stages = Histogram(
            "dlf_stage_seconds",
            "Seconds per recognition and stage",
            ["stage"],
            buckets=_BUCKETS_SECONDS,
            registry=self.registry,
        )
        self.rejected = Counter(
            "dlf_rejected",
            "Requests refused without reading the body",
            ["reason"],
            registry=self.registry,
        )

    def add_gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Add a value that is read whenever the metrics are asked for."""
        Gauge(name, description, registry=self.registry).set_function(read)

    def count(self, method: str, path: str, status: int) -> None:
        """Count one answered request. A 503 of /readyz is not an error."""
        self.requests.labels(method, path, str(status)).inc()
        self.errors += status >= 400 and path != "/readyz"
        if status in _REFUSALS:
            self.rejected.labels(_REFUSALS[status]).inc()
