"""A frame → its items, named and outlined, and silence about everything else.

Local features vote for references (vote), a homography confirms the pose (geometry), and the straightened crop must
look like the reference where that differs from its kind (appearance). The embedding of the crop gives score and
margin, and adds to the evidence. How much evidence is enough was learnt from strangers to this very index (sureness).
Without reference pictures none of that is possible: regions of the frame are then judged by embedding alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from data_label_factory.errors import FactoryError
from data_label_factory.identify.encoders import Encoder
from data_label_factory.identify.encoders.head import ProjectionHead
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Outline, as_points, straighten
from data_label_factory.identify.recognize.confidence import Calibration
from data_label_factory.identify.recognize.feature_cache import load_references, save_references
from data_label_factory.identify.recognize.features import Floats
from data_label_factory.identify.recognize.proposals import Propose, flat_outlines, whole_and_centre
from data_label_factory.identify.recognize.references import References, read_references
from data_label_factory.identify.recognize.scoring import (
    Seen,
    in_its_place,
    indistinguishable,
    look,
    one_a_place,
)
from data_label_factory.identify.recognize.search import FrameSearch
from data_label_factory.identify.recognize.yolo import YoloWorld
from data_label_factory.labels import Label

Detector = Literal["flat", "none", "yolo-world"]
DETECTORS: tuple[Detector, ...] = ("flat", "none", "yolo-world")
DEFAULT_STRICTNESS = 0.01

_CROP_SIDE_PX = 288
# Cosine by which another item must be nearer to be looked at too: over three standard deviations of what outlines 1 %
# off do to that lead (0.008 at the median view, 0.015 at the worst tenth).
_NOISE = 0.05
_TIE = 0.12  # log-odds; a single cell that agrees or does not moves them by up to 0.1
_SMALLEST_OWN_MARGIN = 0.05
_SHORTLIST = 3  # references of each region that a second look tries
_UNLIKE = 0.4  # cosine that unrelated pictures reach; the true one seldom stays below it
_WORTH_A_LOOK, _WORTH_A_GUESS = 0.5, 0.2  # while no larger a share of strangers has as good a lead


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
    variants: tuple[str, ...] = ()

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

    @property
    def sureness(self) -> float:
        """Log-odds, see `sureness`; none (-inf) when the embedding alone speaks for it."""
        return self.seen.sureness(self.lead) if self.seen else -np.inf


class Recognizer:
    """Names the items of an index in frames.

    With `refs` every reference file is read and its features held in memory (see `references`; `unreadable` maps
    those that could not be read to the reason; they are never named). Without, regions of the frame are compared by
    embedding alone. `detector` says where the embedding looks: "flat" at outlines of flat things too, "yolo-world" at
    what that model finds too, "none" at nothing but the whole frame and its centre, without reference pictures.

    `cache` is a file to keep the references' features in, so that the next start is quick (see `reference_file`).

    `strictness` is the share of strangers that may get a sure name. `sim_threshold` and `margin_threshold` (cosines)
    are asked of sure answers on top of that. Raises EncoderError when encoder or head did not make the index, and
    MissingExtraError when the detector is not installed.
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
        cache: Path | None = None,
        quiet: bool = True,
    ) -> None:
        index.require_maker(encoder.identity, head.sha256 if head else "")
        self.index, self.strictness = index, strictness
        self.calibration = Calibration.from_dict(index.meta.calibration)
        self._encoder, self._head, self._top_k = encoder, head, top_k
        self._propose = _PROPOSALS[detector]()
        self._sim = -1.0 if sim_threshold is None else sim_threshold
        self._margin = -1.0 if margin_threshold is None else margin_threshold
        self._own_margins: dict[int, float] = {}
        self.unreadable: dict[str, str] = {}
        self._references: References | None = None
        self._uses_references = refs is not None and detector != "none"
        if refs is not None and detector != "none":
            known = load_references(cache) if cache else None
            self._references, self.unreadable = read_references(index, refs, known, quiet=quiet)
            if cache and self._references and not _same_content(self._references, known):
                with suppress(FactoryError):  # a full disk costs time at the next start, nothing else
                    save_references(self._references, cache)

    def updated(self, index: Index, refs: Path) -> Recognizer:
        """A recogniser for a changed `index` by the same encoder and head; what is known of unchanged files, by their
        content, is not worked out again. This one stays as it is, so a server can go on answering with it."""
        index.require_maker(self._encoder.identity, self._head.sha256 if self._head else "")
        new = copy(self)
        new.index, new._own_margins = index, {}
        new.calibration = Calibration.from_dict(index.meta.calibration)
        if self._uses_references:
            new._references, new.unreadable = read_references(index, refs, self._references)
        return new

    def recognize(self, frame: RGB) -> list[Detection]:
        """(H, W, 3) uint8 RGB → detections, strongest evidence first, no two of the same spot. Any size of frame."""
        return [self._detection(assessment) for assessment in self.assess(frame)]

    def assess(self, frame: RGB, hidden: Collection[int] = ()) -> list[Assessment]:
        """What may lie in a frame, as `recognize` finds it, with the rows `hidden` taken out of the index."""
        if self._references is None:
            return self._by_embedding(frame, hidden, turns=4)[:1]
        references = self._references
        numbers = np.flatnonzero(np.isin(references.rows, list(hidden)))
        search = FrameSearch(frame, references, hidden=numbers)
        found = one_a_place(search.by_votes(), references)
        assessed = self._assess(frame, found, references, hidden)
        if any(self._rate(one) <= self.strictness for one in assessed):
            return assessed
        # Nothing sure, as in a frame without items, or with one of few details: the embedding may know where to look.
        guesses = self._by_embedding(frame, hidden, turns=1)
        promising = [guess for guess in guesses if self._rate(guess) <= _WORTH_A_LOOK]
        rows = [int(row) for guess in promising for row in np.argsort(-guess.cosines, kind="stable")[:_SHORTLIST]]
        shortlist = [int(number) for row in dict.fromkeys(rows) for number in np.flatnonzero(references.rows == row)]
        if more := search.by_shortlist(shortlist):
            assessed = self._assess(frame, one_a_place([*found, *more], references), references, hidden)
        return assessed or [guess for guess in promising[:1] if self._rate(guess) <= _WORTH_A_GUESS]

    def alike(self, row: int) -> set[int]:
        """The rows of the item of `row`, and of those that look the same as one of them."""
        rows = {int(variant) for variant in np.flatnonzero(self.index.items == self.index.items[row])}
        if self._references is not None:
            numbers = np.flatnonzero(np.isin(self._references.rows, list(rows)))
            rows |= {int(self._references.rows[twin]) for number in numbers for twin in self._references.twins[number]}
        return rows

    def leads(self, frame: RGB, outlines: Sequence[Outline], hidden: Collection[int] = ()) -> list[float]:
        """The lead of the item that the embedding finds nearest in each of the `outlines` (4, 2) px of a frame."""
        crops = [straighten(frame, outline, _CROP_SIDE_PX) for outline in outlines]
        return [self._lead(int(cosines.argmax()), cosines) for cosines in self._cosines(crops, hidden)]

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
            # Of a single item the embedding cannot say that it is nearer than others: that adds nothing to its looks.
            lead = self._lead(row, cosines) if self.index.item_count > 1 else 0.0
            assessed.append(Assessment(row, seen.outline, cosines, lead, seen, twins))
        return assessed

    def _by_embedding(self, frame: RGB, hidden: Collection[int], turns: int) -> list[Assessment]:
        """Regions of the frame by embedding alone, each turned so many ways; the one with the greatest lead first,
        each item once."""
        outlines = [
            as_points(np.roll(outline, -turn, axis=0)) for outline in self._propose(frame) for turn in range(turns)
        ]
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
        cosines[:, list(hidden)] = -np.inf
        return np.asarray(cosines, np.float32)

    def _lead(self, row: int, cosines: Floats) -> float:
        """The margin of `row` as a share of the margin that its own reference picture has."""
        if row not in self._own_margins:
            own = self.index.embeddings @ self.index.embeddings[row]
            self._own_margins[row] = self._margin_of(row, own)
        return self._margin_of(row, cosines) / max(self._own_margins[row], _SMALLEST_OWN_MARGIN)

    def _margin_of(self, row: int, cosines: Floats) -> float:
        others = cosines[self.index.items != self.index.items[row]]
        best = float(others.max()) if len(others) else -np.inf
        # With no other item to compare with: cosine 0, the expectation of unlike pictures.
        return float(cosines[row]) - (best if np.isfinite(best) else 0.0)

    def _rate(self, one: Assessment) -> float:
        """The share of strangers that look as good."""
        if one.seen is not None:
            return self.calibration.rate_by_looks(one.sureness)
        if one.cosines[one.row] <= _UNLIKE:  # a lead among pictures that are all unlike says nothing
            return 1.0
        return self.calibration.rate_by_lead(one.lead)

    def _detection(self, one: Assessment) -> Detection:
        index, margin = self.index, self._margin_of(one.row, one.cosines)
        score, rate = float(one.cosines[one.row]), self._rate(one)
        variants = (one.row, *one.twins)
        one_item = all(index.items[twin] == index.items[one.row] for twin in one.twins)
        if one.seen is None and self._references is not None:
            rate = max(rate, _WORTH_A_GUESS)  # a guess, since local features should have found it and did not
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


_PROPOSALS: dict[Detector, Callable[[], Propose]] = {
    "flat": lambda: lambda frame: whole_and_centre(frame) + flat_outlines(frame),
    "none": lambda: whole_and_centre,
    "yolo-world": YoloWorld,
}


def _same_content(references: References, known: References | None) -> bool:
    return known is not None and np.array_equal(references.sha256, known.sha256)


def _common_label(labels: Sequence[Label]) -> Label:
    """The first label, without what its variants do not share."""
    first = labels[0]
    return Label(
        first.name,
        first.set_code if all(label.set_code == first.set_code for label in labels) else "",
        first.rarity if all(label.rarity == first.rarity for label in labels) else "",
    )
