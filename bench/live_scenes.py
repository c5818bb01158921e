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
from dataclasses import dataclass

import cv2
import numpy as np
from live_drawing import (
    CELL,
    Canvas,
    Floats,
    Sprite,
    Webcam,
    card_sprite,
    glare_mask,
    hand_quad,
    hand_sprites,
    lighten,
    stamp,
)
from live_script import FRAMES_PER_SECOND, OUT_PX, Card, Pose, Scene, Stay, plan_scene

from data_label_factory.identify.quad import Quad, as_points

# Readable: at least this much of it seen, blurred by at most so many px, whitened by
# glare at most so much on average, tilted by at most 45°. Set by hand, so that people
# read the name on a still of the frame.
READABLE_VISIBLE = 0.7
READABLE_BLUR_PX = 4.0
READABLE_GLARE = 0.25
READABLE_TILT = np.pi / 4

_EXPOSURE = 1 / 50  # s; the blur of a motion is its way in that time
_FOCAL = 900  # px
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


def draw_video(
    known: Sequence[Card],
    unknown: Sequence[Card],
    seed: int,
    seconds: float,
    *,
    numbered: bool = False,
) -> Iterator[Iterator[Frame]]:
    """Scenes that together last at least `seconds`, each as its frames.

    Frames are numbered and things counted through all of them.
    """
    first = 0
    number = 0
    while first < seconds * FRAMES_PER_SECOND:
        scene = plan_scene(known, unknown, (seed, number))
        yield draw_scene(scene, first, 100 * number, numbered=numbered)
        first += scene.frames
        number += 1


def draw_scene(
    scene: Scene, first: int = 0, things_before: int = 0, *, numbered: bool = False
) -> Iterator[Frame]:
    """The frames of a scene, numbered from `first`; the number can be read from the picture
    if it is `numbered`.
    """
    webcam = Webcam(scene.rng)
    painters = [_Painter(stay, scene.rng, things_before) for stay in scene.stays]
    painters.sort(key=lambda painter: painter.stay.level)
    for number in range(scene.frames):
        seconds = number / FRAMES_PER_SECOND
        sway = webcam.sway(seconds)
        canvas = Canvas.of(webcam.table(sway))
        shown = [painter.paint(canvas, seconds, sway) for painter in painters]
        frame = webcam.shoot(canvas.frame, number, seconds)
        if numbered:
            stamp(frame, first + number)

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
        return np.array([pose.x, pose.y]) + way * (reach + (1 - near) * OUT_PX)
