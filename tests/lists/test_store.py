"""Lists in a file: add, edit, merge, search, page; several devices; nothing lost."""

import base64
import io
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from data_label_factory.errors import (
    ConflictError,
    ListError,
    ListFileError,
    StaleError,
    UnknownListError,
)
from data_label_factory.lists import schema
from data_label_factory.lists.adding import NewEntry
from data_label_factory.lists.content import Content
from data_label_factory.lists.crops import MOST_SIDE, bound_crop
from data_label_factory.lists.paging import SORTS, Query
from data_label_factory.lists.store import ListStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "i.lists.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[ListStore]:
    with ListStore(path) as store:
        yield store


def new(name: str, **values: object) -> NewEntry:
    key = str(values.pop("key", ""))
    return NewEntry(Content.read({"name": name, **values}), key=key)


def jpeg(side: int) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((side, side), 60).save(out, "JPEG", quality=95)
    return out.getvalue()


def names(store: ListStore, list_id: int, **query: object) -> list[str]:
    return [one.content.name for one in store.page(list_id, Query(**query))[1].entries]


def test_a_list_tells_how_many_and_worth_what_by_currency(store: ListStore) -> None:
    binder = store.create(" My  Binder ")
    store.add(
        binder.id,
        [
            new("Blade", quantity=3, price=0.1, currency="eur"),
            new("Bow", price=0.2, currency="EUR", state="review"),
            new("Sword", price=1980, currency="JPY"),
            new("Axe"),
        ],
    )

    info = store.get(binder.id)
    assert (info.name, info.entries, info.copies, info.review) == ("My Binder", 4, 6, 1)
    totals = [(total.currency, total.amount, total.copies) for total in info.totals]
    assert totals == [("EUR", 0.5, 4), ("JPY", 1980.0, 1)]
    assert store.find("MY BINDER") == info
    assert [one.name for one in store.lists()] == ["My Binder"]


def test_a_huge_worth_can_be_told(store: ListStore, path: Path) -> None:
    binder = store.create("Binder")
    store.add(binder.id, [new(str(n), price=1, currency="EUR") for n in range(2)])
    with sqlite3.connect(path) as db:
        db.execute("UPDATE entries SET quantity = 9999, cents = 900000000000000")
    (total,) = store.get(binder.id).totals
    assert total.amount == pytest.approx(2 * 9999 * 9e12)


def test_names_are_unique_and_deleted_lists_come_back(store: ListStore) -> None:
    first = store.create("Deck")
    with pytest.raises(ConflictError, match="'deck' already"):
        store.create("deck")
    with pytest.raises(ListError, match="1 to 100"):
        store.create("  ")

    store.set_deleted(first.id, True)
    assert store.lists() == []
    with pytest.raises(UnknownListError, match="deleted"):
        store.add(first.id, [new("Blade")])
    second = store.create("Deck")
    with pytest.raises(ConflictError):
        store.set_deleted(first.id, False)
    store.rename(second.id, "Other")
    assert not store.set_deleted(first.id, False).deleted
    with pytest.raises(ConflictError):
        store.rename(second.id, "DECK")


def test_a_key_that_was_sent_before_adds_nothing(store: ListStore) -> None:
    binder = store.create("Binder")
    first = store.add(binder.id, [new("Blade", key="k1")])
    again = store.add(binder.id, [new("Blade", key="k1"), new("Bow", key="k2")])
    assert (again.known, again.added) == (1, 1)

    entry = first.entries[0]
    store.remove(binder.id, entry.id, entry.version)
    gone = store.add(binder.id, [new("Blade", key="k1")])
    assert gone.known == 1
    assert gone.entries[0].removed
    assert names(store, binder.id) == ["Bow"]


def test_copies_join_only_what_is_equal(store: ListStore) -> None:
    binder = store.create("Binder")
    for finish in ("", "foil", "", ""):
        store.add(binder.id, [new("Blade", finish=finish, price=2, currency="EUR")], merge=True)
    store.add(binder.id, [new("BLADE", price=3, currency="USD")], merge=True)
    store.add(binder.id, [new("Blade", state="review")] * 2, merge=True)

    entries = [one.content for one in store.entries(binder.id)]
    assert [(one.finish, one.quantity) for one in entries] == [
        ("", 4),
        ("foil", 1),
        ("", 1),
        ("", 1),
    ]
    assert (entries[0].price, entries[0].currency) == (3, "USD")


def test_equal_entries_become_one_up_to_the_most_copies(store: ListStore) -> None:
    binder, other = store.create("Binder"), store.create("Other")
    store.add(binder.id, [new("Blade", quantity=n) for n in (9000, 900, 200)] + [new("Bow")])
    joined = store.join_equal(binder.id)
    assert joined.merged == 1
    assert [one.content.quantity for one in store.entries(binder.id)] == [9900, 200, 1]

    store.add(other.id, [new("Bow", quantity=2), new("Axe")])
    merged = store.merge_from(binder.id, other.id)
    assert (merged.added, merged.merged) == (1, 1)
    assert len(store.entries(other.id)) == 2
    store.undo(binder.id)
    store.undo(binder.id)
    assert [one.content.quantity for one in store.entries(binder.id)] == [9000, 900, 200, 1]
    with pytest.raises(ListError):
        store.merge_from(binder.id, binder.id)


def test_an_edit_of_what_another_device_changed_is_refused(store: ListStore) -> None:
    binder = store.create("Binder")
    (entry,) = store.add(binder.id, [new("Blade")]).entries
    edited = store.edit(binder.id, entry.id, {"quantity": 2}, entry.version, "phone")
    with pytest.raises(StaleError) as caught:
        store.edit(binder.id, entry.id, {"quantity": 5}, entry.version, "laptop")
    assert caught.value.current == edited
    with pytest.raises(StaleError):
        store.remove(binder.id, entry.id, entry.version)
    assert store.edit(binder.id, entry.id, {"quantity": 2}, edited.version) == edited
    assert store.edit(binder.id, entry.id, {"quantity": 7}, None).content.quantity == 7


def test_many_threads_lose_no_copy(path: Path) -> None:
    """Each has a connection of its own, as each program would."""
    with ListStore(path) as store:
        binder = store.create("Binder")

    def take() -> None:
        with ListStore(path) as own:
            for _ in range(10):
                own.add(binder.id, [new("Blade")], merge=True)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ListStore(path) as store:
        assert store.get(binder.id).copies == 40
        assert store.get(binder.id).entries == 1


@pytest.mark.parametrize("sort", SORTS)
def test_pages_hold_every_entry_once_whatever_comes_meanwhile(store: ListStore, sort: str) -> None:
    binder = store.create("Binder")
    store.add(
        binder.id,
        [
            new(
                f"card {n % 5}",
                set_code=f"X-{n}",
                price=n % 3 or None,
                currency="EUR",
                page=f"page {n % 12}",
                row=n % 4 + 1,
            )
            for n in range(25)
        ],
    )
    seen: list[int] = []
    cursor = ""
    while True:
        page = store.page(binder.id, Query(sort=sort, limit=4, cursor=cursor))[1]
        seen += [one.id for one in page.entries]
        if not page.next:
            break
        cursor = page.next
        latest = store.add(binder.id, [new("card 2")]).entries[0]
        store.remove(binder.id, latest.id, None)
    assert page.total == 25
    assert sorted(seen) == [one.id for one in store.entries(binder.id)]


def test_a_search_finds_all_words_in_any_case(store: ListStore) -> None:
    binder = store.create("Binder")
    store.add(
        binder.id,
        [new("Blade of Straße", set_code="NEO-12"), new("Bow", extra={"artist": "Ada Blade"})],
    )
    assert names(store, binder.id, words="STRASSE neo") == ["Blade of Straße"]
    assert names(store, binder.id, words="blade", sort="oldest") == ["Blade of Straße", "Bow"]
    assert names(store, binder.id, words="100%") == []
    assert names(store, binder.id, state="review") == []


def test_places_sort_as_people_count(store: ListStore) -> None:
    binder = store.create("Binder")
    places = [("page 10", 1, 1), ("", 1, 1), ("page 9", 2, 1), ("page 9", 1, 3)]
    store.add(
        binder.id, [new(str(n), page=p, row=r, column=c) for n, (p, r, c) in enumerate(places)]
    )
    assert names(store, binder.id, sort="place") == ["3", "2", "0", "1"]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJuZXdlc3QiLCJhIiwxXQ", "WyJuYW1lIiwxLDFd"])
def test_a_cursor_that_is_none_is_refused(store: ListStore, cursor: str) -> None:
    binder = store.create("Binder")
    with pytest.raises(ListError, match="cursor"):
        store.page(binder.id, Query(cursor=cursor))
    with pytest.raises(ListError, match="sort"):
        store.page(binder.id, Query(sort="size"))


def test_a_cursor_with_half_a_character_is_refused(store: ListStore) -> None:
    binder = store.create("Binder")
    cursor = base64.urlsafe_b64encode(b'["name", "\\ud800", 1]').decode().rstrip("=")
    with pytest.raises(ListError, match="cursor"):
        store.page(binder.id, Query(sort="name", cursor=cursor))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": " "}, "needs a name"),
        ({"name": "x" * 501}, "name has over 500"),
        ({"quantity": 0}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"price": float("nan"), "currency": "EUR"}, "price"),
        ({"price": 1}, "currency"),
        ({"row": -1}, "row"),
        ({"state": "maybe"}, "state"),
        ({"extra": {"A b": "x"}}, "extra"),
        ({"extra": {"a": 5}}, "extra.a"),
        ({"candidates": "abc"}, "candidates"),
        ({"candidates": [5]}, "candidate"),
        ({"colour": "red"}, "no field 'colour'"),
        ({"note": 5}, "note must be a text"),
    ],
)
def test_what_no_entry_can_say_is_refused_by_name(values: dict[str, object], message: str) -> None:
    with pytest.raises(ListError, match=message):
        Content.read({"name": "Blade", **values})


def test_texts_are_tidied_and_come_back_as_they_were() -> None:
    content = Content.read(
        {"name": " a\x00b\r\nc \ud800", "extra": {"x": " "}, "price": 1.005, "currency": "eur"}
    )
    assert (content.name, content.extra, content.currency) == ("a b\nc", {}, "EUR")
    assert Content.load(content.dump()) == content


def test_a_crop_is_kept_small_and_only_once(store: ListStore) -> None:
    small, large = jpeg(40), jpeg(600)
    assert bound_crop(small) == small
    bounded = bound_crop(large)
    assert max(Image.open(io.BytesIO(bounded)).size) == MOST_SIDE
    for broken in (b"", b"GIF89a", small[:50], b"\xff" * (600 * 1024)):
        with pytest.raises(ListError, match="crop"):
            bound_crop(broken)

    binder = store.create("Binder")
    entries = [NewEntry(Content("Blade"), crop=small), NewEntry(Content("Bow"), crop=small)]
    one, two = store.add(binder.id, entries).entries
    assert one.content.crop == two.content.crop
    assert store.crop(one.content.crop) == small
    assert store.crop("0" * 64) is None


WRITER = """
import sys
from pathlib import Path
from data_label_factory.lists.adding import NewEntry
from data_label_factory.lists.content import Content
from data_label_factory.lists.store import ListStore
store = ListStore(Path(sys.argv[1]))
for number in range(100_000):
    store.add(1, [NewEntry(Content(f"card {number}"))])
    print(number, flush=True)
"""


def test_a_killed_writer_loses_no_confirmed_entry(path: Path) -> None:
    with ListStore(path) as store:
        store.create("Binder")

    for _ in range(3):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            confirmed = [process.stdout.readline().strip() for _ in range(20)]
            os.kill(process.pid, signal.SIGKILL)
            confirmed += process.stdout.read().split()

        with ListStore(path) as store:
            found = {one.content.name for one in store.entries(1)}
            assert {f"card {number}" for number in confirmed if number} <= found
            db = sqlite3.connect(path)
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            db.close()


def test_a_closed_file_and_a_backup_are_one_file(path: Path, tmp_path: Path) -> None:
    with ListStore(path) as store:
        binder = store.create("Binder")
        store.add(binder.id, [new("Blade")])
        store.backup(tmp_path / "copy.sqlite")
        store.add(binder.id, [new("Bow")])
        with pytest.raises(ListFileError, match="itself"):
            store.backup(path)
        with pytest.raises(ListFileError, match="nowhere"):
            store.backup(tmp_path / "nowhere" / "copy.sqlite")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.sqlite", path.name]

    alone = tmp_path / "alone.sqlite"
    alone.write_bytes(path.read_bytes())
    with ListStore(alone) as store:
        assert names(store, binder.id) == ["Bow", "Blade"]
    with ListStore(tmp_path / "copy.sqlite") as store:
        assert names(store, binder.id) == ["Blade"]


def test_who_still_has_a_closed_file_is_told_so(path: Path) -> None:
    store = ListStore(path)
    store.close()
    with pytest.raises(ListFileError, match="was closed meanwhile"):
        store.lists()


def test_a_number_beyond_those_of_the_file_is_none_of_it(store: ListStore) -> None:
    binder = store.create("Binder", "a phone\x9b31m")
    for use in (
        lambda: store.undo(binder.id, 2**70),
        lambda: store.history(binder.id, limit=2**70),
    ):
        with pytest.raises(ListError, match="too large"):
            use()
    (step,), _ = store.history(binder.id)
    assert step.device == "a phone 31m"  # nothing that a terminal obeys


def test_other_files_are_refused_and_left_as_they_are(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"something else " * 100)
    with pytest.raises(ListFileError, match="damaged, or is not"):
        ListStore(path)

    foreign = tmp_path / "foreign.sqlite"
    db = sqlite3.connect(foreign)
    db.execute("CREATE TABLE t (a)")
    db.commit()
    db.close()
    before = foreign.read_bytes()
    with pytest.raises(ListFileError, match="not a file of lists"):
        ListStore(foreign)
    assert foreign.read_bytes() == before

    with pytest.raises(ListFileError, match="Cannot use"):
        ListStore(tmp_path / "nowhere" / "x.sqlite")


def test_an_older_file_is_brought_up_to_date_and_a_newer_one_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ListStore(path) as store:
        store.create("Binder")
    more = (*schema.MIGRATIONS, "ALTER TABLE lists ADD COLUMN color TEXT NOT NULL DEFAULT 'red';\n")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", more)
        with ListStore(path) as store:
            assert store.lists()[0].name == "Binder"
    with pytest.raises(ListFileError, match="newer version"):
        ListStore(path)


@pytest.mark.timed
def test_ten_thousand_entries_open_and_search_at_once(path: Path) -> None:
    with ListStore(path) as store:
        binder = store.create("Binder")
        store.add(
            binder.id,
            [
                new(f"Card {n * 7919 % 10007}", set_code=f"NEO-{n}", price=n % 90, currency="EUR")
                for n in range(10_000)
            ],
        )

    def seconds(**query: object) -> float:
        start = time.perf_counter()
        store.page(binder.id, Query(**query))
        return time.perf_counter() - start

    start = time.perf_counter()
    with ListStore(path) as store:
        store.page(binder.id, Query())
        assert time.perf_counter() - start <= 0.3
        for sort in SORTS:
            assert min(seconds(words="card 77", sort=sort) for _ in range(3)) <= 0.05
