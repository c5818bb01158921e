"""Labelled photos → figures: how often the recogniser is right, wrong, silent about strangers, and how fast."""

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
from data_label_factory.identify.evaluate.matching import Verdict, match_photo
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.recognize import Detection
from data_label_factory.progress import Progress

_CURVE_POINTS_MAX = 60


@dataclass(frozen=True)
class Outcome:
    """One photo, what was recognised in it, what that is worth, and the milliseconds that it took."""

    query: Query
    detections: list[Detection]
    verdict: Verdict
    ms: float


@dataclass(frozen=True)
class Figures:
    """Shares of `items` unless named otherwise.

    `accepted_wrong_per_frame` and `extra_per_frame` are per photo that shows an item; `false_accepts` counts, of the
    `empty_frames` that show none, those with a sure answer; `iou50` is None without true outlines.
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
    """The figures if everything were accepted that passes at `rate`, a target false-accept rate."""

    rate: float
    accepted_right: float
    accepted_wrong_per_frame: float
    false_accepts: int


@dataclass(frozen=True)
class Evaluation:
    """`unreadable` maps a photo to the reason; such photos are in no figure, nor are those `without_truth`."""

    outcomes: list[Outcome]
    unreadable: dict[str, str] = field(default_factory=dict)
    without_truth: list[str] = field(default_factory=list)

    @cached_property
    def figures(self) -> Figures:
        return _figures([outcome.verdict for outcome in self.outcomes])

    @cached_property
    def curve(self) -> list[CurvePoint]:
        """From strict to lenient; at most 60 of the rates at which some answer changes."""
        rates = sorted(
            {d.false_accept_rate for outcome in self.outcomes for d in outcome.detections}
        )
        last, points = len(rates) - 1, min(len(rates), _CURVE_POINTS_MAX)
        return [self._at(rates[round(i * last / max(points - 1, 1))]) for i in range(points)]

    @cached_property
    def failures(self) -> list[Failure]:
        return [
            failure
            for outcome in self.outcomes
            for failure in find_failures(outcome.query, outcome.verdict)
        ]

    @property
    def ms_p50(self) -> float:
        return median(outcome.ms for outcome in self.outcomes)

    @property
    def ms_p95(self) -> float:
        times = sorted(outcome.ms for outcome in self.outcomes)
        return times[max(int(len(times) * 0.95) - 1, 0)]

    def as_json(self) -> dict[str, Any]:
        rounded = {
            key: round(v, 4) if isinstance(v, float) else v
            for key, v in asdict(self.figures).items()
        }
        return rounded | {
            "ms_p50": round(self.ms_p50, 1),
            "ms_p95": round(self.ms_p95, 1),
            "curve": [
                {key: round(v, 6) for key, v in asdict(point).items()} for point in self.curve
            ],
            "misses": [failure.as_json() for failure in self.failures],
            "unreadable": self.unreadable,
            "without_truth": self.without_truth,
        }

    def _at(self, rate: float) -> CurvePoint:
        figures = _figures(
            [
                match_photo(
                    o.query, o.detections, [d.false_accept_rate <= rate for d in o.detections]
                )
                for o in self.outcomes
            ]
        )
        return CurvePoint(
            rate, figures.accepted_right, figures.accepted_wrong_per_frame, figures.false_accepts
        )


def evaluate(
    recognize: Callable[[RGB], list[Detection]], queries: Queries, *, quiet: bool = False
) -> Evaluation:
    """Recognise every photo, as `Recognizer.recognize` does, and judge it.

    A time holds decoding and recognising, one photo after the other. Raises TruthError when no photo can be read.
    """
    outcomes: list[Outcome] = []
    unreadable: dict[str, str] = {}
    with Progress("evaluated", len(queries.photos), enabled=not quiet) as progress:
        for query in queries.photos:
            start = time.perf_counter()
            try:
                detections = recognize(decode(query.path))
            except ImageError as exc:
                unreadable[query.name] = str(exc)
            else:
                ms = (time.perf_counter() - start) * 1000
                verdict = match_photo(query, detections, [d.confident for d in detections])
                outcomes.append(Outcome(query, detections, verdict, ms))
            progress.step()
    if not any(outcome.query.items for outcome in outcomes):
        first = next(iter(unreadable.items()), ("", ""))
        raise GroundTruthError(
            f"None of the photos with a truth can be read: {first[0]}: {first[1]}"
        )
    return Evaluation(outcomes, unreadable, queries.without_truth)


def _figures(verdicts: Sequence[Verdict]) -> Figures:
    shown = [verdict for verdict in verdicts if verdict.items]
    items = [item for verdict in shown for item in verdict.items]
    empty = [verdict for verdict in verdicts if not verdict.items]
    localized = [item.localized for item in items if item.localized is not None]
    count, frames = max(len(items), 1), max(len(shown), 1)
    return Figures(
        items=len(items),
        frames=len(shown),
        top1=sum(item.top1 for item in items) / count,
        top5=sum(item.top5 for item in items) / count,
        accepted_right=sum(item.right for item in items) / count,
        accepted_wrong_per_frame=sum(len(verdict.wrong) for verdict in shown) / frames,
        extra_per_frame=sum(len(verdict.extra) for verdict in shown) / frames,
        false_accepts=sum(bool(verdict.wrong) for verdict in empty),
        empty_frames=len(empty),
        iou50=sum(localized) / len(localized) if localized else None,
    )
