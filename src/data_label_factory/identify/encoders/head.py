"""A trained projection head, applied in numpy and read without torch.

The head is Linear(in → hidden) · GELU · Linear(hidden → out), with an
output of length
1. Its file is what `torch.save({"state_dict", "in_dim", "hidden", "out_dim", "model"})`
writes, read as `torch_file` describes.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import EncoderError
from data_label_factory.identify.encoders.base import Embeddings, unit_rows
from data_label_factory.identify.encoders.torch_file import read_torch_zip

_HALF_ROOT = math.sqrt(0.5)

_Layers = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class ProjectionHead:
    """Maps embeddings of one encoder to embeddings that separate the
    items of a collection.

    `w1` (hidden, in), `b1` (hidden,), `w2` (out, hidden), `b2` (out,),
    all float32. `encoder` is the id of the encoder the head was trained
    on, `sha256` the hash of its file.
    """

    w1: NDArray[np.float32]
    b1: NDArray[np.float32]
    w2: NDArray[np.float32]
    b2: NDArray[np.float32]
    encoder: str
    sha256: str

    @property
    def in_dim(self) -> int:
        """D of the encoder that the head was trained on."""
        return int(self.w1.shape[1])

    def __call__(self, embeddings: Embeddings) -> Embeddings:
        """(N, in_dim) float32 → (N, out_dim) float32 unit rows."""
        hidden = _gelu(embeddings @ self.w1.T + self.b1)
        return unit_rows(hidden @ self.w2.T + self.b2)

    @classmethod
    def load(cls, path: str | Path) -> ProjectionHead:
        """Read a head file (`.pt`).

        Raises EncoderError if it is missing, damaged, or not a head.

        Nothing in the file can run code.
        """
        try:
            data = Path(path).read_bytes()
            saved = read_torch_zip(data)
            w1, b1, w2, b2 = _read_layers(saved["state_dict"])
        except OSError as exc:
            raise EncoderError(f"Cannot read the projection head {path}: {exc.strerror}") from exc
        except Exception as exc:  # a damaged zip or pickle raises nearly any exception
            raise EncoderError(
                f"{path} is not a projection head ({exc})",
                "Train one with: identify train",
            ) from exc
        return cls(w1, b1, w2, b2, str(saved.get("model", "")), hashlib.sha256(data).hexdigest())


def check_head_fits(head: ProjectionHead, encoder_id: str, dim: int | None) -> None:
    """Raises EncoderError, naming both, if `head` was not trained on this encoder."""
    if head.encoder != encoder_id or (dim is not None and head.in_dim != dim):
        raise EncoderError(
            f"The head was trained on encoder {head.encoder or 'unknown'} "
            f"({head.in_dim} dimensions), not on {encoder_id} ({dim or 'unknown'})",
            f"Use --encoder {head.encoder or '…'}, or train a head on {encoder_id}",
        )


def normal_cdf(x: NDArray[Any]) -> NDArray[Any]:
    """Φ(x), elementwise, in the precision of `x`.

    erf is that of Abramowitz & Stegun 7.1.26; its error, under 2e-7, is
    about that of float32.
    """
    z = np.abs(x) * _HALF_ROOT
    t = 1.0 / (1.0 + 0.3275911 * z)
    poly = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    erf = np.sign(x) * (1.0 - poly * np.exp(-z * z))
    return np.asarray(0.5 * (1.0 + erf))


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The exact GELU, x·Φ(x)."""
    return np.asarray(x * normal_cdf(x.astype(np.float64)), np.float32)


def _read_layers(state: Any) -> _Layers:
    """`w1`, `b1`, `w2`, `b2` of a state dict.

    Raises ValueError if it is not that of a head.
    """
    matrices = [state[name] for name in state if state[name].ndim == 2]
    vectors = [state[name] for name in state if state[name].ndim == 1]
    w1, w2 = matrices
    b1, b2 = vectors

    hidden_fits = w1.shape[0] == b1.shape[0] == w2.shape[1]
    if not (hidden_fits and w2.shape[0] == b2.shape[0]):
        shapes = f"{w1.shape}, {b1.shape}, {w2.shape}, {b2.shape}"
        raise ValueError(f"its layers do not fit together: {shapes}")
    if not all(np.isfinite(array).all() for array in (w1, b1, w2, b2)):
        raise ValueError("it holds values that are not finite")
    return w1, b1, w2, b2
