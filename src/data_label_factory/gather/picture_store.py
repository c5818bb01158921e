"""One bucket: its folder and its part of the manifest.

It never overwrites another picture.
"""

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
from data_label_factory.gather.base import Candidate, Source
from data_label_factory.gather.download import Download
from data_label_factory.gather.manifest import Manifest
from data_label_factory.gather.picture import inspect
from data_label_factory.labels import Label, LabelScheme, format_label, parse_label
from data_label_factory.pictures import read_file

# The errors of os.link on FAT and the like, or in a bucket that is a link to another
# disk.
_NO_HARD_LINKS = {
    errno.EPERM,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.EMLINK,
    errno.ENOSYS,
    errno.EINVAL,
    errno.EXDEV,
}


@dataclass(frozen=True)
class Placement:
    """Where a picture ended up.

    `status` is "new", "present" (it was already there) or
    "duplicate" (it was already there under another label). `path`
    is the file that holds it, relative to the data root; `label` is
    the one that its source gave.
    """

    status: str
    path: str
    label: Label


class PictureStore:
    """The pictures of one bucket, placed one after the other by a
    single thread.

    It does not wait for the disk after each picture, which would
    cost a fifth of the rate. So a power cut can leave the last
    pictures short or empty. Those do not count as present, and the
    next run replaces them with the complete picture.
    """

    def __init__(
        self, root: Path, bucket: str, manifest: Manifest, labels: LabelScheme = "cards"
    ) -> None:
        self._root = root
        self._bucket = bucket
        self._manifest = manifest
        self._labels = labels
        self._paths: set[str] = set()
        self._path_by_sha256: dict[str, str] = {}
        self._path_by_url: dict[str, str] = {}
        self._folders: set[Path] = set()

        for path, entry in manifest.files.items():
            if path.startswith(f"{bucket}/") and _is_complete(root / path, entry.get("bytes")):
                self._remember(path, entry)

    def find(self, candidate: Candidate) -> Placement | None:
        """Return where the picture from this address is, or None if it is not there."""
        path = self._path_by_url.get(candidate.url) if candidate.url else None
        if path and (self._root / path).is_file():
            return self._describe_known(path, candidate.label)
        return None

    def has_path(self, path: str) -> bool:
        return path in self._paths

    def has_content(self, sha256: str) -> bool:
        return sha256 in self._path_by_sha256

    def place(self, download: Download, source: Source, query: str) -> Placement:
        """Move a staged picture to its name, unless the bucket already
        has it.

        Raises LabelError if no file name can carry its label, and
        FactoryError if the folder cannot be written.
        """
        label = download.candidate.label
        stem = format_label(label, self._labels)

        if known := self._path_by_sha256.get(download.sha256):
            self._add_address(known, download.candidate.url)
            return self._describe_known(known, label)

        for number in count(1):
            # Other pictures of the same label go into 2/, 3/, …: a folder does not change
            # the label.
            folder = "" if number == 1 else f"{number}/"
            path = f"{self._bucket}/{folder}{stem}{download.picture.suffix}"
            target = self._root / path
            self._make_folder(target.parent)
            if status := _try_put(download, target):
                self._record(path, download, source, query)
                return Placement(status, path, label)
        raise AssertionError("count() ended")

    def _describe_known(self, path: str, label: Label) -> Placement:
        is_same = parse_label(path, self._labels) == label
        return Placement("present" if is_same else "duplicate", path, label)

    def _make_folder(self, folder: Path) -> None:
        if folder in self._folders:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise FactoryError(
                f"Could not make {folder}: {exc.strerror}",
                "Use another --out",
            ) from exc
        self._folders.add(folder)

    def _add_address(self, path: str, url: str) -> None:
        """Enter another address of a picture that is already there."""
        if url and url not in self._path_by_url:
            self._manifest.files[path].setdefault("also_at", []).append(url)
            self._path_by_url[url] = path

    def _record(self, path: str, download: Download, source: Source, query: str) -> None:
        candidate = download.candidate
        file_name = candidate.path.name if candidate.path else ""

        entry = {
            "label": str(candidate.label),
            "source": source.name,
            "query": query,
            "url": candidate.url or file_name,
            "page": candidate.page,
            "licence": candidate.license or source.license,
            "author": candidate.author,
            "retrieved_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "sha256": download.sha256,
            "bytes": download.size,
            "width": download.picture.width,
            "height": download.picture.height,
        }

        self._manifest.files[path] = entry
        self._remember(path, entry)

    def _remember(self, path: str, entry: dict[str, Any]) -> None:
        self._paths.add(path)
        self._path_by_sha256.setdefault(str(entry.get("sha256")), path)
        for url in (entry.get("url"), *(entry.get("also_at") or ())):
            self._path_by_url.setdefault(str(url), path)


def _try_put(download: Download, target: Path) -> str:
    """Put the picture at `target`.

    Returns "new", "present" if it was already there, or "" if another
    file has that name.
    """
    assert download.staged is not None, "a picture of the bucket is not placed again"
    try:
        # A second link to the staged file: unlike a rename, it never replaces an existing
        # file. The first link disappears with the staging folder.
        os.link(download.staged, target)
        return "new"
    except FileExistsError:
        return _resolve_conflict(download.staged, download.sha256, target)
    except OSError as exc:
        if exc.errno not in _NO_HARD_LINKS:
            raise FactoryError(
                f"Could not write {target}: {exc.strerror}",
                "Choose another place with --out",
            ) from exc

    if os.path.lexists(target):
        return _resolve_conflict(download.staged, download.sha256, target)
    _copy(download.staged, target)
    return "new"


def _resolve_conflict(staged: Path, sha256: str, target: Path) -> str:
    """Decide about a file that already has the name; return a status as
    `_try_put` does.

    A file that is only the beginning of the picture is replaced.
    """
    try:
        existing = read_file(target)
    except ImageError:
        return ""
    if hashlib.sha256(existing).hexdigest() == sha256:
        return "present"
    if target.is_symlink() or not staged.read_bytes().startswith(existing):
        return ""
    _copy(staged, target)
    return "new"


def _copy(staged: Path, target: Path) -> None:
    with atomic_write(target) as file:
        file.write(staged.read_bytes())


def _is_complete(path: Path, size: Any) -> bool:
    """Return whether the picture is there, complete.

    The user may have put another picture in its place: any size
    will do, but it must be one.
    """
    try:
        if path.stat().st_size == size:
            return path.is_file()
        inspect(read_file(path))
    except (OSError, ImageError):
        return False
    return True
