"""One bucket: its folder, and its part of the manifest. Puts pictures under their names and never over another one."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import FactoryError, ImageError
from data_label_factory.gather.base import Found, Source
from data_label_factory.gather.manifest import Manifest
from data_label_factory.gather.picture import Picture, inspect
from data_label_factory.labels import Label, format_label, parse_label
from data_label_factory.pictures import read_file

# FAT and the like, or a bucket that is a link to another disk.
_NO_LINKS = {
    errno.EPERM,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.EMLINK,
    errno.ENOSYS,
    errno.EINVAL,
    errno.EXDEV,
}


@dataclass(frozen=True)
class Got:
    """A picture that came, was looked at, and waits in the file `staged` for its name (None: it is there already)."""

    found: Found
    picture: Picture
    sha256: str
    size: int
    staged: Path | None


@dataclass(frozen=True)
class Placed:
    """What became of a picture: "new"; "present", it was there already; "double", it is there under another label.

    `path` is the file that holds it now, relative to the data root; `label` the one it was found with.
    """

    what: str
    path: str
    label: Label


class Shelf:
    """Not for use by two threads at once: whoever places in order is alone anyway.

    Waiting for the disk after every picture would cost a fifth of the rate, so a power cut can leave the last ones
    short or empty. They do not count as being there, and the whole picture takes their place in the next run.
    """

    def __init__(self, root: Path, bucket: str, manifest: Manifest) -> None:
        self._root, self._bucket, self._manifest = root, bucket, manifest
        self._by_sha: dict[str, str] = {}
        self._by_url: dict[str, str] = {}
        self._paths: set[str] = set()
        self._folders: set[Path] = set()
        for path, entry in manifest.files.items():
            if path.startswith(f"{bucket}/") and _is_whole(root / path, entry.get("bytes")):
                self._remember(path, entry)

    def holds(self, found: Found) -> Placed | None:
        """Where the picture is that came from this address, if it is there."""
        path = self._by_url.get(found.url) if found.url else None
        return self._known(path, found.label) if path and (self._root / path).is_file() else None

    def has(self, path: str) -> bool:
        return path in self._paths

    def knows(self, sha256: str) -> bool:
        return sha256 in self._by_sha

    def place(self, got: Got, source: Source, query: str) -> Placed:
        """Move a staged picture to its name.

        Raises LabelError for a name that no file can carry, FactoryError when the folder cannot be written.
        """
        stem = format_label(got.found.label)
        if known := self._by_sha.get(got.sha256):
            if got.found.url and got.found.url not in self._by_url:
                self._manifest.files[known].setdefault("also_at", []).append(got.found.url)
                self._by_url[got.found.url] = known
            return self._known(known, got.found.label)
        for number in count(1):
            # A subfolder does not change the label: other pictures of one label go into 2/, 3/, …
            path = f"{self._bucket}/{'' if number == 1 else f'{number}/'}{stem}{got.picture.suffix}"
            what = _put(got, self._made(self._root / path))
            if what:
                self._record(path, got, source, query)
                return Placed(what, path, got.found.label)
        raise AssertionError("count() ended")

    def _made(self, target: Path) -> Path:
        """`target`, its folder made once."""
        if target.parent not in self._folders:
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as exc:
                raise FactoryError(
                    f"Could not make {target.parent}: {exc.strerror}", "Use another --out"
                ) from exc
            self._folders.add(target.parent)
        return target

    def _known(self, path: str, label: Label) -> Placed:
        return Placed("present" if parse_label(path) == label else "double", path, label)

    def _record(self, path: str, got: Got, source: Source, query: str) -> None:
        found = got.found
        entry = {
            "label": str(found.label),
            "source": source.name,
            "query": query,
            "url": found.url or (found.path.name if found.path else ""),
            "page": found.page,
            "licence": found.license or source.license,
            "author": found.author,
            "retrieved_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "sha256": got.sha256,
            "bytes": got.size,
            "width": got.picture.width,
            "height": got.picture.height,
        }
        self._manifest.files[path] = entry
        self._remember(path, entry)

    def _remember(self, path: str, entry: dict[str, Any]) -> None:
        self._paths.add(path)
        self._by_sha.setdefault(str(entry.get("sha256")), path)
        for url in (entry.get("url"), *(entry.get("also_at") or ())):
            self._by_url.setdefault(str(url), path)


def _put(got: Got, target: Path) -> str:
    """ "new" when the picture was put there, "present" when it was there, "" when something else is."""
    assert got.staged is not None, "what the bucket has is not placed again"
    try:
        # A second link to the staged file: unlike a rename, it never replaces what is there. The first link goes with
        # the staging folder.
        os.link(got.staged, target)
        return "new"
    except FileExistsError:
        return _beside(got.staged, got.sha256, target)
    except OSError as exc:
        if exc.errno not in _NO_LINKS:
            raise FactoryError(
                f"Could not write {target}: {exc.strerror}", "Choose another place with --out"
            ) from exc
    if os.path.lexists(target):
        return _beside(got.staged, got.sha256, target)
    _copy(got.staged, target)
    return "new"


def _beside(staged: Path, sha256: str, target: Path) -> str:
    """What to make of a file that has the name already; one that is the picture's beginning and no more is replaced."""
    try:
        there = read_file(target)
    except ImageError:
        return ""
    if hashlib.sha256(there).hexdigest() == sha256:
        return "present"
    if target.is_symlink() or not staged.read_bytes().startswith(there):
        return ""
    _copy(staged, target)
    return "new"


def _copy(staged: Path, target: Path) -> None:
    with atomic_write(target) as file:
        file.write(staged.read_bytes())


def _is_whole(path: Path, size: Any) -> bool:
    """Whether there is a picture. One that the user put in place of ours may have any size, but must be one."""
    try:
        if path.stat().st_size == size:
            return path.is_file()
        inspect(read_file(path))
    except (OSError, ImageError):
        return False
    return True
