"""What is near a crop says the same as all its cosines would."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from data_label_factory.identify.encoders import Embedder, EncoderIdentity, unit_rows
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index, IndexMeta, Row
from data_label_factory.identify.recognize import nearest as nearest_module
from data_label_factory.identify.recognize.nearest import Nearest, find_nearest
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.labels import Label

DIM = 6
MAKER = EncoderIdentity("noise", "ef" * 32, {"side": 8})


class NoEncoder:
    """Encodes nothing: what is searched for is an embedding already."""

    dim = DIM
    identity = MAKER
    constants = None

    def encode(self, images: Sequence[RGB]) -> NDArray[np.float32]:
        raise AssertionError


def make_index(items: Sequence[int], seed: int) -> Index:
    """Rows of the `items` given, some of them equal."""
    rng = np.random.default_rng(seed)
    vectors = unit_rows(rng.normal(size=(max(len(items) // 2, 1), DIM)).astype(np.float32))
    picked = vectors[rng.integers(0, len(vectors), len(items))]
    rows = [
        Row(f"{number:04}.jpg", Label(f"item {item}", f"S-{number % 3}", ""), f"{number}", vector)
        for number, (item, vector) in enumerate(zip(items, picked, strict=True))
    ]
    return Index.from_rows(rows, IndexMeta(MAKER))


def naive_margin(index: Index, cosines: NDArray[np.float32], row: int) -> float:
    best = None
    for other in range(len(index)):
        if index.names[other] != index.names[row] and np.isfinite(cosines[other]):
            best = cosines[other] if best is None else max(best, cosines[other])
    return float(cosines[row] - (0.0 if best is None else best))


@pytest.mark.parametrize("first", [1, 3, 64])
@given(
    items=st.lists(st.integers(0, 4), min_size=1, max_size=40),
    seed=st.integers(0, 99),
    hiding=st.floats(0, 1),
    k=st.integers(1, 6),
)
def test_it_says_what_all_cosines_say(
    items: list[int], seed: int, hiding: float, k: int, first: int
) -> None:
    index = make_index(items, seed)
    rng = np.random.default_rng(seed)
    query = unit_rows(rng.normal(size=(1, DIM)).astype(np.float32))
    hidden = {int(row) for row in np.flatnonzero(rng.random(len(index)) < hiding)}
    cosines = (query @ index.embeddings.T)[0]
    cosines[list(hidden)] = -np.inf
    visible = [row for row in np.argsort(-cosines, kind="stable") if int(row) not in hidden]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest_module, "_FIRST", first)  # so few that more are asked for
        (nearest,) = find_nearest(index, query, hidden)
        rows = list(nearest.rows())
        every = np.arange(len(index))
        assert np.allclose(nearest.cosines(every), cosines, atol=1e-6)

        # Rows whose cosines differ by rounding alone may stand in either order.
        assert sorted(rows) == sorted(visible)
        assert np.allclose(cosines[rows], cosines[visible], atol=1e-6)
        assert (nearest.best is None) == (not visible)

        search = NeighborSearch(index, Embedder(NoEncoder()))
        for row in visible[:5]:
            expected = naive_margin(index, cosines, row)
            assert search.margin(int(row), nearest) == pytest.approx(expected, abs=1e-6)
            own_cosines = index.embeddings @ index.embeddings[row]
            own_cosines[list(hidden)] = -np.inf
            own = naive_margin(index, own_cosines, row)
            ratio = expected / max(own, 0.05)
            assert search.margin_ratio(int(row), nearest) == pytest.approx(ratio, abs=1e-4)

        best: dict[int, float] = {}
        for row in visible:
            best.setdefault(int(index.variants[row]), float(cosines[row]))
        found = search.nearest_variants(nearest, k)
        assert len(found) == len({int(index.variants[row]) for row in found})
        assert np.allclose(cosines[found], list(best.values())[:k], atol=1e-6)


def test_little_is_asked_for() -> None:
    index = make_index(range(5000), 1)
    query = unit_rows(np.random.default_rng(2).normal(size=(3, DIM)).astype(np.float32))
    for nearest in find_nearest(index, query, [4, 5]):
        assert nearest.best is not None
        NeighborSearch(index, Embedder(NoEncoder())).margin(nearest.best, nearest)
        held = [value.size for value in vars(nearest).values() if isinstance(value, np.ndarray)]
        assert max(held) <= 66


def test_one_item_alone_has_no_other() -> None:
    index = make_index([0] * 300, 3)
    nearest = Nearest(index, index.embeddings[7])
    assert nearest.best_other(0) == -np.inf
    assert len(list(nearest.rows())) == 300
