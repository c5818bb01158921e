"""Reference pictures → a store of their features that is up to date with
an index. What is known of a picture by its content is not worked out
again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import FactoryError, ImageError
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.files import read_ahead, read_row
from data_label_factory.identify.recognize.background import Backgrounds
from data_label_factory.identify.recognize.columns import Columns, locked
from data_label_factory.identify.recognize.feature_store import (
    load_store,
    new_store,
    remove_old_file,
)
from data_label_factory.identify.recognize.features import Ints, Mask
from data_label_factory.identify.recognize.references import ReferenceFeatures
from data_label_factory.identify.recognize.store_writer import (
    SAMPLE,
    Reference,
    append_references,
    compare_kinds,
    count_shared,
    describe,
    key_of,
    learn_words,
    open_words,
)
from data_label_factory.identify.recognize.vocabulary import Vocabulary
from data_label_factory.progress import Progress

_BATCH = 256  # references in a batch
_SHOWN_FROM = 100  # references read, for a progress line to be worth it
_WALKED_FROM = 1000  # files, from which a walk is faster than asking for each

_OUTGROWN = 4  # times as many as the words were learned for
_MOST_UNUSED = 0.5  # fraction of a store
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ divided by the golden ratio


_Written = tuple[Columns, Ints, dict[str, str]]


def read_references(
    index: Index,
    refs: Path,
    known: ReferenceFeatures | None = None,
    *,
    folder: Path | None = None,
    quiet: bool = True,
) -> tuple[ReferenceFeatures | None, dict[str, str]]:
    """The references of `index` below `refs`, and the reason for each file
    that cannot be read; None when not one can.

    They are kept in `folder`, or, without one or where it cannot be
    written, in memory. `known` is an earlier state of the same.
    """
    store = known.columns if known is not None else load_store(folder)
    is_there = _find_files(index, refs)
    numbers = _match(index, is_there, store)
    unreadable: dict[str, str] = {}
    if not _is_up_to_date(store, numbers):

        def write(store: Columns) -> _Written:
            return _write(index, refs, is_there, store, is_start=known is None, quiet=quiet)

        store, numbers, unreadable = _in_folder(store, write)

    if not (numbers >= 0).any():
        return None, unreadable
    rows = np.full(store.rows("counts"), -1, np.int64)
    rows[numbers[numbers >= 0]] = np.flatnonzero(numbers >= 0)
    words = None
    if known is not None and known.columns.has_same(store, "fine"):
        words = known.local.vocabulary
    return ReferenceFeatures(rows, store, words), unreadable


def _write(
    index: Index, refs: Path, is_there: Mask, store: Columns, *, is_start: bool, quiet: bool
) -> tuple[Columns, Ints, dict[str, str]]:
    """Bring a store up to date: the numbers (N,) of the index's rows in
    it, -1 for what cannot be read, and why. Raises FactoryError when the
    disk is full.
    """
    numbers = _match(index, is_there, store)
    if _is_outgrown(store, numbers, is_start):
        store = new_store(store.folder)
        numbers = np.full(len(index), -1, np.int64)

    missing = np.flatnonzero(numbers < 0)
    store, words, unreadable = _read_files(index, refs, missing, store, quiet)
    numbers = _match(index, is_there, store)
    used = np.sort(numbers[numbers >= 0])
    if len(used):
        store = count_shared(store, words, quiet=quiet)
        store = compare_kinds(store, used, quiet=quiet)
    return store, numbers, unreadable


def _in_folder(store: Columns, write: Callable[[Columns], _Written]) -> _Written:
    """Write into the store's folder, one process at a time, from the state
    it has by then; in memory where that fails.
    """
    if store.folder is not None:
        with suppress(FactoryError, OSError), locked(store.folder):
            written = write(load_store(store.folder))
            remove_old_file(store.folder)
            return written
        store = store.in_memory()  # costs time at the next start, nothing else
    return write(store)


def _read_files(
    index: Index, refs: Path, rows: Ints, store: Columns, quiet: bool
) -> tuple[Columns, Vocabulary, dict[str, str]]:
    """With the features of the `rows` that can be read, and a vocabulary;
    and why the others cannot.
    """
    words = open_words(store)
    if words is None and len(rows) > SAMPLE:  # the first ones have to stand for all
        rows = np.random.default_rng(0).permutation(rows)
    keys = _content_keys(index)

    def read(row: int) -> Reference:
        return describe(int(keys[row]), read_row(index, refs, row))

    unreadable: dict[str, str] = {}
    is_shown = not quiet and len(rows) >= _SHOWN_FROM
    with Progress("references read", len(rows), enabled=is_shown) as progress:
        reads = [partial(read, int(row)) for row in rows]
        for batch in read_ahead(reads, _BATCH):
            tried = rows[progress.done : progress.done + len(batch)]
            for row, result in zip(tried, batch, strict=True):
                if isinstance(result, ImageError):
                    unreadable[str(index.references[row])] = str(result)
            good = [one for one in batch if isinstance(one, Reference)]
            store = append_references(store, good, words)
            if words is None and store.rows("counts") >= SAMPLE:
                store = learn_words(store, len(index))
                words = open_words(store)
            progress.step(len(batch))

    if words is None:
        store = learn_words(store, len(index))
        words = open_words(store)
        assert words is not None
    return store, words, unreadable


def is_outgrown(known: ReferenceFeatures) -> bool:
    """Whether there are so many more references than the words were learned
    for that each frame takes longer, and it is better to read all anew.
    """
    return _has_many_more(known.columns, int((known.rows >= 0).sum()))


def _is_outgrown(store: Columns, numbers: Ints, is_start: bool) -> bool:
    """Whether to read everything anew: the words are for far fewer
    references, or most of what is there is unused.

    While answers wait, only if most is to be read anyway.
    """
    used = int((numbers >= 0).sum())
    if "learned_for" not in store.notes:
        return False
    if not used or used < _MOST_UNUSED * store.rows("counts"):
        return True
    may = is_start or len(numbers) >= _OUTGROWN * used
    return may and _has_many_more(store, len(numbers))


def _has_many_more(store: Columns, references: int) -> bool:
    return references > _OUTGROWN * int(store.notes["learned_for"])


def _is_up_to_date(store: Columns, numbers: Ints) -> bool:
    """Whether all that an index names is in a store, and wholly so."""
    if (numbers < 0).any() or store.rows("shared") < store.rows("words"):
        return False
    return not np.isin(Backgrounds(store).missing, numbers).any()


def _match(index: Index, is_there: Mask, store: Columns) -> Ints:
    """The number (N,) in a store of each row of the index, by content; -1
    where there is none, or no file. Each of several copies has its own.
    """
    numbers = np.full(len(index), -1, np.int64)
    rows = np.flatnonzero(is_there)
    wanted, held = _number_copies(_content_keys(index)[rows]), _number_copies(store["keys"])
    if not len(held):
        return numbers

    order = np.argsort(held)
    at = order[np.searchsorted(held, wanted, sorter=order).clip(max=len(held) - 1)]
    numbers[rows] = np.where(held[at] == wanted, at, -1)
    return numbers


def _content_keys(index: Index) -> NDArray[np.uint64]:
    """(N,) 64 bits of a hash of what was indexed of each file."""
    return np.array([key_of(content) for content in index.contents.tolist()], np.uint64)


def _number_copies(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Keys (N,) made different for the first, second, … of equal ones."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    is_first = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(keys)]
    place = np.arange(len(keys))
    copy = np.empty(len(keys), np.uint64)
    copy[order] = place - np.maximum.accumulate(np.where(is_first, place, 0))
    return keys + copy * _GOLDEN


def _find_files(index: Index, refs: Path) -> Mask:
    """(N,) which references have a file."""
    names = index.references.tolist()
    if len(names) < _WALKED_FROM:
        return np.array([(refs / name).is_file() for name in names], bool)

    there: set[str] = set()
    for folder, _, files in os.walk(refs):
        below = Path(folder).relative_to(refs).as_posix()
        there.update(files if below == "." else (f"{below}/{file}" for file in files))
    return np.array([name in there for name in names], bool)
