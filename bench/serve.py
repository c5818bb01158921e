#!/usr/bin/env python3
"""Measure `identify serve` from a second process.

usage: python bench/serve.py [--refs DIR] [--frames DIR] overhead | load | soak | watch | mutate | start

`start`     seconds until ready, and memory then
`overhead`  milliseconds a request on top of recognize(), the two asked for the same frame in turn
`load`      1, 4 and 16 clients for --seconds each: throughput against the recogniser's own in as many threads,
            latency, refusals, /health meanwhile, memory, wrong answers; then SIGTERM under load: what was lost
`soak`      --requests frames as fast as they go: memory slope and answers that changed
`watch`     seconds until a file dropped into the refs, changed or deleted there, shows in the answers
`mutate`    --requests mutated pictures: answers by status, memory slope

Without --refs and --frames it draws 60 sample cards and 40 webcam-like views of them.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from PIL import Image
from serve_setup import (
    Busy,
    Client,
    Values,
    answer_of,
    material,
    milliseconds,
    mutated,
    rss,
    server,
    slope,
    until,
)
from threadpoolctl import threadpool_limits

from data_label_factory.identify.encoders import Embedder, cpu_count
from data_label_factory.identify.images import decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.samples import draw_collection


def start(index: Path, refs: Path, _frames: list[bytes], _options: argparse.Namespace) -> Values:
    seconds, memory = [], []
    for _ in range(3):
        with server(index, refs) as (_, process, taken):
            seconds.append(round(taken, 2))
            memory.append(rss(process))
    return {"ready_seconds": seconds, "rss_mib": memory}


def overhead(index: Path, refs: Path, frames: list[bytes], options: argparse.Namespace) -> Values:
    recognizer = own_recognizer(index, refs)
    gaps, direct, whole = [], [], []
    with server(index, refs) as (port, _, _), threadpool_limits(1, user_api="blas"):
        client = Client(port)
        for number in range(options.requests):
            picture = frames[number % len(frames)]
            pixels = decode(picture)
            before = time.perf_counter()
            recognizer.recognize(pixels)
            between = time.perf_counter()
            client.ask(picture)
            after = time.perf_counter()
            direct.append(between - before)
            whole.append(after - between)
            gaps.append(whole[-1] - direct[-1])
    return {"requests": options.requests, **milliseconds("recognize", direct), **milliseconds("http", whole),
            **milliseconds("on_top", gaps)}  # fmt: skip


def load(index: Path, refs: Path, frames: list[bytes], options: argparse.Namespace) -> Values:
    results: Values = {
        "own_per_second": round(own_throughput(index, refs, frames, options.seconds / 2), 2)
    }
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
    times: list[float] = []
    probes: list[float] = []
    wrong: list[int] = []
    before = rss(process)

    def camera(number: int) -> None:
        client, rng = Client(port), random.Random(number)
        while time.perf_counter() < end:
            which = rng.randrange(len(frames))
            begin = time.perf_counter()
            status, values = client.ask(frames[which])
            codes[status] += 1
            if status == 200:
                times.append(time.perf_counter() - begin)
                wrong.extend([which] * (answer_of(values) != expected[which]))
            else:
                time.sleep(1)  # as Retry-After asks

    def prober() -> None:
        client = Client(port)
        while time.perf_counter() < end:
            begin = time.perf_counter()
            client.health()
            probes.append(time.perf_counter() - begin)
            time.sleep(0.1)

    with ThreadPoolExecutor(clients + 1) as pool:
        jobs = [pool.submit(prober), *(pool.submit(camera, number) for number in range(clients))]
        for job in jobs:
            job.result()
    return {"per_second": round(codes[200] / seconds, 2), "codes": dict(codes), "wrong": len(wrong),
            **milliseconds("answer", times), **milliseconds("health", probes),
            "rss_mib": [before, rss(process)]}  # fmt: skip


def terminate(port: int, process: psutil.Process, frames: list[bytes]) -> Values:
    """SIGTERM while four clients ask: a request on a connection that was accepted must be answered."""
    lost: list[str] = []
    answered: list[int] = []

    def camera() -> None:
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

    threads = [threading.Thread(target=camera) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    process.terminate()
    for thread in threads:
        thread.join()
    return {"answered": len(answered), "lost": lost}


def soak(index: Path, refs: Path, frames: list[bytes], options: argparse.Namespace) -> Values:
    with server(index, refs) as (port, process, _):
        expected = [answer_of(Client(port).ask(frame)[1]) for frame in frames]
        changed, samples, begin = 0, [], time.perf_counter()

        def camera(numbers: range) -> int:
            client = Client(port)
            return sum(
                answer_of(client.ask(frames[n % len(frames)])[1]) != expected[n % len(frames)]
                for n in numbers
            )

        step = max(20, options.requests // 50)
        with ThreadPoolExecutor(cpu_count()) as pool:
            for done in range(0, options.requests, step):
                block = range(done, min(done + step, options.requests))
                changed += sum(
                    pool.map(camera, [block[k :: cpu_count()] for k in range(cpu_count())])
                )
                samples.append((done + len(block), rss(process)))
        seconds = time.perf_counter() - begin
    return {
        "requests": options.requests,
        "seconds": round(seconds, 1),
        "changed_answers": changed,
        **slope(samples),
    }


def watch(index: Path, refs: Path, frames: list[bytes], _options: argparse.Namespace) -> Values:
    """With another client asking all the while; three rounds, the mean of each change."""
    own = index.parent / "watched"
    shutil.copytree(refs, own, dirs_exist_ok=True)
    unknowns = [
        path.read_bytes() for path in draw_collection(index.parent / "strangers", count=6, seed=99)
    ]
    seconds: dict[str, list[float]] = {"dropped": [], "changed": [], "deleted": []}
    codes: Counter[int] = Counter()
    with server(index, own, "--watch") as (port, _, _), Busy(port, frames[0], codes):
        for first, second in zip(unknowns[::2], unknowns[1::2], strict=True):
            file = own / "dropped.jpg"
            file.write_bytes(first)
            seconds["dropped"].append(until(port, first, {file.name}))
            file.write_bytes(second)
            seconds["changed"].append(until(port, second, {file.name}))
            file.unlink()
            seconds["deleted"].append(until(port, second, set()))
    means = {
        f"{name}_seconds": round(sum(values) / len(values), 2) for name, values in seconds.items()
    }
    return {
        **means,
        "worst_seconds": round(max(map(max, seconds.values())), 2),
        "codes": dict(codes),
    }


def mutate(index: Path, refs: Path, frames: list[bytes], options: argparse.Namespace) -> Values:
    rng, codes, samples = random.Random(options.seed), Counter[int](), []
    small = Image.open(io.BytesIO(frames[0])).convert("RGB").resize((160, 120))
    originals = []
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        small.save(file := io.BytesIO(), kind)
        originals.append(file.getvalue())
    with server(index, refs) as (port, process, _):
        client = Client(port)
        for number in range(options.requests):
            codes[client.ask(mutated(rng.choice(originals), rng))[0]] += 1
            if number % max(20, options.requests // 50) == 0:
                samples.append((number, rss(process)))
        alive = client.health()["phase"] == "ready"
    errors = sum(count for status, count in codes.items() if status >= 500)
    return {
        "requests": options.requests,
        "codes": dict(codes),
        "5xx": errors,
        "alive": alive,
        **slope(samples),
    }


def own_recognizer(index: Path, refs: Path) -> Recognizer:
    embedder = Embedder.open()
    return Recognizer(build_index(refs, index, embedder, quiet=True).index, embedder, refs=refs)


def own_throughput(index: Path, refs: Path, frames: list[bytes], seconds: float) -> float:
    """Frames a second of decode + recognize() in as many threads as the server has workers."""
    recognizer = own_recognizer(index, refs)
    end = time.perf_counter() + seconds

    def work(number: int) -> int:
        rng, done = random.Random(number), 0
        while time.perf_counter() < end:
            recognizer.recognize(decode(rng.choice(frames)))
            done += 1
        return done

    workers = min(cpu_count(), 4)
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(work, range(workers))) / seconds


BENCHES = {
    "start": start,
    "overhead": overhead,
    "load": load,
    "soak": soak,
    "watch": watch,
    "mutate": mutate,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("which", nargs="+", choices=BENCHES)
    parser.add_argument("--refs", type=Path, help="reference pictures")
    parser.add_argument("--frames", type=Path, help="a folder of frames to send")
    parser.add_argument("--seconds", type=float, default=60, help="of each load (default: 60)")
    parser.add_argument(
        "--requests", type=int, default=200, help="for overhead, soak and mutate (default: 200)"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.which:
            index, refs, frames = material(options, Path(scratch))
            print(json.dumps({name: BENCHES[name](index, refs, frames, options)}), flush=True)


if __name__ == "__main__":
    main()
