"""The journal of an index: one change is one record, and half a record is none."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from conftest import GridEncoder
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from data_label_factory.errors import FactoryError
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.content import Box
from data_label_factory.identify.encoders import Embedder, EncoderIdentity, unit_rows
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index, IndexMeta, Row, changing, npz
from data_label_factory.identify.index.changing import add_row, fold, remove_row
from data_label_factory.identify.index.journal import (
    Change,
    append_change,
    journal_path,
    read_changes,
)
from data_label_factory.identify.index.meta import name_content
from data_label_factory.labels import Label

DIM = 8
MAKER = EncoderIdentity("noise", "ef" * 32, {"side": 8})
PRINT = bytes(range(32))


def make_row(reference: str, seed: int, *, semantic: bool = True) -> Row:
    rng = np.random.default_rng(seed)
    kind = rng.integers(-127, 128, DIM).astype(np.int8) if semantic else None
    box = Box(0.1, 0.2, 0.9, 0.8) if seed % 2 else None
    vector = unit_rows(rng.normal(size=(1, DIM)).astype(np.float32))[0]
    label = Label(f"nämé {seed % 5}", f"S-{seed % 3}", "UR" * (seed % 4))
    return Row(reference, label, f"{seed:064x}", vector, box, "white" * (seed % 3 == 0), kind)


def make_index(count: int = 6) -> Index:
    rows = [make_row(f"{number:02}.jpg", number) for number in range(count)]
    return Index.from_rows(rows, IndexMeta(MAKER))


def content(index: Index) -> dict[str, tuple]:
    """What an index says of each reference, in no order."""
    assert index.semantic is not None
    return {
        str(reference): (
            index.label(row),
            str(index.contents[row]),
            index.meta.nothing.get(str(index.sha256[row])),
            index.embeddings[row].tobytes(),
            index.semantic[row].tobytes(),
        )
        for reference, row in index.row_of.items()
    }


def row_content(row: Row) -> tuple:
    assert row.semantic is not None
    name = name_content(row.sha256, row.box)
    vectors = row.embedding.tobytes(), row.semantic.tobytes()
    return (row.label, name, row.nothing or None, *vectors)


@pytest.fixture(params=[1, 2**30], ids=["mapped", "read"])
def journaled(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(changing, "_REWRITTEN_BELOW_BYTES", 1)
    monkeypatch.setattr(changing, "_JOURNAL_SHARE", 1e9)
    monkeypatch.setattr(npz, "MAPPED_FROM_BYTES", request.param)


def change(path: Path, reference: str, row: Row | None) -> Index:
    index = Index.load(path)
    made = add_row(index, path, row) if row else remove_row(index, path, reference)
    made.write()
    return made.index


@pytest.mark.usefixtures("journaled")
@pytest.mark.parametrize("seed", range(12))
def test_any_changes_read_as_they_were_made(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "i.npz"
    make_index().save(path)
    before = path.read_bytes()
    expected = content(Index.load(path))
    rng = np.random.default_rng(seed)
    for number in range(100, 130):
        if rng.random() < 0.5 and len(expected) > 1:
            reference = str(rng.choice(sorted(expected)))
            held = change(path, reference, None)
            del expected[reference]
        else:
            longer = "x" * int(rng.integers(0, 30))
            reference = f"{int(rng.integers(0, 12)):02}{longer}.jpg"
            row = make_row(reference, number)
            held = change(path, reference, row)
            expected[reference] = row_content(row)
        assert content(held) == expected
    assert content(Index.load(path)) == expected
    assert path.read_bytes() == before  # what is mapped is never written to

    fold(path)
    assert not journal_path(path).exists()
    folded = Index.load(path)
    assert content(folded) == expected
    assert folded.references.tolist() == sorted(expected)


@pytest.mark.usefixtures("journaled")
def test_cut_anywhere_it_holds_what_was_whole(tmp_path: Path) -> None:
    path, journal = tmp_path / "i.npz", journal_path(tmp_path / "i.npz")
    make_index().save(path)
    states, ends = [content(Index.load(path))], []
    for reference, seed in (("new.jpg", 40), ("03.jpg", 41), ("01.jpg", 0), ("z.jpg", 43)):
        change(path, reference, make_row(reference, seed) if seed else None)
        states.append(content(Index.load(path)))
        ends.append(journal.stat().st_size)
    data = journal.read_bytes()

    for size in range(len(data) + 1):
        journal.write_bytes(data[:size])
        whole = sum(end <= size for end in ends)
        assert content(Index.load(path)) == states[whole], size
        if size % 97 == 0 or size in ends:  # and it goes on from there
            change(path, "later.jpg", make_row("later.jpg", 50))
            later = content(Index.load(path))
            assert later.keys() == states[whole].keys() | {"later.jpg"}


@pytest.mark.usefixtures("journaled")
def test_a_bad_byte_ends_it(tmp_path: Path) -> None:
    path, journal = tmp_path / "i.npz", journal_path(tmp_path / "i.npz")
    make_index().save(path)
    first = content(change(path, "a.jpg", make_row("a.jpg", 60)))
    end = journal.stat().st_size
    change(path, "b.jpg", make_row("b.jpg", 61))
    data = bytearray(journal.read_bytes())
    for at in range(end, len(data)):
        data[at] ^= 1
        journal.write_bytes(data)
        assert content(Index.load(path)) == first, at
        data[at] ^= 1


@pytest.mark.usefixtures("journaled")
def test_a_journal_of_another_file_counts_for_nothing(tmp_path: Path) -> None:
    path, journal = tmp_path / "i.npz", journal_path(tmp_path / "i.npz")
    make_index().save(path)
    change(path, "a.jpg", make_row("a.jpg", 60))
    left = journal.read_bytes()

    make_index().save(path)  # equal, and yet another file
    assert not journal.exists()
    journal.write_bytes(left)  # as a process leaves it that is killed before it removes it
    assert "a.jpg" not in Index.load(path).row_of
    change(path, "b.jpg", make_row("b.jpg", 61))
    assert {"a.jpg", "b.jpg"} & Index.load(path).row_of.keys() == {"b.jpg"}


def test_a_small_file_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "i.npz"
    make_index().save(path)
    change(path, "00a.jpg", make_row("00a.jpg", 60))
    assert not journal_path(path).exists()
    assert Index.load(path).references.tolist()[:2] == ["00.jpg", "00a.jpg"]


def test_a_long_journal_is_folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "_REWRITTEN_BELOW_BYTES", 1)
    path = tmp_path / "i.npz"
    make_index(40).save(path)
    lengths = []
    for number in range(40, 80):
        change(path, f"{number}.jpg", make_row(f"{number}.jpg", number))
        journal = journal_path(path)
        lengths.append(journal.stat().st_size if journal.exists() else 0)
    assert 0 in lengths
    assert max(lengths) < path.stat().st_size / 4
    assert len(Index.load(path)) == 80


@pytest.mark.usefixtures("journaled")
def test_a_row_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "i.npz"
    make_index().save(path)
    with pytest.raises(ValueError, match="no semantic"):
        change(path, "a.jpg", make_row("a.jpg", 60, semantic=False))
    assert not journal_path(path).exists()


def test_a_full_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = tmp_path / "j"
    append_change(journal, PRINT, Change("a"))
    before = journal.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(FactoryError, match="No space left"):
        append_change(journal, PRINT, Change("b"))
    assert journal.read_bytes() == before


@given(
    st.text(st.characters(), max_size=30),
    st.text(st.characters(), max_size=30),
    st.integers(0, 99),
)
@settings(max_examples=50)
def test_a_record_gives_back_its_row(reference: str, name: str, seed: int) -> None:
    row = make_row(reference, seed)._replace(label=Label(name, "", "ü"))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "j"
        append_change(path, PRINT, Change(reference, row))
        (found,) = read_changes(path, PRINT)
        assert found.reference == reference
        assert found.row is not None
        assert row_content(found.row) == row_content(row)
        assert read_changes(path, PRINT[::-1]) == []


WRITER = """
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
import test_journal as t
t.changing._REWRITTEN_BELOW_BYTES = 1
path = Path(sys.argv[1])
for number in range(1000, 9999):
    t.change(path, f"{number}.jpg", t.make_row(f"{number}.jpg", number))
    print(number, flush=True)
"""


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.4])
def test_killed_at_any_moment_it_has_what_was_said(tmp_path: Path, seconds: float) -> None:
    path = tmp_path / "i.npz"
    make_index().save(path)
    tests = Path(__file__).parent
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), *sys.path])},
    ) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline())]
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        said += [int(line) for line in process.stdout.read().split()]

    added = sorted(int(name[:-4]) for name in Index.load(path).row_of if len(name) > 6)
    assert added[: len(said)] == said
    assert len(added) - len(said) <= 1


@pytest.mark.usefixtures("journaled", "quick_calibration")
def test_a_collection_adds_and_removes_by_records(tmp_path: Path) -> None:
    refs = tmp_path / "refs"
    refs.mkdir()
    rng = np.random.default_rng(0)

    def draw() -> RGB:
        return rng.integers(0, 256, (120, 90, 3), np.uint8)

    for name in ("bear", "crane", "duck"):
        Image.fromarray(draw()).save(refs / f"{name}.png")
    collection = Collection.open(refs, embedder=Embedder(GridEncoder()))
    path = collection.index_file
    before = path.read_bytes()

    assert collection.add(draw(), "Aardvark") == "aardvark.jpg"
    view = collection.add_view(draw(), "aardvark.jpg")
    assert collection.remove("duck.png").name == "Duck"
    assert path.read_bytes() == before
    names = {"bear.png", "crane.png", "aardvark.jpg", view}
    assert set(Index.load(path).row_of) == set(collection.index.row_of) == names

    assert collection.refresh().written is False  # the folder holds what the journal says
    assert not journal_path(path).exists()
    assert Index.load(path).references.tolist() == sorted(names)
