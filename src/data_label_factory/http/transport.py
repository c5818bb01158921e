"""One HTTP GET: redirects, limits of time and size, and clear errors."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    """How long to wait for what, in seconds, and how often to try."""

    connect: float = 10.0
    silence: float = 20.0  # with nothing received
    whole: float = 120.0  # for a whole response, however slowly it arrives
    retry_after: float = 120.0  # the longest Retry-After that is obeyed; beyond it, fail
    backoff: float = 1.0  # before the second try; doubled for each further one
    tries: int = 4


@dataclass(frozen=True)
class Reply:
    """A body that arrived completely.

    `content_type` is lower-case and without parameters; "" if the
    server gave none.
    """

    body: bytes
    content_type: str
    url: str


class RetryableError(Exception):
    """A failure that may pass.

    `wait` is the Retry-After of the server in seconds, if it sent one.
    `answered` is False if nothing came from the server at all.
    """

    def __init__(self, reason: str, wait: float | None = None, *, answered: bool = True) -> None:
        super().__init__(reason)
        self.wait = wait
        self.answered = answered


class Transport:
    """The requests of one caller. Threads may share it; each has its own connections."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.stopped = threading.Event()  # set: running requests end at their next byte
        self._local = threading.local()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None,
        headers: Mapping[str, str] | None,
        max_bytes: int,
        proxies: dict[str, str],
    ) -> Reply:
        """GET `url`.

        Follows redirects to http(s) only, and none if there are
        `headers`: they may hold a key. Raises RetryableError if a later
        try may succeed, otherwise FetchError.
        """
        if self.stopped.is_set():
            raise fetch_error(url, "stopped")

        deadline = time.monotonic() + self.patience.whole
        timeout = (self.patience.connect, self.patience.silence)
        session = self._session()
        address = url
        with _translated_errors(url):
            for _ in range(1 + _MAX_REDIRECTS):
                with session.get(
                    address,
                    params=params,
                    headers=headers,
                    timeout=timeout,
                    stream=True,
                    allow_redirects=False,
                    proxies=proxies,
                ) as response:
                    target = session.find_redirect(response) if headers is None else None
                    if target is None:
                        _check_status(response, url)
                        body = self._read_body(response, url, max_bytes, deadline)
                        return Reply(body, _content_type_of(response), response.url)
                    address = urljoin(response.url, requests.utils.requote_uri(target))
                    params = None  # the target has its own query
            raise fetch_error(url, "it redirects in circles")

    def _read_body(
        self, response: requests.Response, url: str, max_bytes: int, deadline: float
    ) -> bytes:
        """Return the decoded body. Raises FetchError past a limit, or if stopped."""
        limit = f"{max_bytes / 2**20:.0f} MiB"
        stated = response.headers.get("Content-Length", "")
        if stated.isdigit() and int(stated) > max_bytes:
            raise fetch_error(url, f"it is larger than {limit}")

        body = bytearray()
        for chunk in _iterate_body(response):
            body += chunk
            if len(body) > max_bytes:
                raise fetch_error(url, f"it is larger than {limit}")
            if time.monotonic() > deadline:
                raise fetch_error(url, f"it took longer than {self.patience.whole:.0f} s")
            if self.stopped.is_set():
                raise fetch_error(url, "stopped")
        return bytes(body)

    def _session(self) -> _Session:
        """Return this thread's session."""
        session: _Session | None = getattr(self._local, "session", None)
        if session is None:
            session = _open_session()
            self._local.session = session
        return session


class _Session(requests.Session):
    """A session that follows no redirects: it would read the body of each to its end."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None

    def find_redirect(self, response: requests.Response) -> str | None:
        return super().get_redirect_target(response)


def _open_session() -> _Session:
    session = _Session()
    session.headers["User-Agent"] = user_agent()
    # Otherwise requests would read the environment for every request, and look for
    # passwords in ~/.netrc.
    session.trust_env = False
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    session.verify = bundle or True
    return session


def user_agent() -> str:
    """Return the User-Agent; $DLF_CONTACT adds an address, as
    MusicBrainz and Wikimedia ask.
    """
    about = "reference pictures and prices for one person's collection"
    contact = os.environ.get("DLF_CONTACT", "").strip()
    if contact and contact.isprintable():
        about += f"; {contact}"
    return f"data_label_factory/{__version__} ({about})"


def fetch_error(url: str, reason: str, *, status: int = 0) -> FetchError:
    """Return a FetchError that names the redacted address."""
    error = FetchError(f"{redact_url(url)}: {reason}")
    error.status = status
    return error


def redact_url(url: str) -> str:
    """Return the address without what may be secret in it: user,
    password, query.

    Raises FetchError if `url` is not a web address.
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as exc:
        raise FetchError(f"{url[:200]!r} is not a web address") from exc
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"[:200]


@contextmanager
def _translated_errors(url: str) -> Iterator[None]:
    """Turn the errors of requests into a RetryableError or a FetchError."""
    try:
        yield
    except (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
    ) as exc:
        raise RetryableError(_describe_error(exc), answered=False) from exc
    except (requests.RequestException, OSError, ValueError) as exc:
        # ValueError: urllib3 refuses some URLs and headers with errors derived from it.
        raise fetch_error(url, _describe_error(exc)) from exc


def _iterate_body(response: requests.Response) -> Iterator[bytes]:
    """Yield the decoded body as it arrives.

    `iter_content` waits until a chunk is full, so a slow server would
    outlive the deadline.
    """
    if not hasattr(response.raw, "read1"):  # urllib3 before 2
        yield from response.iter_content(1024)
        return

    # Imported here, because it comes with requests and is not a dependency of ours.
    import urllib3

    try:
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            yield chunk
    except urllib3.exceptions.ReadTimeoutError as exc:
        raise requests.ReadTimeout(exc) from exc
    except urllib3.exceptions.ProtocolError as exc:
        raise requests.exceptions.ChunkedEncodingError(exc) from exc
    except urllib3.exceptions.HTTPError as exc:
        raise requests.exceptions.ContentDecodingError(exc) from exc


def _check_status(response: requests.Response, url: str) -> None:
    """Raise RetryableError or FetchError unless the status is 200."""
    status = response.status_code
    if status == 200:
        return
    if status in _RETRIED_STATUSES:
        wait = _parse_retry_after(response.headers.get("Retry-After", ""))
        raise RetryableError(f"HTTP {status}", wait)
    raise fetch_error(url, f"HTTP {status}", status=status)


def _content_type_of(response: requests.Response) -> str:
    content_type = response.headers.get("Content-Type", "")
    return content_type.partition(";")[0].strip().lower()


def _parse_retry_after(text: str) -> float | None:
    """Return the seconds to wait, from a number or a date (RFC 9110,
    10.2.3); None if neither.
    """
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if not moment.tzinfo:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _describe_error(exc: Exception) -> str:
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
        return "no connection (is the network up, and the name right?)"
    return f"it cannot be fetched ({type(exc).__name__})"
