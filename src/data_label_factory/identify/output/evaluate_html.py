"""An Evaluation as one self-contained page: figures, the curve, and every miss beside its reference."""

from __future__ import annotations

from html import escape
from pathlib import Path

from PIL import Image

from data_label_factory.errors import ImageError
from data_label_factory.identify.evaluate.evaluation import Evaluation
from data_label_factory.identify.evaluate.failures import KINDS, Failure
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.output.annotate import TRUE, Mark, draw_marks, mark
from data_label_factory.identify.output.html import facts, figure, page, reasons, reference_figure

_PHOTO_PX = 400
_FAILURES_MAX = 300  # each costs some 40 kB
_TICKS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)
_WIDTH, _HEIGHT, _LEFT, _TOP = 520, 190, 50, 22  # of the plotting area, px


def as_html(result: Evaluation, index: Index, refs: Path | None) -> str:
    """The page as text. References are shown as pictures when `refs` is given."""
    figures = result.figures
    values = {
        "items shown": f"{figures.items}",
        "photos with items": f"{figures.frames}",
        "top-1": f"{figures.top1:.1%}",
        "top-5": f"{figures.top5:.1%}",
        "accepted wrong a photo": f"{figures.accepted_wrong_per_frame:.3f}",
        "extra a photo": f"{figures.extra_per_frame:.3f}",
        "false accepts": f"{figures.false_accepts} of {figures.empty_frames}",
        "IoU ≥ 0.5": "no outlines" if figures.iou50 is None else f"{figures.iou50:.1%}",
        "ms a photo, p50": f"{result.ms_p50:.0f}",
        "ms a photo, p95": f"{result.ms_p95:.0f}",
    }
    clean = not (figures.accepted_wrong_per_frame or figures.false_accepts)
    tone = (
        "good"
        if figures.accepted_right >= 0.9 and clean
        else "fair"
        if figures.accepted_right >= 0.6
        else "poor"
    )
    parts = [
        f'<p class="soft">Evaluation · {len(index)} references · {escape(str(index.meta))}</p>',
        f'<h1 class="{tone}">{figures.accepted_right:.1%} accepted right</h1>',
        f"<p>{_summary(result)}</p><section>{facts(values)}</section>",
        f"<h2>Accepted right against {_mistakes(result)}, as the strictness is relaxed</h2>",
        f"<section>{_curve(result)}</section>",
        *_failures(result.failures, refs),
        reasons("Not readable", list(result.unreadable.items())),
        reasons(
            "Left out: nothing says what they show", [(name, "") for name in result.without_truth]
        ),
    ]
    return page("Evaluation of an index", "\n".join(parts))


def _summary(result: Evaluation) -> str:
    figures = result.figures
    wrong = round(figures.accepted_wrong_per_frame * figures.frames)
    silence = (
        f"{figures.false_accepts} of {figures.empty_frames} photos without a known item got one"
        if figures.empty_frames
        else "no photo without a known item was given, so silence was not tested"
    )
    return f"Sure answers: {wrong} of them wrong in {figures.frames} photos with items; {silence}."


def _mistakes(result: Evaluation) -> str:
    return "false accepts" if result.figures.empty_frames else "wrong answers a photo"


def _curve(result: Evaluation) -> str:
    """Steps through the curve's points, with the present setting as a dot. The horizontal axis is a square root, so
    that the small rates that matter have room."""
    figures, empty = result.figures, result.figures.empty_frames

    def at(right: float, wrong_a_frame: float, false_accepts: int) -> tuple[float, float]:
        mistakes = min(false_accepts / empty if empty else wrong_a_frame, 1.0)
        return _LEFT + _WIDTH * mistakes**0.5, _TOP + _HEIGHT * (1 - right)

    points = [
        at(p.accepted_right, p.accepted_wrong_per_frame, p.false_accepts) for p in result.curve
    ]
    steps = "".join(
        f"{'HV'[0] if i else 'M'}{x:.1f}{f'V{y:.1f}' if i else f' {y:.1f}'}"
        for i, (x, y) in enumerate(points)
    )
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>at rate {p.rate:.4g}: {p.accepted_right:.1%} right, '
        f"{p.false_accepts} of {empty} false accepts, {p.accepted_wrong_per_frame:.3f} wrong a photo</title></circle>"
        for p, (x, y) in zip(result.curve, points, strict=True)
    )
    x, y = at(figures.accepted_right, figures.accepted_wrong_per_frame, figures.false_accepts)
    now = f'<circle class="now" cx="{x:.1f}" cy="{y:.1f}" r="6"/><text x="{x + 11:.1f}" y="{y + 14:.1f}">this run</text>'
    bottom = _TOP + _HEIGHT
    across = [(_LEFT + _WIDTH * v**0.5, _tick(v, empty)) for v in _TICKS]
    up = [(bottom - _HEIGHT * v, f"{v:.0%}") for v in (0, 0.25, 0.5, 0.75, 1)]
    grid = "".join(
        f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>'
        f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{text}</text>'
        for x, text in across
    ) + "".join(
        f'<path class="grid" d="M{_LEFT} {y:.1f}H{_LEFT + _WIDTH}"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
        for y, text in up
    )
    title = f'<text x="{_LEFT}" y="10">accepted right</text>'
    title += f'<text x="{_LEFT + _WIDTH / 2}" y="{bottom + 38}" text-anchor="middle">{_mistakes(result)}</text>'
    return (
        f'<svg class="curve" viewBox="0 0 620 {bottom + 48}" role="img" aria-label="Accepted right against mistakes">'
        f'{grid}<path d="{steps}"/>{dots}{now}{title}</svg>'
    )


def _tick(value: float, empty: int) -> str:
    return f"{value:.0%}" if empty else f"{value:g}"


def _failures(failures: list[Failure], refs: Path | None) -> list[str]:
    if not failures:
        return ["<h2>No miss</h2><p>Every item got its name, surely, and nothing else did.</p>"]
    parts = []
    room = _FAILURES_MAX
    for kind, meaning in KINDS.items():
        of_kind = [failure for failure in failures if failure.kind == kind]
        if not of_kind:
            continue
        shown = of_kind[:room]
        room -= len(shown)
        more = (
            f"<p>{len(of_kind) - len(shown)} more are not shown.</p>"
            if len(shown) < len(of_kind)
            else ""
        )
        cards = "".join(_card(failure, refs) for failure in shown)
        parts.append(
            f'<h2>{kind.capitalize()}: {len(of_kind)}</h2><p class="soft">{meaning}</p>'
            f'<div class="misses">{cards}</div>{more}'
        )
    return parts


def _card(failure: Failure, refs: Path | None) -> str:
    figures = [figure(_photo(failure), "photo", failure.query.name)]
    if failure.item:
        figures.append(reference_figure(failure.item.reference, refs, "shows"))
    if failure.detection and not (
        failure.item and failure.detection.reference == failure.item.reference
    ):
        figures.append(reference_figure(failure.detection.reference, refs, "was named"))
    return (
        f'<article><div class="row">{"".join(figures)}</div><p>{escape(str(failure))}</p></article>'
    )


def _photo(failure: Failure) -> Image.Image | None:
    """The photo with the true outline and with that of what was seen."""
    marks = []
    if failure.item and failure.item.quad is not None:
        marks.append(Mark(failure.item.quad, "", TRUE))
    if failure.detection:
        marks.append(mark(failure.detection))
    try:
        return draw_marks(decode(failure.query.path), marks, longest_px=_PHOTO_PX)
    except ImageError:
        return None  # it was there a moment ago
