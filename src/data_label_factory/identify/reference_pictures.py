"""A reference file → the picture that stands for its item: the thing,
without the margin.

Everything that looks at a reference to recognize it reads it here,
so that embedding, local features and quad are of the same thing.
What a person looks at is the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data_label_factory.identify.content import Box, find_thing, why_nothing
from data_label_factory.identify.images import RGB, decode, decode_layers


@dataclass(frozen=True, eq=False)
class Reading:
    """A `picture`, (H, W, 3) uint8 RGB; the `box` it was cut out of its
    file by, or None.

    `nothing` is why it says nothing, "" if it does.
    """

    picture: RGB
    box: Box | None = None
    nothing: str = ""


def read_reference(source: Path | bytes, min_side: int, *, trim: bool) -> Reading:
    """Read a reference for the first time; with `trim`, without its
    margin.

    `min_side` (px) holds for what is left of it, see `decode`. Raises
    ImageError.
    """
    picture, opaque = decode_layers(source, min_side=min_side)
    box = find_thing(picture, opaque) if trim else None
    if box is not None:
        picture = read_part(source, min_side, box)
    return Reading(picture, box, why_nothing(picture))


def read_part(source: Path | bytes, min_side: int, box: Box | None) -> RGB:
    """The part of a reference that `box` leaves, or all of it. Raises
    ImageError.
    """
    if box is None:
        return decode(source, min_side=min_side)

    # Of a JPEG, the margin would take the pixels that the thing needs.
    fraction = min(box.right - box.left, box.bottom - box.top)
    return box.cut(decode(source, min_side=round(min_side / fraction)))
