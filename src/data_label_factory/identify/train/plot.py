"""A training as one picture: loss and held-out top-1 per epoch, and the held-out margins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_label_factory.atomic import atomic_write
from data_label_factory.identify.train.fit import TrainResult

_PANEL_WIDTH = 420
_PANEL_HEIGHT = 320
_LEFT, _TOP, _RIGHT, _BOTTOM = 52, 40, 24, 40
_INK = (40, 44, 52)
_GRID = (218, 222, 228)
_BEFORE = (150, 156, 166)
_AFTER = (20, 110, 200)
_BINS = 40

Color = tuple[int, int, int]
Point = tuple[float, float]


def plot_training(result: TrainResult, path: Path) -> None:
    """Write the picture as PNG. Raises FactoryError if the disk is full."""
    picture = Image.new("RGB", (3 * _PANEL_WIDTH, _PANEL_HEIGHT), "white")
    _plot_loss(picture, 0, result)
    _plot_top1(picture, _PANEL_WIDTH, result)
    _plot_margins(picture, 2 * _PANEL_WIDTH, result)

    with atomic_write(path) as file:
        picture.save(file, "PNG")


def _plot_loss(picture: Image.Image, left: int, result: TrainResult) -> None:
    epochs = [line["epoch"] for line in result.history]
    losses = [line["loss"] for line in result.history]

    top = max([*losses, 1e-6]) * 1.05
    panel = _Panel(picture, left, "loss", "epoch", (0, max(epochs)), (0, top))
    panel.line(list(zip(epochs, losses, strict=True)), _AFTER)


def _plot_top1(picture: Image.Image, left: int, result: TrainResult) -> None:
    points = [(0.0, result.before.figures.top1)]
    points += [(line["epoch"], line["top1"]) for line in result.history]

    x_range = (0, max(epoch for epoch, _ in points))
    y_range = (min(top1 for _, top1 in points) - 0.02, 1.0)
    below = "epoch (0: untrained)"
    panel = _Panel(picture, left, "held-out top-1", below, x_range, y_range)
    panel.line(points, _AFTER)
    panel.mark(points[result.best_epoch], _AFTER)


def _plot_margins(picture: Image.Image, left: int, result: TrainResult) -> None:
    before = result.before.margins
    after = result.after.margins

    both = np.concatenate([before, after])
    edges = np.linspace(min(float(both.min()), 0.0), max(float(both.max()), 0.01), _BINS + 1)
    histograms = [np.histogram(margins, edges)[0] / len(margins) for margins in (before, after)]
    tallest = max(float(fractions.max()) for fractions in histograms)

    title = "margins of held-out views: gray before, blue after"
    below = "cosine margin to the best other item"
    panel = _Panel(picture, left, title, below, (edges[0], edges[-1]), (0, tallest))
    for fractions, color in zip(histograms, (_BEFORE, _AFTER), strict=True):
        xs = np.repeat(edges, 2)[1:-1]
        ys = np.repeat(fractions, 2)
        panel.line([(float(x), float(y)) for x, y in zip(xs, ys, strict=True)], color)
    panel.line([(0.0, 0.0), (0.0, tallest)], _INK)


class _Panel:
    """Axes in one third of the picture, over the given ranges of x and y."""

    def __init__(
        self,
        picture: Image.Image,
        left: int,
        title: str,
        below: str,
        x_range: Sequence[float],
        y_range: Sequence[float],
    ) -> None:
        self._draw = ImageDraw.Draw(picture)
        self._x_range = x_range
        self._y_range = y_range
        self._box = (left + _LEFT, _TOP, left + _PANEL_WIDTH - _RIGHT, _PANEL_HEIGHT - _BOTTOM)

        self._write((left + _LEFT, 12), title, size=14, anchor="la")
        self._write((left + _PANEL_WIDTH / 2, _PANEL_HEIGHT - 12), below)
        for fraction in np.linspace(0, 1, 5):
            self._draw_grid_line(float(fraction))

    def line(self, points: Sequence[Point], color: Color) -> None:
        self._draw.line([self._to_pixels(point) for point in points], color, 2)

    def mark(self, point: Point, color: Color) -> None:
        self._draw.circle(self._to_pixels(point), 4, color)

    def _draw_grid_line(self, fraction: float) -> None:
        """A horizontal line at a fraction of the height, and the labels of both axes
        there.
        """
        left, right = self._x_range
        low, high = self._y_range
        x = left + fraction * (right - left)
        y = low + fraction * (high - low)

        self._draw.line([self._to_pixels((left, y)), self._to_pixels((right, y))], _GRID)
        at_x = self._to_pixels((x, 0))[0]
        at_y = self._to_pixels((0, y))[1]
        self._write((self._box[0] - 6, at_y), f"{y:.2f}", anchor="rm")
        self._write((at_x, self._box[3] + 10), f"{x:.2g}")

    def _write(self, at: Point, text: str, *, size: int = 11, anchor: str = "mm") -> None:
        self._draw.text(at, text, _INK, ImageFont.load_default(size), anchor=anchor)

    def _to_pixels(self, point: Point) -> Point:
        left, top, right, bottom = self._box
        x = _fraction_of(point[0], self._x_range)
        y = _fraction_of(point[1], self._y_range)
        return left + x * (right - left), bottom - y * (bottom - top)


def _fraction_of(value: float, bounds: Sequence[float]) -> float:
    low, high = bounds
    return (value - low) / max(high - low, 1e-9)
