"""Pictures, folders and videos → what is in each frame, one at a time, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from data_label_factory.errors import ImageError
from data_label_factory.identify.images import RGB, decode, find_images
from data_label_factory.identify.recognize import Detection
from data_label_factory.identify.video import VIDEO_SUFFIXES, read_video
from data_label_factory.labels import IMAGE_SUFFIXES
from data_label_factory.progress import Progress


@dataclass(frozen=True)
class Source:
    """A file to read: its `path`, and its place `inside` the folder it was found in (its file name if named itself)."""

    path: Path
    inside: str

    @property
    def is_video(self) -> bool:
        return self.path.suffix.lower() in VIDEO_SUFFIXES


@dataclass(frozen=True)
class RecognizedFrame:
    """One frame, (H, W, 3) uint8 RGB, and what is in it. `number` counts a video's frames from 0."""

    source: Source
    number: int | None
    image: RGB
    detections: list[Detection]

    @property
    def name(self) -> str:
        """The file as it was named, with `#` and the frame's number for a video."""
        return str(self.source.path) + (f"#{self.number}" if self.number is not None else "")

    def copy_name(self) -> PurePosixPath:
        """Where a copy of the frame belongs below a folder: as inside the source's own, with a suffix we write."""
        inside = PurePosixPath(self.source.inside)
        if self.number is not None:
            return inside.with_name(f"{inside.name}.{self.number:06}.jpg")
        return (
            inside
            if inside.suffix.lower() in (".jpg", ".jpeg", ".png")
            else inside.with_name(inside.name + ".jpg")
        )


@dataclass(frozen=True)
class Unreadable:
    """A file, or the rest of one, that could not be read."""

    source: Source
    reason: str


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """The files named, and the pictures and videos in the folders named and below. Raises ImageError for a folder that
    may not be read."""
    sources = []
    for path in paths:
        if path.is_dir():
            names = find_images(path, IMAGE_SUFFIXES | VIDEO_SUFFIXES)
            sources += [Source(path / name, name) for name in names]
        else:
            sources.append(Source(path, path.name))
    return sources


def recognize_files(
    recognize: Callable[[RGB], list[Detection]],
    sources: Sequence[Source],
    *,
    every: int = 1,
    quiet: bool = False,
) -> Iterator[RecognizedFrame | Unreadable]:
    """Recognise pictures, and of videos the frames 0, `every`, 2 × `every` …, in order.

    Reads as it is asked to and holds one frame. What cannot be read is given as Unreadable and stops nothing.
    """
    with Progress("recognised", len(sources), enabled=not quiet) as progress:
        for source in sources:
            try:
                if not source.is_video:
                    image = decode(source.path)
                    yield RecognizedFrame(source, None, image, recognize(image))
                    progress.step()
                    continue
                progress.total -= 1
                for number, image in read_video(source.path, every, progress):
                    yield RecognizedFrame(source, number, image, recognize(image))
                    progress.step()
            except ImageError as exc:
                yield Unreadable(source, str(exc))


def as_json(frame: RecognizedFrame, shown: Sequence[Detection]) -> dict[str, Any]:
    """A frame with the detections `shown` of it; `unsure` counts all that are not confident, shown or not."""
    height, width = frame.image.shape[:2]
    return {
        "file": str(frame.source.path),
        "frame": frame.number,
        "width": width,
        "height": height,
        "items": [detection.to_dict() for detection in shown],
        "unsure": sum(not detection.confident for detection in frame.detections),
    }
