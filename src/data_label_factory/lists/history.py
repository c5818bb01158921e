"""The steps of a list, and how one is taken back."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from data_label_factory.errors import ConflictError, UnknownListError
from data_label_factory.lists.content import Content
from data_label_factory.lists.steps import Entry, Step, entry_of

SHOWN_CHANGES = 20  # of one step; an import may have thousands
# They change no entry; a list that was deleted is brought back as a whole.
_FIXED = ("create", "delete", "restore")


@dataclass(frozen=True)
class PastStep:
    """`changes` are the first of `changed`, each (entry, before,
    after), with None where there was or is nothing.
    """

    id: int
    kind: str
    at: str
    device: str
    undoes: int | None
    undone_by: int | None
    changed: int
    changes: list[tuple[int | None, Any, Any]]


@dataclass(frozen=True)
class Undone:
    """The step that took back `undone`, with what is back and what is gone."""

    step: int
    undone: int
    kind: str
    entries: list[Entry] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)


def read_history(
    db: sqlite3.Connection, list_id: int, before: int | None, limit: int
) -> tuple[list[PastStep], int | None]:
    """The newest steps before `before`, and where the next page begins."""
    rows = db.execute(
        "SELECT s.*, (SELECT count(*) FROM changes c WHERE c.step = s.id) AS changed "
        "FROM steps s WHERE list = ? AND id < ? ORDER BY id DESC LIMIT ?",
        [list_id, 2**62 if before is None else before, limit + 1],
    ).fetchall()
    steps = [_describe(db, row) for row in rows[:limit]]
    return steps, steps[-1].id if rows[limit:] else None


def undo(db: sqlite3.Connection, list_id: int, step_id: int | None, device: str = "") -> Undone:
    """Append the inverse of a step, by default of the newest that
    is neither an undo nor undone.

    Raises ConflictError, and changes nothing, if an entry is not as the
    step left it, or the step is undone or cannot be.
    """
    row = _find(db, list_id, step_id)
    step = Step(db, list_id, "undo", device=device, undoes=row["id"])
    done = Undone(step.id, row["id"], row["kind"])

    # The last change first: one step may change an entry twice.
    changes = db.execute(
        "SELECT entry, before, after FROM changes WHERE step = ? ORDER BY id DESC", [row["id"]]
    ).fetchall()
    entries: dict[int, Entry] = {}
    for change in changes:
        if change["entry"] is None:
            _rename_back(db, step, change)
        else:
            _revert(db, step, change, entries, done.removed)

    done.entries.extend(entries.values())
    _mark(db, row, step.id)
    return done


def _find(db: sqlite3.Connection, list_id: int, step_id: int | None) -> sqlite3.Row:
    if step_id is None:
        marks = ", ".join("?" * len(_FIXED))
        row = db.execute(
            "SELECT * FROM steps WHERE list = ? AND undone_by IS NULL AND undoes IS NULL "
            f"AND kind NOT IN ({marks}) ORDER BY id DESC LIMIT 1",
            [list_id, *_FIXED],
        ).fetchone()
        if row is None:
            raise ConflictError("There is nothing to undo")
        return _as_row(row)

    row = db.execute("SELECT * FROM steps WHERE id = ? AND list = ?", [step_id, list_id]).fetchone()
    if row is None:
        raise UnknownListError(f"The list has no step {step_id}", "Its history names them")
    if row["undone_by"] is not None:
        raise ConflictError(f"Step {step_id} is undone already", f"By step {row['undone_by']}")
    if row["kind"] in _FIXED:
        raise ConflictError(f"Step {step_id} changed no entry: there is nothing to undo")
    return _as_row(row)


def _as_row(row: Any) -> sqlite3.Row:
    assert isinstance(row, sqlite3.Row)
    return row


def _revert(
    db: sqlite3.Connection,
    step: Step,
    change: sqlite3.Row,
    entries: dict[int, Entry],
    removed: list[int],
) -> None:
    entry_id = change["entry"]
    row = db.execute("SELECT * FROM entries WHERE id = ?", [entry_id]).fetchone()
    now = None if row is None else entry_of(row)
    before, left = (text and Content.load(text) for text in (change["before"], change["after"]))
    if (now and now.content) != left:
        raise ConflictError(
            f"Entry {entry_id} was changed again since",
            "Undo the later change first; the history names it",
        )

    if now is None:
        entries[entry_id] = step.insert(before, entry_id)
    elif before is None:
        step.delete(now)
        entries.pop(entry_id, None)
        removed.append(entry_id)
    else:
        entries[entry_id] = step.update(now, before)


def _rename_back(db: sqlite3.Connection, step: Step, change: sqlite3.Row) -> None:
    before, after = (json.loads(change[side])["list"] for side in ("before", "after"))
    (name,) = db.execute("SELECT name FROM lists WHERE id = ?", [step.list_id]).fetchone()
    if name != after:
        raise ConflictError("The list was renamed again since", "Undo that first")
    try:
        step.rename(after, before)
    except sqlite3.IntegrityError as exc:
        raise ConflictError(f"There is another list {before!r} now", "Rename that first") from exc


def _mark(db: sqlite3.Connection, row: sqlite3.Row, undo_id: int) -> None:
    """Note what is undone now; where an undo is undone, what it took
    back stands again, and so on.
    """
    by: int | None = undo_id
    while True:
        db.execute("UPDATE steps SET undone_by = ? WHERE id = ?", [by, row["id"]])
        if row["undoes"] is None:
            return
        by = row["id"] if by is None else None
        row = _as_row(db.execute("SELECT * FROM steps WHERE id = ?", [row["undoes"]]).fetchone())


def _describe(db: sqlite3.Connection, row: sqlite3.Row) -> PastStep:
    changes = db.execute(
        "SELECT entry, before, after FROM changes WHERE step = ? ORDER BY id LIMIT ?",
        [row["id"], SHOWN_CHANGES],
    )
    shown = [
        (one["entry"], *(text and json.loads(text) for text in (one["before"], one["after"])))
        for one in changes
    ]
    return PastStep(
        row["id"],
        row["kind"],
        row["at"],
        row["device"],
        row["undoes"],
        row["undone_by"],
        row["changed"],
        shown,
    )
