"""The supervised contrastive loss, and its gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def supcon_loss(
    embeddings: Floats, labels: NDArray[np.int64], temperature: float
) -> tuple[float, Floats]:
    """SupCon with the sum over positives outside the logarithm.

    Khosla et al. 2020, "Supervised Contrastive Learning", equation 2,
    "L_out".

    `embeddings` (B, D) float unit rows, `labels` (B,) int → the
    loss, and its gradient (B, D) with respect to the embeddings.
    The positives P(i) of a row i are the other rows of its label.
    Its loss is

        -1/|P(i)| Σ_{p∈P(i)} log( exp(z_i·z_p/t) / Σ_{a≠i} exp(z_i·z_a/t) )

    and the result is the mean over the rows that have positives.
    The other rows are only negatives. The loss is 0 if no row has
    positives.
    """
    positive = labels[:, None] == labels[None, :]
    np.fill_diagonal(positive, False)
    counts = positive.sum(axis=1)
    anchors = np.count_nonzero(counts)
    if not anchors:
        return 0.0, np.zeros_like(embeddings)

    logits = embeddings @ embeddings.T / temperature
    np.fill_diagonal(logits, -np.inf)
    logits -= logits.max(axis=1, keepdims=True)
    shares = np.exp(logits)
    totals = shares.sum(axis=1, keepdims=True)

    # The weight of a positive: rows without any have none.
    weight = (1 / (anchors * np.maximum(counts, 1))).astype(embeddings.dtype)
    log_fractions = np.where(positive, logits - np.log(totals), 0)
    loss = -float((log_fractions.sum(axis=1, dtype=np.float64) * weight).sum())

    # ∂loss/∂logit(i, a) = weight_i · (|P(i)| · softmax(i, a) - [a ∈ P(i)])
    by_logit = shares / totals * (counts * weight)[:, None] - positive * weight[:, None]
    gradient = (by_logit + by_logit.T) @ embeddings / temperature
    return loss, np.asarray(gradient, embeddings.dtype)
