"""One step: what is changed at once, and can be taken back at once."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import dataclass

from data_label_factory.errors import ListFileError, StaleError, UnknownListError
from data_label_factory.labels import item_key
from data_label_factory.lists.content import Content, clean, now

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Entry:
    """An entry of a list. `version` is the step that changed it last."""

    id: int
    version: int
    content: Content
    removed: bool = False


class Step:
    """Changes to one list within a transaction; each is recorded."""

    def __init__(
        self,
        db: sqlite3.Connection,
        list_id: int,
        kind: str,
        *,
        device: str = "",
        undoes: int | None = None,
    ) -> None:
        self._db = db
        self.list_id = list_id
        cursor = db.execute(
            "INSERT INTO steps (list, kind, at, device, undoes) VALUES (?, ?, ?, ?, ?)",
            [list_id, kind, now(), clean(device)[:64], undoes],
        )
        self.id = _new_id(cursor)
        db.execute(
            "UPDATE lists SET version = ?, updated_at = ? WHERE id = ?",
            [self.id, now(), list_id],
        )

    def insert(self, content: Content, entry_id: int | None = None) -> Entry:
        """A new entry, or one that comes back under its old number."""
        columns = {"id": entry_id, "list": self.list_id, **self._columns(content)}
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        cursor = self._db.execute(
            f"INSERT INTO entries ({names}) VALUES ({marks})", [*columns.values()]
        )
        entry = Entry(_new_id(cursor), self.id, content)
        self.record(entry.id, None, content.dump())
        return entry

    def update(self, entry: Entry, content: Content) -> Entry:
        columns = self._columns(content)
        sets = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"UPDATE entries SET {sets} WHERE id = ?", [*columns.values(), entry.id])
        self.record(entry.id, entry.content.dump(), content.dump())
        return Entry(entry.id, self.id, content)

    def delete(self, entry: Entry) -> None:
        self._db.execute("DELETE FROM entries WHERE id = ?", [entry.id])
        self.record(entry.id, entry.content.dump(), None)

    def rename(self, before: str, after: str) -> None:
        """Another name for the list. Raises IntegrityError if it is taken."""
        self._db.execute(
            "UPDATE lists SET name = ?, name_key = ? WHERE id = ?",
            [after, item_key(after), self.list_id],
        )
        old, new = (json.dumps({"list": name}) for name in (before, after))
        self.record(None, old, new)

    def record(self, entry_id: int | None, before: str | None, after: str | None) -> None:
        self._db.execute(
            "INSERT INTO changes (step, entry, before, after) VALUES (?, ?, ?, ?)",
            [self.id, entry_id, before, after],
        )

    def _columns(self, content: Content) -> dict[str, str | int | None]:
        return {
            "version": self.id,
            "content": content.dump(),
            "state": content.state,
            "name_key": content.name.casefold(),
            "set_key": natural(content.set_code),
            "rarity_key": content.rarity.casefold(),
            "place_key": place_key(content),
            "quantity": content.quantity,
            "cents": content.cents,
            "currency": content.currency,
            "equal_key": content.equal_key,
            "folded": content.folded,
        }


def read_entry(db: sqlite3.Connection, list_id: int, entry_id: int) -> Entry:
    """Raises UnknownListError if the list has no such entry."""
    row = db.execute(
        "SELECT id, version, content FROM entries WHERE id = ? AND list = ?",
        [entry_id, list_id],
    ).fetchone()
    if row is None:
        raise UnknownListError(f"The list has no entry {entry_id}", "It may have been taken out")
    return entry_of(row)


def require_version(entry: Entry, version: int | None) -> None:
    """Raises StaleError if an entry is not the one that was seen."""
    if version is not None and entry.version != version:
        error = StaleError("The entry was changed meanwhile", "Read it again")
        error.current = entry
        raise error


def find_equal(db: sqlite3.Connection, list_id: int, content: Content) -> Entry | None:
    """The newest entry that `content` may be added to."""
    key = content.equal_key
    if not key:
        return None
    row = db.execute(
        "SELECT id, version, content FROM entries WHERE list = ? AND equal_key = ? "
        "ORDER BY id DESC LIMIT 1",
        [list_id, key],
    ).fetchone()
    return None if row is None else entry_of(row)


def read_last(db: sqlite3.Connection, list_id: int, entry_id: int) -> Entry:
    """An entry as it is, or as it was when it was taken out."""
    row = db.execute("SELECT * FROM entries WHERE id = ?", [entry_id]).fetchone()
    if row is not None:
        return entry_of(row)
    row = db.execute(
        "SELECT step, before FROM changes WHERE entry = ? ORDER BY id DESC LIMIT 1",
        [entry_id],
    ).fetchone()
    if row is None:
        raise ListFileError(f"The history of list {list_id} lacks entry {entry_id}")
    return Entry(entry_id, row["step"], Content.load(row["before"]), removed=True)


def entry_of(row: sqlite3.Row) -> Entry:
    return Entry(row["id"], row["version"], Content.load(row["content"]))


def natural(text: str) -> str:
    """A text that sorts page 9 before page 10."""
    folded = text.casefold()
    return _DIGITS.sub(lambda digits: digits[0].lstrip("0").rjust(12, "0"), folded)


def place_key(content: Content) -> str:
    """Sorts by page, row and column; what has no page comes last."""
    row, column = content.row or 0, content.column or 0
    page = natural(content.page) if content.page else "\U0010ffff"
    return f"{page}\n{row:07}\n{column:07}"


def _new_id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid
