"""Figures and recordings as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from live_judge import NAMED_WITHIN, Figures
from live_places import Shown

_LATE = 0.25  # s of an old name that are more than one answer


def describe(figures: Figures, rate: float, latencies: Sequence[float]) -> dict[str, str]:
    """The figures as one column of a table: name of the row → text. `rate` is answers a second."""
    ids = f"{figures.switches} in {figures.tracks} tracks" if figures.tracks else "no ids"
    per_minute = figures.wrong / figures.minutes if figures.minutes else float("nan")
    in_time = np.mean([wait <= NAMED_WITHIN for wait in figures.to_name or [float("nan")]])
    column = {
        "minutes": f"{figures.minutes:.1f}",
        "answers a second": f"{rate:.1f}",
    }
    if latencies:
        column["latency p50 / p95, ms"] = _percentiles(np.array(latencies) * 1000, 0)
    return column | {
        "known things, of these judged": f"{figures.things}, {len(figures.to_name)}",
        "readable → sure name, s, p50 / p95": _percentiles(figures.to_name),
        f"named within {NAMED_WITHIN:.0f} s": f"{in_time:.3f}",
        "readable time with the right name": f"{figures.readable_named:.3f}",
        "wrong names (a minute)": f"{figures.wrong} ({per_minute:.2f})",
        "of these on unknown things": str(figures.wrong_on_unknown),
        "swaps: old name sure on the new thing, s, p50 / p95 / max": _swaps(figures.swaps),
        "of these addable": _swaps(figures.swaps_addable),
        "name sure after leaving, s, p50 / p95 / max": _percentiles(
            figures.stays, 2, (50, 95, 100)
        ),
        "outline now, px, p50 / p95": _percentiles(figures.outline_px, 1),
        "of what moves, px, p50 / p95": _percentiles(figures.moving_px, 1),
        "outline behind the thing, s": f"{figures.lag:.2f}",
        "id switches": ids,
    }


def _percentiles(
    values: Sequence[float] | np.ndarray, digits: int = 2, which: Sequence[int] = (50, 95)
) -> str:
    if not len(values):
        return "–"
    # The value of a case, not between two: one of them may be infinite.
    found = np.percentile(values, which, method="inverted_cdf")
    return " / ".join("never" if np.isinf(value) else f"{value:.{digits}f}" for value in found)


def _spread(seconds: Sequence[float]) -> str:
    return _percentiles(seconds, 2, (50, 95, 100))


def _swaps(seconds: Sequence[float]) -> str:
    late = sum(value > _LATE for value in seconds)
    return f"{_spread(seconds)}; {late} of {len(seconds)} over {_LATE} s"


def describe_names(shown: Sequence[tuple[float, Sequence[Shown]]]) -> dict[str, str]:
    """How sure the answers to a video without ground truth are, as one column of a table."""
    sure = [frozenset(track.name for track in tracks if track.sure) for _, tracks in shown]
    tracks = [track for _, row in shown for track in row]
    unsure = sum(not track.sure for track in tracks) / len(tracks) if tracks else float("nan")
    return {
        "answers": str(len(shown)),
        "answers without a sure name": f"{np.mean([not names for names in sure]):.3f}",
        "unsure share of what was found": f"{unsure:.3f}",
        "times that the sure names changed": str(sum(a != b for a, b in pairwise(sure))),
        "sure names": str(len(frozenset().union(*sure))),
    }


def name_stretches(
    shown: Sequence[tuple[float, Sequence[Shown]]], gap: float = 1.0
) -> dict[str, list[tuple[float, float]]]:
    """When each name was sure: from its first to its last answer, in one stretch if answers
    without it last for less than `gap` s.
    """
    stretches: dict[str, list[tuple[float, float]]] = {}
    for seconds, tracks in shown:
        for name in sorted({track.name for track in tracks if track.sure}):
            rows = stretches.setdefault(name, [])
            if rows and seconds - rows[-1][1] < gap:
                rows[-1] = (rows[-1][0], seconds)
            else:
                rows.append((seconds, seconds))
    return stretches


def print_table(columns: Mapping[str, Mapping[str, str]], corner: str = "") -> None:
    """Print columns, name → rows, as Markdown; a row that a column lacks stays empty."""
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    print(f"| {corner} | {' | '.join(columns)} |")
    print(f"|{'---|' * (len(columns) + 1)}")
    for name in names:
        print(f"| {name} | {' | '.join(column.get(name, '') for column in columns.values())} |")
    print()
