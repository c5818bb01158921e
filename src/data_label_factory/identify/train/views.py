"""A reference picture → the views a head is trained on, and those that judge it.

Two kinds: crops that a live tracker would cut from a webcam frame (tight and loose, two from each rendered frame, since
rendering costs more than cropping), and the augmentations that contrastive training is used with (crop, turn, warp,
colour, grey, blur). They are drawn for one picture at a time from a generator of its own.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.camera import Rng, loose_crop, render_view, tight_crop
from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import as_points

SIDE_PX = 288
_REVISION = (
    1  # raise it when the same recipe draws other pictures: banks of the old ones are then not used
)


@dataclass(frozen=True)
class ViewRecipe:
    """How many views of each reference are drawn. Of the `views` to train on, `plain_share` are augmentations and the
    rest camera crops; `heldout_frames` frames give one tight and one loose crop each, to judge by."""

    views: int = 24
    plain_share: float = 1 / 6
    heldout_frames: int = 3
    seed: int = 0
    side_px: int = SIDE_PX
    revision: int = _REVISION

    @property
    def heldout(self) -> int:
        """Held-out views: tight and loose ones in turn."""
        return 2 * self.heldout_frames

    @property
    def hash(self) -> str:
        """Names the recipe: equal hashes draw equal views of equal pictures."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def draw_views(reference: RGB, recipe: ViewRecipe, sha256: str) -> list[RGB]:
    """The `recipe.views` training views of a picture, then its held-out ones, each (side, side, 3).

    Seeded by the content (`sha256` of the file), so that a picture's views do not depend on what else is in the folder;
    the held-out ones come from a generator of their own, so that they stay the same whatever is trained on.
    """
    content = int(sha256[:16], 16)
    training, judging = (np.random.default_rng([recipe.seed, stream, content]) for stream in (0, 1))
    plain = round(recipe.views * recipe.plain_share)
    views = camera_crops(reference, recipe.views - plain, training, recipe.side_px)
    views += [augment(reference, training, recipe.side_px) for _ in range(plain)]
    return views + camera_crops(reference, recipe.heldout, judging, recipe.side_px)


def camera_crops(reference: RGB, count: int, rng: Rng, side: int) -> list[RGB]:
    """`count` crops, tight and loose in turn, two from each simulated webcam frame."""
    crops: list[RGB] = []
    while len(crops) < count:
        view = render_view([reference], rng)
        crops += [tight_crop(view, rng, side), loose_crop(view, rng, side)]
    return crops[:count]


def augment(reference: RGB, rng: Rng, side: int) -> RGB:
    """One augmented view, (side, side, 3): a crop of 60 to 100 % of the area, turned by up to 20°, warped, other in
    brightness, contrast and saturation by up to 40 %, one in five grey, half of them blurred."""
    small = np.asarray(cv2.resize(reference, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    scale, turn, half = np.sqrt(rng.uniform(0.6, 1.0)), np.radians(rng.uniform(-20, 20)), side / 2
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half * scale @ rotation + half
    corners += rng.uniform(-1, 1, 2) * half * (1 - scale) + rng.normal(0, 0.04 * side, (4, 2))
    square = as_points([[0, 0], [side, 0], [side, side], [0, side]])
    matrix = cv2.getPerspectiveTransform(as_points(corners), square)
    view = np.asarray(cv2.warpPerspective(small, matrix, (side, side)), np.float32)
    view = _jitter_colors(view, rng)
    if rng.random() < 0.5:
        view = np.asarray(cv2.GaussianBlur(view, (0, 0), rng.uniform(0.3, 2.0)), np.float32)
    return np.clip(view, 0, 255).astype(np.uint8)


def _jitter_colors(view: NDArray[np.float32], rng: Rng) -> NDArray[np.float32]:
    brightness, contrast, saturation = (np.float32(rng.uniform(0.6, 1.4)) for _ in range(3))
    view = view * brightness
    view = view.mean() + (view - view.mean()) * contrast
    gray = view.mean(axis=2, keepdims=True)
    return np.asarray(gray + (view - gray) * (0 if rng.random() < 0.2 else saturation), np.float32)
