"""Measure recognition.

    python bench/recognize.py accuracy [--data DIR] [--sets NAMES] [--every N] [--ablate]
    python bench/recognize.py rivals   [--data DIR] [--sets NAMES] [--every N] [--brute N]
    python bench/recognize.py sizes    [--data DIR] [--sets NAMES] [--every N]
    python bench/recognize.py profile  [--data DIR] [--sets NAMES] [--every N]
    python bench/recognize.py scenes   [--data DIR] [--sets NAMES] [--kinds NAMES] [--count N]

`accuracy`  index and calibrate each set, then print the figures of `identify evaluate`, with
            negatives among the photos; with --ablate the same with one stage after the other
            switched off, each calibrated without it
`rivals`    the same photos with other methods; only names are scored, since methods that take
            the whole frame give no quads
`sizes`     milliseconds for the same photos once decoded, without the negatives, shrunk or
            enlarged up to 12 megapixels
`profile`   milliseconds of each stage, per photo, negatives among them
`scenes`    drawn photos of walls, shelves, binder pages and spines: 10 to 60 things in 2 to 12
            megapixels, every fifth of them unknown; by their size

The folder --data holds NAME/refs beside NAME/queries, NAME/frames or NAME/photos, and `negatives`.
The set NAME+views takes the pictures in NAME/views as further references. Guesses count in top-1
and top-5, as in `identify evaluate`.
Times depend on the machine; ratios within one run carry over to others.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from copy import copy
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
from recognize_profile import profile
from recognize_rivals import rivals
from recognize_scenes import add_options, scenes
from recognize_sets import FIGURES, PictureSet, format_table, guessing, measure, open_sets

from data_label_factory.errors import FactoryError
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.recognize import Recognizer, background, pose, scoring
from data_label_factory.identify.recognize.calibrate import calibrate
from data_label_factory.identify.recognize.confidence import Calibration, log_odds
from data_label_factory.identify.recognize.features import Floats
from data_label_factory.identify.recognize.search import FrameSearch

_SIDES_PX = (640, 1600, 4000)
_SETS = ("books", "cards", "magic")
_NO_CALIBRATION = "no calibration (prior only)"


def accuracy(options: argparse.Namespace, scratch: Path) -> None:
    rows = []
    for pictures in open_sets(options.data, options.sets, Embedder.open(), scratch, options.every):
        whole = measure(guessing(pictures.recognizer), pictures.queries)
        rows.append([pictures.name, "whole", *whole])
        if options.ablate:
            rows += [[pictures.name, name, *measure_without(name, pictures)] for name in ABLATIONS]
    print(format_table(["set", "recognizer", *FIGURES], rows), flush=True)


def measure_without(stage: str, pictures: PictureSet) -> list[str]:
    """Return the figures with one stage switched off.

    What unknown items reach changes with it, so the recognizer is calibrated anew.
    """
    recognizer = copy(pictures.recognizer)
    with ABLATIONS[stage](recognizer):
        if stage != _NO_CALIBRATION:
            recognizer.calibration = calibrate(recognizer, pictures.refs, quiet=True)
        return measure(guessing(recognizer), pictures.queries)


def sizes(options: argparse.Namespace, scratch: Path) -> None:
    rows = []
    for pictures in open_sets(options.data, options.sets, Embedder.open(), scratch, options.every):
        photos = [decode(photo.path) for photo in pictures.queries.photos if photo.items]
        pictures.recognizer.recognize(photos[0])  # what the first call sets up is not timed

        for side in _SIDES_PX:
            ms = [_time_ms(pictures.recognizer, _resize(photo, side)) for photo in photos]
            percentiles = [f"{np.percentile(ms, p):.0f}" for p in (50, 95)]
            rows.append([pictures.name, str(len(ms)), str(side), *percentiles])
    print(format_table(["set", "photos", "longer side px", "ms p50", "ms p95"], rows), flush=True)


def _time_ms(recognizer: Recognizer, frame: RGB) -> float:
    start = time.perf_counter()
    recognizer.recognize(frame)
    return (time.perf_counter() - start) * 1000


def _resize(photo: RGB, side: int) -> RGB:
    """Shrink or enlarge a photo until its longer side has `side` px."""
    factor = side / max(photo.shape[:2])
    size = [round(length * factor) for length in photo.shape[1::-1]]
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(photo, size, interpolation=interpolation))


def _fix_evidence(**fixed: float) -> AbstractContextManager[Any]:
    """Give every hypothesis the same value of some of the evidence."""

    def log_odds_without(**evidence: float) -> float:
        return log_odds(**{**evidence, **fixed})

    return patch.object(scoring, "log_odds", log_odds_without)


def _ignore_background(recognizer: Recognizer) -> AbstractContextManager[Any]:
    references = recognizer._references
    assert references is not None

    def chance(number: int) -> Floats:
        known = type(references).chance(references, number)
        return np.full_like(known, background._BY_CHANCE)

    return patch.object(references, "chance", chance)


# Patching a name that no longer exists raises, so an ablation cannot silently lose its effect.
ABLATIONS: dict[str, Callable[[Recognizer], AbstractContextManager[Any]]] = {
    _NO_CALIBRATION: lambda recognizer: patch.object(recognizer, "calibration", Calibration()),
    "no color": lambda _: _fix_evidence(color=0.0),
    "no margin ratio": lambda _: _fix_evidence(margin_ratio=0.0),
    "no inlier ratio": lambda _: _fix_evidence(inlier_ratio=0.0),
    "no template background": _ignore_background,
    "no second start of the pose": lambda _: patch.object(pose, "_WELL_SEEN", 0.0),
    "no second look by shortlist": lambda _: patch.object(
        FrameSearch, "by_shortlist", lambda *_: []
    ),
}


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    benches = parser.add_subparsers(dest="bench", required=True)
    for bench in (accuracy, rivals, sizes, profile, scenes):
        own = benches.add_parser(bench.__name__)
        own.set_defaults(run=bench)
        data = Path(os.environ.get("DLF_DATA", "../shared/data"))
        own.add_argument("--data", type=Path, default=data)
        own.add_argument("--sets", type=_split, default=_SETS, help="default: all three")
        if bench is scenes:
            add_options(own)
            continue

        own.add_argument("--every", type=int, default=1, help="take every Nth photo (default: all)")
        if bench is rivals:
            text = "photos for brute force, which is slow (default: 20)"
            own.add_argument("--brute", type=int, default=20, help=text)
        if bench is accuracy:
            text = "also switch off one stage after the other"
            own.add_argument("--ablate", action="store_true", help=text)
    return parser.parse_args(argv)


def _split(names: str) -> list[str]:
    return names.split(",")


def main(argv: Sequence[str] | None = None) -> int:
    options = parse(argv)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            options.run(options, Path(scratch))
        except FactoryError as exc:
            print(f"error: {exc}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
