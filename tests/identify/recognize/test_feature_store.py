"""References kept in a folder, and recognisers brought up to date: the same answers as if worked
out anew, whatever ended the work before.
"""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import draw_collection

from data_label_factory.identify.camera import render_view
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import build_index
from data_label_factory.identify.index.files import read_row
from data_label_factory.identify.recognize import (
    Recognizer,
    columns,
    reference_reader,
    store_writer,
)
from data_label_factory.identify.recognize.background import Backgrounds
from data_label_factory.identify.recognize.columns import Columns
from data_label_factory.identify.recognize.feature_store import (
    LAYOUT,
    feature_store_path,
    load_store,
    new_store,
)
from data_label_factory.identify.recognize.reference_reader import read_references
from data_label_factory.identify.recognize.references import ReferenceFeatures

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
    """The features of the collection, as a whole folder."""
    refs, index = collection
    folder = tmp_path_factory.mktemp("kept") / "i.features"
    read(index, refs, folder=folder)
    return folder


@pytest.fixture
def own(kept: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    shutil.copytree(kept, tmp_path / "i.features")
    return tmp_path / "i.features"


def read(index: Index, refs: Path, *known: ReferenceFeatures, **options: Any) -> ReferenceFeatures:
    references, unreadable = read_references(index, refs, *known, **options)
    assert references is not None and not unreadable
    return references


def contents(store: Columns) -> dict[str, bytes]:
    return {name: store[name].tobytes() for name in LAYOUT}


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def states(folder: Path) -> dict[str, tuple[int, int]]:
    """What would change if a file were written."""
    return {
        path.name: (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.iterdir()
        if path.name != ".lock"
    }


def names_of(recognizer: Recognizer, frame: np.ndarray) -> set[str]:
    return {d.reference for d in recognizer.recognize(frame) if d.confident}


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
    cache = feature_store_path(tmp_path / "i.npz")
    first = Recognizer(index, embedder, refs=refs, cache=cache)
    monkeypatch.setattr(
        reference_reader, "read_row", lambda *row: pytest.fail(f"{row[2]} was read again")
    )
    second = Recognizer(index, embedder, refs=refs, cache=cache)
    for row in (0, 5, 9):
        a, b = (recognizer.recognize(view(collection, row)) for recognizer in (first, second))
        assert (
            [(d.reference, d.false_accept_rate) for d in a]
            == [(d.reference, d.false_accept_rate) for d in b]
            != []
        )


@pytest.mark.parametrize(
    "damage",
    ["a file", "empty", "cut", "no manifest", "no JSON", "other version", "wrong lengths"],
)
def test_a_folder_that_does_not_fit_is_passed_over(
    damage: str, collection: tuple[Path, Index], own: Path, embedder: Embedder
) -> None:
    refs, index = collection
    manifest = own / "manifest.json"
    known = json.loads(manifest.read_text())
    files = dict(known["files"])
    match damage:
        case "a file":
            shutil.rmtree(own)
            own.write_bytes(b"")
        case "empty":
            shutil.rmtree(own)
            own.mkdir()
        case "cut":
            path = own / files["outer"][0]
            path.write_bytes(path.read_bytes()[:-1])
        case "no manifest":
            manifest.unlink()
        case "no JSON":
            manifest.write_bytes(b"\xff\x00{")
        case "other version":
            known["notes"]["version"] = "features 1"
            manifest.write_text(json.dumps(known))
        case _:
            files["thumb_ends"][1] -= 1
            manifest.write_text(json.dumps(known))
    assert load_store(own).rows("counts") == 0
    assert Recognizer(index, embedder, refs=refs, cache=own).recognize(view(collection, 2))
    if damage != "a file":  # it is not ours
        assert load_store(own).rows("counts") == CARDS  # made anew
        named = {file for _, (file, _) in json.loads(manifest.read_text())["files"]}
        assert {path.name for path in own.iterdir()} <= named | {".lock", "manifest.json"}


@pytest.mark.parametrize("reason", ["no such folder", "full disk"])
def test_a_full_disk_or_a_missing_folder_costs_the_files_only(
    reason: str,
    collection: tuple[Path, Index],
    embedder: Embedder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refs, index = collection
    folder = tmp_path / "i.features"
    if reason == "no such folder":
        folder = tmp_path / "no such folder" / "i.features"
    else:
        full = OSError(28, "No space left on device")
        monkeypatch.setattr(columns.os, "fsync", lambda _: (_ for _ in ()).throw(full))
    recognizer = Recognizer(index, embedder, refs=refs, cache=folder)
    assert names_of(recognizer, view(collection, 2)) == {str(index.references[2])}
    assert load_store(folder).rows("counts") == 0


def test_an_updated_recognizer_knows_what_is_new_and_forgets_what_is_gone(
    collection: tuple[Path, Index], embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs, index = collection
    few = without(index, [4, 11])
    old = Recognizer(few, embedder, refs=refs)
    assert str(index.references[4]) not in {d.reference for d in old.recognize(view(collection, 4))}
    read: list[int] = []
    monkeypatch.setattr(
        reference_reader, "read_row", lambda *row: read.append(row[2]) or read_row(*row)
    )
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
    collection: tuple[Path, Index], own: Path, embedder: Embedder, tmp_path: Path
) -> None:
    refs, index = collection
    items = list(index.items)
    assert items.count(items[2]) == 1, "its other printing would be named, and rightly"
    shutil.copytree(refs, tmp_path / "refs")
    (tmp_path / "refs" / str(index.references[2])).unlink()
    recognizer = Recognizer(index, embedder, refs=tmp_path / "refs", cache=own)
    assert list(recognizer.unreadable) == [str(index.references[2])]
    assert not any(d.confident for d in recognizer.recognize(view(collection, 2)))


def test_copies_of_one_file_are_each_known(embedder: Embedder, tmp_path: Path) -> None:
    refs = tmp_path / "refs"
    files = draw_collection(refs, count=5)
    shutil.copy(files[0], refs / "another_name.jpg")
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    recognizer = Recognizer(index, embedder, refs=refs, cache=tmp_path / "f")
    again = Recognizer(index, embedder, refs=refs, cache=tmp_path / "f")
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
    known = read(without(index, [7]), refs)
    for references, rows in (
        (known, without(index, [7])),
        (read(index, refs, known), index),
    ):
        near_duplicates = {
            str(rows.references[row]): {
                str(rows.references[references.rows[near_duplicate]])
                for near_duplicate in references.near_duplicates(number)
            }
            for number, row in enumerate(references.rows)
        }
        copies = {files[0].name, "copy_0.jpg", "copy_1.jpg"}
        assert [near_duplicates[copy] & copies for copy in sorted(copies)] == [
            copies - {copy} for copy in sorted(copies)
        ]


def test_each_reference_has_at_most_so_many_features(
    collection: tuple[Path, Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    refs, index = collection
    assert read(index, refs).local.counts.max() == store_writer.MOST_FEATURES
    monkeypatch.setattr(store_writer, "MOST_FEATURES", 40)
    assert read(index, refs).local.counts.tolist() == [40] * CARDS


def test_what_is_removed_is_not_named_and_nothing_is_written(
    collection: tuple[Path, Index], embedder: Embedder, tmp_path: Path
) -> None:
    refs = tmp_path / "refs"
    files = draw_collection(refs, count=CARDS)
    shutil.copy(files[3], refs / "copy.jpg")
    index = build_index(refs, tmp_path / "i.npz", embedder, quiet=True).index
    folder = tmp_path / "i.features"
    whole = Recognizer(index, embedder, refs=refs, cache=folder)
    frame = render_view([decode(files[3])], np.random.default_rng(1)).image
    (seen,) = whole.recognize(frame)
    assert {seen.reference, *seen.ambiguous_with} == {files[3].name, "copy.jpg"}

    before = states(folder)
    gone = [index.row_of["copy.jpg"], index.row_of[files[5].name]]
    few = without(index, gone)
    for one in (whole.updated(few, refs), Recognizer(few, embedder, refs=refs, cache=folder)):
        (seen,) = one.recognize(frame)
        assert seen.confident and seen.reference == files[3].name and not seen.ambiguous_with
        other = render_view([decode(files[5])], np.random.default_rng(1)).image
        assert all(
            files[5].name not in (d.reference, *d.ambiguous_with) for d in one.recognize(other)
        )
        assert one.references is not None
        assert len(one.references.unused) == 2
        assert not set(one.references.doubtful) & set(one.references.unused.tolist())
    assert states(folder) == before

    # And back again: nothing is read or written.
    again = Recognizer(index, embedder, refs=refs, cache=folder)
    assert {d.reference for d in again.recognize(other)} == {files[5].name}
    assert states(folder) == before


def test_adding_one_appends_little_and_leaves_the_words_as_they_were(
    collection: tuple[Path, Index], embedder: Embedder, tmp_path: Path
) -> None:
    refs, index = collection
    folder = tmp_path / "i.features"
    old = read(without(index, [4]), refs, folder=folder)
    before = sizes(folder)
    new = read(index, refs, old)
    after = sizes(folder)
    assert set(after) == set(before)  # no file was written anew
    assert all(after[name] >= before[name] for name in before if name != "manifest.json")
    assert 4_000 < sum(after.values()) - sum(before.values()) < 16_000
    assert new.columns.has_same(old.columns, "fine")
    assert new.local.vocabulary is old.local.vocabulary
    assert not new.columns.has_same(old.columns, "words")
    for name in ("words", "signs", "outer", "shared", "thumbs"):
        rows = old.columns.rows(name)
        assert new.columns[name][:rows].tolist() == old.columns[name].tolist()


_UPDATE = """
import os, signal, sys
from pathlib import Path
import numpy as np
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize import reference_reader
index = Index.load(sys.argv[1])
rows = [int(row) for row in sys.argv[4].split(",")]
at = int(sys.argv[5])
reference_reader._BATCH = 4
real = os.fsync
def count(descriptor):
    global at
    if at == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    at -= 1
    real(descriptor)
os.fsync = count
index, refs, folder = index.taken(np.array(rows)), Path(sys.argv[2]), Path(sys.argv[3])
reference_reader.read_references(index, refs, folder=folder)
"""


def start(
    collection: tuple[Path, Index], folder: Path, rows: list[int], killed_at: int = -1
) -> "subprocess.Popen[bytes]":
    """A process that reads the rows of the collection, and is killed at a write."""
    refs, _ = collection
    asked = ",".join(map(str, rows))
    arguments = [str(refs.parent / "i.npz"), str(refs), str(folder), asked, str(killed_at)]
    return subprocess.Popen([sys.executable, "-c", _UPDATE, *arguments])


def test_two_processes_that_update_a_folder_at_once_lose_nothing(
    collection: tuple[Path, Index], tmp_path: Path
) -> None:
    refs, index = collection
    folder = tmp_path / "i.features"
    running = [
        start(collection, folder, rows)
        for rows in ([*range(10)], [*range(6), *range(10, 14)], [*range(6), 14, 15])
    ]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    store = load_store(folder)
    assert store.rows("counts") == CARDS == len(np.unique(store["keys"]))
    before = states(folder)
    references = read(index, refs, folder=folder)
    assert sorted(references.rows.tolist()) == list(range(CARDS))
    assert states(folder) == before


def test_two_recognizers_that_are_updated_at_once_lose_nothing(
    collection: tuple[Path, Index], embedder: Embedder, tmp_path: Path
) -> None:
    refs, index = collection
    folder = tmp_path / "i.features"
    few = without(index, [2, 7, 11])
    old = [Recognizer(few, embedder, refs=refs, cache=folder) for _ in range(2)]
    indexes = [without(index, [2]), without(index, [7, 11])]
    with ThreadPoolExecutor() as pool:
        new = list(pool.map(lambda one, i: one.updated(i, refs), old, indexes))
    assert load_store(folder).rows("counts") == CARDS
    for recognizer, known in zip(new, indexes, strict=True):
        for row in (2, 7):
            name = str(index.references[row])
            expected = {name} if name in known.row_of else set()
            assert names_of(recognizer, view(collection, row)) == expected
    for recognizer in old:
        assert names_of(recognizer, view(collection, 0)) == {str(index.references[0])}


def test_an_older_state_stays_valid_while_the_folder_is_changed(
    collection: tuple[Path, Index], embedder: Embedder, tmp_path: Path
) -> None:
    """The lists are written anew, and then all of it, before the older one looks at anything."""
    refs, index = collection
    folder = tmp_path / "i.features"
    few = index.taken(np.arange(4))
    read(few, refs, folder=folder)
    old = Recognizer(few, embedder, refs=refs, cache=folder)
    listed = load_store(folder)
    many = read(index.taken(np.arange(12)), refs, folder=folder)
    assert not many.columns.has_same(listed, "entries")
    outgrown = read(index.taken(np.arange(8)), refs, folder=tmp_path / "i.features")
    assert outgrown.columns.has_same(many.columns, "fine")
    anew = read(index.taken(np.arange(12, 16)), refs, folder=folder)
    assert not anew.columns.has_same(many.columns, "fine")
    assert anew.columns.rows("counts") == 4
    for row in range(3):
        assert names_of(old, view(collection, row)) == {str(index.references[row])}
    assert (
        many.local.details(7).descriptors.tolist() == outgrown.local.details(7).descriptors.tolist()
    )


@pytest.mark.parametrize(
    ("learned_for", "held", "named", "known", "at_start", "in_service"),
    [
        (None, 0, 50, 0, False, False),  # nothing is learned yet
        (50, 50, 60, 50, False, False),
        (50, 50, 200, 50, False, False),  # four times as many
        (50, 50, 201, 50, True, True),
        (50, 100, 201, 60, True, False),  # the most is there: not while answers wait
        (50, 50, 40, 25, False, False),
        (50, 50, 40, 24, True, True),  # more than half is unused
        (50, 50, 40, 0, True, True),
    ],
)
def test_when_a_store_is_outgrown(
    learned_for: int | None, held: int, named: int, known: int, at_start: bool, in_service: bool
) -> None:
    store = new_store(None).changed(append={"counts": np.zeros(held)})
    if learned_for is not None:
        store = store.changed(notes={"learned_for": learned_for})
    numbers = np.full(named, -1, np.int64)
    numbers[:known] = np.arange(known)
    assert reference_reader._is_outgrown(store, numbers, is_start=True) == at_start
    assert reference_reader._is_outgrown(store, numbers, is_start=False) == in_service


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("sample", [8, 25_000])  # words learned half-way, and at the end
@pytest.mark.parametrize("at", [0, 2, 5, 9, 13])
def test_a_build_that_was_interrupted_is_continued(
    at: int,
    sample: int,
    collection: tuple[Path, Index],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refs, index = collection
    monkeypatch.setattr(reference_reader, "_BATCH", 4)
    monkeypatch.setattr(reference_reader, "SAMPLE", sample)
    whole = read(index, refs, folder=tmp_path / "whole")

    def interrupt(row: int) -> np.ndarray:
        if row == order[at]:
            raise Interrupted
        return real(index, refs, row)

    real = reference_reader.read_row
    order = np.random.default_rng(0).permutation(CARDS) if sample < CARDS else np.arange(CARDS)
    with monkeypatch.context() as patch:
        patch.setattr(reference_reader, "read_row", lambda *asked: interrupt(asked[2]))
        with pytest.raises(Interrupted):
            read(index, refs, folder=tmp_path / "i.features")
    done = load_store(tmp_path / "i.features").rows("counts")
    assert done == at // 4 * 4

    again: list[int] = []
    monkeypatch.setattr(
        reference_reader, "read_row", lambda *row: again.append(row[2]) or real(*row)
    )
    continued = read(index, refs, folder=tmp_path / "i.features")
    assert len(again) == CARDS - done
    if sample > CARDS:
        assert contents(continued.columns) == contents(whole.columns)
    assert sorted(continued.rows.tolist()) == list(range(CARDS))
    assert continued.columns.rows("shared") == continued.columns.rows("words")


@pytest.mark.parametrize("at", [0, 7, 13, 30, 42, 55, 62])
def test_a_build_that_was_killed_is_continued(
    at: int, collection: tuple[Path, Index], kept: Path, tmp_path: Path
) -> None:
    refs, index = collection
    folder = tmp_path / "i.features"
    assert start(collection, folder, [*range(CARDS)], at).wait(120) == -9
    continued = read(index, refs, folder=folder)
    assert contents(continued.columns) == contents(load_store(kept))
    assert not list(folder.glob("*.part"))


@pytest.mark.parametrize("at", [0, 6, 12, 14, 16])
def test_an_addition_that_was_killed_is_made_up_for(
    at: int, collection: tuple[Path, Index], tmp_path: Path
) -> None:
    refs, index = collection
    folder = tmp_path / "i.features"
    few = [*range(CARDS - 1)]
    old = read(index.taken(np.array(few)), refs, folder=folder)
    shutil.copytree(folder, tmp_path / "undisturbed")
    undisturbed = read(index, refs, folder=tmp_path / "undisturbed")
    assert start(collection, folder, [*range(CARDS)], at).wait(120) == -9

    still = read(index.taken(np.array(few)), refs, folder=folder)
    assert contents(still.columns).keys() == contents(old.columns).keys()
    assert sorted(still.rows[still.rows >= 0].tolist()) == few
    assert contents(read(index, refs, folder=folder).columns) == contents(undisturbed.columns)


def test_grown_one_by_one_is_about_the_same_as_built_at_once(
    collection: tuple[Path, Index], kept: Path, embedder: Embedder, tmp_path: Path
) -> None:
    refs, index = collection
    grown = read(index.taken(np.arange(4)), refs, folder=tmp_path / "i.features")
    for count in range(5, CARDS + 1):
        grown = read(index.taken(np.arange(count)), refs, grown)
    whole = read(index, refs, folder=kept)
    assert grown.columns.rows("counts") == CARDS
    rarities = [
        np.concatenate([one.local.details(number).rarity for number in range(CARDS)])
        for one in (grown, whole)
    ]
    # Of so few, one reference more or less that shares a detail is a quarter of its rarity.
    assert np.abs(rarities[0] - rarities[1]).mean() < 0.2

    # What a kind has in common was compared anew as it grew.
    assert not len(Backgrounds(grown.columns).missing)
    overlap = []
    for number in range(CARDS):
        similar = [set(Backgrounds(one.columns).similar(number).tolist()) for one in (grown, whole)]
        overlap.append(len(similar[0] & similar[1]))
        assert np.abs(grown.chance(number) - whole.chance(number)).mean() < 0.1
    assert np.mean(overlap) > 11 and min(overlap) >= 9  # of 12
    recognizers = [
        Recognizer(index, embedder, refs=refs, cache=folder)
        for folder in (tmp_path / "i.features", kept)
    ]
    for row in range(CARDS):
        a, b = (names_of(recognizer, view(collection, row)) for recognizer in recognizers)
        assert a == b == {str(index.references[row])}


@pytest.mark.parametrize("is_ours", [True, False])
def test_the_file_of_earlier_versions_goes_when_the_folder_is_whole(
    is_ours: bool, collection: tuple[Path, Index], tmp_path: Path
) -> None:
    refs, index = collection
    old = tmp_path / "i.features.npz"
    if is_ours:
        np.savez(old, version=np.array("features 5"), contents=np.array(["a"]))
    else:
        shutil.copy(refs.parent / "i.npz", old)  # an index that is called so
    read(index, refs, folder=tmp_path / "i.features")
    assert old.exists() != is_ours
    for damaged in (b"", b"PK\x03\x04" + bytes(90)):
        shutil.rmtree(tmp_path / "i.features")
        old.write_bytes(damaged)
        read(index, refs, folder=tmp_path / "i.features")
        assert old.read_bytes() == damaged
