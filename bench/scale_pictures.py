"""Distractors: pictures that are in no photo, made from real references, so that they are
as hard to tell from them as other real ones.

All pieces are mirrored: what is not would be part of a true item.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from data_label_factory.cpu import cpu_count
from data_label_factory.identify.camera import Rng
from data_label_factory.identify.images import RGB, decode
from data_label_factory.walk import walk_folder

SIDE_PX = 480  # the longer one; references of that size are nowhere near their limits
_CROPPED, _RECOLORED = 0.3, 0.5  # of all distractors; the rest are two joined halves
_CROP_SIDES = (0.4, 0.7)  # of the picture's: a detail, as of another edition
_GAINS, _OFFSETS = (0.6, 1.1), (0, 60)  # of a channel, in gray levels of 255
_JPEG_QUALITY = 90


def read_stock(data: Path, names: Sequence[str]) -> list[RGB]:
    """The references of the sets `names`, shrunk to SIDE_PX."""
    pictures = []
    for name in names:
        folder = data / name / "refs"
        pictures += [_shrink(decode(folder / file)) for file in walk_folder(folder).pictures]
    return pictures


def draw_distractor(stock: Sequence[RGB], rng: Rng) -> RGB:
    """A crop of one picture, or mirrored halves of two, half of them in other colors."""
    first, second = (np.asarray(stock[n][:, ::-1]) for n in rng.integers(len(stock), size=2))
    is_crop = rng.random() < _CROPPED
    drawn = _crop(first, rng) if is_crop else _join(first, second, rng)
    return _recolor(drawn, rng) if rng.random() < _RECOLORED else drawn


def write_distractors(stock: Sequence[RGB], folder: Path, numbers: Sequence[int]) -> list[Path]:
    """One file for each of the `numbers`; always the same for the same number and stock.
    What is there already stays.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def write(number: int) -> Path:
        path = folder / f"distractor_{number:07}.jpg"
        if not path.exists():
            picture = draw_distractor(stock, np.random.default_rng(number))
            Image.fromarray(picture).save(path, quality=_JPEG_QUALITY)
        return path

    with ThreadPoolExecutor(cpu_count()) as pool:
        return list(pool.map(write, numbers))


def name_contents(count: int) -> list[str]:
    """SHA-256 sums that stand for files that nobody has."""
    return [hashlib.sha256(f"synthesized {n}".encode()).hexdigest() for n in range(count)]


def _crop(picture: RGB, rng: Rng) -> RGB:
    height, width = picture.shape[:2]
    share = rng.uniform(*_CROP_SIDES)
    size = round(height * share), round(width * share)
    top, left = int(rng.integers(height - size[0] + 1)), int(rng.integers(width - size[1] + 1))
    part = picture[top : top + size[0], left : left + size[1]]
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _join(first: RGB, second: RGB, rng: Rng) -> RGB:
    """A part of one picture beside, or above, the rest of another of its size."""
    height, width = first.shape[:2]
    second = cv2.resize(second, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    joined = first.copy()
    share = rng.uniform(0.3, 0.7)
    if rng.random() < 0.5:
        joined[round(height * share) :] = second[round(height * share) :]
    else:
        joined[:, round(width * share) :] = second[:, round(width * share) :]
    return joined


def _recolor(picture: RGB, rng: Rng) -> RGB:
    """Other channels, each darker or paler."""
    mixed = picture[..., rng.permutation(3)] * rng.uniform(*_GAINS, 3) + rng.uniform(*_OFFSETS, 3)
    return np.asarray(mixed.clip(0, 255), np.uint8)


def _shrink(picture: RGB) -> RGB:
    height, width = picture.shape[:2]
    scale = min(1.0, SIDE_PX / max(height, width))
    size = round(width * scale), round(height * scale)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
