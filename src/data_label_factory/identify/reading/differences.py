"""Where the texts of several references of one picture differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_label_factory.identify.quad import Box
from data_label_factory.identify.reading.edits import fold_text
from data_label_factory.identify.reading.texts import PlacedText

_SAME_LINE = 0.5  # of the lower of two lines that they share in height
_SURELY_READ = 0.8  # confidence from which a reference's own text is taken as read


@dataclass(frozen=True)
class Difference:
    """A `region` in fractions of the picture, and what each of N
    references says there, "" where nothing was read.

    `is_readable` means that each was read surely, so that their texts
    may decide, too.
    """

    region: Box
    texts: tuple[str, ...]
    is_readable: bool

    @property
    def folded(self) -> tuple[str, ...]:
        """The texts as `fold_text` compares them."""
        return tuple(fold_text(text) for text in self.texts)


def find_differences(references: Sequence[Sequence[PlacedText]]) -> list[Difference]:
    """The regions whose text is not the same on all of N references of
    one picture, from those that tell most of them apart.
    """
    differences = []
    for lines in _group_lines(references):
        texts, confidence = [], 1.0
        for number in range(len(references)):
            own = sorted(
                (line for owner, line in lines if owner == number), key=lambda line: line.box[0]
            )
            texts.append(" ".join(line.text for line in own))
            confidence = min([confidence if own else 0.0, *(line.confidence for line in own)])
        region = _around([line.box for _, line in lines])
        difference = Difference(region, tuple(texts), confidence >= _SURELY_READ)
        if len(set(difference.folded)) > 1:
            differences.append(difference)
    return sorted(differences, key=lambda one: -len(set(one.folded)))


def _group_lines(
    references: Sequence[Sequence[PlacedText]],
) -> list[list[tuple[int, PlacedText]]]:
    """Lines that lie in one place, each with the number of its reference."""
    groups: list[list[tuple[int, PlacedText]]] = []
    for number, lines in enumerate(references):
        for line in lines:
            touching = [g for g in groups if any(_is_one_place(line.box, o.box) for _, o in g)]
            merged = [(number, line), *(member for group in touching for member in group)]
            groups = [group for group in groups if group not in touching] + [merged]
    return groups


def _is_one_place(a: Box, b: Box) -> bool:
    """Whether two boxes overlap, and stand in one line."""
    shared = min(a[3], b[3]) - max(a[1], b[1])
    lower = min(a[3] - a[1], b[3] - b[1])
    return shared > _SAME_LINE * lower and min(a[2], b[2]) > max(a[0], b[0])


def _around(boxes: Sequence[Box]) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
