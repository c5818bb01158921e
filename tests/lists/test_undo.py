"""History: any step can be taken back, unless a later one touched the same entry."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from data_label_factory.errors import ConflictError, UnknownListError
from data_label_factory.lists.adding import NewEntry
from data_label_factory.lists.content import Content
from data_label_factory.lists.store import ListStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ListStore]:
    with ListStore(tmp_path / "i.lists.sqlite") as store:
        store.create("Binder")
        yield store


def add(store: ListStore, *names: str) -> list[Any]:
    return store.add(1, [NewEntry(Content(name)) for name in names]).entries


def state(store: ListStore) -> dict[int, Content]:
    return {one.id: one.content for one in store.entries(1)}


def test_the_newest_steps_are_taken_back_one_by_one(store: ListStore) -> None:
    blade, bow = add(store, "Blade", "Bow")
    states = [state(store)]
    store.edit(1, blade.id, {"quantity": 3}, None, "laptop")
    states.append(state(store))
    store.remove(1, bow.id, None)

    undone = store.undo(1, device="phone")
    assert (undone.kind, [one.id for one in undone.entries]) == ("remove", [bow.id])
    assert state(store) == states[1]
    store.undo(1)
    assert state(store) == states[0]
    assert store.undo(1).removed == [bow.id, blade.id]
    with pytest.raises(ConflictError, match="nothing to undo"):
        store.undo(1)

    steps, more = store.history(1)
    kinds = [step.kind for step in steps]
    assert kinds == ["undo", "undo", "undo", "remove", "edit", "add", "create"]
    assert more is None
    assert steps[4].device == "laptop"
    assert steps[2].device == "phone"
    assert steps[2].undoes == steps[3].id
    assert steps[3].undone_by == steps[2].id
    assert steps[4].changes[0][1:] == ({"name": "Blade"}, {"name": "Blade", "quantity": 3})


def test_a_step_that_a_later_one_touched_stays_until_that_is_undone(store: ListStore) -> None:
    blade, bow = add(store, "Blade", "Bow")
    first = store.edit(1, blade.id, {"quantity": 3}, None).version
    second = store.edit(1, blade.id, {"condition": "NM"}, None).version
    other = store.edit(1, bow.id, {"quantity": 9}, None).version

    before = state(store)
    with pytest.raises(ConflictError, match="changed again"):
        store.undo(1, first)
    assert state(store) == before
    assert store.undo(1, other).entries[0].content.quantity == 1
    store.undo(1, second)
    store.undo(1, first)
    assert state(store) == {blade.id: blade.content, bow.id: bow.content}


def test_an_undo_can_be_undone_and_that_again(store: ListStore) -> None:
    (blade,) = add(store, "Blade")
    edit = store.edit(1, blade.id, {"quantity": 3}, None).version
    undo = store.undo(1, edit).step
    with pytest.raises(ConflictError, match="undone already"):
        store.undo(1, edit)
    redo = store.undo(1, undo).step
    assert state(store)[blade.id].quantity == 3
    assert store.undo(1, redo).entries[0].content.quantity == 1
    with pytest.raises(ConflictError, match="undone already"):
        store.undo(1, edit)


def test_a_name_is_taken_back_and_what_changed_no_entry_is_not(store: ListStore) -> None:
    store.rename(1, "Deck")
    step = store.history(1)[0][0].id
    store.create("Binder")
    with pytest.raises(ConflictError, match="another list"):
        store.undo(1, step)
    store.rename(2, "Else")
    store.undo(1, step)
    assert store.get(1).name == "Binder"
    with pytest.raises(ConflictError, match="nothing to undo"):
        store.undo(1, store.history(1)[0][-1].id)
    with pytest.raises(UnknownListError):
        store.undo(1, 999)
    with pytest.raises(UnknownListError):  # of another list
        store.undo(2, step)


def test_history_comes_in_pages(store: ListStore) -> None:
    for number in range(7):
        add(store, str(number))
    seen: list[int] = []
    before = None
    while True:
        steps, before = store.history(1, before, limit=3)
        seen += [step.id for step in steps]
        if before is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 8


def test_a_file_counts_as_taken_until_that_is_undone(store: ListStore) -> None:
    entries = [NewEntry(Content("Blade"))]
    added = store.add(1, entries, source=("d" * 64, "page.jpg"))
    assert store.has_source(1, "d" * 64)
    undo = store.undo(1, added.step)
    assert not store.has_source(1, "d" * 64)
    store.undo(1, undo.step)
    assert store.has_source(1, "d" * 64)


class Editing(RuleBasedStateMachine):
    """Whatever is done and undone, a step taken back leaves the state before it."""

    @initialize()
    def begin(self) -> None:
        self.store = ListStore(Path(":memory:"))
        self.store.create("Binder")
        self.states: dict[int, dict[int, Content]] = {}
        self.note()

    def note(self) -> None:
        self.states[self.store.version(1)] = state(self.store)

    def teardown(self) -> None:
        self.store.close()

    @rule(names=st.lists(st.sampled_from("ab"), min_size=1, max_size=3), merge=st.booleans())
    def add(self, names: list[str], merge: bool) -> None:
        self.store.add(1, [NewEntry(Content(name)) for name in names], merge=merge)
        self.note()

    @precondition(lambda self: state(self.store))
    @rule(data=st.data(), quantity=st.integers(1, 3))
    def edit(self, data: st.DataObject, quantity: int) -> None:
        entry = data.draw(st.sampled_from(sorted(state(self.store))))
        self.store.edit(1, entry, {"quantity": quantity}, None)
        self.note()

    @precondition(lambda self: state(self.store))
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.store.remove(1, data.draw(st.sampled_from(sorted(state(self.store)))), None)
        self.note()

    @rule()
    def join(self) -> None:
        self.store.join_equal(1)
        self.note()

    @rule(data=st.data())
    def undo_any(self, data: st.DataObject) -> None:
        versions = sorted(self.states)
        at = data.draw(st.integers(1, len(versions))) - 1
        before = state(self.store)
        try:
            self.store.undo(1, versions[at])
        except ConflictError:
            assert state(self.store) == before
            return
        changed = {
            entry
            for entry in self.states[versions[at]].keys() | self.states[versions[at - 1]].keys()
            if self.states[versions[at]].get(entry) != self.states[versions[at - 1]].get(entry)
        }
        for entry in changed:
            expected = self.states[versions[at - 1]].get(entry)
            assert state(self.store).get(entry) == expected
        self.note()

    @rule()
    def undo_newest(self) -> None:
        standing = [step for step in self.store.history(1, limit=200)[0] if not step.undone_by]
        newest = next((s for s in standing if s.undoes is None and s.kind != "create"), None)
        if newest is None:
            return
        try:
            assert self.store.undo(1).undone == newest.id
        except ConflictError:  # an undone undo lies above it
            return
        self.note()

    @invariant()
    def totals_are_those_of_the_entries(self) -> None:
        entries = state(self.store).values()
        assert self.store.get(1).copies == sum(one.quantity for one in entries)


TestEditing = Editing.TestCase
TestEditing.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
