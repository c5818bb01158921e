"""The head while it is trained: Linear · GELU · Linear to unit rows, forward and back."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from data_label_factory.identify.encoders.head import normal_cdf
from data_label_factory.identify.train.init_weights import Floats, Weights

_LENGTH_MIN = 1e-12  # keeps a row of zeros finite
_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)


@dataclass(frozen=True, eq=False)
class Forward:
    """What a forward pass of a batch leaves for the way back.

    `features` (B, in), `inputs` (B, hidden) of the GELU, `cdf` (B,
    hidden) of them, `hidden` (B, hidden), `length` (B, 1) of the
    output, `embeddings` (B, out) unit rows.
    """

    features: Floats
    inputs: Floats
    cdf: Floats
    hidden: Floats
    length: Floats
    embeddings: Floats


def forward(weights: Weights, features: Floats) -> Forward:
    """(B, in) float32 features through the head."""
    w1, b1, w2, b2 = weights
    inputs = features @ w1.T + b1
    cdf = normal_cdf(inputs)
    hidden = inputs * cdf

    output = hidden @ w2.T + b2
    length = np.maximum(np.linalg.norm(output, axis=1, keepdims=True), _LENGTH_MIN)
    return Forward(features, inputs, cdf, hidden, length, output / length)


def backward(weights: Weights, passed: Forward, gradient: Floats) -> Weights:
    """The gradient of the weights, from that of the embeddings (B, out)."""
    _, _, w2, _ = weights
    z = passed.embeddings
    along = np.einsum("bd,bd->b", z, gradient)[:, None]
    output = (gradient - z * along) / passed.length

    # d/dx x·Φ(x) = Φ(x) + x·φ(x)
    density = np.exp(-0.5 * np.square(passed.inputs)) * _DENSITY_AT_0
    inputs = (output @ w2) * (passed.cdf + passed.inputs * density)

    return (
        inputs.T @ passed.features,
        inputs.sum(axis=0),
        output.T @ passed.hidden,
        output.sum(axis=0),
    )
