"""Detections as one COCO file, with a `score` per annotation.

The format is https://cocodataset.org/#format-data. Images and
annotations are collected in temporary files, so that memory use
does not grow with their number.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import cv2
import numpy as np

from data_label_factory import __version__
from data_label_factory.atomic import atomic_write
from data_label_factory.errors import FactoryError
from data_label_factory.identify.batch import RecognizedFrame
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Quad, as_points, frame_quad
from data_label_factory.identify.recognize import Detection


class CocoWriter:
    """Collects frames and their detections; leaving the `with` block
    writes the file.

    The file is also written after an error or Ctrl-C. Categories
    are the items of the index, numbered from 1 in the order of
    their names, so they are the same in every file made with that
    index. `bbox` and `segmentation` are clipped to the frame.
    Raises FactoryError if the folder does not exist or the disk is
    full.
    """

    def __init__(self, path: str | Path, index: Index) -> None:
        self._path = Path(path)
        self._index = index
        self._image_count = 0
        self._annotation_count = 0
        self._files = ExitStack()

    def __enter__(self) -> CocoWriter:
        try:
            if self._path.is_dir():
                raise IsADirectoryError(0, "it is a folder")
            self._image_file = self._open_temporary_file()
            self._annotation_file = self._open_temporary_file()
        except OSError as exc:
            self._files.close()
            raise FactoryError(
                f"Cannot write {self._path}: {exc.strerror}", "Choose another place"
            ) from exc
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._files, atomic_write(self._path) as out:
            out.write(b'{"info": ' + _encode(_describe_file()) + b', "licenses": [],\n"images": [')
            _copy(self._image_file, out)
            out.write(b'],\n"annotations": [')
            _copy(self._annotation_file, out)
            out.write(b'],\n"categories": ' + _encode(self._list_categories()) + b"}\n")

    def add(self, frame: RecognizedFrame, detections: Sequence[Detection]) -> None:
        """Add a frame and its detections.

        A frame of a video also gets the keys `video` and
        `frame_number`.
        """
        self._image_count += 1
        height, width = frame.image.shape[:2]
        image = {
            "id": self._image_count,
            "file_name": frame.name,
            "width": width,
            "height": height,
        }
        if frame.number is not None:
            image |= {"video": str(frame.source.path), "frame_number": frame.number}
        self._append(self._image_file, image, is_first=self._image_count == 1)

        for detection in detections:
            self._annotation_count += 1
            annotation = self._annotate(detection, (width, height))
            is_first = self._annotation_count == 1
            self._append(self._annotation_file, annotation, is_first=is_first)

    def _open_temporary_file(self) -> IO[bytes]:
        return self._files.enter_context(tempfile.TemporaryFile(dir=self._path.parent))

    def _append(self, file: IO[bytes], entry: dict[str, Any], *, is_first: bool) -> None:
        separator = b"\n" if is_first else b",\n"
        try:
            file.write(separator + _encode(entry))
        except OSError as exc:
            raise FactoryError(
                f"Could not write {self._path}: {exc.strerror}", "Free some space"
            ) from exc

    def _annotate(self, detection: Detection, size: tuple[int, int]) -> dict[str, Any]:
        polygon = clip(detection.quad, size)
        left, top = polygon.min(axis=0)
        right, bottom = polygon.max(axis=0)
        item = int(self._index.items[self._index.row_of[detection.reference]])

        return {
            "id": self._annotation_count,
            "image_id": self._image_count,
            "category_id": item + 1,
            "bbox": _rounded([left, top, right - left, bottom - top]),
            "segmentation": [_rounded(polygon.ravel())],
            "area": round(float(cv2.contourArea(polygon)), 2),
            "iscrowd": 0,
            "score": round(detection.score, 4),
            "confident": detection.confident,
            "reference": detection.reference,
        }

    def _list_categories(self) -> list[dict[str, Any]]:
        first_rows = np.unique(self._index.items, return_index=True)[1]
        names = [str(self._index.names[row]) for row in first_rows]
        return [
            {"id": number, "name": name, "supercategory": "item"}
            for number, name in enumerate(names, 1)
        ]


def clip(quad: Quad, size: tuple[int, int]) -> Quad:
    """The part of a convex quad (4, 2) px inside a frame of `size`
    (width, height): (n, 2) px.
    """
    width, height = size
    area, polygon = cv2.intersectConvexConvex(quad, frame_quad(width, height))

    # Nothing is left of a quad seen edge-on, or folded. Take its box instead.
    if area <= 0 or polygon is None or len(polygon) < 3:
        return as_points(np.clip(quad, 0, (width, height)))
    return as_points(polygon.reshape(-1, 2))


def _describe_file() -> dict[str, str]:
    return {
        "description": f"Recognized by data_label_factory {__version__}",
        "date_created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _rounded(values: Sequence[Any] | Quad) -> list[float]:
    return [round(float(value), 2) for value in values]


def _encode(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")


def _copy(file: IO[bytes], out: Any) -> None:
    file.seek(0)
    shutil.copyfileobj(file, out)
