"""Measure indexing and verifying. Times are ratios or bounds, since machines differ.

    python bench/index_verify.py [--data DIR] [overhead | no-change | memory | verify | data]

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
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.index.files import DECODE_MIN_SIDE
from data_label_factory.samples import draw_collection

RUNS = 5


def overhead(_data: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        refs = Path(scratch) / "refs"
        refs.mkdir()
        files = draw_collection(refs, count=100)
        encoder = open_encoder()
        pictures = [decode(path, min_side=DECODE_MIN_SIDE) for path in files]

        def index() -> None:
            out = Path(scratch) / "i.npz"
            build_index(refs, out, Embedder(encoder), full=True, quiet=True)

        # Open the sessions before the clock starts.
        encoder.encode([np.zeros((64, 64, 3), np.uint8)] * 4)
        ratios = []
        for _ in range(RUNS):
            alone = clock(lambda: encoder.encode(pictures))
            ratios.append(clock(index) / alone)
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
        run_command(command)
        again = [clock(lambda: run_command(command)) for _ in range(RUNS)]
        help_seconds = [clock(lambda: run_command(["--help"])) for _ in range(RUNS)]
    return {
        "references": 280,
        "no_change_seconds": rounded(again),
        "help_seconds": rounded(help_seconds),
    }


def memory(_data: Path) -> dict[str, Any]:
    peaks = {}
    for count in (500, 5000):
        with tempfile.TemporaryDirectory() as scratch:
            refs = Path(scratch) / "refs"
            refs.mkdir()
            draw_blurs(refs, count)
            command = ["identify", "index", "--refs", str(refs), "--out", f"{scratch}/i.npz"]
            peaks[str(count)] = measure_peak_mib(command)
    return {"peak_mib_by_references": peaks}


def draw_blurs(folder: Path, count: int) -> None:
    """Write `count` pictures of blurred noise, which are quickly drawn."""
    rng = np.random.default_rng(0)
    for number in range(count):
        rough = Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8))
        blur = rough.resize((500, 700), Image.Resampling.BICUBIC)
        blur.save(folder / f"thing_{number}.jpg")


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
        peak = measure_peak_mib(["identify", "verify", "--index", str(path), "--json"])
        seconds = time.perf_counter() - start
    return {"rows": rows, "seconds": round(seconds, 1), "peak_mib": peak}


def real_sets(data: Path) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for name in ("cards", "books"):
        refs = data / name / "refs"
        if refs.is_dir():
            results[name] = verify_set(refs)
        else:
            results[name] = f"skipped: there is no {refs}"
    return results


def verify_set(refs: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        out = f"{scratch}/i.npz"
        run_command(["identify", "index", "--refs", str(refs), "--out", out])
        command = ["identify", "verify", "--index", out, "--refs", str(refs)]
        report = json.loads(run_command([*command, "--simulate", "2", "--json"]))

    keys = (
        "refs",
        "self_id_rate",
        "not_identified",
        "median_margin",
        "margin_quartiles",
        "verdict",
        "simulated",
    )
    result = {key: report[key] for key in keys}
    result["confusable_pairs"] = report["confusable_pairs"][:3]
    return result


def run_command(arguments: list[str]) -> str:
    """Run `data_label_factory` and return its standard output."""
    command = [sys.executable, "-m", "data_label_factory", *arguments]
    process = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
    )
    return process.stdout


def measure_peak_mib(arguments: list[str]) -> int:
    """Run `data_label_factory` and return its peak memory in MiB, as the kernel counts it."""
    command = [sys.executable, "-m", "data_label_factory", *arguments]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)

    # The kernel counts bytes on macOS and KiB elsewhere.
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
    "data": real_sets,
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
