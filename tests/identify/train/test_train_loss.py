"""The loss, its gradient and the optimizer, against their definitions and against torch."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from data_label_factory.identify.train.adamw import AdamW
from data_label_factory.identify.train.network import backward, forward
from data_label_factory.identify.train.supcon import supcon_loss

Array = NDArray[np.float64]


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


def unit(seed: int, count: int) -> Array:
    rows = np.random.default_rng(seed).normal(size=(count, 5))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def draw_weights(seed: int, sizes: tuple[int, int, int] = (5, 7, 4)) -> tuple[Array, ...]:
    """`w1`, `b1`, `w2`, `b2`, in float64 so that differences of the loss are exact."""
    rng = np.random.default_rng(seed)
    n_in, hidden, out = sizes
    shapes = [(hidden, n_in), (hidden,), (out, hidden), (out,)]
    return tuple(rng.normal(size=shape) for shape in shapes)


LABELS = {
    "four by three": [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3],
    "variants share a label": [7, 7, 7, 7, 7, 7, 7, 7, 2, 2, 2, 2],
    "some with one view": [0, 1, 1, 2, 3, 3, 3, 4, 5, 6, 6, 9],
    "mixed order": [1, 0, 2, 1, 0, 2, 2, 1, 0, 0, 5, 1],
    "one class": [4] * 12,
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
@pytest.mark.parametrize(("kind", "tolerance"), [(np.float64, 1e-10), (np.float32, 2e-4)])
def test_the_loss_is_what_a_double_loop_gives(
    labels: list[int], temperature: float, kind: type, tolerance: float
) -> None:
    rows = unit(1, 12)
    loss, gradient = supcon_loss(rows.astype(kind), np.array(labels), temperature)
    assert gradient.dtype == kind and gradient.shape == rows.shape
    assert loss == pytest.approx(naive_loss(rows.tolist(), labels, temperature), rel=tolerance)


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_the_gradient_is_that_of_finite_differences(labels: list[int]) -> None:
    rows = unit(2, 12)
    _, gradient = supcon_loss(rows, np.array(labels), 0.1)
    step = 1e-6
    for i, j in [(0, 0), (3, 2), (7, 4), (11, 1)]:
        sides = []
        for sign in (1, -1):
            moved = rows.copy()
            moved[i, j] += sign * step
            sides.append(naive_loss(moved.tolist(), labels, 0.1))
        assert gradient[i, j] == pytest.approx(
            (sides[0] - sides[1]) / (2 * step), rel=1e-4, abs=1e-6
        )


@pytest.mark.parametrize("labels", [[0, 1, 2], [5]])
def test_without_any_positive_pair_loss_and_gradient_are_zero(labels: list[int]) -> None:
    loss, gradient = supcon_loss(unit(3, len(labels)), np.array(labels), 0.1)
    assert loss == 0
    assert not gradient.any()


def test_equal_rows_and_a_tiny_temperature_stay_finite() -> None:
    rows = unit(4, 1).repeat(6, axis=0)
    loss, gradient = supcon_loss(rows, np.array([0, 0, 1, 1, 2, 2]), 1e-3)
    assert loss == pytest.approx(math.log(5))
    assert np.isfinite(gradient).all()


def test_bringing_positives_together_and_negatives_apart_lowers_the_loss() -> None:
    close = np.array([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
    crossed = close[[0, 2, 1, 3]]
    labels = np.array([0, 0, 1, 1])
    assert supcon_loss(close, labels, 0.1)[0] < 1e-6 < supcon_loss(crossed, labels, 0.1)[0]


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_of_every_weight_is_that_of_finite_differences(seed: int) -> None:
    """Loss, normalization, both linear layers and the GELU in one chain."""
    weights = draw_weights(seed)
    features = np.random.default_rng(seed + 10).normal(size=(12, 5))
    labels = np.array(LABELS["mixed order"])

    def loss_of() -> float:
        return supcon_loss(forward(weights, features).embeddings, labels, 0.3)[0]

    passed = forward(weights, features)
    gradients = backward(weights, passed, supcon_loss(passed.embeddings, labels, 0.3)[1])
    step = 1e-4  # the approximation of erf is smooth only down to about 1e-7
    for weight, gradient in zip(weights, gradients, strict=True):
        assert gradient.shape == weight.shape
        for at in np.ndindex(weight.shape):
            kept = weight[at]
            weight[at] = kept + step
            above = loss_of()
            weight[at] = kept - step
            below = loss_of()
            weight[at] = kept
            assert gradient[at] == pytest.approx((above - below) / (2 * step), rel=1e-3, abs=5e-4)


def test_a_row_of_zeros_has_finite_gradients() -> None:
    w1, b1, w2, b2 = draw_weights(0)
    weights = (w1, b1 * 0, w2, b2 * 0)
    passed = forward(weights, np.zeros((2, 5)))
    assert not passed.embeddings.any()
    gradients = backward(weights, passed, np.zeros((2, 4)))
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def naive_adamw(value: float, gradients: list[float], lr: float, decay: float) -> list[float]:
    mean = square = 0.0
    values = []
    for step, gradient in enumerate(gradients, 1):
        value -= lr * decay * value
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        value -= lr * (mean / (1 - 0.9**step)) / (math.sqrt(square / (1 - 0.999**step)) + 1e-8)
        values.append(value)
    return values


def test_adamw_is_what_a_loop_over_single_numbers_gives() -> None:
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(3, 2)), rng.normal(size=4)]
    steps = [[rng.normal(size=w.shape) for w in weights] for _ in range(5)]
    expected = [
        [naive_adamw(w[at], [g[row][at] for g in steps], 0.01, 0.1) for at in np.ndindex(w.shape)]
        for row, w in enumerate(weights)
    ]

    optimizer = AdamW(weights, 0.1)
    for number, gradients in enumerate(steps):
        optimizer.update(gradients, 0.01)
        for weight, values in zip(weights, expected, strict=True):
            assert weight.ravel() == pytest.approx([v[number] for v in values], rel=1e-12)


@pytest.mark.torch
def test_a_step_is_that_of_torch() -> None:
    torch = pytest.importorskip("torch")
    weights = tuple(w.astype(np.float32) for w in draw_weights(1, (48, 64, 32)))
    features = np.random.default_rng(2).normal(size=(24, 48)).astype(np.float32)
    labels = np.repeat(np.arange(8), 3)

    theirs = [torch.from_numpy(w.copy()).requires_grad_() for w in weights]
    optimizer = torch.optim.AdamW(theirs, lr=1e-3, weight_decay=1e-4)
    ours = AdamW(weights, 1e-4)
    for _ in range(10):
        w1, b1, w2, b2 = theirs
        linear = torch.nn.functional.linear
        hidden = torch.nn.functional.gelu(linear(torch.from_numpy(features), w1, b1))
        z = torch.nn.functional.normalize(linear(hidden, w2, b2), dim=1)
        logits = z @ z.T / 0.1 - torch.diag(torch.full((24,), torch.inf))
        fractions = logits - torch.logsumexp(logits, 1, keepdim=True)
        positive = torch.from_numpy((labels[:, None] == labels) & ~np.eye(24, dtype=bool))
        their_loss = -(fractions[positive].sum() / 2 / 24)
        optimizer.zero_grad()
        their_loss.backward()

        passed = forward(weights, features)
        loss, gradient = supcon_loss(passed.embeddings, labels, 0.1)
        gradients = backward(weights, passed, gradient)
        assert loss == pytest.approx(their_loss.item(), rel=1e-5)
        for mine, other in zip(gradients, theirs, strict=True):
            assert mine == pytest.approx(other.grad.numpy(), abs=2e-5)

        optimizer.step()
        ours.update(gradients, 1e-3)
    for mine, other in zip(weights, theirs, strict=True):
        assert mine == pytest.approx(other.detach().numpy(), abs=2e-4)
