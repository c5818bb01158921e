"""Files that all machines of a cluster see, in a folder or a bucket."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from data_label_factory.errors import FactoryError
from data_label_factory.extras import need


class Storage:
    """The files below `url`: a folder's path, or an address that fsspec
    knows, such as s3://bucket/path or gs://bucket/path.
    """

    def __init__(self, url: str | Path) -> None:
        """Raises MissingExtraError, also for the package of a bucket's
        kind, and FactoryError for an address that is none.
        """
        fsspec = need("fsspec", extra="ray")
        self.url = os.fspath(url)
        try:
            self._files: Any
            self._files, self._root = fsspec.core.url_to_fs(self.url)
        except (ValueError, ImportError) as exc:  # ImportError: s3fs, gcsfs, …
            raise FactoryError(f"Cannot store anything at {self.url}: {exc}") from exc

    def __contains__(self, name: str) -> bool:
        return bool(self._files.isfile(self._place(name)))

    def names(self) -> list[str]:
        """The files that are there, in order."""
        if not self._files.isdir(self._root):
            return []
        found = (place.rpartition("/")[2] for place in self._files.ls(self._root, detail=False))
        return sorted(name for name in found if not name.startswith("."))

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises FactoryError when it is not there."""
        try:
            return bytes(self._files.cat_file(self._place(name)))
        except OSError as exc:
            hint = "Run it again: what is there is not made again"
            raise FactoryError(f"{self.url} lost the file {name}", hint) from exc

    def write(self, name: str, data: bytes) -> None:
        """Write a file: whole, or not at all. Raises FactoryError when it
        cannot be written.
        """
        temporary = self._place(f".{name}.{uuid.uuid4().hex}")
        try:
            self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(temporary, data)
            self._files.mv(temporary, self._place(name))
        except OSError as exc:
            hint = "All machines have to be able to write there"
            raise FactoryError(f"Cannot write to {self.url}: {exc}", hint) from exc

    def discard(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(OSError):
            self._files.rm_file(self._place(name))

    def remove(self) -> None:
        """Remove all files."""
        if self._files.isdir(self._root):
            self._files.rm(self._root, recursive=True)

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"
