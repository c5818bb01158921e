"""Does strictness mean what it says? Strangers of the hardest kind, and how many of them get a sure name.

    python bench/strangers.py samples            half of the sample cards indexed, views of the other half
    python bench/strangers.py cut                the same, and known ones, cut off by the edge of the frame
    python bench/strangers.py data --data DIR    real photos, the items they show taken out of the index

For each rate asked for: the share of strangers that got a sure name at it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from data_label_factory.identify.camera import View, render_view
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.evaluate.ground_truth import read_queries
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.labels import parse_label
from data_label_factory.samples import draw_collection

CUTS = (0.0, 0.35, 0.5, 0.65)
RATES = (0.1, 0.01, 0.001)
SETS = {"books": "queries", "cards": "frames", "magic": "photos"}
Unknown = tuple[RGB, frozenset[int]]  # a frame, and the rows that it shows


def main() -> None:
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("what", choices=("samples", "cut", "data"))
    p.add_argument("--data", type=Path, help="folder with books/, cards/, magic/")
    p.add_argument("--every", type=int, default=1, help="only every n-th frame")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.what != "data":
            recognizer, known, unknowns = samples(Path(folder))
            if args.what == "cut":
                cut(recognizer, known, unknowns)
            else:
                report(
                    "samples", recognizer, [(view.image, frozenset()) for view in views(unknowns)]
                )
            return
        for name, queries in SETS.items():
            recognizer = calibrated(args.data / name / "refs", Path(folder) / f"{name}.npz")
            report(
                name, recognizer, list(left_out(recognizer, args.data / name / queries, args.every))
            )


def calibrated(refs: Path, out: Path) -> Recognizer:
    return Collection.open(refs, out).recognizer


def left_out(recognizer: Recognizer, photos: Path, every: int) -> Iterator[Unknown]:
    """Each photo with the items that it shows hidden, and all that cannot be told from them."""
    index = recognizer.index
    rows = {Path(str(name)).stem: row for row, name in enumerate(index.references)}
    for query in read_queries(index, photos).photos[::every]:
        shown = [rows[Path(item.reference).stem] for item in query.items]
        if shown:
            yield (
                decode(query.path),
                frozenset(like for row in shown for like in recognizer.find_lookalikes(row)),
            )


def samples(folder: Path) -> tuple[Recognizer, list[Path], list[Path]]:
    """Half of the sample cards indexed; these, and those of the others that are no variants of them."""
    files = draw_collection(folder / "all", count=150)
    known = files[::2]
    (folder / "refs").mkdir()
    for file in known:
        (folder / "refs" / file.name).hardlink_to(file)
    names = {parse_label(file.name).item for file in known}
    unknowns = [file for file in files[1::2] if parse_label(file.name).item not in names]
    return calibrated(folder / "refs", folder / "i.npz"), known, unknowns


def views(files: Sequence[Path]) -> list[View]:
    return [
        render_view([decode(file)], np.random.default_rng(number))
        for number, file in enumerate(files)
    ]


def cut(recognizer: Recognizer, known: Sequence[Path], unknowns: Sequence[Path]) -> None:
    """A share of each card outside the frame, on each of its sides in turn."""
    shown, unknown = views(known), views(unknowns)
    for share in CUTS:
        right = 0
        for number, (file, view) in enumerate(zip(known, shown, strict=True)):
            found = recognizer.recognize(cut_off(view, share, number % 4))
            right += any(
                one.confident and one.label.item == parse_label(file.name).item for one in found
            )
        print(f"{share:.0%} outside: {right} of {len(known)} known ones sure and right", flush=True)
        frames = [cut_off(view, share, number % 4) for number, view in enumerate(unknown)]
        report("", recognizer, [(frame, frozenset()) for frame in frames])


def cut_off(view: View, share: float, side: int) -> RGB:
    """The frame without what shows so much of its item on one side."""
    quad = view.quads[0]
    low, high = quad.min(axis=0), quad.max(axis=0)
    left, top = (low + share * (high - low)).astype(int)
    right, bottom = (high - share * (high - low)).astype(int)
    if not share:
        return view.image
    parts = (view.image[:, left:], view.image[top:], view.image[:, :right], view.image[:bottom])
    return np.ascontiguousarray(parts[side])


def report(name: str, recognizer: Recognizer, unknowns: Sequence[Unknown]) -> None:
    rates = []
    for frame, hidden in unknowns:
        found = [
            one.log_odds
            for one in recognizer.assess(frame, hidden)
            if one.pose and not one.near_duplicates
        ]
        rates.append(recognizer.calibration.rate_by_log_odds(max(found, default=-np.inf)))
    shares = ", ".join(
        f"{rate:.1%} asked: {np.mean(np.array(rates) <= rate):.1%}" for rate in RATES
    )
    print(
        f"{name:8} {len(unknowns):4} strangers to {len(recognizer.index)} references   {shares}",
        flush=True,
    )


if __name__ == "__main__":
    main()
