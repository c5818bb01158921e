"""HTTP GET for the stages that touch the network: polite to hosts, bounded in time and size, plain about failures.

One `Fetcher` serves all threads of a run. It keeps the pace that each host asks for, tries again what may pass, waits
as `Retry-After` says, and gives up on a host that is plainly not there.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import requests

from data_label_factory.http.transport import Patience as Patience
from data_label_factory.http.transport import Reply, Transport, TryAgainError, failed
from data_label_factory.http.transport import shown as shown

MAX_API_BYTES = 32 * 2**20
_HOST_IS_GONE_AFTER = 3  # requests in a row that got no answer at all


class _Host:
    """What is known of one host: when it may be asked next, how often in a row it did not answer, the way to it."""

    def __init__(self, address: str) -> None:
        self.lock = threading.Lock()
        self.proxies = requests.utils.get_environ_proxies(address)
        self.next = 0.0
        self.silent = 0


class Fetcher:
    """GET with pace, retries and limits. Safe to share between threads; `stop` makes all of them give up soon."""

    def __init__(
        self,
        patience: Patience | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.patience = patience or Patience()
        self._transport = Transport(self.patience)
        self._clock = clock
        self._sleep = sleep or self._transport.stopped.wait
        self._hosts: dict[str, _Host] = {}

    def stop(self) -> None:
        """Let requests under way end at their next byte and refuse new ones."""
        self._transport.stopped.set()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        interval: float = 0.0,
        max_bytes: int = MAX_API_BYTES,
    ) -> Reply:
        """GET `url`, following redirects to http(s) only, and none when `headers` are given: they may hold a key.

        `interval` (seconds) is kept between two requests to the host. Raises FetchError when the answer is not 200,
        larger than `max_bytes` once decoded, too slow, or does not come.
        """
        host = self._host(url)
        last = TryAgainError("the host does not answer; not asked again in this run")
        for attempt in range(self.patience.tries):
            if host.silent >= _HOST_IS_GONE_AFTER:
                raise failed(url, str(last))
            self._wait_turn(host, interval)
            try:
                reply = self._transport.get(url, params, headers, max_bytes, host.proxies)
            except TryAgainError as exc:
                last = exc
                self._wait_before_retry(host, url, exc, attempt)
            else:
                host.silent = 0
                return reply
        host.silent = 0 if last.answered else host.silent + 1
        raise failed(url, f"{last} ({self.patience.tries} tries)")

    def json(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        interval: float = 0.0,
    ) -> Any:
        """GET a JSON document; numbers with a point become Decimal. Raises FetchError, also for what is no JSON."""
        reply = self.get(url, params=params, headers=headers, interval=interval)
        try:
            return json.loads(reply.body, parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, RecursionError) as exc:
            what = (
                "a web page" if reply.content_type == "text/html" else "something that is no JSON"
            )
            raise failed(url, f"it answered with {what}") from exc

    def _wait_turn(self, host: _Host, interval: float) -> None:
        with host.lock:
            now = self._clock()
            start = max(now, host.next)
            host.next = start + interval
        if start > now:
            self._sleep(start - now)

    def _wait_before_retry(self, host: _Host, url: str, exc: TryAgainError, attempt: int) -> None:
        if attempt + 1 == self.patience.tries:
            return
        if exc.wait is not None and exc.wait > self.patience.retry_after:
            raise failed(url, f"{exc}: it asks to come back in {exc.wait:.0f} s")
        if exc.wait is not None:  # what one request was told holds for every request to the host
            with host.lock:
                host.next = max(host.next, self._clock() + exc.wait)
        else:
            self._sleep(self.patience.backoff * 2**attempt)

    def _host(self, url: str) -> _Host:
        address = "/".join(shown(url).split("/", 3)[:3])
        host = self._hosts.get(address)
        return host or self._hosts.setdefault(address, _Host(address))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
