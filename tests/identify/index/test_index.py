"""The index file: what goes in comes out, search is exact, damage is named."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import GridEncoder
from detections import index_of
from hypothesis import given
from hypothesis import strategies as st

from data_label_factory.errors import EncoderError, IndexFileError
from data_label_factory.identify.encoders import (
    Embedder,
    EmbedderIdentity,
    EncoderIdentity,
    unit_rows,
)
from data_label_factory.identify.index import Index, IndexMeta, exact
from data_label_factory.identify.index import index as index_module
from data_label_factory.identify.recognize.nearest import Nearest
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.labels import Label

ODD_NAMES = [
    "Ünïcödé 漢字 🃏",
    "two\nlines",
    'it\'s "quoted"',
    "../up",
    "<b>&amp;",
    "%41",
    " ",
    "plain",
]
FIELDS = {"filenames": "references"}
COLUMNS = ("names", "filenames", "set_codes", "rarities", "sha256")
MAKER = EncoderIdentity("grid", "ab" * 32, {"side": 4, "mean": [0.5, 0.5, 0.5]})


def text(*values: str) -> np.ndarray:
    return np.array(values, dtype=np.str_)


def make(
    names: list[str], embeddings: np.ndarray | None = None, dim: int = 8, **meta: Any
) -> Index:
    count = len(names)
    if embeddings is None:
        embeddings = unit_rows(np.random.default_rng(0).normal(size=(count, dim)))
    return Index(
        embeddings=embeddings.astype(np.float32),
        names=text(*names),
        references=text(*(f"{i} {name}.jpg" for i, name in enumerate(names))),
        set_codes=text(*("LOCH-JP001" if i % 2 else "" for i in range(count))),
        rarities=text(*("" for _ in names)),
        sha256=text(*(f"{i:064x}" for i in range(count))),
        meta=IndexMeta(MAKER, **meta),
    )


def test_save_and_load_give_back_everything_whatever_the_names(tmp_path: Path) -> None:
    saved = make(
        ODD_NAMES,
        head_sha256="cd" * 32,
        calibration={"sim": 0.5, "ü": [1, 2]},
        created="2026-01-01T00:00:00",
    )
    saved.save(tmp_path / "i.npz")
    loaded = Index.load(tmp_path / "i.npz")
    assert np.array_equal(loaded.embeddings, saved.embeddings)
    assert loaded.embeddings.dtype == np.float32
    for column in COLUMNS:
        field = FIELDS.get(column, column)
        assert getattr(loaded, field).tolist() == getattr(saved, field).tolist()
    assert loaded.meta == saved.meta
    assert loaded.label(1) == Label("two\nlines", "LOCH-JP001", "")


def test_numpy_alone_can_read_the_file_without_pickle(tmp_path: Path) -> None:
    make(ODD_NAMES).save(tmp_path / "i.npz")
    with np.load(tmp_path / "i.npz", allow_pickle=False) as stored:
        assert stored["embeddings"].shape == (8, 8)
        assert stored["names"].tolist() == ODD_NAMES
        assert json.loads(str(stored["meta"]))["encoder"]["id"] == "grid"


def test_saving_replaces_an_older_index_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    make(["old", "older"]).save(tmp_path / "i.npz")
    make(["new"]).save(tmp_path / "i.npz")
    assert Index.load(tmp_path / "i.npz").names.tolist() == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["i.npz"]


def test_a_calibration_is_stored_without_changing_the_original(tmp_path: Path) -> None:
    plain = make(["a"])
    plain.with_calibration({"sim": 0.4}).save(tmp_path / "i.npz")
    assert Index.load(tmp_path / "i.npz").meta.calibration == {"sim": 0.4}
    assert plain.meta.calibration == {}


@pytest.mark.parametrize("k", [1, 5, 300, 1000])
def test_search_equals_a_full_sort(k: int) -> None:
    rng = np.random.default_rng(k)
    index = make([str(i) for i in range(300)], unit_rows(rng.normal(size=(300, 16))))
    queries = unit_rows(rng.normal(size=(20, 16)))
    scores, rows = index.search(queries, k)
    cosines = queries @ index.embeddings.T
    expected = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    assert rows.dtype == np.int64
    assert scores.dtype == np.float32
    assert np.array_equal(rows, expected)
    assert np.allclose(scores, np.take_along_axis(cosines, expected, axis=1))


def test_search_in_blocks_gives_the_same_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    index = make([str(i) for i in range(50)], unit_rows(rng.normal(size=(50, 16))))
    queries = unit_rows(rng.normal(size=(23, 16)))
    scores, rows = index.search(queries, 4)
    monkeypatch.setattr(index_module, "_SEARCH_BLOCK_BYTES", 4 * 50 * 7)  # seven queries a block
    block_scores, block_rows = index.search(queries, 4)
    assert np.array_equal(block_rows, rows)
    assert np.allclose(block_scores, scores)


@pytest.mark.parametrize("k", [2, 150, 334, 400, 999, 1000])
def test_equal_cosines_come_in_row_order(k: int) -> None:
    """Also at the cut, where a partial sort alone would pick any of them."""
    kinds = np.random.default_rng(0).integers(0, 3, 1000)
    index = make(
        [str(i) for i in range(1000)], unit_rows(np.array([[1, 0], [0, 1], [1, 1]]))[kinds]
    )
    _, rows = index.search(np.array([[1, 0], [0, 1]], np.float32), k)
    order = [[0, 2, 1], [1, 2, 0]]
    assert rows.tolist() == [
        [r for kind in line for r in np.flatnonzero(kinds == kind)][:k] for line in order
    ]


@pytest.mark.parametrize("shape", [(1, 7), (1, 9), (8,)])
def test_queries_of_another_dimension_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="dimension 8"):
        make(["a", "b"]).search(np.zeros(shape, np.float32), 1)


def test_no_query_gives_no_answer() -> None:
    scores, rows = make(["a", "b"]).search(np.zeros((0, 8), np.float32), 2)
    assert scores.shape == rows.shape == (0, 2)


def test_rows_of_one_name_are_variants_of_one_item_whatever_the_capitals() -> None:
    index = make(["Élan", "Dragon", "E\u0301LAN", "dragon", "Other"])
    items = index.items.tolist()
    assert items[0] == items[2]
    assert items[1] == items[3]
    assert len(set(items)) == index.item_count == 3


def test_an_index_says_briefly_what_made_it() -> None:
    index = make(["a"], head_sha256="cd" * 32)
    assert str(index.meta) == "grid (weights abababab) with head cdcdcdcd"
    assert str(index.meta) in repr(index)


def test_another_encoder_is_refused_and_both_are_named() -> None:
    with pytest.raises(EncoderError) as refused:
        make(["a"]).require_maker(EmbedderIdentity(EncoderIdentity("clip", "ef" * 32, {})))
    assert "grid (weights abababab)" in str(refused.value)
    assert "clip (weights efefefef)" in str(refused.value)


@pytest.mark.parametrize(
    ("made_with", "used_with"), [("", "cd" * 32), ("cd" * 32, ""), ("cd" * 32, "ef" * 32)]
)
def test_another_head_is_refused(made_with: str, used_with: str) -> None:
    with pytest.raises(EncoderError, match="head"):
        make(["a"], head_sha256=made_with).require_maker(EmbedderIdentity(MAKER, used_with))


def test_the_maker_itself_is_accepted_after_a_round_trip(tmp_path: Path) -> None:
    make(["a"], head_sha256="cd" * 32).save(tmp_path / "i.npz")
    Index.load(tmp_path / "i.npz").require_maker(EmbedderIdentity(MAKER, "cd" * 32))


def test_other_preprocessing_is_another_maker() -> None:
    with pytest.raises(EncoderError):
        make(["a"]).require_maker(EmbedderIdentity(EncoderIdentity("grid", "ab" * 32, {"side": 5})))


def refusal(path: Path) -> IndexFileError:
    with pytest.raises(IndexFileError) as refused:
        Index.load(path)
    assert str(path) in refused.value.message
    return refused.value


def test_a_missing_index_is_named_with_the_command_that_makes_one(tmp_path: Path) -> None:
    assert (
        f"identify index --refs DIR --out {tmp_path / 'i.npz'}" in refusal(tmp_path / "i.npz").hint
    )


def test_a_folder_is_no_index(tmp_path: Path) -> None:
    refusal(tmp_path)


def stored(**changes: Any) -> bytes:
    """The bytes of a good index file with some arrays replaced, or left out (None)."""
    good = make(["a", "b", "c"])
    meta = {
        "encoder": vars(MAKER),
        "head_sha256": "",
        "calibration": {},
        "created": "",
        "format": 1,
    }
    arrays = {name: getattr(good, FIELDS.get(name, name)) for name in ("embeddings", *COLUMNS)} | {
        "meta": np.array(json.dumps(meta))
    }
    arrays |= changes
    file = io.BytesIO()
    np.savez(file, **{name: array for name, array in arrays.items() if array is not None})
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


DAMAGED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "cut in half": lambda: stored()[: len(stored()) // 2],
    "last byte lost": lambda: stored()[:-1],
    "text": lambda: b"not an archive",
    "a single array": lambda: npy(np.zeros(3)),
    "pickled objects": lambda: stored(names=np.array(["a", None, "c"], dtype=object)),
    "meta missing": lambda: stored(meta=None),
    "a column missing": lambda: stored(sha256=None),
    "meta no JSON": lambda: stored(meta=np.array("{")),
    "meta no object": lambda: stored(meta=np.array("[1]")),
    "meta with an unknown key": lambda: stored(
        meta=np.array('{"format": 1, "encoder": {}, "x": 1}')
    ),
    "a column too short": lambda: stored(names=text("a", "b")),
    "a column of numbers": lambda: stored(filenames=np.arange(3)),
    "one-dimensional embeddings": lambda: stored(embeddings=np.zeros(3, np.float32)),
    "float64 embeddings": lambda: stored(embeddings=np.zeros((3, 8))),
    "NaN": lambda: stored(embeddings=np.full((3, 8), np.nan, np.float32)),
    "infinity": lambda: stored(embeddings=np.full((3, 8), np.inf, np.float32)),
    "no rows": lambda: stored(
        embeddings=np.zeros((0, 8), np.float32), **dict.fromkeys(COLUMNS, text())
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_refused_with_a_hint(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "i.npz"
    path.write_bytes(DAMAGED[damage]())
    assert "identify index" in refusal(path).hint


def test_the_undamaged_file_of_these_tests_loads(tmp_path: Path) -> None:
    (tmp_path / "i.npz").write_bytes(stored())
    assert len(Index.load(tmp_path / "i.npz")) == 3


def test_random_damage_never_escapes_as_another_error(tmp_path: Path) -> None:
    good, path, rng = stored(), tmp_path / "i.npz", np.random.default_rng(7)
    refused = 0
    for _ in range(400):
        bad = bytearray(good)
        for at in rng.integers(0, len(bad), 2):
            bad[at] = rng.integers(256)
        path.write_bytes(bad)
        try:
            Index.load(path)
        except IndexFileError:
            refused += 1
    assert refused > 300


def test_a_newer_format_is_refused_by_number(tmp_path: Path) -> None:
    path = tmp_path / "i.npz"
    meta = {
        "encoder": vars(MAKER),
        "head_sha256": "",
        "calibration": {},
        "created": "",
        "format": 99,
    }
    path.write_bytes(stored(meta=np.array(json.dumps(meta))))
    assert "format 99, this version reads 1" in str(refusal(path))


def test_the_file_is_a_plain_zip_of_arrays(tmp_path: Path) -> None:
    make(["a"]).save(tmp_path / "i.npz")
    with zipfile.ZipFile(tmp_path / "i.npz") as archive:
        assert {name.removesuffix(".npy") for name in archive.namelist()} == {
            "embeddings",
            "meta",
            *COLUMNS,
        }


def test_views_of_a_label_are_one_variant_and_have_a_first() -> None:
    files = ["bear__3.jpg", "bear__2.jpg", "a/bear.jpg", "NEO-1_bear.jpg", "2/NEO-1_bear.jpg"]
    index = index_of(*files, "NEO-1_Bear_ur__7.jpg", "duck.jpg")
    assert index.variants.tolist() == [0, 0, 0, 1, 1, 2, 3]
    assert index.first_views.tolist() == [1, 1, 1, 3, 3, 5, 6]
    assert index.item_count == 2


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=40), st.integers(1, 6))
def test_the_nearest_are_the_nearest_views_of_different_variants(words: list[str], k: int) -> None:
    files = [f"{word}/{word}__{number}.jpg" for number, word in enumerate(words, 2)]
    index = index_of(*files, "c.jpg", "d.jpg", "e.jpg")
    cosines = np.random.default_rng(len(files)).permutation(len(index)).astype(np.float32)
    expected: dict[str, int] = {}
    for row in np.argsort(-cosines):
        expected.setdefault(str(index.names[row]), int(row))
    order = np.argsort(-cosines)
    nearest = Nearest(index, index.embeddings[0], found=(cosines[order], order))
    found = NeighborSearch(index, Embedder(GridEncoder())).nearest_variants(nearest, k)
    assert found == list(expected.values())[:k]


@pytest.mark.parametrize(("rows", "k"), [(1, 3), (7, 9), (64, 300)])
def test_search_in_parts_of_the_rows_gives_the_same(
    rows: int, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(k)
    vectors = unit_rows(rng.integers(-1, 2, size=(300, 8)) + np.eye(300, 8))  # many equal cosines
    index = make([str(i) for i in range(300)], vectors)
    queries = unit_rows(rng.normal(size=(6, 8)))
    expected = index.search(queries, k)[0]
    monkeypatch.setattr(exact, "_ROWS", rows)
    scores, found = index.search(queries, k)
    assert np.allclose(scores, expected)
    cosines = queries @ index.embeddings.T
    assert np.allclose(np.take_along_axis(cosines, found, axis=1), expected, atol=1e-6)
    assert all(len(set(line)) == k for line in found.tolist())
