"""An encoder and its projection head, if any: pictures in, comparable unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_label_factory.identify.choices import DEFAULT_ENCODER, DEFAULT_SEMANTIC, Device
from data_label_factory.identify.encoders.base import (
    Embeddings,
    Encoder,
    EncoderConstants,
    EncoderIdentity,
)
from data_label_factory.identify.encoders.head import ProjectionHead, check_head_fits
from data_label_factory.identify.encoders.table import ENCODERS, open_encoder, open_semantic
from data_label_factory.identify.images import RGB


@dataclass(frozen=True)
class EmbedderIdentity:
    """What makes embeddings comparable. `head_sha256` is "" without a projection head."""

    encoder: EncoderIdentity
    head_sha256: str = ""

    def __str__(self) -> str:
        head = f"with head {self.head_sha256[:8]}" if self.head_sha256 else "without a head"
        return f"{self.encoder} {head}"


@dataclass(frozen=True)
class Embedder:
    """Embeds pictures. Safe to call from several threads.

    `semantic` is a second encoder beside it, if any: it tells kinds
    of things apart, from any side, where the first tells pictures.

    Raises EncoderError if the head was trained on another encoder.
    """

    encoder: Encoder
    head: ProjectionHead | None = None
    semantic: Encoder | None = None

    def __post_init__(self) -> None:
        if self.head:
            check_head_fits(self.head, self.encoder.identity.id, None)

    @classmethod
    def open(
        cls,
        encoder: str = DEFAULT_ENCODER,
        head: str | Path | None = None,
        *,
        semantic: str = DEFAULT_SEMANTIC,
        device: Device = "auto",
        batch_size: int = 16,
    ) -> Embedder:
        """Open an encoder by its id, such as "sscd" or
        "onnx:model.onnx", a head file, and a second encoder ("none":
        none).

        Raises EncoderError, which says what to do.
        """
        opened = open_encoder(encoder, device=device, batch_size=batch_size)
        second = open_semantic(semantic, device=device)
        return cls(opened, ProjectionHead.load(head) if head else None, second)

    @property
    def identity(self) -> EmbedderIdentity:
        """What an index has to be made by for this embedder to search it."""
        return EmbedderIdentity(self.encoder.identity, self.head.sha256 if self.head else "")

    @property
    def crop_side(self) -> int:
        """Side in px of the square crops to embed.

        It is the input side of the encoder, so that nothing is
        resampled twice.
        """
        return int(self.encoder.identity.preprocessing["side"])

    @property
    def constants(self) -> EncoderConstants | None:
        """Measured constants of the encoder; None for one that only an
        index can tell.

        With a head they are those of the encoder alone: no head was
        measured.
        """
        spec = ENCODERS.get(self.encoder.identity.id)
        return spec.constants if spec else None

    def encode(self, images: Sequence[RGB]) -> Embeddings:
        """N pictures, (H, W, 3) uint8 RGB of any size → (N, D) float32 unit rows."""
        rows = self.encoder.encode(images)
        return self.head(rows) if self.head else rows
