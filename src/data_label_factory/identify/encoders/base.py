"""What an encoder is: pictures in, unit vectors out; and how a picture becomes its input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from data_label_factory.identify.images import RGB

Embeddings = NDArray[np.float32]  # (N, D), unit rows

_ASPECT_MAX = 16  # a longer strip is cropped before it is resized, not after
_RESAMPLE = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True)
class Preprocess:
    """How a picture becomes model input.

    Stored in every index, so that two recipes never mix.

    `fit`: "squash" resizes to side × side whatever the shape;
    "crop" resizes the shorter side to `side` and crops the center
    square. `layout`: "NHWC-uint8" passes the pixels on unchanged;
    "NCHW-float32" scales them to 0…1, subtracts `mean` and divides
    by `std` (per channel, red first).
    """

    side: int
    fit: Literal["squash", "crop"]
    resample: Literal["bilinear", "bicubic"]
    layout: Literal["NHWC-uint8", "NCHW-float32"]
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __call__(self, rgb: RGB) -> NDArray[Any]:
        """(H, W, 3) uint8 → (side, side, 3) uint8 or (3, side, side)
        float32, as `layout` says.
        """
        image = Image.fromarray(rgb)
        fitted = _squash(image, self) if self.fit == "squash" else _center_crop(image, self)
        square = np.asarray(fitted)
        if self.layout == "NHWC-uint8":
            return square

        scaled = square.astype(np.float32) / np.float32(255)
        mean = np.asarray(self.mean, np.float32)
        std = np.asarray(self.std, np.float32)
        normalized = (scaled - mean) / std
        return np.ascontiguousarray(normalized.transpose(2, 0, 1), dtype=np.float32)


@dataclass(frozen=True)
class EncoderIdentity:
    """What made an embedding. Two embeddings can only be compared if these are equal."""

    id: str
    weights_sha256: str
    preprocessing: dict[str, Any]

    @classmethod
    def of(cls, encoder_id: str, weights_sha256: str, recipe: Preprocess) -> EncoderIdentity:
        # As JSON would return it (lists for tuples), so that a stored identity compares
        # equal.
        values = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(recipe).items()}
        return cls(encoder_id, weights_sha256, values)

    def __str__(self) -> str:
        return f"{self.id} (weights {self.weights_sha256[:8]})"


class Encoder(Protocol):
    """Pictures in, unit vectors out. Safe to call from several threads."""

    @property
    def identity(self) -> EncoderIdentity:
        """What made the embeddings; stored in every index."""
        ...

    @property
    def dim(self) -> int:
        """D, the number of dimensions of an embedding."""
        ...

    def encode(self, images: Sequence[RGB]) -> Embeddings:
        """N pictures, (H, W, 3) uint8 RGB of any size → (N, D) float32,
        each row of length 1.
        """
        ...


@dataclass(frozen=True)
class EncoderConstants:
    """Two cosines that the recognizer needs and that depend on the
    encoder.

    `unrelated_cosine`: a picture no nearer than this to any
    reference shows none of them, whatever its margin. `crop_noise`:
    by more than this, one item is nearer than another; less is what
    quads a little off do.
    """

    unrelated_cosine: float
    crop_noise: float


# `python bench/encoder_constants.py --every 10` on books, cards and Magic cards,
# 2026-11-26: for sscd 0.25 … 0.43 and 0.031 … 0.061, for sscd-small 0.25 … 0.44 and
# 0.032 … 0.061. The lower cosines are those of real photos: 0.4 errs on the side of
# silence.
SSCD_CONSTANTS = EncoderConstants(unrelated_cosine=0.4, crop_noise=0.05)


@dataclass(frozen=True)
class EncoderSpec:
    """One row of the table of encoders."""

    id: str
    dim: int | None  # None: known only once the model is open
    recipe: Preprocess | None  # None: read from beside the model
    locate: Callable[[str], Path]  # the text after "id:" → the model file; raises EncoderError
    license: str
    why: str
    constants: EncoderConstants | None = None  # None: learned for each index, see calibrate


def unit_rows(vectors: NDArray[Any]) -> Embeddings:
    """Scale each row of (N, D) to length 1, as float32. A row of zeros stays zero."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)


def _squash(image: Image.Image, recipe: Preprocess) -> Image.Image:
    return image.resize((recipe.side, recipe.side), _RESAMPLE[recipe.resample])


def _center_crop(image: Image.Image, recipe: Preprocess) -> Image.Image:
    """Round as torchvision's Resize and CenterCrop do, which CLIP was
    published with.

    They round a resized side down, and a crop's offset half to even.
    """
    side = recipe.side
    shorter = min(image.size)
    width, height = (int(side * length / shorter) for length in image.size)
    left = round((width - side) / 2)
    top = round((height - side) / 2)

    if max(width, height) <= _ASPECT_MAX * side:
        resized = image.resize((width, height), _RESAMPLE[recipe.resample])
        return resized.crop((left, top, left + side, top + side))

    # A 16 × 10,000 strip would become 224 × 140,000: resize only the part that the crop
    # keeps.
    scale_x = image.width / width
    scale_y = image.height / height
    box = (left * scale_x, top * scale_y, (left + side) * scale_x, (top + side) * scale_y)
    return image.resize((side, side), _RESAMPLE[recipe.resample], box=box)
