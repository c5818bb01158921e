from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from data_label_factory.identify.commands.options import parser
from data_label_factory.identify.demo.run import run_demo


def main(argv: Sequence[str]) -> int:
    p = parser(
        "demo",
        "Index, verify and recognise: a sample collection drawn for you, or the pictures in your own folder.",
    )
    p.add_argument(
        "--refs",
        metavar="DIR",
        type=Path,
        help="your own pictures, one an item (default: draw samples)",
    )
    p.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("demo-output"), help="default: demo-output"
    )
    p.add_argument("--seed", type=int, default=3, help="which views are drawn (default: 3)")
    args = p.parse_args(argv)

    result = run_demo(
        args.out, args.refs, seed=args.seed, say=lambda text: print(text, file=sys.stderr)
    )
    report = result.report
    for name, reason in result.build.unreadable.items():
        print(f"not indexed: {name!r}: {reason}", file=sys.stderr)
    print(
        f"{report.refs} references of {report.items} items; self-identification {report.self_id_rate:.1%}"
    )
    print(f"median margin {report.as_json()['median_margin']:.2f}: {report.verdict}")
    print(f"named {result.right} of the {result.shown} items in three webcam-like views")
    print(f"look at {result.picture}")
    return 0
