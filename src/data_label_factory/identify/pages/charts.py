"""Charts as coordinates, in px of one drawing area; the template
`chart.html` draws them as SVG.

A `kind` names how the stylesheet colors a thing: main, second,
before or now.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

Point = tuple[float, float]

_MOST_TICKS = 6
_BAR_GAP = 2


@dataclass(frozen=True)
class Axis:
    """The values from `low` to `high` along one side, with (value,
    text) `ticks`.

    `bend` maps 0…1 onto itself, to make room where it is needed.
    """

    title: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    bend: Callable[[float], float] = float

    def place(self, value: float) -> float:
        """Where a value lies between both ends, 0…1."""
        fraction = (value - self.low) / max(self.high - self.low, 1e-9)
        return self.bend(min(max(fraction, 0.0), 1.0))


@dataclass(frozen=True)
class Line:
    """`path` is the data of an SVG path."""

    path: str
    kind: str


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    title: str
    kind: str


@dataclass(frozen=True)
class Text:
    x: float
    y: float
    text: str


@dataclass
class Chart:
    """What is drawn between two axes. `description` says it in words;
    `legend` names the kinds of lines, if there are several.
    """

    description: str
    x_axis: Axis
    y_axis: Axis
    legend: dict[str, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)

    width: ClassVar[int] = 640
    height: ClassVar[int] = 300
    left: ClassVar[int] = 62
    right: ClassVar[int] = 618
    top: ClassVar[int] = 40
    bottom: ClassVar[int] = 236

    @property
    def x_ticks(self) -> list[Text]:
        return [Text(self._x(value), self.bottom, text) for value, text in self.x_axis.ticks]

    @property
    def y_ticks(self) -> list[Text]:
        return [Text(self.left, self._y(value), text) for value, text in self.y_axis.ticks]

    def add_line(
        self, points: Iterable[Point], kind: str = "main", *, in_steps: bool = False
    ) -> None:
        """A line through (x, y) values; `in_steps` goes from one to the
        next first across, then up or down.
        """
        places = [(self._x(x), self._y(y)) for x, y in points]
        if not places:
            return

        (first_x, first_y), *others = places
        segment = "H{}V{}" if in_steps else "L{} {}"
        path = "".join([f"M{first_x} {first_y}", *(segment.format(x, y) for x, y in others)])
        self.lines.append(Line(path, kind))

    def add_bar(self, low: float, high: float, value: float, title: str) -> None:
        """A bar from `low` to `high` on the x axis, as high as `value`."""
        left = self._x(low)
        top = self._y(value)
        width = round(self._x(high) - left - _BAR_GAP, 1)
        self.bars.append(Bar(left, top, width, round(self.bottom - top, 1), title))

    def add_dot(self, point: Point, title: str, kind: str = "main") -> None:
        self.dots.append(Dot(self._x(point[0]), self._y(point[1]), title, kind))

    def add_limit(self, x: float) -> None:
        """A dashed line from top to bottom."""
        self.limits.append(self._x(x))

    def add_note(self, point: Point, text: str) -> None:
        """A word to the right of a point, below it."""
        self.notes.append(Text(self._x(point[0]), self._y(point[1]), text))

    def _x(self, value: float) -> float:
        return round(self.left + self.x_axis.place(value) * (self.right - self.left), 1)

    def _y(self, value: float) -> float:
        return round(self.bottom - self.y_axis.place(value) * (self.bottom - self.top), 1)


def round_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """At most seven ticks from `low` to `high`, at multiples of 1,
    2 or 5 times a power of ten.
    """
    power = 10.0 ** math.floor(math.log10(max(high - low, 1e-9) / _MOST_TICKS))
    step = next(
        factor * power for factor in (1, 2, 5, 10) if (high - low) / (factor * power) <= _MOST_TICKS
    )

    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(number * step, f"{number * step:.6g}") for number in range(first, last + 1)]
