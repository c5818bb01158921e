"""A reference picture → the views a head is trained on, and those that
validate it.

There are two kinds of views. Camera crops are what a live tracker
would cut from a webcam frame; a tight and a loose one come from
each frame, since rendering costs more than cropping. Augmentations
are the usual ones of contrastive training: crop, rotation, warp,
color, gray, blur. The random generator is seeded per picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.camera import Rng, loose_crop, render_view, tight_crop
from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import as_points
from data_label_factory.identify.train.settings import ViewRecipe


def draw_views(reference: RGB, recipe: ViewRecipe, sha256: str) -> list[RGB]:
    """The `recipe.views` training views of a picture, then the
    held-out ones, (side, side, 3) each.

    The seed is the content (`sha256` of the file), so a picture's
    views do not depend on what else is in the folder. The held-out
    views have a separate generator: they stay the same whatever is
    trained on.
    """
    content = int(sha256[:16], 16)
    training = np.random.default_rng([recipe.seed, 0, content])
    validation = np.random.default_rng([recipe.seed, 1, content])

    side = recipe.side_px
    plain = round(recipe.views * recipe.plain_share)
    views = camera_crops(reference, recipe.views - plain, training, side)
    views += [augment(reference, training, side) for _ in range(plain)]
    return views + camera_crops(reference, recipe.heldout, validation, side)


def camera_crops(reference: RGB, count: int, rng: Rng, side: int) -> list[RGB]:
    """`count` crops, tight and loose in turn, two from each simulated webcam frame."""
    crops: list[RGB] = []
    while len(crops) < count:
        view = render_view([reference], rng)
        crops += [tight_crop(view, rng, side), loose_crop(view, rng, side)]
    return crops[:count]


def augment(reference: RGB, rng: Rng, side: int) -> RGB:
    """One augmented view, (side, side, 3).

    A crop of 60 to 100 % of the area, rotated by up to 20° and
    warped. Brightness, contrast and saturation change by up to 40
    %. One view in five is gray, and half of them are blurred.
    """
    small = np.asarray(cv2.resize(reference, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    view = _jitter_colors(_warp_at_random(small, rng, side), rng)

    if rng.random() < 0.5:
        sigma = rng.uniform(0.3, 2.0)
        view = np.asarray(cv2.GaussianBlur(view, (0, 0), sigma), np.float32)
    return np.clip(view, 0, 255).astype(np.uint8)


def _warp_at_random(picture: RGB, rng: Rng, side: int) -> NDArray[np.float32]:
    """Crop, rotate and warp a square picture in one step."""
    scale = np.sqrt(rng.uniform(0.6, 1.0))
    angle = np.radians(rng.uniform(-20, 20))
    half = side / 2

    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half * scale @ rotation + half
    shift = rng.uniform(-1, 1, 2) * half * (1 - scale)
    corners += shift + rng.normal(0, 0.04 * side, (4, 2))

    square = as_points([[0, 0], [side, 0], [side, side], [0, side]])
    matrix = cv2.getPerspectiveTransform(as_points(corners), square)
    return np.asarray(cv2.warpPerspective(picture, matrix, (side, side)), np.float32)


def _jitter_colors(view: NDArray[np.float32], rng: Rng) -> NDArray[np.float32]:
    brightness, contrast, saturation = (np.float32(rng.uniform(0.6, 1.4)) for _ in range(3))
    view = view * brightness
    view = view.mean() + (view - view.mean()) * contrast

    gray = view.mean(axis=2, keepdims=True)
    factor = 0 if rng.random() < 0.2 else saturation
    return np.asarray(gray + (view - gray) * factor, np.float32)
