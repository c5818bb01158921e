"""Copies of recognized frames, with outlines and names drawn on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import FactoryError
from data_label_factory.identify.batch import RecognizedFrame, Source
from data_label_factory.identify.output.annotate import draw_marks, mark
from data_label_factory.identify.recognize import Detection

_JPEG_QUALITY = 92


class Copies:
    """Writes copies below `folder`, in the subfolders of their sources.

    A copy never replaces a source or another copy.
    """

    def __init__(self, folder: Path, sources: Sequence[Source]) -> None:
        self._folder = folder
        self._sources = {source.path.resolve() for source in sources}
        self._written: set[Path] = set()

    def write(self, frame: RecognizedFrame, detections: Sequence[Detection]) -> Path:
        """Write one copy and return its path.

        Raises FactoryError if the copy would replace a source or cannot
        be written.
        """
        path = self._choose_path(frame)
        self._written.add(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise FactoryError(
                f"Cannot make the folder {path.parent}: {exc.strerror}", "Choose another"
            ) from exc

        picture = draw_marks(frame.image, [mark(detection) for detection in detections])
        with atomic_write(path) as file:
            if path.suffix.lower() == ".png":
                picture.save(file, "PNG")
            else:
                picture.save(file, "JPEG", quality=_JPEG_QUALITY)
        return path

    def _choose_path(self, frame: RecognizedFrame) -> Path:
        """A path not yet written. Raises FactoryError if it is that of a source."""
        wanted = self._folder / frame.copy_name()
        path = wanted
        number = 2
        while path in self._written:  # files of the same name, from several folders
            path = wanted.with_stem(f"{wanted.stem}-{number}")
            number += 1

        if path.resolve() in self._sources:
            raise FactoryError(
                f"A copy would replace the picture {path}", "Choose another folder for --draw"
            )
        return path
