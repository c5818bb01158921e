"""Lines of text, and what reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad


class Line(NamedTuple):
    """What one line says, and the reader's mean probability of its
    characters.
    """

    text: str
    confidence: float


@dataclass(frozen=True, eq=False)
class TextLine:
    """A line in a picture, its `box` (4, 2) float32 px clockwise from
    where the text begins.
    """

    text: str
    box: Quad
    confidence: float


class TextReader(Protocol):
    """What reads text. Safe to call from several threads."""

    def read(self, crop: RGB) -> list[TextLine]:
        """Every line in (H, W, 3) uint8 RGB, from top to bottom."""
        ...

    def read_line(self, crop: RGB) -> Line:
        """What a crop says that holds a single line, without looking
        for it.
        """
        ...
