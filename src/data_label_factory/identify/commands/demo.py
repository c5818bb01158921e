"""`identify demo`: all stages in one go."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from data_label_factory.identify.commands.options import create_parser
from data_label_factory.identify.demo.run import run_demo


def main(argv: Sequence[str]) -> int:
    args = _create_parser().parse_args(argv)
    result = run_demo(args.out, args.refs, seed=args.seed, say=_say)

    for name, reason in result.build.unreadable.items():
        print(f"not indexed: {name!r}: {reason}", file=sys.stderr)

    report = result.report
    self_id = f"self-identification {report.self_id_rate:.1%}"
    print(f"{report.refs} references of {report.items} items; {self_id}")
    print(f"median margin {report.as_json()['median_margin']:.2f}: {report.verdict}")
    print(f"named {result.right} of the {result.shown} items in three webcam-like views")
    print(f"look at {result.picture}")
    return 0


def _create_parser() -> argparse.ArgumentParser:
    p = create_parser(
        "demo",
        "Index, verify and recognize a sample collection, or the pictures in your own folder.",
    )

    p.add_argument(
        "--refs",
        metavar="DIR",
        type=Path,
        help="your own pictures, one per item (default: draw samples)",
    )
    p.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("demo-output"),
        help="folder for the results (default: demo-output)",
    )
    p.add_argument(
        "--seed",
        type=int,
        default=3,
        help="seed of the views to draw (default: 3)",
    )

    return p


def _say(text: str) -> None:
    print(text, file=sys.stderr)
