"""A small collection, a server in this process or in another one, and a client made by hand."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from drawn import mean_color_model
from starlette.testclient import TestClient

from data_label_factory.identify.encoders import Embedder, open_encoder
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.recognize import calibrate
from data_label_factory.identify.recognize.confidence import Calibration
from data_label_factory.identify.server.app import create_app
from data_label_factory.identify.server.settings import Settings
from data_label_factory.samples import draw_collection


def make_collection(folder: Path, count: int = 5) -> Settings:
    """Draw and index `count` cards.

    The encoder is a toy that costs nothing: local features and appearance do the naming.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = mean_color_model(folder / "model.onnx", layout="NHWC-uint8", side=32)
    draw_collection(folder / "refs", count=count)
    settings = Settings(folder / "i.npz", folder / "refs", encoder=f"onnx:{model}")
    reindex(settings)
    return settings


def reindex(settings: Settings) -> None:
    assert settings.refs
    build_index(settings.refs, settings.index, Embedder(open_encoder(settings.encoder)), quiet=True)


def outdate_calibration(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store a calibration for one item in the index, and make the next calibration a quick one."""
    outdated = Calibration(unknowns=96, items=1)
    Index.load(settings.index).with_calibration(outdated.as_dict()).save(settings.index)
    monkeypatch.setattr(calibrate, "_FRAMES", 1)
    monkeypatch.setattr(calibrate, "_DISTRACTOR_FRAMES", 1)


@contextmanager
def served(settings: Settings) -> Iterator[TestClient]:
    """The application in this process, ready."""
    app = create_app(settings)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        yield client


def wait_until(condition: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


class Server:
    """`identify serve` in another process, on a free port."""

    def __init__(
        self, settings: Settings, *options: str, env: Mapping[str, str] | None = None
    ) -> None:
        command = [sys.executable, "-m", "data_label_factory", "identify", "serve"]
        command += ["--index", str(settings.index), "--refs", str(settings.refs)]
        command += ["--encoder", settings.encoder, "--port", "0", *options]
        self.process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )

        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_until(lambda: self.url or self.process.poll() is not None)

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)

    @property
    def url(self) -> str:
        found = re.search(r"url=(\S+)/", "".join(self.log))
        return found[1] if found else ""

    @property
    def is_ready(self) -> bool:
        return any("event=ready" in line for line in self.log)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def __enter__(self) -> "Server":
        wait_until(lambda: self.is_ready or self.process.poll() is not None)
        assert self.process.poll() is None, self.log
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int:
        """Send SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)

        self._reader.join(5)
        assert self.process.stdout
        self.process.stdout.close()
        if self.process.stderr:
            self.process.stderr.close()
        return code


def form(picture: bytes, **fields: str) -> tuple[bytes, str]:
    """A multipart body and its content type, made by hand from RFC 7578."""
    boundary = uuid.uuid4().hex
    start = f"--{boundary}\r\nContent-Disposition: form-data; "
    head = f'{start}name="image"; filename="frame.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = head.encode() + picture + b"\r\n"
    for name, value in fields.items():
        body += f'{start}name="{name}"\r\n\r\n{value}\r\n'.encode()
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def ask(
    url: str, picture: bytes, headers: Mapping[str, str] | None = None, **fields: str
) -> tuple[int, Any, Any]:
    """POST a picture to `url`/api/falcon with urllib: status, JSON, headers."""
    body, content_type = form(picture, **fields)
    request = urllib.request.Request(
        f"{url}/api/falcon", body, {"Content-Type": content_type, **(headers or {})}
    )

    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), error.headers


def get(url: str) -> tuple[int, Any]:
    """GET `url`: status and JSON."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def quickest(url: str, path: str) -> float:
    """Seconds of the quickest small answer: of the last ten of forty GETs on one connection."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    seconds = []
    for _ in range(40):
        start = time.perf_counter()
        connection.request("GET", path)
        connection.getresponse().read()
        seconds.append(time.perf_counter() - start)
    connection.close()
    return min(seconds[-10:])
