"""An Evaluation as one self-contained HTML page: figures, the
curve, and failures as pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_label_factory.errors import ImageError
from data_label_factory.identify.evaluate.evaluation import CurvePoint, Evaluation, Figures
from data_label_factory.identify.evaluate.failures import KINDS, Failure
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.output.annotate import TRUE, Mark, draw_marks, mark
from data_label_factory.identify.pages import render
from data_label_factory.identify.pages.charts import Axis, Chart, Point
from data_label_factory.identify.pages.figures import (
    Figure,
    encode_as_url,
    list_reasons,
    show_reference,
)

_PHOTO_PX = 400
_FAILURES_MAX = 300  # each takes about 40 kB
_RATE_TICKS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)
_CORRECT_TICKS = (0, 0.25, 0.5, 0.75, 1)


@dataclass(frozen=True)
class _Shown:
    """One failure: the photo, the reference it shows, and the one
    it was named as, where these differ.
    """

    figures: Sequence[Figure]
    text: str


@dataclass(frozen=True)
class _Group:
    """The failures of one kind: `count` in all, of which some are `shown`."""

    kind: str
    meaning: str
    count: int
    shown: Sequence[_Shown]


def as_html(result: Evaluation, index: Index, refs: Path | None) -> str:
    """The page as text. With `refs`, references are shown as pictures."""
    figures = result.figures
    without_truth = [(name, "") for name in result.without_truth]

    return render(
        "evaluate.html",
        title=f"{figures.accepted_right:.1%} accepted right",
        tone=_choose_tone(figures),
        summary=_summarize(figures),
        references=len(index),
        maker=str(index.meta),
        facts=_list_facts(result),
        mistakes=_name_mistakes(result),
        curve=_draw_curve(result),
        failures=_group_failures(result.failures, refs),
        unreadable=list_reasons("Not readable", list(result.unreadable.items())),
        without_truth=list_reasons("Left out: nothing says what they show", without_truth),
    )


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


def _draw_curve(result: Evaluation) -> Chart:
    """The curve as steps through its points, with the present
    setting as a larger dot.

    The horizontal axis is a square root, to make room for the
    small rates that matter.
    """
    empty = result.figures.empty_frames
    rates = [(rate, f"{rate:.0%}" if empty else f"{rate:g}") for rate in _RATE_TICKS]
    fractions = [(fraction, f"{fraction:.0%}") for fraction in _CORRECT_TICKS]
    chart = Chart(
        "Accepted right against mistakes",
        Axis(_name_mistakes(result), 0, 1, rates, bend=math.sqrt),
        Axis("accepted right", 0, 1, fractions),
    )

    points = [_place_point(point, empty) for point in result.curve]
    chart.add_line(points, in_steps=True)
    for figures, point in zip(result.curve, points, strict=True):
        chart.add_dot(point, _describe_point(figures, empty))

    present = _place_point(result.figures, empty)
    chart.add_dot(present, "this run", kind="now")
    chart.add_note(present, "this run")
    return chart


def _place_point(figures: CurvePoint | Figures, empty_frames: int) -> Point:
    """The mistakes and the fraction accepted right."""
    if empty_frames:
        return figures.false_accepts / empty_frames, figures.accepted_right
    return figures.accepted_wrong_per_frame, figures.accepted_right


def _describe_point(figures: CurvePoint, empty_frames: int) -> str:
    return (
        f"at rate {figures.rate:.4g}: {figures.accepted_right:.1%} right, "
        f"{figures.false_accepts} of {empty_frames} false accepts, "
        f"{figures.accepted_wrong_per_frame:.3f} wrong per photo"
    )


def _group_failures(failures: list[Failure], refs: Path | None) -> list[_Group]:
    """One group per kind that occurs, worst first, with at most
    300 failures in all.
    """
    groups = []
    room = _FAILURES_MAX
    for kind, meaning in KINDS.items():
        of_kind = [failure for failure in failures if failure.kind == kind]
        if not of_kind:
            continue

        shown = [_show(failure, refs) for failure in of_kind[:room]]
        room -= len(shown)
        groups.append(_Group(kind, meaning, len(of_kind), shown))
    return groups


def _show(failure: Failure, refs: Path | None) -> _Shown:
    item = failure.item
    found = failure.detection

    figures = [Figure(_draw_photo(failure), "photo", failure.query.name)]
    if item:
        figures.append(show_reference(item.reference, refs, f"shows {item.label}"))
    if found and not (item and item.reference == found.reference):
        verb = "was guessed" if found.is_guess else "was named"
        figures.append(show_reference(found.reference, refs, f"{verb} {found.label}"))
    return _Shown(figures, str(failure))


def _draw_photo(failure: Failure) -> str | None:
    """The photo with the true quad and that of the detection, as
    a data: URL; None if the file is gone by now.
    """
    marks = []
    if failure.item and failure.item.quad is not None:
        marks.append(Mark(failure.item.quad, "", TRUE))
    if failure.detection and not failure.detection.is_guess:
        marks.append(mark(failure.detection))

    try:
        photo = decode(failure.query.path)
    except ImageError:
        return None
    return encode_as_url(draw_marks(photo, marks, longest_px=_PHOTO_PX))
