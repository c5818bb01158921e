"""References that have no picture, made at the level of features: what a hundred thousand
take can be measured without weeks of drawing, decoding and encoding.

What is true of them is what real ones hand on: descriptors mixed of two real ones, sizes of
real features, thumbnails of two joined halves, embeddings with the mean and the covariance
of real ones. Places and angles are even; a real picture's are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scale_pictures import draw_distractor

from data_label_factory.identify.camera import Rng
from data_label_factory.identify.encoders import Embeddings, unit_rows
from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize.appearance import make_thumbnail
from data_label_factory.identify.recognize.background import make_tiny
from data_label_factory.identify.recognize.features import (
    DESCRIPTOR_SCALE,
    Features,
    reference_extractor,
)
from data_label_factory.identify.recognize.store_writer import MOST_FEATURES, Reference
from data_label_factory.identify.recognize.thumbnails import compress

_POOLED = 300  # features of a real picture that others are mixed of
_MIXED = (0.3, 0.7)  # how much of the first of two descriptors
_JITTER = 4.0  # shape of the gamma noise on a histogram: a deviation of half of each bin


@dataclass(frozen=True)
class Material:
    """What real pictures lend: descriptors (F, 128), the sizes (F,) of those features in
    px, and thumbnails (H, W, 3).
    """

    descriptors: NDArray[np.uint8]
    sizes: NDArray[np.float32]
    thumbs: list[RGB]

    @classmethod
    def of(cls, pictures: Sequence[RGB]) -> Material:
        extract = reference_extractor(_POOLED)
        found = [extract(picture) for picture in pictures]
        return cls(
            np.concatenate([one.descriptors for one in found]),
            np.concatenate([one.size for one in found]),
            [make_thumbnail(picture) for picture in pictures],
        )


def make_reference(material: Material, key: int, rng: Rng) -> Reference:
    """One with as many features as a real one has at most."""
    shape = _shape_of(material.thumbs[int(rng.integers(len(material.thumbs)))])
    features = Features(
        xy=(rng.random((MOST_FEATURES, 2)) * shape[::-1]).astype(np.float32),
        size=material.sizes[rng.integers(len(material.sizes), size=MOST_FEATURES)],
        angle=rng.uniform(0, 2 * np.pi, MOST_FEATURES).astype(np.float32),
        descriptors=_mix(material.descriptors, rng),
        shape=shape,
    )
    thumb = draw_distractor(material.thumbs, rng)
    return Reference(key, features, compress(thumb), make_tiny(thumb))


def make_embeddings(real: Embeddings, count: int, rng: Rng) -> Embeddings:
    """(count, D) unit rows from the Gaussian with the mean and covariance of `real` (P, D)."""
    mean = real.mean(axis=0)
    away = (real - mean) / np.float32(np.sqrt(len(real)))
    drawn = rng.standard_normal((count, len(real)), np.float32) @ away
    return unit_rows(drawn + mean)


def _shape_of(thumb: RGB) -> tuple[int, int]:
    """Of a picture with such a thumbnail: height and width."""
    height, width = thumb.shape[:2]
    return 480 * height // max(height, width), 480 * width // max(height, width)


def _mix(descriptors: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """(MOST_FEATURES, 128): histograms between those of two, each bin a little off."""
    pairs = rng.integers(len(descriptors), size=(2, MOST_FEATURES))
    first, second = (descriptors[rows].astype(np.float32) ** 2 for rows in pairs)
    share = rng.uniform(*_MIXED, (MOST_FEATURES, 1)).astype(np.float32)
    histogram = share * first + (1 - share) * second
    histogram *= rng.gamma(_JITTER, 1 / _JITTER, histogram.shape)
    histogram /= histogram.sum(axis=1, keepdims=True)
    return np.asarray(np.rint(DESCRIPTOR_SCALE * np.sqrt(histogram)).clip(0, 255), np.uint8)
