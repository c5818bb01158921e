"""One HTTP GET: followed to its end or its limits of time and size, and plain about what went wrong."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import requests

from data_label_factory import __version__
from data_label_factory.errors import FetchError

_RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK_BYTES = 64 * 2**10
_MAX_REDIRECTS = 5


@dataclass(frozen=True)
class Patience:
    """How long to wait for what, in seconds."""

    connect: float = 10.0
    silence: float = 20.0  # nothing received for this long
    whole: float = 120.0  # one answer from first to last byte, however slowly it drips
    retry_after: float = (
        120.0  # the longest Retry-After that is obeyed; beyond it the request fails
    )
    backoff: float = 1.0  # before the second try; doubled for each further one
    tries: int = 4


@dataclass(frozen=True)
class Reply:
    """A body that arrived whole. `content_type` is lower-case, without parameters, "" when the server gave none."""

    body: bytes
    content_type: str
    url: str


class TryAgainError(Exception):
    """What may pass. `wait` (seconds) is what the server asked for, if it did; `answered` whether it said anything."""

    def __init__(self, reason: str, wait: float | None = None, *, answered: bool = True) -> None:
        super().__init__(reason)
        self.wait, self.answered = wait, answered


def user_agent() -> str:
    """Says who we are; $DLF_CONTACT adds an address, which MusicBrainz and Wikimedia ask for."""
    contact = os.environ.get("DLF_CONTACT", "").strip()
    about = "reference pictures and prices for one person's collection"
    return f"data_label_factory/{__version__} ({about}{'; ' + contact if contact.isprintable() and contact else ''})"


class Transport:
    """Requests of one caller, from any number of threads; each has its own connections."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.stopped = threading.Event()  # set: requests under way end at their next byte
        self._local = threading.local()

    def get(
        self,
        url: str,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str] | None,
        max_bytes: int,
        proxies: dict[str, str],
    ) -> Reply:
        """GET `url`; redirects are followed to http(s) only, and not at all with `headers`: they may hold a key.

        Raises TryAgainError for what may pass, FetchError for what will not.
        """
        if self.stopped.is_set():
            raise failed(url, "stopped")
        deadline = time.monotonic() + self.patience.whole
        waits = (self.patience.connect, self.patience.silence)
        session, address = self._session(), url
        try:
            for _ in range(1 + _MAX_REDIRECTS):
                with session.get(
                    address,
                    params=params if address is url else None,
                    headers=headers,
                    timeout=waits,
                    stream=True,
                    allow_redirects=False,
                    proxies=proxies,
                ) as answer:
                    target = session.target_of(answer) if headers is None else None
                    if target is None:
                        _check_status(answer, url)
                        body = self._read(answer, url, max_bytes, deadline)
                        kind = (
                            answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                        )
                        return Reply(body, kind, answer.url)
                    address = urljoin(answer.url, requests.utils.requote_uri(target))
            raise failed(url, "it redirects in circles")
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as exc:
            raise TryAgainError(_plainly(exc), answered=False) from exc
        except (requests.RequestException, OSError, ValueError) as exc:
            # ValueError: urllib3 refuses some URLs and headers with its own kin of it.
            raise failed(url, _plainly(exc)) from exc

    def _read(self, answer: requests.Response, url: str, max_bytes: int, deadline: float) -> bytes:
        stated = answer.headers.get("Content-Length", "")
        if stated.isdigit() and int(stated) > max_bytes:
            raise failed(url, f"it is larger than {max_bytes / 2**20:.0f} MiB")
        body = bytearray()
        for chunk in _chunks(answer):
            body += chunk
            if len(body) > max_bytes:
                raise failed(url, f"it is larger than {max_bytes / 2**20:.0f} MiB")
            if time.monotonic() > deadline:
                raise failed(url, f"it took longer than {self.patience.whole:.0f} s")
            if self.stopped.is_set():
                raise failed(url, "stopped")
        return bytes(body)

    def _session(self) -> _Session:
        session: _Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _Session()
            session.headers["User-Agent"] = user_agent()
            # Else requests would read the environment for every request, and look for passwords in ~/.netrc.
            session.trust_env = False
            session.verify = (
                os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
            )
        return session


class _Session(requests.Session):
    """Knows of no redirects by itself: it would read the body of each to its end, however long that is."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002, its base's name
        return None

    def target_of(self, answer: requests.Response) -> str | None:
        return super().get_redirect_target(answer)


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
        raise TryAgainError(reason, _seconds_until(answer.headers.get("Retry-After", "")))
    raise failed(url, reason, status=answer.status_code)


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


def failed(url: str, reason: str, *, status: int = 0) -> FetchError:
    """A FetchError that names the address as `shown`."""
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
    if isinstance(exc, requests.exceptions.InvalidSchema | requests.exceptions.MissingSchema):
        return "only http and https addresses can be fetched"
    if isinstance(exc, requests.ConnectionError):
        return "no connection (is the network there, the name right?)"
    return f"it cannot be fetched ({type(exc).__name__})"
