"""Head files, and the checkpoint of an unfinished training, that torch reads as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import EncoderError, FactoryError
from data_label_factory.identify.encoders.head import ProjectionHead
from data_label_factory.identify.encoders.torch_file import read_torch_zip
from data_label_factory.identify.train.init_weights import Floats
from data_label_factory.identify.train.torchfile import torch_bytes
from data_label_factory.identify.train.validation import Figures

# Of nn.Sequential(Linear, GELU, Linear).
_NAMES = ("0.weight", "0.bias", "2.weight", "2.bias")


@dataclass
class Checkpoint:
    """A training after `epoch` epochs.

    `purpose` says which pictures, settings and encoder it is of;
    only a training with the same may continue it. `history` has one
    dict per epoch. `best` are the best weights so far; `weights`
    and `moments` (per parameter: step, mean, mean square) are the
    optimizer's state.
    """

    purpose: dict[str, Any]
    epoch: int
    history: list[dict[str, float]]
    best: Sequence[Floats]
    weights: Sequence[Floats]
    moments: list[Sequence[Floats]]

    @property
    def sort_keys(self) -> list[tuple[float, float]]:
        """How good the head of each epoch was: see `Figures.sort_key`."""
        return [_read_figures(line).sort_key for line in self.history]


def _read_figures(line: dict[str, float]) -> Figures:
    return Figures(**{name: float(line[name]) for name in Figures.__dataclass_fields__})


def head_bytes(weights: Sequence[Floats], encoder_id: str, **more: Any) -> bytes:
    """The content of a head file, which ProjectionHead.load and torch read."""
    w1, _, w2, _ = weights
    saved = {
        "state_dict": dict(zip(_NAMES, weights, strict=True)),
        "in_dim": int(w1.shape[1]),
        "hidden": int(w1.shape[0]),
        "out_dim": int(w2.shape[0]),
        "model": encoder_id,
        **more,
    }
    return torch_bytes(saved)


def as_head(weights: Sequence[Floats], encoder_id: str) -> ProjectionHead:
    """The head as the rest of the program applies it.

    `sha256` is "" since it has no file yet.
    """
    w1, b1, w2, b2 = (w.copy() for w in weights)
    return ProjectionHead(w1, b1, w2, b2, encoder_id, sha256="")


def write_bytes(path: Path, data: bytes) -> None:
    """Raises FactoryError if the disk is full; `path` is then unchanged."""
    with atomic_write(path) as file:
        file.write(data)


def partial_path(out: Path) -> Path:
    """The file of an unfinished training. It is also a head file, of the best head so far."""
    return out.with_name(out.name + ".partial")


def save_checkpoint(out: Path, checkpoint: Checkpoint, encoder_id: str) -> None:
    """Write the checkpoint beside `out`. Raises FactoryError if the disk is full."""
    state = {name: value for name, value in vars(checkpoint).items() if name != "best"}
    write_bytes(partial_path(out), head_bytes(checkpoint.best, encoder_id, resume=state))


def load_checkpoint(out: Path, purpose: dict[str, Any]) -> Checkpoint | None:
    """The checkpoint of an interrupted training of `purpose`; None
    if there is none.

    Raises EncoderError if it is damaged, and FactoryError if it is
    of another training.
    """
    path = partial_path(out)
    if not path.exists():
        return None
    ProjectionHead.load(path)  # refuses files that are too large or hold anything but numbers

    try:
        saved = read_torch_zip(path.read_bytes())
        best = [saved["state_dict"][name] for name in _NAMES]
        checkpoint = Checkpoint(best=best, **saved["resume"])
        _check_consistency(checkpoint)
        known = dict(checkpoint.purpose)
    except Exception as exc:  # as with heads: damage shows as nearly any exception
        raise EncoderError(
            f"{path} cannot be resumed ({exc})",
            "Delete it, or train without --resume",
        ) from exc

    if changed := [key for key in purpose if known.get(key) != purpose[key]]:
        raise FactoryError(
            f"{path} is of a training with other {', '.join(changed)}",
            "Use the same options and pictures, or train without --resume",
        )
    return checkpoint


def _check_consistency(checkpoint: Checkpoint) -> None:
    """Raises ValueError, or nearly anything else, if the parts do not fit together."""
    shapes = [array.shape for array in checkpoint.best]
    if [w.shape for w in checkpoint.weights] != shapes:
        raise ValueError("its weights do not fit together")

    for (step, *moments), shape in zip(checkpoint.moments, shapes, strict=True):
        if step.size != 1 or [m.shape for m in moments] != [shape] * 2:
            raise ValueError("the optimizer's state does not fit")

    numbers = [*checkpoint.weights, *(m for moments in checkpoint.moments for m in moments)]
    if not all(np.isfinite(array).all() for array in numbers):
        raise ValueError("it holds values that are not finite")

    if checkpoint.epoch != len(checkpoint.sort_keys):
        raise ValueError("its history has gaps")
