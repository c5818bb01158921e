"""What bench/serve.py works with.

A server process, clients, references and frames, and functions that read answers and memory.
"""

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
    """One connection that is kept open, like that of a camera page."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, picture: bytes) -> tuple[int, Values]:
        """Send a picture to be recognized; return the status and the JSON of the answer."""
        disposition = 'form-data; name="image"; filename="f.jpg"'
        head = f"--{_BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n"
        body = head.encode() + picture + f"\r\n--{_BOUNDARY}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        return self._send("POST", "/api/falcon", body, headers)

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
    """Run `identify serve` on a free port; yield port, process and seconds when it is ready."""
    command = [sys.executable, "-m", "data_label_factory", "identify", "serve", "--port", "0"]
    command += [*more, "--index", str(index), "--refs", str(refs)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr

    port = 0
    seconds = 0.0
    for line in process.stderr:
        if url := re.search(r"url=\S+:(\d+)/", line):
            port = int(url[1])
        if "event=ready" in line:
            seconds = time.perf_counter() - start
            break

    # A full pipe would block the server.
    threading.Thread(target=process.stderr.read, daemon=True).start()
    try:
        yield port, psutil.Process(process.pid), seconds
    finally:
        process.terminate()
        process.wait(30)


class Busy:
    """A thread that keeps sending the same picture; `codes` counts the answers by status."""

    def __init__(self, port: int, picture: bytes, codes: Counter[int]) -> None:
        self._client = Client(port)
        self._picture = picture
        self._codes = codes
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


def wait_until_named(port: int, picture: bytes, names: set[str]) -> float:
    """Ask until the confident answers to a picture are the references `names`.

    Returns the seconds that took. Raises TimeoutError after a minute.
    """
    client = Client(port)
    start = time.perf_counter()
    while time.perf_counter() - start < 60:
        _, values = client.ask(picture)
        masks = values.get("masks", [])
        if {mask["ref_filename"] for mask in masks if mask["confident"]} == names:
            return time.perf_counter() - start
    raise TimeoutError(f"not {names} after a minute")


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return the file with up to 15 random changes, half of them near its start."""
    out = bytearray(data)
    for _ in range(rng.randrange(1, 16)):
        near_start = max(1, min(len(out), 400))
        at = rng.randrange(near_start if rng.random() < 0.5 else len(out) + 1)
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
    """Return what two answers to the same frame must have in common."""
    keys = ("ref_filename", "confident", "score", "quad_norm")
    return [tuple(mask[key] for key in keys) for mask in values.get("masks", [])]


def rss(process: psutil.Process) -> float:
    """Return the memory of a process in MiB."""
    return round(float(process.memory_info().rss) / 2**20, 1)


def slope(samples: list[tuple[int, float]]) -> Values:
    """Fit MiB per thousand requests to the second half, when caches are warm."""
    late = samples[len(samples) // 2 :]
    numbers, sizes = (np.array(column, np.float64) for column in zip(*late, strict=True))

    fitted = float(np.polyfit(numbers, sizes, 1)[0]) * 1000 if len(late) > 2 else None
    return {"rss_mib": [samples[0][1], samples[-1][1]], "mib_per_1000": fitted and round(fitted, 3)}


def milliseconds(name: str, seconds: list[float]) -> Values:
    values = np.array(seconds or [float("nan")]) * 1000
    return {f"{name}_ms_p{p}": round(float(np.percentile(values, p)), 1) for p in (50, 95)}


def prepare(options: argparse.Namespace, scratch: Path) -> tuple[Path, Path, list[bytes]]:
    """Return the index, the folder of references and the frames to send."""
    refs = options.refs or scratch / "refs"
    if options.refs is None:
        draw_collection(refs, count=60)
    index = scratch / "index.npz"
    build_index(refs, index, Embedder(open_encoder()), quiet=True)

    if options.frames is None:
        return index, refs, render_frames(refs, options.seed)
    files = sorted(file for file in options.frames.iterdir() if file.suffix.lower() in _PICTURES)
    return index, refs, [file.read_bytes() for file in files]


def render_frames(refs: Path, seed: int) -> list[bytes]:
    """Return 40 JPEGs of simulated webcam frames, each with one to three items."""
    rng = np.random.default_rng(seed)
    files = sorted(refs.rglob("*.*"))
    frames = []
    for number in range(40):
        rows = rng.choice(len(files), 1 + number % 3, replace=False)
        view = render_view([decode(files[row]) for row in rows], rng)
        file = io.BytesIO()
        Image.fromarray(view.image).save(file, "JPEG", quality=90)
        frames.append(file.getvalue())
    return frames
