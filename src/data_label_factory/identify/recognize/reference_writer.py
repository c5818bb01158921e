"""Reference pictures into the store while they are indexed, so that none
is read twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from data_label_factory.cpu import cpu_count
from data_label_factory.errors import FactoryError
from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize.columns import Columns, locked
from data_label_factory.identify.recognize.feature_store import load_store
from data_label_factory.identify.recognize.store_writer import (
    SAMPLE,
    Reference,
    append_references,
    describe,
    key_of,
    learn_words,
    open_words,
)

_BATCH = 256  # references that go to disk together


class ReferenceWriter:
    """A context in which `take` writes into the store in `folder`; no
    other process does meanwhile.

    What is new in there is not whole before `read_references` has been
    over it. Where the folder cannot be written nothing is taken, and
    pictures are read again later.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store: Columns | None = None
        self._waiting: list[Reference] = []
        self._expected = 0
        self._open = ExitStack()

    def __enter__(self) -> ReferenceWriter:
        try:
            self._open.enter_context(locked(self._folder))
        except OSError:
            return self
        self._pool = self._open.enter_context(ThreadPoolExecutor(cpu_count()))
        self._store = load_store(self._folder)
        self._words = open_words(self._store)
        self._known = set(self._store["keys"].tolist())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write()
        self._open.close()

    def take(self, contents: Sequence[str], pictures: Sequence[RGB], expected: int) -> None:
        """Add what is not there yet of pictures (H, W, 3), by their contents
        as an index names them; so many references are `expected` in all.
        """
        if self._store is None:
            return
        new = dict(zip(map(key_of, contents), pictures, strict=True))
        fresh = [(key, picture) for key, picture in new.items() if key not in self._known]
        self.add(list(self._pool.map(lambda one: describe(*one), fresh)), expected)

    def add(self, references: Sequence[Reference], expected: int) -> None:
        """The same of references that were made elsewhere, each by its key."""
        if self._store is None:
            return
        self._expected = expected
        for one in references:
            if one.key not in self._known:
                self._known.add(one.key)
                self._waiting.append(one)
        if len(self._waiting) >= _BATCH:
            self._write()

    def _write(self) -> None:
        """All that is waiting, and the words, once there is enough to learn them from."""
        if self._store is None:
            return
        try:
            self._store = append_references(self._store, self._waiting, self._words)
            if self._words is None and self._store.rows("counts") >= SAMPLE:
                self._store = learn_words(self._store, self._expected)
                self._words = open_words(self._store)
        except FactoryError:  # the disk is full
            self._store = None
        self._waiting = []
