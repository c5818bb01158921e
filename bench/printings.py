"""Printings that differ in set code, number and language only: which one is named, and how surely.

    python bench/printings.py [--groups 25] [--frames 2] [--seed 1] [--read-ms 60000] [--no-read]
                              [--unknown] [--folder DIR]

Draws groups of four sample cards of one picture, of which one has another number, one another
language and one another set, and photographs each as a webcam does (`camera.render_view`), the
card at least 60 % of the frame's height. A frame counts as sure when the answer is confident and
names one printing. With --unknown, the printing shown is not among those that may be named.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from recognize_sets import format_table

from data_label_factory.identify.camera import Rng, View, render_view
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.quad import Quad, quad_iou
from data_label_factory.identify.recognize import Detection, Recognizer
from data_label_factory.samples import draw_card, sample_cards

SIZES = ((640, 480), (1280, 720))
LANGUAGES = ("JP", "DE", "FR", "IT", "SP", "KR")
SET_PARTS = ("EMBR", "LN07", "HLWD")
MOST_NUMBER = 300
LEAST_HEIGHT = 0.6  # of the frame's
SAME_PLACE = 0.5  # IoU
OUTCOMES = ("right, sure", "wrong, sure", "right among several", "wrong among several", "nothing")


def draw_groups(folder: Path, groups: int, seed: int) -> list[list[Path]]:
    """Four reference files for each of the `groups`."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    cards = [card for card in sample_cards(2 * groups, seed) if not card.rarity][:groups]
    files = []
    for card in cards:
        group = []
        for code in choose_codes(rng):
            printing = replace(card, set_code=code)
            group.append(folder / printing.filename)
            draw_card(printing).save(group[-1], quality=92, subsampling=0)
        files.append(group)
    return files


def choose_codes(rng: Rng) -> list[str]:
    """Four set codes: another number, another language, another set."""
    own, other = rng.permutation(SET_PARTS)[:2]
    numbers = rng.choice(np.arange(1, MOST_NUMBER), 3, replace=False)
    return [
        f"{own}-EN{numbers[0]:03d}",
        f"{own}-EN{numbers[1]:03d}",
        f"{own}-{rng.choice(LANGUAGES)}{numbers[0]:03d}",
        f"{other}-EN{numbers[2]:03d}",
    ]


def photograph(picture: RGB, rng: Rng, size: tuple[int, int]) -> View:
    """A frame in which the card is at least 60 % as high as the frame."""
    while True:
        view = render_view([picture], rng, width=size[0], height=size[1])
        if height_of(view.quads[0]) >= LEAST_HEIGHT * size[1]:
            return view


def height_of(quad: Quad) -> float:
    return float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2


def judge(detections: Sequence[Detection], quad: Quad, truth: str) -> str:
    """Which of the OUTCOMES an answer is."""
    there = [one for one in detections if quad_iou(one.quad, quad) > SAME_PLACE]
    if not there:
        return OUTCOMES[4]
    one = there[0]
    if one.confident and not one.ambiguous_with:
        return OUTCOMES[0] if one.reference == truth else OUTCOMES[1]
    is_right = truth in (one.reference, *one.ambiguous_with)
    return OUTCOMES[2] if is_right else OUTCOMES[3]


def look(recognizer: Recognizer, view: View, truth: str, is_unknown: bool) -> tuple[str, float]:
    """The outcome, and the CPU time in ms."""
    hidden = [recognizer.index.row_of[truth]] if is_unknown else []
    start = time.process_time()
    found = [recognizer.describe(one) for one in recognizer.assess(view.image, hidden)]
    return judge(found, view.quads[0], truth), (time.process_time() - start) * 1000


def measure(
    collection: Collection, files: Sequence[Path], options: argparse.Namespace
) -> Iterator[list[str]]:
    """A row of the table for each size of frame."""
    for size in SIZES:
        counts: Counter[str] = Counter()
        times = []
        for number, file in enumerate(files):
            rng = np.random.default_rng((options.seed, size[1], number))
            picture = decode(file)
            for _ in range(options.frames):
                view = photograph(picture, rng, size)
                outcome, ms = look(collection.recognizer, view, file.name, options.unknown)
                counts[outcome] += 1
                times.append(ms)
        shares = [f"{counts[outcome] / counts.total():.3f}" for outcome in OUTCOMES]
        yield [f"{size[0]} × {size[1]}", str(counts.total()), *shares, f"{np.median(times):.0f}"]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--groups", type=int, default=25)
    parser.add_argument("--frames", type=int, default=2, help="of each card")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="to keep the collection in, for another run")
    parser.add_argument(
        "--read-ms",
        type=float,
        default=60_000,
        help="a busy machine takes more than the 150 of a server",
    )
    parser.add_argument("--no-read", action="store_true")
    parser.add_argument("--unknown", action="store_true")
    options = parser.parse_args(argv)

    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        groups = draw_groups(folder / "refs", options.groups, options.seed)
        read = "never" if options.no_read else "auto"
        collection = Collection.open(folder / "refs", read=read, read_ms=options.read_ms)
        files = [file for group in groups for file in group]
        rows = list(measure(collection, files, options))
    print(format_table(["frames", "number", *OUTCOMES, "CPU ms, p50"], rows))


if __name__ == "__main__":
    main()
