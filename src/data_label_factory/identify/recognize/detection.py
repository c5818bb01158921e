"""What recognition answers with: one `Detection` per item in view, and
the `Assessment` that it rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data_label_factory.identify.quad import Box, Quad, box_of
from data_label_factory.identify.recognize.features import Floats
from data_label_factory.identify.recognize.nearest import Nearest
from data_label_factory.identify.recognize.scoring import ScoredPose
from data_label_factory.labels import Label


@dataclass(frozen=True, eq=False)
class Detection:
    """One item in a frame. Two detections are equal when all their
    values are.

    `reference` is the file, below the refs folder, of the reference
    that fits best; `label` is what its name says. `quad` (4, 2)
    float32 px runs clockwise from the reference's own top left.
    `score` is the cosine of the straightened crop to that
    reference, `margin` how much higher it is than that of the best
    other item, `inliers` the number of local features that fit (0
    without reference pictures), `top_k` the nearest references with
    their cosines.

    `false_accept_rate` estimates the fraction of unknown items that
    would look as good; `confident` means that it is no higher than
    the strictness asked for. `ambiguous_with` are the other
    references that the frame cannot tell apart from this one; if
    there are any, `label` holds only what they have in common. `read`
    is what its print was found to say where such references differ, ""
    where nothing was read.

    `is_guess` says that nothing was found, and this is only what the
    picture's main thing is nearest to; `top_k` then ranks references
    of different items. It is never confident.

    `row` and `column`, from 1 on, are its place among others that
    stand in rows; None where it stands in none.
    """

    label: Label
    reference: str
    score: float
    margin: float
    confident: bool
    quad: Quad
    inliers: int
    top_k: tuple[tuple[str, float], ...]
    false_accept_rate: float
    ambiguous_with: tuple[str, ...] = ()
    is_guess: bool = False
    read: str = ""
    row: int | None = None
    column: int | None = None

    @property
    def name(self) -> str:
        """The item's name."""
        return self.label.name

    @property
    def box(self) -> Box:
        """Left, top, right, bottom in px."""
        return box_of(self.quad)

    def to_dict(self) -> dict[str, Any]:
        """The detection as JSON has it, with rounded numbers.

        `outline` is the quad, and `variants` are `reference` and
        `ambiguous_with`, under the names of earlier versions.
        """
        corners = [[round(float(x), 1), round(float(y), 1)] for x, y in self.quad]
        return {
            "name": self.label.name,
            "set_code": self.label.set_code,
            "rarity": self.label.rarity,
            "reference": self.reference,
            "ambiguous_with": list(self.ambiguous_with),
            "variants": [self.reference, *self.ambiguous_with],
            "confident": self.confident,
            "guess": self.is_guess,
            "score": round(self.score, 4),
            "margin": round(self.margin, 4),
            "false_accept_rate": round(self.false_accept_rate, 6),
            "quad": corners,
            "outline": corners,
            "box": [round(value, 1) for value in self.box],
            "inliers": self.inliers,
            "top_k": [[name, round(cosine, 4)] for name, cosine in self.top_k],
            "read": self.read,
            "row": self.row,
            "column": self.column,
        }

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, Detection) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def _values(self) -> tuple[object, ...]:
        """Every field, the array as bytes."""
        values = vars(self).copy()
        quad = values.pop("quad")
        return (*values.values(), quad.tobytes())


@dataclass(frozen=True, eq=False)
class Assessment:
    """A reference (its `row` in the index) believed to lie at `quad`,
    before anything is decided.

    `nearest` is what of the index is near the crop; `margin_ratio` is
    the margin divided by the margin that the reference picture itself
    has; `pose` is None when the embedding alone is evidence for it;
    `near_duplicates` are rows that the frame cannot tell from it.
    `likeness` is the evidence of a `LikenessSearch`, if that found it,
    and `ranked` (N,) how it orders the rows; `read` is as in
    Detection.
    """

    row: int
    quad: Quad
    nearest: Nearest
    margin_ratio: float
    pose: ScoredPose | None
    near_duplicates: tuple[int, ...] = ()
    likeness: float | None = None
    ranked: Floats | None = None
    read: str = ""

    @property
    def log_odds(self) -> float:
        """See `confidence.log_odds`; -inf when the embedding alone is evidence."""
        return self.pose.log_odds(self.margin_ratio) if self.pose else -np.inf


def common_label(labels: Sequence[Label]) -> Label:
    """The name of the first label, with the set code and rarity that all of them share."""
    first = labels[0]
    return Label(
        first.name,
        first.set_code if all(label.set_code == first.set_code for label in labels) else "",
        first.rarity if all(label.rarity == first.rarity for label in labels) else "",
    )
