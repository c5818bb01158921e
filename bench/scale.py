"""Measure what many references take, and whether the right one is still found among them.

    python bench/scale.py bytes    [--references N,N] …   bytes a reference, by part
    python bench/scale.py build    [--references N,N] …   CPU ms a reference, by stage
    python bench/scale.py start    [--references N,N] …   seconds, and memory, of a recognizer
    python bench/scale.py frames   [--references N,N] …   ms a frame, against the set alone
    python bench/scale.py accuracy [--references N,N] …   the figures of `identify evaluate`
    python bench/scale.py unknowns [--references N,N] …   false accepts against what was asked
    python bench/scale.py add      [--references N,N] …   one reference more, and one fewer

Each is measured on the set's own references, and on these among distractors, so that there
are N in all. Distractors are drawn from real pictures (--stock): crops, and mirrored halves
of two joined, half of them in other colors. They are indexed as any picture. Of more than
--drawn in all they are made at the level of features instead: descriptors mixed of two real
ones, thumbnails of joined halves, embeddings with the mean and covariance of real ones. And
of more than --synthesized these are copied, each time a little off, with their words: then
a frame takes what it does among far more (scale_copies.py).

What is made stays in the folder --keep, and is taken from there the next time.
`frames` asks two processes in turn. Times depend on the machine; ratios within one run carry
over to others.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from recognize_sets import find_photos, format_table
from scale_accuracy import accuracy, unknowns
from scale_build import add, build, count_bytes
from scale_stand import Run, Stand, Workshop
from scale_worker import Worker

from data_label_factory.errors import FactoryError
from data_label_factory.walk import walk_folder

_MIB = 2**20


def start(run: Run) -> None:
    """Of a process that opens nothing else; its encoders are loaded before."""
    frames = _pick_frames(run.options)[:4]
    rows = []
    for stand in run.stands:
        with Worker(stand.index_file, stand.refs, frames) as worker:
            opened = worker.opened
            sizes = [f"{opened[key] / _MIB:.0f}" for key in ("resident", "private")]
            seconds = [f"{opened[key]:.2f}" for key in ("wall_s", "cpu_s")]
            rows.append([stand.name, *seconds, *sizes])
    head = ("references", "start s", "CPU s", "resident MiB", "private MiB")
    print(format_table(head, rows), flush=True)


def frames(run: Run) -> None:
    """Each photo is shown to the set alone and to the larger index; who is first alternates."""
    photos = _pick_frames(run.options)
    alone, *others = run.stands
    rows = []
    for stand in others:
        wall, cpu, same = _time_in_turn(alone, stand, photos)
        medians = [f"{np.median(ms):.0f}" for ms in (*wall, *cpu)]
        ratios = [f"{np.median(ms[1] / ms[0]):.2f}" for ms in (wall, cpu)]
        rows.append([stand.name, *medians, *ratios, f"{same} of {len(photos)}"])
    head = ("references", "ms alone", "ms", "CPU ms alone", "CPU ms", "ratio", "CPU ratio", "same")
    print(format_table(head, rows), flush=True)


def _time_in_turn(
    first: Stand, second: Stand, photos: Sequence[Path]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Milliseconds by the clock and of CPU, (2, photos) each, and for how many photos the
    same is sure.
    """
    wall, cpu = np.zeros((2, 2, len(photos)))
    same = 0
    with (
        Worker(first.index_file, first.refs, photos) as one,
        Worker(second.index_file, second.refs, photos) as other,
    ):
        for number in range(len(photos)):
            sure = {}
            for which in (0, 1) if number % 2 else (1, 0):
                answer = (one, other)[which].recognize(number)
                wall[which, number], cpu[which, number] = answer["wall_ms"], answer["cpu_ms"]
                sure[which] = answer["sure"]
            same += sure[0] == sure[1]
    return wall, cpu, same


def _pick_frames(options: argparse.Namespace) -> list[Path]:
    folder = find_photos(options.data / options.set)
    names = walk_folder(folder).pictures
    return [folder / name for name in names[:: options.every]]


BENCHES = {
    "bytes": count_bytes,
    "build": build,
    "start": start,
    "frames": frames,
    "accuracy": accuracy,
    "unknowns": unknowns,
    "add": add,
}


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path(os.environ.get("DLF_DATA", "../shared/data"))
    parser.add_argument("bench", choices=list(BENCHES))
    parser.add_argument("--data", type=Path, default=data, help="default: %(default)s")
    parser.add_argument("--set", default="cards", help="default: cards")
    text = "sets that distractors are made from (default: books,cards,magic)"
    parser.add_argument("--stock", type=_split, default=["books", "cards", "magic"], help=text)
    text = "in all, one index each (default: 1000,10000)"
    parser.add_argument("--references", type=_count, default=[1000, 10_000], help=text)
    text = "most references whose distractors are drawn as pictures (default: 3000)"
    parser.add_argument("--drawn", type=int, default=3000, help=text)
    text = "most references whose distractors are synthesized one by one (default: 10000)"
    parser.add_argument("--synthesized", type=int, default=10_000, help=text)
    parser.add_argument("--every", type=int, default=1, help="take every Nth photo (default: all)")
    text = "unknown items drawn for `unknowns` (default: 300)"
    parser.add_argument("--unknowns", type=int, default=300, help=text)
    parser.add_argument("--keep", type=Path, help="folder to keep the indexes in")
    return parser.parse_args(argv)


def _split(names: str) -> list[str]:
    return names.split(",")


def _count(counts: str) -> list[int]:
    return [int(count) for count in counts.split(",")]


def main(argv: Sequence[str] | None = None) -> int:
    options = parse(argv)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            folder = options.keep or Path(scratch)
            most = options.drawn, options.synthesized
            shop = Workshop(options.data, options.set, options.stock, folder, *most)
            stands = [shop.make_alone(), *map(shop.make, options.references)]
            BENCHES[options.bench](Run(options, shop, stands))
        except FactoryError as exc:
            print(f"error: {exc}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
