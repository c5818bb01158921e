"""AdamW: Adam with decoupled weight decay, Loshchilov & Hutter, ICLR 2019."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from data_label_factory.identify.train.init_weights import Floats

_DECAYS = (0.9, 0.999)  # of the mean and the mean square of the gradients
_EPSILON = 1e-8


class AdamW:
    """Changes `weights` in place, step by step.

    `step` counts the steps; `means` and `squares` are the moving
    means of the gradients and of their squares, shaped like the
    weights. Pass them to continue.
    """

    def __init__(
        self,
        weights: Sequence[Floats],
        weight_decay: float,
        *,
        step: int = 0,
        means: Sequence[Floats] | None = None,
        squares: Sequence[Floats] | None = None,
    ) -> None:
        self.weights = weights
        self.step = step
        self.means = [m.copy() for m in means] if means else [np.zeros_like(w) for w in weights]
        self.squares = [s.copy() for s in squares] if squares else [w * 0 for w in weights]
        self._decay = weight_decay

    def update(self, gradients: Sequence[Floats], lr: float) -> None:
        """One step with the learning rate `lr`."""
        self.step += 1
        first, second = _DECAYS
        rate = lr / (1 - first**self.step)
        correction = 1 / math.sqrt(1 - second**self.step)

        for weight, gradient, mean, square in zip(
            self.weights, gradients, self.means, self.squares, strict=True
        ):
            mean *= first
            mean += (1 - first) * gradient
            square *= second
            square += (1 - second) * np.square(gradient)

            change = np.sqrt(square)
            change *= correction
            change += _EPSILON
            np.divide(mean, change, out=change)
            weight *= 1 - lr * self._decay
            weight -= rate * change
