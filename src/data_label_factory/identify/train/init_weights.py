"""The weights a head starts from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.train.bank import Bank
from data_label_factory.identify.train.settings import Start

Weights = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]

_REFERENCES_MAX = 2000  # that the main directions are taken from
_BLOCK = 64  # references a product: many small ones take many times as long
_SCALE = 3.0  # of what the hidden units see: 0.3 to 10 trained alike


def start_weights(
    bank: Bank, start: Start, hidden: int, out: int, rng: np.random.Generator
) -> Weights:
    """`w1` (hidden, in), `b1` (hidden,), `w2` (out, hidden), `b2` (out,) float32.

    "random" draws them as torch's Linear does. "encoder" makes a head that at first does nothing but turn the encoder's
    features onto their `out` main directions, so that training starts from what the encoder knows about all pictures,
    not only about these. It is exact, since GELU(x) - GELU(-x) = x: half of the hidden units take a direction each, the
    other half its opposite.
    """
    if start == "encoder" and hidden >= 2 * min(bank.dim, out):
        return _encoder_like(_main_directions(bank, out), hidden, out, rng)
    return (*_linear(bank.dim, hidden, rng), *_linear(hidden, out, rng))


def _linear(
    n_in: int, n_out: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    bound = 1 / np.sqrt(n_in)
    weights, bias = rng.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_out)
    return weights.astype(np.float32), bias.astype(np.float32)


def _encoder_like(
    directions: NDArray[np.float64], hidden: int, out: int, rng: np.random.Generator
) -> Weights:
    rank, dim = directions.shape
    w1, _ = _linear(dim, hidden, rng)  # units beyond the pairs: random, and at first without a say
    w2 = np.zeros((out, hidden), np.float32)
    w1[:rank], w1[rank : 2 * rank] = _SCALE * directions, -_SCALE * directions
    at = np.arange(rank)
    w2[at, at], w2[at, rank + at] = 1 / _SCALE, -1 / _SCALE
    return w1, np.zeros(hidden, np.float32), w2, np.zeros(out, np.float32)


def _main_directions(bank: Bank, count: int) -> NDArray[np.float64]:
    """(min(count, dim), dim) orthonormal rows: along these the bank's features are longest (PCA without centring, so
    that cosines are kept as well as can be)."""
    rows = np.unique(
        np.linspace(0, len(bank) - 1, min(len(bank), _REFERENCES_MAX)).astype(np.int64)
    )
    moment = np.zeros((bank.dim, bank.dim))
    for at in range(0, len(rows), _BLOCK):
        features = np.concatenate([bank.training(int(row)) for row in rows[at : at + _BLOCK]])
        moment += features.T @ features
    _, vectors = np.linalg.eigh(moment)
    return np.ascontiguousarray(vectors[:, ::-1][:, :count].T)
