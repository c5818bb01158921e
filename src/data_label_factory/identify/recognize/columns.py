"""Columns of numbers in files that only grow, mapped into memory.

One file a column, in one folder. What counts is the manifest: it names
the file of each column and how many of its rows are whole, and is
replaced atomically once they are on disk. So whatever ends the process,
the next one finds the last state that was whole; rows beyond it are
overwritten. Who has an older state open keeps it: files grow behind what
he maps, and a column that is written anew gets a new file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from data_label_factory.atomic import write_text
from data_label_factory.errors import FactoryError

_MANIFEST = "manifest.json"
_LOCK = ".lock"
_PATIENCE_SECONDS = 60.0

Layout = Mapping[str, np.dtype[Any]]
Rows = Mapping[str, NDArray[Any]]


class Columns:
    """A state of the columns that `layout` names, each with the dtype of
    a row; read like a mapping.

    Changing one gives another, and leaves this one as it is. `notes` is
    whatever else is to be kept (JSON). Without a `folder`, all is held
    in memory.
    """

    def __init__(self, layout: Layout, folder: Path | None = None) -> None:
        """An empty state, beside whatever is in the folder; nothing is
        written yet.
        """
        self.notes: dict[str, Any] = {}
        self.folder = folder
        self._layout = layout
        number = _next_number(folder) if folder is not None else 0
        self._files = {name: (f"{name}.{number}", 0) for name in layout}
        self._arrays: dict[str, NDArray[Any]] = {}
        self._open()

    @classmethod
    def load(cls, layout: Layout, folder: Path) -> Columns | None:
        """The last whole state in a folder; None where there is none that
        can be read, or it has other columns.
        """
        loaded = cls(layout, folder)
        try:
            manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
            files = {name: (str(file), int(rows)) for name, (file, rows) in manifest["files"]}
            loaded.notes = dict(manifest["notes"])
            if {name: str(dtype) for name, dtype in layout.items()} != manifest["layout"]:
                return None
            for name, (file, rows) in files.items():
                size = rows * layout[name].itemsize  # of nothing, there may be no file
                if size and (folder / file).stat().st_size < size:
                    return None
            loaded._files, loaded._arrays = files, {}
            loaded._open()
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return loaded

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The rows of a column (N, …), read-only where they are mapped."""
        return self._arrays[name]

    def rows(self, name: str) -> int:
        """How many rows a column has."""
        return self._files[name][1]

    def has_same(self, other: Columns, name: str) -> bool:
        """Whether a column is the same file as in another state."""
        return self.folder is not None and (
            (self.folder, self._files[name]) == (other.folder, other._files[name])
        )

    @property
    def state(self) -> tuple[tuple[str, str, int], ...]:
        """What tells this state from others of the same folder."""
        return tuple((name, *self._files[name]) for name in sorted(self._files))

    @property
    def nbytes(self) -> int:
        """What all columns take, on disk or in memory."""
        return sum(rows * self._layout[name].itemsize for name, (_, rows) in self._files.items())

    def changed(
        self,
        *,
        append: Rows | None = None,
        replace: Rows | None = None,
        notes: Mapping[str, Any] | None = None,
    ) -> Columns:
        """With rows behind those of some columns, and others written
        anew; all of it, or nothing.

        Raises FactoryError when the disk is full or not writable.
        """
        new = copy(self)
        new.notes = {**self.notes, **(notes or {})}
        new._files = dict(self._files)
        new._arrays = dict(self._arrays)
        try:
            for name, added in (append or {}).items():
                new._write(name, added, self._files[name][1])
            number = _next_number(self.folder) if replace and self.folder else 0
            for name, rows in (replace or {}).items():
                new._files[name] = (f"{name}.{number}", 0)
                new._arrays.pop(name, None)
                new._write(name, rows, 0)
        except OSError as exc:
            hint = "Free some space or choose another place; nothing was changed"
            raise FactoryError(
                f"Could not write into {self.folder}: {exc.strerror or exc}", hint
            ) from exc

        if new.folder is not None:
            new._commit()
            new._open()
            new._sweep()
        return new

    def in_memory(self) -> Columns:
        """A copy that no longer needs the folder."""
        held = copy(self)
        held.folder = None
        held._arrays = {name: np.array(self[name]) for name in self._layout}
        return held

    def _open(self) -> None:
        """Map what is not mapped yet: later, the file may be gone."""
        for name in self._layout:
            if name not in self._arrays:
                self._arrays[name] = self._map(name)

    def _map(self, name: str) -> NDArray[Any]:
        file, rows = self._files[name]
        dtype = self._layout[name]
        if self.folder is None or not rows:
            return np.empty(rows, dtype)
        return np.asarray(np.memmap(self.folder / file, dtype, "r", shape=(rows,)))

    def _write(self, name: str, added: NDArray[Any], before: int) -> None:
        """Put rows behind the first `before` ones of a column."""
        dtype = self._layout[name]
        flat = np.ascontiguousarray(added, dtype.base)
        count = flat.size * dtype.base.itemsize // dtype.itemsize
        file = self._files[name][0]
        self._files[name] = (file, before + count)
        if self.folder is None:
            rows = flat.reshape(count, *dtype.shape)
            self._arrays[name] = np.concatenate([self[name], rows]) if before else rows
            return

        self._arrays.pop(name, None)
        self.folder.mkdir(exist_ok=True)
        descriptor = os.open(self.folder / file, os.O_RDWR | os.O_CREAT, 0o666)
        with os.fdopen(descriptor, "r+b") as opened:
            opened.truncate(before * dtype.itemsize)
            opened.seek(0, os.SEEK_END)
            opened.write(flat.data)
            opened.flush()
            os.fsync(opened.fileno())

    def _commit(self) -> None:
        assert self.folder is not None
        manifest = {
            "layout": {name: str(dtype) for name, dtype in self._layout.items()},
            "files": list(self._files.items()),
            "notes": self.notes,
        }
        write_text(self.folder / _MANIFEST, json.dumps(manifest))

    def _sweep(self) -> None:
        """Remove the files of earlier states. Who maps them keeps them,
        but on Windows, where they stay until the next change.
        """
        assert self.folder is not None
        named = {file for file, _ in self._files.values()}
        for path in self.folder.iterdir():
            if path.suffix[1:].isdigit() and path.name not in named:
                with suppress(OSError):
                    path.unlink()


def _next_number(folder: Path) -> int:
    """One that no file of columns in the folder has."""
    if not folder.is_dir():
        return 0
    taken = [int(path.suffix[1:]) for path in folder.iterdir() if path.suffix[1:].isdigit()]
    return max(taken, default=-1) + 1


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time changes the columns of a folder. Raises
    OSError where it cannot be written, or another one takes too long.
    """
    folder.mkdir(exist_ok=True)
    with FileLock(folder / _LOCK, timeout=_PATIENCE_SECONDS):
        yield

    if not (folder / _MANIFEST).exists():  # nothing was written
        with suppress(OSError):
            (folder / _LOCK).unlink(missing_ok=True)
            folder.rmdir()
