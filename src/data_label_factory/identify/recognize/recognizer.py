"""A frame → its items, named and outlined, and silence about everything else.

Local features vote for references (vote), a homography confirms the pose (geometry), and the straightened crop must
look like the reference where that differs from its kind (appearance). The embedding of the crop gives score and
margin, and adds to the evidence. How much evidence is enough was learnt from strangers to this very index (sureness).
Without reference pictures none of that is possible: regions of the frame are then judged by embedding alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from data_label_factory.identify.camera import Outline, straighten
from data_label_factory.identify.encoders import Encoder
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.projection import ProjectionHead
from data_label_factory.identify.recognize.features import Floats
from data_label_factory.identify.recognize.judgement import (
    Seen,
    in_its_place,
    indistinguishable,
    look,
    one_a_place,
)
from data_label_factory.identify.recognize.proposals import flat_outlines, whole_and_centre
from data_label_factory.identify.recognize.references import References, read_references
from data_label_factory.identify.recognize.search import FrameSearch
from data_label_factory.identify.recognize.sureness import Calibration
from data_label_factory.labels import Label

Detector = Literal["flat", "none"]
DETECTORS: tuple[Detector, ...] = ("flat", "none")
DEFAULT_STRICTNESS = 0.01

_CROP_SIDE_PX = 288
# Cosine by which another item must be nearer to be looked at too: over three standard deviations of what outlines 1 %
# off do to that lead (0.008 at the median view, 0.015 at the worst tenth).
_NOISE = 0.05
_TIE = 0.12  # log-odds; a single cell that agrees or does not moves them by up to 0.1
_SMALLEST_OWN_MARGIN = 0.05
_SHORTLIST = 6  # references that a second look tries
_GUESS_RATE = 0.2  # by embedding alone something is named, with a question mark, unless so many strangers pass


@dataclass(frozen=True)
class Detection:
    """One item seen. `outline` (4, 2) float32 px, clockwise from the reference's own top left; `score` is the cosine
    of the straightened crop to `filename`'s reference, `margin` its lead over the best other item; `inliers` the local
    features that fit (0 without reference pictures); `top_k` the nearest references with their cosines.

    `false_accept_rate` estimates how many of a hundred strangers would look as good, as a share: `confident` means
    that it is no higher than the strictness asked for. `variants` are the reference files that the frame cannot tell
    apart, the named one first; with more than one, `label` says only what they have in common.
    """

    label: Label
    filename: str
    score: float
    margin: float
    confident: bool
    outline: Outline
    inliers: int
    top_k: tuple[tuple[str, float], ...]
    false_accept_rate: float
    variants: tuple[str, ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in px."""
        (left, top), (right, bottom) = self.outline.min(axis=0), self.outline.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


@dataclass(frozen=True)
class Assessment:
    """A reference (its `row` in the index) believed to lie at `outline`, before anything is decided. `cosines` (N,)
    of the crop to every row, `lead` the margin as a share of the reference's own; `seen` is None when the embedding
    alone speaks for it. `twins` are rows that the frame cannot tell from it."""

    row: int
    outline: Outline
    cosines: Floats
    lead: float
    seen: Seen | None
    twins: tuple[int, ...] = ()


class Recognizer:
    """Names the items of an index in frames.

    With `refs` every reference file is read and its features held in memory (see `references`; `unreadable` maps
    those that could not be read to the reason; they are never named). Without, regions of the frame are compared by
    embedding alone. `detector="none"` looks at nothing but the whole frame and its centre, by embedding.

    `strictness` is the share of strangers that may get a sure name. `sim_threshold` and `margin_threshold` (cosines)
    are asked of sure answers on top of that. Raises EncoderError when encoder or head did not make the index.
    """

    def __init__(
        self,
        index: Index,
        encoder: Encoder,
        head: ProjectionHead | None = None,
        *,
        refs: Path | None = None,
        detector: Detector = "flat",
        strictness: float = DEFAULT_STRICTNESS,
        sim_threshold: float | None = None,
        margin_threshold: float | None = None,
        top_k: int = 5,
    ) -> None:
        index.require_maker(encoder.identity, head.sha256 if head else "")
        self.index, self.strictness = index, strictness
        self.calibration = Calibration.from_dict(index.meta.calibration)
        self._encoder, self._head, self._detector, self._top_k = encoder, head, detector, top_k
        self._sim = -1.0 if sim_threshold is None else sim_threshold
        self._margin = -1.0 if margin_threshold is None else margin_threshold
        self._own_margins: dict[int, float] = {}
        self.unreadable: dict[str, str] = {}
        self._references: References | None = None
        if refs is not None and detector != "none":
            self._references, self.unreadable = read_references(index, refs)

    def recognize(self, frame: RGB) -> list[Detection]:
        """(H, W, 3) uint8 RGB → detections, strongest evidence first, no two of the same spot. Any size of frame."""
        return [self._detection(assessment) for assessment in self.assess(frame)]

    def assess(self, frame: RGB, hidden: Collection[int] = ()) -> list[Assessment]:
        """What may lie in a frame, as `recognize` finds it, with the rows `hidden` taken out of the index."""
        if self._references is None:
            return self._by_embedding(frame, hidden)
        references = self._references
        numbers = np.flatnonzero(np.isin(references.rows, list(hidden)))
        search = FrameSearch(frame, references, hidden=numbers)
        found = one_a_place(search.by_votes(), references)
        assessed = self._assess(frame, found, references, hidden)
        if any(self._rate(one) <= self.strictness for one in assessed):
            return assessed
        # Nothing sure, as in a frame without items, or with one of few details: the embedding may know where to look.
        guesses = self._by_embedding(frame, hidden)
        rows = [row for guess in guesses for row in np.argsort(-guess.cosines, kind="stable")[:_SHORTLIST]]
        shortlist = [int(n) for row in dict.fromkeys(rows) for n in np.flatnonzero(references.rows == row)]
        second = one_a_place([*found, *search.by_shortlist(shortlist[: 2 * _SHORTLIST])], references)
        if len(second) > len(found) or any(a is not b for a, b in zip(found, second, strict=False)):
            assessed = self._assess(frame, second, references, hidden)
        return assessed or [guess for guess in guesses[:1] if self._rate(guess) <= _GUESS_RATE]

    def _assess(
        self, frame: RGB, found: Sequence[Seen], references: References, hidden: Collection[int]
    ) -> list[Assessment]:
        """Ask the embedding. Where it finds another item clearly nearer, that one is looked at in the same place, and
        takes over if it looks as much like it."""
        crops = [straighten(frame, seen.outline, _CROP_SIDE_PX) for seen in found]
        assessed = []
        for seen, cosines in zip(found, self._cosines(crops, hidden), strict=True):
            row, nearest = int(references.rows[seen.hypothesis.reference]), int(cosines.argmax())
            if self.index.items[nearest] != self.index.items[row] and cosines[nearest] - cosines[row] > _NOISE:
                for rival in np.flatnonzero(references.rows == nearest):  # none, when its picture could not be read
                    other = look(frame, in_its_place(seen.hypothesis, int(rival), references), references)
                    if other.rank > seen.rank - _TIE:
                        seen, row = other, nearest
            alike = [int(references.rows[number]) for number in indistinguishable(seen, references)]
            twins = tuple(twin for twin in alike if twin not in hidden)
            assessed.append(Assessment(row, seen.outline, cosines, self._lead(row, cosines), seen, twins))
        return assessed

    def _by_embedding(self, frame: RGB, hidden: Collection[int]) -> list[Assessment]:
        """Regions of the frame by embedding alone, the one with the greatest lead first, each item once."""
        outlines = whole_and_centre(frame) + (flat_outlines(frame) if self._detector == "flat" else [])
        crops = [straighten(frame, outline, _CROP_SIDE_PX) for outline in outlines]
        best: dict[int, Assessment] = {}
        for outline, cosines in zip(outlines, self._cosines(crops, hidden), strict=True):
            row = int(cosines.argmax())
            one = Assessment(row, outline, cosines, self._lead(row, cosines), None)
            item = int(self.index.items[row])
            if item not in best or one.lead > best[item].lead:
                best[item] = one
        return sorted(best.values(), key=lambda one: -one.lead)

    def _cosines(self, crops: Sequence[RGB], hidden: Collection[int]) -> Floats:
        if not crops:
            return np.zeros((0, len(self.index)), np.float32)
        embeddings = self._encoder.encode(crops)
        cosines = (self._head(embeddings) if self._head else embeddings) @ self.index.embeddings.T
        cosines[:, list(hidden)] = -1.0
        return np.asarray(cosines, np.float32)

    def _lead(self, row: int, cosines: Floats) -> float:
        """The margin of `row` as a share of the margin that its own reference picture has."""
        if row not in self._own_margins:
            own = self.index.embeddings @ self.index.embeddings[row]
            self._own_margins[row] = self._margin_of(row, own)
        return self._margin_of(row, cosines) / max(self._own_margins[row], _SMALLEST_OWN_MARGIN)

    def _margin_of(self, row: int, cosines: Floats) -> float:
        others = cosines[self.index.items != self.index.items[row]]
        return float(cosines[row]) - (float(others.max()) if len(others) else 0.0)

    def _rate(self, one: Assessment) -> float:
        """The share of strangers that look as good."""
        if one.seen is None:
            return self.calibration.rate_by_lead(one.lead)
        return self.calibration.rate_by_looks(one.seen.sureness(one.lead))

    def _detection(self, one: Assessment) -> Detection:
        index, margin = self.index, self._margin_of(one.row, one.cosines)
        score, rate = float(one.cosines[one.row]), self._rate(one)
        variants = (one.row, *one.twins)
        one_item = all(index.items[twin] == index.items[one.row] for twin in one.twins)
        sure = rate <= self.strictness and score > self._sim and margin > self._margin
        k = min(self._top_k, len(index))
        near = np.argpartition(-one.cosines, k - 1)[:k]
        near = near[np.argsort(-one.cosines[near], kind="stable")]
        return Detection(
            label=_common_label([index.label(row) for row in variants if index.items[row] == index.items[one.row]]),
            filename=str(index.filenames[one.row]),
            score=score,
            margin=margin,
            confident=sure and one_item,
            outline=one.outline,
            inliers=one.seen.hypothesis.inliers if one.seen else 0,
            top_k=tuple((str(index.filenames[row]), float(one.cosines[row])) for row in near),
            false_accept_rate=rate if one_item else 1.0,
            variants=tuple(str(index.filenames[row]) for row in variants),
        )


def _common_label(labels: Sequence[Label]) -> Label:
    """The first label, without what its variants do not share."""
    first = labels[0]
    return Label(
        first.name,
        first.set_code if all(label.set_code == first.set_code for label in labels) else "",
        first.rarity if all(label.rarity == first.rarity for label in labels) else "",
    )
