"""Copies of recognised frames with the outlines and names drawn on them."""

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
    """Writes copies below `folder`, in the sources' own subfolders, and never over a source or each other."""

    def __init__(self, folder: Path, sources: Sequence[Source]) -> None:
        self._folder = folder
        self._kept = {source.path.resolve() for source in sources}
        self._written: set[Path] = set()

    def write(self, frame: RecognizedFrame, detections: Sequence[Detection]) -> Path:
        """Write one copy; its path. Raises FactoryError when it would replace a source or the disk is full."""
        path = self._folder / frame.copy_name()
        number = 2
        while path in self._written:  # files of one name from several folders
            path = (self._folder / frame.copy_name()).with_stem(
                f"{Path(frame.copy_name()).stem}-{number}"
            )
            number += 1
        if path.resolve() in self._kept:
            raise FactoryError(
                f"A copy would replace the picture {path}", "Choose another folder for --draw"
            )
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
