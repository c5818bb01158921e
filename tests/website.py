"""A website for the tests: a real HTTP server on 127.0.0.1 that answers or fails on demand."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from data_label_factory.http.fetch import Fetcher, Patience

HURRIED = Patience(connect=2, silence=0.4, whole=0.3, retry_after=5, backoff=0.01, tries=3)


def hurried() -> Fetcher:
    """A Fetcher that keeps no pace and soon gives up; `waits` lists its waits in seconds."""
    waits: list[float] = []
    fetcher = Fetcher(HURRIED, sleep=waits.append)
    fetcher.waits = waits  # type: ignore[attr-defined]
    return fetcher


@dataclass(frozen=True)
class Request:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float


@dataclass(frozen=True)
class Answer:
    """What the site sends.

    `reset` breaks off the connection midway; `drip` is the wait in seconds before each byte.
    """

    body: bytes = b""
    kind: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False
    drip: float = 0.0
    short: bool = False  # states a longer body than it sends


def as_json(value: Any, **options: Any) -> Answer:
    return Answer(json.dumps(value).encode(), **options)


def page(text: str, **options: Any) -> Answer:
    return Answer(text.encode(), kind="text/html; charset=utf-8", **options)


BUSY = Answer(b"slow down", "text/plain", 429, {"Retry-After": "1"})
BROKEN = Answer(b"oops", "text/plain", 500)
RESET = Answer(b"x" * 100, reset=True)
DRIP = Answer(b"[" + b" " * 1000 + b"]", drip=0.02)
PAGE = page("<!doctype html><title>Sorry</title><p>We will be back soon.")
Responder = Callable[[Request], Answer]


class Site:
    """`on(path, answers…)` serves them in turn, then the last one forever.

    An answer may be a function of the request. `seen` lists the requests.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[Request] = []
        self._routes: dict[str, list[Answer | Responder]] = defaultdict(list)
        self._lock = threading.Lock()

    def on(self, path: str, *answers: Answer | Responder) -> None:
        self._routes[path] = list(answers)

    def asked(self, path: str) -> list[Request]:
        return [seen for seen in self.seen if seen.path == path]

    def answer(self, seen: Request) -> Answer:
        with self._lock:
            self.seen.append(seen)
            answers = self._routes.get(seen.path)
            if not answers:
                return Answer(b"not found", "text/plain", 404)
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer if isinstance(answer, Answer) else answer(seen)


@contextmanager
def serving() -> Iterator[Site]:
    """Serve a Site while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Otherwise every small body waits 40 ms for the acknowledgment of its headers.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            seen = Request(unquote(parts.path), query, dict(self.headers), time.monotonic())
            _send(self, site.answer(seen))

        def log_message(self, *_: object) -> None: ...

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None: ...

    server = Quiet(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    handler.send_response(answer.status)
    if answer.kind:
        handler.send_header("Content-Type", answer.kind)
    handler.send_header("Content-Length", str(len(answer.body) + (50 if answer.short else 0)))
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.end_headers()

    if answer.reset:
        handler.wfile.write(answer.body[: len(answer.body) // 2])
        # A linger time of zero makes close() send RST instead of FIN.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
    elif answer.drip:
        for byte in answer.body:
            time.sleep(answer.drip)
            handler.wfile.write(bytes([byte]))
    else:
        handler.wfile.write(answer.body)
        handler.close_connection = handler.close_connection or answer.short


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(5)
