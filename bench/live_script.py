"""What happens in the drawn videos: which card lies where, when, and whose hand moves it.

Only plans: `live_scenes.py` draws them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from live_drawing import HEIGHT, WIDTH, Picture

from data_label_factory.identify.images import decode
from data_label_factory.labels import parse_label
from data_label_factory.samples import draw_collection

FRAMES_PER_SECOND = 30
OUT_PX = 560  # from a grip to where a hand is out of sight
GAPS = (None, 0.0, 0.5, 1.0)  # s from taking one to the next lying there; None: it lay beneath
ACTIONS = ("still", "turn", "glare", "slide", "cover")
SWAP_FRAMES = 14 * FRAMES_PER_SECOND  # of the video of `swap_scene`
_UNKNOWN = 0.25  # of the cards


@dataclass(frozen=True)
class Card:
    """A card's name, None if it is in no index, and picture (h, w, 3), blue first."""

    name: str | None
    picture: Picture


class Pose(NamedTuple):
    """Where and how a card lies: px and radians; the rest are shares of 0…1.

    `hand` is 1 where the hand holds it, 0 where that is out of sight; `cover`
    the same for one that reaches over it. `glare_at` is how far the lamp's
    reflection has come.
    """

    x: float
    y: float
    size: float
    turn: float = 0.0
    tip: float = 0.0
    lean: float = 0.0
    hand: float = 0.0
    glare_at: float = 0.0
    glare: float = 0.0
    cover: float = 0.0


@dataclass
class Stay:
    """One card from the moment it comes until it has gone, as poses between which it moves."""

    card: Card
    thing: int
    angle: float  # where its hand comes from
    level: float  # what is higher is drawn later
    times: list[float]
    poses: list[Pose]
    lies_at: float = 0.0

    def move(self, seconds: float, **changes: float) -> None:
        """Go on to another pose within so many seconds."""
        self.times.append(self.times[-1] + seconds)
        self.poses.append(self.poses[-1]._replace(**changes))

    def pose(self, seconds: float) -> Pose | None:
        """The pose at a time; None before it comes and after it has gone."""
        if not self.times[0] <= seconds < self.times[-1]:
            return None
        after = int(np.searchsorted(self.times, seconds, side="right"))
        begin, end = self.times[after - 1 : after + 1]
        way = (seconds - begin) / (end - begin)
        way *= way * (3 - 2 * way)  # starts and ends slowly
        first, last = (np.array(self.poses[row]) for row in (after - 1, after))
        return Pose(*(first + (last - first) * way).tolist())

    @property
    def end(self) -> float:
        return self.times[-1]


def read_cards(files: Sequence[Path], *, known: bool = True) -> list[Card]:
    """Reference pictures as cards; those that are not known have no name."""
    cards = []
    for file in files:
        name = parse_label(file.name).name if known else None
        cards.append(Card(name, np.ascontiguousarray(decode(file)[..., ::-1])))
    return cards


def draw_unknown(folder: Path, known: Sequence[Card], count: int, seed: int) -> list[Card]:
    """`count` cards of another seed, drawn into `folder`, with none of the known names."""
    names = {card.name for card in known}
    files = draw_collection(folder, count=2 * count, seed=10_000 + seed)
    others = [file for file in files if parse_label(file.name).name not in names]
    return read_cards(others[:count], known=False)


@dataclass
class Scene:
    """What happens on one table, and the camera above it."""

    rng: np.random.Generator
    stays: list[Stay] = field(default_factory=list)
    rest: float = 1.2  # s of an empty table at the end

    @property
    def frames(self) -> int:
        return round((max(stay.end for stay in self.stays) + self.rest) * FRAMES_PER_SECOND)

    def lay(
        self, card: Card, at: tuple[float, float, float], before: Stay | None, when: float | None
    ) -> Stay:
        """Bring a card to `at`, x, y and height in px, and let it lie there.

        It lies at `when` s, or after the one `before` it; None: it lies beneath that one.
        """
        rng = self.rng
        x, y, size = at
        turn = rng.normal(0, 0.12)
        thing = len(self.stays) + 1
        angle = float(rng.uniform(-0.7, 0.7))
        if when is None and before is not None:
            resting = Pose(x + rng.normal(0, 2), y + rng.normal(0, 2), size * 0.97, turn)
            stay = Stay(card, thing, angle, before.level - 0.5, [before.lies_at], [resting])
            stay.lies_at = before.end
            stay.move(max(0.1, before.end - before.lies_at))
        else:
            seconds = rng.uniform(0.45, 0.8)
            start = max(0.0, (when or 0.0) - seconds)
            away = np.array([-np.sin(angle), np.cos(angle)]) * (OUT_PX - 80)
            held = Pose(x + away[0], y + away[1], size * 1.15, turn, tip=0.4, hand=1.0)
            stay = Stay(card, thing, angle, float(thing), [start], [held])
            stay.move(seconds, x=x, y=y, size=size, tip=0.0)
            stay.lies_at = stay.end
            stay.move(0.12)
            stay.move(0.3, hand=0.0)
        self.stays.append(stay)
        return stay

    def act(self, stay: Stay, action: str) -> None:
        """Let something happen to a card that lies there."""
        rng = self.rng
        pose = stay.poses[-1]
        if action == "still":
            stay.move(rng.uniform(0.8, 2.0))
        elif action == "cover":
            stay.move(0.4, cover=1.0)
            stay.move(0.5)
            stay.move(0.4, cover=0.0)
        elif action == "turn":
            stay.move(0.3, hand=1.0)
            stay.move(
                rng.uniform(0.5, 0.9), turn=pose.turn + rng.choice([-1, 1]) * rng.uniform(0.4, 2.2)
            )
            stay.move(0.3, hand=0.0)
        elif action == "slide":
            way = rng.uniform(-1, 1, 2) * (60, 40)
            stay.move(0.3, hand=1.0)
            stay.move(rng.uniform(0.4, 0.8), x=pose.x + way[0], y=pose.y + way[1])
            stay.move(0.3, hand=0.0)
        else:
            self._tilt_through_glare(stay)

    def _tilt_through_glare(self, stay: Stay) -> None:
        rng = self.rng
        size = stay.poses[-1].size
        tip, lean = rng.choice([-1, 1], 2) * rng.uniform(0.25, 0.6, 2)
        strength = rng.uniform(0.7, 1.0)
        stay.move(0.3, hand=1.0, glare_at=0.1)
        stay.move(0.5, size=size * 1.1, tip=tip, lean=lean, glare_at=0.4, glare=strength)
        stay.move(0.5, tip=-tip, glare_at=0.6)
        stay.move(0.5, size=size, tip=0.0, lean=0.0, glare_at=0.9, glare=0.0)
        stay.move(0.3, hand=0.0)

    def take(self, stay: Stay) -> None:
        pose = stay.poses[-1]
        away = np.array([-np.sin(stay.angle), np.cos(stay.angle)]) * OUT_PX
        stay.move(0.3, hand=1.0)
        seconds = self.rng.uniform(0.35, 0.6)
        stay.move(seconds, x=pose.x + away[0], y=pose.y + away[1], size=pose.size * 1.15, tip=0.3)


def plan_scene(known: Sequence[Card], unknown: Sequence[Card], seed: Sequence[int]) -> Scene:
    """A scene with one to three places in use, and two or three cards in each."""
    rng = np.random.default_rng(seed)
    scene = Scene(rng)
    places = int(rng.integers(1, 4))
    size = (0, 320, 275, 235)[places]
    shown = _choose(rng, known, unknown)
    for place in range(places):
        room = WIDTH / places
        x, y = room * (place + 0.5) + rng.normal(0, 8), HEIGHT / 2 + rng.normal(0, 14)
        at = (x, y, size * rng.uniform(0.85, 1))
        lies_at: float | None = rng.uniform(0.9, 1.3) + 1.5 * place * rng.uniform()
        before: Stay | None = None
        for card in islice(shown, int(rng.integers(2, 4))):
            stay = scene.lay(card, at, before, lies_at)
            for action in rng.choice(
                ["still", "turn", "glare", "slide", "cover"], 2, replace=False
            ):
                scene.act(stay, str(action))
            scene.act(stay, "still")
            scene.take(stay)
            before = stay
            gap = GAPS[rng.integers(len(GAPS))]
            lies_at = None if gap is None else stay.end + gap
    return scene


def _choose(
    rng: np.random.Generator, known: Sequence[Card], unknown: Sequence[Card]
) -> Iterator[Card]:
    """Cards in random order, no name twice in a scene; now and then an unknown one."""
    names: set[str | None] = set()
    strangers = iter([unknown[row] for row in rng.permutation(len(unknown))])
    for row in rng.permutation(len(known)):
        while rng.random() < _UNKNOWN and (stranger := next(strangers, None)):
            yield stranger
        if known[row].name not in names:
            names.add(known[row].name)
            yield known[row]
    yield from strangers


def swap_scene(cards: Sequence[Card], seed: int = 0) -> Scene:
    """Two swaps in one place, at once and half a second later, then an empty table: 14 s."""
    scene = Scene(np.random.default_rng(seed))
    when = 1.2
    before: Stay | None = None
    for card, gap in zip(cards, (0.0, 0.5, 0.0), strict=True):
        before = scene.lay(card, (WIDTH / 2, HEIGHT / 2, 310), before, when)
        before.move(2.2)
        scene.take(before)
        when = before.end + gap
    scene.rest = SWAP_FRAMES / FRAMES_PER_SECOND - (before.end if before else 0)
    return scene
