"""What an index says of itself and of one reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.content import Box
from data_label_factory.identify.encoders import EmbedderIdentity, EncoderIdentity
from data_label_factory.labels import Label, LabelScheme

FORMAT_VERSION = 1


class Row(NamedTuple):
    """One reference: its path below the refs folder, its label, the
    hash of its file, its embedding (D,) float32; the part of the
    picture that it is of (None: all of it), why that says nothing
    ("" if it does), and its semantic embedding (D,) int8, if any.
    """

    reference: str
    label: Label
    sha256: str
    embedding: NDArray[np.float32]
    box: Box | None = None
    nothing: str = ""
    semantic: NDArray[np.int8] | None = None


@dataclass(frozen=True)
class IndexMeta:
    """What made an index.

    `head_sha256` is "" without a projection head; `created` is ISO
    8601, UTC. `labels` is what file names say. `trim` says whether
    margins were left out; `boxes` are the parts [left, top, right,
    bottom] of those pictures that have one, and `nothing` says why
    a picture shows nothing, both by the SHA-256 of the file.
    """

    encoder: EncoderIdentity
    head_sha256: str = ""
    calibration: dict[str, Any] = field(default_factory=dict)
    created: str = ""
    format: int = FORMAT_VERSION
    trim: bool = False  # as indexes of versions that could not
    labels: LabelScheme = "cards"
    boxes: dict[str, list[float]] = field(default_factory=dict)
    nothing: dict[str, str] = field(default_factory=dict)
    semantic: EncoderIdentity | None = None  # what made the second embedding

    @property
    def maker(self) -> EmbedderIdentity:
        """The encoder and head that made the embeddings."""
        return EmbedderIdentity(self.encoder, self.head_sha256)

    def noting(self, rows: Sequence[Row]) -> IndexMeta:
        """The same, with the boxes of further rows, and which of
        them say nothing.
        """
        boxes = {row.sha256: list(row.box) for row in rows if row.box}
        nothing = {row.sha256: row.nothing for row in rows if row.nothing}
        return replace(self, boxes=self.boxes | boxes, nothing=self.nothing | nothing)

    def __str__(self) -> str:
        return str(self.maker)


def name_content(sha256: str, box: Sequence[float] | None) -> str:
    """What was indexed of a file: equal for equal parts of equal files."""
    return f"{sha256} {list(box)}" if box else sha256
