"""A bank of features → a projection head, validated after every epoch on held-out views."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_label_factory.errors import FactoryError
from data_label_factory.identify.train.adamw import AdamW
from data_label_factory.identify.train.bank import Bank
from data_label_factory.identify.train.headfile import (
    Checkpoint,
    as_head,
    head_bytes,
    load_checkpoint,
    partial_path,
    save_checkpoint,
    write_bytes,
)
from data_label_factory.identify.train.init_weights import Weights, start_weights
from data_label_factory.identify.train.network import backward, forward
from data_label_factory.identify.train.sampler import Batch, BatchSampler, classes_of
from data_label_factory.identify.train.settings import TrainSettings
from data_label_factory.identify.train.supcon import supcon_loss
from data_label_factory.identify.train.validation import Figures, Validation, Validator
from data_label_factory.progress import Progress

HIDDEN = 512
OUT_DIM = 256
_WEIGHT_DECAY = 1e-4
_WARM_UP_STEPS = 20


@dataclass(frozen=True)
class TrainResult:
    """How the held-out views were identified `before`, without a head,
    and `after`, with the best.

    `history` has the loss and the held-out figures of each epoch;
    `best_epoch` (from 1) is the one that was kept. `helped` says
    whether training helped, `written` whether a file was written.
    """

    before: Validation
    after: Validation
    history: list[dict[str, float]]
    best_epoch: int
    items: int
    helped: bool
    written: bool

    @property
    def why_no_help(self) -> str:
        """What to tell someone whose training did not help."""
        if self.items == 1:
            return "with one item there is nothing to tell apart"
        return "the encoder alone does as well on the held-out views"


def train_head(
    bank: Bank,
    out: Path,
    settings: TrainSettings,
    *,
    resume: bool = False,
    force: bool = False,
    quiet: bool = False,
) -> TrainResult:
    """Train a head on `bank`.

    Write it to `out` if the held-out views say it helps, or `force`.

    On one machine, equal banks and settings give equal heads, bit
    for bit. That holds for a resumed training as well: after every
    epoch the state is kept in `OUT.partial`, which is also a head
    file of the best head so far. Raises FactoryError if the disk is
    full, if the training diverges, and, with `resume`, if the state
    there is of another training.
    """
    classes = classes_of(bank, settings.variants)
    references = bank.reference_features()
    items = int(classes.max()) + 1

    purpose = _describe_purpose(bank, settings)
    state = load_checkpoint(out, purpose) if resume else None
    validator = Validator(bank, classes, references)
    before = validator.validate(None)
    sampler = BatchSampler(
        bank,
        classes,
        references,
        k=settings.k,
        m=settings.m,
        anchor=settings.anchor,
        hard=settings.hard,
    )

    state = state or _new_checkpoint(bank, settings, purpose)
    training = _Training(bank, items, settings, state)
    _run_epochs(training, sampler, validator, out, quiet)
    return _finish(out, bank, state, before, validator, items, force)


def check_destination(out: Path) -> None:
    """Raises FactoryError if no head can be written to `out`.

    Call it before the long work.
    """
    if out.is_dir():
        raise FactoryError(f"{out} is a folder", "Name a file for the head, such as head.pt")
    if out.suffix.lower() == ".npz":
        raise FactoryError(
            f"{out} is the name of an index",
            "Name another file for the head, such as head.pt",
        )
    if not out.parent.is_dir():
        raise FactoryError(
            f"There is no folder {out.parent}",
            "Make it first, or choose another place for the head",
        )


class _Training:
    """The weights, their optimizer, and the record of the epochs so far."""

    def __init__(self, bank: Bank, items: int, settings: TrainSettings, state: Checkpoint) -> None:
        self.bank = bank
        self.settings = settings
        self.state = state
        w1, b1, w2, b2 = (w.copy() for w in state.weights)
        self.weights: Weights = (w1, b1, w2, b2)
        self._optimizer = AdamW(
            self.weights,
            _WEIGHT_DECAY,
            step=int(state.moments[0][0]) if state.moments else 0,
            means=[mean for _, mean, _ in state.moments],
            squares=[square for _, _, square in state.moments],
        )

        views_per_step = min(settings.k, items) * (settings.m - settings.anchor)
        all_views = len(bank) * bank.recipe.views
        self._steps = settings.steps_per_epoch or math.ceil(all_views / views_per_step)

    def run_epoch(self, sampler: BatchSampler) -> float:
        """Run one epoch and return its mean loss.

        Raises FactoryError if the training diverged.

        Each epoch seeds a generator, so that a resumed training
        draws the same batches.
        """
        rng = np.random.default_rng([self.settings.seed, 1 + self.state.epoch])
        first = self.state.epoch * self._steps
        with np.errstate(all="ignore"):  # what overflows is found below
            losses = [self._step(sampler.draw(rng), first + n) for n in range(self._steps)]
        loss = float(np.mean(losses))

        is_finite = all(np.isfinite(w).all() for w in self.weights)
        if not (math.isfinite(loss) and is_finite):
            raise FactoryError(
                "The training diverged: its loss is not a number any more",
                "Choose a lower --lr",
            )
        return loss

    def record_epoch(self, loss: float, figures: Figures) -> None:
        """Add a finished epoch to the state, and keep its weights
        if they are the best so far.
        """
        state = self.state
        if not state.history or figures.sort_key > max(state.sort_keys):
            state.best = [w.copy() for w in self.weights]

        state.epoch += 1
        state.history.append({"epoch": state.epoch, "loss": loss, **asdict(figures)})
        state.weights = [w.copy() for w in self.weights]
        step = np.float32(self._optimizer.step)
        state.moments = [
            [np.asarray(step), mean.copy(), square.copy()]
            for mean, square in zip(self._optimizer.means, self._optimizer.squares, strict=True)
        ]

    def _step(self, batch: Batch, number: int) -> float:
        settings = self.settings
        passed = forward(self.weights, batch.features)
        loss, gradient = supcon_loss(passed.embeddings, batch.labels, settings.temperature)

        lr = settings.lr * _schedule(number, settings.epochs * self._steps)
        self._optimizer.update(backward(self.weights, passed, gradient), lr)
        return loss


def _schedule(step: int, steps: int) -> float:
    """The factor of the learning rate: a short linear warm-up, then
    half a cosine down to 0.
    """
    return min(1.0, (step + 1) / _WARM_UP_STEPS) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _new_checkpoint(bank: Bank, settings: TrainSettings, purpose: dict[str, Any]) -> Checkpoint:
    rng = np.random.default_rng([settings.seed, 0])
    weights = start_weights(bank, settings.start, HIDDEN, OUT_DIM, rng)
    return Checkpoint(purpose, 0, [], best=weights, weights=weights, moments=[])


def _describe_purpose(bank: Bank, settings: TrainSettings) -> dict[str, Any]:
    """What has to be equal to continue a training, by the words that a message uses."""
    pictures = hashlib.sha256("\0".join([*bank.references, *bank.sha256]).encode()).hexdigest()
    purpose = {"encoder": asdict(bank.encoder), "pictures": pictures, "views": bank.recipe.hash}
    return purpose | {name.replace("_", " "): value for name, value in asdict(settings).items()}


def _run_epochs(
    training: _Training, sampler: BatchSampler, validator: Validator, out: Path, quiet: bool
) -> None:
    """Train until the last epoch; after each one validate the head and save the state."""
    state = training.state
    epochs = training.settings.epochs
    encoder_id = training.bank.encoder.id

    with Progress("epochs", epochs, enabled=not quiet) as progress:
        if state.epoch:
            progress.step(state.epoch)
        while state.epoch < epochs:
            loss = training.run_epoch(sampler)
            validation = validator.validate(as_head(training.weights, encoder_id))
            training.record_epoch(loss, validation.figures)
            save_checkpoint(out, state, encoder_id)
            progress.step()


def _finish(
    out: Path,
    bank: Bank,
    state: Checkpoint,
    before: Validation,
    validator: Validator,
    items: int,
    force: bool,
) -> TrainResult:
    after = validator.validate(as_head(state.best, bank.encoder.id))
    helped = items > 1 and after.figures.is_better_than(before.figures)
    if helped or force:
        write_bytes(out, head_bytes(state.best, bank.encoder.id))
    partial_path(out).unlink(missing_ok=True)

    return TrainResult(
        before=before,
        after=after,
        history=state.history,
        best_epoch=1 + state.sort_keys.index(max(state.sort_keys)),
        items=items,
        helped=helped,
        written=helped or force,
    )
