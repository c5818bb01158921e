"""One reference more or less in an index file: a small file is written
anew, a large one gets a record in its journal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from data_label_factory.identify.index.file_format import read_fingerprint, read_index_file
from data_label_factory.identify.index.index import Index
from data_label_factory.identify.index.journal import Change, append_change, journal_path
from data_label_factory.identify.index.meta import Row

# Written in a few ms; and sorted, as the builder sorts.
_REWRITTEN_BELOW_BYTES = 2**20

# Of the size of the file, that its journal may have before both become one: about one
# reference in eight, since a record is little more than a row.
_JOURNAL_SHARE = 1 / 8


@dataclass(frozen=True)
class Changed:
    """An index as it will be, and `write`, which makes the file say so.

    `write` raises FactoryError when the disk refuses; then nothing
    has changed there.
    """

    index: Index
    write: Callable[[], None]


def add_row(index: Index, path: Path, row: Row) -> Changed:
    """With one more reference; `index` is what the file at `path` holds."""
    if _is_small(path):
        larger = index.with_row(row)
        return Changed(larger, lambda: larger.save(path))
    return _note(path, Change(row.reference, row))


def remove_row(index: Index, path: Path, reference: str) -> Changed:
    """Without one of its references, of which it has more than one."""
    if _is_small(path):
        smaller = index.taken(index.references != reference)
        return Changed(smaller, lambda: smaller.save(path))
    return _note(path, Change(reference))


def fold(path: Path) -> None:
    """Write what the journal of an index file holds into the file.

    Does nothing without a journal. Raises IndexFileError and FactoryError.
    """
    if journal_path(path).exists():
        index = Index.load(path)
        index.taken(index.references.argsort(kind="stable")).save(path)


def _note(path: Path, change: Change) -> Changed:
    fields, meta = read_index_file(path, [change])
    index = Index(**fields, meta=meta, file=path)
    print_of_file = read_fingerprint(path)

    def write() -> None:
        if _is_long(path):
            index.save(path)
        else:
            append_change(journal_path(path), print_of_file, change)

    return Changed(index, write)


def _is_small(path: Path) -> bool:
    return not path.exists() or path.stat().st_size < _REWRITTEN_BELOW_BYTES


def _is_long(path: Path) -> bool:
    journal = journal_path(path)
    size = journal.stat().st_size if journal.exists() else 0
    return size > _JOURNAL_SHARE * path.stat().st_size
