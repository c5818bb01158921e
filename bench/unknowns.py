"""Does strictness mean what it says? How many of the hardest unknown items get a confident name.

    python bench/unknowns.py samples            index half of the sample cards, show the other half
    python bench/unknowns.py cut                the same and known ones, cut off by the frame's edge
    python bench/unknowns.py data --data DIR    real photos, with their items taken out of the index

For each false-accept rate asked for: the fraction of unknown items named confidently at it.
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
from data_label_factory.identify.recognize.likeness import find_lookalikes
from data_label_factory.labels import parse_label
from data_label_factory.samples import draw_collection

CUTS = (0.0, 0.35, 0.5, 0.65)
RATES = (0.1, 0.01, 0.001)
SETS = {"books": "queries", "cards": "frames", "magic": "photos"}
Unknown = tuple[RGB, frozenset[int]]  # a frame, and the rows of the index to hide


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("samples", "cut", "data"))
    parser.add_argument("--data", type=Path, help="folder with books/, cards/, magic/")
    parser.add_argument("--every", type=int, default=1, help="only every Nth frame")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        if args.what == "data":
            report_real_sets(args.data, Path(folder), args.every)
            return

        recognizer, known, unknowns = index_half(Path(folder))
        if args.what == "cut":
            report_cut_off(recognizer, known, unknowns)
        else:
            frames = [view.image for view in render_views(unknowns)]
            report("samples", recognizer, [(frame, frozenset()) for frame in frames])


def report_real_sets(data: Path, scratch: Path, every: int) -> None:
    for name, queries in SETS.items():
        recognizer = open_calibrated(data / name / "refs", scratch / f"{name}.npz")
        report(name, recognizer, list(leave_out(recognizer, data / name / queries, every)))


def open_calibrated(refs: Path, out: Path) -> Recognizer:
    return Collection.open(refs, out).recognizer


def leave_out(recognizer: Recognizer, photos: Path, every: int) -> Iterator[Unknown]:
    """Yield each photo with the rows of the items that it shows and of their lookalikes."""
    index = recognizer.index
    rows = {Path(str(name)).stem: row for row, name in enumerate(index.references)}
    for query in read_queries(index, photos).photos[::every]:
        hidden: set[int] = set()
        for item in query.items:
            row = rows[Path(item.reference).stem]
            hidden |= find_lookalikes(index, recognizer.references, row)
        if hidden:
            yield decode(query.path), frozenset(hidden)


def index_half(folder: Path) -> tuple[Recognizer, list[Path], list[Path]]:
    """Index half of the sample cards.

    Returns the recognizer, the indexed cards, and the others that are no variants of them.
    """
    files = draw_collection(folder / "all", count=150)
    known = files[::2]
    (folder / "refs").mkdir()
    for file in known:
        (folder / "refs" / file.name).hardlink_to(file)

    names = {parse_label(file.name).item for file in known}
    unknowns = [file for file in files[1::2] if parse_label(file.name).item not in names]
    return open_calibrated(folder / "refs", folder / "i.npz"), known, unknowns


def render_views(files: Sequence[Path]) -> list[View]:
    views = []
    for number, file in enumerate(files):
        views.append(render_view([decode(file)], np.random.default_rng(number)))
    return views


def report_cut_off(recognizer: Recognizer, known: Sequence[Path], unknowns: Sequence[Path]) -> None:
    """Report with a fraction of each card outside the frame, on each of its sides in turn."""
    known_views = render_views(known)
    unknown_views = render_views(unknowns)
    for fraction in CUTS:
        correct = 0
        for number, (file, view) in enumerate(zip(known, known_views, strict=True)):
            detections = recognizer.recognize(cut_off(view, fraction, number % 4))
            item = parse_label(file.name).item
            correct += any(one.confident and one.label.item == item for one in detections)
        print(
            f"{fraction:.0%} outside: {correct} of {len(known)} known items correctly accepted",
            flush=True,
        )

        frames = [cut_off(view, fraction, number % 4) for number, view in enumerate(unknown_views)]
        report("", recognizer, [(frame, frozenset()) for frame in frames])


def cut_off(view: View, fraction: float, side: int) -> RGB:
    """Cut the frame so that `fraction` of its first item is outside, on one side."""
    if not fraction:
        return view.image
    quad = view.quads[0]
    low = quad.min(axis=0)
    high = quad.max(axis=0)
    left, top = (low + fraction * (high - low)).astype(int)
    right, bottom = (high - fraction * (high - low)).astype(int)

    image = view.image
    parts = (image[:, left:], image[top:], image[:, :right], image[:bottom])
    return np.ascontiguousarray(parts[side])


def report(name: str, recognizer: Recognizer, unknowns: Sequence[Unknown]) -> None:
    """Print the fraction of unknown items that reach each false-accept rate."""
    reached = []
    for frame, hidden in unknowns:
        log_odds = [
            one.log_odds
            for one in recognizer.assess(frame, hidden)
            if one.pose and not one.near_duplicates
        ]
        best = max(log_odds, default=-np.inf)
        reached.append(recognizer.calibration.rate_by_log_odds(best))

    fractions = [f"{rate:.1%} asked: {np.mean(np.array(reached) <= rate):.1%}" for rate in RATES]
    counts = f"{len(unknowns):4} unknown items, {len(recognizer.index)} references"
    print(f"{name:8} {counts}   {', '.join(fractions)}", flush=True)


if __name__ == "__main__":
    main()
