"""The graph beside a large index names candidates; their cosines are exact."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_label_factory.errors import MissingExtraError
from data_label_factory.identify.encoders import EncoderIdentity, unit_rows
from data_label_factory.identify.index import Index, IndexMeta, Row, approximate
from data_label_factory.identify.index import index as index_module
from data_label_factory.identify.index.approximate import graph_path, update_graph
from data_label_factory.labels import Label

DIM = 24
MAKER = EncoderIdentity("noise", "ef" * 32, {"side": 8})


def make_row(number: int, content: int | None = None) -> Row:
    content = number if content is None else content
    rng = np.random.default_rng(content)
    vector = unit_rows(rng.normal(size=(1, DIM)).astype(np.float32))[0]
    return Row(f"{number:05}.jpg", Label(f"item {number}"), f"{content:064x}", vector)


def make_index(path: Path, count: int = 1500) -> Index:
    rows = [make_row(number) for number in range(count)]
    rows += [make_row(count + number, number) for number in range(20)]  # equal files
    Index.from_rows(rows, IndexMeta(MAKER)).save(path)
    return Index.load(path)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(index_module, "EXACT_ROWS", 100)
    monkeypatch.setattr(approximate, "EXACT_ROWS", 100)
    approximate._has_usearch.cache_clear()
    yield
    approximate._has_usearch.cache_clear()


def recall(index: Index, queries: np.ndarray, k: int) -> float:
    """What `search` finds of the k nearest; all its cosines are right."""
    scores, rows = index.search(queries, k)
    cosines = queries @ index.embeddings.T
    assert np.allclose(scores, np.take_along_axis(cosines, rows, axis=1), atol=1e-6)
    assert (np.diff(scores, axis=1) <= 0).all()
    best = -np.sort(-cosines, axis=1)[:, :k]
    return float(np.isclose(scores, best, atol=1e-6).mean())


def queries_near(index: Index, count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    picked = index.embeddings[rng.integers(0, len(index), count)]
    return unit_rows(picked + 0.1 * rng.normal(size=picked.shape).astype(np.float32))


@pytest.mark.usefixtures("few")
def test_the_graph_finds_the_nearest(tmp_path: Path) -> None:
    pytest.importorskip("usearch")
    path = tmp_path / "i.npz"
    update_graph(make_index(path), path)
    index = Index.load(path)
    assert index._approximate is not None
    assert recall(index, queries_near(index, 60), 10) > 0.99
    for row in range(3):  # both of two equal files
        _, (found,) = index.search(index.embeddings[row : row + 1], 2)
        assert sorted(found.tolist()) == [row, 1500 + row]


@pytest.mark.usefixtures("few")
def test_it_stays_good_when_rows_come_and_go(tmp_path: Path) -> None:
    pytest.importorskip("usearch")
    path = tmp_path / "i.npz"
    update_graph(make_index(path), path)
    before = graph_path(path).read_bytes()

    index = Index.load(path).taken(np.arange(40, 1520)).with_row(make_row(9999))
    assert index._approximate is not None
    (score,), (row,) = (found[0] for found in index.search(make_row(9999).embedding[None], 1))
    assert (str(index.references[row]), round(float(score), 5)) == ("09999.jpg", 1.0)
    assert recall(index, queries_near(index, 60), 10) > 0.99
    assert graph_path(path).read_bytes() == before

    update_graph(index, path)
    known = approximate._read_graph(graph_path(path), DIM, approximate._keys_of(index))
    assert known.contains(approximate._keys_of(index)).all()


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("size", [0, 10, 1000, -1])
def test_a_damaged_graph_is_not_used(tmp_path: Path, size: int) -> None:
    pytest.importorskip("usearch")
    path = tmp_path / "i.npz"
    index = make_index(path)
    update_graph(index, path)
    whole = graph_path(path).read_bytes()
    graph_path(path).write_bytes(whole[:size] if size >= 0 else bytes(len(whole)))
    assert recall(Index.load(path), queries_near(index, 5), 10) == 1.0
    update_graph(index, path)
    assert Index.load(path)._approximate is not None


@pytest.mark.usefixtures("few")
def test_a_graph_of_another_encoder_is_not_used(tmp_path: Path) -> None:
    pytest.importorskip("usearch")
    path = tmp_path / "i.npz"
    index = make_index(path)
    update_graph(index, path)
    other = replace(index, meta=IndexMeta(EncoderIdentity("other", "ab" * 32, {"side": 8})))
    assert other._approximate is None
    assert recall(other, queries_near(index, 20), 10) == 1.0


@pytest.mark.usefixtures("few")
def test_without_the_package_all_rows_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(module: str, *, extra: str) -> None:
        raise MissingExtraError(f"no {module}", f"install {extra}")

    path = tmp_path / "i.npz"
    index = make_index(path)
    graph_path(path).write_bytes(b"of another machine")
    monkeypatch.setattr(approximate, "need", refuse)
    with caplog.at_level(logging.WARNING):
        update_graph(index, path)
        assert recall(Index.load(path), queries_near(index, 20), 10) == 1.0
    assert len(caplog.records) == 1  # said once


def test_a_small_index_has_no_graph(tmp_path: Path) -> None:
    path = tmp_path / "i.npz"
    index = make_index(path, 30)
    graph_path(path).write_bytes(b"of when it was large")
    update_graph(index, path)
    assert not graph_path(path).exists()
