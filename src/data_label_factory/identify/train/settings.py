"""The settings of a training. Their defaults are also those of the command."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

Start = Literal["encoder", "random"]
Variants = Literal["same", "apart"]

# Raise it when the same recipe draws other pictures: banks of the old ones are then not
# used.
_REVISION = 1


@dataclass(frozen=True)
class TrainSettings:
    """A batch has `k` items × `m` views; with `anchor` one of the views
    is the reference itself.

    `hard` is the fraction of the items in a batch that are easily
    confused with the others. `steps_per_epoch` None means as many steps
    as show every view of the bank once. For `variants` see
    `sampler.classes_of`, for `start` see `init_weights.start_weights`.
    docs/train.md gives the reasons for the defaults.
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


@dataclass(frozen=True)
class ViewRecipe:
    """How many views of each reference are drawn, and how large
    they are.

    `plain_share` is the fraction of the `views` to train on that
    are augmentations; the others are camera crops. Each of
    `heldout_frames` frames gives one tight and one loose crop to
    validate with. `trim` leaves out the margins of the references,
    as indexing them does. `side_px` should be the input side of the
    encoder; the default is that of SSCD.
    """

    views: int = 24
    plain_share: float = 1 / 6
    heldout_frames: int = 3
    seed: int = 0
    side_px: int = 288
    trim: bool = True
    revision: int = _REVISION

    @property
    def heldout(self) -> int:
        """The number of held-out views, tight and loose ones in turn."""
        return 2 * self.heldout_frames

    @property
    def hash(self) -> str:
        """Recipes with equal hashes draw equal views of equal pictures."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
