"""The settings of a training. Their defaults are also those of the command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Start = Literal["encoder", "random"]
Variants = Literal["same", "apart"]


@dataclass(frozen=True)
class TrainSettings:
    """A batch has `k` items × `m` views; with `anchor` one of the views is the
    reference itself.

    `hard` is the fraction of the items in a batch that are easily confused with the
    others. `steps_per_epoch` None means as many steps as show every view of the bank
    once. For `variants` see `sampler.classes_of`, for `start` see
    `init_weights.start_weights`. docs/train.md gives the reasons for the defaults.
    """

    epochs: int = 12
    k: int = 128
    m: int = 2
    anchor: bool = True
    steps_per_epoch: int | None = None
    lr: float = 2e-3
    temperature: float = 0.08
    hard: float = 0.5
    start: Start = "encoder"
    variants: Variants = "apart"
    seed: int = 0
