"""Lay what is shown beside what lies there, moment by moment.

Pure functions on recordings. A moment lasts until the next one; a name counts
as shown only while it is sure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np
from live_places import (
    LONGEST_LAG,
    SAME_PLACE,
    Moment,
    Shown,
    count_switches,
    is_near,
    lasting,
    measure_outlines,
    overlap,
    thing_at,
)
from live_scenes import Frame, Thing
from live_script import FRAMES_PER_SECOND

from data_label_factory.identify.quad import Quad

Verdict = Literal["right", "left", "swapped", "wrong"]

NAMED_WITHIN = 1.0  # s of being readable
# A name that is shown this long after its thing has left is no longer a ghost but wrong, s.
LONGEST_GHOST = 10.0
# The next thing lies where another one was at most so long before, s.
LONGEST_SWAP = 3.0
_NEW_EPISODE = 0.5  # s without a wrong name; then it is another one
_PRESENT = 0.05  # visible fraction


@dataclass(frozen=True)
class Swap:
    """The next thing in another's place, which it fills from `begin` s on."""

    old: str
    thing: int
    begin: float


@dataclass
class Figures:
    """Seconds and px, one value for each case; empty where there was none."""

    minutes: float = 0.0
    things: int = 0
    to_name: list[float] = field(default_factory=list)  # inf: never named
    readable_named: float = float("nan")  # fraction of the time in which known things are readable
    wrong: int = 0
    wrong_on_unknown: int = 0
    swaps: list[float] = field(default_factory=list)
    swaps_addable: list[float] = field(default_factory=list)
    stays: list[float] = field(default_factory=list)
    outline_px: list[float] = field(default_factory=list)
    moving_px: list[float] = field(default_factory=list)
    lag: float = float("nan")
    switches: int = 0
    tracks: int = 0


def align(frames: Sequence[Frame], shown: Sequence[tuple[float, Sequence[Shown]]]) -> list[Moment]:
    """One moment for each frame, with what was shown last by then.

    `shown` holds the tracks shown from a time on, in order of time.
    """
    times = [seconds for seconds, _ in shown]
    moments = []
    for frame in frames:
        row = bisect_left(times, frame.seconds + 1e-6) - 1
        moments.append(Moment(frame.seconds, frame.things, shown[row][1] if row >= 0 else ()))
    return moments


def judge(moments: Sequence[Moment]) -> Figures:
    """All figures of one video. Moments are in order of time."""
    figures = Figures()
    if len(moments) < 2:
        return figures
    figures.minutes = (moments[-1].seconds - moments[0].seconds) / 60
    figures.things = len({t.thing for m in moments for t in m.things if t.name is not None})

    verdicts = [list(verdict) for verdict in classify(moments)]
    figures.wrong, figures.wrong_on_unknown = count_wrong(moments, verdicts)
    figures.to_name, figures.readable_named = measure_naming(moments, verdicts)
    for swap in find_swaps(moments):
        figures.swaps.append(measure_swap(moments, swap, lambda track: track.sure))
        figures.swaps_addable.append(measure_swap(moments, swap, lambda track: track.addable))

    figures.stays = measure_stays(moments)
    figures.outline_px, figures.moving_px, figures.lag = measure_outlines(moments)
    figures.switches, figures.tracks = count_switches(moments)
    return figures


def merge(parts: Sequence[Figures]) -> Figures:
    """The figures of several videos as those of one; fractions and lags are weighted by time."""
    whole = Figures()
    for item in fields(Figures):
        values = [getattr(part, item.name) for part in parts]
        if isinstance(getattr(whole, item.name), list):
            setattr(whole, item.name, [value for row in values for value in row])
        elif item.name in ("readable_named", "lag"):
            pairs = zip(values, parts, strict=True)
            good = [(value, part.minutes) for value, part in pairs if np.isfinite(value)]
            total = sum(minutes for _, minutes in good)
            if total:
                mean = sum(value * minutes for value, minutes in good) / total
                setattr(whole, item.name, mean)
        else:
            setattr(whole, item.name, sum(values))
    return whole


def classify(moments: Sequence[Moment]) -> Iterator[list[Verdict | None]]:
    """A verdict on each track of each moment; None for those that are not sure.

    `right`: a thing of that name lies there, or did within LONGEST_LAG and is still to be
    seen. `left`: it lay there within LONGEST_GHOST. `swapped`: the same, and now another
    thing lies there. `wrong`: it has not lain there.
    """
    seen: dict[str, list[tuple[float, Quad]]] = defaultdict(list)
    for moment in moments:
        for thing in moment.things:
            if thing.name is not None and thing.visible >= _PRESENT:
                seen[thing.name].append((moment.seconds, thing.quad))
        yield [_verdict(moment, track, seen) if track.sure else None for track in moment.tracks]


def _verdict(moment: Moment, track: Shown, seen: dict[str, list[tuple[float, Quad]]]) -> Verdict:
    now = moment.seconds
    places = seen.get(track.name, [])
    there = (now - at for at, quad in reversed(places) if _covers(track.quad, quad))
    since = next(there, float("inf"))
    if since > LONGEST_GHOST:
        return "wrong"
    if places[-1][0] == now and since <= LONGEST_LAG:
        return "right"
    return "swapped" if thing_at(moment, track.quad, but=track.name) else "left"


def _covers(shown: Quad | None, quad: Quad) -> bool:
    """Whether an outline can be that of a thing at `quad`; one that is not drawn can be any."""
    return shown is None or is_near(shown, quad)


def count_wrong(
    moments: Sequence[Moment], verdicts: Sequence[Sequence[Verdict | None]]
) -> tuple[int, int]:
    """How often a wrong name came up, and how often of these where an unknown thing lies."""
    last: dict[str, float] = {}
    total = 0
    on_unknown = 0
    for moment, row in zip(moments, verdicts, strict=True):
        for track, verdict in zip(moment.tracks, row, strict=True):
            if verdict != "wrong":
                continue
            if moment.seconds - last.get(track.name, -float("inf")) > _NEW_EPISODE:
                total += 1
                thing = thing_at(moment, track.quad)
                on_unknown += thing is not None and thing.name is None
            last[track.name] = moment.seconds
    return total, on_unknown


def measure_naming(
    moments: Sequence[Moment], verdicts: Sequence[Sequence[Verdict | None]]
) -> tuple[list[float], float]:
    """Seconds from each known thing being readable to its sure name, and the fraction named.

    Counted are things that are readable for NAMED_WITHIN s on end, from the beginning of
    that time. 0 if it was named before, inf if never.
    """
    runs: dict[int, list[float]] = {}  # begin and end of the current, then of the first long one
    named_at: dict[int, float] = {}
    readable = named = 0.0
    for (moment, seconds), row in zip(lasting(moments), verdicts, strict=True):
        right = {t.name for t, v in zip(moment.tracks, row, strict=True) if v == "right"}
        for thing in moment.things:
            if thing.name is None:
                continue
            if thing.name in right:
                named_at.setdefault(thing.thing, moment.seconds)
            if thing.readable:
                readable += seconds
                named += seconds * (thing.name in right)
            _extend(runs, thing, moment.seconds)

    long = {thing: begin for thing, (begin, end) in runs.items() if end - begin >= NAMED_WITHIN}
    waits = [max(0.0, named_at.get(thing, float("inf")) - begin) for thing, begin in long.items()]
    return waits, named / readable if readable else float("nan")


def _extend(runs: dict[int, list[float]], thing: Thing, now: float) -> None:
    run = runs.get(thing.thing)
    if run is not None and run[1] - run[0] >= NAMED_WITHIN:
        return
    if not thing.readable:
        runs.pop(thing.thing, None)
    elif run is None:
        runs[thing.thing] = [now, now]
    else:
        run[1] = now


def find_swaps(moments: Sequence[Moment]) -> list[Swap]:
    """Where a thing comes to lie in the place of a known one that has just been taken."""
    clear: dict[int, list[tuple[float, Thing]]] = defaultdict(list)
    filled: dict[int, list[tuple[float, Quad]]] = defaultdict(list)
    for moment in moments:
        for thing in moment.things:
            if thing.readable:
                clear[thing.thing].append((moment.seconds, thing))
            if thing.visible >= 0.5:
                filled[thing.thing].append((moment.seconds, thing.quad))

    swaps = []
    for number, times in clear.items():
        at, first = times[0]
        for other, others in clear.items():
            until, last = others[-1]
            if other == number or last.name in (None, first.name):
                continue
            in_time = 0 < at - until <= LONGEST_SWAP
            if in_time and overlap(last.quad, first.quad) >= SAME_PLACE:
                begin = min(t for t, q in filled[number] if overlap(q, last.quad) >= SAME_PLACE)
                swaps.append(Swap(str(last.name), number, begin))
    return swaps


def measure_swap(moments: Sequence[Moment], swap: Swap, is_shown: Callable[[Shown], bool]) -> float:
    """Seconds for which the old name is shown where the new thing lies, the old one being gone."""
    shown = find_old_name(moments, swap, is_shown)
    return sum(seconds for _, seconds in shown)


def find_old_name(
    moments: Sequence[Moment], swap: Swap, is_shown: Callable[[Shown], bool]
) -> Iterator[tuple[Moment, float]]:
    """The moments that `measure_swap` adds up, with their seconds."""
    for moment, seconds in lasting(moments):
        in_time = swap.begin <= moment.seconds <= swap.begin + LONGEST_GHOST
        if not in_time or _lies(moment, swap.old):
            continue
        new = next((thing for thing in moment.things if thing.thing == swap.thing), None)
        old = [t for t in moment.tracks if t.name == swap.old and is_shown(t)]
        quads = [track.quad for track in old]
        if new and any(q is None or overlap(q, new.quad) >= SAME_PLACE for q in quads):
            yield moment, seconds


def _lies(moment: Moment, name: str) -> bool:
    return any(thing.name == name and thing.visible >= _PRESENT for thing in moment.things)


def measure_stays(moments: Sequence[Moment]) -> list[float]:
    """For each known thing that leaves, seconds until its name is last shown.

    Only things count that had been named. A thing of the same name that comes back ends it.
    """
    stays = []
    left: dict[str, tuple[float, float]] = {}  # name → when it was last there, last named
    named: set[str] = set()
    for moment, seconds in lasting(moments):
        sure = {track.name for track in moment.tracks if track.sure}
        for thing in moment.things:
            if thing.name is None or thing.visible < _PRESENT:
                continue
            if thing.name in left:
                there, shown = left.pop(thing.name)
                if moment.seconds - there > 2 / FRAMES_PER_SECOND + 0.1:
                    stays.append(shown - there)
                    named.discard(thing.name)
            if thing.name in sure:
                named.add(thing.name)
            if thing.name in named:
                left[thing.name] = (moment.seconds + seconds, moment.seconds + seconds)

        for name, (there, shown) in left.items():
            within = moment.seconds - there <= LONGEST_GHOST
            if name in sure and within and not _lies(moment, name):
                left[name] = (there, max(shown, moment.seconds + seconds))
    last = moments[-1].seconds
    return stays + [shown - there for there, shown in left.values() if there < last]
