"""Measure the training of a head. Times are ratios or bounds, since machines differ.

    python bench/train.py [--data DIR] [--references N] [--encoder ID] [cost | memory | …]

`cost`       the plain recipe, which draws and encodes new views for every batch, against a bank;
             one run, one encoder, the same held-out views; the plain recipe takes 80 batches per
             epoch at 150 references, and proportionally fewer with fewer references
`memory`     peak memory of building a bank and training on it, with 500 and 5,000 drawn
             references and a stand-in for the encoder
`variants`   --variants same and apart, on sample cards of which every eighth is also printed in
             another rarity
`data`       train on the two real sets in --data; put real photos of books through the head
`explore`    the same with every setting that docs/train.md compares
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
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from train_setup import BookPhotos, CountingEncoder, StandInEncoder

from data_label_factory.identify.encoders import (
    Embedder,
    Encoder,
    open_encoder,
)
from data_label_factory.identify.encoders.head import ProjectionHead
from data_label_factory.identify.train.bank import Bank, build_bank
from data_label_factory.identify.train.fit import TrainResult, train_head
from data_label_factory.identify.train.settings import TrainSettings, ViewRecipe
from data_label_factory.samples import draw_collection
from data_label_factory.walk import walk_folder

PLAIN = TrainSettings(k=16, m=4, anchor=False, hard=0.0, start="random", lr=5e-4, temperature=0.1)
PLAIN_STEPS_AT_150 = 80


def _make_recipe(encoder: Encoder, views: int = ViewRecipe.views) -> ViewRecipe:
    """The recipe that `identify train` uses with this encoder."""
    return ViewRecipe(views, side_px=Embedder(encoder).crop_side)


def cost(arguments: argparse.Namespace) -> dict[str, Any]:
    count = arguments.references
    steps = max(1, round(PLAIN_STEPS_AT_150 * count / 150))
    # The plain recipe encodes each view for a single batch.
    plain_views = PLAIN.epochs * steps * PLAIN.k * PLAIN.m
    recipes = {
        "bank": (ViewRecipe().views, TrainSettings()),
        "plain": (round(plain_views / count), replace(PLAIN, steps_per_epoch=steps)),
    }

    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        refs = _make_references(arguments, Path(scratch) / "refs", count)
        for name, (views, settings) in recipes.items():
            encoder = CountingEncoder(open_encoder(arguments.encoder))
            start = time.perf_counter()
            bank = build_bank(refs, Path(scratch) / "banks", encoder, _make_recipe(encoder, views))
            built = time.perf_counter()
            result = train_head(bank, Path(scratch) / "head.pt", settings, force=True)
            results[name] = _figures(result) | {
                "encoded": encoder.pictures,
                "bank_seconds": round(built - start, 1),
                "train_seconds": round(time.perf_counter() - built, 1),
            }

    ratio = results["plain"]["encoded"] / results["bank"]["encoded"]
    return {
        "references": count,
        "encoder": arguments.encoder,
        **results,
        "encoder_calls_ratio": round(ratio, 2),
    }


def memory(_: argparse.Namespace) -> dict[str, Any]:
    peaks = {}
    for count in (500, 5000):
        peaks[f"peak_mib_{count}"] = _measure_peak_mib(["_memory", "--references", str(count)])
    return peaks


def _memory(arguments: argparse.Namespace) -> dict[str, Any]:
    """What `memory` runs in a process."""
    with tempfile.TemporaryDirectory() as scratch:
        refs = Path(scratch) / "refs"
        refs.mkdir()
        rng = np.random.default_rng(0)
        for number in range(arguments.references):
            rough = Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8))
            blur = rough.resize((500, 700), Image.Resampling.BICUBIC)
            blur.save(refs / f"thing_{number}.jpg")

        # As many views as by default, but cheap ones.
        recipe = ViewRecipe(plain_share=1.0, heldout_frames=1, side_px=32)
        bank = build_bank(refs, Path(scratch) / "banks", StandInEncoder(), recipe)
        result = train_head(bank, Path(scratch) / "h.pt", TrainSettings(epochs=2), force=True)
    return _figures(result)


def variants(arguments: argparse.Namespace) -> dict[str, Any]:
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        refs = Path(scratch) / "refs"
        draw_collection(refs, count=arguments.references)
        encoder = open_encoder(arguments.encoder)
        bank = build_bank(refs, Path(scratch) / "banks", encoder, _make_recipe(encoder))

        for mode in ("same", "apart"):
            out = Path(scratch) / f"{mode}.pt"
            train_head(bank, out, TrainSettings(variants=mode), force=True)
            results[mode] = _score_variants(bank, ProjectionHead.load(out))
        results["untrained"] = _score_variants(bank, None)
    return results


def _score_variants(bank: Bank, head: ProjectionHead | None) -> dict[str, float]:
    """Score the held-out views of items that have several prints.

    Returns the fraction of views whose item is named, and the fraction whose print is.
    """
    from data_label_factory.identify.train.sampler import classes_of

    items = classes_of(bank, "same")
    references = bank.reference_features()
    if head:
        references = head(references)

    right_item = []
    right_print = []
    for row in np.flatnonzero(np.bincount(items)[items] > 1):
        views = bank.heldout(int(row))
        features = head(views) if head else views
        nearest = (features @ references.T).argmax(axis=1)
        right_item += [items[at] == items[row] for at in nearest]
        right_print += [at == row for at in nearest]
    return {
        "views": len(right_item),
        "item": round(float(np.mean(right_item)), 4),
        "print": round(float(np.mean(right_print)), 4),
    }


def data(arguments: argparse.Namespace) -> dict[str, Any]:
    return _train_on_real_sets(arguments, {"defaults": TrainSettings()})


def explore(arguments: argparse.Namespace) -> dict[str, Any]:
    """Compare the settings in docs/train.md."""
    started = replace(PLAIN, start="encoder")
    anchored = replace(started, k=128, m=2, anchor=True)
    settings = {
        "plain recipe: random start, k 16, m 4": PLAIN,
        "start as the encoder": started,
        "… temperature 0.08": replace(started, temperature=0.08),
        "… temperature 0.2": replace(started, temperature=0.2),
        "… half of a batch easily confused": replace(started, hard=0.5),
        "… k 32, m 2": replace(started, k=32, m=2),
        "… k 128, m 2": replace(started, k=128, m=2),
        "… the reference among the 4 views": replace(started, anchor=True),
        "… the reference among the views, k 128, m 2": anchored,
        "… … half of a batch easily confused": replace(anchored, hard=0.5),
        "… … … learning rate 2e-3": replace(anchored, hard=0.5, lr=2e-3),
        "… … … … temperature 0.08 (the default)": TrainSettings(),
        "default, temperature 0.15": TrainSettings(temperature=0.15),
        "default, none easily confused": TrainSettings(hard=0.0),
        "default, random start": TrainSettings(start="random"),
        "default, 24 epochs": TrainSettings(epochs=24),
    }
    return _train_on_real_sets(arguments, settings)


def _train_on_real_sets(
    arguments: argparse.Namespace, settings: dict[str, TrainSettings]
) -> dict[str, Any]:
    results: dict[str, Any] = {name: {} for name in settings}
    encoder = open_encoder(arguments.encoder)
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "h.pt"
        banks = arguments.bank or Path(scratch)
        for set_name in ("cards", "books"):
            folder = arguments.data / set_name
            if not folder.is_dir():
                raise SystemExit(f"There is no {folder}: name the folder of the sets with --data")
            bank = build_bank(folder / "refs", banks, encoder, _make_recipe(encoder))
            photos = BookPhotos(folder, bank, encoder) if set_name == "books" else None

            for name, tried in settings.items():
                start = time.perf_counter()
                figures = _figures(train_head(bank, out, tried, force=True, quiet=True))
                figures["train_seconds"] = round(time.perf_counter() - start, 1)
                if photos:
                    figures["photos"] = photos.top1(ProjectionHead.load(out))
                results[name][set_name] = figures
                print(json.dumps({name: {set_name: figures}}), file=sys.stderr, flush=True)
    return results


def _make_references(arguments: argparse.Namespace, folder: Path, count: int) -> Path:
    """Fill `folder` with `count` references: real cards if --data has them, else drawn ones."""
    cards = arguments.data / "cards" / "refs"
    folder.mkdir()
    if not cards.is_dir():
        draw_collection(folder, count=count)
        return folder

    names = walk_folder(cards).pictures
    for at in np.linspace(0, len(names) - 1, count).astype(int):
        (folder / names[at]).symlink_to((cards / names[at]).resolve())
    return folder


def _figures(result: TrainResult) -> dict[str, Any]:
    return {"before": result.before.figures.as_json(), "after": result.after.figures.as_json()}


def _measure_peak_mib(arguments: list[str]) -> int:
    """Run this file and return its peak memory in MiB, as the kernel counts it."""
    child = subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{arguments} failed")

    # The kernel counts bytes on macOS and KiB elsewhere.
    return usage.ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)


BENCHES: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "cost": cost,
    "memory": memory,
    "variants": variants,
    "data": data,
    "explore": explore,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("which", nargs="*", choices=[*BENCHES, "_memory", []], help="default: all")
    data = Path(os.environ.get("DLF_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--references", type=int, default=150)
    parser.add_argument("--encoder", default="sscd")
    parser.add_argument("--bank", type=Path, help="keep the bank of `data` there")
    arguments = parser.parse_args()

    for name in arguments.which or BENCHES:
        work = _memory if name == "_memory" else BENCHES[name]
        print(json.dumps({name: work(arguments)}), flush=True)


if __name__ == "__main__":
    main()
