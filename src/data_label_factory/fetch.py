"""HTTP GET for the stages that touch the network: polite to hosts, bounded in time and size, plain about failures.

One `Fetcher` serves all threads of a run. It keeps the pace that each host asks for, tries again what may pass, waits
as `Retry-After` says, and gives up on a host that is plainly not there.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from data_label_factory import __version__
from data_label_factory.errors import FetchError

MAX_API_BYTES = 32 * 2**20
_RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_HOST_IS_GONE_AFTER = 3  # requests in a row that got no answer at all
_CHUNK_BYTES = 64 * 2**10


@dataclass(frozen=True)
class Patience:
    """How long to wait for what, in seconds."""

    connect: float = 10.0
    silence: float = 20.0  # nothing received for this long
    whole: float = 120.0  # one answer from first to last byte, however slowly it drips
    retry_after: float = 120.0  # the longest Retry-After that is obeyed; beyond it the request fails
    backoff: float = 1.0  # before the second try; doubled for each further one
    tries: int = 4


@dataclass(frozen=True)
class Reply:
    """A body that arrived whole. `content_type` is lower-case, without parameters, "" when the server gave none."""

    body: bytes
    content_type: str
    url: str


class _Host:
    """What is known of one host: when it may be asked next, how often in a row it did not answer, the way to it."""

    def __init__(self, address: str) -> None:
        self.lock = threading.Lock()
        self.proxies = requests.utils.get_environ_proxies(address)
        self.next = 0.0
        self.silent = 0


class _TryAgainError(Exception):
    def __init__(self, reason: str, wait: float | None = None, *, answered: bool = True) -> None:
        super().__init__(reason)
        self.wait, self.answered = wait, answered


def user_agent() -> str:
    """Says who we are; $DLF_CONTACT adds an address, which MusicBrainz and Wikimedia ask for."""
    contact = os.environ.get("DLF_CONTACT", "").strip()
    about = "reference pictures and prices for one person's collection"
    return f"data_label_factory/{__version__} ({about}{'; ' + contact if contact.isprintable() and contact else ''})"


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
        self._stopped = threading.Event()
        self._clock = clock
        self._sleep = sleep or self._stopped.wait
        self._hosts: dict[str, _Host] = {}
        self._local = threading.local()

    def stop(self) -> None:
        """Let requests under way end at their next byte and refuse new ones."""
        self._stopped.set()

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
        last = _TryAgainError("the host does not answer; not asked again in this run")
        for attempt in range(self.patience.tries):
            if host.silent >= _HOST_IS_GONE_AFTER:
                raise _failed(url, str(last))
            self._wait_turn(host, interval)
            try:
                reply = self._once(url, params, headers, max_bytes, host.proxies)
            except _TryAgainError as exc:
                last = exc
                self._wait_before_retry(host, url, exc, attempt)
            else:
                host.silent = 0
                return reply
        host.silent = 0 if last.answered else host.silent + 1
        raise _failed(url, f"{last} ({self.patience.tries} tries)")

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
            what = "a web page" if reply.content_type == "text/html" else "something that is no JSON"
            raise _failed(url, f"it answered with {what}") from exc

    def _wait_turn(self, host: _Host, interval: float) -> None:
        with host.lock:
            now = self._clock()
            start = max(now, host.next)
            host.next = start + interval
        if start > now:
            self._sleep(start - now)

    def _wait_before_retry(self, host: _Host, url: str, exc: _TryAgainError, attempt: int) -> None:
        if attempt + 1 == self.patience.tries:
            return
        if exc.wait is not None and exc.wait > self.patience.retry_after:
            raise _failed(url, f"{exc}: it asks to come back in {exc.wait:.0f} s")
        if exc.wait is not None:  # what one request was told holds for every request to the host
            with host.lock:
                host.next = max(host.next, self._clock() + exc.wait)
        else:
            self._sleep(self.patience.backoff * 2**attempt)

    def _host(self, url: str) -> _Host:
        address = "/".join(shown(url).split("/", 3)[:3])
        host = self._hosts.get(address)
        return host or self._hosts.setdefault(address, _Host(address))

    def _once(
        self,
        url: str,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str] | None,
        max_bytes: int,
        proxies: dict[str, str],
    ) -> Reply:
        if self._stopped.is_set():
            raise _failed(url, "stopped")
        deadline = time.monotonic() + self.patience.whole
        waits = (self.patience.connect, self.patience.silence)
        try:
            with self._session().get(
                url,
                params=params,
                headers=headers,
                timeout=waits,
                stream=True,
                allow_redirects=headers is None,
                proxies=proxies,
            ) as answer:
                _check_status(answer, url)
                body = self._read(answer, url, max_bytes, deadline)
                kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return Reply(body, kind, answer.url)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as exc:
            raise _TryAgainError(_plainly(exc), answered=False) from exc
        except (requests.RequestException, OSError, ValueError) as exc:
            # ValueError: urllib3 refuses some URLs and headers with its own kin of it.
            raise _failed(url, _plainly(exc)) from exc

    def _read(self, answer: requests.Response, url: str, max_bytes: int, deadline: float) -> bytes:
        stated = answer.headers.get("Content-Length", "")
        if stated.isdigit() and int(stated) > max_bytes:
            raise _failed(url, f"it is larger than {max_bytes / 2**20:.0f} MiB")
        body = bytearray()
        for chunk in _chunks(answer):
            body += chunk
            if len(body) > max_bytes:
                raise _failed(url, f"it is larger than {max_bytes / 2**20:.0f} MiB")
            if time.monotonic() > deadline:
                raise _failed(url, f"it took longer than {self.patience.whole:.0f} s")
            if self._stopped.is_set():
                raise _failed(url, "stopped")
        return bytes(body)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.max_redirects = 5
            session.headers["User-Agent"] = user_agent()
            # Else requests would read the environment for every request, and look for passwords in ~/.netrc.
            session.trust_env = False
            session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        return session


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    """The decoded body as it arrives. `iter_content` would wait for a chunk to fill, and never see a deadline."""
    if not hasattr(answer.raw, "read1"):  # urllib3 before 2
        yield from answer.iter_content(1024)
        return
    import urllib3  # here, since it comes with requests and is not a dependency of ours

    try:
        while chunk := answer.raw.read1(_CHUNK_BYTES, decode_content=True):
            yield chunk
    except urllib3.exceptions.ReadTimeoutError as exc:
        raise requests.ReadTimeout(exc) from exc
    except urllib3.exceptions.ProtocolError as exc:
        raise requests.exceptions.ChunkedEncodingError(exc) from exc
    except urllib3.exceptions.HTTPError as exc:
        raise requests.exceptions.ContentDecodingError(exc) from exc


def _check_status(answer: requests.Response, url: str) -> None:
    if answer.status_code == 200:
        return
    reason = f"HTTP {answer.status_code}"
    if answer.status_code in _RETRIED_STATUSES:
        raise _TryAgainError(reason, _seconds_until(answer.headers.get("Retry-After", "")))
    raise _failed(url, reason, status=answer.status_code)


def _seconds_until(text: str) -> float | None:
    """What Retry-After means (RFC 9110, 10.2.3): a number of seconds or a date; None when it says neither."""
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _failed(url: str, reason: str, *, status: int = 0) -> FetchError:
    error = FetchError(f"{shown(url)}: {reason}")
    error.status = status
    return error


def shown(url: str) -> str:
    """The address without what may be secret in it: user, password, query."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as exc:
        raise FetchError(f"{url[:200]!r} is not a web address") from exc
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"[:200]


def _plainly(exc: Exception) -> str:
    if isinstance(exc, requests.exceptions.SSLError):
        return "its certificate cannot be trusted"
    if isinstance(exc, requests.ConnectTimeout | requests.ReadTimeout):
        return "it does not answer in time"
    if isinstance(exc, requests.exceptions.ContentDecodingError):
        return "its compressed answer is damaged"
    if isinstance(exc, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(exc, requests.exceptions.TooManyRedirects):
        return "it redirects in circles"
    if isinstance(exc, requests.exceptions.InvalidSchema | requests.exceptions.MissingSchema):
        return "only http and https addresses can be fetched"
    if isinstance(exc, requests.ConnectionError):
        return "no connection (is the network there, the name right?)"
    return f"it cannot be fetched ({type(exc).__name__})"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
