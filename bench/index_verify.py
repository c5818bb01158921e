"""Figures of indexing and verifying, each with how it was taken. Times are ratios or bounds: machines differ.

    python bench/index_verify.py [--data ../shared/data] [overhead | no-change | memory | verify | data]

`overhead`   indexing against the encoder alone on the same decoded pictures, in one run
`no-change`  a second `index` over unchanged files, and `--help`, as whole processes
`memory`     peak memory of indexing 500 and 5,000 drawn references
`verify`     time and peak memory of verifying 100,000 random rows
`data`       index and verify the two real sets in --data
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data_label_factory.identify.encoders import Embedder, EncoderIdentity, open_encoder, unit_rows
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index, IndexMeta
from data_label_factory.identify.index.build import DECODE_MIN_SIDE, build_index
from data_label_factory.samples import draw_collection

RUNS = 5


def overhead(_data: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        refs = Path(scratch) / "refs"
        refs.mkdir()
        files = draw_collection(refs, count=100)
        encoder = open_encoder()
        encoder.encode(
            [np.zeros((64, 64, 3), np.uint8)] * 4
        )  # open the sessions before the clock starts
        pictures = [decode(path, min_side=DECODE_MIN_SIDE) for path in files]
        ratios = []
        for _ in range(RUNS):
            alone = clock(lambda: encoder.encode(pictures))
            whole = clock(
                lambda: build_index(
                    refs, Path(scratch) / "i.npz", Embedder(encoder), full=True, quiet=True
                )
            )
            ratios.append(whole / alone)
    return {
        "pictures": len(files),
        "ratio_median": round(float(np.median(ratios)), 3),
        "ratios": rounded(ratios),
    }


def no_change(_data: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        refs = Path(scratch) / "refs"
        refs.mkdir()
        draw_collection(refs, count=280)
        command = ["identify", "index", "--refs", str(refs), "--out", f"{scratch}/i.npz"]
        process(command)
        again = [clock(lambda: process(command)) for _ in range(RUNS)]
        shown = [clock(lambda: process(["--help"])) for _ in range(RUNS)]
    return {"references": 280, "no_change_seconds": rounded(again), "help_seconds": rounded(shown)}


def memory(_data: Path) -> dict[str, Any]:
    peaks = {}
    for count in (500, 5000):
        with tempfile.TemporaryDirectory() as scratch:
            refs = Path(scratch) / "refs"
            refs.mkdir()
            rng = np.random.default_rng(0)
            for number in range(count):
                rough = Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8))
                rough.resize((500, 700), Image.Resampling.BICUBIC).save(
                    refs / f"thing_{number}.jpg"
                )
            command = ["identify", "index", "--refs", str(refs), "--out", f"{scratch}/i.npz"]
            peaks[str(count)] = peak_mib(["-m", "data_label_factory", *command])
    return {"peak_mib_by_references": peaks}


def verify(_data: Path) -> dict[str, Any]:
    rows = 100_000
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "i.npz"
        rng = np.random.default_rng(0)
        text = np.array([f"thing_{number}" for number in range(rows)])
        blank = np.full(rows, "", dtype="<U1")
        meta = IndexMeta(EncoderIdentity("sscd", "0" * 64, {}))
        vectors = unit_rows(rng.standard_normal((rows, 512), dtype=np.float32))
        Index(vectors, text, text, blank, blank, text, meta).save(path)
        start = time.perf_counter()
        peak = peak_mib(
            ["-m", "data_label_factory", "identify", "verify", "--index", str(path), "--json"]
        )
    return {"rows": rows, "seconds": round(time.perf_counter() - start, 1), "peak_mib": peak}


def real(data: Path) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for name in ("cards", "books"):
        refs = data / name / "refs"
        if not refs.is_dir():
            results[name] = f"skipped: there is no {refs}"
            continue
        with tempfile.TemporaryDirectory() as scratch:
            out = f"{scratch}/i.npz"
            process(["identify", "index", "--refs", str(refs), "--out", out])
            command = [
                "identify",
                "verify",
                "--index",
                out,
                "--refs",
                str(refs),
                "--simulate",
                "2",
                "--json",
            ]
            report = json.loads(process(command))
        keys = (
            "refs",
            "self_id_rate",
            "not_identified",
            "median_margin",
            "margin_quartiles",
            "verdict",
            "simulated",
        )
        results[name] = {key: report[key] for key in keys}
        results[name]["confusable_pairs"] = report["confusable_pairs"][:3]
    return results


def process(arguments: list[str]) -> str:
    command = [sys.executable, "-m", "data_label_factory", *arguments]
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
    ).stdout


def peak_mib(arguments: list[str]) -> int:
    """Run Python in a process of its own; the most memory it held at once, in MiB, as the kernel counts it."""
    child = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)


def clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rounded(values: list[float]) -> list[float]:
    return [round(value, 3) for value in values]


BENCHES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "overhead": overhead,
    "no-change": no_change,
    "memory": memory,
    "verify": verify,
    "data": real,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("which", nargs="*", choices=[*BENCHES, []], help="default: all")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("DLF_DATA", "../shared/data"))
    )
    arguments = parser.parse_args()
    for name in arguments.which or BENCHES:
        print(json.dumps({name: BENCHES[name](arguments.data)}), flush=True)


if __name__ == "__main__":
    main()
