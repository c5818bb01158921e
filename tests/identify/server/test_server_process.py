"""`identify serve` as a process: how it starts, bears load, loses clients and ends."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trustme
from drawn import encoded, photo_like
from PIL import Image
from serving import Server, ask, form, get, make_collection, quickest, wait_until

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.images import decode
from data_label_factory.identify.server import run
from data_label_factory.identify.server.settings import Settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_collection(tmp_path_factory.mktemp("process"), count=6)


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Server]:
    """One worker and one waiting place, so that it is soon full."""
    with Server(
        settings, "--workers", "1", "--workers-queue", "1", "--max-upload-mb", "2"
    ) as server:
        yield server


@pytest.fixture(scope="module")
def frame(settings: Settings) -> bytes:
    assert settings.refs
    file = sorted(settings.refs.iterdir())[0]
    return encoded(
        Image.fromarray(render_view([decode(file)], np.random.default_rng(0)).image), "JPEG"
    )


@pytest.fixture(scope="module")
def slow() -> bytes:
    """A picture that takes two seconds of a processor to be recognized; 3000² px take fourteen."""
    return encoded(Image.fromarray(photo_like(1600, 1600)), "JPEG", quality=50)


def test_a_client_of_the_standard_library_gets_the_right_box(
    server: Server, settings: Settings, frame: bytes
) -> None:
    assert settings.refs
    status, body, _ = ask(server.url, frame, query="card")
    assert status == 200
    (mask,) = [mask for mask in body["masks"] if mask["confident"]]
    assert mask["ref_filename"] == sorted(settings.refs.iterdir())[0].name
    assert 0 <= mask["bbox_norm"]["x1"] < mask["bbox_norm"]["x2"] <= 1


@pytest.mark.timed
def test_small_answers_do_not_wait_for_an_acknowledgement(server: Server) -> None:
    assert quickest(server.url, "/livez") < 0.035


@pytest.mark.timed
def test_under_overload_it_refuses_at_once_and_health_answers(server: Server, slow: bytes) -> None:
    times: list[float] = []
    done = threading.Event()

    def probe() -> None:
        while not done.is_set():
            start = time.perf_counter()
            assert get(f"{server.url}/health")[0] == 200
            times.append(time.perf_counter() - start)
            time.sleep(0.02)

    prober = threading.Thread(target=probe)
    prober.start()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(server.url, slow), range(24)))
    done.set()
    prober.join()
    codes = [status for status, _, _ in answers]
    assert set(codes) == {200, 429}
    assert all("Send it again" in body["detail"] for status, body, _ in answers if status == 429)
    assert all(int(headers["Retry-After"]) >= 1 for status, _, headers in answers if status == 429)
    assert np.median(times) < 0.05
    assert get(f"{server.url}/health")[1]["queue_depth"] == 0


def make_head(*headers: str) -> bytes:
    lines = ("POST /api/falcon HTTP/1.1", "Host: localhost", *headers, "", "")
    return "\r\n".join(lines).encode()


def connect_and_send(server: Server, picture: bytes) -> socket.socket:
    body, content_type = form(picture)
    head = make_head(f"Content-Type: {content_type}", f"Content-Length: {len(body)}")
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(head + body)
    return connection


def depth(server: Server) -> int:
    return int(get(f"{server.url}/health")[1]["queue_depth"])


def test_a_client_that_hangs_up_frees_its_place(server: Server, slow: bytes, frame: bytes) -> None:
    first, second = connect_and_send(server, slow), connect_and_send(server, slow)
    wait_until(lambda: depth(server) == 2, 5)
    assert ask(server.url, frame)[0] == 429
    second.close()
    start = time.monotonic()
    while ask(server.url, frame)[0] == 429:
        assert time.monotonic() - start < 10
    first.close()
    wait_until(lambda: depth(server) == 0, 10)


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_is_too_large_is_refused_before_it_is_read(
    server: Server, chunked: bool
) -> None:
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100000000000"
    head = make_head("Content-Type: multipart/form-data; boundary=x", length)
    first = b'--x\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'

    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head)
        for data in [first, *[b"\0" * 65536] * 40] if chunked else []:
            connection.sendall(b"%x\r\n%s\r\n" % (len(data), data))
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_client_that_sends_it_all_before_it_listens_still_hears_413(server: Server) -> None:
    # Over the limit, but the server reads this much after its answer.
    status, body, _ = ask(server.url, b"\0" * 6_000_000)
    assert status == 413
    assert body["detail"].endswith("Send a smaller picture")


def test_half_a_request_and_nonsense_do_no_harm(server: Server, frame: bytes) -> None:
    for data in (
        b"POST /api/falcon HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nabc",
        b"\x16\x03\x01\x02\0\xff",
    ):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(data)
        connection.close()
    assert ask(server.url, frame)[0] == 200
    assert not any("Traceback" in line for line in server.log)


def test_a_taken_port_is_one_clear_line(server: Server, settings: Settings) -> None:
    second = Server(settings, "--port", str(server.port))
    assert second.stop() == 2
    (line,) = [line for line in second.log if line.startswith("error:")]
    assert f"Cannot listen on 127.0.0.1:{server.port}: Address already in use" in line
    assert "--port" in line
    assert not any("Traceback" in line for line in second.log)


@pytest.mark.parametrize(
    ("options", "environment", "says"),
    [
        (["--index", "none.npz"], {}, "error: There is no index at none.npz"),
        (["--encoder", "sscd"], {}, "not by sscd"),
        (
            ["--ssl-certfile", "a.pem", "--ssl-keyfile", "b.pem"],
            {},
            "Cannot use the certificate a.pem",
        ),
        (["--prices", "none.json"], {}, "error: "),
        ([], {"DLF_WORKERS": "abc"}, "(env var: 'DLF_WORKERS'): 'abc' is not"),
        ([], {"DLF_DEVICE": "toaster"}, "(env var: 'DLF_DEVICE'): 'toaster' is not"),
        (["--strictness", "2"], {}, "2.0 is not in the range 0<=x<=1"),
    ],
)
def test_a_server_that_cannot_start_says_why(
    settings: Settings, options: list[str], environment: dict[str, str], says: str
) -> None:
    server = Server(settings, *options, env=environment)
    assert server.stop() == 2
    assert says in "".join(server.log)
    assert "Traceback" not in "".join(server.log)


def test_the_environment_mirrors_the_options(settings: Settings) -> None:
    names = {
        "CARD_INDEX": str(settings.index),
        "REFS_DIR": str(settings.refs),
        "DLF_ENCODER": settings.encoder,
        "PORT": "1",
        "DLF_PORT": "0",
        "CLIP_SIM_THRESHOLD": "0.33",
        "DLF_MARGIN_THRESHOLD": "0.22",
        "DLF_API_KEY": "key",
        "DLF_CORS": "https://a.example https://b.example",
        "DLF_ALLOW_ENROLL": "1",
        "DLF_WATCH": "no",
        "DLF_HOST": "",
        "DLF_LOG_LEVEL": "debug",
    }
    script = "import sys; from data_label_factory.cli import main; sys.exit(main(sys.argv[1:]))"
    with Server(settings, env=names) as server:  # its own options win
        request = urllib.request.Request(f"{server.url}/health", headers={"X-API-Key": "key"})
        with urllib.request.urlopen(request) as answer:
            health = json.load(answer)
        assert (health["sim_threshold"], health["margin_threshold"]) == (0.33, 0.22)
        assert (health["can_enroll"], health["watching"]) == (True, False)
        wait_until(
            lambda: re.search(r"event=request .*path=/health status=200", "".join(server.log)), 5
        )

    line = [sys.executable, "-c", script, "identify", "serve", "--ssl-certfile", "x"]
    done = subprocess.run(line, env={**names, "PATH": ""}, capture_output=True, text=True)
    assert "TLS needs both" in done.stderr  # so --index and --refs were found


def test_sigterm_under_load_loses_no_accepted_request(settings: Settings, frame: bytes) -> None:
    with Server(settings) as server:
        clients = [BusyClient(server, frame) for _ in range(4)]
        for client in clients:
            client.start()
        time.sleep(1.5)

        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert get(f"{server.url}/readyz")[0] == 503
        assert server.process.wait(30) == 0
        for client in clients:
            client.join()

    assert [error for client in clients for error in client.errors] == []
    assert sum(client.codes.count(200) for client in clients) > 3
    assert {code for client in clients for code in client.codes} <= {200, 429}
    assert "event=stopped" in "".join(server.log)


class BusyClient(threading.Thread):
    """Sends a frame again and again, until the server accepts no more connections."""

    def __init__(self, server: Server, frame: bytes) -> None:
        super().__init__(daemon=True)
        self.codes: list[int] = []
        self.errors: list[Exception] = []
        self._port = server.port
        self._body, content_type = form(frame)
        self._headers = {"Content-Type": content_type}

    def run(self) -> None:
        connection = self._connect()
        while connection is not None:
            try:
                connection.request("POST", "/api/falcon", self._body, self._headers)
                answer = connection.getresponse()
                json.loads(answer.read())
                self.codes.append(answer.status)
                if answer.getheader("connection") == "close":
                    connection = self._connect()
            except Exception as exc:
                self.errors.append(exc)
                return

    def _connect(self) -> http.client.HTTPConnection | None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.connect()
        except OSError:
            return None
        return connection


def test_a_client_that_connected_before_the_end_is_still_answered(settings: Settings) -> None:
    """The listener closes a second after SIGTERM, its connections a moment later.

    A busy machine may miss that moment; without it, no try would succeed.
    """

    def is_answered() -> bool:
        with (
            Server(settings) as server,
            socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection,
        ):
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: refuses_connections(server.port))
            try:
                connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return connection.recv(99).startswith(b"HTTP/1.1 200")
            except OSError:
                return False

    assert any(is_answered() for _ in range(5))


def refuses_connections(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
    except ConnectionRefusedError:
        return True
    return False


def test_sigterm_while_loading_and_ctrl_c_end_with_0(settings: Settings) -> None:
    server = Server(settings)
    assert server.stop() == 0
    with Server(settings) as second:
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait(30) == 0


def test_https(settings: Settings, frame: bytes, tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    for number, blob in enumerate(issued.cert_chain_pems):
        blob.write_to_path(tmp_path / "cert.pem", append=number > 0)

    context = ssl.create_default_context()
    authority.configure_trust(context)
    options = ["--ssl-certfile", str(tmp_path / "cert.pem")]
    options += ["--ssl-keyfile", str(tmp_path / "key.pem")]
    with Server(settings, *options) as server:
        assert server.url.startswith("https://")
        with urllib.request.urlopen(f"{server.url}/health", context=context) as answer:
            assert json.load(answer)["phase"] == "ready"


def test_an_open_host_without_a_key_is_warned_about(settings: Settings) -> None:
    with Server(settings, "--host", "0.0.0.0") as server:
        assert any("level=warning" in line and "without a key" in line for line in server.log)
        assert get(f"http://127.0.0.1:{server.port}/health")[0] == 200
    with Server(settings, "--host", "0.0.0.0", "--api-key", "k") as server:
        assert not any("level=warning" in line for line in server.log)


def test_a_failure_to_load_ends_the_process_with_one_line(
    settings: Settings, tmp_path: Path
) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(Path(settings.encoder.partition(":")[2]).read_bytes())
    with Server(replace(settings, encoder=f"onnx:{model}"), "--device", "cpu"):
        pass
    server = Server(settings, "--device", "cuda")
    server.process.wait(30)
    assert server.stop() == 2
    assert sum(line.startswith("error:") for line in server.log) == 1
    assert "has no cuda" in "".join(server.log)


def test_the_client_in_the_docs_works(server: Server, frame: bytes, tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "serve.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    (tmp_path / "photo.jpg").write_bytes(frame)
    code = code.replace("http://localhost:8500", server.url)
    line = [sys.executable, "-W", "ignore::ResourceWarning", "-c", code]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    assert re.search(r"\{'x1': 0\.\d+", done.stdout), done.stderr


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_ipv6_address(settings: Settings) -> None:
    with Server(settings, "--host", "::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert get(f"{server.url}/health")[0] == 200


def test_without_the_extra_the_pip_line_is_given(settings: Settings) -> None:
    script = "import sys; sys.modules['uvicorn'] = None\n"
    script += "from data_label_factory.cli import main; sys.exit(main(sys.argv[1:]))"
    line = [sys.executable, "-c", script, "identify", "serve", "--index", str(settings.index)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'data_label_factory[identify]'" in done.stderr


def test_a_signal_before_the_server_can_answer_is_not_lost(settings: Settings) -> None:
    stopped = threading.Timer(60, lambda: os.kill(os.getpid(), signal.SIGINT))
    stopped.start()

    start = time.monotonic()
    run.serve(replace(settings, port=0), lambda _: os.kill(os.getpid(), signal.SIGTERM))
    stopped.cancel()

    assert time.monotonic() - start < 60
