"""Draw docs/images/architecture.svg, the picture of docs/architecture.md."""

from __future__ import annotations

from html import escape
from pathlib import Path

FILE = Path(__file__).with_name("images") / "architecture.svg"
WIDTH, HEIGHT = 960, 430
BOX_WIDTH, BOX_HEIGHT = 190, 74

# name: (left, top, title, what it does, whether it is a file on disk)
BOXES = {
    "gather": (20, 30, "gather", "pictures, named by label", False),
    "refs": (270, 30, "reference pictures", "one file per item", True),
    "encoders": (520, 30, "encoders", "picture → embedding", False),
    "train": (750, 30, "train", "a head, if it helps", False),
    "index": (520, 178, "index", "embeddings, labels: .npz", True),
    "verify": (750, 178, "verify", "margins, lookalikes", False),
    "recognize": (270, 178, "recognize, tracking", "frames → things, tracks", False),
    "frame": (20, 178, "frames", "photo, video, webcam", True),
    "server": (270, 326, "server", "HTTP, prices, live tracker", False),
    "output": (520, 326, "output, evaluate", "COCO, pages, figures", False),
}
ARROWS = [
    ("gather", "refs"),
    ("refs", "encoders"),
    ("train", "encoders"),
    ("encoders", "index"),
    ("refs", "recognize"),
    ("index", "recognize"),
    ("index", "verify"),
    ("frame", "recognize"),
    ("recognize", "server"),
    ("recognize", "output"),
]
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #16202c; text-anchor: middle }
  .title { font-weight: 600; font-size: 15px }
  .code { fill: #e8f1fb; stroke: #2f6db3 }
  .disk { fill: #fff6df; stroke: #b98a1c }
  path { fill: none; stroke: #44546a; stroke-width: 1.6; marker-end: url(#head) }
"""


def draw() -> str:
    """The picture as SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>How data flows: pictures to an index, frames to detections</title>",
        f"<style>{STYLE}</style>",
        '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0 8 4 0 8" style="marker-end:none"/></marker>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *(_draw_arrow(*pair) for pair in ARROWS),
        *(_draw_box(*box) for box in BOXES.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _draw_box(left: int, top: int, title: str, text: str, is_file: bool) -> str:
    middle = left + BOX_WIDTH / 2
    shape = (
        f'<rect class="{"disk" if is_file else "code"}" x="{left}" y="{top}" width="{BOX_WIDTH}" '
        f'height="{BOX_HEIGHT}" rx="8"/>'
    )
    return (
        f'{shape}<text class="title" x="{middle}" y="{top + 32}">{escape(title)}</text>'
        f'<text x="{middle}" y="{top + 54}">{escape(text)}</text>'
    )


def _draw_arrow(start: str, end: str) -> str:
    """From the nearest side of one box to the nearest side of the other."""
    (x1, y1), (x2, y2) = (_center(name) for name in (start, end))
    if y1 == y2:
        side = BOX_WIDTH / 2 * (1 if x2 > x1 else -1)
        return f'<path d="M{x1 + side} {y1} H{x2 - side - (4 if side > 0 else -4)}"/>'
    down = BOX_HEIGHT / 2
    return f'<path d="M{x1} {y1 + down} L{x2} {y2 - down - 4}"/>'


def _center(name: str) -> tuple[float, float]:
    left, top = BOXES[name][:2]
    return left + BOX_WIDTH / 2, top + BOX_HEIGHT / 2


if __name__ == "__main__":
    FILE.write_text(draw(), "utf-8")
