"""Figures of training a head, each with how it was taken. Times are ratios or bounds: machines differ.

    python bench/train.py [--data ../shared/data] [--references N] [--encoder ID] [cost | memory | …]

`cost`       the plain recipe, which draws and encodes fresh views for every batch, against a bank; one run, one
             encoder, the same held-out views; the plain recipe takes 80 batches an epoch at 150 references, and
             for fewer as many in proportion
`memory`     peak memory of building a bank and training on it, 500 and 5,000 drawn references, a stand-in encoder
`variants`   --variants same and apart on sample cards of which every eighth is printed in another rarity as well
`data`       train on the two real sets in --data; real photos of books through the head
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
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data_label_factory.identify.encoders import (
    Embeddings,
    Encoder,
    EncoderIdentity,
    open_encoder,
    unit_rows,
)
from data_label_factory.identify.encoders.head import ProjectionHead
from data_label_factory.identify.images import RGB, decode, find_images
from data_label_factory.identify.train.bank import Bank, build_bank
from data_label_factory.identify.train.fit import TrainResult, train_head
from data_label_factory.identify.train.settings import TrainSettings
from data_label_factory.identify.train.views import ViewRecipe
from data_label_factory.samples import draw_collection

PLAIN = TrainSettings(k=16, m=4, anchor=False, hard=0.0, start="random", lr=5e-4, temperature=0.1)
PLAIN_STEPS_AT_150 = 80


class Counted:
    """An encoder that counts the pictures it is given."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self.pictures = encoder, 0
        self.identity, self.dim = encoder.identity, encoder.dim

    def encode(self, images: Sequence[RGB]) -> Embeddings:
        self.pictures += len(images)
        return self._encoder.encode(images)


class StandIn:
    """Random projections of a small copy of the picture, (N, 512): costs next to nothing."""

    def __init__(self) -> None:
        self.identity, self.dim = EncoderIdentity("stand-in", "0" * 64, {}), 512
        self._matrix = np.random.default_rng(0).standard_normal((192, 512)).astype(np.float32)

    def encode(self, images: Sequence[RGB]) -> Embeddings:
        small = [
            np.asarray(Image.fromarray(image).resize((8, 8)), np.float32).ravel() - 127.5
            for image in images
        ]
        return unit_rows(np.stack(small) @ self._matrix)


def cost(arguments: argparse.Namespace) -> dict[str, Any]:
    count = arguments.references
    steps = max(1, round(PLAIN_STEPS_AT_150 * count / 150))
    fresh = (
        PLAIN.epochs * steps * PLAIN.k * PLAIN.m
    )  # views that the plain recipe encodes, each for one batch
    with tempfile.TemporaryDirectory() as scratch:
        refs = _references(arguments, Path(scratch) / "refs", count)
        results = {}
        for name, views, settings in [
            ("bank", ViewRecipe().views, TrainSettings()),
            ("plain", round(fresh / count), replace(PLAIN, steps_per_epoch=steps)),
        ]:
            encoder = Counted(open_encoder(arguments.encoder))
            start = time.perf_counter()
            bank = build_bank(refs, Path(scratch) / "banks", encoder, ViewRecipe(views=views))
            banked = time.perf_counter()
            result = train_head(bank, Path(scratch) / "head.pt", settings, force=True)
            results[name] = _figures(result) | {
                "encoded": encoder.pictures,
                "bank_seconds": round(banked - start, 1),
                "train_seconds": round(time.perf_counter() - banked, 1),
            }
    ratio = results["plain"]["encoded"] / results["bank"]["encoded"]
    return {
        "references": count,
        "encoder": arguments.encoder,
        **results,
        "encoder_calls_ratio": round(ratio, 2),
    }


def memory(_: argparse.Namespace) -> dict[str, Any]:
    return {
        f"peak_mib_{count}": _peak_mib(["_memory", "--references", str(count)])
        for count in (500, 5000)
    }


def _memory(arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        refs = Path(scratch) / "refs"
        refs.mkdir()
        rng = np.random.default_rng(0)
        for number in range(arguments.references):
            rough = Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8))
            rough.resize((500, 700), Image.Resampling.BICUBIC).save(refs / f"thing_{number}.jpg")
        recipe = ViewRecipe(
            plain_share=1.0, heldout_frames=1, side_px=32
        )  # as many as by default, but cheap
        bank = build_bank(refs, Path(scratch) / "banks", StandIn(), recipe)
        result = train_head(bank, Path(scratch) / "h.pt", TrainSettings(epochs=2), force=True)
    return _figures(result)


def variants(arguments: argparse.Namespace) -> dict[str, Any]:
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        refs = Path(scratch) / "refs"
        draw_collection(refs, count=arguments.references)
        bank = build_bank(
            refs, Path(scratch) / "banks", open_encoder(arguments.encoder), ViewRecipe()
        )
        for mode in ("same", "apart"):
            out = Path(scratch) / f"{mode}.pt"
            train_head(bank, out, TrainSettings(variants=mode), force=True)
            results[mode] = _prints_and_items(bank, ProjectionHead.load(out))
        results["untrained"] = _prints_and_items(bank, None)
    return results


def _prints_and_items(bank: Bank, head: ProjectionHead | None) -> dict[str, float]:
    """Of held-out views of items with several prints: the share whose item, and whose very print, is named."""
    from data_label_factory.identify.train.sampler import classes_of

    items = classes_of(bank, "same")
    references = head(bank.reference_features()) if head else bank.reference_features()
    item, exact = [], []
    for row in np.flatnonzero(np.bincount(items)[items] > 1):
        views = bank.heldout(int(row))
        nearest = ((head(views) if head else views) @ references.T).argmax(axis=1)
        item += [items[at] == items[row] for at in nearest]
        exact += [at == row for at in nearest]
    return {
        "views": len(item),
        "item": round(float(np.mean(item)), 4),
        "print": round(float(np.mean(exact)), 4),
    }


def data(arguments: argparse.Namespace) -> dict[str, Any]:
    return _on_real_sets(arguments, {"defaults": TrainSettings()})


def explore(arguments: argparse.Namespace) -> dict[str, Any]:
    """What docs/train.md compares."""
    started = replace(PLAIN, start="encoder")
    anchored = replace(started, k=128, m=2, anchor=True)
    return _on_real_sets(
        arguments,
        {
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
        },
    )


def _on_real_sets(arguments: argparse.Namespace, tried: dict[str, TrainSettings]) -> dict[str, Any]:
    results: dict[str, Any] = {name: {} for name in tried}
    encoder = open_encoder(arguments.encoder)
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "h.pt"
        for set_name in ("cards", "books"):
            folder = arguments.data / set_name
            if not folder.is_dir():
                raise SystemExit(
                    f"there is no {folder}: name the folder with the real sets by --data"
                )
            bank = build_bank(
                folder / "refs", arguments.bank or Path(scratch), encoder, ViewRecipe()
            )
            photos = BookPhotos(folder, bank, encoder) if set_name == "books" else None
            for name, settings in tried.items():
                start = time.perf_counter()
                figures = _figures(train_head(bank, out, settings, force=True, quiet=True))
                figures["train_seconds"] = round(time.perf_counter() - start, 1)
                if photos:
                    figures["photos"] = photos.top1(ProjectionHead.load(out))
                results[name][set_name] = figures
                print(json.dumps({name: {set_name: figures}}), file=sys.stderr, flush=True)
    return results


class BookPhotos:
    """The real photos of books by embedding: whole, and centred crops of 80 and 60 % of each side."""

    def __init__(self, books: Path, bank: Bank, encoder: Encoder) -> None:
        rows = {Path(name).stem: row for row, name in enumerate(bank.references)}
        photos = [name for name in find_images(books / "queries") if Path(name).stem in rows]
        pictures = [decode(books / "queries" / name, min_side=576) for name in photos]
        self._truth = np.array([rows[Path(name).stem] for name in photos])
        self._references = bank.reference_features()
        self._seen = {s: encoder.encode([_center(p, s) for p in pictures]) for s in (1.0, 0.8, 0.6)}

    def top1(self, head: ProjectionHead) -> dict[str, list[float]]:
        """By share of the photo: without and with the head."""
        return {
            f"{share:.0%}": [
                round(
                    float(
                        (
                            (apply(seen) @ apply(self._references).T).argmax(axis=1) == self._truth
                        ).mean()
                    ),
                    3,
                )
                for apply in (unit_rows, head)
            ]
            for share, seen in self._seen.items()
        }


def _center(picture: RGB, share: float) -> RGB:
    height, width = (round(side * (1 - share) / 2) for side in picture.shape[:2])
    return picture[height : picture.shape[0] - height, width : picture.shape[1] - width]


def _references(arguments: argparse.Namespace, folder: Path, count: int) -> Path:
    """`count` references: of the real cards when they are there, else drawn."""
    cards = arguments.data / "cards" / "refs"
    folder.mkdir()
    if cards.is_dir():
        names = sorted(find_images(cards))
        for name in [names[at] for at in np.linspace(0, len(names) - 1, count).astype(int)]:
            (folder / name).symlink_to((cards / name).resolve())
    else:
        draw_collection(folder, count=count)
    return folder


def _figures(result: TrainResult) -> dict[str, Any]:
    return {"before": result.before.figures.as_json(), "after": result.after.figures.as_json()}


def _peak_mib(arguments: list[str]) -> int:
    """The most memory a run of this file held at once, in MiB, as the kernel counts it."""
    child = subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{arguments} failed")
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
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("DLF_DATA", "../shared/data"))
    )
    parser.add_argument("--references", type=int, default=150)
    parser.add_argument("--encoder", default="sscd")
    parser.add_argument("--bank", type=Path, help="keep the bank of `data` there")
    arguments = parser.parse_args()
    for name in arguments.which or BENCHES:
        work = _memory if name == "_memory" else BENCHES[name]
        print(json.dumps({name: work(arguments)}), flush=True)


if __name__ == "__main__":
    main()
