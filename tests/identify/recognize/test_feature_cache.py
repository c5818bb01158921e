"""References kept in a file, and recognisers brought up to date: the same answers as if worked
out anew.
"""

import shutil
from pathlib import Path

import numpy as np
import pytest
from drawn import draw_collection

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.index.files import read_row
from data_label_factory.identify.recognize import Recognizer, references
from data_label_factory.identify.recognize.feature_cache import (
    feature_cache_path,
    load_references,
    save_references,
)
from data_label_factory.identify.recognize.references import read_references

CARDS = 16


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.open("sscd-small")


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> tuple[Path, Index]:
    refs = tmp_path_factory.mktemp("cards") / "refs"
    draw_collection(refs, count=CARDS)
    return refs, build_index(refs, refs.parent / "i.npz", embedder, quiet=True).index


@pytest.fixture(scope="module")
def kept(collection: tuple[Path, Index], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The features of the collection, as a whole file."""
    refs, index = collection
    known, _ = read_references(index, refs)
    assert known is not None
    cache = tmp_path_factory.mktemp("kept") / "i.features.npz"
    save_references(known, cache)
    return cache


def without(index: Index, rows: list[int]) -> Index:
    return index.taken(np.delete(np.arange(len(index)), rows))


def view(collection: tuple[Path, Index], row: int) -> np.ndarray:
    refs, index = collection
    return render_view(
        [decode(refs / str(index.references[row]))], np.random.default_rng(row)
    ).image


def test_a_second_start_reads_no_picture_and_answers_the_same(
    collection: tuple[Path, Index],
    embedder: Embedder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refs, index = collection
    cache = feature_cache_path(tmp_path / "i.npz")
    first = Recognizer(index, embedder, refs=refs, cache=cache)
    monkeypatch.setattr(
        references, "read_row", lambda *row: pytest.fail(f"{row[2]} was read again")
    )
    second = Recognizer(index, embedder, refs=refs, cache=cache)
    for row in (0, 5, 9):
        a, b = (recognizer.recognize(view(collection, row)) for recognizer in (first, second))
        assert (
            [(d.reference, d.false_accept_rate) for d in a]
            == [(d.reference, d.false_accept_rate) for d in b]
            != []
        )


@pytest.mark.parametrize("damage", ["empty", "cut", "no archive", "other version", "wrong lengths"])
def test_a_file_that_does_not_fit_is_passed_over(
    damage: str, collection: tuple[Path, Index], kept: Path, embedder: Embedder, tmp_path: Path
) -> None:
    refs, index = collection
    cache = tmp_path / "i.features.npz"
    whole = kept.read_bytes()
    with np.load(kept) as file:
        arrays = dict(file)
    match damage:
        case "empty":
            cache.write_bytes(b"")
        case "cut":
            cache.write_bytes(whole[: len(whole) // 2])
        case "no archive":
            cache.write_bytes(b"PK\x03\x04" + bytes(200))
        case "other version":
            np.savez(cache, **{**arrays, "version": np.array("features 1")})
        case _:
            np.savez(cache, **{**arrays, "thumbs": arrays["thumbs"][:-1]})
    assert load_references(cache) is None
    assert Recognizer(index, embedder, refs=refs, cache=cache).recognize(view(collection, 2))
    assert load_references(cache) is not None  # made anew


def test_a_full_disk_costs_the_file_only(
    collection: tuple[Path, Index], embedder: Embedder, tmp_path: Path
) -> None:
    refs, index = collection
    recognizer = Recognizer(
        index, embedder, refs=refs, cache=tmp_path / "no such folder" / "i.features.npz"
    )
    assert recognizer.recognize(view(collection, 2))


def test_an_updated_recognizer_knows_what_is_new_and_forgets_what_is_gone(
    collection: tuple[Path, Index], embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs, index = collection
    few = without(index, [4, 11])
    old = Recognizer(few, embedder, refs=refs)
    assert str(index.references[4]) not in {d.reference for d in old.recognize(view(collection, 4))}
    read: list[int] = []
    monkeypatch.setattr(references, "read_row", lambda *row: read.append(row[2]) or read_row(*row))
    new = old.updated(index, refs)
    assert sorted(read) == [4, 11]
    fresh = Recognizer(index, embedder, refs=refs)
    for row in (4, 11, 0, 7):
        names = [
            {d.reference for d in r.recognize(view(collection, row)) if d.confident}
            for r in (new, fresh)
        ]
        assert names[0] == names[1] == {str(index.references[row])}
    shrunk = new.updated(few, refs)
    assert str(index.references[4]) not in {
        d.reference for d in shrunk.recognize(view(collection, 4))
    }
    assert {d.reference for d in old.recognize(view(collection, 0)) if d.confident} == {
        str(index.references[0])
    }


def test_a_picture_that_is_gone_is_not_named_from_memory(
    collection: tuple[Path, Index], kept: Path, embedder: Embedder, tmp_path: Path
) -> None:
    refs, index = collection
    items = list(index.items)
    assert items.count(items[2]) == 1, "its other printing would be named, and rightly"
    cache = tmp_path / "i.features.npz"
    shutil.copy(kept, cache)
    shutil.copytree(refs, tmp_path / "refs")
    (tmp_path / "refs" / str(index.references[2])).unlink()
    recognizer = Recognizer(index, embedder, refs=tmp_path / "refs", cache=cache)
    assert list(recognizer.unreadable) == [str(index.references[2])]
    assert not any(d.confident for d in recognizer.recognize(view(collection, 2)))


def test_copies_of_one_file_are_each_known(embedder: Embedder, tmp_path: Path) -> None:
    refs = tmp_path / "refs"
    files = draw_collection(refs, count=5)
    shutil.copy(files[0], refs / "another_name.jpg")
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    recognizer = Recognizer(index, embedder, refs=refs, cache=tmp_path / "f.npz")
    again = Recognizer(index, embedder, refs=refs, cache=tmp_path / "f.npz")
    frame = render_view([decode(files[0])], np.random.default_rng(1)).image
    for one in (recognizer, again):
        (seen,) = one.recognize(frame)
        # Two names for one picture: nobody can tell which it is, so neither is confident.
        assert not seen.confident
        assert {seen.reference, *seen.ambiguous_with} == {files[0].name, "another_name.jpg"}


def test_copies_are_each_others_near_duplicates_also_after_an_update(
    embedder: Embedder, tmp_path: Path
) -> None:
    refs = tmp_path / "refs"
    files = draw_collection(refs, count=12)
    for number in range(2):
        shutil.copy(files[0], refs / f"copy_{number}.jpg")
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    known, _ = read_references(without(index, [7]), refs)
    assert known is not None
    for references_, rows in (
        (known, without(index, [7])),
        (read_references(index, refs, known)[0], index),
    ):
        assert references_ is not None
        names = [str(rows.references[row]) for row in references_.rows]
        near_duplicates = {
            name: {names[near_duplicate] for near_duplicate in references_.near_duplicates[number]}
            for number, name in enumerate(names)
        }
        copies = {files[0].name, "copy_0.jpg", "copy_1.jpg"}
        assert [near_duplicates[copy] & copies for copy in sorted(copies)] == [
            copies - {copy} for copy in sorted(copies)
        ]


def test_large_collections_get_fewer_features_each(
    collection: tuple[Path, Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    refs, index = collection
    monkeypatch.setattr(references, "_MEMORY_BYTES", CARDS * 230 * 150)
    known, _ = read_references(index, refs)
    assert known is not None
    assert known.local.stored.counts.max() == 150
