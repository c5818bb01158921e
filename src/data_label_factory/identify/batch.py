"""Pictures, folders, PDFs and videos → what is in each frame, one frame at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from data_label_factory.errors import ImageError
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.pdf import PDF_SUFFIXES, can_read_pdf, read_pdf
from data_label_factory.identify.recognize import Detection
from data_label_factory.identify.video import VIDEO_SUFFIXES, read_video
from data_label_factory.labels import IMAGE_SUFFIXES
from data_label_factory.names import find_file
from data_label_factory.progress import Progress
from data_label_factory.walk import Walk, expand_wildcards, has_wildcard, walk_folder

_WRITABLE_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Source:
    """A file to read.

    `inside` is its path relative to the folder it was found in, or its
    file name if it was named itself.
    """

    path: Path
    inside: str

    @property
    def is_video(self) -> bool:
        return self.path.suffix.lower() in VIDEO_SUFFIXES

    @property
    def is_pdf(self) -> bool:
        return self.path.suffix.lower() in PDF_SUFFIXES


@dataclass(frozen=True)
class RecognizedFrame:
    """A frame, (H, W, 3) uint8 RGB, and its detections, guesses among
    them.

    `number` counts a video's frames from 0, a PDF's pages from 1.
    """

    source: Source
    number: int | None
    image: RGB
    detections: list[Detection]

    @property
    def name(self) -> str:
        """The path as the user named it; for a video or a PDF
        followed by `#` and the number.
        """
        path = str(self.source.path)
        return path if self.number is None else f"{path}#{self.number}"

    @property
    def found(self) -> list[Detection]:
        """The detections that are no guesses."""
        return [detection for detection in self.detections if not detection.is_guess]

    @property
    def guesses(self) -> list[Detection]:
        """What the picture is nearest to, where nothing sure was found."""
        return [detection for detection in self.detections if detection.is_guess]

    def copy_name(self) -> PurePosixPath:
        """Where a copy of the frame belongs below a folder, with a
        suffix that we can write.
        """
        inside = PurePosixPath(self.source.inside)
        if self.number is not None:
            return inside.with_name(f"{inside.name}.{self.number:06}.jpg")
        if inside.suffix.lower() in _WRITABLE_SUFFIXES:
            return inside
        return inside.with_name(f"{inside.name}.jpg")


@dataclass(frozen=True)
class Unreadable:
    """A file that could not be read, or not to its end."""

    source: Source
    reason: str


def find_sources(paths: Sequence[str | Path]) -> list[Source]:
    """The sources of `walk_paths` alone."""
    return walk_paths(paths)[0]


def walk_paths(paths: Sequence[str | Path]) -> tuple[list[Source], list[Walk]]:
    """The files among `paths`, and the pictures and videos in the
    folders and their subfolders, PDFs too where they can be read; and
    the walks through these, which have what was passed over.

    Wildcards are replaced by what they match, unless there is a file of
    that very name. Raises ImageError if a folder cannot be read, or
    nothing is left and a wildcard matches nothing.
    """
    suffixes = IMAGE_SUFFIXES | VIDEO_SUFFIXES
    if can_read_pdf():
        suffixes |= PDF_SUFFIXES
    sources = []
    walks = []
    for path in expand_wildcards(paths):
        if path.is_dir():
            walk = walk_folder(path, suffixes)
            walks.append(walk)
            sources += [Source(path / name, name) for name in walk.pictures]
        else:
            meant = find_file(path.parent, path.name) or path
            sources.append(Source(meant, meant.name))

    unmatched = [source for source in sources if _is_unmatched(source.path)]
    if unmatched and len(unmatched) == len(sources):
        raise ImageError(f"No file matches {unmatched[0].path}", "Check the folder and the suffix")
    return sources, walks


def _is_unmatched(path: Path) -> bool:
    return has_wildcard(path) and not os.path.lexists(path)


def recognize_files(
    recognize: Callable[[RGB], list[Detection]],
    sources: Sequence[Source],
    *,
    recognize_still: Callable[[RGB], list[Detection]] | None = None,
    every: int = 1,
    quiet: bool = False,
) -> Iterator[RecognizedFrame | Unreadable]:
    """Recognize pictures, and the frames 0, `every`, 2 × `every` … of
    videos, in order.

    `recognize_still` does so for pictures: a single one may be worth
    a guess where a video has its next frame.

    Files are read only as results are requested, and one frame is
    held at a time. A file that cannot be read gives an Unreadable;
    the others follow.
    """
    with Progress("recognized", len(sources), enabled=not quiet) as progress:
        for source in sources:
            if _is_unmatched(source.path):
                yield Unreadable(source, "No file matches. Check the folder and the suffix")
                continue
            name = recognize if source.is_video else recognize_still or recognize
            try:
                for number, image in _read_frames(source, every, progress):
                    yield RecognizedFrame(source, number, image, name(image))
                    progress.step()
            except ImageError as exc:
                yield Unreadable(source, str(exc))


def as_json(frame: RecognizedFrame, shown: Sequence[Detection]) -> dict[str, Any]:
    """A frame as JSON values, with the detections `shown`.

    `unsure` counts all detections that are not confident, shown or
    not. `guesses` are neither: a reader of `items` never takes one
    for an answer.
    """
    height, width = frame.image.shape[:2]
    return {
        "file": str(frame.source.path),
        "frame": frame.number,
        "width": width,
        "height": height,
        "items": [detection.to_dict() for detection in shown],
        "unsure": sum(not detection.confident for detection in frame.found),
        "guesses": [detection.to_dict() for detection in frame.guesses],
    }


def _read_frames(
    source: Source, every: int, progress: Progress
) -> Iterator[tuple[int | None, RGB]]:
    """The frames of a file, numbered if it is a video or a PDF.

    Raises ImageError if it cannot be read.
    """
    if source.is_video:
        progress.total -= 1  # the video itself, whose frames are counted instead
        yield from read_video(source.path, every, progress)
    elif source.is_pdf:
        progress.total -= 1
        yield from read_pdf(source.path, progress)
    else:
        yield None, decode(source.path)
