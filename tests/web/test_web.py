"""`data_label_factory web`: a server for the page, which passes its requests on to another."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from serving import quickest
from website import running

from data_label_factory.errors import FactoryError
from data_label_factory.web.assets import FOLDER, is_asset
from data_label_factory.web.proxy import WebServer
from data_label_factory.web.target import DEFAULT_URL, Target, find_url


class Upstream(BaseHTTPRequestHandler):
    """Answers with the request that it got."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        told = {
            "path": self.path,
            "headers": dict(self.headers),
            "body": self.rfile.read(length).decode("latin-1"),
        }
        body = json.dumps(told).encode()

        status = int(self.headers.get("X-Want", 200))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("ETag", '"one"')
        if status == 302:
            self.send_header("Location", "http://elsewhere.example/")

        if "chunked" in self.path:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (body[:10], body[10:]):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Upstream)) as url:
        yield url


@pytest.fixture(scope="module")
def web(upstream: str) -> Iterator[str]:
    with running(WebServer("127.0.0.1", 0, Target.parse(f"{upstream}/some/api/falcon"))) as url:
        yield url


def test_the_page_and_its_files_come_with_the_right_headers(web: str) -> None:
    page = requests.get(f"{web}/canvas/live", timeout=10)
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    script = requests.get(f"{web}/canvas/js/main.js", timeout=10)
    assert script.headers["Content-Type"].startswith("text/javascript")
    again = requests.get(
        f"{web}/canvas/js/main.js", headers={"If-None-Match": script.headers["ETag"]}, timeout=10
    )
    assert again.status_code == 304
    assert not again.content
    assert requests.get(f"{web}/", timeout=10).url == f"{web}/canvas/live"
    assert not requests.head(f"{web}/canvas/live", timeout=10).content


@pytest.mark.parametrize(
    "path",
    [
        "/canvas/proxy.py",
        "/canvas/.env.local",
        "/canvas/js/%2e%2e/proxy.py",
        "/canvas/%2e%2e/cli.py",
        "/etc/passwd",
        "/canvas/js/",
        "/health",
    ],
)
def test_nothing_else_is_served(web: str, path: str) -> None:
    with requests.Session() as session:
        request = session.prepare_request(requests.Request("GET", web))
        request.url = web + path  # as it is, without the dots taken out
        answer = session.send(request, timeout=10)
    assert answer.status_code == 404
    assert answer.json()["detail"]


@pytest.mark.timed
def test_small_answers_do_not_wait_for_an_acknowledgement(web: str) -> None:
    assert quickest(web, "/canvas/icon.svg") < 0.035


def test_requests_are_passed_on_without_the_headers_about_the_page(web: str) -> None:
    headers = {
        "Origin": web,
        "Referer": f"{web}/canvas/live",
        "Cookie": "a=b",
        "X-API-Key": "k",
        "If-None-Match": "x",
    }

    told = requests.get(f"{web}/api/items?q=a%20b&limit=3", headers=headers, timeout=10).json()
    assert told["path"] == "/some/api/items?q=a%20b&limit=3"
    assert {"Origin", "Referer", "Cookie"}.isdisjoint(told["headers"])
    assert told["headers"]["X-API-Key"] == "k"
    assert told["headers"]["If-None-Match"] == "x"

    told = requests.get(f"{web}/refs/a%2Fb%20c.jpg?w=60", timeout=10).json()
    assert told["path"] == "/some/refs/a%2Fb%20c.jpg?w=60"


def test_a_frame_is_passed_on_whole(web: str) -> None:
    answer = requests.post(
        f"{web}/api/falcon", data=b"\x00\xff" * 5000, headers={"Origin": web}, timeout=10
    )
    assert answer.json()["path"] == "/some/api/falcon"
    assert answer.json()["body"] == "\x00\xff" * 5000


def test_answers_come_back_as_they_are(web: str) -> None:
    for status in (401, 429, 503):
        answer = requests.get(f"{web}/api/x", headers={"X-Want": str(status)}, timeout=10)
        assert answer.status_code == status
    assert requests.get(f"{web}/api/x", timeout=10).headers["ETag"] == '"one"'
    assert requests.get(f"{web}/api/chunked", timeout=10).json()["path"] == "/some/api/chunked"
    moved = requests.get(
        f"{web}/api/x", headers={"X-Want": "302"}, allow_redirects=False, timeout=10
    )
    assert moved.headers["Location"] == "http://elsewhere.example/"


def test_foreign_pages_can_neither_write_nor_read(web: str) -> None:
    foreign = {"Origin": "http://elsewhere.example"}
    answer = requests.post(f"{web}/api/items", data=b"x", headers=foreign, timeout=10)
    assert answer.status_code == 403
    for method in ("PATCH", "DELETE"):
        refused = requests.request(method, f"{web}/api/lists/1", headers=foreign, timeout=10)
        assert refused.status_code == 403
    renamed = {"Host": "elsewhere.example"}  # DNS rebinding
    assert requests.get(f"{web}/api/items", headers=renamed, timeout=10).status_code == 421
    assert requests.post(f"{web}/refs/x", data=b"x", timeout=10).status_code == 404


def test_nothing_of_a_request_is_taken_for_the_next(web: str) -> None:
    hidden = b"POST /api/hidden HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden)
    address = urlsplit(web)
    for method in (b"DELETE", b"POST"):
        head = b"%s /api/lists/1 HTTP/1.1\r\nHost: localhost\r\n" % method
        fields = b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"
        with socket.create_connection((address.hostname, address.port), 10) as client:
            client.sendall(head + fields + chunks)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 411 ")
        assert answer.count(b"HTTP/1.1 ") == 1

    with socket.create_connection((address.hostname, address.port), 10) as client:
        client.sendall(head + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_uploads_have_a_length_and_a_limit(web: str) -> None:
    assert requests.post(f"{web}/api/falcon", data=iter([b"x"]), timeout=10).status_code == 411
    huge = {"Content-Length": str(2**40)}
    with requests.Session() as session:
        request = session.prepare_request(
            requests.Request("POST", f"{web}/api/falcon", headers=huge)
        )
        assert session.send(request, timeout=10).status_code == 413


def test_a_server_that_is_gone_is_named() -> None:
    with running(WebServer("127.0.0.1", 0, Target.parse("http://127.0.0.1:9"))) as url:
        answer = requests.get(f"{url}/api/info", timeout=10)
    assert answer.status_code == 502
    assert "http://127.0.0.1:9/api/falcon" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("url", "falcon", "items"),
    [
        ("http://h:1/api/falcon", "http://h:1/api/falcon", "http://h:1/api/items?q=1"),
        ("https://h/x/api/falcon/", "https://h/x/api/falcon", "https://h/x/api/items?q=1"),
        ("http://h:1", "http://h:1/api/falcon", "http://h:1/api/items?q=1"),
        ("http://h/detect", "http://h/detect", "http://h/api/items?q=1"),
    ],
)
def test_where_requests_go(url: str, falcon: str, items: str) -> None:
    target = Target.parse(url)
    assert target.url_of("/api/falcon") == falcon
    assert target.url_of("/api/items?q=1") == items


@pytest.mark.parametrize(
    "url", ["localhost:8500", "ftp://h/", "http://", "", "http://h/api/falcon?x=1"]
)
def test_an_invalid_address_is_refused(url: str) -> None:
    with pytest.raises(FactoryError, match="is not the address"):
        Target.parse(url)


def test_the_address_is_taken_from_environment_then_file_then_default(tmp_path: Path) -> None:
    file = tmp_path / ".env.local"
    assert find_url({}, (file,)) == DEFAULT_URL
    file.write_text('# FALCON_URL=http://no\nOTHER=1\nexport FALCON_URL="http://file/api/falcon"\n')
    assert find_url({}, (file,)) == "http://file/api/falcon"
    assert find_url({"FALCON_URL": "http://env"}, (file,)) == "http://env"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(FactoryError, match="Cannot read"):
        find_url({}, (file,))


def test_the_command_serves_until_it_is_told_to_stop() -> None:
    line = [sys.executable, "-m", "data_label_factory", "web", "--port", "0"]
    line += ["--falcon-url", "http://127.0.0.1:9"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        ready = process.stderr.readline()
        assert "event=ready" in ready
        url = ready.split("url=")[1].split()[0].replace("localhost", "127.0.0.1")
        assert requests.get(url, timeout=10).status_code == 200
        process.terminate()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_wrong_use_is_one_clean_line(dlf: Any) -> None:
    done = dlf("web", "--falcon-url", "nonsense")
    assert done.returncode == 2
    assert done.stderr.startswith("error: 'nonsense' is not the address of a server")


def test_every_file_of_the_page_may_be_served_and_names_no_other_origin() -> None:
    files = [
        file for file in FOLDER.rglob("*") if file.is_file() and file.suffix not in (".py", ".pyc")
    ]
    assert len(files) > 20
    for file in files:
        assert file.name == ".env.local" or is_asset(file.relative_to(FOLDER).as_posix()), file
        if file.suffix == ".png":
            continue
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text.replace("https:// pages", ""), file
