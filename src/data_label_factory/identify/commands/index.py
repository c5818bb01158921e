from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from data_label_factory.identify.commands.options import add_encoder_options, parser, positive
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import BuildResult
from data_label_factory.identify.recognize.confidence import Calibration
from data_label_factory.identify.refresh import refresh_index


def main(argv: Sequence[str]) -> int:
    p = parser(
        "index",
        "Encode a folder of reference pictures, one item each, into an index. The file name is the label.",
    )
    p.add_argument(
        "--refs", metavar="DIR", type=Path, required=True, help="the folder, with subfolders"
    )
    p.add_argument(
        "--out",
        metavar="FILE.npz",
        type=Path,
        required=True,
        help="the index to write or bring up to date",
    )
    add_encoder_options(p)
    p.add_argument(
        "--batch-size",
        metavar="N",
        type=positive,
        default=32,
        help="pictures at a time (default: 32)",
    )
    p.add_argument("--full", action="store_true", help="encode every picture again, known or not")
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
        help="learn from strangers how sure is sure enough; auto: when there are many new items (default)",
    )
    p.add_argument(
        "--strict", action="store_true", help="exit 1 when any picture could not be read"
    )
    p.add_argument("--json", action="store_true", help="print the result as JSON")
    args = p.parse_args(argv)

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
    print(
        json.dumps(_as_json(result, args.out, seconds))
        if args.json
        else _as_text(result, args.out, seconds)
    )
    if result.rebuilt:
        print(f"the older index was not used: {result.rebuilt}", file=sys.stderr)
    for name, reason in result.unreadable.items():
        print(f"not indexed: {name!r}: {reason}", file=sys.stderr)
    return 1 if args.strict and result.unreadable else 0


def _as_text(result: BuildResult, out: Path, seconds: float) -> str:
    index = result.index
    counts = [
        f"{result.encoded} encoded",
        f"{result.reused} unchanged",
        f"{result.dropped} dropped",
    ]
    state = "written" if result.written else "nothing changed"
    return (
        f"{out}: {len(index)} references of {index.item_count} items, {index.dim} dimensions, {index.meta}\n"
        f"{', '.join(counts)}, {len(result.unreadable)} not readable; {state} in {seconds:.1f} s\n"
        + _calibration(index)
    )


def _calibration(index: Index) -> str:
    known = Calibration.from_dict(index.meta.calibration)
    if not known.unknowns:
        return "not calibrated: how sure is sure enough is taken from collections at large"
    return f"calibrated on {known.unknowns} strangers, when it had {known.items} items"


def _as_json(result: BuildResult, out: Path, seconds: float) -> dict[str, object]:
    return {
        "index": str(out),
        "refs": len(result.index),
        "items": result.index.item_count,
        "dim": result.index.dim,
        "encoder": result.index.meta.encoder.id,
        "projection": result.index.meta.head_sha256 or None,
        "calibration": result.index.meta.calibration or None,
        "encoded": result.encoded,
        "reused": result.reused,
        "dropped": result.dropped,
        "unreadable": result.unreadable,
        "written": result.written,
        "rebuilt": result.rebuilt,
        "seconds": round(seconds, 3),
    }
