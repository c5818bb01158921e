"""Moments of a video, what is shown in them, and how well outlines fit their things."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from live_scenes import Thing
from live_script import FRAMES_PER_SECOND

from data_label_factory.identify.quad import Quad, box_of

# How far behind a thing its outline may be and still be taken for its own, s.
LONGEST_LAG = 2.0
SAME_PLACE = 0.3  # intersection over union of boxes
MOVING = 40.0  # px a second


@dataclass(frozen=True)
class Shown:
    """A track as it is shown: `quad` (4, 2) px if it has an outline, `id` if it has one."""

    name: str
    sure: bool
    quad: Quad | None = None
    id: int | None = None
    addable: bool = False


@dataclass(frozen=True)
class Moment:
    """What lies there and what is shown, from `seconds` on."""

    seconds: float
    things: Sequence[Thing]
    tracks: Sequence[Shown]


def lasting(moments: Sequence[Moment]) -> Iterator[tuple[Moment, float]]:
    """Each moment with the seconds until the next one; the last one lasts for none."""
    for number, moment in enumerate(moments):
        following = moments[min(number + 1, len(moments) - 1)]
        yield moment, following.seconds - moment.seconds


def thing_at(moment: Moment, quad: Quad | None, but: str = "") -> Thing | None:
    """The thing, not of the name `but`, that lies where the quad is."""
    if quad is None:
        return None
    there = [t for t in moment.things if t.name != but and t.visible >= 0.5]
    best = max(there, key=lambda thing: overlap(thing.quad, quad), default=None)
    return best if best is not None and overlap(best.quad, quad) >= SAME_PLACE else None


def overlap(one: Quad, other: Quad) -> float:
    """Intersection over union of the boxes around two quads."""
    left, top, right, bottom = box_of(one)
    left2, top2, right2, bottom2 = box_of(other)
    width = min(right, right2) - max(left, left2)
    height = min(bottom, bottom2) - max(top, top2)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    both = (right - left) * (bottom - top) + (right2 - left2) * (bottom2 - top2)
    return shared / (both - shared)


def is_near(quad: Quad, other: Quad) -> bool:
    """Whether the middles are at most half of the other's height apart."""
    size = float(np.linalg.norm(other[2] - other[0])) / 2
    return float(np.linalg.norm(quad.mean(axis=0) - other.mean(axis=0))) <= size


def quad_error(shown: Quad, true: Quad) -> float:
    """Mean distance of corners in px, whichever corner the outline begins with."""
    turned = [np.roll(shown, turn, axis=0) - true for turn in range(4)]
    return float(min(np.linalg.norm(offsets, axis=1).mean() for offsets in turned))


def measure_outlines(
    moments: Sequence[Moment],
) -> tuple[list[float], list[float], float]:
    """Px between outlines and their things now: of all, of those that move; and the lag in s.

    The lag is the delay of the truth, in frames, that the outlines of what moves fit best.
    """
    paths: dict[int, list[tuple[float, Quad]]] = defaultdict(list)
    pairs: list[tuple[int, int, Quad]] = []  # thing, row in its path, outline
    for moment in moments:
        for thing in moment.things:
            paths[thing.thing].append((moment.seconds, thing.quad))
            if thing.name is None or thing.visible < 0.5:
                continue
            outlines = [
                t.quad for t in moment.tracks if t.name == thing.name and t.quad is not None
            ]
            row = len(paths[thing.thing]) - 1
            pairs += [(thing.thing, row, quad) for quad in outlines if is_near(quad, thing.quad)]

    errors = [quad_error(quad, paths[thing][row][1]) for thing, row, quad in pairs]
    moving = [_speed(paths[thing], row) >= MOVING for thing, row, _ in pairs]
    fast = [pair for pair, is_moving in zip(pairs, moving, strict=True) if is_moving]
    moving_px = [error for error, is_moving in zip(errors, moving, strict=True) if is_moving]
    return errors, moving_px, _best_shift(paths, fast)


def _speed(path: Sequence[tuple[float, Quad]], row: int) -> float:
    """Px a second of the fastest corner, over two tenths of a second."""
    first, last = path[max(0, row - 3)], path[min(len(path) - 1, row + 3)]
    way = float(np.linalg.norm(last[1] - first[1], axis=1).max())
    return way / max(last[0] - first[0], 1e-6)


def _best_shift(
    paths: dict[int, list[tuple[float, Quad]]], pairs: Sequence[tuple[int, int, Quad]]
) -> float:
    if not pairs:
        return float("nan")
    times = {thing: [at for at, _ in path] for thing, path in paths.items()}
    shifts = np.arange(0, LONGEST_LAG + 1e-6, 1 / FRAMES_PER_SECOND)
    costs = []
    for shift in shifts:
        errors = []
        for thing, row, quad in pairs:
            # Times of a page's moments are not whole frames: the nearest one will do.
            at = times[thing][row] - shift
            then = max(0, bisect_left(times[thing], at - 0.5 / FRAMES_PER_SECOND))
            errors.append(quad_error(quad, paths[thing][min(then, row)][1]))
        costs.append(np.median(errors))
    return float(shifts[int(np.argmin(costs))])


def count_switches(moments: Sequence[Moment]) -> tuple[int, int]:
    """How often a known thing's name came under another id than before, and the number of ids."""
    last: dict[int, int] = {}
    ids: set[int] = set()
    switches = 0
    for moment in moments:
        ids |= {track.id for track in moment.tracks if track.id is not None}
        for thing in moment.things:
            own = {t.id for t in moment.tracks if t.name == thing.name and t.id is not None}
            if own and last.get(thing.thing) not in own:
                switches += thing.thing in last
                last[thing.thing] = min(own)
    return switches, len(ids)
