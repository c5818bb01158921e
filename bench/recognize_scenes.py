"""Large photos of many small things, drawn by `scenes`: how many are named, and how fast."""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from recognize_sets import format_table
from scene_stock import Stock, read_stock, write_refs
from scenes import KINDS, Scene, Thing, draw_scene

from data_label_factory.identify.collection import Collection
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.quad import quad_iou
from data_label_factory.identify.recognize import Detection, Recognizer

_HIT_IOU = 0.3
_SIZES_PX = (0.0, 60.0, 100.0, np.inf)  # of the short side
_HEAD = (
    "set",
    "kind",
    "short side px",
    "known",
    "first",
    "sure, right",
    "sure, wrong",
    "unknown",
    "accepted",
    "extra",
    "megapixels",
    "s a photo",
)


def scenes(options: argparse.Namespace, scratch: Path) -> None:
    rows = []
    for name in options.sets:
        for kinds in _group(options.kinds):
            stock = read_stock(options.data / name / "refs", kinds[0])
            folder = scratch / f"{name}_{kinds[0]}"
            write_refs(stock, folder)
            index = scratch / f"{folder.name}.npz"
            recognizer = Collection.open(folder, index, embedder=Embedder.open()).recognizer
            for kind in kinds:
                rows += [
                    [name, kind, *cells] for cells in _measure(stock, kind, recognizer, options)
                ]
    print(format_table(_HEAD, rows), flush=True)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"most memory, all in: {peak_mb:.0f} MB")


def _group(kinds: Sequence[str]) -> list[list[str]]:
    """Kinds that are drawn from one index."""
    groups = [[kind for kind in kinds if kind != "spines"], [k for k in kinds if k == "spines"]]
    return [group for group in groups if group]


def _measure(
    stock: Stock, kind: str, recognizer: Recognizer, options: argparse.Namespace
) -> list[list[str]]:
    rng = np.random.default_rng(options.seed)
    counts = [Counter[str]() for _ in _SIZES_PX[1:]]
    extra, seconds, megapixels = 0, 0.0, 0.0
    for _ in range(options.count):
        scene = draw_scene(stock, kind, rng)
        start = time.perf_counter()
        found = recognizer.recognize(scene.image)
        seconds += time.perf_counter() - start
        megapixels += scene.image[..., 0].size / 1e6
        extra += judge(scene, found, counts)

    totals = [str(extra), f"{megapixels / options.count:.1f}", f"{seconds / options.count:.2f}"]
    return [[_name_size(at), *_format(count), *totals] for at, count in enumerate(counts)]


def judge(scene: Scene, found: Sequence[Detection], counts: Sequence[Counter[str]]) -> int:
    """Count what became of each thing, by its size; return the sure names that lie on none."""
    taken: set[int] = set()
    for thing in scene.things:
        count = counts[int(np.searchsorted(_SIZES_PX, thing.short_side_px, side="right")) - 1]
        at = _find(thing, found, taken)
        if at is not None:
            taken.add(at)
        one = None if at is None else found[at]
        if thing.ref is None:
            count["unknown"] += 1
            count["accepted"] += one is not None and one.confident
            continue

        count["known"] += 1
        if one is not None:
            is_right = thing.ref == one.reference
            count["first"] += is_right or thing.ref in one.ambiguous_with
            count["right"] += is_right and one.confident
            count["wrong"] += not is_right and one.confident
    return sum(one.confident for at, one in enumerate(found) if at not in taken)


def _find(thing: Thing, found: Sequence[Detection], taken: set[int]) -> int | None:
    """The number of the detection that lies on a thing, the surest of several."""
    on_it = [
        at
        for at, one in enumerate(found)
        if at not in taken and quad_iou(one.quad, thing.quad) > _HIT_IOU
    ]
    return min(on_it, key=lambda at: found[at].false_accept_rate, default=None)


def _format(count: Counter[str]) -> list[str]:
    known = max(count["known"], 1)
    shares = [f"{count[key] / known:.3f}" for key in ("first", "right", "wrong")]
    return [str(count["known"]), *shares, str(count["unknown"]), str(count["accepted"])]


def _name_size(at: int) -> str:
    low, high = _SIZES_PX[at : at + 2]
    return f"{low:.0f}–{high:.0f}" if np.isfinite(high) else f"{low:.0f}–"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kinds", type=lambda text: text.split(","), default=KINDS)
    parser.add_argument("--count", type=int, default=6, help="photos a kind (default: 6)")
    parser.add_argument("--seed", type=int, default=0)
