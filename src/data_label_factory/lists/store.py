"""Lists that several devices edit at once.

    with ListStore(Path("my.lists.sqlite")) as store:
        binder = store.create("Binder")
        store.add(binder.id, [NewEntry(Content("Blade"))])

Every change is one step: it is on disk when the method returns, and
`undo` takes it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data_label_factory.errors import ListError
from data_label_factory.labels import item_key
from data_label_factory.lists import adding
from data_label_factory.lists.adding import Added, NewEntry
from data_label_factory.lists.content import clean, now
from data_label_factory.lists.database import Database
from data_label_factory.lists.history import PastStep, Undone, read_history, undo
from data_label_factory.lists.listing import (
    ListInfo,
    check_name,
    read_info,
    read_infos,
    require_list,
    unique_name,
)
from data_label_factory.lists.paging import Page, Query, read_page
from data_label_factory.lists.steps import (
    Entry,
    Step,
    entry_of,
    read_entry,
    require_version,
)


class ListStore:
    """A file of lists. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        """Raises ListFileError if the file cannot be used."""
        self._database = Database(path)

    def __enter__(self) -> ListStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    def backup(self, target: Path) -> None:
        """Write a copy of all lists to one file. Raises ListFileError."""
        self._database.backup(target)

    # Lists

    def lists(self, *, deleted: bool = False) -> list[ListInfo]:
        """All of them, the one changed last first."""
        with self._database.reading() as db:
            return read_infos(db, deleted=deleted)

    def get(self, list_id: int) -> ListInfo:
        """Raises UnknownListError."""
        with self._database.reading() as db:
            return read_info(db, list_id)

    def find(self, name: str) -> ListInfo | None:
        """The list of that name, in any case."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT id FROM lists WHERE name_key = ? AND NOT deleted",
                [item_key(clean(name))],
            ).fetchone()
            return None if row is None else read_info(db, row["id"])

    def create(self, name: str, device: str = "") -> ListInfo:
        """Raises ConflictError if there is one of that name."""
        name = check_name(name)
        with self._database.writing() as db, unique_name(name):
            cursor = db.execute(
                "INSERT INTO lists (name, name_key, created_at, updated_at) VALUES (?, ?, ?, ?)",
                [name, item_key(name), now(), now()],
            )
            list_id = cursor.lastrowid
            assert list_id is not None
            Step(db, list_id, "create", device=device)
            return read_info(db, list_id)

    def rename(self, list_id: int, name: str, device: str = "") -> ListInfo:
        """Raises ConflictError if there is another one of that name."""
        name = check_name(name)
        with self._database.writing() as db, unique_name(name):
            require_list(db, list_id)
            info = read_info(db, list_id)
            if info.name != name:
                Step(db, list_id, "rename", device=device).rename(info.name, name)
            return read_info(db, list_id)

    def set_deleted(self, list_id: int, deleted: bool, device: str = "") -> ListInfo:
        """Delete a list, or bring it back. Raises ConflictError if
        another one has its name by now.
        """
        with self._database.writing() as db:
            info = read_info(db, list_id)
            if info.deleted != deleted:
                Step(db, list_id, "delete" if deleted else "restore", device=device)
                with unique_name(info.name):
                    db.execute("UPDATE lists SET deleted = ? WHERE id = ?", [int(deleted), list_id])
            return read_info(db, list_id)

    # Entries

    def page(self, list_id: int, query: Query) -> tuple[ListInfo, Page]:
        """A page of entries, with the list as it was then."""
        with self._database.reading() as db:
            require_list(db, list_id)
            return read_info(db, list_id), read_page(db, list_id, query)

    def version(self, list_id: int) -> int:
        """The step that changed the list last. Raises UnknownListError."""
        with self._database.reading() as db:
            return require_list(db, list_id)

    def entries(self, list_id: int) -> list[Entry]:
        """All entries in the order in which they were added."""
        with self._database.reading() as db:
            require_list(db, list_id)
            rows = db.execute(
                "SELECT id, version, content FROM entries WHERE list = ? ORDER BY id", [list_id]
            )
            return [entry_of(row) for row in rows]

    def entry(self, list_id: int, entry_id: int) -> Entry:
        """Raises UnknownListError."""
        with self._database.reading() as db:
            require_list(db, list_id)
            return read_entry(db, list_id, entry_id)

    def crop(self, crop_digest: str) -> bytes | None:
        """The JPEG of that digest."""
        with self._database.reading() as db:
            row = db.execute("SELECT jpeg FROM crops WHERE digest = ?", [crop_digest]).fetchone()
            return None if row is None else bytes(row["jpeg"])

    def add(
        self,
        list_id: int,
        entries: Sequence[NewEntry],
        *,
        merge: bool = False,
        kind: str = "add",
        device: str = "",
        source: tuple[str, str] | None = None,
    ) -> Added:
        """Add `entries` as one step; with `merge`, copies of an equal
        entry join it.

        An entry whose key is known is not added again. `source` is
        the digest and the name of the file they are from.
        """
        with self._database.writing() as db:
            version = require_list(db, list_id)
            known = [adding.find_known(db, list_id, one.key) for one in entries]
            if entries and all(known):
                return Added(version, [one for one in known if one], known=len(known))
            step = Step(db, list_id, kind, device=device)
            added = adding.add_all(db, step, entries, merge)
            if source is not None:
                db.execute(
                    "INSERT INTO sources (list, digest, name, step) VALUES (?, ?, ?, ?)",
                    [list_id, *source, step.id],
                )
            return added

    def has_source(self, list_id: int, source_digest: str) -> bool:
        """Whether a file of that digest was taken, and not undone since."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT 1 FROM sources JOIN steps ON steps.id = sources.step "
                "WHERE sources.list = ? AND digest = ? AND undone_by IS NULL",
                [list_id, source_digest],
            ).fetchone()
            return row is not None

    def edit(
        self,
        list_id: int,
        entry_id: int,
        values: Mapping[str, Any],
        version: int | None,
        device: str = "",
    ) -> Entry:
        """Change some fields. `version` is the one that was seen, None
        to overwrite any.

        Raises StaleError if it is another one by now.
        """
        with self._database.writing() as db:
            require_list(db, list_id)
            entry = read_entry(db, list_id, entry_id)
            require_version(entry, version)
            content = entry.content.changed(values)
            if content == entry.content:
                return entry
            return Step(db, list_id, "edit", device=device).update(entry, content)

    def remove(self, list_id: int, entry_id: int, version: int | None, device: str = "") -> int:
        """Take an entry out; returns the step. Raises StaleError, as `edit` does."""
        with self._database.writing() as db:
            require_list(db, list_id)
            entry = read_entry(db, list_id, entry_id)
            require_version(entry, version)
            step = Step(db, list_id, "remove", device=device)
            step.delete(entry)
            return step.id

    def merge_from(self, list_id: int, other_id: int, device: str = "") -> Added:
        """Add a copy of every entry of another list; equal ones add up."""
        if list_id == other_id:
            raise ListError("A list cannot be merged with itself", "Leave out from")
        with self._database.writing() as db:
            require_list(db, list_id)
            require_list(db, other_id)
            rows = db.execute("SELECT * FROM entries WHERE list = ? ORDER BY id", [other_id])
            entries = [NewEntry(entry_of(row).content) for row in rows]
            step = Step(db, list_id, "merge", device=device)
            return adding.add_all(db, step, entries, merge=True)

    def join_equal(self, list_id: int, device: str = "") -> Added:
        """Make one entry of those that are equal, up to 9999 copies each."""
        with self._database.writing() as db:
            require_list(db, list_id)
            step = Step(db, list_id, "merge", device=device)
            return adding.join_equal(db, step)

    # History

    def history(
        self, list_id: int, before: int | None = None, limit: int = 50
    ) -> tuple[list[PastStep], int | None]:
        """The newest steps first, and the `before` of the next page."""
        with self._database.reading() as db:
            read_info(db, list_id)
            return read_history(db, list_id, before, limit)

    def undo(self, list_id: int, step: int | None = None, device: str = "") -> Undone:
        """Take a step back, by default the newest that stands. Raises
        ConflictError if an entry was changed since.
        """
        with self._database.writing() as db:
            require_list(db, list_id)
            return undo(db, list_id, step, device)
