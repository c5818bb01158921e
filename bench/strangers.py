"""Does strictness mean what it says? Strangers of the hardest kind, and how many of them get a sure name.

    python bench/strangers.py samples            half of the sample cards indexed, views of the other half
    python bench/strangers.py data --data DIR    real photos, the items they show taken out of the index

A row for each rate asked for: the share of strangers that got a sure name at it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from data_label_factory.identify.build import build_index
from data_label_factory.identify.calibrate import calibrate_index
from data_label_factory.identify.camera import render_view
from data_label_factory.identify.encoders import open_encoder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.reference_file import features_file
from data_label_factory.identify.truth import read_queries
from data_label_factory.labels import parse_label
from data_label_factory.samples import draw_collection

RATES = (0.1, 0.01, 0.001)
SETS = {"books": "queries", "cards": "frames", "magic": "photos"}
Stranger = tuple[RGB, frozenset[int]]  # a frame, and the rows that it shows


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=("samples", "data"))
    p.add_argument("--data", type=Path, help="folder with books/, cards/, magic/")
    p.add_argument("--every", type=int, default=1, help="only every n-th frame")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.what == "samples":
            report("samples", *samples(Path(folder)))
            return
        for name, queries in SETS.items():
            recognizer = calibrated(args.data / name / "refs", Path(folder) / f"{name}.npz")
            report(name, recognizer, list(left_out(recognizer, args.data / name / queries, args.every)))


def calibrated(refs: Path, out: Path) -> Recognizer:
    encoder = open_encoder()
    index = calibrate_index(build_index(refs, out, encoder, quiet=True).index, out, encoder, None, refs, quiet=True)
    return Recognizer(index, encoder, refs=refs, cache=features_file(out))


def left_out(recognizer: Recognizer, photos: Path, every: int) -> Iterator[Stranger]:
    """Each photo with the items that it shows hidden, and all that cannot be told from them."""
    index = recognizer.index
    rows = {Path(str(name)).stem: row for row, name in enumerate(index.filenames)}
    for query in read_queries(index, photos).photos[::every]:
        shown = [rows[Path(item.filename).stem] for item in query.items]
        if shown:
            yield decode(query.path), frozenset(alike for row in shown for alike in recognizer.alike(row))


def samples(folder: Path) -> tuple[Recognizer, list[Stranger]]:
    files = draw_collection(folder / "all", count=150)
    known = files[::2]
    (folder / "refs").mkdir()
    for file in known:
        (folder / "refs" / file.name).hardlink_to(file)
    names = {parse_label(file.name).item for file in known}
    strangers = [file for file in files[1::2] if parse_label(file.name).item not in names]
    views = [render_view([decode(file)], np.random.default_rng(number)) for number, file in enumerate(strangers)]
    return calibrated(folder / "refs", folder / "i.npz"), [(view.image, frozenset()) for view in views]


def report(name: str, recognizer: Recognizer, strangers: Sequence[Stranger]) -> None:
    rates = []
    for frame, hidden in strangers:
        found = [one.sureness for one in recognizer.assess(frame, hidden) if one.seen and not one.twins]
        rates.append(recognizer.calibration.rate_by_looks(max(found, default=-np.inf)))
    shares = ", ".join(f"{rate:.1%} asked: {np.mean(np.array(rates) <= rate):.1%}" for rate in RATES)
    print(f"{name:8} {len(strangers):4} strangers to {len(recognizer.index)} references   {shares}", flush=True)


if __name__ == "__main__":
    main()
