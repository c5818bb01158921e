"""The supervised contrastive loss."""

from __future__ import annotations

import torch
from torch import Tensor


def supcon_loss(embeddings: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """SupCon with the sum over positives outside the logarithm.

    Khosla et al. 2020, "Supervised Contrastive Learning", equation 2, "L_out".

    `embeddings` (B, D) float unit rows, `labels` (B,) int → a scalar. The positives
    P(i) of a row i are the other rows of its label. Its loss is

        -1/|P(i)| Σ_{p∈P(i)} log( exp(z_i·z_p/t) / Σ_{a≠i} exp(z_i·z_a/t) )

    and the result is the mean over the rows that have positives. The other rows are
    only negatives. The loss is 0 if no row has positives.
    """
    itself = torch.eye(len(labels), dtype=torch.bool, device=embeddings.device)
    positive = (labels[:, None] == labels[None, :]) & ~itself

    logits = (embeddings @ embeddings.T / temperature).masked_fill(itself, -torch.inf)
    log_fraction = logits - torch.logsumexp(logits, dim=1, keepdim=True)

    counts = positive.sum(dim=1)
    anchors = counts > 0
    if not anchors.any():
        return embeddings.sum() * 0.0

    # masked_fill, not a product: the diagonal is -inf, and -inf · 0 is not a number.
    sums = log_fraction.masked_fill(~positive, 0.0).sum(dim=1)
    return -(sums[anchors] / counts[anchors]).mean()
