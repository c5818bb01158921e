"""How a head is trained, stated once: the library's defaults are the command's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Start = Literal["encoder", "random"]
Variants = Literal["same", "apart"]


@dataclass(frozen=True)
class TrainSettings:
    """`k` items × `m` views a batch, with `anchor` one of them the reference itself; `hard` is the share of a batch's
    items that are easily confused with the others; `steps_per_epoch` None lets an epoch see as many views as the bank
    has. `variants` see batches.classes_of, `start` see start.start_weights; docs/train.md says why these defaults."""

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
