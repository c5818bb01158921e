"""A verify Report as one self-contained HTML page, with the confusable pairs as pictures."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

import numpy as np

from data_label_factory.identify.index import Index
from data_label_factory.identify.output.html import facts, page, reasons, reference_figure
from data_label_factory.identify.verify.margins import Floats
from data_label_factory.identify.verify.pairs import ConfusablePair
from data_label_factory.identify.verify.report import VERDICTS, Report

_TONES = {"ship it": "good", "consider training": "fair"}

# The histogram, in px of its own drawing area.
_BARS = 40
_BAR_STEP = 14
_LEFT = 40
_WIDTH = _BARS * _BAR_STEP
_BASELINE = 150
_HEIGHT = 130


def as_html(report: Report, index: Index, refs: Path | None) -> str:
    """The page as text.

    With `refs`, pairs are shown as pictures where the files still exist.
    """
    pairs = [_render_pair(pair, refs) for pair in report.confusable_pairs]
    is_reencoded = report.basis == "re-encoded"

    body = _BODY.substitute(
        verdict=escape(report.verdict),
        tone=_TONES.get(report.verdict, "poor"),
        action=escape(report.action),
        maker=escape(str(index.meta)),
        basis="the files, encoded again" if is_reencoded else "the stored rows",
        thresholds_from=escape(report.thresholds["basis"]),
        facts=facts(_list_facts(report)),
        histogram=_draw_histogram(report.margins),
        pairs="".join(pairs) or "<p>There is only one item.</p>",
        failures=_list_not_identified(report),
    )
    return page(f"Index report: {report.verdict}", body)


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

    if simulation := report.simulated:
        shown |= {
            "simulated top-1": f"{simulation.top1:.1%}",
            "accepted right": f"{simulation.accepted_right:.1%}",
            "accepted wrong": f"{simulation.accepted_wrong:.1%}",
            "unknown items accepted": f"{simulation.false_accept_rate:.1%}",
        }
    return shown


def _draw_histogram(margins: Floats) -> str:
    """Margins from 0 to 1 in 40 bars, with the limits between the verdicts, as inline SVG."""
    counts, _ = np.histogram(np.clip(margins, 0, 1), bins=_BARS, range=(0, 1))
    heights = counts / max(counts.max(), 1) * _HEIGHT

    bars = []
    for i, (height, count) in enumerate(zip(heights, counts, strict=True)):
        title = f"{count} references, margin {i / _BARS:.3f} to {(i + 1) / _BARS:.3f}"
        bars.append(
            f'<rect x="{_LEFT + i * _BAR_STEP}" y="{_BASELINE - height:.1f}" '
            f'width="12" height="{height:.1f}" rx="2"><title>{title}</title></rect>'
        )

    ticks = []
    for margin in np.linspace(0, 1, 6):
        x = f"{_LEFT + margin * _WIDTH:.0f}"
        ticks.append(f'<text x="{x}" y="170" text-anchor="middle">{margin:.1f}</text>')

    limits = []
    for margin, _, _ in VERDICTS:
        if np.isfinite(margin):
            x = f"{_LEFT + margin * _WIDTH:.0f}"
            limits.append(f'<line x1="{x}" x2="{x}" y1="12" y2="152"/>')

    axis = f'<path d="M{_LEFT} 151H{_LEFT + _WIDTH}"/>'
    peak = f'<text x="34" y="24" text-anchor="end">{counts.max()}</text>'
    return (
        '<svg viewBox="0 0 620 180" role="img" aria-label="Histogram of margins">'
        f"{''.join(bars)}{''.join(limits)}{axis}{''.join(ticks)}{peak}</svg>"
    )


def _render_pair(pair: ConfusablePair, refs: Path | None) -> str:
    note = "" if pair.kind == "similar" else f' <strong class="poor">{escape(pair.kind)}</strong>'
    figures = reference_figure(pair.a, refs) + reference_figure(pair.b, refs)
    return (
        f'<article><div class="two">{figures}</div>'
        f"<p>similarity <b>{pair.similarity:.3f}</b>{note}</p></article>"
    )


def _list_not_identified(report: Report) -> str:
    return reasons("Not identified", list(report.reasons.items()))


_BODY = Template("""\
<p class="soft">Index report · $maker</p>
<h1 class="$tone">$verdict</h1><p>$action</p>
<section>$facts</section>
<p class="soft">Self-identification used $basis. Thresholds come from $thresholds_from.</p>
<h2>Margins: how much closer each reference is to itself than to the best other item</h2>
<section>$histogram</section>
<h2>Most confusable pairs</h2><div class="pairs">$pairs</div>
$failures""")
