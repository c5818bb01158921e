"""What the HTML reports share: one style for light and dark, and pictures inside the page.

A page needs no script and makes no request.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from PIL import Image

from data_label_factory.errors import ImageError
from data_label_factory.identify.images import RGB, decode
from data_label_factory.labels import parse_label

_THUMB_PX = 220
_LISTED_MAX = 200
_JPEG_QUALITY = 82


def page(title: str, body: str) -> str:
    """A whole page; `title` is text, `body` HTML.

    Anything that UTF-8 cannot encode, such as some file names, is written as \\xNN.
    """
    text = _PAGE.substitute(title=escape(title), style=_STYLE, body=body)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def facts(values: Mapping[str, str]) -> str:
    """Names and values, side by side."""
    cells = [
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in values.items()
    ]
    return f"<dl>{''.join(cells)}</dl>"


def reasons(title: str, rows: Sequence[tuple[str, str]]) -> str:
    """The first 200 of the (file name, reason) rows under a heading; empty if there are
    none.
    """
    if not rows:
        return ""

    items = [
        f"<li><code>{escape(name)}</code> {escape(reason)}</li>"
        for name, reason in rows[:_LISTED_MAX]
    ]
    more = f"<p>and {len(rows) - _LISTED_MAX} more</p>" if len(rows) > _LISTED_MAX else ""
    return f"<h2>{escape(title)}</h2><ul>{''.join(items)}</ul>{more}"


def figure(picture: Image.Image | None, name: str, detail: str) -> str:
    """A picture, or a "no picture" placeholder, above its name and a smaller line."""
    shown = "<div class=none>no picture</div>"
    if picture is not None:
        shown = f'<img alt="" src="{_encode_as_url(picture)}">'
    caption = f"<figcaption>{escape(name)}<small>{escape(detail)}</small></figcaption>"
    return f"<figure>{shown}{caption}</figure>"


def reference_figure(reference: str, refs: Path | None, role: str = "") -> str:
    """A reference as a thumbnail, captioned with its `role` and label.

    Without a picture if `refs` is None or the file cannot be read.
    """
    picture = None
    if refs is not None:
        try:
            picture = _make_thumbnail(decode(refs / reference, min_side=_THUMB_PX))
        except ImageError:
            picture = None
    return figure(picture, f"{role} {parse_label(reference)}".lstrip(), reference)


def _make_thumbnail(pixels: RGB) -> Image.Image:
    picture = Image.fromarray(pixels)
    picture.thumbnail((_THUMB_PX, _THUMB_PX))
    return picture


def _encode_as_url(picture: Image.Image) -> str:
    """The picture as a JPEG in a data: URL."""
    jpeg = io.BytesIO()
    picture.convert("RGB").save(jpeg, "JPEG", quality=_JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.getvalue()).decode()}"


_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>$title</title>
<style>
$style</style></head><body>
$body
</body></html>
""")

_STYLE = """\
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6878; --card: #fff; --page: #f3f5f8;
  --line: #dde2ea; --bar: #4b7bec }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf2; --soft: #9aa5b5; --card: #1b2129; --page: #11151b; --line: #2c3541 }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1060px; padding: 2rem 1.25rem;
  background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { margin: .1em 0; font-size: 2.2rem }
h1::first-letter { text-transform: uppercase }
h2 { margin: 2.2rem 0 .7rem; font-size: 1.15rem }
.good { color: #1e9e5a } .fair { color: #c27d0e } .poor { color: #d64545 }
.soft, small { color: var(--soft) }
section, article { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1rem 1.2rem }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr));
  gap: 1rem 1.4rem; margin: 0 }
dt { color: var(--soft); font-size: .85rem }
dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums }
svg { width: 100%; height: auto; font-size: 11px; fill: var(--soft) }
svg rect { fill: var(--bar) }
svg line { stroke: var(--soft); stroke-dasharray: 3 4 }
svg path { stroke: var(--line) }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(310px, 1fr)); gap: 1rem }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem }
figure { margin: 0; min-width: 0 }
img { display: block; width: 100%; height: 210px; object-fit: contain }
figcaption { font-size: .9rem; overflow-wrap: anywhere }
small { display: block }
article p { margin: .6rem 0 0 }
.failures { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)) }
.failures img { height: 170px }
.row { display: grid; grid-template-columns: 2fr; grid-auto-flow: column;
  grid-auto-columns: minmax(0, 1fr); gap: .8rem }
.curve path { fill: none; stroke: var(--bar); stroke-width: 2 }
.curve path.grid { stroke: var(--line); stroke-width: 1 }
.curve circle { fill: var(--bar) }
.curve .now { fill: #1e9e5a; stroke: var(--card); stroke-width: 2 }
.none { height: 210px; display: grid; place-items: center; color: var(--soft) }
"""
