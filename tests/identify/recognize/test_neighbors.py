"""Margins by embedding: what is taken out of the index is no rival, to anyone."""

import numpy as np
import pytest
from test_nearest import MAKER, NoEncoder

from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.index import Index, IndexMeta, Row
from data_label_factory.identify.recognize.nearest import Nearest
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.labels import Label

# Of twins with the cosine 0.8, and a third item.
ROWS = np.array([[1, 0, 0, 0, 0, 0], [0.8, 0.6, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]], np.float32)


@pytest.fixture
def neighbors() -> NeighborSearch:
    rows = [Row(f"{n}.jpg", Label(f"item {n}", "", ""), f"{n}", row) for n, row in enumerate(ROWS)]
    return NeighborSearch(Index.from_rows(rows, IndexMeta(MAKER)), Embedder(NoEncoder()))


def test_a_reference_has_its_own_margin_whatever_is_hidden(neighbors: NeighborSearch) -> None:
    """Else a left-out twin would be more like its sibling than the sibling itself."""
    for margin, hidden in ((0.2, ()), (1.0, (0,)), (0.2, ())):
        itself = Nearest(neighbors.index, ROWS[1], hidden)
        assert neighbors.margin(1, itself) == pytest.approx(margin)
        assert neighbors.margin_ratio(1, itself) == pytest.approx(1)


def test_a_left_out_twin_has_little_of_its_siblings_margin(neighbors: NeighborSearch) -> None:
    twin = Nearest(neighbors.index, ROWS[0], hidden=(0,))
    assert neighbors.margin_ratio(1, twin) == pytest.approx(0.8)
