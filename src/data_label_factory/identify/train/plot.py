"""A training as one picture: loss and held-out top-1 by epoch, and the held-out margins before and after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_label_factory.atomic import atomic_write
from data_label_factory.identify.train.fit import TrainResult

_PANEL_PX = (420, 320)
_LEFT, _TOP, _RIGHT, _BOTTOM = 52, 40, 24, 40
_INK, _FAINT, _BEFORE, _AFTER = (40, 44, 52), (218, 222, 228), (150, 156, 166), (20, 110, 200)
_BINS = 40

Point = tuple[float, float]


def plot_training(result: TrainResult, path: Path) -> None:
    """Write the picture as PNG. Raises FactoryError when the disk is full."""
    width, height = _PANEL_PX
    picture = Image.new("RGB", (3 * width, height), "white")
    epochs = [line["epoch"] for line in result.history]
    losses = [line["loss"] for line in result.history]
    loss = _Panel(picture, 0, "loss", "epoch", (0, max(epochs)), (0, max([*losses, 1e-6]) * 1.05))
    loss.line(list(zip(epochs, losses, strict=True)), _AFTER)

    top1 = [
        (0.0, result.before.figures.top1),
        *((line["epoch"], line["top1"]) for line in result.history),
    ]
    lowest = min(share for _, share in top1)
    shares = _Panel(
        picture,
        width,
        "held-out top-1",
        "epoch (0: untrained)",
        (0, max(epochs)),
        (lowest - 0.02, 1.0),
    )
    shares.line(top1, _AFTER)
    shares.mark(top1[result.best_epoch], _AFTER)
    _margins(picture, 2 * width, result)
    with atomic_write(path) as file:
        picture.save(file, "PNG")


def _margins(picture: Image.Image, left: int, result: TrainResult) -> None:
    margins = {"before": result.before.margins, "after": result.after.margins}
    both = np.concatenate(list(margins.values()))
    edges = np.linspace(min(float(both.min()), 0.0), max(float(both.max()), 0.01), _BINS + 1)
    counts = {
        name: np.histogram(values, edges)[0] / len(values) for name, values in margins.items()
    }
    tallest = max(float(share.max()) for share in counts.values())
    title = "margins of held-out views: grey before, blue after"
    panel = _Panel(
        picture,
        left,
        title,
        "cosine lead over the best other item",
        (edges[0], edges[-1]),
        (0, tallest),
    )
    for (_, shares), color in zip(counts.items(), (_BEFORE, _AFTER), strict=True):
        steps = np.stack([np.repeat(edges, 2)[1:-1], np.repeat(shares, 2)], axis=1)
        panel.line([(float(x), float(y)) for x, y in steps], color)
    panel.line([(0.0, 0.0), (0.0, tallest)], _INK)


class _Panel:
    """Axes in one third of the picture, with the ranges `across` and `up`."""

    def __init__(
        self,
        picture: Image.Image,
        left: int,
        title: str,
        below: str,
        across: Sequence[float],
        up: Sequence[float],
    ) -> None:
        self._draw, self._across, self._up = ImageDraw.Draw(picture), across, up
        width, height = _PANEL_PX
        self._box = (left + _LEFT, _TOP, left + width - _RIGHT, height - _BOTTOM)
        font, small = ImageFont.load_default(14), ImageFont.load_default(11)
        self._draw.text((left + _LEFT, 12), title, _INK, font)
        self._draw.text((left + width / 2, height - 12), below, _INK, small, anchor="mm")
        for part in np.linspace(0, 1, 5):
            x, y = (low + float(part) * (high - low) for low, high in (across, up))
            self._draw.line([self._at((across[0], y)), self._at((across[1], y))], _FAINT)
            self._draw.text(
                (self._box[0] - 6, self._at((0, y))[1]), f"{y:.2f}", _INK, small, anchor="rm"
            )
            self._draw.text(
                (self._at((x, 0))[0], self._box[3] + 10), f"{x:.2g}", _INK, small, anchor="mm"
            )

    def line(self, points: Sequence[Point], color: tuple[int, int, int]) -> None:
        self._draw.line([self._at(point) for point in points], color, 2)

    def mark(self, point: Point, color: tuple[int, int, int]) -> None:
        self._draw.circle(self._at(point), 4, color)

    def _at(self, point: Point) -> Point:
        left, top, right, bottom = self._box
        across, up = (
            (value - low) / max(high - low, 1e-9)
            for value, (low, high) in zip(point, (self._across, self._up), strict=True)
        )
        return left + across * (right - left), bottom - up * (bottom - top)
