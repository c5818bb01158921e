"""The arrays of an index file with the changes of its journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.index.journal import Change
from data_label_factory.identify.index.meta import Row
from data_label_factory.identify.index.npz import Npz


class _Places:
    """Which row stands where, as it changes: those that are added come
    last, and the last one takes the place of one that is removed. So
    few places change, and what is mapped stays mapped.
    """

    def __init__(self, references: NDArray[np.str_]) -> None:
        self.count = len(references)
        self.changed: dict[int, int | Row] = {}  # place → the row of the file, or a new one
        self._place_of = {name: row for row, name in enumerate(references.tolist())}
        self._name_of = references

    def make(self, change: Change) -> None:
        place = self._place_of.get(change.reference)
        if change.row is not None:
            if place is None:
                place = self._place_of[change.reference] = self.count
                self.count += 1
            self.changed[place] = change.row
        elif place is not None:
            self._remove(place, change.reference)

    def _remove(self, place: int, reference: str) -> None:
        self.count -= 1
        del self._place_of[reference]
        last = self.changed.pop(self.count, self.count)
        if place != self.count:
            self.changed[place] = last
            moved = last.reference if isinstance(last, Row) else str(self._name_of[last])
            self._place_of[moved] = place


def merge(stored: Npz, changes: Sequence[Change]) -> tuple[dict[str, NDArray[Any]], list[Row]]:
    """The arrays of an open index file after the `changes`, by column,
    and the rows that are new. Raises ValueError where rows do not fit
    the file.
    """
    places = _Places(stored.arrays["filenames"])
    for change in changes:
        places.make(change)
    if not places.count:
        raise ValueError("all references are removed")

    arrays = dict(stored.arrays)
    for column in arrays.keys() - {"meta"}:
        arrays[column] = _changed(stored, column, places)
    new = [row for row in places.changed.values() if isinstance(row, Row)]
    return arrays, new


def _changed(stored: Npz, column: str, places: _Places) -> NDArray[Any]:
    """One column with what has changed."""
    before = stored.arrays[column]
    values = {
        place: before[row] if isinstance(row, int) else _value(row, column)
        for place, row in places.changed.items()
    }
    count = max(places.count, len(before))
    if before.dtype.kind == "U":
        longest = max((len(str(value)) for value in values.values()), default=0)
        if 4 * longest > before.dtype.itemsize:
            after = np.zeros(count, f"<U{longest}")
            after[: len(before)] = before
        else:
            after = stored.extended(column, count)
    else:
        after = stored.extended(column, count)

    for place, value in values.items():
        after[place] = value
    after.flags.writeable = False
    return after[: places.count]


def _value(row: Row, column: str) -> Any:
    """What a row has in a column; of another shape than the column's
    raises ValueError where it is written.
    """
    if column == "semantic" and row.semantic is None:
        raise ValueError("the row has no semantic embedding, those of the index have one")
    return {
        "embeddings": row.embedding,
        "names": row.label.name,
        "filenames": row.reference,
        "set_codes": row.label.set_code,
        "rarities": row.label.rarity,
        "sha256": row.sha256,
        "semantic": row.semantic,
    }[column]
