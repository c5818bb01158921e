"""Reference pictures as files: encoded for the folder, named and
located in it, set aside.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from PIL import Image

from data_label_factory.errors import ConflictError, FactoryError, ImageError
from data_label_factory.identify.images import RGB
from data_label_factory.labels import MAX_VIEWS

REMOVED_FOLDER = ".removed"  # hidden, so never indexed

# A smaller reference has too few details to be recognized; a
# larger one costs time and adds none.
MIN_SIDE_PX, MAX_SIDE_PX = 48, 1600
_JPEG_QUALITY = 95


def encode_reference(picture: RGB) -> bytes:
    if min(picture.shape[:2]) < MIN_SIDE_PX:
        raise ImageError(
            f"A reference needs at least {MIN_SIDE_PX} px a side", "Take the picture from nearer"
        )

    image = Image.fromarray(picture)
    image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return file.getvalue()


def name_view(refs: Path, reference: str, stem: str) -> str:
    """A file beside `reference` for a further view of it, with
    the lowest number that is free: `teddy__2.jpg`.

    `stem` is its label's. Raises ConflictError when none is free.
    """
    folder = PurePosixPath(reference).parent
    taken = {path.stem.casefold() for path in (refs / folder).glob("*")}
    for number in range(2, MAX_VIEWS + 1):
        name = f"{stem}__{number}"
        if name.casefold() not in taken:
            return str(folder / f"{name}.jpg")
    raise ConflictError(f"There are {MAX_VIEWS} views of {reference} already", "Remove some")


def locate(refs: Path, reference: str) -> Path | None:
    """The file of a reference; None when it is gone, or leads out
    of the folder `refs`.
    """
    try:
        real = (refs / reference).resolve()
        inside = real.is_relative_to(refs.resolve())
        return real if inside and real.is_file() else None
    except (OSError, ValueError):  # a name too long, a loop of links, a zero byte
        return None


def set_aside(refs: Path, reference: str) -> None:
    """Move a removed picture out of the way, where its owner can
    have it back.
    """
    path = locate(refs, reference)
    if path is None:
        return

    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    target = refs / REMOVED_FOLDER / f"{stamp}_{path.name}"[-200:]
    try:
        target.parent.mkdir(exist_ok=True)
        path.replace(target)
    except OSError as exc:
        raise FactoryError(
            f"{reference} is out of the index, but its file cannot be moved: {exc.strerror}"
        ) from exc
