"""Labeled photos → figures: how often the recognizer is right, wrong or silent, and how fast."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from statistics import median
from typing import Any

from data_label_factory.errors import GroundTruthError, ImageError
from data_label_factory.identify.evaluate.failures import Failure, find_failures
from data_label_factory.identify.evaluate.ground_truth import Queries, Query
from data_label_factory.identify.evaluate.matching import PhotoMatch, match_photo
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.recognize import Detection
from data_label_factory.progress import Progress

_CURVE_POINTS_MAX = 60


@dataclass(frozen=True)
class Outcome:
    """One photo: its detections, how they match the ground truth,
    and the milliseconds taken.
    """

    query: Query
    detections: list[Detection]
    match: PhotoMatch
    ms: float


@dataclass(frozen=True)
class Figures:
    """The figures of an evaluation; fractions of `items` unless stated
    otherwise.

    `accepted_wrong_per_frame` and `extra_per_frame` are per photo
    that shows an item. `false_accepts` counts those of the
    `empty_frames`, the photos without an item, that got a confident
    answer. `iou50` is None if the ground truth has no quads.
    """

    items: int
    frames: int
    top1: float
    top5: float
    accepted_right: float
    accepted_wrong_per_frame: float
    extra_per_frame: float
    false_accepts: int
    empty_frames: int
    iou50: float | None


@dataclass(frozen=True)
class CurvePoint:
    """The figures if every detection were accepted whose false-accept
    rate is at most `rate`. Guesses never are.
    """

    rate: float
    accepted_right: float
    accepted_wrong_per_frame: float
    false_accepts: int


@dataclass(frozen=True)
class Evaluation:
    """The result of evaluating a recognizer.

    `unreadable` maps photos to the reason why they could not be
    read. Neither these photos nor those in `without_truth` count in
    any figure.
    """

    outcomes: list[Outcome]
    unreadable: dict[str, str] = field(default_factory=dict)
    without_truth: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # rows of the ground truth, and why

    @cached_property
    def figures(self) -> Figures:
        """The figures of the detections that were confident."""
        return _compute_figures([outcome.match for outcome in self.outcomes])

    @cached_property
    def curve(self) -> list[CurvePoint]:
        """The figures at up to 60 of the rates at which an answer
        changes, strictest first.
        """
        rates = sorted(
            {
                detection.false_accept_rate
                for outcome in self.outcomes
                for detection in outcome.detections
                if not detection.is_guess
            }
        )
        last = len(rates) - 1
        points = min(len(rates), _CURVE_POINTS_MAX)
        chosen = [rates[round(i * last / max(points - 1, 1))] for i in range(points)]
        return [self._compute_point(rate) for rate in chosen]

    @cached_property
    def failures(self) -> list[Failure]:
        """Everything that went wrong, photo by photo."""
        return [
            failure
            for outcome in self.outcomes
            for failure in find_failures(outcome.query, outcome.match)
        ]

    @property
    def ms_p50(self) -> float:
        """The median time per photo, ms."""
        return median(outcome.ms for outcome in self.outcomes)

    @property
    def ms_p95(self) -> float:
        """The time per photo, ms, that 95 % of them stay within."""
        times = sorted(outcome.ms for outcome in self.outcomes)
        return times[max(int(len(times) * 0.95) - 1, 0)]

    def as_json(self) -> dict[str, Any]:
        """The evaluation as JSON values. `misses` is `failures` under its earlier name."""
        figures = {
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in asdict(self.figures).items()
        }
        curve = [
            {key: round(value, 6) for key, value in asdict(point).items()} for point in self.curve
        ]
        failures = [failure.as_json() for failure in self.failures]

        return figures | {
            "ms_p50": round(self.ms_p50, 1),
            "ms_p95": round(self.ms_p95, 1),
            "curve": curve,
            "failures": failures,
            "misses": failures,
            "unreadable": self.unreadable,
            "without_truth": self.without_truth,
            "left_out": self.left_out,
        }

    def _compute_point(self, rate: float) -> CurvePoint:
        matches = []
        for outcome in self.outcomes:
            accepted = [d.false_accept_rate <= rate and not d.is_guess for d in outcome.detections]
            matches.append(match_photo(outcome.query, outcome.detections, accepted))

        figures = _compute_figures(matches)
        return CurvePoint(
            rate,
            figures.accepted_right,
            figures.accepted_wrong_per_frame,
            figures.false_accepts,
        )


def evaluate(
    recognize: Callable[[RGB], list[Detection]],
    queries: Queries,
    *,
    quiet: bool = False,
) -> Evaluation:
    """Run `recognize`, such as `Recognizer.recognize`, on every
    photo and score its answers. What it guesses counts in top-1 and
    top-5 alone.

    Photos are processed one after the other; the time of each
    includes its decoding. Raises GroundTruthError if none of the
    photos that show an item can be read.
    """
    outcomes: list[Outcome] = []
    unreadable: dict[str, str] = {}

    with Progress("evaluated", len(queries.photos), enabled=not quiet) as progress:
        for query in queries.photos:
            try:
                outcomes.append(_evaluate_photo(recognize, query))
            except ImageError as exc:
                unreadable[query.name] = str(exc)
            progress.step()

    if not any(outcome.query.items for outcome in outcomes):
        name, reason = next(iter(unreadable.items()), ("", ""))
        raise GroundTruthError(
            f"None of the photos with ground truth can be read: {name}: {reason}"
        )
    return Evaluation(outcomes, unreadable, queries.without_truth, queries.left_out)


def _evaluate_photo(recognize: Callable[[RGB], list[Detection]], query: Query) -> Outcome:
    """Raises ImageError if the photo cannot be read."""
    start = time.perf_counter()
    detections = recognize(decode(query.path))
    ms = (time.perf_counter() - start) * 1000

    match = match_photo(query, detections, [d.confident for d in detections])
    return Outcome(query, detections, match, ms)


def _compute_figures(matches: Sequence[PhotoMatch]) -> Figures:
    with_items = [match for match in matches if match.items]
    empty = [match for match in matches if not match.items]
    items = [item for match in with_items for item in match.items]
    localized = [item.localized for item in items if item.localized is not None]

    # At least 1, so that a photo set without items gives zeros.
    item_count = max(len(items), 1)
    frame_count = max(len(with_items), 1)

    return Figures(
        items=len(items),
        frames=len(with_items),
        top1=sum(item.top1 for item in items) / item_count,
        top5=sum(item.top5 for item in items) / item_count,
        accepted_right=sum(item.correct for item in items) / item_count,
        accepted_wrong_per_frame=sum(len(match.wrong) for match in with_items) / frame_count,
        extra_per_frame=sum(len(match.extra) for match in with_items) / frame_count,
        false_accepts=sum(bool(match.wrong) for match in empty),
        empty_frames=len(empty),
        iou50=sum(localized) / len(localized) if localized else None,
    )
