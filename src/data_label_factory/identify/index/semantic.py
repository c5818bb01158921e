"""A second embedding of each reference, one byte a dimension: what
kind of thing it shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import EncoderError
from data_label_factory.identify.encoders import Embedder, Embeddings, EncoderIdentity, unit_rows
from data_label_factory.identify.images import RGB

Packed = NDArray[np.int8]  # (N, D), each row scaled to -127 … 127

_LARGEST = 127


def pack(rows: Embeddings) -> Packed:
    """(N, D) float32 → int8. The length of a row is lost: only
    directions are compared.
    """
    most = np.abs(rows).max(axis=1, keepdims=True)
    return np.asarray(np.rint(rows * (_LARGEST / np.maximum(most, 1e-12))), np.int8)


def unpack(packed: Packed) -> Embeddings:
    """(N, D) int8 → float32 unit rows."""
    return unit_rows(packed)


def embed_kinds(
    embedder: Embedder, pictures: Sequence[RGB], maker: EncoderIdentity | None
) -> list[Packed] | list[None]:
    """The second embedding (D,) of each picture, for an index whose
    others are by `maker`; None where it has none.

    Raises EncoderError when the embedder's is another encoder.
    """
    if maker is None:
        return [None] * len(pictures)
    encoder = embedder.semantic
    if encoder is None or encoder.identity != maker:
        raise EncoderError(
            f"The index has second embeddings by {maker}, which the embedder does not make",
            "Open the collection without an embedder, or index again with yours",
        )
    return list(pack(encoder.encode(pictures)))
