"""The supervised contrastive loss against its definition, written out one number at a time."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch")
pytestmark = pytest.mark.torch

from data_label_factory.identify.train.supcon import supcon_loss  # noqa: E402


def naive_loss(rows: list[list[float]], labels: list[int], temperature: float) -> float:
    def similarity(i: int, j: int) -> float:
        return sum(a * b for a, b in zip(rows[i], rows[j], strict=True)) / temperature

    losses = []
    for i in range(len(rows)):
        positives = [p for p in range(len(rows)) if p != i and labels[p] == labels[i]]
        if positives:
            total = sum(math.exp(similarity(i, a)) for a in range(len(rows)) if a != i)
            losses.append(
                -sum(math.log(math.exp(similarity(i, p)) / total) for p in positives)
                / len(positives)
            )
    return sum(losses) / len(losses) if losses else 0.0


def unit(seed: int, count: int) -> "torch.Tensor":
    rows = np.random.default_rng(seed).normal(size=(count, 5))
    return torch.from_numpy(rows / np.linalg.norm(rows, axis=1, keepdims=True))


LABELS = {
    "four by three": [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3],
    "variants share a label": [7, 7, 7, 7, 7, 7, 7, 7, 2, 2, 2, 2],
    "some with one view": [0, 1, 1, 2, 3, 3, 3, 4, 5, 6, 6, 9],
    "mixed order": [1, 0, 2, 1, 0, 2, 2, 1, 0, 0, 5, 1],
    "one class": [4] * 12,
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 2e-4)])
def test_the_loss_is_what_a_double_loop_gives(
    labels: list[int], temperature: float, kind: "torch.dtype", tolerance: float
) -> None:
    rows = unit(1, 12)
    loss = supcon_loss(rows.to(kind), torch.tensor(labels), temperature)
    assert loss.dtype == kind and loss.shape == ()
    assert float(loss) == pytest.approx(
        naive_loss(rows.tolist(), labels, temperature), rel=tolerance
    )


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_the_gradient_is_that_of_finite_differences(labels: list[int]) -> None:
    rows = unit(2, 12).requires_grad_()
    supcon_loss(rows, torch.tensor(labels), 0.1).backward()
    step = 1e-6
    for i, j in [(0, 0), (3, 2), (7, 4), (11, 1)]:
        sides = []
        for sign in (1, -1):
            moved = rows.detach().clone()
            moved[i, j] += sign * step
            sides.append(naive_loss(moved.tolist(), labels, 0.1))
        assert rows.grad is not None
        assert float(rows.grad[i, j]) == pytest.approx(
            (sides[0] - sides[1]) / (2 * step), rel=1e-4, abs=1e-6
        )


@pytest.mark.parametrize("labels", [[0, 1, 2], [5]])
def test_without_any_positive_pair_loss_and_gradient_are_zero(labels: list[int]) -> None:
    rows = unit(3, len(labels)).requires_grad_()
    loss = supcon_loss(rows, torch.tensor(labels), 0.1)
    loss.backward()
    assert float(loss.detach()) == 0
    assert rows.grad is not None and not rows.grad.any()


def test_equal_rows_and_a_tiny_temperature_stay_finite() -> None:
    rows = unit(4, 1).repeat(6, 1).requires_grad_()
    loss = supcon_loss(rows, torch.tensor([0, 0, 1, 1, 2, 2]), 1e-3)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(math.log(5))
    assert rows.grad is not None and bool(torch.isfinite(rows.grad).all())


def test_bringing_positives_together_and_negatives_apart_lowers_the_loss() -> None:
    close = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
    crossed = close[[0, 2, 1, 3]]
    labels = torch.tensor([0, 0, 1, 1])
    assert float(supcon_loss(close, labels, 0.1)) < 1e-6 < float(supcon_loss(crossed, labels, 0.1))
