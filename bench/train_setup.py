"""What the bench of training measures with: encoders that count or cost nothing, real photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from data_label_factory.identify.encoders import (
    Embeddings,
    Encoder,
    EncoderIdentity,
    unit_rows,
)
from data_label_factory.identify.encoders.head import ProjectionHead
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.train.bank import Bank
from data_label_factory.walk import walk_folder


class CountingEncoder:
    """An encoder that counts the pictures it is given."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.pictures = 0
        self.identity = encoder.identity
        self.dim = encoder.dim

    def encode(self, images: Sequence[RGB]) -> Embeddings:
        self.pictures += len(images)
        return self._encoder.encode(images)


class StandInEncoder:
    """Random projections of a small copy of the picture, (N, 512): costs next to nothing."""

    def __init__(self) -> None:
        self.identity = EncoderIdentity("stand-in", "0" * 64, {})
        self.dim = 512
        self._matrix = np.random.default_rng(0).standard_normal((192, 512)).astype(np.float32)

    def encode(self, images: Sequence[RGB]) -> Embeddings:
        rows = []
        for image in images:
            small = np.asarray(Image.fromarray(image).resize((8, 8)), np.float32)
            rows.append(small.ravel() - 127.5)
        return unit_rows(np.stack(rows) @ self._matrix)


class BookPhotos:
    """The real photos of books: whole, and center crops of 80 and 60 % of each side."""

    def __init__(self, books: Path, bank: Bank, encoder: Encoder) -> None:
        rows = {Path(name).stem: row for row, name in enumerate(bank.references)}
        photos = [
            name for name in walk_folder(books / "queries").pictures if Path(name).stem in rows
        ]
        pictures = [decode(books / "queries" / name, min_side=576) for name in photos]

        self._true_rows = np.array([rows[Path(name).stem] for name in photos])
        self._references = bank.reference_features()
        self._features: dict[float, Embeddings] = {}
        for fraction in (1.0, 0.8, 0.6):
            crops = [_crop_center(picture, fraction) for picture in pictures]
            self._features[fraction] = encoder.encode(crops)

    def top1(self, head: ProjectionHead) -> dict[str, list[float]]:
        """Return top-1 without and with the head, by fraction of the photo's sides."""
        scores = {}
        for fraction, features in self._features.items():
            without = self._score(unit_rows(features), unit_rows(self._references))
            with_head = self._score(head(features), head(self._references))
            scores[f"{fraction:.0%}"] = [without, with_head]
        return scores

    def _score(self, photos: Embeddings, references: Embeddings) -> float:
        nearest = (photos @ references.T).argmax(axis=1)
        return round(float((nearest == self._true_rows).mean()), 3)


def _crop_center(picture: RGB, fraction: float) -> RGB:
    height, width = picture.shape[:2]
    top = round(height * (1 - fraction) / 2)
    left = round(width * (1 - fraction) / 2)
    return picture[top : height - top, left : width - left]
