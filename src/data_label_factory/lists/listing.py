"""What is said of a whole list: its name, how many, worth what."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from data_label_factory.errors import ConflictError, ListError, UnknownListError
from data_label_factory.lists.content import clean

LONGEST_NAME = 100


@dataclass(frozen=True)
class Total:
    """The worth of all copies that have a price in one currency."""

    currency: str
    amount: float
    copies: int


@dataclass(frozen=True)
class ListInfo:
    """A list without its entries. `version` is the step that changed
    it last, `review` the number of entries to be looked at.
    """

    id: int
    name: str
    version: int
    created_at: str
    updated_at: str
    deleted: bool
    entries: int = 0
    copies: int = 0
    review: int = 0
    totals: list[Total] = field(default_factory=list)


def read_infos(db: sqlite3.Connection, *, deleted: bool = False) -> list[ListInfo]:
    """All lists, the one changed last first."""
    rows = db.execute(
        "SELECT * FROM lists WHERE deleted = ? ORDER BY version DESC", [int(deleted)]
    ).fetchall()
    sums = _sum(db, "")
    return [_describe(row, sums[row["id"]]) for row in rows]


def read_info(db: sqlite3.Connection, list_id: int) -> ListInfo:
    """A list, also a deleted one. Raises UnknownListError."""
    row = db.execute("SELECT * FROM lists WHERE id = ?", [list_id]).fetchone()
    if row is None:
        raise UnknownListError(f"There is no list {list_id}", "GET /api/lists names them")
    return _describe(row, _sum(db, "WHERE list = ?", list_id)[list_id])


def require_list(db: sqlite3.Connection, list_id: int) -> int:
    """The version of a list. Raises UnknownListError if there is none,
    or it is deleted.
    """
    row = db.execute("SELECT version, deleted FROM lists WHERE id = ?", [list_id]).fetchone()
    if row is None:
        raise UnknownListError(f"There is no list {list_id}", "GET /api/lists names them")
    if row["deleted"]:
        raise UnknownListError(f"List {list_id} is deleted", "Bring it back first")
    return int(row["version"])


def check_name(name: str) -> str:
    """The name without outer blanks. Raises ListError."""
    name = " ".join(clean(name).split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise ListError(f"The name of a list has 1 to {LONGEST_NAME} characters")
    return name


@contextmanager
def unique_name(name: str) -> Iterator[None]:
    """Raises ConflictError where another list has the name."""
    try:
        yield
    except sqlite3.IntegrityError as exc:
        raise ConflictError(f"There is a list {name!r} already", "Choose another name") from exc


_Sums = list[sqlite3.Row]


def _sum(db: sqlite3.Connection, where: str, *values: int) -> dict[int, _Sums]:
    """By list, a row for each currency and state."""
    sums: dict[int, _Sums] = defaultdict(list)
    rows = db.execute(
        # A sum of whole numbers that is too large would be an error.
        "SELECT list, state, currency, count(*) AS entries, sum(quantity) AS copies, "
        f"total(quantity * cents) AS cents FROM entries {where} "
        "GROUP BY list, currency, state ORDER BY currency",
        values,
    )
    for row in rows:
        sums[row["list"]].append(row)
    return sums


def _describe(row: sqlite3.Row, sums: _Sums) -> ListInfo:
    totals: dict[str, tuple[float, int]] = {}
    for one in sums:
        if one["currency"]:
            cents, copies = totals.get(one["currency"], (0, 0))
            totals[one["currency"]] = (cents + one["cents"], copies + one["copies"])

    return ListInfo(
        id=row["id"],
        name=row["name"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted=bool(row["deleted"]),
        entries=sum(one["entries"] for one in sums),
        copies=sum(one["copies"] for one in sums),
        review=sum(one["entries"] for one in sums if one["state"] == "review"),
        totals=[
            Total(currency, cents / 100, copies) for currency, (cents, copies) in totals.items()
        ],
    )
