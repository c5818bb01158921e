"""A bank of features → a projection head, judged after every epoch on views it was not trained on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from data_label_factory.errors import FactoryError
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
from data_label_factory.identify.train.init_weights import start_weights
from data_label_factory.identify.train.sampler import Batch, Batches, classes_of
from data_label_factory.identify.train.settings import TrainSettings
from data_label_factory.identify.train.supcon import supcon_loss
from data_label_factory.identify.train.validation import Figures, Validation, Validator
from data_label_factory.progress import Progress

HIDDEN, OUT_DIM = 512, 256
_WEIGHT_DECAY = 1e-4
_WARM_UP_STEPS = 20


@dataclass(frozen=True)
class TrainResult:
    """`before` without a head, `after` with the best one. `history` has loss and held-out figures of each epoch, of
    which `best_epoch` (from 1) is the one kept. `written` is False when training did not help (`helped`)."""

    before: Validation
    after: Validation
    history: list[dict[str, float]]
    best_epoch: int
    items: int
    helped: bool
    written: bool


def train_head(
    bank: Bank,
    out: Path,
    settings: TrainSettings,
    *,
    resume: bool = False,
    force: bool = False,
    quiet: bool = False,
) -> TrainResult:
    """Train a head on `bank` and write it to `out`, if the held-out views say that it helps (or with `force`).

    Equal banks and settings give equal heads, bit for bit, on one machine, also when interrupted and resumed: after
    every epoch the state is kept in `OUT.partial`, itself a head file of the best so far. Raises FactoryError when the
    disk is full, and with `resume` when what is there is of another training.
    """
    classes, references = classes_of(bank, settings.variants), bank.reference_features()
    items, purpose = int(classes.max()) + 1, _purpose(bank, settings)
    checkpoint = load_checkpoint(out, purpose) if resume else None
    validator = Validator(bank, classes, references)
    batches = Batches(
        bank,
        classes,
        references,
        k=settings.k,
        m=settings.m,
        anchor=settings.anchor,
        hard=settings.hard,
    )
    before = validator.validate(None)
    with _one_thread(), Progress("epochs", settings.epochs, enabled=not quiet) as progress:
        training = _Training(bank, items, settings, checkpoint or _start(bank, settings, purpose))
        if training.state.epoch:
            progress.step(training.state.epoch)
        while training.state.epoch < settings.epochs:
            loss = training.epoch(batches)
            training.note(
                loss, validator.validate(as_head(training.weights, bank.encoder.id)).figures
            )
            save_checkpoint(out, training.state, bank.encoder.id)
            progress.step()
    return _finish(out, bank, training.state, before, validator, items, force)


def check_destination(out: Path) -> None:
    """Raises FactoryError when no head can be written to `out`: to be asked before the long work, not after."""
    if out.is_dir():
        raise FactoryError(f"{out} is a folder", "Name a file for the head, such as head.pt")
    if out.suffix.lower() == ".npz":
        raise FactoryError(
            f"{out} is the name of an index", "Name another file for the head, such as head.pt"
        )
    if not out.parent.is_dir():
        raise FactoryError(
            f"There is no folder {out.parent}",
            "Make it first, or choose another place for the head",
        )


class _Training:
    """The weights, their optimiser and what is known of the epochs so far."""

    def __init__(self, bank: Bank, items: int, settings: TrainSettings, state: Checkpoint) -> None:
        self.state, self._settings = state, settings
        self.weights = [w.clone().requires_grad_() for w in state.weights]
        self._optimiser = torch.optim.AdamW(
            self.weights, lr=settings.lr, weight_decay=_WEIGHT_DECAY
        )
        for weight, (step, mean, square) in zip(self.weights, state.moments, strict=False):
            self._optimiser.state[weight] = {"step": step, "exp_avg": mean, "exp_avg_sq": square}
        a_step = min(settings.k, items) * (settings.m - settings.anchor)
        self._steps = settings.steps_per_epoch or math.ceil(len(bank) * bank.recipe.views / a_step)

    def epoch(self, batches: Batches) -> float:
        """One pass; the mean loss. Draws from a generator of its own, so that a resumed training draws the same."""
        rng = np.random.default_rng([self._settings.seed, 1 + self.state.epoch])
        first = self.state.epoch * self._steps
        loss = float(
            np.mean(
                [self._step(batches.draw(rng), first + number) for number in range(self._steps)]
            )
        )
        if not (math.isfinite(loss) and all(bool(torch.isfinite(w).all()) for w in self.weights)):
            raise FactoryError(
                "The training diverged: its loss is no number any more", "Choose a lower --lr"
            )
        return loss

    def _step(self, batch: Batch, number: int) -> float:
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.lr * _schedule(number, self._settings.epochs * self._steps)
        embeddings = project(self.weights, torch.from_numpy(batch.features))
        loss = supcon_loss(embeddings, torch.from_numpy(batch.labels), self._settings.temperature)
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        return float(loss.detach())

    def note(self, loss: float, figures: Figures) -> None:
        state = self.state
        if not state.history or figures.rank > max(state.ranks):
            state.best = [w.detach().clone() for w in self.weights]
        state.epoch += 1
        state.history.append({"epoch": state.epoch, "loss": loss, **asdict(figures)})
        state.weights = [w.detach().clone() for w in self.weights]
        states = [self._optimiser.state[weight] for weight in self.weights]
        state.moments = [[s["step"], s["exp_avg"], s["exp_avg_sq"]] for s in states]


def project(weights: list[Tensor], features: Tensor) -> Tensor:
    """(B, in) → (B, out) unit rows: Linear · GELU · Linear."""
    w1, b1, w2, b2 = weights
    hidden = functional.gelu(functional.linear(features, w1, b1))
    return functional.normalize(functional.linear(hidden, w2, b2), dim=1)


def _schedule(step: int, steps: int) -> float:
    """Of the learning rate: a short linear rise, then half a cosine down to 0."""
    return min(1.0, (step + 1) / _WARM_UP_STEPS) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _start(bank: Bank, settings: TrainSettings, purpose: dict[str, Any]) -> Checkpoint:
    rng = np.random.default_rng([settings.seed, 0])
    weights = [
        torch.from_numpy(w) for w in start_weights(bank, settings.start, HIDDEN, OUT_DIM, rng)
    ]
    return Checkpoint(purpose, 0, [], best=weights, weights=weights, moments=[])


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
    helped = items > 1 and after.figures.better_than(before.figures)
    if helped or force:
        write_bytes(out, head_bytes(state.best, bank.encoder.id))
    partial_path(out).unlink(missing_ok=True)
    best_epoch = 1 + state.ranks.index(max(state.ranks))
    return TrainResult(before, after, state.history, best_epoch, items, helped, helped or force)


def _purpose(bank: Bank, settings: TrainSettings) -> dict[str, Any]:
    """What must be equal for a training to be continued, by the words a message would use."""
    pictures = hashlib.sha256("\0".join([*bank.references, *bank.sha256]).encode()).hexdigest()
    return {"encoder": asdict(bank.encoder), "pictures": pictures, "views": bank.recipe.hash} | {
        name.replace("_", " "): value for name, value in asdict(settings).items()
    }


@contextmanager
def _one_thread() -> Iterator[None]:
    """So small matrices are fastest on one thread, and their sums always come in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
