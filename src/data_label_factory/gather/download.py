"""One picture from the network or a local file → the staging folder, checked before it is kept."""

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
from data_label_factory.gather.base import Candidate
from data_label_factory.gather.picture import Picture, inspect
from data_label_factory.http.fetch import Fetcher, redact_url
from data_label_factory.pictures import DEFAULT_LIMITS, read_file

_STAGING_PREFIX = ".gather-"

# Content types of servers that do not tell pictures from other files.
_UNTYPED = ("", "application/octet-stream", "binary/octet-stream")


@dataclass(frozen=True)
class Download:
    """A picture that arrived and was checked, without a file name yet.

    It waits in the file `staged`, which is None if the bucket
    already has this picture.
    """

    candidate: Candidate
    picture: Picture
    sha256: str
    size: int  # bytes
    staged: Path | None


@dataclass(frozen=True)
class Rejection:
    """A candidate that could not be downloaded or is not a usable picture, and why."""

    candidate: Candidate
    reason: str


class Staging:
    """A folder inside the data root for pictures without a name yet. Threads may share it."""

    def __init__(self, root: Path) -> None:
        """Create the folder, and remove those of killed runs. Raises FactoryError."""
        self._folder = root / f"{_STAGING_PREFIX}{os.getpid()}"
        self._numbers = itertools.count()
        _remove_abandoned(root)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise FactoryError(
                f"Cannot make {self._folder}: {exc.strerror}",
                "Choose a place with --out",
            ) from exc

    def write(self, data: bytes) -> Path:
        """Write `data` to a new file and return its path. Raises
        FactoryError.

        It does not wait for the disk: see `PictureStore` about a
        power cut.
        """
        staged = self._folder / str(next(self._numbers))
        try:
            with staged.open("xb") as file:
                file.write(data)
        except OSError as exc:
            raise FactoryError(
                f"Could not write {staged}: {exc.strerror}",
                "Free some space, or use --out",
            ) from exc
        return staged

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass(frozen=True)
class Downloader:
    """Download the pictures of one bucket. Its threads share it.

    `has_content` says, by SHA-256, whether the bucket already has a
    picture.
    """

    staging: Staging
    fetcher: Fetcher
    interval: float
    has_content: Callable[[str], bool]

    def download_first(
        self, candidates: Iterable[Candidate]
    ) -> tuple[Download | None, list[Rejection]]:
        """Return the first candidate that succeeds, and those that failed before it."""
        rejected: list[Rejection] = []
        for candidate in candidates:
            try:
                return self._download(candidate), rejected
            except (FetchError, ImageError) as exc:
                rejected.append(Rejection(candidate, str(exc)))
        return None, rejected

    def _download(self, candidate: Candidate) -> Download:
        data = read_file(candidate.path) if candidate.path else self._fetch(candidate.url)
        picture = inspect(data)
        sha256 = hashlib.sha256(data).hexdigest()
        staged = None if self.has_content(sha256) else self.staging.write(data)
        return Download(candidate, picture, sha256, len(data), staged)

    def _fetch(self, url: str) -> bytes:
        reply = self.fetcher.get(url, interval=self.interval, max_bytes=DEFAULT_LIMITS.max_bytes)
        is_image = reply.content_type.startswith("image/")
        if not is_image and reply.content_type not in _UNTYPED:
            raise FetchError(
                f"{redact_url(url)}: it answered with {reply.content_type}, not with a picture"
            )
        return reply.body


def _remove_abandoned(root: Path) -> None:
    """Remove the staging folders whose processes are gone, and one with our own pid."""
    for folder in root.glob(f"{_STAGING_PREFIX}*"):
        pid = folder.name.removeprefix(_STAGING_PREFIX)
        is_used = pid.isdecimal() and is_running(int(pid)) and pid != str(os.getpid())
        if not is_used:
            shutil.rmtree(folder, ignore_errors=True)
