"""`identify index`: encode a folder of reference pictures into an index."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from data_label_factory.identify.commands.options import (
    add_encoder_options,
    create_parser,
    positive,
)
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import BuildResult
from data_label_factory.identify.recognize.confidence import Calibration
from data_label_factory.identify.refresh import refresh_index


def main(argv: Sequence[str]) -> int:
    args = _create_parser().parse_args(argv)
    start = time.perf_counter()
    embedder = Embedder.open(
        args.encoder, args.projection, device=args.device, batch_size=args.batch_size
    )
    result = refresh_index(
        args.refs,
        args.out,
        embedder,
        calibrate=args.calibrate,
        negatives=args.negatives,
        full=args.full,
        batch_size=args.batch_size,
    )
    seconds = time.perf_counter() - start

    if args.json:
        print(json.dumps(_as_json(result, args.out, seconds)))
    else:
        print(_as_text(result, args.out, seconds))
    if result.rebuilt:
        print(f"the older index was not used: {result.rebuilt}", file=sys.stderr)
    for name, reason in result.unreadable.items():
        print(f"not indexed: {name!r}: {reason}", file=sys.stderr)
    return 1 if args.strict and result.unreadable else 0


def _create_parser() -> argparse.ArgumentParser:
    p = create_parser(
        "index",
        "Encode a folder of reference pictures, one per item, into an index. "
        "The file name is the label.",
    )

    p.add_argument(
        "--refs",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder of reference pictures, with subfolders",
    )
    p.add_argument(
        "--out",
        metavar="FILE.npz",
        type=Path,
        required=True,
        help="index to write or update",
    )

    add_encoder_options(p)
    p.add_argument(
        "--batch-size",
        metavar="N",
        type=positive,
        default=32,
        help="pictures to encode at a time (default: 32)",
    )
    p.add_argument(
        "--full",
        action="store_true",
        help="encode every picture again, even unchanged ones",
    )

    p.add_argument(
        "--negatives",
        metavar="DIR",
        type=Path,
        help="pictures that show none of your items, to calibrate with as well",
    )
    p.add_argument(
        "--calibrate",
        choices=("auto", "always", "never"),
        default="auto",
        help="calibrate the confidence on unknown items; "
        "auto: only if the last calibration is missing or out of date (default)",
    )

    p.add_argument(
        "--strict",
        action="store_true",
        help="exit 1 if any picture could not be read",
    )
    p.add_argument("--json", action="store_true", help="print the result as JSON")

    return p


def _as_text(result: BuildResult, out: Path, seconds: float) -> str:
    index = result.index
    counts = (
        f"{result.encoded} encoded, {result.reused} unchanged, {result.dropped} dropped, "
        f"{len(result.unreadable)} not readable"
    )
    state = "written" if result.written else "nothing changed"
    return "\n".join(
        [
            f"{out}: {len(index)} references of {index.item_count} items, "
            f"{index.dim} dimensions, {index.meta.maker}",
            f"{counts}; {state} in {seconds:.1f} s",
            _describe_calibration(index),
        ]
    )


def _describe_calibration(index: Index) -> str:
    calibration = Calibration.from_dict(index.meta.calibration)
    if not calibration.unknowns:
        return "not calibrated: the confidence is that of a typical collection"
    return (
        f"calibrated on {calibration.unknowns} unknown items, "
        f"when the index had {calibration.items} items"
    )


def _as_json(result: BuildResult, out: Path, seconds: float) -> dict[str, object]:
    index = result.index
    return {
        "index": str(out),
        "refs": len(index),
        "items": index.item_count,
        "dim": index.dim,
        "encoder": index.meta.encoder.id,
        "projection": index.meta.head_sha256 or None,
        "calibration": index.meta.calibration or None,
        "encoded": result.encoded,
        "reused": result.reused,
        "dropped": result.dropped,
        "unreadable": result.unreadable,
        "written": result.written,
        "rebuilt": result.rebuilt,
        "seconds": round(seconds, 3),
    }
