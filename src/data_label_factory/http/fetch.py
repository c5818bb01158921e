"""HTTP GET with pacing, retries, and limits of time and size, for
everything on the network.

All threads of a run share one `Fetcher`. It keeps the pace that
each host asks for, retries what may succeed later, obeys
`Retry-After`, and gives up on a host that does not answer.
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
from data_label_factory.http.transport import Reply, RetryableError, Transport, fetch_error
from data_label_factory.http.transport import redact_url as redact_url

MAX_API_BYTES = 32 * 2**20

# Requests in a row without any answer, after which a host is not asked again.
_MAX_SILENT_REQUESTS = 3


class _Host:
    """The state of one host, shared by all threads.

    `next_turn` is the clock time of the next request; `silent_requests`
    counts the requests in a row that got no answer.
    """

    def __init__(self, address: str) -> None:
        self.lock = threading.Lock()
        self.proxies = requests.utils.get_environ_proxies(address)
        self.next_turn = 0.0
        self.silent_requests = 0


class Fetcher:
    """GET with pacing, retries and limits.

    Threads may share it; `stop` makes them all give up.
    """

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
        """End running requests at their next byte, and refuse new ones."""
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
        """GET `url`, at least `interval` seconds after the last request
        to its host.

        Follows redirects to http(s) only, and none if there are
        `headers`: they may hold a key. Raises FetchError if the
        status is not 200, or if the body is larger than `max_bytes`
        once decoded, too slow, or does not arrive.
        """
        host = self._find_host(url)
        last = RetryableError("the host does not answer; not asked again in this run")
        for attempt in range(self.patience.tries):
            if host.silent_requests >= _MAX_SILENT_REQUESTS:
                raise fetch_error(url, str(last))
            self._wait_turn(host, interval)
            try:
                reply = self._transport.get(
                    url,
                    params=params,
                    headers=headers,
                    max_bytes=max_bytes,
                    proxies=host.proxies,
                )
            except RetryableError as exc:
                last = exc
                self._wait_before_retry(host, url, exc, attempt)
            else:
                host.silent_requests = 0
                return reply

        host.silent_requests = 0 if last.answered else host.silent_requests + 1
        raise fetch_error(url, f"{last} ({self.patience.tries} tries)")

    def json(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        interval: float = 0.0,
    ) -> Any:
        """GET a JSON document; numbers with a decimal point become
        Decimal.

        Raises FetchError, as `get` does, and if the body is not JSON.
        """
        reply = self.get(url, params=params, headers=headers, interval=interval)
        try:
            return json.loads(reply.body, parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as exc:
            is_page = reply.content_type == "text/html"
            what = "a web page" if is_page else "something that is not JSON"
            raise fetch_error(url, f"it answered with {what}") from exc

    def _wait_turn(self, host: _Host, interval: float) -> None:
        with host.lock:
            now = self._clock()
            start = max(now, host.next_turn)
            host.next_turn = start + interval
        if start > now:
            self._sleep(start - now)

    def _wait_before_retry(
        self, host: _Host, url: str, error: RetryableError, attempt: int
    ) -> None:
        """Wait as the server asked, or longer with each attempt.

        Raises FetchError if the server asks for more than our patience.
        """
        if attempt + 1 == self.patience.tries:
            return
        if error.wait is None:
            self._sleep(self.patience.backoff * 2**attempt)
            return
        if error.wait > self.patience.retry_after:
            raise fetch_error(url, f"{error}: it asks to come back in {error.wait:.0f} s")

        # What one request was told holds for every request to the host.
        with host.lock:
            host.next_turn = max(host.next_turn, self._clock() + error.wait)

    def _find_host(self, url: str) -> _Host:
        address = "/".join(redact_url(url).split("/", 3)[:3])
        host = self._hosts.get(address)
        return host or self._hosts.setdefault(address, _Host(address))


def _refuse_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which Python's parser would accept."""
    raise ValueError(f"{name} is not JSON")
