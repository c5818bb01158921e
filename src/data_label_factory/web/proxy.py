"""The page on a server of its own; what it asks for is passed on to a recognition server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import requests

from data_label_factory.errors import FactoryError
from data_label_factory.web.assets import FOLDER, HEADERS, MEDIA_TYPES, PAGE, is_asset
from data_label_factory.web.target import Target

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MOST_BYTES = 64 * 2**20
_TIMEOUT_SECONDS = (5, 60)  # to connect, between two bytes
_CHUNK_BYTES = 64 * 2**10
# RFC 9110, 7.6.1, and what speaks of this hop: the server behind would take our origin for a strange page's.
_OF_THIS_HOP = frozenset(
    {
        *(
            "connection",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "te",
            "trailer",
            "upgrade",
        ),
        *(
            "transfer-encoding",
            "content-length",
            "expect",
            "host",
            "origin",
            "referer",
            "cookie",
            "server",
            "date",
        ),
    }
)


class WebServer(ThreadingHTTPServer):
    """Serves `/canvas/live`; passes `/api/*` and `/refs/*` on to `target`. One thread a connection."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, host: str, port: int, target: Target) -> None:
        """Raises FactoryError when it cannot listen there."""
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
        """A browser that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120
    disable_nagle_algorithm = (
        True  # or a short answer's body waits 40 ms for the client to acknowledge its head
    )
    server: WebServer

    def setup(self) -> None:
        super().setup()
        self.session = requests.Session()
        self.session.trust_env = False  # neither a proxy for localhost nor passwords of .netrc
        self.session.headers.clear()

    def finish(self) -> None:
        self.session.close()
        super().finish()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if self._is_refused(path):
            return
        if path in ("/", "/canvas", "/canvas/"):
            self._answer(302, b"", {"Location": PAGE})
        elif path == "/canvas/live":
            self._file("index.html")
        elif path.startswith("/canvas/"):
            self._file(path.removeprefix("/canvas/").removeprefix("live/") or "index.html")
        elif path.startswith(("/api/", "/refs/")):
            self._pass_on(None)
        else:
            self._problem(404, f"There is nothing here. The page is {PAGE}")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        path = unquote(urlsplit(self.path).path)
        length = self.headers.get("Content-Length", "")
        self.close_connection = True  # unless the body is read below
        if self._is_refused(path):
            return
        if not path.startswith("/api/"):
            self._problem(404, "There is nothing to post to here")
        elif not length.isdecimal():
            self._problem(411, "The length of the upload is missing")
        elif int(length) > _MOST_BYTES:
            self._problem(
                413, f"The upload is over {_MOST_BYTES // 2**20} MB. Send a smaller picture"
            )
        else:
            body = self.rfile.read(int(length))
            self.close_connection = False
            self._pass_on(body)

    def _is_refused(self, path: str) -> bool:
        """A page of another origin must not write through us, nor one whose name was made to lead here read."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        name = urlsplit(f"//{host}").hostname or ""
        if self.server.is_local and name not in _LOOPBACK:
            self._problem(
                421,
                "This page answers to localhost only. Use that name, or start it with --host 0.0.0.0",
            )
        elif self.command == "POST" and origin is not None and origin.partition("://")[2] != host:
            self._problem(403, "Pages of other origins may not write here")
        elif ".." in path.split("/"):
            self._problem(404, "There is nothing here")
        else:
            return False
        return True

    def _file(self, name: str) -> None:
        file = FOLDER / name
        if not is_asset(name) or not file.is_file():
            self._problem(404, f"There is no such file. The page is {PAGE}")
            return
        data = file.read_bytes()
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        headers = {**HEADERS, "Content-Type": MEDIA_TYPES[file.suffix], "ETag": etag}
        if self.headers.get("If-None-Match") == etag:
            self._answer(304, b"", headers)
        else:
            self._answer(200, data, headers)

    def _pass_on(self, body: bytes | None) -> None:
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in _OF_THIS_HOP
        }
        url = self.server.target.url_of(self.path)
        try:
            with self.session.request(
                self.command, url, data=body, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                kept = {
                    name: value
                    for name, value in answer.headers.items()
                    if name.lower() not in _OF_THIS_HOP
                }
                if answer.is_redirect:  # whose body requests has read already
                    self._stream(
                        answer.status_code, {"Location": answer.headers["Location"]}, "0", []
                    )
                    return
                length = answer.headers.get("Content-Length")
                self._stream(
                    answer.status_code,
                    kept,
                    length,
                    answer.raw.stream(_CHUNK_BYTES, decode_content=False),
                )
        except requests.RequestException as exc:
            self._problem(502, f"The recognition server at {self.server.target.falcon} does not answer "
                          f"({type(exc).__name__}). Start it, or name another with --falcon-url")  # fmt: skip

    def _stream(
        self, status: int, headers: dict[str, str], length: str | None, chunks: Iterable[bytes]
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", length)
        elif status not in (204, 304):
            self.send_header("Connection", "close")  # its end is the end of the body
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            for chunk in chunks:
                self.wfile.write(chunk)
        except (
            Exception
        ):  # the head is sent: all that is left is to break off, which the browser sees
            self.close_connection = True

    def _problem(self, status: int, detail: str) -> None:
        self._answer(
            status, json.dumps({"detail": detail}).encode(), {"Content-Type": "application/json"}
        )

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._stream(
            status,
            headers,
            str(len(body)) if status != 304 else None,
            [body] if status != 304 else [],
        )

    def log_message(self, *_: object) -> None:
        """One line a frame would bury everything else."""
