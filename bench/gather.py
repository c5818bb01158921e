"""How much of a bare downloader's rate is left when every picture is checked, hashed, named and kept safely.

    python bench/gather.py [--files 1000] [--kilobytes 100] [--parallel 8] [--rounds 5]

A server in a process of its own gives the files. The bare downloader is as many threads with `requests`, each writing
what it gets to a file. Both run in turns, in processes of their own; the figure is the ratio of their median rates.
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


def pictures(count: int, size: int) -> list[bytes]:
    """JPEGs of about `size` bytes, all different: noise, then a comment that numbers and pads the file."""
    rng = random.Random(0)
    side = int((size / 1.1) ** 0.5)
    noise = Image.frombytes("RGB", (side, side), rng.randbytes(3 * side * side))
    file = io.BytesIO()
    noise.save(file, "JPEG", quality=50)
    base = file.getvalue()
    out = []
    for number in range(count):
        comment = str(number).encode().ljust(min(max(size - len(base), 16), 65000), b" ")
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        out.append(base[:2] + segment + base[2:])
    return out


def serve(count: int, size: int, port: Any) -> None:
    """The least of an HTTP/1.1 server: keep-alive, one thread a connection, /NUMBER.jpg."""
    bodies = [
        b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
        + data
        for data in pictures(count, size)
    ]
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port.value = listener.getsockname()[1]

    def talk(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as lines:
            while request := lines.readline():
                while lines.readline() not in (b"\r\n", b""):
                    pass
                connection.sendall(bodies[int(request.split()[1][1:-4])])

    while True:
        threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()


def bare(urls: list[str], folder: Path, parallel: int) -> None:
    local = threading.local()

    def fetch(item: tuple[int, str]) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        (folder / f"{item[0]}.jpg").write_bytes(local.session.get(item[1], timeout=20).content)

    with ThreadPoolExecutor(parallel) as pool:
        list(pool.map(fetch, enumerate(urls)))


def ours(urls: list[str], folder: Path, parallel: int) -> None:
    (folder / "list.csv").write_text(
        "".join(f"part {number},{url}\n" for number, url in enumerate(urls))
    )
    project = Project("bench", "part", folder / "data", {"parts": Bucket(("list.csv",), "urls")})
    result = gather(project, folder=folder, parallel=parallel, quiet=True)
    assert len(result.new) == len(urls), result.failures[:3]


def timed(work: Any, urls: list[str], parallel: int) -> float:
    """Files a second, in a fresh process."""
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
    server = multiprocessing.Process(
        target=serve, args=(arguments.files, arguments.kilobytes * 1000, port), daemon=True
    )
    server.start()
    while not port.value:
        time.sleep(0.05)
    urls = [f"http://127.0.0.1:{port.value}/{number}.jpg" for number in range(arguments.files)]
    rates: dict[str, list[float]] = {"bare": [], "gather": []}
    for _ in range(arguments.rounds):
        rates["bare"].append(timed(bare, urls, arguments.parallel))
        rates["gather"].append(timed(ours, urls, arguments.parallel))
    middle = {name: statistics.median(values) for name, values in rates.items()}
    ratios = [round(b / a, 3) for a, b in zip(rates["bare"], rates["gather"], strict=True)]
    print(
        json.dumps(
            {
                "files": arguments.files,
                "kilobytes": arguments.kilobytes,
                "parallel": arguments.parallel,
                "files_a_second": {name: round(value) for name, value in middle.items()},
                "ratio_of_medians": round(middle["gather"] / middle["bare"], 3),
                "ratios": ratios,
            }
        )
    )


if __name__ == "__main__":
    main()
