"""A training as one self-contained HTML page: did it help, each epoch, and the hardest items."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from data_label_factory.errors import FactoryError
from data_label_factory.identify.output.train_charts import draw_charts
from data_label_factory.identify.pages import render
from data_label_factory.identify.pages.figures import Figure, list_reasons, show_reference
from data_label_factory.identify.train.bank import Bank
from data_label_factory.identify.train.fit import TrainResult
from data_label_factory.identify.train.validation import worst_rows
from data_label_factory.labels import IMAGE_SUFFIXES, parse_label

_WORST = 12
_EQUAL = 5e-4  # what the table shows as no change

_FRACTIONS = {
    "top1": "top-1",
    "top1_tight": "top-1 of straightened crops",
    "top1_loose": "top-1 of loose crops",
    "accepted_right": "accepted right, at 1 % of unknown items",
}
_MARGINS = {
    "margin_views": "median margin of the views",
    "margin_references": "median margin of the references",
}


@dataclass(frozen=True)
class _Row:
    """One figure in the table; `tone` says whether its change is for the better."""

    name: str
    before: str
    after: str
    change: str
    tone: str


@dataclass(frozen=True)
class _Item:
    """A reference: the fraction of its views that are named right, and their mean margin."""

    figure: Figure
    right: str
    margin: str


def check_page(path: Path) -> None:
    """Raises FactoryError if `path` names a picture, which is what
    `--plot` once drew.

    Call it before the long work.
    """
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise FactoryError(
            f"{path} names a picture, but the plot is now a page", "Name a .html file"
        )


def as_html(result: TrainResult, bank: Bank, out: Path, refs: Path | None) -> str:
    """The page as text; `out` is the file of the head.

    With `refs`, the hardest items are shown as pictures where the files
    still exist.
    """
    rows = worst_rows(result.before, result.after, _WORST)
    return render(
        "train.html",
        title="Training helps" if result.helped else "Training does not help",
        tone="good" if result.helped else "fair",
        summary=_summarize(result, out),
        maker=f"{len(bank)} references · encoder {bank.encoder.id}",
        facts=_list_facts(result, bank),
        table=_list_rows(result),
        charts=draw_charts(result),
        worst=[_show_item(result, bank, row, refs) for row in rows],
        unreadable=list_reasons("Not trained on", list(bank.unreadable.items())),
    )


def _summarize(result: TrainResult, out: Path) -> str:
    if result.written and result.helped:
        return f"{out} was written. Index again with --projection {out} to use it."
    if result.written:
        return f"{out} was written all the same, as --force asks."
    return f"{out} was not written: {result.why_no_help}."


def _list_facts(result: TrainResult, bank: Bank) -> dict[str, str]:
    return {
        "references": f"{len(bank)}",
        "items": f"{result.items}",
        "held-out views": f"{len(result.after.margins)}",
        "epochs": f"{len(result.history)}",
        "best epoch": f"{result.best_epoch}",
    }


def _list_rows(result: TrainResult) -> list[_Row]:
    before = asdict(result.before.figures)
    after = asdict(result.after.figures)

    rows = []
    for key, name in (_FRACTIONS | _MARGINS).items():
        change = after[key] - before[key]
        tone = "soft" if abs(change) < _EQUAL else "good" if change > 0 else "poor"
        if key in _FRACTIONS:
            row = _Row(
                name, f"{before[key]:.1%}", f"{after[key]:.1%}", f"{100 * change:+.1f}", tone
            )
        else:
            row = _Row(name, f"{before[key]:.3f}", f"{after[key]:.3f}", f"{change:+.3f}", tone)
        rows.append(row)
    return rows


def _show_item(result: TrainResult, bank: Bank, row: int, refs: Path | None) -> _Item:
    right_before, margin_before = result.before.score_reference(row)
    right_after, margin_after = result.after.score_reference(row)
    return _Item(
        show_reference(
            bank.references[row], refs, str(parse_label(bank.references[row], bank.labels))
        ),
        right=f"{right_before:.0%} → {right_after:.0%}",
        margin=f"{margin_before:.3f} → {margin_after:.3f}",
    )
