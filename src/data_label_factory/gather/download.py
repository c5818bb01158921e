"""One picture from the network or a local file into the staging folder, looked at before it is kept."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from data_label_factory.atomic import is_running
from data_label_factory.errors import FactoryError, FetchError, ImageError
from data_label_factory.gather.base import Found
from data_label_factory.gather.picture import inspect
from data_label_factory.gather.picture_store import Got
from data_label_factory.http.fetch import Fetcher, shown
from data_label_factory.pictures import DEFAULT_LIMITS, read_file

_PREFIX = ".gather-"
_UNTYPED = ("", "application/octet-stream", "binary/octet-stream")


@dataclass(frozen=True)
class Failure:
    """What could not be had, and why."""

    bucket: str
    query: str
    reason: str
    url: str = ""


class Staging:
    """A folder inside the data root where pictures are written before they have a name. Threads may share it."""

    def __init__(self, root: Path) -> None:
        """Raises FactoryError. Removes what runs that were killed have left."""
        self._folder = root / f"{_PREFIX}{os.getpid()}"
        self._number = itertools.count()
        for old in root.glob(f"{_PREFIX}*"):
            owner = old.name.removeprefix(_PREFIX)
            if owner == str(os.getpid()) or not (owner.isdecimal() and is_running(int(owner))):
                shutil.rmtree(old, ignore_errors=True)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise FactoryError(
                f"Cannot make {self._folder}: {exc.strerror}", "Choose a place with --out"
            ) from exc

    def write(self, data: bytes) -> Path:
        """Raises FactoryError when the disk is full."""
        staged = self._folder / str(next(self._number))
        try:
            with staged.open("xb") as file:
                file.write(
                    data
                )  # the system writes it out in its own time: see Shelf on a power cut
        except OSError as exc:
            raise FactoryError(
                f"Could not write {staged}: {exc.strerror}", "Free some space, or use --out"
            ) from exc
        return staged

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass(frozen=True)
class Loader:
    """Gets pictures for one bucket; its threads share it. `knows` tells by SHA-256 what the bucket holds already."""

    staging: Staging
    fetcher: Fetcher
    interval: float
    knows: Callable[[str], bool]

    def first_of(self, candidates: Iterable[Found]) -> tuple[Got | None, list[tuple[Found, str]]]:
        """The first candidate that can be had, and what was wrong with those before it."""
        wrong: list[tuple[Found, str]] = []
        for found in candidates:
            try:
                return self._load(found), wrong
            except (FetchError, ImageError) as exc:
                wrong.append((found, exc.message))
        return None, wrong

    def _load(self, found: Found) -> Got:
        data = read_file(found.path) if found.path else self._download(found.url)
        picture = inspect(data)
        sha256 = hashlib.sha256(data).hexdigest()
        return Got(
            found,
            picture,
            sha256,
            len(data),
            None if self.knows(sha256) else self.staging.write(data),
        )

    def _download(self, url: str) -> bytes:
        reply = self.fetcher.get(url, interval=self.interval, max_bytes=DEFAULT_LIMITS.max_bytes)
        if not (reply.content_type.startswith("image/") or reply.content_type in _UNTYPED):
            raise FetchError(
                f"{shown(url)}: it answered with {reply.content_type}, not with a picture"
            )
        return reply.body
