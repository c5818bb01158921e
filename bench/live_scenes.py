"""Drawn videos of cards on a table, with what is where in every frame.

A hand brings cards in, turns, slides and tilts them through the reflection of
a lamp, reaches over them, takes them away, and the next one lies in the same
place: at once (it was under the other), or 0, 0.5 or 1 s later. One to three
places are in use at once; about every fourth card is in no index. The camera
is at rest or held by hand, its exposure drifts, fast things blur.

Everything follows from a seed. Frames are 640 × 480, 30 a second, and come one
by one: a long video needs no memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from live_drawing import (
    CELL,
    WIDTH,
    Canvas,
    Floats,
    Picture,
    Sprite,
    Webcam,
    card_sprite,
    glare_mask,
    hand_quad,
    hand_sprites,
    lighten,
)

from data_label_factory.identify.images import decode
from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.labels import parse_label
from data_label_factory.samples import draw_collection

FRAMES_PER_SECOND = 30
GAPS = (None, 0.0, 0.5, 1.0)  # s from taking one to the next lying there; None: it lay beneath
SWAP_FRAMES = 12 * FRAMES_PER_SECOND  # of the video of `swap_scene`

# Readable: at least this much of it seen, blurred by at most so many px, whitened by
# glare at most so much on average, tilted by at most 45°. Set by hand, so that people
# read the name on a still of the frame.
READABLE_VISIBLE = 0.7
READABLE_BLUR_PX = 4.0
READABLE_GLARE = 0.25
READABLE_TILT = np.pi / 4

_EXPOSURE = 1 / 50  # s; the blur of a motion is its way in that time
_FOCAL = 900  # px
_OUT = 560  # px from a grip to where a hand is out of sight
_UNKNOWN = 0.25
_HAND_OWNER = -1


@dataclass(frozen=True)
class Thing:
    """What lies on the table in one frame.

    `name` is None for what is in no index. `quad` (4, 2) px clockwise from the
    card's own top left; `visible` is the fraction of it that is seen.
    """

    thing: int
    name: str | None
    quad: Quad
    visible: float
    readable: bool


@dataclass(frozen=True)
class Frame:
    """One frame as the camera sends it: a JPEG, and the things in it."""

    number: int
    jpeg: bytes
    things: list[Thing]

    @property
    def seconds(self) -> float:
        return self.number / FRAMES_PER_SECOND


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
            away = np.array([-np.sin(angle), np.cos(angle)]) * (_OUT - 80)
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
            stay.move(rng.uniform(0.5, 0.9), turn=pose.turn + rng.choice([-1, 1]) * rng.uniform(0.4, 2.2))
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
        away = np.array([-np.sin(stay.angle), np.cos(stay.angle)]) * _OUT
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
        at = (room * (place + 0.5) + rng.normal(0, 8), 240 + rng.normal(0, 14), size * rng.uniform(0.85, 1))
        lies_at: float | None = rng.uniform(0.9, 1.3) + 1.5 * place * rng.uniform()
        before: Stay | None = None
        for _ in range(int(rng.integers(2, 4))):
            stay = scene.lay(next(shown), at, before, lies_at)
            for action in rng.choice(["still", "turn", "glare", "slide", "cover"], 2, replace=False):
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
    """Two swaps in one place, at once and half a second later, then an empty table: 12 s."""
    scene = Scene(np.random.default_rng(seed))
    when = 1.2
    before: Stay | None = None
    for card, gap in zip(cards, (0.0, 0.5, 0.0), strict=True):
        before = scene.lay(card, (WIDTH / 2, 240, 310), before, when)
        before.move(1.7)
        scene.take(before)
        when = before.end + gap
    scene.rest = SWAP_FRAMES / FRAMES_PER_SECOND - (before.end if before else 0)
    return scene


def draw_video(
    known: Sequence[Card], unknown: Sequence[Card], seed: int, seconds: float
) -> Iterator[Iterator[Frame]]:
    """Scenes that together last at least `seconds`, each as its frames.

    Frames are numbered and things counted through all of them.
    """
    first = 0
    number = 0
    while first < seconds * FRAMES_PER_SECOND:
        scene = plan_scene(known, unknown, (seed, number))
        yield draw_scene(scene, first, things_before=100 * number)
        first += scene.frames
        number += 1


def draw_scene(scene: Scene, first: int = 0, things_before: int = 0) -> Iterator[Frame]:
    """The frames of a scene, numbered from `first`."""
    webcam = Webcam(scene.rng)
    painters = [_Painter(stay, scene.rng, things_before) for stay in scene.stays]
    painters.sort(key=lambda painter: painter.stay.level)
    for number in range(scene.frames):
        seconds = number / FRAMES_PER_SECOND
        sway = webcam.sway(seconds)
        canvas = Canvas.of(webcam.table(sway))
        shown = [painter.paint(canvas, seconds, sway) for painter in painters]
        frame = webcam.shoot(canvas.frame, number, seconds)

        things = [_judged(thing, canvas) for thing in shown if thing]
        yield Frame(first + number, webcam.compress(frame), [thing for thing in things if thing])


def _judged(thing: Thing, canvas: Canvas) -> Thing | None:
    """The thing with its visible fraction; None if nothing of it is seen."""
    cells = int((canvas.owner == thing.thing).sum())
    visible = min(1.0, cells * CELL**2 / max(1.0, cv2.contourArea(thing.quad)))
    if not cells:
        return None
    readable = thing.readable and visible >= READABLE_VISIBLE
    return Thing(thing.thing, thing.name, thing.quad, visible, readable)


class _Painter:
    """Draws one stay's card and hand."""

    def __init__(self, stay: Stay, rng: np.random.Generator, things_before: int) -> None:
        self.stay = stay
        self.thing = things_before + stay.thing
        size = max(pose.size for pose in stay.poses)
        self._sprite = card_sprite(stay.card.picture, size)
        self._glare = glare_mask(self._sprite.pixels.shape[:2])
        self._palm, self._thumb = hand_sprites(rng, stay.poses[1].size)
        self._aspect = stay.card.picture.shape[1] / stay.card.picture.shape[0]

    def paint(self, canvas: Canvas, seconds: float, sway: Floats) -> Thing | None:
        """Draw it into the canvas. The thing is `readable` as far as blur, glare and tilt go."""
        pose = self.stay.pose(seconds)
        if pose is None:
            return None
        quad = cv2.transform(self._corners(pose)[None], sway)[0]
        later = self.stay.pose(seconds + _EXPOSURE / 2) or pose
        motion = np.array([later.x - pose.x, later.y - pose.y]) * 2
        sprite, whiteness = lighten(self._sprite, self._glare, pose.glare_at, pose.glare)

        grip = self._grip(pose, self.stay.angle, self._edge(pose), pose.hand)
        self._draw_hand(canvas, self._palm, grip, self.stay.angle, motion * pose.hand, pose.hand)
        canvas.paint(sprite, as_points(quad), motion, self.thing)
        self._draw_hand(canvas, self._thumb, grip, self.stay.angle, motion * pose.hand, pose.hand)
        over = self._grip(pose, self.stay.angle + 1.1, -0.1 * pose.size, pose.cover)
        for part in (self._palm, self._thumb):
            self._draw_hand(canvas, part, over, self.stay.angle + 1.1, np.zeros(2), pose.cover)

        tilt = np.arccos(np.cos(pose.tip) * np.cos(pose.lean))
        clear = float(np.linalg.norm(motion)) <= READABLE_BLUR_PX and whiteness <= READABLE_GLARE
        readable = bool(clear and tilt <= READABLE_TILT)
        return Thing(self.thing, self.stay.card.name, as_points(quad), 0.0, readable)

    def _draw_hand(
        self, canvas: Canvas, part: Sprite, grip: Floats, angle: float, motion: Floats, near: float
    ) -> None:
        if near > 0:
            canvas.paint(part, hand_quad(grip, angle), motion, _HAND_OWNER)

    def _corners(self, pose: Pose) -> Quad:
        """The card's corners on the table, (4, 2) px, in perspective."""
        half = np.array([self._aspect, 1.0]) * pose.size / 2
        flat = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
        spatial, _ = cv2.Rodrigues(np.array([pose.tip, pose.lean, 0.0]))
        points = np.column_stack([flat, np.zeros(4)]) @ spatial.T
        points = points[:, :2] * (_FOCAL / (_FOCAL + points[:, 2:]))
        turn = np.array(
            [[np.cos(pose.turn), -np.sin(pose.turn)], [np.sin(pose.turn), np.cos(pose.turn)]]
        )
        return as_points(points @ turn.T + (pose.x, pose.y))

    def _edge(self, pose: Pose) -> float:
        """Px from the card's middle to its edge, towards its hand."""
        angle = self.stay.angle - pose.turn
        across, along = abs(np.sin(angle)), abs(np.cos(angle))
        half = np.array([self._aspect, 1.0]) * pose.size / 2
        return float(min(half[0] / max(across, 1e-6), half[1] / max(along, 1e-6)))

    @staticmethod
    def _grip(pose: Pose, angle: float, reach: float, near: float) -> Floats:
        way = np.array([-np.sin(angle), np.cos(angle)])
        return np.array([pose.x, pose.y]) + way * (reach + (1 - near) * _OUT)
