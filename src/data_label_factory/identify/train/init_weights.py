"""The weights a head starts from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.train.bank import Bank
from data_label_factory.identify.train.settings import Start

Floats = NDArray[np.float32]
Weights = tuple[Floats, Floats, Floats, Floats]

_REFERENCES_MAX = 2000  # a sample of this size gives the main directions
_BLOCK = 64  # references per matrix product: many small products are far slower
_SCALE = 3.0  # of the hidden units' inputs; 0.3 to 10 train equally well


def start_weights(
    bank: Bank, start: Start, hidden: int, out: int, rng: np.random.Generator
) -> Weights:
    """Return `w1` (hidden, in), `b1` (hidden,), `w2` (out, hidden),
    `b2` (out,), all float32.

    "random" draws them as torch's Linear does. "encoder" makes a
    head that at first only turns the encoder's features onto their
    `out` main directions. Training then starts from what the
    encoder knows about all pictures, not only about these. The head
    is exact since GELU(x) - GELU(-x) = x: half of the hidden units
    take one direction each, the other half its opposite. With too
    few hidden units for that, "encoder" draws random weights as
    well.
    """
    if start == "encoder" and hidden >= 2 * min(bank.dim, out):
        return _encoder_like(_main_directions(bank, out), hidden, out, rng)

    w1, b1 = _random_linear(bank.dim, hidden, rng)
    w2, b2 = _random_linear(hidden, out, rng)
    return w1, b1, w2, b2


def _random_linear(n_in: int, n_out: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    bound = 1 / np.sqrt(n_in)
    weights = rng.uniform(-bound, bound, (n_out, n_in))
    bias = rng.uniform(-bound, bound, n_out)
    return weights.astype(np.float32), bias.astype(np.float32)


def _encoder_like(
    directions: NDArray[np.float64], hidden: int, out: int, rng: np.random.Generator
) -> Weights:
    rank, dim = directions.shape
    positive = slice(0, rank)
    negative = slice(rank, 2 * rank)

    # The units beyond the pairs are random; their outgoing weights start at 0.
    w1, _ = _random_linear(dim, hidden, rng)
    w1[positive] = _SCALE * directions
    w1[negative] = -_SCALE * directions

    w2 = np.zeros((out, hidden), np.float32)
    at = np.arange(rank)
    w2[at, at] = 1 / _SCALE
    w2[at, rank + at] = -1 / _SCALE

    return w1, np.zeros(hidden, np.float32), w2, np.zeros(out, np.float32)


def _main_directions(bank: Bank, count: int) -> NDArray[np.float64]:
    """(min(count, dim), dim) orthonormal rows: the features are longest
    along these.

    This is PCA without centering, so that cosines are kept as well as
    possible.
    """
    sample = np.linspace(0, len(bank) - 1, min(len(bank), _REFERENCES_MAX))
    rows = np.unique(sample.astype(np.int64))

    moment = np.zeros((bank.dim, bank.dim))
    for at in range(0, len(rows), _BLOCK):
        features = np.concatenate([bank.training(int(row)) for row in rows[at : at + _BLOCK]])
        moment += features.T @ features

    _, vectors = np.linalg.eigh(moment)
    return np.ascontiguousarray(vectors[:, ::-1][:, :count].T)
