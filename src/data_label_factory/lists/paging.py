"""A page of the entries of a list: searched, sorted, and continued
where the last one ended.
"""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from dataclasses import dataclass
from typing import Any, Literal, get_args

from data_label_factory.errors import ListError
from data_label_factory.lists.steps import Entry, entry_of

SortName = Literal["newest", "oldest", "name", "set", "rarity", "quantity", "price", "place"]
MOST = 1000  # entries of a page

# What is sorted by, and whether the largest comes first.
_SORTS: dict[str, tuple[str, bool]] = {
    "newest": ("id", True),
    "oldest": ("id", False),
    "name": ("name_key", False),
    "set": ("set_key", False),
    "rarity": ("rarity_key", False),
    "quantity": ("quantity", False),
    "price": ("coalesce(cents, -1)", False),
    "place": ("place_key", False),
}
SORTS = tuple(f"{sign}{name}" for name in get_args(SortName) for sign in ("", "-"))
_BROKEN = "cursor is not one of this list and order"


@dataclass(frozen=True)
class Query:
    """Which entries, in which order.

    `words` must all be there. `sort` is one of SORTS. `cursor` is
    the `next` of the page before.
    """

    words: str = ""
    state: str = ""
    sort: str = "newest"
    cursor: str = ""
    limit: int = 100


@dataclass(frozen=True)
class Page:
    """`total` counts all that match; `next` continues, "" at the end."""

    entries: list[Entry]
    total: int
    next: str


def read_page(db: sqlite3.Connection, list_id: int, query: Query) -> Page:
    """Raises ListError for a cursor or an order that is none."""
    if query.sort not in SORTS:
        raise ListError(f"sort must be one of {', '.join(SORTS)}")
    column, descending = _SORTS[query.sort.lstrip("-")]
    descending ^= query.sort.startswith("-")

    where, values = _filter(list_id, query)
    (total,) = db.execute(f"SELECT count(*) FROM entries WHERE {where}", values).fetchone()
    if query.cursor:
        beyond = "<" if descending else ">"
        where += f" AND ({column}, id) {beyond} (?, ?)"
        values += _read_cursor(query)

    order = "DESC" if descending else "ASC"
    limit = max(1, min(query.limit, MOST))
    rows = db.execute(
        f"SELECT id, version, content, {column} AS sorted FROM entries WHERE {where} "
        f"ORDER BY {column} {order}, id {order} LIMIT ?",
        [*values, limit + 1],
    ).fetchall()

    more = rows[limit:] and _make_cursor(query, rows[limit - 1])
    return Page([entry_of(row) for row in rows[:limit]], total, more or "")


def _filter(list_id: int, query: Query) -> tuple[str, list[Any]]:
    """What follows WHERE.

    Looking through 10,000 texts takes 2 ms, so a full-text index is not
    worth its upkeep; but it has to be through the index of them alone.
    """
    parts = ["list = ?"]
    values: list[Any] = [list_id]
    if query.state:
        parts.append("state = ?")
        values.append(query.state)

    words = query.words.casefold().split()
    if words:
        has_all = " AND ".join("instr(folded, ?) > 0" for _ in words)
        parts.append(
            f"id IN (SELECT id FROM entries INDEXED BY words WHERE list = ? AND {has_all})"
        )
        values += [list_id, *words]
    return " AND ".join(parts), values


def _make_cursor(query: Query, row: sqlite3.Row) -> str:
    text = json.dumps([query.sort, row["sorted"], row["id"]], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(query: Query) -> list[Any]:
    padding = "=" * (-len(query.cursor) % 4)
    try:
        text = base64.b64decode(query.cursor + padding, altchars=b"-_", validate=True)
        sort, value, entry_id = json.loads(text)
        kinds = (str,) if "key" in _SORTS[query.sort.lstrip("-")][0] else (int,)
        is_whole = isinstance(value, kinds) and isinstance(entry_id, int)
        if sort != query.sort or not is_whole or abs(entry_id) > 2**62:
            raise ListError(_BROKEN)
        if isinstance(value, int) and abs(value) > 2**62:
            raise ListError(_BROKEN)
        if isinstance(value, str):
            value.encode()  # half a surrogate pair is no text for SQLite
        return [value, entry_id]
    except (ValueError, TypeError, binascii.Error, RecursionError) as exc:
        raise ListError(_BROKEN) from exc
