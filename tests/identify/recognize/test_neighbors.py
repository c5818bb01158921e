"""Margins by embedding: what is taken out of the index is no rival, to anyone."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data_label_factory.identify.recognize.neighbors import NeighborSearch


@pytest.fixture
def neighbors() -> NeighborSearch:
    """Of twins, rows 0 and 1 with the cosine 0.8, and a third item."""
    rows = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], np.float32)
    index: Any = SimpleNamespace(embeddings=rows, items=np.arange(3), variants=np.arange(3))
    no_embedder: Any = None
    return NeighborSearch(index, no_embedder)


def test_a_reference_has_its_own_margin_whatever_is_hidden(neighbors: NeighborSearch) -> None:
    """Else a left-out twin would be more like its sibling than the sibling itself."""
    own = neighbors.index.embeddings[1] @ neighbors.index.embeddings.T
    without = np.where([True, False, False], -np.inf, own).astype(np.float32)
    for cosines, margin, hidden in ((own, 0.2, {}), (without, 1.0, {0}), (own, 0.2, {})):
        assert neighbors.margin(1, cosines) == pytest.approx(margin)
        assert neighbors.margin_ratio(1, cosines, hidden) == pytest.approx(1)


def test_a_left_out_twin_has_little_of_its_siblings_margin(neighbors: NeighborSearch) -> None:
    shown = neighbors.index.embeddings[0] @ neighbors.index.embeddings.T
    shown[0] = -np.inf
    assert neighbors.margin_ratio(1, shown, {0}) == pytest.approx(0.8)
