"""What the drawn videos are painted with: cards, hands, light and a webcam.

All pictures are uint8 with blue first, as OpenCV encodes them. Sprites carry
a fourth channel and are multiplied by it already, so that warping and
blurring them leaves no fringes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.quad import Quad, as_points, frame_quad

WIDTH, HEIGHT = 640, 480
Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]

# Ownership, and with it how much of a thing is visible, is kept in cells of so many px.
CELL = 4
EMPTY = 0

# A frame's number, in blocks along its upper edge that are black or white: 15 bits, the
# lowest first, and five that check them.
STRIP_PX = 10
STRIP_BITS = 20

_MARGIN = 14  # px of a sprite around its card, for the shadow
_CORNER = 0.05  # radius of a card's corners, as a fraction of its height
_SHADOW = 110
_SWAY_MARGIN = 24  # px of background beyond the frame
_SKINS = ((160, 188, 236), (115, 150, 205), (70, 100, 150), (45, 62, 96))
_NOISES = 5
_MOST_BLUR_PX = 24
_HAND = np.array([340, 760])  # px: of a hand's sprites, with a long arm
_GRIP = np.array([170, 170])  # px: where in them the hand grips


@dataclass(frozen=True)
class Sprite:
    """`pixels` (h, w, 4); what lies at `corners` (4, 2) px is the thing itself."""

    pixels: Picture
    corners: Quad


@dataclass
class Canvas:
    """A frame, and whose thing is seen in each cell of CELL px."""

    frame: Picture
    owner: NDArray[np.int16]

    @classmethod
    def of(cls, background: Picture) -> Canvas:
        shape = (HEIGHT // CELL, WIDTH // CELL)
        return cls(background, np.full(shape, EMPTY, np.int16))

    def paint(self, sprite: Sprite, quad: Quad, motion: Floats, owner: int) -> None:
        """Draw the sprite with its corners at `quad`, blurred along `motion` (2,) px."""
        matrix = cv2.getPerspectiveTransform(sprite.corners, quad)
        height, width = sprite.pixels.shape[:2]
        outline = cv2.perspectiveTransform(frame_quad(width, height)[None], matrix)[0]
        room = min(float(np.linalg.norm(motion)), _MOST_BLUR_PX)
        box = _cells_around(outline, room)
        if box is None:
            return

        left, top, right, bottom = box
        way = motion if room >= 2 else np.zeros(2)
        begin = way / 2 - (left, top)
        shift = np.array([[1, 0, begin[0]], [0, 1, begin[1]], [0, 0, 1]])
        size = (right - left, bottom - top)
        layer = cv2.warpPerspective(sprite.pixels, shift @ matrix, size)
        layer = _smear(np.asarray(layer, np.uint8), -way)

        part = self.frame[top:bottom, left:right]
        part[:] = _over(layer, part)
        cells = self.owner[top // CELL : bottom // CELL, left // CELL : right // CELL]
        cells[layer[CELL // 2 :: CELL, CELL // 2 :: CELL, 3] >= 128] = owner


def _cells_around(outline: Quad, room: float) -> tuple[int, int, int, int] | None:
    """The part of the frame that the outline covers, in whole cells; None if it is outside."""
    low = np.floor((outline.min(axis=0) - room) / CELL).astype(int) * CELL
    high = np.ceil((outline.max(axis=0) + room) / CELL).astype(int) * CELL
    left, top = np.maximum(low, 0).tolist()
    right, bottom = np.minimum(high, [WIDTH, HEIGHT]).tolist()
    return (left, top, right, bottom) if left < right and top < bottom else None


def _over(layer: Picture, below: Picture) -> Picture:
    rest = cv2.cvtColor(255 - layer[..., 3], cv2.COLOR_GRAY2BGR)
    dimmed = cv2.multiply(below, rest, scale=1 / 255)
    return np.asarray(cv2.add(dimmed, layer[..., :3]), np.uint8)


def _smear(layer: Picture, way: Floats) -> Picture:
    """The layer as its mean on the way, (2,) px, from where it is.

    Each doubling halves the step: four blends show it in sixteen places.
    """
    if not way.any():
        return layer
    height, width = layer.shape[:2]
    for step in (way / 2, way / 4, way / 8, way / 16):
        moved = np.array([[1, 0, round(step[0])], [0, 1, round(step[1])]], np.float64)
        copy = cv2.warpAffine(
            layer,
            moved,
            (width, height),
            flags=cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_REPLICATE,
        )
        layer = np.asarray(cv2.addWeighted(layer, 0.5, copy, 0.5, 0), np.uint8)
    return layer


def card_sprite(picture: Picture, height: float) -> Sprite:
    """A card of `height` px with rounded corners and its shadow."""
    tall = round(height)
    wide = round(height * picture.shape[1] / picture.shape[0])
    small = cv2.resize(picture, (wide, tall), interpolation=cv2.INTER_AREA)

    shape = (tall + 2 * _MARGIN, wide + 2 * _MARGIN)
    mask = np.zeros(shape, np.uint8)
    radius = round(_CORNER * tall)
    left, top, right, bottom = _MARGIN, _MARGIN, _MARGIN + wide, _MARGIN + tall
    cv2.rectangle(mask, (left, top + radius), (right - 1, bottom - 1 - radius), 255, -1)
    cv2.rectangle(mask, (left + radius, top), (right - 1 - radius, bottom - 1), 255, -1)
    for x in (left + radius, right - 1 - radius):
        for y in (top + radius, bottom - 1 - radius):
            cv2.circle(mask, (x, y), radius, 255, -1, cv2.LINE_AA)

    shadow = cv2.GaussianBlur(np.roll(mask, (4, 3), (0, 1)), (0, 0), 4)
    alpha = np.maximum(mask, (shadow.astype(np.uint16) * _SHADOW // 255).astype(np.uint8))
    pixels = np.zeros((*shape, 4), np.uint8)
    inside = pixels[top:bottom, left:right, :3]
    inside[:] = cv2.multiply(
        small, cv2.cvtColor(mask[top:bottom, left:right], cv2.COLOR_GRAY2BGR), scale=1 / 255
    )
    pixels[..., 3] = alpha
    return Sprite(pixels, as_points(frame_quad(wide, tall) + _MARGIN))


def glare_mask(shape: tuple[int, int]) -> Picture:
    """A lamp's reflection, (2 h, 2 w) for a sprite of `shape`: cut out a part to move it."""
    height, width = shape
    y, x = np.mgrid[-1 : 1 : 2 * height * 1j, -1 : 1 : 2 * width * 1j]
    return np.asarray(255 * np.exp(-((x / 0.28) ** 2) - (y / 0.17) ** 2), np.uint8)


def lighten(sprite: Sprite, mask: Picture, at: float, strength: float) -> tuple[Sprite, float]:
    """The sprite with a reflection that has come `at` (0…1) of the way across it.

    Returns with it how white that makes the card, 0…1: the mean over its area.
    """
    if strength <= 0:
        return sprite, 0.0
    height, width = sprite.pixels.shape[:2]
    top, left = (round((1 - at) * side) for side in (height, width))
    part = cv2.convertScaleAbs(mask[top : top + height, left : left + width], alpha=strength)

    # White is what the alpha allows; in the shadow, which is mostly transparent, little.
    white = cv2.cvtColor(sprite.pixels[..., 3], cv2.COLOR_GRAY2BGR)
    room = cv2.subtract(white, sprite.pixels[..., :3])
    added = cv2.multiply(room, cv2.cvtColor(part, cv2.COLOR_GRAY2BGR), scale=1 / 255)
    pixels = sprite.pixels.copy()
    pixels[..., :3] = cv2.add(pixels[..., :3], added)
    inside = part[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return Sprite(pixels, sprite.corners), float(inside.mean()) / 255


def hand_sprites(rng: np.random.Generator, card_height: float) -> tuple[Sprite, Sprite]:
    """A hand that comes from below: palm with arm, and thumb.

    The palm lies behind what the hand holds, the thumb before it.
    """
    unit = card_height / 88  # px per mm: a card is 88 mm tall, the palm of a hand 85 mm wide
    skin = np.array(_SKINS[rng.integers(len(_SKINS))]) * rng.uniform(0.85, 1.1)

    palm = np.zeros(_HAND[::-1].tolist(), np.uint8)
    cv2.ellipse(palm, _in_hand(0, 38, unit), _axes(40, 46, unit), 0, 0, 360, 255, -1)
    end = (int(_GRIP[0]), int(_HAND[1]))
    cv2.line(palm, _in_hand(0, 75, unit), end, 255, round(56 * unit), cv2.LINE_AA)
    for x, reach in ((-30, 4), (-12, -9), (7, -12), (25, -4)):
        knuckle = _in_hand(0.8 * x, 30, unit)
        cv2.line(palm, knuckle, _in_hand(x, reach, unit), 255, round(15 * unit), cv2.LINE_AA)

    thumb = np.zeros_like(palm)
    root, tip = _in_hand(14, 34, unit), _in_hand(-5, -14, unit)
    cv2.line(thumb, root, tip, 255, round(17 * unit), cv2.LINE_AA)
    corners = frame_quad(*_HAND.tolist())
    return Sprite(_shaded(palm, skin, unit), corners), Sprite(_shaded(thumb, skin, unit), corners)


def _in_hand(x: float, y: float, unit: float) -> tuple[int, int]:
    """A place in a hand's sprite, from mm to the right of and below its grip."""
    return round(_GRIP[0] + x * unit), round(_GRIP[1] + y * unit)


def _axes(width: float, height: float, unit: float) -> tuple[int, int]:
    return round(width * unit), round(height * unit)


def _shaded(mask: Picture, skin: Floats, unit: float) -> Picture:
    """The mask in skin color, darker towards its edges as round things are."""
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3) / (9 * unit)
    shade = 0.62 + 0.38 * np.sqrt(np.clip(depth, 0, 1))
    color = np.clip(skin * shade[..., None], 0, 255)
    return np.dstack([color * (mask[..., None] / 255.0), mask]).astype(np.uint8)


def hand_quad(grip: Floats, angle: float) -> Quad:
    """Where a hand's sprite goes, so that it grips at `grip` and its arm points to `angle`.

    An angle of 0 points down the frame, to whoever sits before the camera.
    """
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return as_points((frame_quad(*_HAND.tolist()) - _GRIP) @ turn.T + grip)


def number_bits(number: int) -> list[int]:
    """The blocks' bits for a number below 2 ** 15."""
    check = (number ^ number >> 5 ^ number >> 10 ^ 0b10101) & 31
    return [(number | check << 15) >> bit & 1 for bit in range(STRIP_BITS)]


def stamp(frame: Picture, number: int) -> None:
    """Write the frame's number onto its upper edge, in place."""
    levels = np.array([[20], [235]], np.uint8)[number_bits(number)].repeat(3, axis=1)
    frame[:STRIP_PX] = levels.repeat(frame.shape[1] // STRIP_BITS, axis=0)


class Webcam:
    """Background, sway, exposure, blur, noise and compression of one camera on one table."""

    def __init__(self, rng: np.random.Generator) -> None:
        wide, high = WIDTH + 2 * _SWAY_MARGIN, HEIGHT + 2 * _SWAY_MARGIN
        view = render_view([], rng, width=wide, height=high).image
        self._background = np.ascontiguousarray(view[..., ::-1])
        self._sways = rng.random() < 0.4
        self._phase = rng.uniform(0, 2 * np.pi, 6)
        self._drift = rng.uniform(0.03, 0.22)
        self._blur = rng.uniform(0.3, 0.9)
        self._quality = int(rng.integers(75, 92))

        level = rng.uniform(1.5, 5)
        shape = (HEIGHT, WIDTH, 3)
        noises = [rng.normal(0, level, shape).round() for _ in range(_NOISES)]
        self._brighter = [noise.clip(0, 255).astype(np.uint8) for noise in noises]
        self._darker = [(-noise).clip(0, 255).astype(np.uint8) for noise in noises]

    def sway(self, seconds: float) -> Floats:
        """Table → frame, (2, 3): what a hand-held camera shifts and turns everything by."""
        if not self._sways:
            return np.array([[1, 0, 0], [0, 1, 0]], np.float64)
        waves = np.sin(seconds * np.array([1.1, 1.7, 0.9, 2.3, 3.1, 1.3]) + self._phase)
        angle = 0.008 * (waves[0] + 0.5 * waves[1])
        x, y = 4 * (waves[2] + 0.5 * waves[3]), 4 * (waves[4] * 0.5 + waves[5])

        # Turned around the middle of the frame.
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = np.array([WIDTH / 2, HEIGHT / 2])
        return np.column_stack([turn, middle - turn @ middle + [x, y]])

    def table(self, sway: Floats) -> Picture:
        if not self._sways:
            return self._background[_SWAY_MARGIN:-_SWAY_MARGIN, _SWAY_MARGIN:-_SWAY_MARGIN].copy()
        shifted = sway.copy()
        shifted[:, 2] -= sway[:, :2] @ np.full(2, _SWAY_MARGIN)
        border = cv2.BORDER_REFLECT
        picture = cv2.warpAffine(self._background, shifted, (WIDTH, HEIGHT), borderMode=border)
        return np.asarray(picture, np.uint8)

    def shoot(self, frame: Picture, number: int, seconds: float) -> Picture:
        """The frame as the camera exposes it: brighter and darker over time, soft, noisy."""
        gain = 1 + self._drift * np.sin(0.8 * seconds + self._phase[0])
        levels = np.clip(np.arange(256) * gain, 0, 255).astype(np.uint8)
        lit = cv2.GaussianBlur(cv2.LUT(frame, levels), (3, 3), self._blur)

        # The same noise never twice running, and mirrored it is another one.
        turn = number % _NOISES
        mirror = slice(None, None, 1 if number // _NOISES % 2 else -1)
        noisy = cv2.add(lit, self._brighter[turn][mirror])
        return np.asarray(cv2.subtract(noisy, self._darker[turn][mirror]), np.uint8)

    def compress(self, frame: Picture) -> bytes:
        _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return data.tobytes()
