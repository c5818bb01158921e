"""The numpy training beside the same steps in torch: one bank, in turn, one thread each.

    OPENBLAS_NUM_THREADS=1 python bench/train_torch.py --refs DIR [--references N] [--seeds N]

Needs torch, which the program itself does not.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from data_label_factory.folders import cache_folder
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.train import fit
from data_label_factory.identify.train.bank import Bank, build_bank
from data_label_factory.identify.train.sampler import Batch
from data_label_factory.identify.train.settings import TrainSettings, ViewRecipe
from data_label_factory.walk import walk_folder

NumpyTraining = fit._Training


class TorchTraining(NumpyTraining):
    """Steps with autograd and torch's AdamW, on the memory of the numpy weights."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._tensors = [torch.from_numpy(w).requires_grad_() for w in self.weights]
        self._theirs = torch.optim.AdamW(self._tensors, weight_decay=fit._WEIGHT_DECAY)

    def _step(self, batch: Batch, number: int) -> float:
        steps = self.settings.epochs * self._steps
        self._theirs.param_groups[0]["lr"] = self.settings.lr * fit._schedule(number, steps)

        w1, b1, w2, b2 = self._tensors
        hidden = functional.gelu(functional.linear(torch.from_numpy(batch.features), w1, b1))
        embeddings = functional.normalize(functional.linear(hidden, w2, b2), dim=1)
        labels = torch.from_numpy(batch.labels)
        loss = supcon_loss(embeddings, labels, self.settings.temperature)

        self._theirs.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        self._theirs.step()
        return float(loss.detach())


def supcon_loss(embeddings: torch.Tensor, labels: torch.Tensor, temperature: float) -> torch.Tensor:
    """The loss of `train.supcon`, for batches in which every row has a positive."""
    itself = torch.eye(len(labels), dtype=torch.bool)
    positive = (labels[:, None] == labels[None]) & ~itself
    logits = (embeddings @ embeddings.T / temperature).masked_fill(itself, -torch.inf)
    fractions = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -(fractions.masked_fill(~positive, 0).sum(dim=1) / positive.sum(dim=1)).mean()


def compare(bank: Bank, seeds: int) -> None:
    for seed in range(seeds):
        for name, kind in (("numpy", NumpyTraining), ("torch", TorchTraining)):
            setattr(fit, "_Training", kind)  # noqa: B010
            start = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                result = fit.train_head(
                    bank, Path(folder) / "h.pt", TrainSettings(seed=seed), force=True, quiet=True
                )
            seconds = time.perf_counter() - start
            print(f"seed {seed}  {name}  {seconds:5.1f} s  {result.after.figures.as_json()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--refs", type=Path, required=True)
    parser.add_argument("--references", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()

    torch.set_num_threads(1)
    embedder = Embedder.open("sscd-small")
    with tempfile.TemporaryDirectory() as folder:
        for name in walk_folder(options.refs).pictures[: options.references]:
            (Path(folder) / Path(name).name).symlink_to((options.refs / name).resolve())
        recipe = ViewRecipe(side_px=embedder.crop_side)
        bank = build_bank(Path(folder), cache_folder() / "banks", embedder.encoder, recipe)
    compare(bank, options.seeds)


if __name__ == "__main__":
    main()
