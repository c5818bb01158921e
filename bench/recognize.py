"""Figures of recognising. Times are of the machine that takes them; ratios within one run carry over.

    python bench/recognize.py accuracy [--data DIR] [--sets books,cards,magic] [--every N] [--ablate]
    python bench/recognize.py rivals   [--data DIR] [--sets books,cards,magic] [--every N] [--brute N]
    python bench/recognize.py sizes    [--data DIR] [--sets books,cards,magic] [--every N]
    python bench/recognize.py scale    [--data DIR] [--set cards] [--references 10000] [--profile]

`accuracy`  each set indexed and calibrated, then the figures of `identify evaluate`, negatives among the photos;
            with --ablate the same with one stage after the other switched off, calibrated anew without it
`rivals`    the same photos by other methods; names alone are judged, since whole-frame methods have no outlines
`sizes`     milliseconds of the same photos once decoded, without the negatives, shrunk or enlarged up to 12 megapixels
`scale`     a frame with the set's own references against the same plus drawn ones, in turn in one process

The folder --data holds NAME/refs beside NAME/queries, NAME/frames or NAME/photos, and `negatives`.
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
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
from recognize_rivals import rivals
from recognize_scale import scale
from recognize_sets import FIGURES, PictureSet, measure, open_sets, table

from data_label_factory.errors import FactoryError
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.recognize import Recognizer, appearance, geometry
from data_label_factory.identify.recognize import scoring as scoring
from data_label_factory.identify.recognize.calibrate import calibrate
from data_label_factory.identify.recognize.confidence import Calibration, log_odds
from data_label_factory.identify.recognize.search import FrameSearch

_SIDES_PX = (640, 1600, 4000)
_SETS = ("books", "cards", "magic")
_NO_CALIBRATION = "no calibration (prior only)"


def accuracy(options: argparse.Namespace, scratch: Path) -> None:
    rows = []
    for pictures in open_sets(options.data, options.sets, Embedder.open(), scratch, options.every):
        rows.append(
            [pictures.name, "whole", *measure(pictures.recognizer.recognize, pictures.queries)]
        )
        rows += [
            [pictures.name, name, *without(name, pictures)]
            for name in (ABLATIONS if options.ablate else ())
        ]
    print(table(["set", "recogniser", *FIGURES], rows), flush=True)


def without(name: str, pictures: PictureSet) -> list[str]:
    """The figures with one stage switched off. What strangers reach changes with it, so that is learnt anew."""
    recognizer = copy(pictures.recognizer)
    with ABLATIONS[name](recognizer):
        if name != _NO_CALIBRATION:
            recognizer.calibration = calibrate(recognizer, pictures.refs, quiet=True)
        return measure(recognizer.recognize, pictures.queries)


def sizes(options: argparse.Namespace, scratch: Path) -> None:
    rows = []
    for pictures in open_sets(options.data, options.sets, Embedder.open(), scratch, options.every):
        shown = [decode(photo.path) for photo in pictures.queries.photos if photo.items]
        pictures.recognizer.recognize(shown[0])
        for side in _SIDES_PX:
            ms = [_milliseconds(pictures.recognizer, _sized(photo, side)) for photo in shown]
            rows.append(
                [
                    pictures.name,
                    str(len(ms)),
                    str(side),
                    *(f"{np.percentile(ms, p):.0f}" for p in (50, 95)),
                ]
            )
    print(table(["set", "photos", "longer side px", "ms p50", "ms p95"], rows), flush=True)


def _milliseconds(recognizer: Recognizer, frame: RGB) -> float:
    start = time.perf_counter()
    recognizer.recognize(frame)
    return (time.perf_counter() - start) * 1000


def _sized(photo: RGB, side: int) -> RGB:
    """Shrunk or enlarged until the longer side has so many px."""
    factor = side / max(photo.shape[:2])
    size = [round(length * factor) for length in photo.shape[1::-1]]
    return np.asarray(
        cv2.resize(photo, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    )


def _evidence(**fixed: float) -> AbstractContextManager[Any]:
    """Some of the evidence the same for every hypothesis."""

    def blind(**evidence: float) -> float:
        return log_odds(**{**evidence, **fixed})

    return patch.object(scoring, "log_odds", blind)


def _no_background(recognizer: Recognizer) -> AbstractContextManager[Any]:
    references = recognizer._references
    assert references is not None
    chances = [np.full_like(chance, appearance._BY_CHANCE) for chance in references.chances]
    return patch.object(recognizer, "_references", replace(references, chances=chances))


# Patching a name that is gone raises, so an ablation cannot become one of nothing.
ABLATIONS: dict[str, Callable[[Recognizer], AbstractContextManager[Any]]] = {
    _NO_CALIBRATION: lambda recognizer: patch.object(recognizer, "calibration", Calibration()),
    "no colour": lambda _: _evidence(color=0.0),
    "no embedding lead": lambda _: _evidence(margin_ratio=0.0),
    "no share of features": lambda _: _evidence(inlier_ratio=0.0),
    "no template background": _no_background,
    "no second start of the pose": lambda _: patch.object(geometry, "_WELL_SEEN", 0.0),
    "no second look by shortlist": lambda _: patch.object(
        FrameSearch, "by_shortlist", lambda *_: []
    ),
}


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    benches = parser.add_subparsers(dest="bench", required=True)
    for name, bench in (
        ("accuracy", accuracy),
        ("rivals", rivals),
        ("sizes", sizes),
        ("scale", scale),
    ):
        own = benches.add_parser(name)
        own.set_defaults(run=bench)
        own.add_argument(
            "--data", type=Path, default=Path(os.environ.get("DLF_DATA", "../shared/data"))
        )
        if bench is scale:
            own.add_argument("--set", default="cards", help="default: cards")
            own.add_argument(
                "--references", type=int, default=10_000, help="in all (default: 10000)"
            )
            own.add_argument("--frames", type=int, default=40, help="default: 40")
            own.add_argument(
                "--profile", action="store_true", help="also: which functions cost more with more"
            )
            continue
        own.add_argument(
            "--sets", type=lambda text: text.split(","), default=_SETS, help="default: all three"
        )
        own.add_argument(
            "--every", type=int, default=1, help="take one photo in so many (default: all)"
        )
        if bench is rivals:
            own.add_argument(
                "--brute",
                type=int,
                default=20,
                help="photos for brute force, which is slow (default: 20)",
            )
        if bench is accuracy:
            own.add_argument(
                "--ablate", action="store_true", help="also switch off one stage after the other"
            )
    return parser.parse_args(argv)


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
