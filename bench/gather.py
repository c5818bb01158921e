"""Compare `gather` with a bare downloader.

    python bench/gather.py [--files 1000] [--kilobytes 100] [--parallel 8] [--rounds 5]

`gather` checks and hashes every picture, names it and stores it safely. How much of the bare
downloader's rate is left? The bare downloader uses as many threads with `requests`, and each
writes what it gets to a file. A server in another process sends the files. The two take turns,
each in a new process; the figure is the ratio of their median rates.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from data_label_factory.gather.run import gather
from data_label_factory.project import Bucket, Project


def make_pictures(count: int, size: int) -> list[bytes]:
    """Return JPEGs of about `size` bytes, all different.

    All show the same noise. A comment numbers each file and fills it up to `size`.
    """
    rng = random.Random(0)
    side = int((size / 1.1) ** 0.5)
    noise = Image.frombytes("RGB", (side, side), rng.randbytes(3 * side * side))
    file = io.BytesIO()
    noise.save(file, "JPEG", quality=50)
    base = file.getvalue()

    pictures = []
    for number in range(count):
        comment = str(number).encode().ljust(min(max(size - len(base), 16), 65000), b" ")
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        pictures.append(base[:2] + segment + base[2:])
    return pictures


def serve(count: int, size: int, port: Any) -> None:
    """Serve /NUMBER.jpg over a minimal HTTP/1.1: keep-alive, one thread per connection."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
    bodies = [head % len(data) + data for data in make_pictures(count, size)]
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port.value = listener.getsockname()[1]

    def answer(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as lines:
            while request := lines.readline():
                while lines.readline() not in (b"\r\n", b""):
                    pass
                connection.sendall(bodies[int(request.split()[1][1:-4])])

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def download_bare(urls: list[str], folder: Path, parallel: int) -> None:
    local = threading.local()

    def fetch(item: tuple[int, str]) -> None:
        number, url = item
        if not hasattr(local, "session"):
            local.session = requests.Session()
        content = local.session.get(url, timeout=20).content
        (folder / f"{number}.jpg").write_bytes(content)

    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(fetch, enumerate(urls)))


def download_with_gather(urls: list[str], folder: Path, parallel: int) -> None:
    lines = [f"part {number},{url}\n" for number, url in enumerate(urls)]
    (folder / "list.csv").write_text("".join(lines))
    project = Project("bench", folder / "data", {"parts": Bucket(("list.csv",), "urls")})
    result = gather(project, folder=folder, parallel=parallel, quiet=True)
    assert len(result.new) == len(urls), result.failures[:3]


def measure_rate(work: Any, urls: list[str], parallel: int) -> float:
    """Return files per second, measured in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.Process(target=work, args=(urls, Path(folder), parallel))
        start = time.perf_counter()
        process.start()
        process.join()
        seconds = time.perf_counter() - start

        if process.exitcode:
            sys.exit(f"{work.__name__} failed")
    return len(urls) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--kilobytes", type=int, default=100)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    port = multiprocessing.Value("i", 0)
    size = arguments.kilobytes * 1000
    server = multiprocessing.Process(target=serve, args=(arguments.files, size, port), daemon=True)
    server.start()
    while not port.value:
        time.sleep(0.05)
    urls = [f"http://127.0.0.1:{port.value}/{number}.jpg" for number in range(arguments.files)]

    bare: list[float] = []
    gathered: list[float] = []
    for _ in range(arguments.rounds):
        bare.append(measure_rate(download_bare, urls, arguments.parallel))
        gathered.append(measure_rate(download_with_gather, urls, arguments.parallel))
    print_figures(arguments, bare, gathered)


def print_figures(arguments: argparse.Namespace, bare: list[float], gathered: list[float]) -> None:
    bare_median = statistics.median(bare)
    gather_median = statistics.median(gathered)
    figures = {
        "files": arguments.files,
        "kilobytes": arguments.kilobytes,
        "parallel": arguments.parallel,
        "files_a_second": {"bare": round(bare_median), "gather": round(gather_median)},
        "ratio_of_medians": round(gather_median / bare_median, 3),
        "ratios": [round(b / a, 3) for a, b in zip(bare, gathered, strict=True)],
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
