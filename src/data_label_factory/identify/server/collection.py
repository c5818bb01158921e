"""The collection served, on disk: a picture becomes a reference file and a row of the index, or goes.

Both files are written whole, the reference before the index that names it, so that whatever ends the process leaves an
index that names only what is there.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from data_label_factory.atomic import atomic_write
from data_label_factory.errors import FactoryError, ImageError
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import DECODE_MIN_SIDE
from data_label_factory.identify.quad import Outline, as_points
from data_label_factory.identify.server.engine import Engine
from data_label_factory.identify.server.refs_files import locate
from data_label_factory.labels import Label, format_label

VIEWS_FOLDER = "views"  # further pictures of an item; a subfolder does not change a label
REMOVED_FOLDER = ".removed"  # hidden, so never indexed
_MIN_SIDE_PX, _MAX_SIDE_PX = 48, 1600
_JPEG_QUALITY = 95


class UnknownItemError(FactoryError):
    pass


class ConflictError(FactoryError):
    pass


@dataclass(frozen=True)
class Change:
    """What was added or removed, and the index that came of it."""

    filename: str
    label: Label
    index: Index


def add_item(engine: Engine, picture: RGB, label: Label) -> Change:
    """Make `picture`, (H, W, 3) uint8, the reference of a new item.

    Raises LabelError for a name that no file can carry, ConflictError for one the collection has, ImageError for a
    picture too small, FactoryError when it cannot be written; then nothing is changed.
    """
    stem = format_label(label)
    with engine.changing:
        index = _current(engine)
        if any(index.label(row) == label for row in range(len(index))):
            raise ConflictError(f"There is a {label} already", "Send a further view of it to /api/feedback")
        return _add(engine, index, picture, f"{stem}.jpg", label)


def add_view(engine: Engine, picture: RGB, filename: str) -> Change:
    """Keep `picture` as a further view of the item whose reference is `filename`. Raises as `add_item`, and
    UnknownItemError when the index has no such reference."""
    with engine.changing:
        index = _current(engine)
        label = index.label(_row(index, filename))
        data = _as_jpeg(picture)
        place = f"{VIEWS_FOLDER}/{hashlib.sha256(data).hexdigest()[:12]}/{format_label(label)}.jpg"
        return _add(engine, index, picture, place, label)


def remove(engine: Engine, filename: str) -> Change:
    """Take a reference out of the index, and move its file to the hidden folder `.removed`.

    Raises UnknownItemError, ConflictError for the last one, FactoryError when the disk refuses.
    """
    with engine.changing:
        index = _current(engine)
        label = index.label(_row(index, filename))
        smaller = without_reference(index, filename)
        smaller.save(engine.settings.index)
        engine.adopt(smaller, because=f"{filename} was removed")
        _set_aside(_refs(engine), filename)
        return Change(filename, label, smaller)


def cut_out(picture: RGB, quad: Outline) -> RGB:
    """The quadrilateral `quad` (4, 2) px of (H, W, 3), clockwise from its top left, straightened to its own size."""
    sides = [float(np.linalg.norm(quad[(i + 1) % 4] - quad[i])) for i in range(4)]
    width, height = (max(sides[0], sides[2]), max(sides[1], sides[3]))
    shrink = min(1.0, _MAX_SIDE_PX / max(width, height, 1.0))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    corners = as_points([[0, 0], [size[0], 0], size, [0, size[1]]])
    matrix = cv2.getPerspectiveTransform(as_points(quad), corners)
    return np.asarray(cv2.warpPerspective(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def with_reference(index: Index, filename: str, digest: str, embedding: NDArray[np.float32], label: Label) -> Index:
    """`index` and one more row, sorted by file name as the builder sorts. `embedding` is (D,) float32, unit length."""
    names = np.append(index.filenames, filename)
    order = np.argsort(names, kind="stable")
    return replace(
        index,
        embeddings=np.vstack([index.embeddings, embedding])[order],
        names=np.append(index.names, label.name)[order],
        filenames=names[order],
        set_codes=np.append(index.set_codes, label.set_code)[order],
        rarities=np.append(index.rarities, label.rarity)[order],
        sha256=np.append(index.sha256, digest)[order],
    )


def without_reference(index: Index, filename: str) -> Index:
    """`index` less the row of `filename`. Raises ConflictError for its last row: an index cannot be empty."""
    keep = index.filenames != filename
    if not keep.any():
        raise ConflictError("The last reference cannot be removed", "Add another one first")
    return replace(
        index,
        embeddings=index.embeddings[keep],
        names=index.names[keep],
        filenames=index.filenames[keep],
        set_codes=index.set_codes[keep],
        rarities=index.rarities[keep],
        sha256=index.sha256[keep],
    )


def _add(engine: Engine, index: Index, picture: RGB, filename: str, label: Label) -> Change:
    data = _as_jpeg(picture)
    digest = hashlib.sha256(data).hexdigest()
    if (known := np.flatnonzero(index.sha256 == digest)).size:
        raise ConflictError(f"This very picture is there already, as {index.filenames[known[0]]}")
    path = _refs(engine) / filename
    if path.exists():
        raise ConflictError(f"There is a file {filename} already", "Choose another name, or index it")
    embedding = engine.encoder.encode([decode(data, min_side=DECODE_MIN_SIDE)])
    larger = with_reference(index, filename, digest, (engine.head(embedding) if engine.head else embedding)[0], label)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(data)
        engine.adopt(larger, because=f"{filename} was added")
        larger.save(engine.settings.index)
    except BaseException:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        engine.adopt(index, because=f"{filename} could not be kept")
        raise
    return Change(filename, label, larger)


def _current(engine: Engine) -> Index:
    """The index as it is on disk now: another program may have replaced it, and its rows must not be lost."""
    index = Index.load(engine.settings.index)
    index.require_maker(engine.encoder.identity, engine.head.sha256 if engine.head else "")
    return index


def _row(index: Index, filename: str) -> int:
    found = np.flatnonzero(index.filenames == filename)
    if not found.size:
        raise UnknownItemError(f"There is no reference {filename!r}", "GET /api/items lists them")
    return int(found[0])


def _refs(engine: Engine) -> Path:
    assert engine.settings.refs is not None  # Settings.check
    return engine.settings.refs


def _as_jpeg(picture: RGB) -> bytes:
    if min(picture.shape[:2]) < _MIN_SIDE_PX:
        raise ImageError(f"A reference needs at least {_MIN_SIDE_PX} px a side", "Take the picture from nearer")
    image = Image.fromarray(picture)
    image.thumbnail((_MAX_SIDE_PX, _MAX_SIDE_PX), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return file.getvalue()


def _set_aside(refs: Path, filename: str) -> None:
    """Move a removed picture out of the way, where its owner can have it back."""
    path = locate(refs, filename)
    if path is None:
        return
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    target = refs / REMOVED_FOLDER / f"{stamp}_{path.name}"[-200:]
    try:
        target.parent.mkdir(exist_ok=True)
        path.replace(target)
    except OSError as exc:
        raise FactoryError(f"{filename} is out of the index, but its file cannot be moved: {exc.strerror}") from exc
