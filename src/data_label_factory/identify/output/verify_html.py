"""A verify Report as one self-contained page: no script, no request, pictures inside."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

import numpy as np

from data_label_factory.identify.index import Index
from data_label_factory.identify.output.html import facts, page, reasons, reference_figure
from data_label_factory.identify.verify.report import Report

_BARS = 40


def as_html(report: Report, index: Index, refs: Path | None) -> str:
    """The page as text. Pairs are shown as pictures when `refs` is given; a file that is gone is named instead."""
    values = report.as_json()
    values_shown = {
        "references": f"{report.refs}",
        "items": f"{report.items}",
        "self-identification": f"{report.self_id_rate:.2%}",
        "median margin": f"{values['median_margin']:.3f}",
        "middle half of margins": "{:.3f} … {:.3f}".format(*values["margin_quartiles"]),
        "similarity threshold": f"{report.thresholds['sim']:.3f}",
        "margin threshold": f"{report.thresholds['margin']:.3f}",
    }
    if s := report.simulated:
        values_shown |= {
            "simulated top-1": f"{s.top1:.1%}",
            "accepted right": f"{s.accepted_right:.1%}",
            "accepted wrong": f"{s.accepted_wrong:.1%}",
            "strangers accepted": f"{s.false_accept_rate:.1%}",
        }
    body = _BODY.substitute(
        verdict=escape(report.verdict),
        tone={"ship it": "good", "consider training": "fair"}.get(report.verdict, "poor"),
        action=escape(report.action),
        maker=escape(str(index.meta)),
        basis="the files, encoded again" if report.basis == "re-encoded" else "the stored rows",
        thresholds_from=escape(report.thresholds["basis"]),
        facts=facts(values_shown),
        histogram=_histogram(report.margins),
        pairs="".join(
            _pair(pair.a, pair.b, pair.similarity, pair.kind, refs)
            for pair in report.confusable_pairs
        )
        or "<p>There is only one item.</p>",
        failures=_failures(report),
    )
    return page(f"Index report: {report.verdict}", body)


def _histogram(margins: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> str:
    """Margins from 0 to 1 in 40 bars, with the verdict's borders at 0.1 and 0.3, as inline SVG."""
    counts, _ = np.histogram(np.clip(margins, 0, 1), bins=_BARS, range=(0, 1))
    heights = counts / max(counts.max(), 1) * 130
    bars = "".join(
        f'<rect x="{40 + i * 14}" y="{150 - h:.1f}" width="12" height="{h:.1f}" rx="2"><title>{n} references, '
        f"margin {i / _BARS:.3f} to {(i + 1) / _BARS:.3f}</title></rect>"
        for i, (h, n) in enumerate(zip(heights, counts, strict=True))
    )
    ticks = "".join(
        f'<text x="{40 + v * 560:.0f}" y="170">{v:.1f}</text>' for v in np.linspace(0, 1, 6)
    )
    borders = "".join(
        f'<line x1="{40 + v * 560:.0f}" x2="{40 + v * 560:.0f}" y1="12" y2="152"/>'
        for v in (0.1, 0.3)
    )
    peak = f'<text x="34" y="24" text-anchor="end">{counts.max()}</text>'
    return (
        f'<svg viewBox="0 0 620 180" role="img" aria-label="Histogram of margins">{bars}{borders}'
        f'<path d="M40 151H600"/>{ticks}{peak}</svg>'
    )


def _pair(a: str, b: str, similarity: float, kind: str, refs: Path | None) -> str:
    note = "" if kind == "similar" else f' <strong class="poor">{escape(kind)}</strong>'
    figures = reference_figure(a, refs) + reference_figure(b, refs)
    return f'<article><div class="two">{figures}</div><p>similarity <b>{similarity:.3f}</b>{note}</p></article>'


def _failures(report: Report) -> str:
    rows = [
        (name, "another item is as close")
        for name in report.not_identified
        if name not in report.unreadable
    ]
    rows += list(report.unreadable.items())
    return reasons("Not identified", rows)


_BODY = Template("""\
<p class="soft">Index report · $maker</p>
<h1 class="$tone">$verdict</h1><p>$action</p>
<section>$facts</section>
<p class="soft">Self-identification used $basis. Thresholds come from $thresholds_from.</p>
<h2>Margins: how much closer each reference is to itself than to the best other item</h2><section>$histogram</section>
<h2>Most confusable pairs</h2><div class="pairs">$pairs</div>
$failures""")
