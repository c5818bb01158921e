"""The second embedding of a reference: one byte a dimension, kept with the index."""

from pathlib import Path

import numpy as np
import pytest
from conftest import GridEncoder, pixels, save_picture

from data_label_factory.errors import EncoderError, IndexFileError
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.encoders import Embedder, unit_rows
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import BuildResult, build_index
from data_label_factory.identify.index.semantic import pack, unpack


def build(refs: Path, semantic: GridEncoder | None) -> BuildResult:
    embedder = Embedder(GridEncoder(), semantic=semantic)
    return build_index(refs, refs.parent / "i.npz", embedder, quiet=True)


def test_a_byte_a_dimension_keeps_the_cosines() -> None:
    rows = unit_rows(np.random.default_rng(0).exponential(size=(60, 1280)))
    packed = pack(rows)
    assert packed.nbytes == 60 * 1280
    assert np.abs(unpack(packed) @ unpack(packed).T - rows @ rows.T).max() < 0.002


def test_what_shows_nothing_is_packed_as_nothing() -> None:
    rows = np.zeros((1, 8), np.float32)
    assert not pack(rows).any()
    assert np.isfinite(unpack(pack(rows))).all()


def test_it_is_kept_with_the_index(refs: Path) -> None:
    semantic = GridEncoder("kinds")
    build(refs, semantic)
    stored = Index.load(refs.parent / "i.npz")
    assert stored.meta.semantic == semantic.identity
    assert stored.semantic is not None
    expected = semantic.encode([pixels(0)])
    own = unpack(stored.semantic) @ expected[0]
    assert own.shape == (len(stored),)
    assert own.max() > 0.999


def test_what_is_encoded_once_is_not_encoded_again(refs: Path) -> None:
    build(refs, GridEncoder("kinds"))
    save_picture(refs / "one_more.png", 99)
    again = GridEncoder("kinds")
    assert build(refs, again).encoded == again.encoded == 1


def test_an_index_without_it_is_built_anew_and_says_why(refs: Path) -> None:
    build(refs, None)
    assert Index.load(refs.parent / "i.npz").semantic is None
    result = build(refs, GridEncoder("kinds"))
    assert result.encoded == len(result.index)
    assert "without the semantic encoder kinds" in result.rebuilt


def test_it_can_be_left_out_again_without_encoding_anything(refs: Path) -> None:
    build(refs, GridEncoder("kinds"))
    result = build(refs, None)
    assert (result.encoded, result.written) == (0, True)
    stored = Index.load(refs.parent / "i.npz")
    assert (stored.semantic, stored.meta.semantic) == (None, None)


def test_a_picture_that_is_added_has_it_too(refs: Path) -> None:
    embedder = Embedder(GridEncoder(), semantic=GridEncoder("kinds"))
    collection = Collection.open(refs, refs.parent / "i.npz", embedder=embedder)
    before = collection.index
    collection.add(pixels(77), "Odd One")
    assert before.semantic is not None
    stored = Index.load(refs.parent / "i.npz")
    assert stored.semantic is not None
    assert len(stored.semantic) == len(before) + 1 == len(stored)
    row = stored.row_of["odd_one.jpg"]
    assert unpack(stored.semantic)[row] @ GridEncoder().encode([pixels(77)])[0] > 0.99

    collection.remove("odd_one.jpg")
    assert np.array_equal(Index.load(refs.parent / "i.npz").semantic, before.semantic)


@pytest.mark.parametrize("damage", [lambda rows: rows[:-1], lambda rows: rows.astype(np.float32)])
def test_a_damaged_one_is_refused(refs: Path, damage: object) -> None:
    build(refs, GridEncoder("kinds"))
    path = refs.parent / "i.npz"
    with np.load(path) as stored:
        columns = dict(stored)
    columns["semantic"] = damage(columns["semantic"])  # type: ignore[operator]
    np.savez(path, **columns)
    with pytest.raises(IndexFileError, match="damaged"):
        Index.load(path)


@pytest.mark.parametrize("semantic", [None, GridEncoder("others")])
def test_nothing_is_added_without_it(refs: Path, semantic: GridEncoder | None) -> None:
    build(refs, GridEncoder("kinds"))
    embedder = Embedder(GridEncoder(), semantic=semantic)
    collection = Collection.load(refs.parent / "i.npz", refs, embedder=embedder)
    before = Index.load(refs.parent / "i.npz")
    with pytest.raises(EncoderError, match="second embeddings by kinds"):
        collection.add(pixels(77), "Odd One")
    assert not (refs / "odd_one.jpg").exists()
    assert Index.load(refs.parent / "i.npz").same_rows(before)
