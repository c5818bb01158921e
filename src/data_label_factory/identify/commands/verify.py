from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from data_label_factory.atomic import write_text
from data_label_factory.identify.commands.options import (
    add_encoder_options,
    open_embedder,
    parser,
    rate,
)
from data_label_factory.identify.index import Index
from data_label_factory.identify.output.verify_html import as_html
from data_label_factory.identify.verify.report import Report, verify_index


def main(argv: Sequence[str]) -> int:
    p = parser(
        "verify",
        "Test an index on itself. Exit 0 when at least 99 % of the references identify themselves, else 1.",
    )
    p.add_argument("--index", metavar="FILE.npz", type=Path, required=True)
    p.add_argument(
        "--refs",
        metavar="DIR",
        type=Path,
        help="the reference pictures: encode each again and search for it",
    )
    add_encoder_options(p, default=None)
    p.add_argument(
        "--top-confusables",
        metavar="N",
        type=_count,
        default=10,
        help="pairs to list (default: 10)",
    )
    p.add_argument(
        "--simulate",
        metavar="N",
        type=_count,
        default=0,
        help="webcam-like views a reference (needs --refs)",
    )
    p.add_argument(
        "--far",
        metavar="RATE",
        type=rate,
        default=0.01,
        help="strangers accepted at most (default: 0.01)",
    )
    p.add_argument(
        "--html",
        metavar="FILE",
        type=Path,
        help="write a page with histogram and pairs as pictures",
    )
    p.add_argument("--json", action="store_true", help="print the report as JSON")
    args = p.parse_args(argv)
    if args.simulate and not args.refs:
        p.error("--simulate needs --refs: views are made from the reference pictures")

    index = Index.load(args.index)
    report = verify_index(
        index,
        open_embedder(index, args) if args.refs else None,
        refs=args.refs,
        top_confusables=args.top_confusables,
        simulate=args.simulate,
        false_accept_rate=args.far,
    )
    print(json.dumps(report.as_json()) if args.json else _as_text(report))
    if args.html:
        write_text(args.html, as_html(report, index, args.refs))
        print(f"page: {args.html}", file=sys.stderr)
    return 0 if report.passed else 1


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def _as_text(report: Report) -> str:
    values = report.as_json()
    low, high = values["margin_quartiles"]
    lines = [
        f"{report.refs} references of {report.items} items · {report.encoder} · "
        + (
            "files encoded again"
            if report.basis == "re-encoded"
            else "stored rows only (give --refs to re-encode)"
        ),
        f"self-identification  {report.self_id_rate:.2%}",
        f"median margin        {values['median_margin']:.3f}   (quartiles {low:.3f} … {high:.3f})",
        f"verdict              {report.verdict}: {report.action}",
        "thresholds           similarity {sim:.3f}, margin {margin:.3f}   (from {basis})".format(
            **report.thresholds
        ),
    ]
    if separation := report.variant_separation:
        lines.append(
            f"variants             {separation['items']} items, median distance {separation['median']:.3f}"
        )
    if s := report.simulated:
        lines.append(
            f"simulated camera     top-1 {s.top1:.1%} of {s.views} views; accepted right {s.accepted_right:.1%}, wrong "
            f"{s.accepted_wrong:.1%}, strangers {s.false_accept_rate:.1%}"
        )
    if report.confusable_pairs:
        lines.append("most confusable pairs")
        lines += [
            f"  {pair.similarity:.3f}  {pair.a}  ~  {pair.b}"
            + ("" if pair.kind == "similar" else f"   ({pair.kind})")
            for pair in report.confusable_pairs
        ]
    lines += [f"not identified: {name}" for name in report.not_identified[:20]]
    return "\n".join(lines)
