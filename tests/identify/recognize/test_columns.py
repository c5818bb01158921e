"""Columns in files: whatever ends a change, the last whole state is what is there."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_label_factory.errors import FactoryError
from data_label_factory.identify.recognize import columns
from data_label_factory.identify.recognize.columns import Columns, Rows

LAYOUT = {
    "names": np.dtype("<u8"),
    "pairs": np.dtype(("<u2", (2,))),
    "records": np.dtype([("a", "u1"), ("b", "<f4", (3,))]),
}


def rows(count: int, first: int = 0) -> Rows:
    numbers = np.arange(first, first + count)
    records = np.zeros(count, LAYOUT["records"])
    records["a"], records["b"] = numbers % 200, numbers[:, None] / 3
    pairs = np.stack([numbers, numbers + 1], axis=1).astype(np.uint16)
    return {"names": numbers.astype(np.uint64), "pairs": pairs, "records": records}


def listed(array: np.ndarray) -> list[object]:
    return [row.tobytes() for row in array]


def content(state: Columns) -> dict[str, list[object]]:
    assert {name: state.rows(name) for name in LAYOUT} == {
        name: len(state[name]) for name in LAYOUT
    }
    return {name: listed(state[name]) for name in LAYOUT} | {"notes": [state.notes]}


def load(folder: Path) -> Columns:
    loaded = Columns.load(LAYOUT, folder)
    assert loaded is not None
    return loaded


STEPS = st.lists(
    st.tuples(
        st.sets(st.sampled_from(sorted(LAYOUT))),
        st.sets(st.sampled_from(sorted(LAYOUT))),
        st.integers(0, 5),
    ),
    max_size=6,
)


@settings(deadline=None, max_examples=40)  # each step waits for the disk
@given(steps=STEPS)
def test_in_a_folder_and_in_memory_are_the_same(
    steps: list[tuple[set[str], set[str], int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("columns")
    states = [Columns(LAYOUT), Columns(LAYOUT, folder)]
    naive: dict[str, list[object]] = {name: [] for name in LAYOUT}
    before = content(states[1])
    for number, (appended, replaced, count) in enumerate(steps):
        added = rows(count, 10 * number)
        append = {name: added[name] for name in appended - replaced}
        replace = {name: added[name] for name in replaced}
        earlier = states[1]
        states = [
            state.changed(append=append, replace=replace, notes={"step": number})
            for state in states
        ]
        naive |= {name: naive[name] + listed(added[name]) for name in append}
        naive |= {name: listed(added[name]) for name in replace}
        expected = naive | {"notes": [{"step": number}]}
        assert content(states[0]) == content(states[1]) == content(load(folder)) == expected
        assert content(states[1].in_memory()) == expected
        assert states[0].nbytes == states[1].nbytes
        assert content(earlier) == before  # the older state is as it was
        before = content(states[1])


def change(state: Columns) -> Columns:
    return state.changed(
        append={"names": rows(3, 50)["names"], "pairs": rows(3, 50)["pairs"]},
        replace={"records": rows(2, 90)["records"]},
        notes={"more": True},
    )


class Killed(BaseException):
    pass


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), Killed()])
@pytest.mark.parametrize("at", range(4))
def test_a_change_that_is_cut_short_leaves_the_old_state(
    at: int, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three columns are written, then the manifest: each is on disk before the next."""
    old = Columns(LAYOUT, tmp_path).changed(append=rows(8), notes={"one": 1})
    was = content(old)
    calls = 0

    def fail(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == at + 1:
            raise error
        real(descriptor)

    real = os.fsync
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(FactoryError if isinstance(error, OSError) else Killed) as raised:
            change(old)
    assert calls == at + 1
    if isinstance(error, OSError):
        assert "No space left" in str(raised.value)
    assert content(old) == content(load(tmp_path)) == was

    # What it left behind is no obstacle, and goes.
    new = change(load(tmp_path))
    assert content(new) == content(load(tmp_path))
    assert new["names"].tolist() == [*range(8), 50, 51, 52]
    assert content(old) == was
    assert len(list(tmp_path.iterdir())) == len(LAYOUT) + 1


def test_a_manifest_that_cannot_be_put_in_its_place_leaves_the_old_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Columns(LAYOUT, tmp_path).changed(append=rows(8))
    was = content(old)

    def fail(path: Path, text: str) -> None:
        raise FactoryError(f"Could not write {path}", "")

    with monkeypatch.context() as patch:
        patch.setattr(columns, "write_text", fail)
        with pytest.raises(FactoryError):
            change(old)
    assert content(old) == content(load(tmp_path)) == was


def test_a_state_that_was_opened_is_valid_while_the_folder_is_changed(tmp_path: Path) -> None:
    """Also of columns that were not looked at before, and of a store begun anew."""
    Columns(LAYOUT, tmp_path).changed(append=rows(8))
    opened, other = load(tmp_path), load(tmp_path)
    other = other.changed(replace=rows(3, 70))
    other = other.changed(append=rows(4, 20))
    anew = Columns(LAYOUT, tmp_path).changed(append=rows(2, 40))
    assert [listed(opened[name]) for name in LAYOUT] == [listed(r) for r in rows(8).values()]
    assert other["names"].tolist() == [70, 71, 72, 20, 21, 22, 23]
    assert anew["names"].tolist() == load(tmp_path)["names"].tolist() == [40, 41]
    assert len(list(tmp_path.iterdir())) == len(LAYOUT) + 1  # what nobody names is gone


def test_appending_keeps_the_files_and_replacing_gives_new_ones(tmp_path: Path) -> None:
    first = Columns(LAYOUT, tmp_path).changed(append=rows(8))
    second = first.changed(append={"names": rows(2)["names"]})
    third = second.changed(replace={"pairs": rows(8)["pairs"]})
    assert second.has_same(first, "pairs") and not second.has_same(first, "names")
    assert third.has_same(second, "names") and not third.has_same(second, "pairs")
    assert not Columns(LAYOUT).has_same(Columns(LAYOUT), "names")  # in memory: nobody knows
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"manifest.json", "names.0", "pairs.1", "records.0"}
    assert (tmp_path / "names.0").stat().st_size == 10 * 8


def test_what_is_mapped_cannot_be_written_to(tmp_path: Path) -> None:
    state = Columns(LAYOUT, tmp_path).changed(append=rows(8))
    with pytest.raises(ValueError, match="read-only"):
        state["names"][0] = 1


@pytest.mark.parametrize(
    "damage",
    ["no folder", "no manifest", "no JSON", "a list", "cut", "a file gone", "a column more"],
)
def test_what_cannot_be_read_is_no_state(damage: str, tmp_path: Path) -> None:
    folder = tmp_path / "columns"
    manifest = folder / "manifest.json"
    layout = dict(LAYOUT)
    if damage != "no folder":
        Columns(LAYOUT, folder).changed(append=rows(8))
    match damage:
        case "no manifest":
            manifest.unlink()
        case "no JSON":
            manifest.write_text(manifest.read_text()[:-9])
        case "a list":
            manifest.write_text("[]")
        case "cut":
            os.truncate(folder / "pairs.0", 8 * 4 - 1)
        case "a file gone":
            (folder / "pairs.0").unlink()
        case "a column more":
            layout["more"] = np.dtype("u1")
    assert Columns.load(layout, folder) is None
    anew = Columns(layout, folder).changed(append=rows(3))
    loaded = Columns.load(layout, folder)
    assert loaded is not None
    assert loaded["names"].tolist() == anew["names"].tolist() == [0, 1, 2]


def test_a_column_of_another_kind_is_another_layout(tmp_path: Path) -> None:
    Columns(LAYOUT, tmp_path).changed(append=rows(8))
    assert Columns.load(LAYOUT | {"names": np.dtype("<i8")}, tmp_path) is None
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["layout"]["names"] == "uint64"
