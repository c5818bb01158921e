"""What drawn scenes show: pictures to be indexed, and unknown ones of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.recognize.appearance import compare, make_thumbnail, resize_like
from data_label_factory.walk import walk_folder

_UNKNOWN_EVERY = 5
_TWIN_CORRELATION = 0.5
_SPINE_ASPECT = 10

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Stock:
    """Pictures by file name: those to be indexed, and the unknown ones."""

    known: dict[str, RGB]
    unknown: dict[str, RGB]

    @property
    def known_files(self) -> dict[str, RGB]:
        """The known ones by the names that `write_refs` gives them."""
        return {as_png(name): picture for name, picture in self.known.items()}


def read_stock(refs: Path, kind: str) -> Stock:
    """Every picture below `refs`, as a spine if that is the kind."""
    pictures = {name: decode(refs / name) for name in sorted(walk_folder(refs).pictures)}
    if kind == "spines":
        pictures = {name: _cut_spine(picture) for name, picture in pictures.items()}
    names = list(pictures)
    unknown = set(names[_UNKNOWN_EVERY - 1 :: _UNKNOWN_EVERY])
    known = {name: pictures[name] for name in names if name not in unknown}
    thumbs = [make_thumbnail(picture) for picture in known.values()]
    strangers = [name for name in unknown if not _has_twin(pictures[name], thumbs)]
    return Stock(known, {name: pictures[name] for name in sorted(strangers)})


def _has_twin(picture: RGB, thumbs: Sequence[RGB]) -> bool:
    """Whether a known picture shows nearly the same, so that neither is unknown."""
    own = make_thumbnail(picture)
    small = _reduce(own)
    return any(
        compare(resize_like(thumb, own), own).are_near_duplicates
        for thumb in thumbs
        if float((small * _reduce(thumb)).mean()) > _TWIN_CORRELATION
    )


def _reduce(thumb: RGB) -> Floats:
    """16 x 16 gray levels, with the mean 0 and the variance 1: a glance before a look."""
    gray = cv2.resize(
        cv2.cvtColor(thumb, cv2.COLOR_RGB2GRAY), (16, 16), interpolation=cv2.INTER_AREA
    )
    levels = np.asarray(gray, np.float32)
    return np.asarray((levels - levels.mean()) / max(float(levels.std()), 1.0), np.float32)


def write_refs(stock: Stock, folder: Path) -> None:
    """The known pictures, as files to index."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in stock.known_files.items():
        Image.fromarray(picture).save(folder / name)


def as_png(name: str) -> str:
    return Path(name).with_suffix(".png").name


def _cut_spine(picture: RGB) -> RGB:
    """The strip of a picture, a tenth as wide as high, that shows the most."""
    height, width = picture.shape[:2]
    wide = max(8, height // _SPINE_ASPECT)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    detail = np.abs(np.asarray(cv2.Laplacian(gray, cv2.CV_32F))).sum(axis=0)
    total = np.cumsum([0.0, *detail])
    start = int((total[wide:] - total[:-wide]).argmax()) if width > wide else 0
    return np.ascontiguousarray(picture[:, start : start + wide])
