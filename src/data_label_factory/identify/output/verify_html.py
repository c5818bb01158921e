"""A verify Report as one self-contained HTML page, with the confusable pairs as pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_label_factory.identify.index import Index
from data_label_factory.identify.pages import render
from data_label_factory.identify.pages.charts import Axis, Chart, round_ticks
from data_label_factory.identify.pages.figures import (
    Figure,
    Reasons,
    list_reasons,
    show_reference,
)
from data_label_factory.identify.verify.margins import Floats
from data_label_factory.identify.verify.pairs import ConfusablePair
from data_label_factory.identify.verify.report import VERDICTS, Report
from data_label_factory.labels import LabelScheme, parse_label

_TONES = {"ship it": "good", "consider training": "fair"}
_BARS = 40


@dataclass(frozen=True)
class _Pair:
    """`note` is "" unless the pair is more than similar."""

    a: Figure
    b: Figure
    similarity: str
    note: str


def as_html(report: Report, index: Index, refs: Path | None) -> str:
    """The page as text.

    With `refs`, pairs are shown as pictures where the files still
    exist.
    """
    return render(
        "verify.html",
        report=report,
        tone=_TONES.get(report.verdict, "poor"),
        maker=str(index.meta),
        facts=_list_facts(report),
        histogram=_draw_histogram(report.margins),
        pairs=[_show_pair(pair, refs, report.labels) for pair in report.confusable_pairs],
        failures=_list_not_identified(report),
    )


def _list_facts(report: Report) -> dict[str, str]:
    values = report.as_json()
    shown = {
        "references": f"{report.refs}",
        "items": f"{report.items}",
        "self-identification": f"{report.self_id_rate:.2%}",
        "median margin": f"{values['median_margin']:.3f}",
        "middle half of margins": "{:.3f} … {:.3f}".format(*values["margin_quartiles"]),
        "similarity threshold": f"{report.thresholds['sim']:.3f}",
        "margin threshold": f"{report.thresholds['margin']:.3f}",
    }

    if views := report.views:
        shown["views found by another one"] = f"{views.found:.1%}"
        if views.found_by_both is not None:
            shown["… by both encoders"] = f"{views.found_by_both:.1%}"
    if simulation := report.simulated:
        shown |= {
            "simulated top-1": f"{simulation.top1:.1%}",
            "accepted right": f"{simulation.accepted_right:.1%}",
            "accepted wrong": f"{simulation.accepted_wrong:.1%}",
            "unknown items accepted": f"{simulation.false_accept_rate:.1%}",
        }
    return shown


def _draw_histogram(margins: Floats) -> Chart:
    """Margins from 0 to 1 in 40 bars, with the limits between the verdicts."""
    counts, edges = np.histogram(np.clip(margins, 0, 1), bins=_BARS, range=(0, 1))
    tallest = int(counts.max())

    chart = Chart(
        "Histogram of margins",
        Axis("margin", 0, 1, round_ticks(0, 1)),
        Axis("references", 0, tallest, [(0, "0"), (tallest, f"{tallest}")]),
    )
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        title = f"{count} references, margin {low:.3f} to {high:.3f}"
        chart.add_bar(float(low), float(high), int(count), title)

    for limit, _, _ in VERDICTS:
        if np.isfinite(limit):
            chart.add_limit(limit)
    return chart


def _show_pair(pair: ConfusablePair, refs: Path | None, labels: LabelScheme) -> _Pair:
    return _Pair(
        show_reference(pair.a, refs, str(parse_label(pair.a, labels))),
        show_reference(pair.b, refs, str(parse_label(pair.b, labels))),
        similarity=f"{pair.similarity:.3f}",
        note="" if pair.kind == "similar" else pair.kind,
    )


def _list_not_identified(report: Report) -> Reasons:
    return list_reasons("Not identified", list(report.reasons.items()))
