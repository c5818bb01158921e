"""Detections as one COCO file: https://cocodataset.org/#format-data, with a `score` an annotation.

Written piece by piece: images and annotations wait in temporary files, so that memory does not grow with their number.
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
from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.identify.recognize import Detection


class CocoWriter:
    """Collects frames and their detections; leaving the `with` block writes the file, also after an error or Ctrl-C.

    Categories are the items of the index, numbered from 1 in the order of their names, so that they are the same in
    every file made with it. `bbox` and `segmentation` are cut to the frame. Raises FactoryError when the folder is
    missing or the disk full.
    """

    def __init__(self, path: Path, index: Index) -> None:
        self._path, self._index = path, index
        self._rows = {str(reference): row for row, reference in enumerate(index.references)}
        self._images = self._annotations = 0
        self._files = ExitStack()

    def __enter__(self) -> CocoWriter:
        try:
            if self._path.is_dir():
                raise IsADirectoryError(0, "it is a folder")
            self._image_file = self._files.enter_context(
                tempfile.TemporaryFile(dir=self._path.parent)
            )
            self._annotation_file = self._files.enter_context(
                tempfile.TemporaryFile(dir=self._path.parent)
            )
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
            out.write(b'{"info": ' + _packed(self._info()) + b', "licenses": [],\n"images": [')
            _copy(self._image_file, out)
            out.write(b'],\n"annotations": [')
            _copy(self._annotation_file, out)
            out.write(b'],\n"categories": ' + _packed(self._categories()) + b"}\n")

    def add(self, frame: RecognizedFrame, detections: Sequence[Detection]) -> None:
        """Add a frame and what was recognised in it. A video's has the keys `video` and `frame_number` too."""
        self._images += 1
        height, width = frame.image.shape[:2]
        image = {"id": self._images, "file_name": frame.name, "width": width, "height": height}
        if frame.number is not None:
            image |= {"video": str(frame.source.path), "frame_number": frame.number}
        self._put(self._image_file, image, self._images == 1)
        for detection in detections:
            self._annotations += 1
            self._put(
                self._annotation_file,
                self._annotation(detection, (width, height)),
                self._annotations == 1,
            )

    def _put(self, file: IO[bytes], entry: dict[str, Any], first: bool) -> None:
        try:
            file.write((b"\n" if first else b",\n") + _packed(entry))
        except OSError as exc:
            raise FactoryError(
                f"Could not write {self._path}: {exc.strerror}", "Free some space"
            ) from exc

    def _annotation(self, detection: Detection, size: tuple[int, int]) -> dict[str, Any]:
        polygon = clip(detection.quad, size)
        (left, top), (right, bottom) = polygon.min(axis=0), polygon.max(axis=0)
        return {
            "id": self._annotations,
            "image_id": self._images,
            "category_id": int(self._index.items[self._rows[detection.reference]]) + 1,
            "bbox": _rounded([left, top, right - left, bottom - top]),
            "segmentation": [_rounded(polygon.ravel())],
            "area": round(float(cv2.contourArea(polygon)), 2),
            "iscrowd": 0,
            "score": round(detection.score, 4),
            "confident": detection.confident,
            "reference": detection.reference,
        }

    def _categories(self) -> list[dict[str, Any]]:
        firsts = np.unique(self._index.items, return_index=True)[1]
        names = [str(self._index.names[row]) for row in firsts]
        return [
            {"id": number, "name": name, "supercategory": "item"}
            for number, name in enumerate(names, 1)
        ]

    def _info(self) -> dict[str, str]:
        created = datetime.now(UTC).isoformat(timespec="seconds")
        return {
            "description": f"Recognised by data_label_factory {__version__}",
            "date_created": created,
        }


def clip(quad: Quad, size: tuple[int, int]) -> Quad:
    """The part of a convex outline (4, 2) px that lies in a frame of `size` (width, height): (n, 2) px."""
    width, height = size
    frame = as_points([[0, 0], [width, 0], [width, height], [0, height]])
    area, polygon = cv2.intersectConvexConvex(quad, frame)
    if (
        area <= 0 or polygon is None or len(polygon) < 3
    ):  # seen edge on, or folded: what is left is its box
        return as_points(np.clip(quad, 0, (width, height)))
    return as_points(polygon.reshape(-1, 2))


def _rounded(values: Sequence[Any] | Quad) -> list[float]:
    return [round(float(value), 2) for value in values]


def _packed(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")


def _copy(file: IO[bytes], out: Any) -> None:
    file.seek(0)
    shutil.copyfileobj(file, out)
