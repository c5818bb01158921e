"""`identify train`: train a projection head, and say whether it helps."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from data_label_factory.atomic import write_text
from data_label_factory.extras import need
from data_label_factory.folders import cache_folder
from data_label_factory.identify.commands.options import (
    above_zero,
    add_device_option,
    at_least_two,
    count,
    create_parser,
    fraction_below_one,
    positive,
    report_unusable,
)
from data_label_factory.identify.encoders import DEFAULT_ENCODER, Embedder
from data_label_factory.identify.output.train_html import as_html, check_page
from data_label_factory.identify.train.bank import Bank, build_bank
from data_label_factory.identify.train.settings import Start, TrainSettings, Variants
from data_label_factory.identify.train.validation import Validation, worst_rows
from data_label_factory.identify.train.views import ViewRecipe

if TYPE_CHECKING:
    from data_label_factory.identify.train.fit import TrainResult

_WORST = 5
_FRACTIONS = {
    "top1": "top-1",
    "top1_tight": "  straightened crops",
    "top1_loose": "  loose crops",
    "accepted_right": "accepted right, 1 % unknown",
}
_MARGINS = {
    "margin_views": "median margin of the views",
    "margin_references": "median margin, references",
}


def main(argv: Sequence[str]) -> int:
    args = _create_parser().parse_args(argv)
    need("torch", extra="train")
    from data_label_factory.identify.train.fit import check_destination, train_head

    check_destination(args.out)
    if args.html:
        check_page(args.html)
    settings = TrainSettings(
        **{field.name: getattr(args, field.name) for field in fields(TrainSettings)}
    )
    embedder = Embedder.open(args.encoder, device=args.device)

    start = time.perf_counter()
    recipe = ViewRecipe(args.views, seed=args.seed, side_px=embedder.crop_side)
    cache = args.bank or cache_folder() / "banks"
    bank = build_bank(args.refs, cache, embedder.encoder, recipe)
    report_unusable("not trained on", bank.unreadable)

    banked = time.perf_counter()
    result = train_head(bank, args.out, settings, resume=args.resume, force=args.force)
    report = _as_json(result, bank, args.out, banked - start, time.perf_counter() - banked)

    print(json.dumps(report) if args.json else _as_text(report))
    if args.html:
        write_text(args.html, as_html(result, bank, args.out, args.refs))
        print(f"page: {args.html}", file=sys.stderr)
    return 0 if result.written else 3


def _create_parser() -> argparse.ArgumentParser:
    p = create_parser(
        "train",
        "Train a projection head on simulated views of the references, and validate it on other "
        "views. If it does not help, write no file and exit 3.",
    )

    p.add_argument(
        "--refs",
        metavar="DIR",
        type=Path,
        required=True,
        help="folder of reference pictures",
    )
    p.add_argument("--out", metavar="HEAD.pt", type=Path, required=True, help="head to write")
    _add_settings(p)
    _add_bank_options(p)

    p.add_argument(
        "--resume",
        action="store_true",
        help="continue where an interrupted training stopped",
    )
    p.add_argument("--force", action="store_true", help="write the head even if it does not help")
    p.add_argument(
        "--html",
        "--plot",
        metavar="FILE",
        type=Path,
        help="write a page with the figures of each epoch and the hardest items",
    )
    p.add_argument("--json", action="store_true", help="print the figures as JSON")

    return p


def _add_settings(p: argparse.ArgumentParser) -> None:
    """Add one option for each field of TrainSettings."""
    p.add_argument(
        "--epochs",
        metavar="N",
        type=positive,
        help="number of epochs (default: %(default)s)",
    )

    p.add_argument(
        "--k",
        metavar="N",
        type=positive,
        help="items per batch (default: %(default)s)",
    )
    p.add_argument(
        "--m",
        metavar="N",
        type=at_least_two,
        help="views per item in a batch (default: %(default)s)",
    )
    p.add_argument(
        "--anchor",
        action=argparse.BooleanOptionalAction,
        help="make the reference itself one of these views (default)",
    )

    p.add_argument(
        "--steps-per-epoch",
        metavar="N",
        type=positive,
        help="batches per epoch (default: as many as show every view once)",
    )
    p.add_argument(
        "--lr",
        metavar="X",
        type=above_zero,
        help="peak learning rate (default: %(default)s)",
    )
    p.add_argument(
        "--temperature",
        metavar="X",
        type=above_zero,
        help="temperature of the loss (default: %(default)s)",
    )

    p.add_argument(
        "--hard",
        metavar="FRACTION",
        type=fraction_below_one,
        help="fraction of the items in a batch that are hard negatives (default: %(default)s)",
    )
    p.add_argument(
        "--start",
        choices=get_args(Start),
        help="initial weights: those of the encoder, or random ones (default: %(default)s)",
    )
    p.add_argument(
        "--variants",
        choices=get_args(Variants),
        help="whether printings of one name are the same item (default: %(default)s)",
    )

    p.add_argument(
        "--seed",
        metavar="N",
        type=count,
        help="seed of the random numbers (default: %(default)s)",
    )

    p.set_defaults(**asdict(TrainSettings()))


def _add_bank_options(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--views",
        metavar="N",
        type=positive,
        default=ViewRecipe.views,
        help="views to draw of each reference (default: %(default)s)",
    )
    p.add_argument(
        "--encoder",
        metavar="ID",
        default=DEFAULT_ENCODER,
        help="encoder, as listed by `identify encoders` (default: %(default)s)",
    )
    add_device_option(p)

    p.add_argument(
        "--bank",
        metavar="DIR",
        type=Path,
        help="folder for the encoded views (default: in the user's cache folder)",
    )


def _as_json(
    result: TrainResult, bank: Bank, out: Path, bank_seconds: float, train_seconds: float
) -> dict[str, Any]:
    before = result.before
    after = result.after
    worst = [
        {
            "file": bank.references[row],
            "before": _rounded_scores(before, row),
            "after": _rounded_scores(after, row),
        }
        for row in worst_rows(before, after, _WORST)
    ]
    epochs = [{key: round(value, 4) for key, value in line.items()} for line in result.history]

    return {
        "head": str(out),
        "written": result.written,
        "helped": result.helped,
        "refs": len(bank),
        "items": result.items,
        "encoder": bank.encoder.id,
        "before": before.figures.as_json(),
        "after": after.figures.as_json(),
        "best_epoch": result.best_epoch,
        "epochs": epochs,
        "worst": worst,
        "encoded_refs": bank.encoded,
        "unreadable": bank.unreadable,
        "bank_seconds": round(bank_seconds, 3),
        "train_seconds": round(train_seconds, 3),
    }


def _rounded_scores(validation: Validation, row: int) -> list[float]:
    return [round(value, 4) for value in validation.score_reference(row)]


def _as_text(report: dict[str, Any]) -> str:
    before = report["before"]
    after = report["after"]
    lines = [
        "{refs} references of {items} items · {encoder} · "
        "views of {encoded_refs} encoded in {bank_seconds:.1f} s, "
        "head trained in {train_seconds:.1f} s, best in epoch {best_epoch}".format(**report),
        "held-out views                    before   after",
    ]
    for key, title in _FRACTIONS.items():
        lines.append(f"{title:32}{before[key]:8.1%}{after[key]:8.1%}")
    for key, title in _MARGINS.items():
        lines.append(f"{title:32}{before[key]:8.3f}{after[key]:8.3f}")

    lines.append("worst items: correct views and their mean margin, before → after")
    lines += map(_describe_worst, report["worst"])
    if not report["helped"]:
        lines.append(f"Training does not help: {_explain_failure(report)}")

    if report["written"]:
        state = "written; index again with --projection"
    else:
        state = "not written (--force writes it anyway)"
    return "\n".join([*lines, f"{report['head']}: {state}"])


def _describe_worst(entry: dict[str, Any]) -> str:
    top1_before, margin_before = entry["before"]
    top1_after, margin_after = entry["after"]
    before = f"{top1_before:4.0%} {margin_before:6.3f}"
    after = f"{top1_after:4.0%} {margin_after:6.3f}"
    return f"  {before} → {after}  {entry['file']}"


def _explain_failure(report: dict[str, Any]) -> str:
    if report["items"] == 1:
        return "with one item there is nothing to tell apart"
    return "the encoder alone does as well on the held-out views"
