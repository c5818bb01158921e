"""`identify verify`: test an index on itself."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from data_label_factory.atomic import write_text
from data_label_factory.identify.commands.options import (
    add_encoder_options,
    add_index_option,
    count,
    create_parser,
    open_embedder,
    rate,
)
from data_label_factory.identify.index import Index
from data_label_factory.identify.output.verify_html import as_html
from data_label_factory.identify.verify.report import Report, verify_index

_NAMED_MAX = 20  # references that did not identify themselves, named one by one


def main(argv: Sequence[str]) -> int:
    p = _create_parser()
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


def _create_parser() -> argparse.ArgumentParser:
    p = create_parser(
        "verify",
        "Test an index on itself. "
        "Exit 0 if at least 99 % of the references identify themselves, else 1.",
    )

    add_index_option(p)
    p.add_argument(
        "--refs",
        metavar="DIR",
        type=Path,
        help="folder of reference pictures: encode each again and search for it",
    )
    add_encoder_options(p, default="")

    p.add_argument(
        "--top-confusables",
        metavar="N",
        type=count,
        default=10,
        help="pairs to list (default: 10)",
    )
    p.add_argument(
        "--simulate",
        metavar="N",
        type=count,
        default=0,
        help="webcam-like views to simulate per reference (needs --refs)",
    )
    p.add_argument(
        "--far",
        metavar="RATE",
        type=rate,
        default=0.01,
        help="fraction of unknown items that the thresholds may accept (default: 0.01)",
    )

    p.add_argument(
        "--html",
        metavar="FILE",
        type=Path,
        help="write a page with a histogram and the pairs as pictures",
    )
    p.add_argument("--json", action="store_true", help="print the report as JSON")

    return p


def _as_text(report: Report) -> str:
    values = report.as_json()
    low, high = values["margin_quartiles"]
    thresholds = report.thresholds
    if report.basis == "re-encoded":
        basis = "files encoded again"
    else:
        basis = "stored rows only (give --refs to re-encode)"

    lines = [
        f"{report.refs} references of {report.items} items · {report.encoder} · {basis}",
        f"self-identification  {report.self_id_rate:.2%}",
        f"median margin        {values['median_margin']:.3f}   (quartiles {low:.3f} … {high:.3f})",
        f"verdict              {report.verdict}: {report.action}",
        f"thresholds           similarity {thresholds['sim']:.3f}, "
        f"margin {thresholds['margin']:.3f}   (from {thresholds['basis']})",
    ]
    if separation := report.variant_separation:
        lines.append(
            f"variants             {separation['items']} items, "
            f"median distance {separation['median']:.3f}"
        )
    if simulated := report.simulated:
        lines.append(
            f"simulated camera     top-1 {simulated.top1:.1%} of {simulated.views} views; "
            f"accepted right {simulated.accepted_right:.1%}, "
            f"wrong {simulated.accepted_wrong:.1%}, "
            f"unknown {simulated.false_accept_rate:.1%}"
        )

    lines += _describe_pairs(report)
    lines += [f"not identified: {name}" for name in report.not_identified[:_NAMED_MAX]]
    return "\n".join(lines)


def _describe_pairs(report: Report) -> list[str]:
    lines = []
    for pair in report.confusable_pairs:
        kind = "" if pair.kind == "similar" else f"   ({pair.kind})"
        lines.append(f"  {pair.similarity:.3f}  {pair.a}  ~  {pair.b}{kind}")
    return ["most confusable pairs", *lines] if lines else []
