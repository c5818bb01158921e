"""A training in four charts: loss, correct answers and margins by epoch, and all margins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from data_label_factory.identify.pages.charts import Axis, Chart, round_ticks

if TYPE_CHECKING:
    from data_label_factory.identify.train.fit import TrainResult

_KINDS = ("main", "second")  # how the lines are told apart
_BINS = 40
_ROOM = 0.02  # below the lowest point, so that it does not lie on the axis


def draw_charts(result: TrainResult) -> list[Chart]:
    """The charts of a page. Epoch 0 is the encoder alone, and the epoch
    that was kept is marked.
    """
    return [
        _draw_loss(result),
        _draw_correct(result),
        _draw_margins(result),
        _draw_histogram(result),
    ]


def _draw_loss(result: TrainResult) -> Chart:
    losses = [line["loss"] for line in result.history]
    top = max([*losses, 1e-6]) * 1.05
    axis = Axis("loss", 0, top, round_ticks(0, top))
    return _draw_epochs(result, axis, {"loss": losses}, "{:.3f}", first=1)


def _draw_correct(result: TrainResult) -> Chart:
    series = {
        "top-1": [result.before.figures.top1, *_follow(result, "top1")],
        "accepted right": [
            result.before.figures.accepted_right,
            *_follow(result, "accepted_right"),
        ],
    }
    low = min(map(min, series.values())) - _ROOM
    ticks = [(value, f"{100 * value:.4g}%") for value, _ in round_ticks(low, 1)]
    return _draw_epochs(result, Axis("held-out views", low, 1, ticks), series, "{:.1%}")


def _draw_margins(result: TrainResult) -> Chart:
    series = {
        "of the views": [result.before.figures.margin_views, *_follow(result, "margin_views")],
        "of the references": [
            result.before.figures.margin_references,
            *_follow(result, "margin_references"),
        ],
    }
    low = min(map(min, series.values())) - _ROOM
    high = max(map(max, series.values())) + _ROOM
    axis = Axis("median margin", low, high, round_ticks(low, high))
    return _draw_epochs(result, axis, series, "{:.3f}")


def _draw_histogram(result: TrainResult) -> Chart:
    """The margins of all held-out views, before and after, as two outlines."""
    both = {"before": result.before.margins, "main": result.after.margins}
    every = np.concatenate([*both.values(), [0.0, 0.01]])
    edges = np.linspace(every.min(), every.max(), _BINS + 1)
    fractions = {kind: np.histogram(some, edges)[0] / len(some) for kind, some in both.items()}

    low, high = float(edges[0]), float(edges[-1])
    top = max(float(heights.max()) for heights in fractions.values()) * 1.05
    chart = Chart(
        "Margins of the held-out views, before and after",
        Axis("margin to the best other item", low, high, round_ticks(low, high)),
        Axis(
            "held-out views", 0, top, [(value, f"{value:.0%}") for value, _ in round_ticks(0, top)]
        ),
        legend={"before": "before", "main": "after"},
    )

    for kind, heights in fractions.items():
        xs = [float(x) for x in np.repeat(edges, 2)]
        ys = [0.0, *(float(y) for y in np.repeat(heights, 2)), 0.0]
        chart.add_line(zip(xs, ys, strict=True), kind)
    chart.add_limit(0.0)
    return chart


def _follow(result: TrainResult, figure: str) -> list[float]:
    return [line[figure] for line in result.history]


def _draw_epochs(
    result: TrainResult,
    axis: Axis,
    series: Mapping[str, Sequence[float]],
    form: str,
    *,
    first: int = 0,
) -> Chart:
    """A line for each of the series, which begin in epoch `first`; `form` spells a value."""
    last = len(result.history)
    epochs = [(epoch, text) for epoch, text in round_ticks(first, last) if epoch == round(epoch)]
    chart = Chart(
        f"{axis.title}, epoch by epoch",
        Axis("epoch (0: the encoder alone)" if first == 0 else "epoch", first, last, epochs),
        axis,
        legend=dict(zip(_KINDS, series, strict=False)) if len(series) > 1 else {},
    )

    for kind, (name, values) in zip(_KINDS, series.items(), strict=False):
        points = list(enumerate(values, first))
        chart.add_line(points, kind)
        for epoch, value in points:
            is_kept = epoch == result.best_epoch
            title = f"epoch {epoch}{' (kept)' if is_kept else ''}: {name} {form.format(value)}"
            chart.add_dot((epoch, value), title, "now" if is_kept else kind)
    return chart
