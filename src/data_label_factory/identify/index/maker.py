"""The embedder that an index was made with."""

from __future__ import annotations

from pathlib import Path

from data_label_factory.identify.choices import Device
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.index.index import Index


def open_maker(
    index: Index, encoder: str = "", head: str | Path | None = None, *, device: Device = "auto"
) -> Embedder:
    """The embedder that made an index: the encoder named, or else
    the one that the index names, with the head given.

    Raises EncoderError when that did not make the index.
    """
    embedder = Embedder.open(
        encoder or index.meta.encoder.id.partition(":")[0],
        head,
        semantic=index.meta.semantic.id if index.meta.semantic else "none",
        device=device,
    )
    index.require_maker(embedder.identity)
    return embedder
