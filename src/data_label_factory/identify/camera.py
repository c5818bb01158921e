"""Reference pictures → what a webcam would show of them, with their true
quads.

Used wherever a real camera has to be predicted: `verify --simulate`, training
views, the demo and tests. Everything is drawn from a random generator, so the
same state gives the same view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, as_points, frame_quad, straighten

Rng = np.random.Generator
_Floats = NDArray[np.float32]

_SKIN_TONES = ((236, 188, 160), (205, 150, 115), (150, 100, 70), (96, 62, 45))

# How often an item is turned onto its side or head, lies under glare, or under a
# finger; and how often the frame is blurred by motion. Like all numbers in this
# file, set by hand.
_TURNED = 0.2
_GLARE = 0.4
_FINGER = 0.35
_MOTION_BLUR = 0.25

# Kinds of backgrounds; the third, 0, is cloth.
_WOOD = 1
_CLUTTERED = 2

# Of a tracker's corners, as a fraction of the size of the quad.
_CORNER_NOISE = 0.025
_FIXED_POINT_BITS = 4  # OpenCV draws at coordinates in sixteenths of a pixel
_FIXED_POINT = 2**_FIXED_POINT_BITS


@dataclass(frozen=True)
class View:
    """`image` (H, W, 3) uint8 RGB, and the quad (4, 2) float32 px of each
    reference, in order.
    """

    image: RGB
    quads: list[Quad]


def render_view(
    references: Sequence[RGB], rng: Rng, *, width: int = 640, height: int = 480
) -> View:
    """Lay `references` side by side on a random background and photograph
    them.

    Each is turned (sometimes onto its side or head), tilted in perspective,
    lit, and sometimes partly covered by glare or a finger. The frame is then
    exposed, blurred, made noisy and JPEG-compressed as a webcam does.
    """
    frame = _draw_background(rng, width, height)

    quads = []
    for slot, reference in enumerate(references):
        quad = _place(reference, rng, slot, len(references), width, height)
        _paste(frame, _light(reference, rng), quad)
        if rng.random() < _FINGER:
            _draw_finger(frame, quad, rng)
        quads.append(quad)
    return View(_expose(frame, rng), quads)


def live_crop(reference: RGB, rng: Rng, side: int) -> RGB:
    """A (side, side, 3) crop as the live tracker would cut it from a view of
    `reference`.
    """
    return tight_crop(render_view([reference], rng), rng, side)


def tight_crop(view: View, rng: Rng, side: int) -> RGB:
    """The first item of `view` straightened to (side, side, 3).

    Each corner is slightly off, as a tracker's are.
    """
    quad = view.quads[0]
    size = float(np.sqrt(max(cv2.contourArea(quad), 1.0)))
    noise = rng.normal(0, _CORNER_NOISE * size, (4, 2))
    return straighten(view.image, as_points(quad + noise), side)


def loose_crop(view: View, rng: Rng, side: int) -> RGB:
    """The first item of `view` in an upright box around it, with background
    on every side.

    The item stays turned as it lies. The box grows by 10 to 80 % of its size
    on each side, ends at the frame, and is scaled to (side, side, 3) whatever
    its aspect ratio.
    """
    quad = view.quads[0]
    height, width = view.image.shape[:2]

    extent = quad.max(axis=0) - quad.min(axis=0)
    low = quad.min(axis=0) - extent * rng.uniform(0.1, 0.8, 2)
    high = quad.max(axis=0) + extent * rng.uniform(0.1, 0.8, 2)

    left, top = (int(v) for v in np.clip(low, 0, [width - 2, height - 2]))
    right, bottom = (int(v) for v in np.clip(high, [left + 2, top + 2], [width, height]))
    box = view.image[top:bottom, left:right]
    return np.asarray(cv2.resize(box, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _place(reference: RGB, rng: Rng, slot: int, slots: int, width: int, height: int) -> Quad:
    """A turned and tilted quad for `reference`, inside its part of the frame's width."""
    room = width / slots
    aspect = reference.shape[1] / reference.shape[0]
    degrees = rng.normal(0, 12) + (rng.choice([90, 180, 270]) if rng.random() < _TURNED else 0)
    turn = np.radians(degrees)

    # Around the origin, with the longer side 1. Perspective moves each corner, but
    # never so far that a thin reference folds over.
    half = np.array([aspect, 1.0]) / max(aspect, 1.0) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    corners += rng.normal(0, np.minimum(0.025, half / 10), (4, 2))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = corners @ rotation

    extent = corners.max(axis=0) - corners.min(axis=0)
    largest = min(room / extent[0], height / extent[1])
    corners *= largest * rng.uniform(0.5, 0.97)

    low = corners.min(axis=0)
    high = corners.max(axis=0)
    slack = (np.array([room, height]) - (high - low)) / 2
    center = np.array([room * (slot + 0.5), height / 2]) - (high + low) / 2
    return as_points(corners + center + rng.uniform(-slack, slack))


def _paste(frame: _Floats, item: _Floats, quad: Quad) -> None:
    """Draw `item` (h, w, 3) into `frame` (H, W, 3) at `quad`, in place, with a shadow."""
    item = _shrink_to_fit(item, quad)
    height, width = item.shape[:2]
    frame_height, frame_width = frame.shape[:2]
    matrix = cv2.getPerspectiveTransform(frame_quad(width, height), quad)
    warped = np.asarray(
        cv2.warpPerspective(
            item, matrix, (frame_width, frame_height), borderMode=cv2.BORDER_REPLICATE
        ),
        np.float32,
    )

    mask = np.zeros((frame_height, frame_width), np.float32)
    corners = np.round(quad * _FIXED_POINT).astype(np.int32)
    cv2.fillConvexPoly(mask, corners, 1.0, cv2.LINE_AA, shift=_FIXED_POINT_BITS)
    shadow = cv2.GaussianBlur(np.roll(mask, (5, 4), (0, 1)), (0, 0), 5)[..., None]

    frame *= 1 - 0.45 * shadow
    frame += (warped - frame) * mask[..., None]


def _shrink_to_fit(item: _Floats, quad: Quad) -> _Floats:
    """The item, smaller if it is much larger than its quad, so that
    warping does not alias.
    """
    height, width = item.shape[:2]
    longest = max(float(np.linalg.norm(quad[i] - quad[i - 1])) for i in range(4))
    shrink = longest / max(height, width)
    if shrink >= 0.7:
        return item

    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    return np.asarray(cv2.resize(item, size, interpolation=cv2.INTER_AREA), np.float32)


def _light(reference: RGB, rng: Rng) -> _Floats:
    """The reference under uneven light, sometimes with glare; (H, W, 3)
    float32 in 0…255.
    """
    height, width = reference.shape[:2]
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)

    angle = rng.uniform(0, 2 * np.pi)
    slope = (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5)) * rng.uniform(0, 0.4)
    lit = reference.astype(np.float32) * (1 + slope)[..., None]

    if rng.random() < _GLARE:
        center_x = rng.uniform(0, 1)
        center_y = rng.uniform(0, 1)
        spread_x = rng.uniform(0.08, 0.35)
        spread_y = rng.uniform(0.05, 0.2)
        distance = ((x - center_x) / spread_x) ** 2 + ((y - center_y) / spread_y) ** 2
        glare = np.exp(-distance) * rng.uniform(0.4, 1.0)
        lit += (255 - lit) * glare[..., None].astype(np.float32)
    return np.asarray(lit, np.float32)


def _draw_finger(frame: _Floats, quad: Quad, rng: Rng) -> None:
    """Draw a thumb over one edge of `quad`, pointing inwards, in place."""
    side = int(rng.integers(4))
    a, b = quad[side], quad[(side + 1) % 4]
    at_edge = a + (b - a) * rng.uniform(0.2, 0.8)
    inwards = quad.mean(axis=0) - at_edge
    tip = at_edge + inwards * rng.uniform(0.1, 0.35)
    root = at_edge - inwards * 3
    thickness = max(4, int(np.linalg.norm(inwards) * rng.uniform(0.25, 0.4)))
    skin = np.array(_SKIN_TONES[rng.integers(len(_SKIN_TONES))]) * rng.uniform(0.8, 1.1)

    mask = np.zeros(frame.shape[:2], np.float32)
    start, end = (
        tuple(int(v) for v in np.clip(point * _FIXED_POINT, -30000, 30000)) for point in (root, tip)
    )
    cv2.line(mask, start, end, 1.0, thickness, cv2.LINE_AA, shift=_FIXED_POINT_BITS)

    shade = cv2.GaussianBlur(mask, (0, 0), max(1.0, thickness / 6))[..., None] * 0.35 + 0.65
    frame += (skin.astype(np.float32) * shade - frame) * mask[..., None]


def _expose(frame: _Floats, rng: Rng) -> RGB:
    """Exposure, white balance, blur, noise and JPEG of a webcam: float32
    0…255 → uint8.
    """
    gain = rng.uniform(0.65, 1.3) * rng.uniform(0.92, 1.08, 3)
    exposed = 255 * np.clip(frame * gain / 255, 0, 1) ** rng.uniform(0.85, 1.2)

    blur = rng.uniform(0, 1.4)
    if blur > 0.3:
        exposed = np.asarray(cv2.GaussianBlur(exposed, (0, 0), blur), np.float64)
    if rng.random() < _MOTION_BLUR:
        exposed = np.asarray(cv2.filter2D(exposed, -1, _draw_motion_kernel(rng)), np.float64)

    exposed = exposed + rng.normal(0, rng.uniform(1, 7), exposed.shape)
    image = np.clip(exposed, 0, 255).astype(np.uint8)
    return _compress(image, quality=int(rng.integers(50, 92)))


def _compress(image: RGB, quality: int) -> RGB:
    """The image after JPEG compression."""
    # OpenCV has blue first.
    _, jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


def _draw_motion_kernel(rng: Rng) -> _Floats:
    """A line of 3 to 7 px in a random direction, (n, n), with the sum 1."""
    length = int(rng.integers(3, 8))
    middle = (length - 1) / 2
    angle = rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle

    kernel = np.zeros((length, length), np.float32)
    start, end = (tuple(round(float(v)) for v in middle + sign * reach) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _draw_background(rng: Rng, width: int, height: int) -> _Floats:
    """Cloth, wood, or a cluttered desk; (H, W, 3) float32 in 0…255."""
    color = rng.uniform(35, 215) + rng.normal(0, 22, 3)  # most desks are dull; some are not
    grain = rng.normal(0, 1, (height // 4 + 1, width // 4 + 1, 1)).astype(np.float32)
    kind = rng.integers(3)

    if kind == _WOOD:  # noise stretched along one direction
        blurred = cv2.GaussianBlur(grain, (0, 0), sigmaX=12, sigmaY=0.6)
        grain = np.asarray(blurred, np.float32)[..., None] * 4
    enlarged = cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = np.asarray(enlarged, np.float32)[..., None]

    strength = np.float32(rng.uniform(3, 16))
    tint = np.float32(rng.uniform(0.6, 1.0, 3))
    background = np.float32(color) + grain * strength * tint

    if kind == _CLUTTERED:
        for _ in range(int(rng.integers(4, 16))):
            _draw_clutter(background, rng, width, height)
    return np.asarray(np.clip(background, 0, 255), np.float32)


def _draw_clutter(background: _Floats, rng: Rng, width: int, height: int) -> None:
    """Draw one box or ellipse of a random color, in place."""
    color = tuple(float(v) for v in rng.uniform(10, 245, 3))
    center = (float(rng.uniform(0, width)), float(rng.uniform(0, height)))
    size = (float(rng.uniform(15, width / 2)), float(rng.uniform(10, height / 2)))
    box = cv2.boxPoints((center, size, float(rng.uniform(0, 180))))

    if rng.random() < 0.6:
        cv2.fillConvexPoly(background, box.astype(np.int32), color, cv2.LINE_AA)
    else:
        middle = (int(center[0]), int(center[1]))
        axes = (int(size[0] / 2), int(size[1] / 2))
        cv2.ellipse(background, middle, axes, 0, 0, 360, color, -1, cv2.LINE_AA)
