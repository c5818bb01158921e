"""`identify evaluate`: score labeled photos."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from data_label_factory.atomic import write_text
from data_label_factory.identify.commands.options import (
    add_recognizer_options,
    create_parser,
    open_recognizer,
    report_unusable,
)
from data_label_factory.identify.evaluate.evaluation import Evaluation, evaluate
from data_label_factory.identify.evaluate.ground_truth import read_queries
from data_label_factory.identify.index import Index
from data_label_factory.identify.output.evaluate_html import as_html


def main(argv: Sequence[str]) -> int:
    args = _create_parser().parse_args(argv)
    index = Index.load(args.index)
    queries = read_queries(index, args.queries, negatives=args.negatives, truth=args.truth)
    result = evaluate(open_recognizer(args, index).recognize, queries)

    print(json.dumps(result.as_json()) if args.json else _as_text(result))
    report_unusable("not readable", result.unreadable)
    report_unusable("left out, nothing says what it shows", dict.fromkeys(result.without_truth, ""))
    if args.html:
        write_text(args.html, as_html(result, index, args.refs))
        print(f"page: {args.html}", file=sys.stderr)
    return 0


def _create_parser() -> argparse.ArgumentParser:
    p = create_parser(
        "evaluate",
        "Recognize labeled photos: how often the answers are right, wrong, or falsely confident "
        "about unknown items, and how fast they are.",
    )

    add_recognizer_options(p)

    p.add_argument(
        "--queries",
        metavar="DIR",
        type=Path,
        required=True,
        help="photos, named like their references",
    )
    p.add_argument(
        "--truth",
        metavar="FILE",
        type=Path,
        help="ground truth: CSV with the columns query,ref, or JSON "
        "(default: DIR/truth.json or .csv)",
    )
    p.add_argument(
        "--negatives",
        metavar="DIR",
        type=Path,
        help="photos that show no item of the index",
    )

    p.add_argument(
        "--html",
        metavar="FILE",
        type=Path,
        help="write a page with the curve and a picture of every failure",
    )
    p.add_argument("--json", action="store_true", help="print the figures as JSON")

    return p


def _as_text(result: Evaluation) -> str:
    f = result.figures
    lines = [
        f"{f.items} items in {f.frames} photos, {f.empty_frames} photos without any",
        f"top-1                {f.top1:.1%}",
        f"top-5                {f.top5:.1%}",
        f"accepted right       {f.accepted_right:.1%}",
        f"accepted wrong       {f.accepted_wrong_per_frame:.3f} per photo",
        f"extra                {f.extra_per_frame:.3f} per photo   (unverifiable without quads)",
        f"false accepts        {f.false_accepts} of {f.empty_frames}",
    ]
    if f.iou50 is not None:
        lines.append(f"outlined, IoU ≥ 0.5  {f.iou50:.1%}")
    lines.append(f"ms per photo         {result.ms_p50:.0f} (p50), {result.ms_p95:.0f} (p95)")

    lines.append("   rate  accepted right  wrong per photo  false accepts")
    lines += [
        f"{p.rate:7.4f}  {p.accepted_right:14.1%}  "
        f"{p.accepted_wrong_per_frame:15.3f}  {p.false_accepts:13}"
        for p in result.curve
    ]
    return "\n".join(lines)
