"""A verify Report as one self-contained page: no script, no request, pictures inside."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

from data_label_factory.errors import ImageError
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.verify import Report
from data_label_factory.labels import parse_label

_THUMB_PX = 220
_BARS = 40


def as_html(report: Report, index: Index, refs: Path | None) -> str:
    """The page as text. Pairs are shown as pictures when `refs` is given; a file that is gone is named instead."""
    values = report.as_json()
    facts = {
        "references": f"{report.refs}",
        "items": f"{report.items}",
        "self-identification": f"{report.self_id_rate:.2%}",
        "median margin": f"{values['median_margin']:.3f}",
        "middle half of margins": "{:.3f} … {:.3f}".format(*values["margin_quartiles"]),
        "similarity threshold": f"{report.thresholds['sim']:.3f}",
        "margin threshold": f"{report.thresholds['margin']:.3f}",
    }
    if s := report.simulated:
        facts |= {
            "simulated top-1": f"{s.top1:.1%}",
            "accepted right": f"{s.accepted_right:.1%}",
            "accepted wrong": f"{s.accepted_wrong:.1%}",
            "strangers accepted": f"{s.false_accept_rate:.1%}",
        }
    return _PAGE.substitute(
        verdict=escape(report.verdict),
        tone={"ship it": "good", "consider training": "fair"}.get(report.verdict, "poor"),
        action=escape(report.action),
        maker=escape(str(index.meta)),
        basis="the files, encoded again" if report.basis == "re-encoded" else "the stored rows",
        thresholds_from=escape(report.thresholds["basis"]),
        facts="".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts.items()),
        histogram=_histogram(report.margins),
        pairs="".join(_pair(pair.a, pair.b, pair.similarity, pair.kind, refs) for pair in report.confusable_pairs)
        or "<p>There is only one item.</p>",
        failures=_failures(report),
    )


def _histogram(margins: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> str:
    """Margins from 0 to 1 in 40 bars, with the verdict's borders at 0.1 and 0.3, as inline SVG."""
    counts, _ = np.histogram(np.clip(margins, 0, 1), bins=_BARS, range=(0, 1))
    heights = counts / max(counts.max(), 1) * 130
    bars = "".join(
        f'<rect x="{40 + i * 14}" y="{150 - h:.1f}" width="12" height="{h:.1f}" rx="2"><title>{n} references, '
        f"margin {i / _BARS:.3f} to {(i + 1) / _BARS:.3f}</title></rect>"
        for i, (h, n) in enumerate(zip(heights, counts, strict=True))
    )
    ticks = "".join(f'<text x="{40 + v * 560:.0f}" y="170">{v:.1f}</text>' for v in np.linspace(0, 1, 6))
    borders = "".join(f'<line x1="{40 + v * 560:.0f}" x2="{40 + v * 560:.0f}" y1="12" y2="152"/>' for v in (0.1, 0.3))
    peak = f'<text x="34" y="24" text-anchor="end">{counts.max()}</text>'
    return (
        f'<svg viewBox="0 0 620 180" role="img" aria-label="Histogram of margins">{bars}{borders}'
        f'<path d="M40 151H600"/>{ticks}{peak}</svg>'
    )


def _pair(a: str, b: str, similarity: float, kind: str, refs: Path | None) -> str:
    note = "" if kind == "similar" else f' <strong class="poor">{escape(kind)}</strong>'
    figures = _figure(a, refs) + _figure(b, refs)
    return f'<article><div class="two">{figures}</div><p>similarity <b>{similarity:.3f}</b>{note}</p></article>'


def _figure(filename: str, refs: Path | None) -> str:
    picture = "<div class=none>no picture</div>"
    if refs is not None:
        try:
            thumb = Image.fromarray(decode(refs / filename, min_side=_THUMB_PX))
            thumb.thumbnail((_THUMB_PX, _THUMB_PX))
            packed = io.BytesIO()
            thumb.save(packed, "JPEG", quality=82)
            source = base64.b64encode(packed.getvalue()).decode()
            picture = f'<img alt="" src="data:image/jpeg;base64,{source}">'
        except ImageError:
            pass
    name, file = escape(str(parse_label(filename))), escape(filename)
    return f"<figure>{picture}<figcaption>{name}<small>{file}</small></figcaption></figure>"


def _failures(report: Report) -> str:
    rows = [(name, "another item is as close") for name in report.not_identified if name not in report.unreadable]
    rows += list(report.unreadable.items())
    if not rows:
        return ""
    listed = "".join(f"<li><code>{escape(name)}</code> {escape(reason)}</li>" for name, reason in rows[:200])
    return f"<h2>Not identified</h2><ul>{listed}</ul>"


_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Index report: $verdict</title>
<style>
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6878; --card: #fff; --page: #f3f5f8;
  --line: #dde2ea; --bar: #4b7bec }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf2; --soft: #9aa5b5; --card: #1b2129; --page: #11151b; --line: #2c3541 }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1060px; padding: 2rem 1.25rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { margin: .1em 0; font-size: 2.2rem }
h1::first-letter { text-transform: uppercase }
h2 { margin: 2.2rem 0 .7rem; font-size: 1.15rem }
.good { color: #1e9e5a } .fair { color: #c27d0e } .poor { color: #d64545 }
.soft, small { color: var(--soft) }
section, article { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.2rem }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 1rem 1.4rem; margin: 0 }
dt { color: var(--soft); font-size: .85rem }
dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums }
svg { width: 100%; height: auto; font-size: 11px; fill: var(--soft) }
svg rect { fill: var(--bar) }
svg line { stroke: var(--soft); stroke-dasharray: 3 4 }
svg path { stroke: var(--line) }
svg text[y="170"] { text-anchor: middle }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(310px, 1fr)); gap: 1rem }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem }
figure { margin: 0; min-width: 0 }
img { display: block; width: 100%; height: 210px; object-fit: contain }
figcaption { font-size: .9rem; overflow-wrap: anywhere }
small { display: block }
article p { margin: .6rem 0 0 }
.none { height: 210px; display: grid; place-items: center; color: var(--soft) }
</style></head><body>
<p class="soft">Index report · $maker</p>
<h1 class="$tone">$verdict</h1><p>$action</p>
<section><dl>$facts</dl></section>
<p class="soft">Self-identification used $basis. Thresholds come from $thresholds_from.</p>
<h2>Margins: how much closer each reference is to itself than to the best other item</h2><section>$histogram</section>
<h2>Most confusable pairs</h2><div class="pairs">$pairs</div>
$failures
</body></html>
""")
