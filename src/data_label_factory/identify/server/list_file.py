"""The server's file of lists: opened when it is first asked for."""

from __future__ import annotations

import threading
from pathlib import Path

from starlette.exceptions import HTTPException

from data_label_factory.errors import UnknownListError
from data_label_factory.lists.store import ListStore

_Identity = tuple[int, int]


class ListFile:
    """A store that is made with the first list. Safe to use from any
    thread.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._store: ListStore | None = None
        self._identity: _Identity | None = None

    def read(self) -> ListStore | None:
        """The lists; None while there is no file.

        Raises HTTPException 404 where none are kept, ListFileError if
        the file cannot be used.
        """
        with self._lock:
            path = self._require_path()
            return self._open(path) if path.exists() else None

    def require(self) -> ListStore:
        """The lists, to read one of them. Raises UnknownListError
        while there is no file.
        """
        store = self.read()
        if store is None:
            raise UnknownListError("There is no list yet", "POST /api/lists makes one")
        return store

    def write(self) -> ListStore:
        """The lists, in a new file if there is none. Raises as `read` does."""
        with self._lock:
            return self._open(self._require_path())

    def close(self) -> None:
        with self._lock:
            self._close()

    def _require_path(self) -> Path:
        if self._path is None:
            raise HTTPException(404, "This server keeps no lists. Start it with --lists FILE")
        return self._path

    def _open(self, path: Path) -> ListStore:
        # A file that was moved away, or replaced by a backup, would go on
        # taking entries that nobody finds again.
        if self._store is not None and self._identity != _identify(path):
            self._close()
        if self._store is None:
            self._store = ListStore(path)
            self._identity = _identify(path)
        return self._store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
        self._store = None


def _identify(path: Path) -> _Identity | None:
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_dev, info.st_ino
