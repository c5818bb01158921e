"""`load` of the bench of serving: many clients at once, then SIGTERM."""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from serve_setup import (
    Client,
    Values,
    answer_of,
    milliseconds,
    rss,
    server,
)
from threadpoolctl import threadpool_limits

from data_label_factory.cpu import cpu_count
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.recognize import Recognizer


def load(index: Path, refs: Path, frames: list[bytes], options: argparse.Namespace) -> Values:
    own = own_throughput(index, refs, frames, options.seconds / 2)
    results: Values = {"own_per_second": round(own, 2)}
    with server(index, refs) as (port, process, _):
        expected = [answer_of(Client(port).ask(frame)[1]) for frame in frames]
        for clients in (1, 4, 16):
            results[f"clients_{clients}"] = under_load(
                port, process, frames, expected, clients, options.seconds
            )
        results["after_sigterm"] = terminate(port, process, frames)
    return results


def under_load(
    port: int,
    process: psutil.Process,
    frames: list[bytes],
    expected: list[Any],
    clients: int,
    seconds: float,
) -> Values:
    end = time.perf_counter() + seconds
    codes: Counter[int] = Counter()
    answer_times: list[float] = []
    health_times: list[float] = []
    wrong: list[int] = []  # frame numbers
    before = rss(process)

    def run_camera(number: int) -> None:
        client = Client(port)
        rng = random.Random(number)
        while time.perf_counter() < end:
            which = rng.randrange(len(frames))
            start = time.perf_counter()
            status, values = client.ask(frames[which])
            codes[status] += 1
            if status != 200:
                time.sleep(1)  # as Retry-After asks
                continue
            answer_times.append(time.perf_counter() - start)
            if answer_of(values) != expected[which]:
                wrong.append(which)

    def run_prober() -> None:
        client = Client(port)
        while time.perf_counter() < end:
            start = time.perf_counter()
            client.health()
            health_times.append(time.perf_counter() - start)
            time.sleep(0.1)

    with ThreadPoolExecutor(clients + 1) as pool:
        jobs = [pool.submit(run_prober)]
        jobs += [pool.submit(run_camera, number) for number in range(clients)]
        for job in jobs:
            job.result()

    return {
        "per_second": round(codes[200] / seconds, 2),
        "codes": dict(codes),
        "wrong": len(wrong),
        **milliseconds("answer", answer_times),
        **milliseconds("health", health_times),
        "rss_mib": [before, rss(process)],
    }


def terminate(port: int, process: psutil.Process, frames: list[bytes]) -> Values:
    """Send SIGTERM while four clients ask.

    The server must answer every request on a connection that it accepted.
    """
    lost: list[str] = []
    answered: list[int] = []

    def run_camera() -> None:
        client = Client(port)
        while True:
            try:
                status, _ = client.ask(frames[0])
            except ConnectionRefusedError:
                return
            except OSError as exc:
                lost.append(repr(exc))
                return
            answered.append(status)

    threads = [threading.Thread(target=run_camera) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    process.terminate()
    for thread in threads:
        thread.join()
    return {"answered": len(answered), "lost": lost}


def open_recognizer(index: Path, refs: Path) -> Recognizer:
    embedder = Embedder.open()
    built = build_index(refs, index, embedder, quiet=True)
    return Recognizer(built.index, embedder, refs=refs)


def own_throughput(index: Path, refs: Path, frames: list[bytes], seconds: float) -> float:
    """Frames per second of decode + recognize() in as many threads as the server has workers."""
    recognizer = open_recognizer(index, refs)
    end = time.perf_counter() + seconds

    def count_frames(number: int) -> int:
        rng = random.Random(number)
        done = 0
        while time.perf_counter() < end:
            recognizer.recognize(decode(rng.choice(frames)))
            done += 1
        return done

    workers = min(cpu_count(), 4)
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(count_frames, range(workers))) / seconds
