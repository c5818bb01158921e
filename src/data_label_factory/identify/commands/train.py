"""`identify train`: train a projection head, and say whether it helps."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from data_label_factory.atomic import write_text
from data_label_factory.command_line import COUNT, FILE, FOLDER, POSITIVE, Whole, labels_option
from data_label_factory.folders import cache_folder
from data_label_factory.identify.choices import Device
from data_label_factory.identify.commands.options import (
    Function,
    Number,
    device_option,
    encoder_option,
    json_option,
    report_unusable,
    trim_option,
)
from data_label_factory.identify.train.settings import Start, TrainSettings, Variants, ViewRecipe

if TYPE_CHECKING:
    from data_label_factory.identify.train.bank import Bank
    from data_label_factory.identify.train.fit import TrainResult
    from data_label_factory.identify.train.validation import Validation
    from data_label_factory.labels import LabelScheme

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


def _setting(option: str, **attrs: Any) -> Function:
    """An option that sets a field of TrainSettings, which also has its default."""
    field = option.partition("/")[0].lstrip("-").replace("-", "_")
    return click.option(option, default=getattr(TrainSettings, field), **attrs)


@click.command("train")
@click.option(
    "--refs",
    metavar="DIR",
    type=FOLDER,
    required=True,
    help="folder of reference pictures",
)
@click.option("--out", metavar="HEAD.pt", type=FILE, required=True, help="head to write")
@_setting("--epochs", metavar="N", type=POSITIVE, help="number of epochs")
@_setting("--k", metavar="N", type=POSITIVE, help="items per batch")
@_setting("--m", metavar="N", type=Whole(min=2), help="views per item in a batch")
@_setting("--anchor/--no-anchor", help="make the reference itself one of these views")
@_setting(
    "--steps-per-epoch",
    metavar="N",
    type=POSITIVE,
    show_default="as many as show every view once",
    help="batches per epoch",
)
@_setting("--lr", metavar="X", type=Number(min=0, min_open=True), help="peak learning rate")
@_setting(
    "--temperature",
    metavar="X",
    type=Number(min=0, min_open=True),
    help="temperature of the loss",
)
@_setting(
    "--hard",
    metavar="FRACTION",
    type=Number(0, 1, max_open=True),
    help="fraction of the items in a batch that are hard negatives",
)
@_setting(
    "--start",
    type=click.Choice(get_args(Start)),
    help="initial weights: those of the encoder, or random ones",
)
@_setting(
    "--variants",
    type=click.Choice(get_args(Variants)),
    help="whether printings of one name are the same item",
)
@_setting("--seed", metavar="N", type=COUNT, help="seed of the random numbers")
@click.option(
    "--views",
    metavar="N",
    type=POSITIVE,
    default=ViewRecipe.views,
    help="views to draw of each reference",
)
@encoder_option
@device_option
@click.option(
    "--bank",
    "bank_folder",
    metavar="DIR",
    type=FOLDER,
    show_default="in the user's cache folder",
    help="folder for the encoded views",
)
@trim_option
@labels_option("those of an index of the folder beside it, or cards")
@click.option("--resume", is_flag=True, help="continue where an interrupted training stopped")
@click.option("--force", is_flag=True, help="write the head even if it does not help")
@click.option(
    "--html",
    "--plot",
    "html",
    metavar="FILE",
    type=FILE,
    help="write a page with the figures of each epoch and the hardest items",
)
@json_option
def command(
    refs: Path,
    out: Path,
    views: int,
    encoder: str,
    device: Device,
    bank_folder: Path | None,
    trim: bool,
    labels: LabelScheme | None,
    resume: bool,
    force: bool,
    html: Path | None,
    as_json: bool,
    **settings: Any,
) -> int:
    """Train a projection head on simulated views of the references, and
    validate it on other views.

    If it does not help, write no file and exit 3.
    """
    from data_label_factory.identify.encoders import Embedder
    from data_label_factory.identify.index.sharing import find_labels
    from data_label_factory.identify.output.train_html import as_html, check_page
    from data_label_factory.identify.train.bank import build_bank
    from data_label_factory.identify.train.fit import check_destination, train_head

    check_destination(out)
    if html:
        check_page(html)
    embedder = Embedder.open(encoder, device=device)

    start = time.perf_counter()
    recipe = ViewRecipe(views, seed=settings["seed"], side_px=embedder.crop_side, trim=trim)
    bank = build_bank(
        refs,
        bank_folder or cache_folder() / "banks",
        embedder.encoder,
        recipe,
        labels=labels or find_labels(refs),
    )
    report_unusable("not trained on", bank.unreadable)

    banked = time.perf_counter()
    result = train_head(bank, out, TrainSettings(**settings), resume=resume, force=force)
    report = _as_json(result, bank, out, banked - start, time.perf_counter() - banked)

    print(json.dumps(report) if as_json else _as_text(report, result.why_no_help))
    if html:
        write_text(html, as_html(result, bank, out, refs))
        print(f"page: {html}", file=sys.stderr)
    return 0 if result.written else 3


def _as_json(
    result: TrainResult, bank: Bank, out: Path, bank_seconds: float, train_seconds: float
) -> dict[str, Any]:
    from data_label_factory.identify.train.validation import worst_rows

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


def _as_text(report: dict[str, Any], why_no_help: str) -> str:
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
        lines.append(f"Training does not help: {why_no_help}")

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
