"""A server for the page, which passes `/api/*` and `/refs/*` on to a recognition server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import requests

from data_label_factory.errors import FactoryError
from data_label_factory.web.assets import PAGE, find_asset
from data_label_factory.web.target import Target

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MAX_UPLOAD_BYTES = 64 * 2**20
_MAX_DIGITS = 18  # of a length; Python refuses to read thousands of them
_TIMEOUT_SECONDS = (5, 60)  # to connect, between two bytes
_IDLE_SECONDS = 120
_CHUNK_BYTES = 64 * 2**10

# RFC 9110, 7.6.1
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Headers about the connection to us. The recognition server would refuse our page's
# origin.
_OUR_OWN = frozenset(
    {
        "content-length",
        "cookie",
        "date",
        "expect",
        "host",
        "origin",
        "referer",
        "server",
    }
)


class WebServer(ThreadingHTTPServer):
    """Serves the page, and passes other requests on to `target`.

    One thread per connection.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, host: str, port: int, target: Target) -> None:
        """Raises FactoryError if it cannot listen there."""
        self.target = target
        self.is_local = host in _LOOPBACK
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as exc:
            reason = getattr(exc, "strerror", None) or exc
            raise FactoryError(
                f"Cannot listen on {host}:{port}: {reason}", "Choose another with --port"
            ) from exc

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_address[1]}{PAGE}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: browsers hang up all the time."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # Otherwise the body of a short answer waits 40 ms for the client to acknowledge the
    # head.
    disable_nagle_algorithm = True
    server: WebServer

    def setup(self) -> None:
        super().setup()
        self.session = requests.Session()
        self.session.trust_env = False  # neither a proxy for localhost nor passwords from .netrc
        self.session.headers.clear()

    def finish(self) -> None:
        self.session.close()
        super().finish()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if self._refuse(path):
            return

        if path in ("/", "/canvas", "/canvas/"):
            self._send(302, b"", {"Location": PAGE})
        elif path == PAGE:
            self._send_file("index.html")
        elif path.startswith("/canvas/"):
            name = path.removeprefix("/canvas/").removeprefix("live/")
            self._send_file(name or "index.html")
        elif path.startswith(("/api/", "/refs/")):
            self._pass_on(None)
        else:
            self._send_problem(404, f"There is nothing here. The page is {PAGE}")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        path = unquote(urlsplit(self.path).path)
        without = "0" if self.command == "DELETE" else ""
        length = self.headers.get("Content-Length", without)
        self.close_connection = True  # unless the body is read below
        if self._refuse(path):
            return

        if not path.startswith("/api/"):
            self._send_problem(404, "There is nothing to post to here")
        # What is sent in chunks would be left, and be taken for the next request.
        elif "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._send_problem(411, "The length of the upload is missing")
        elif len(length) > _MAX_DIGITS or int(length) > _MAX_UPLOAD_BYTES:
            limit = f"{_MAX_UPLOAD_BYTES // 2**20} MB"
            self._send_problem(413, f"The upload is over {limit}. Send a smaller picture")
        else:
            body = self.rfile.read(int(length))
            self.close_connection = False
            self._pass_on(body)

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()

    def _refuse(self, path: str) -> bool:
        """Answer a request that must not pass; False for any other.

        Pages of other origins must not write through us. Pages
        whose name was made to resolve to this machine (DNS
        rebinding) must not even read.
        """
        host = self.headers.get("Host", "")
        name = urlsplit(f"//{host}").hostname or ""
        if self.server.is_local and name not in _LOOPBACK:
            self._send_problem(
                421,
                "This page answers to localhost only. "
                "Use that name, or start it with --host 0.0.0.0",
            )
            return True

        origin = self.headers.get("Origin")
        writes = self.command not in ("GET", "HEAD")
        if writes and origin is not None and origin.partition("://")[2] != host:
            self._send_problem(403, "Pages of other origins may not write here")
            return True

        if ".." in path.split("/"):
            self._send_problem(404, "There is nothing here")
            return True
        return False

    def _send_file(self, name: str) -> None:
        asset = find_asset(name)
        if asset is None:
            self._send_problem(404, f"There is no such file. The page is {PAGE}")
            return

        status, headers, body = asset.answer(
            self.headers.get("Accept-Encoding", ""),
            self.headers.get("If-None-Match", ""),
        )
        self._send(status, body, headers)

    def _pass_on(self, body: bytes | None) -> None:
        target = self.server.target
        headers = _drop_local_headers(self.headers.items())

        try:
            with self.session.request(
                self.command,
                target.url_of(self.path),
                data=body,
                headers=headers,
                stream=True,
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            ) as answer:
                self._send_answer(answer)
        except requests.RequestException as exc:
            self._send_problem(
                502,
                f"The recognition server at {target.falcon} does not answer "
                f"({type(exc).__name__}). Start it, or name another with --falcon-url",
            )

    def _send_answer(self, answer: requests.Response) -> None:
        """Send the recognition server's answer on, chunk by chunk."""
        if answer.is_redirect:  # requests has read its body already
            location = {"Location": answer.headers["Location"]}
            self._stream(answer.status_code, location, "0", [])
            return

        headers = _drop_local_headers(answer.headers.items())
        length = answer.headers.get("Content-Length")
        chunks = answer.raw.stream(_CHUNK_BYTES, decode_content=False)
        self._stream(answer.status_code, headers, length, chunks)

    def _stream(
        self, status: int, headers: Mapping[str, str], length: str | None, chunks: Iterable[bytes]
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", length)
        elif status not in (204, 304):
            self.send_header("Connection", "close")  # marks the end of the body
        self.end_headers()

        if self.command == "HEAD":
            return
        try:
            for chunk in chunks:
                self.wfile.write(chunk)
        except Exception:
            # The head is sent, so an error can only be shown by breaking the connection.
            self.close_connection = True

    def _send_problem(self, status: int, detail: str) -> None:
        body = json.dumps({"detail": detail}).encode()
        self._send(status, body, {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        if status == 304:
            self._stream(status, headers, None, [])
        else:
            self._stream(status, headers, str(len(body)), [body])

    def log_message(self, *_: object) -> None:
        """Say nothing: one line per frame would hide everything else."""


def _drop_local_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers that concern the recognition server as well, not only one connection."""
    dropped = _HOP_BY_HOP | _OUR_OWN
    return {name: value for name, value in headers if name.lower() not in dropped}
