from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from data_label_factory.extras import need
from data_label_factory.folders import cache_folder
from data_label_factory.identify.commands.options import parser, positive, report_unusable
from data_label_factory.identify.encoders import DEFAULT_ENCODER, open_encoder
from data_label_factory.identify.train.bank import Bank, build_bank
from data_label_factory.identify.train.settings import Start, TrainSettings, Variants
from data_label_factory.identify.train.validation import worst_rows
from data_label_factory.identify.train.views import ViewRecipe

if TYPE_CHECKING:
    from data_label_factory.identify.train.fit import TrainResult

_WORST = 5
_SHARES = {
    "top1": "top-1",
    "top1_tight": "  straightened crops",
    "top1_loose": "  loose crops",
    "accepted_right": "accepted right, 1 % strangers",
}
_MARGINS = {
    "margin_views": "median margin of the views",
    "margin_references": "median margin, references",
}


def main(argv: Sequence[str]) -> int:
    args = _options().parse_args(argv)
    need("torch", extra="train")
    from data_label_factory.identify.train.fit import check_destination, train_head
    from data_label_factory.identify.train.plot import plot_training

    check_destination(args.out)
    settings = TrainSettings(
        **{field.name: getattr(args, field.name) for field in fields(TrainSettings)}
    )
    encoder = open_encoder(args.encoder, device=args.device)
    start = time.perf_counter()
    bank = build_bank(
        args.refs,
        args.bank or cache_folder() / "banks",
        encoder,
        ViewRecipe(args.views, seed=args.seed),
    )
    report_unusable("not trained on", bank.unreadable)
    banked = time.perf_counter()
    result = train_head(bank, args.out, settings, resume=args.resume, force=args.force)
    report = _report(result, bank, args.out, banked - start, time.perf_counter() - banked)
    print(json.dumps(report) if args.json else _as_text(report))
    if args.plot:
        plot_training(result, args.plot)
        print(f"plot: {args.plot}", file=sys.stderr)
    return 0 if result.written else 3


def _options() -> argparse.ArgumentParser:
    p = parser(
        "train",
        "Train a projection head on simulated views of the references, and judge it on others. Exit 3, and no file, "
        "when it does not help.",
    )
    p.add_argument("--refs", metavar="DIR", type=Path, required=True, help="the reference pictures")
    p.add_argument("--out", metavar="HEAD.pt", type=Path, required=True, help="the head to write")
    p.add_argument("--epochs", metavar="N", type=positive, help="default: %(default)s")
    p.add_argument("--k", metavar="N", type=positive, help="items a batch (default: %(default)s)")
    p.add_argument(
        "--m", metavar="N", type=_at_least_two, help="views of each (default: %(default)s)"
    )
    p.add_argument(
        "--anchor",
        action=argparse.BooleanOptionalAction,
        help="one of them is the reference (default)",
    )
    p.add_argument(
        "--steps-per-epoch",
        metavar="N",
        type=positive,
        help="batches (default: see all views once)",
    )
    p.add_argument(
        "--lr",
        metavar="X",
        type=_above_zero,
        help="learning rate at its peak (default: %(default)s)",
    )
    p.add_argument(
        "--temperature", metavar="X", type=_above_zero, help="of the loss (default: %(default)s)"
    )
    p.add_argument(
        "--hard",
        metavar="SHARE",
        type=_share,
        help="of easily confused items (default: %(default)s)",
    )
    p.add_argument(
        "--start", choices=get_args(Start), help="what the head is at first (default: %(default)s)"
    )
    p.add_argument(
        "--variants",
        choices=get_args(Variants),
        help="printings of one name (default: %(default)s)",
    )
    p.add_argument("--seed", metavar="N", type=_not_negative, help="default: %(default)s")
    p.set_defaults(**asdict(TrainSettings()))
    p.add_argument(
        "--views",
        metavar="N",
        type=positive,
        default=ViewRecipe.views,
        help="views of each reference (default: %(default)s)",
    )
    p.add_argument(
        "--encoder",
        metavar="ID",
        default=DEFAULT_ENCODER,
        help="see `identify encoders` (default: sscd)",
    )
    p.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "coreml"),
        default="auto",
        help="of the encoder (default: auto)",
    )
    p.add_argument(
        "--bank",
        metavar="DIR",
        type=Path,
        help="keeps encoded views (default: in the user's cache folder)",
    )
    p.add_argument(
        "--resume", action="store_true", help="go on where an interrupted training stopped"
    )
    p.add_argument("--force", action="store_true", help="write the head even if it does not help")
    p.add_argument(
        "--plot", metavar="FILE.png", type=Path, help="draw loss, held-out top-1 and margins"
    )
    p.add_argument("--json", action="store_true", help="print the figures as JSON")
    return p


def _at_least_two(text: str) -> int:
    value = int(text)
    if value < 2:
        raise argparse.ArgumentTypeError("must be at least 2: the loss compares views of one item")
    return value


def _not_negative(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def _above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError("must lie in 0…1, without 1")
    return value


def _report(
    result: TrainResult, bank: Bank, out: Path, bank_seconds: float, seconds: float
) -> dict[str, Any]:
    before, after = result.before, result.after
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
        "epochs": [
            {key: round(value, 4) for key, value in line.items()} for line in result.history
        ],
        "worst": [
            {
                "file": bank.references[row],
                "before": [round(value, 4) for value in before.of_row(row)],
                "after": [round(value, 4) for value in after.of_row(row)],
            }
            for row in worst_rows(before, after, _WORST)
        ],
        "encoded_refs": bank.encoded,
        "unreadable": bank.unreadable,
        "bank_seconds": round(bank_seconds, 3),
        "train_seconds": round(seconds, 3),
    }


def _as_text(report: dict[str, Any]) -> str:
    before, after = report["before"], report["after"]
    lines = [
        "{refs} references of {items} items · {encoder} · views of {encoded_refs} encoded in {bank_seconds:.1f} s, "
        "head trained in {train_seconds:.1f} s, best in epoch {best_epoch}".format(**report),
        "held-out views                    before   after",
        *(f"{title:32}{before[key]:8.1%}{after[key]:8.1%}" for key, title in _SHARES.items()),
        *(f"{title:32}{before[key]:8.3f}{after[key]:8.3f}" for key, title in _MARGINS.items()),
        "worst items: views right and their mean margin, before → after",
    ]
    for entry in report["worst"]:
        (right, margin), (now_right, now_margin) = entry["before"], entry["after"]
        lines.append(
            f"  {right:4.0%} {margin:6.3f} → {now_right:4.0%} {now_margin:6.3f}  {entry['file']}"
        )
    if not report["helped"]:
        why = "the encoder alone does as well on views that were not trained on"
        lines.append(
            f"Training does not help: {why if report['items'] > 1 else 'one item is told from nothing'}"
        )
    done = (
        "written; index again with --projection"
        if report["written"]
        else "not written (--force writes it anyway)"
    )
    return "\n".join([*lines, f"{report['head']}: {done}"])
