"""`identify evaluate`: score labeled photos."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from data_label_factory.atomic import write_text
from data_label_factory.command_line import FILE, FOLDER
from data_label_factory.identify.commands.options import (
    RecognizerOptions,
    json_option,
    report_passed_over,
    report_unusable,
    with_recognizer,
)

if TYPE_CHECKING:
    from data_label_factory.identify.evaluate.evaluation import Evaluation


@click.command("evaluate")
@with_recognizer
@click.option(
    "--queries",
    metavar="DIR",
    type=FOLDER,
    required=True,
    help="photos, named like their references",
)
@click.option(
    "--truth",
    metavar="FILE",
    type=FILE,
    show_default="DIR/truth.json or .csv",
    help="ground truth: CSV with the columns query,ref, or JSON",
)
@click.option(
    "--negatives",
    metavar="DIR",
    type=FOLDER,
    help="photos that show no item of the index",
)
@click.option(
    "--html",
    metavar="FILE",
    type=FILE,
    help="write a page with the curve and a picture of every failure",
)
@json_option
def command(
    recognizer: RecognizerOptions,
    queries: Path,
    truth: Path | None,
    negatives: Path | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Recognize labeled photos: how often the answers are right, wrong,
    or falsely confident about unknown items, and how fast they are.
    """
    from data_label_factory.identify.evaluate.evaluation import evaluate
    from data_label_factory.identify.evaluate.ground_truth import read_queries
    from data_label_factory.identify.index import Index
    from data_label_factory.identify.output.evaluate_html import as_html

    index = Index.load(recognizer.index)
    photos = read_queries(index, queries, negatives=negatives, truth=truth)
    recognize = recognizer.open(index).recognize
    result = evaluate(partial(recognize, guess=True, effort=recognizer.effort), photos)

    report = result.as_json() | {"passed_over": [walk.passed_over() for walk in photos.walks]}
    print(json.dumps(report) if as_json else _as_text(result))
    report_passed_over(photos.walks)
    report_unusable("not readable", result.unreadable)
    report_unusable("left out", dict.fromkeys(result.left_out, ""))
    report_unusable("left out, nothing says what it shows", dict.fromkeys(result.without_truth, ""))
    if html:
        write_text(html, as_html(result, index, recognizer.refs))
        print(f"page: {html}", file=sys.stderr)


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
