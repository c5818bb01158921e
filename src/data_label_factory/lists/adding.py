"""New entries: by themselves, or as copies of what is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from data_label_factory.lists.content import MOST_COPIES, Content
from data_label_factory.lists.crops import digest
from data_label_factory.lists.steps import Entry, Step, entry_of, find_equal, read_last


@dataclass(frozen=True)
class NewEntry:
    """What is added. `key` is the client's name of this take, `crop`
    the JPEG that `crops.bound_crop` gave.
    """

    content: Content
    key: str = ""
    crop: bytes = b""


@dataclass
class Added:
    """Entries in the order given.

    `added` counts new ones, `merged` those that joined an equal one,
    `known` those whose key was known. `step` is the list's version
    then.
    """

    step: int
    entries: list[Entry] = field(default_factory=list)
    added: int = 0
    merged: int = 0
    known: int = 0


def find_known(db: sqlite3.Connection, list_id: int, key: str) -> Entry | None:
    """The entry that came with a key, also if it was taken out since."""
    if not key:
        return None
    row = db.execute("SELECT entry FROM keys WHERE list = ? AND key = ?", [list_id, key]).fetchone()
    return None if row is None else read_last(db, list_id, row["entry"])


def add_all(db: sqlite3.Connection, step: Step, entries: Sequence[NewEntry], merge: bool) -> Added:
    """Add all but those that are known; with `merge`, to equal ones."""
    added = Added(step.id)
    for new in entries:
        known = find_known(db, step.list_id, new.key)
        if known is not None:
            added.known += 1
            added.entries.append(known)
            continue

        content = _keep_crop(db, new)
        equal = find_equal(db, step.list_id, content) if merge else None
        if equal and equal.content.quantity + content.quantity <= MOST_COPIES:
            entry = step.update(equal, equal.content.joined(content))
            added.merged += 1
        else:
            entry = step.insert(content)
            added.added += 1
        added.entries.append(entry)
        if new.key:
            db.execute(
                "INSERT INTO keys (list, key, entry) VALUES (?, ?, ?)",
                [step.list_id, new.key, entry.id],
            )
    return added


def join_equal(db: sqlite3.Connection, step: Step) -> Added:
    """Make one entry of those that are equal, as far as its copies go."""
    joined = Added(step.id)
    rows = db.execute(
        "SELECT id, version, content, equal_key FROM entries WHERE list = ?1 "
        "AND equal_key IN (SELECT equal_key FROM entries WHERE list = ?1 AND equal_key <> '' "
        "GROUP BY equal_key HAVING count(*) > 1) ORDER BY id",
        [step.list_id],
    ).fetchall()

    into: dict[str, Entry] = {}
    joined_ids: dict[int, Entry] = {}
    for row in rows:
        entry, first = entry_of(row), into.get(row["equal_key"])
        if not first or first.content.quantity + entry.content.quantity > MOST_COPIES:
            into[row["equal_key"]] = entry
            continue
        step.delete(entry)
        whole = step.update(first, first.content.joined(entry.content))
        into[row["equal_key"]] = joined_ids[whole.id] = whole
        joined.merged += 1

    joined.entries = list(joined_ids.values())
    return joined


def _keep_crop(db: sqlite3.Connection, new: NewEntry) -> Content:
    if not new.crop:
        return new.content
    name = digest(new.crop)
    db.execute("INSERT OR IGNORE INTO crops (digest, jpeg) VALUES (?, ?)", [name, new.crop])
    return replace(new.content, crop=name)
