"""An Evaluation as one self-contained HTML page: figures, the curve, and failures as pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image

from data_label_factory.errors import ImageError
from data_label_factory.identify.evaluate.evaluation import CurvePoint, Evaluation, Figures
from data_label_factory.identify.evaluate.failures import KINDS, Failure
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.output.annotate import TRUE, Mark, draw_marks, mark
from data_label_factory.identify.output.html import facts, figure, page, reasons, reference_figure

_PHOTO_PX = 400
_FAILURES_MAX = 300  # each takes about 40 kB

# The plotting area of the curve, in px of its own drawing area.
_WIDTH = 520
_HEIGHT = 190
_LEFT = 50
_TOP = 22
_BOTTOM = _TOP + _HEIGHT
_RATE_TICKS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)
_CORRECT_TICKS = (0, 0.25, 0.5, 0.75, 1)

_Point = tuple[float, float]


def as_html(result: Evaluation, index: Index, refs: Path | None) -> str:
    """The page as text. With `refs`, references are shown as pictures."""
    figures = result.figures
    tone = _choose_tone(figures)
    without_truth = [(name, "") for name in result.without_truth]
    mistakes = _name_mistakes(result)

    parts = [
        f'<p class="soft">Evaluation · {len(index)} references · {escape(str(index.meta))}</p>',
        f'<h1 class="{tone}">{figures.accepted_right:.1%} accepted right</h1>',
        f"<p>{_summarize(figures)}</p><section>{facts(_list_facts(result))}</section>",
        f"<h2>Accepted right against {mistakes}, as the strictness is relaxed</h2>",
        f"<section>{_draw_curve(result)}</section>",
        *_render_failures(result.failures, refs),
        reasons("Not readable", list(result.unreadable.items())),
        reasons("Left out: nothing says what they show", without_truth),
    ]
    return page("Evaluation of an index", "\n".join(parts))


def _list_facts(result: Evaluation) -> dict[str, str]:
    figures = result.figures
    return {
        "items shown": f"{figures.items}",
        "photos with items": f"{figures.frames}",
        "top-1": f"{figures.top1:.1%}",
        "top-5": f"{figures.top5:.1%}",
        "accepted wrong per photo": f"{figures.accepted_wrong_per_frame:.3f}",
        "extra per photo": f"{figures.extra_per_frame:.3f}",
        "false accepts": f"{figures.false_accepts} of {figures.empty_frames}",
        "IoU ≥ 0.5": "no quads" if figures.iou50 is None else f"{figures.iou50:.1%}",
        "ms per photo, p50": f"{result.ms_p50:.0f}",
        "ms per photo, p95": f"{result.ms_p95:.0f}",
    }


def _choose_tone(figures: Figures) -> str:
    has_mistakes = figures.accepted_wrong_per_frame or figures.false_accepts
    if figures.accepted_right >= 0.9 and not has_mistakes:
        return "good"
    return "fair" if figures.accepted_right >= 0.6 else "poor"


def _summarize(figures: Figures) -> str:
    wrong = round(figures.accepted_wrong_per_frame * figures.frames)
    silence = "no photo without a known item was given, so silence was not tested"
    if figures.empty_frames:
        silence = (
            f"{figures.false_accepts} of {figures.empty_frames} photos without a known item got one"
        )
    return f"Confident answers: {wrong} wrong in {figures.frames} photos with items; {silence}."


def _name_mistakes(result: Evaluation) -> str:
    return "false accepts" if result.figures.empty_frames else "wrong answers per photo"


def _draw_curve(result: Evaluation) -> str:
    """The curve as steps through its points, with the present setting as a larger dot.

    The horizontal axis is a square root, to make room for the small rates that matter.
    """
    empty = result.figures.empty_frames
    points = [_place_point(point, empty) for point in result.curve]

    titles = (
        f'<text x="{_LEFT}" y="10">accepted right</text>'
        f'<text x="{_LEFT + _WIDTH / 2}" y="{_BOTTOM + 38}" text-anchor="middle">'
        f"{_name_mistakes(result)}</text>"
    )

    return (
        f'<svg class="curve" viewBox="0 0 620 {_BOTTOM + 48}" role="img" '
        'aria-label="Accepted right against mistakes">'
        f'{_draw_grid(empty)}<path d="{_draw_steps(points)}"/>'
        f"{_draw_dots(result.curve, points, empty)}"
        f"{_draw_present_setting(result.figures)}{titles}</svg>"
    )


def _place_point(figures: CurvePoint | Figures, empty_frames: int) -> _Point:
    """x and y of the figures in the drawing area."""
    if empty_frames:
        mistakes = figures.false_accepts / empty_frames
    else:
        mistakes = figures.accepted_wrong_per_frame
    x = _scale_rate(min(mistakes, 1.0))
    return x, _TOP + _HEIGHT * (1 - figures.accepted_right)


def _scale_rate(rate: float) -> float:
    return _LEFT + _WIDTH * math.sqrt(rate)


def _draw_steps(points: Sequence[_Point]) -> str:
    """The data of an SVG path: from point to point, first across, then up."""
    if not points:
        return ""
    (first_x, first_y), *others = points
    steps = [f"M{first_x:.1f} {first_y:.1f}"]
    steps += [f"H{x:.1f}V{y:.1f}" for x, y in others]
    return "".join(steps)


def _draw_dots(curve: Sequence[CurvePoint], points: Sequence[_Point], empty_frames: int) -> str:
    dots = []
    for figures, (x, y) in zip(curve, points, strict=True):
        title = (
            f"at rate {figures.rate:.4g}: {figures.accepted_right:.1%} right, "
            f"{figures.false_accepts} of {empty_frames} false accepts, "
            f"{figures.accepted_wrong_per_frame:.3f} wrong per photo"
        )
        dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{title}</title></circle>')
    return "".join(dots)


def _draw_present_setting(figures: Figures) -> str:
    x, y = _place_point(figures, figures.empty_frames)
    return (
        f'<circle class="now" cx="{x:.1f}" cy="{y:.1f}" r="6"/>'
        f'<text x="{x + 11:.1f}" y="{y + 14:.1f}">this run</text>'
    )


def _draw_grid(empty_frames: int) -> str:
    lines = []
    for rate in _RATE_TICKS:
        x = f"{_scale_rate(rate):.1f}"
        label = f"{rate:.0%}" if empty_frames else f"{rate:g}"
        lines.append(f'<path class="grid" d="M{x} {_TOP}V{_BOTTOM}"/>')
        lines.append(f'<text x="{x}" y="{_BOTTOM + 18}" text-anchor="middle">{label}</text>')

    for fraction in _CORRECT_TICKS:
        y = _BOTTOM - _HEIGHT * fraction
        lines.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_LEFT + _WIDTH}"/>')
        lines.append(
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{fraction:.0%}</text>'
        )
    return "".join(lines)


def _render_failures(failures: list[Failure], refs: Path | None) -> list[str]:
    """One section per kind, worst first, with at most 300 failures in all."""
    if not failures:
        return [
            "<h2>No failures</h2>"
            "<p>Every item was named confidently and correctly, and nothing else was named.</p>"
        ]

    sections = []
    room = _FAILURES_MAX
    for kind, meaning in KINDS.items():
        of_kind = [failure for failure in failures if failure.kind == kind]
        if not of_kind:
            continue

        shown = of_kind[:room]
        room -= len(shown)
        cards = "".join(_render_card(failure, refs) for failure in shown)
        hidden = len(of_kind) - len(shown)
        more = f"<p>{hidden} more are not shown.</p>" if hidden else ""
        sections.append(
            f'<h2>{kind.capitalize()}: {len(of_kind)}</h2><p class="soft">{meaning}</p>'
            f'<div class="failures">{cards}</div>{more}'
        )
    return sections


def _render_card(failure: Failure, refs: Path | None) -> str:
    """The photo, the reference it shows, and the one it was named as, where these differ."""
    shown = failure.item.reference if failure.item else None
    named = failure.detection.reference if failure.detection else None

    figures = [figure(_draw_photo(failure), "photo", failure.query.name)]
    if shown is not None:
        figures.append(reference_figure(shown, refs, "shows"))
    if named is not None and named != shown:
        figures.append(reference_figure(named, refs, "was named"))
    return (
        f'<article><div class="row">{"".join(figures)}</div><p>{escape(str(failure))}</p></article>'
    )


def _draw_photo(failure: Failure) -> Image.Image | None:
    """The photo with the true quad and that of the detection; None if the file is gone
    by now.
    """
    marks = []
    if failure.item and failure.item.quad is not None:
        marks.append(Mark(failure.item.quad, "", TRUE))
    if failure.detection:
        marks.append(mark(failure.detection))

    try:
        return draw_marks(decode(failure.query.path), marks, longest_px=_PHOTO_PX)
    except ImageError:
        return None
