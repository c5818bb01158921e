"""What bench/serve.py works with: a server in its own process, a client, frames, and reading answers and memory."""

from __future__ import annotations

import argparse
import http.client
import io
import json
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.encoders import Embedder, open_encoder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.samples import draw_collection

Values = dict[str, Any]
_BOUNDARY = "b" * 24
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")


class Client:
    """One connection that is kept, as a camera page keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, picture: bytes) -> tuple[int, Values]:
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="f.jpg"\r\n\r\n'
        body = head.encode() + picture + f"\r\n--{_BOUNDARY}--\r\n".encode()
        return self._send(
            "POST",
            "/api/falcon",
            body,
            {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"},
        )

    def health(self) -> Values:
        return self._send("GET", "/health", b"", {})[1]

    def _send(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, Values]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
            self._connection.connect()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        values = json.loads(answer.read())
        if answer.getheader("connection") == "close":
            self._connection = None
        return answer.status, values


@contextmanager
def server(index: Path, refs: Path, *more: str) -> Iterator[tuple[int, psutil.Process, float]]:
    """`identify serve` on a free port, ready: its port, its process, and the seconds that took."""
    line = [sys.executable, "-m", "data_label_factory", "identify", "serve", "--port", "0", *more]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*line, "--index", str(index), "--refs", str(refs)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    port, seconds = 0, 0.0
    for text in process.stderr:
        if found := re.search(r"url=\S+:(\d+)/", text):
            port = int(found[1])
        if "event=ready" in text:
            seconds = time.perf_counter() - start
            break
    threading.Thread(target=process.stderr.read, daemon=True).start()
    try:
        yield port, psutil.Process(process.pid), seconds
    finally:
        process.terminate()
        process.wait(30)


class Busy:
    """A client that asks the same thing all the while in a thread; `codes` counts the answers."""

    def __init__(self, port: int, picture: bytes, codes: Counter[int]) -> None:
        self._client, self._picture, self._codes = Client(port), picture, codes
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._done.is_set():
            self._codes[self._client.ask(self._picture)[0]] += 1


def until(port: int, picture: bytes, named: set[str]) -> float:
    """Seconds until the sure answers to a picture are those files, asked again and again."""
    client, begin = Client(port), time.perf_counter()
    while time.perf_counter() - begin < 60:
        _, values = client.ask(picture)
        if {mask["ref_filename"] for mask in values.get("masks", []) if mask["confident"]} == named:
            return time.perf_counter() - begin
    raise TimeoutError(f"not {named} after a minute")


def mutated(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randrange(1, 16)):
        at = rng.randrange(max(1, min(len(out), 400)) if rng.random() < 0.5 else len(out) + 1)
        kind = rng.randrange(5)
        if kind == 0:
            out[at : at + 1] = rng.randbytes(1)
        elif kind == 1:
            del out[at : at + rng.randrange(1, 60)]
        elif kind == 2:
            out[at:at] = out[at : at + rng.randrange(1, 300)]
        elif kind == 3:
            out[at : at + 4] = rng.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"])
        elif rng.random() < 0.1:
            del out[at:]
    return bytes(out)


def answer_of(values: Values) -> Any:
    return [
        (m["ref_filename"], m["confident"], m["score"], m["quad_norm"])
        for m in values.get("masks", [])
    ]


def rss(process: psutil.Process) -> float:
    return round(float(process.memory_info().rss) / 2**20, 1)


def slope(samples: list[tuple[int, float]]) -> Values:
    """MiB a thousand requests, fitted to the second half, when caches are warm."""
    late = samples[len(samples) // 2 :]
    numbers, sizes = (np.array(column, np.float64) for column in zip(*late, strict=True))
    fitted = float(np.polyfit(numbers, sizes, 1)[0]) * 1000 if len(late) > 2 else None
    return {"rss_mib": [samples[0][1], samples[-1][1]], "mib_per_1000": fitted and round(fitted, 3)}


def milliseconds(name: str, seconds: list[float]) -> Values:
    values = np.array(seconds or [float("nan")]) * 1000
    return {f"{name}_ms_p{p}": round(float(np.percentile(values, p)), 1) for p in (50, 95)}


def material(options: argparse.Namespace, scratch: Path) -> tuple[Path, Path, list[bytes]]:
    refs = options.refs or scratch / "refs"
    if options.refs is None:
        draw_collection(refs, count=60)
    index = scratch / "index.npz"
    build_index(refs, index, Embedder(open_encoder()), quiet=True)
    if options.frames:
        files = sorted(
            file for file in options.frames.iterdir() if file.suffix.lower() in _PICTURES
        )
        return index, refs, [file.read_bytes() for file in files]
    rng, files, frames = np.random.default_rng(options.seed), sorted(refs.rglob("*.*")), []
    for number in range(40):
        shown = [decode(files[i]) for i in rng.choice(len(files), 1 + number % 3, replace=False)]
        Image.fromarray(render_view(shown, rng).image).save(
            file := io.BytesIO(), "JPEG", quality=90
        )
        frames.append(file.getvalue())
    return index, refs, frames
