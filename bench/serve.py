#!/usr/bin/env python3
"""Measure `identify serve` from a second process.

    python bench/serve.py [--refs DIR] [--frames DIR] BENCH ...

`start`     seconds until ready, and memory then
`overhead`  milliseconds per request on top of recognize(), which gets the same frames in turn
`load`      1, 4 and 16 clients for --seconds each: throughput against that of recognize() in as
            many threads as the server has workers, latency, refusals, /health meanwhile, memory,
            wrong answers; then SIGTERM under load: which requests were lost
`soak`      --requests frames as fast as possible: memory slope and answers that changed
`watch`     seconds until a file that was added to the refs folder, changed or deleted there
            shows in the answers
`mutate`    --requests corrupted pictures: answers by status, memory slope

Without --refs and --frames it draws 60 sample cards and 40 webcam-like views of them.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image
from serve_load import load, open_recognizer
from serve_setup import (
    Busy,
    Client,
    Values,
    answer_of,
    milliseconds,
    mutated,
    prepare,
    rss,
    server,
    slope,
    wait_until_named,
)
from threadpoolctl import threadpool_limits

from data_label_factory.cpu import cpu_count
from data_label_factory.identify.images import decode
from data_label_factory.samples import draw_collection


def start(index: Path, refs: Path, _frames: list[bytes], _options: argparse.Namespace) -> Values:
    seconds = []
    memory = []
    for _ in range(3):
        with server(index, refs) as (_, process, taken):
            seconds.append(round(taken, 2))
            memory.append(rss(process))
    return {"ready_seconds": seconds, "rss_mib": memory}


def overhead(index: Path, refs: Path, frames: list[bytes], options: argparse.Namespace) -> Values:
    recognizer = open_recognizer(index, refs)
    direct: list[float] = []
    whole: list[float] = []
    with server(index, refs) as (port, _, _), threadpool_limits(1, user_api="blas"):
        client = Client(port)
        for number in range(options.requests):
            picture = frames[number % len(frames)]
            pixels = decode(picture)

            start = time.perf_counter()
            recognizer.recognize(pixels)
            between = time.perf_counter()
            client.ask(picture)
            end = time.perf_counter()
            direct.append(between - start)
            whole.append(end - between)

    on_top = [http - own for http, own in zip(whole, direct, strict=True)]
    return {
        "requests": options.requests,
        **milliseconds("recognize", direct),
        **milliseconds("http", whole),
        **milliseconds("on_top", on_top),
    }


def soak(index: Path, refs: Path, frames: list[bytes], options: argparse.Namespace) -> Values:
    changed = 0
    samples: list[tuple[int, float]] = []
    step = max(20, options.requests // 50)
    threads = cpu_count()

    with server(index, refs) as (port, process, _):
        expected = [answer_of(Client(port).ask(frame)[1]) for frame in frames]
        start = time.perf_counter()

        def count_changed(numbers: range) -> int:
            client = Client(port)
            changed = 0
            for number in numbers:
                which = number % len(frames)
                changed += answer_of(client.ask(frames[which])[1]) != expected[which]
            return changed

        with ThreadPoolExecutor(threads) as pool:
            for done in range(0, options.requests, step):
                block = range(done, min(done + step, options.requests))
                parts = [block[k::threads] for k in range(threads)]
                changed += sum(pool.map(count_changed, parts))
                samples.append((done + len(block), rss(process)))
        seconds = time.perf_counter() - start

    return {
        "requests": options.requests,
        "seconds": round(seconds, 1),
        "changed_answers": changed,
        **slope(samples),
    }


def watch(index: Path, refs: Path, frames: list[bytes], _options: argparse.Namespace) -> Values:
    """Three rounds while another client keeps asking; the mean of each kind of change."""
    folder = index.parent / "watched"
    shutil.copytree(refs, folder, dirs_exist_ok=True)
    drawn = draw_collection(index.parent / "unknown", count=6, seed=99)
    unknowns = [path.read_bytes() for path in drawn]

    seconds: dict[str, list[float]] = {"dropped": [], "changed": [], "deleted": []}
    codes: Counter[int] = Counter()
    with server(index, folder, "--watch") as (port, _, _), Busy(port, frames[0], codes):
        for first, second in zip(unknowns[::2], unknowns[1::2], strict=True):
            file = folder / "dropped.jpg"
            file.write_bytes(first)
            seconds["dropped"].append(wait_until_named(port, first, {file.name}))
            file.write_bytes(second)
            seconds["changed"].append(wait_until_named(port, second, {file.name}))
            file.unlink()
            seconds["deleted"].append(wait_until_named(port, second, set()))

    means: Values = {}
    for name, values in seconds.items():
        means[f"{name}_seconds"] = round(sum(values) / len(values), 2)
    worst = max(map(max, seconds.values()))
    return {**means, "worst_seconds": round(worst, 2), "codes": dict(codes)}


def mutate(index: Path, refs: Path, frames: list[bytes], options: argparse.Namespace) -> Values:
    originals = encode_in_formats(frames[0])
    rng = random.Random(options.seed)
    codes: Counter[int] = Counter()
    samples: list[tuple[int, float]] = []

    with server(index, refs) as (port, process, _):
        client = Client(port)
        for number in range(options.requests):
            status, _ = client.ask(mutated(rng.choice(originals), rng))
            codes[status] += 1
            if number % max(20, options.requests // 50) == 0:
                samples.append((number, rss(process)))
        alive = client.health()["phase"] == "ready"

    return {
        "requests": options.requests,
        "codes": dict(codes),
        "5xx": sum(count for status, count in codes.items() if status >= 500),
        "alive": alive,
        **slope(samples),
    }


def encode_in_formats(picture: bytes) -> list[bytes]:
    """Return a small copy of a picture in each format that the server reads."""
    small = Image.open(io.BytesIO(picture)).convert("RGB").resize((160, 120))
    copies = []
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        file = io.BytesIO()
        small.save(file, kind)
        copies.append(file.getvalue())
    return copies


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
            index, refs, frames = prepare(options, Path(scratch))
            print(json.dumps({name: BENCHES[name](index, refs, frames, options)}), flush=True)


if __name__ == "__main__":
    main()
