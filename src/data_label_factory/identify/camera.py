"""Reference pictures → what a webcam would show of them, with the true outlines.

Used wherever the real camera has to be foreseen: `verify --simulate`, training views, tests, the demo. Everything
is drawn here from a random generator, so the same generator state gives the same view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, as_points, straighten

Rng = np.random.Generator


@dataclass(frozen=True)
class View:
    """`image` (H, W, 3) uint8 RGB; `outlines` one (4, 2) float32 px for each reference shown, in their order."""

    image: RGB
    quads: list[Quad]


def render_view(
    references: Sequence[RGB], rng: Rng, *, width: int = 640, height: int = 480
) -> View:
    """Lay `references` side by side on a random ground and photograph them.

    Each is turned (now and then onto its side or head), tilted in perspective, lit, partly under glare or a finger;
    the frame is then exposed, blurred, made noisy and JPEG-compressed as a webcam does.
    """
    frame = _ground(rng, width, height)
    quads = []
    for slot, reference in enumerate(references):
        quad = _place(reference, rng, slot, len(references), width, height)
        _paste(frame, _lit(reference, rng), quad)
        if rng.random() < 0.35:
            _finger(frame, quad, rng)
        quads.append(quad)
    return View(_sensor(frame, rng), quads)


def live_crop(reference: RGB, rng: Rng, side: int) -> RGB:
    """One (side, side, 3) crop as the live tracker would cut it from a view: straightened, its corners a little off."""
    return tight_crop(render_view([reference], rng), rng, side)


def tight_crop(view: View, rng: Rng, side: int) -> RGB:
    """The first item of `view` straightened to (side, side, 3), each corner a little off, as a tracker's are."""
    quad = view.quads[0]
    size = float(np.sqrt(max(cv2.contourArea(quad), 1.0)))
    return straighten(view.image, as_points(quad + rng.normal(0, 0.025 * size, (4, 2))), side)


def loose_crop(view: View, rng: Rng, side: int) -> RGB:
    """The first item of `view` as a box around it shows it: turned as it lies, with ground on every side.

    The upright bounding box grows by 10 to 80 % of its size on each side, ends at the frame, and is squeezed to
    (side, side, 3).
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
    """An outline for `reference` inside its share of the frame's width, turned and tilted."""
    room = width / slots
    aspect = reference.shape[1] / reference.shape[0]
    turn = np.radians(rng.normal(0, 12) + (rng.choice([90, 180, 270]) if rng.random() < 0.2 else 0))
    half = np.array([aspect, 1.0]) / max(aspect, 1.0) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    # Perspective: each corner nearer or farther, yet never across a thin reference.
    corners += rng.normal(0, np.minimum(0.025, half / 10), (4, 2))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = corners @ rotation
    extent = corners.max(axis=0) - corners.min(axis=0)
    largest = min(room / extent[0], height / extent[1])
    corners *= largest * rng.uniform(0.5, 0.97)
    slack = (np.array([room, height]) - (corners.max(axis=0) - corners.min(axis=0))) / 2
    center = (
        np.array([room * (slot + 0.5), height / 2])
        - (corners.max(axis=0) + corners.min(axis=0)) / 2
    )
    return as_points(corners + center + rng.uniform(-slack, slack))


def _paste(frame: NDArray[np.float32], item: NDArray[np.float32], quad: Quad) -> None:
    height, width = item.shape[:2]
    longest = max(float(np.linalg.norm(quad[i] - quad[i - 1])) for i in range(4))
    shrink = longest / max(height, width)
    if shrink < 0.7:
        width, height = max(1, round(width * shrink)), max(1, round(height * shrink))
        item = np.asarray(
            cv2.resize(item, (width, height), interpolation=cv2.INTER_AREA), np.float32
        )
    matrix = cv2.getPerspectiveTransform(
        as_points([[0, 0], [width, 0], [width, height], [0, height]]), quad
    )
    size = (frame.shape[1], frame.shape[0])
    mask = np.zeros(frame.shape[:2], np.float32)
    cv2.fillConvexPoly(mask, np.round(quad * 16).astype(np.int32), 1.0, cv2.LINE_AA, shift=4)
    shadow = cv2.GaussianBlur(np.roll(mask, (5, 4), (0, 1)), (0, 0), 5)[..., None]
    warped = np.asarray(
        cv2.warpPerspective(item, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
    frame *= 1 - 0.45 * shadow
    frame += (warped - frame) * mask[..., None]


def _lit(reference: RGB, rng: Rng) -> NDArray[np.float32]:
    """The reference under uneven light, sometimes with glare; (H, W, 3) float32 in 0…255."""
    height, width = reference.shape[:2]
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    slope = (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5)) * rng.uniform(0, 0.4)
    lit = reference.astype(np.float32) * (1 + slope)[..., None]
    if rng.random() < 0.4:
        cx, cy, sx, sy = (
            rng.uniform(0, 1),
            rng.uniform(0, 1),
            rng.uniform(0.08, 0.35),
            rng.uniform(0.05, 0.2),
        )
        glare = np.exp(-(((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2)) * rng.uniform(0.4, 1.0)
        lit += (255 - lit) * glare[..., None].astype(np.float32)
    return np.asarray(lit, np.float32)


def _finger(frame: NDArray[np.float32], quad: Quad, rng: Rng) -> None:
    """A thumb over one edge, pointing inwards."""
    side = int(rng.integers(4))
    a, b = quad[side], quad[(side + 1) % 4]
    at = a + (b - a) * rng.uniform(0.2, 0.8)
    inwards = quad.mean(axis=0) - at
    tip, root = at + inwards * rng.uniform(0.1, 0.35), at - inwards * 3
    thickness = max(4, int(np.linalg.norm(inwards) * rng.uniform(0.25, 0.4)))
    skin = np.array(_SKIN[rng.integers(len(_SKIN))]) * rng.uniform(0.8, 1.1)
    ends = [tuple(int(v) for v in np.clip(p * 16, -30000, 30000)) for p in (root, tip)]
    mask = np.zeros(frame.shape[:2], np.float32)
    cv2.line(mask, ends[0], ends[1], 1.0, thickness, cv2.LINE_AA, shift=4)
    shade = cv2.GaussianBlur(mask, (0, 0), max(1.0, thickness / 6))[..., None] * 0.35 + 0.65
    frame += (skin.astype(np.float32) * shade - frame) * mask[..., None]


_SKIN = ((236, 188, 160), (205, 150, 115), (150, 100, 70), (96, 62, 45))


def _sensor(frame: NDArray[np.float32], rng: Rng) -> RGB:
    """Exposure, white balance, blur, noise and JPEG of a webcam: float32 0…255 → uint8."""
    gain = rng.uniform(0.65, 1.3) * rng.uniform(0.92, 1.08, 3)
    seen = 255 * np.clip(frame * gain / 255, 0, 1) ** rng.uniform(0.85, 1.2)
    blur = rng.uniform(0, 1.4)
    if blur > 0.3:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), blur), np.float64)
    if rng.random() < 0.25:
        seen = np.asarray(cv2.filter2D(seen, -1, _motion_kernel(rng)), np.float64)
    seen = seen + rng.normal(0, rng.uniform(1, 7), seen.shape)
    picture = np.clip(seen, 0, 255).astype(np.uint8)
    _, packed = cv2.imencode(
        ".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 92))]
    )
    return np.ascontiguousarray(
        np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    )


def _motion_kernel(rng: Rng) -> NDArray[np.float32]:
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    middle, angle = (length - 1) / 2, rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    ends = [tuple(round(float(v)) for v in middle + sign * reach) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _ground(rng: Rng, width: int, height: int) -> NDArray[np.float32]:
    """What lies behind the items: cloth, wood, or a cluttered desk; (H, W, 3) float32 in 0…255."""
    base = rng.uniform(35, 215) + rng.normal(0, 22, 3)  # most desks are dull; some are not
    grain = rng.normal(0, 1, (height // 4 + 1, width // 4 + 1, 1)).astype(np.float32)
    kind = rng.integers(3)
    if kind == 1:  # wood: noise drawn out along one direction
        grain = (
            np.asarray(cv2.GaussianBlur(grain, (0, 0), sigmaX=12, sigmaY=0.6), np.float32)[
                ..., None
            ]
            * 4
        )
    grain = np.asarray(
        cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC), np.float32
    )[..., None]
    ground = np.float32(base) + grain * np.float32(rng.uniform(3, 16)) * np.float32(
        rng.uniform(0.6, 1.0, 3)
    )
    if kind == 2:
        for _ in range(int(rng.integers(4, 16))):
            _thing(ground, rng, width, height)
    return np.asarray(np.clip(ground, 0, 255), np.float32)


def _thing(ground: NDArray[np.float32], rng: Rng, width: int, height: int) -> None:
    color = tuple(float(v) for v in rng.uniform(10, 245, 3))
    center = (float(rng.uniform(0, width)), float(rng.uniform(0, height)))
    size = (float(rng.uniform(15, width / 2)), float(rng.uniform(10, height / 2)))
    box = cv2.boxPoints((center, size, float(rng.uniform(0, 180))))
    if rng.random() < 0.6:
        cv2.fillConvexPoly(ground, box.astype(np.int32), color, cv2.LINE_AA)
    else:
        axes = (int(size[0] / 2), int(size[1] / 2))
        cv2.ellipse(
            ground, (int(center[0]), int(center[1])), axes, 0, 0, 360, color, -1, cv2.LINE_AA
        )
