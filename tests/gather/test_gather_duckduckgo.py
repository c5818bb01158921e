"""The web search, through the package `ddgs`: its hosts are fixed, so a local proxy stands in."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from website import hurried

from data_label_factory.errors import FetchError
from data_label_factory.gather.base import Candidate
from data_label_factory.gather.sources import SOURCES
from data_label_factory.http.fetch import Fetcher, Patience
from data_label_factory.labels import Label

trustme = pytest.importorskip("trustme")
pytest.importorskip("ddgs")
ROWS = [
    {"title": f"rose {n}", "image": f"https://x.example/{n}.jpg", "url": f"https://x.example/{n}"}
    for n in range(3)
]


class Proxy:
    """An HTTP proxy that answers CONNECT itself: `pages` maps a path to (status, body)."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.pages: dict[str, tuple[int, bytes]] = {"/": (200, b'<script>vqd="4-1";</script>')}
        self.asked: list[str] = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(1)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

            try:
                with (
                    self._context.wrap_socket(connection, server_side=True) as secure,
                    secure.makefile("rb") as lines,
                ):
                    while request := lines.readline():
                        while lines.readline() not in (b"\r\n", b""):
                            pass
                        secure.sendall(self._answer(request.split()[1].decode()))
            except (OSError, ssl.SSLError):
                return

    def _answer(self, target: str) -> bytes:
        self.asked.append(target)
        status, body = self.pages.get(target.partition("?")[0], (404, b""))
        head = b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        return head + body


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("duckduckgo.com").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    proxy = Proxy(context)
    monkeypatch.setenv("DDGS_PROXY", proxy.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    yield proxy
    proxy.close()


@pytest.fixture
def find() -> Callable[..., list[Candidate]]:
    def run(query: str, **options: str) -> list[Candidate]:
        source = SOURCES["duckduckgo"](Fetcher(Patience(silence=5)), "", options, limit=2)
        source.check()
        return list(source.find(query))

    return run


def test_a_search_gives_pictures_labeled_by_the_query(
    proxy: Proxy, find: Callable[..., list[Candidate]]
) -> None:
    proxy.pages["/i.js"] = (200, json.dumps({"results": ROWS}).encode())
    found = find("rosa 'peace'", size="Large")
    assert {one.url for one in found} == {row["image"] for row in ROWS}
    assert found[0].label == Label("Rosa 'Peace'")
    assert found[0].page.startswith("https://x.example/")
    assert "f=%2Csize%3ALarge" in next(path for path in proxy.asked if path.startswith("/i.js"))


def test_an_empty_search_is_empty(proxy: Proxy, find: Callable[..., list[Candidate]]) -> None:
    proxy.pages["/i.js"] = (200, b'{"results": []}')
    assert find("xyzzy") == []


@pytest.mark.parametrize(
    ("path", "page"),
    [("/i.js", (200, b"<html>")), ("/", (200, b"no token")), ("/", (500, b""))],
    ids=str,
)
def test_a_search_that_fails_says_so(
    proxy: Proxy, find: Callable[..., list[Candidate]], path: str, page: tuple[int, bytes]
) -> None:
    proxy.pages[path] = page
    with pytest.raises(FetchError, match="The search of duckduckgo failed"):
        find("rose")


def test_no_network_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDGS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(FetchError, match="The search of duckduckgo failed"):
        list(SOURCES["duckduckgo"](hurried()).find("rose"))
