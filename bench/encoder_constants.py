"""Measure the two constants of the recognizer that depend on the encoder.

    python bench/encoder_constants.py --data ../shared/data [--sets books,cards,magic]
                                      [--encoders sscd,sscd-small] [--every N]

`unrelated_cosine` and `crop_noise` as `learn_constants` defines them, twice for each set. "photos"
are real ones, with the quads that the recognizer finds, and regions of `negatives`. "drawn" are
simulated views of references, and the ground without an item: what an index is calibrated with.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from confidence_evidence import sort_out
from recognize_sets import find_photos, format_table

from data_label_factory.errors import FactoryError
from data_label_factory.identify.encoders import Embedder, Embeddings
from data_label_factory.identify.evaluate import read_queries
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.quad import straighten
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.encoder_constants import (
    Placed,
    draw_views,
    embed_grounds,
    learn_from_views,
)
from data_label_factory.identify.recognize.proposals import find_flat_quads, whole_and_center
from data_label_factory.walk import walk_folder

_BATCH = 16
_NEGATIVE_SIDE_PX = 1024


def find_in_photos(recognizer: Recognizer, folder: Path, every: int) -> list[Placed]:
    """The items that the recognizer names rightly in photos."""
    placed = []
    for query in read_queries(recognizer.index, find_photos(folder)).photos[::every]:
        if query.items:
            frame = decode(query.path)
            found = [one for one in recognizer.assess(frame) if one.pose]
            right, _ = sort_out(recognizer, query, found)
            placed += [(one.row, frame, one.quad) for one in right]
    return placed


def cut_negatives(folder: Path, every: int, side: int) -> list[RGB]:
    """The regions of photos of something else that the recognizer would look at."""
    crops = []
    for name in walk_folder(folder).pictures[::every]:
        frame = decode(folder / name)
        shrink = min(1.0, _NEGATIVE_SIDE_PX / max(frame.shape[:2]))
        small = cv2.resize(frame, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        frame = np.asarray(small, np.uint8)
        quads = [*whole_and_center(frame), *find_flat_quads(frame)]
        crops += [straighten(frame, quad, side) for quad in quads]
    return crops


def measure(options: argparse.Namespace, name: str, scratch: Path) -> list[list[str]]:
    """The rows of one encoder."""
    embedder = Embedder.open(name)
    rng = np.random.default_rng(0)
    crops = cut_negatives(options.data / "negatives", options.every, embedder.crop_side)
    negatives = embed(embedder, crops)
    grounds = embed_grounds(embedder, rng)

    rows = []
    for pictures in options.sets:
        folder = options.data / pictures
        out = scratch / f"{name}-{pictures}.npz"
        index = build_index(folder / "refs", out, embedder, quiet=True).index
        recognizer = Recognizer(index, embedder, refs=folder / "refs")
        photos = find_in_photos(recognizer, folder, options.every)
        views = draw_views(index, folder / "refs", rng)
        for kind, placed, unrelated in (("photos", photos, negatives), ("drawn", views, grounds)):
            found = learn_from_views(index, embedder, placed, unrelated, rng)
            cells = [f"{found.unrelated_cosine:.2f}", f"{found.crop_noise:.3f}"]
            rows.append([name, pictures, kind, str(len(placed)), *cells])
    return rows


def embed(embedder: Embedder, crops: Sequence[RGB]) -> Embeddings:
    starts = range(0, len(crops), _BATCH)
    return np.concatenate([embedder.encode(crops[start : start + _BATCH]) for start in starts])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path(os.environ.get("DLF_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--sets", type=split, default=["books", "cards", "magic"])
    parser.add_argument("--encoders", type=split, default=["sscd", "sscd-small"])
    parser.add_argument("--every", type=int, default=1, help="take one photo in so many")
    options = parser.parse_args(argv)

    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        try:
            for name in options.encoders:
                rows += measure(options, name, Path(scratch))
        except FactoryError as exc:
            print(f"error: {exc}", file=sys.stderr)
            return 2
    print(format_table(["encoder", "set", "from", "views", "unrelated cosine", "crop noise"], rows))
    return 0


def split(text: str) -> list[str]:
    return text.split(",")


if __name__ == "__main__":
    sys.exit(main())
