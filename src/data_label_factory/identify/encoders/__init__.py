"""Pictures in, unit vectors out: the encoders, the projection head, and
both as one `Embedder`.

What is done with the vectors lives in `index`, `verify`, `recognize` and
`train`.
"""

from data_label_factory.identify.encoders.base import (
    SSCD_CONSTANTS,
    Embeddings,
    Encoder,
    EncoderConstants,
    EncoderIdentity,
    EncoderSpec,
    Preprocess,
    unit_rows,
)
from data_label_factory.identify.encoders.embedder import Embedder, EmbedderIdentity
from data_label_factory.identify.encoders.onnx import OnnxEncoder
from data_label_factory.identify.encoders.table import ENCODERS, open_encoder, open_semantic

__all__ = [
    "ENCODERS",
    "SSCD_CONSTANTS",
    "Embedder",
    "EmbedderIdentity",
    "Embeddings",
    "Encoder",
    "EncoderConstants",
    "EncoderIdentity",
    "EncoderSpec",
    "OnnxEncoder",
    "Preprocess",
    "open_encoder",
    "open_semantic",
    "unit_rows",
]
