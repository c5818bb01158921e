"""A frame → its items, with names and quads, and silence about everything else.

Local features vote for references (`hough`), a homography confirms the pose
(`geometry`), and the straightened crop must look like the reference wherever that
differs from its kind (`appearance`). The embedding of the crop gives score and
margin, and is further evidence. How much evidence is enough was learned from items
unknown to this very index (`confidence`). Without reference pictures, regions of
the frame are compared by embedding alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import copy
from pathlib import Path

import numpy as np

from data_label_factory.identify.choices import DEFAULT_STRICTNESS, Detector, Effort
from data_label_factory.identify.encoders import (
    SSCD_CONSTANTS,
    Embedder,
    EncoderConstants,
)
from data_label_factory.identify.images import RGB, Picture, as_rgb
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize.confidence import Calibration
from data_label_factory.identify.recognize.describing import Demands, describe, describe_guess
from data_label_factory.identify.recognize.detection import Assessment, Detection
from data_label_factory.identify.recognize.detectors import open_detector
from data_label_factory.identify.recognize.likeness import open_likeness, put_first
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.identify.recognize.pose_evidence import assess_poses
from data_label_factory.identify.recognize.printings import PrintReader, open_printings
from data_label_factory.identify.recognize.proposals import whole_and_center
from data_label_factory.identify.recognize.rates import WORTH_A_GUESS, WORTH_A_LOOK, Rates
from data_label_factory.identify.recognize.reading_order import put_in_order
from data_label_factory.identify.recognize.reference_reader import is_outgrown, read_references
from data_label_factory.identify.recognize.references import ReferenceFeatures
from data_label_factory.identify.recognize.regions import assess_regions, shortlist, turn
from data_label_factory.identify.recognize.scale_search import MOST_CHECKED
from data_label_factory.identify.recognize.scoring import (
    ScoredPose,
    keep_best_per_place,
)
from data_label_factory.identify.recognize.search import FrameSearch

_FEW_POSES = 12  # of more, only what may be sure is embedded
_CHECKED_QUICKLY = 12  # clusters of votes, where the next frame comes soon
_NOTHING_NEAR = 0.99  # of unknown things; beyond that not even a guess


class Recognizer:
    """Names the items of an index in frames. Safe to call from several threads.

    With `refs`, every reference file is read once; `unreadable` maps those that
    could not be read, and are never named, to the reason. `cache` is a folder to
    keep their local features in, so that the next start is quick (see
    `feature_store`); without one they are held in memory. Without `refs`, regions
    of the frame are compared by embedding alone.

    `detector` says where the embedding looks: "flat" also at quads of flat things,
    "yolo-world" also at what that model finds, "none" only at the whole frame and
    its center, without reference pictures.

    `strictness` is the fraction of unknown items that may be named confidently.
    `sim_threshold` and `margin_threshold` (cosines) are asked of confident answers
    on top of that. A `reader` reads print, where references differ in nothing else.

    Raises EncoderError when the embedder did not make the index, and
    MissingExtraError when the detector is not installed.
    """

    _read_references = staticmethod(read_references)

    def __init__(
        self,
        index: Index,
        embedder: Embedder,
        *,
        refs: str | Path | None = None,
        cache: str | Path | None = None,
        detector: Detector = "flat",
        strictness: float = DEFAULT_STRICTNESS,
        sim_threshold: float | None = None,
        margin_threshold: float | None = None,
        top_k: int = 5,
        reader: PrintReader | None = None,
        quiet: bool = True,
    ) -> None:
        index.require_maker(embedder.identity)
        self.index = index
        self.strictness = strictness
        self.calibration = Calibration.from_dict(index.meta.calibration)
        self.unreadable: dict[str, str] = {}
        self._neighbors = NeighborSearch(index, embedder)
        self._top_k = top_k
        self._propose = open_detector(detector)
        self._sim_threshold = -1.0 if sim_threshold is None else sim_threshold
        self._margin_threshold = -1.0 if margin_threshold is None else margin_threshold

        self._references: ReferenceFeatures | None = None
        self._uses_references = refs is not None and detector != "none"
        self._reader = reader
        if refs is not None and self._uses_references:
            folder = Path(cache) if cache else None
            read = self._read_references(index, Path(refs), folder=folder, quiet=quiet)
            self._references, self.unreadable = read
        self._open_stages(refs, quiet)

    def updated(self, index: Index, refs: str | Path, *, anew: bool = False) -> Recognizer:
        """A recognizer for a changed `index` by the same embedder.

        What is known of unchanged files, by their content, is not worked out again,
        unless `anew`. This recognizer stays as it is: a server can go on with it.
        """
        index.require_maker(self.embedder.identity)
        new = copy(self)
        new.index = index
        new.calibration = Calibration.from_dict(index.meta.calibration)
        new._neighbors = NeighborSearch(index, self.embedder)
        if self._uses_references:
            known = None if anew else self._references
            there = self._references.columns.folder if self._references else None
            read = self._read_references(index, Path(refs), known, folder=there)
            new._references, new.unreadable = read
        new._open_stages(refs)
        return new

    @property
    def is_outgrown(self) -> bool:
        """Whether to read all anew: they are too many for the words they are told by."""
        return self._references is not None and is_outgrown(self._references)

    def _open_stages(self, refs: str | Path | None, quiet: bool = True) -> None:
        known = self._references
        self._likeness = open_likeness(self.index, self._neighbors, known)
        self._printings = open_printings(self._reader, self.index, refs, known, quiet=quiet)

    @property
    def embedder(self) -> Embedder:
        """What embeds the crops; it made the index."""
        return self._neighbors.embedder

    @property
    def constants(self) -> EncoderConstants:
        """As measured for the encoder, or learned with the index; else SSCD's."""
        return self.embedder.constants or self.calibration.constants or SSCD_CONSTANTS

    def recognize(
        self, picture: Picture, *, guess: bool = False, effort: Effort = "auto"
    ) -> list[Detection]:
        """A picture → detections, no two of the same place: strongest evidence
        first, or row by row, where several stand in rows (see `put_in_order`).

        `picture` is a file's path or bytes, a Pillow image, or an array (H, W[, 3
        or 4]) uint8, of any size. Raises ImageError for a file that cannot be read,
        and ValueError for an array of another shape or dtype. `effort` says how
        closely to look for many small things: "auto" in large photos without a
        main thing, "thorough" always, "fast" never.

        With `guess`, one more ranks what the picture's main thing is nearest to,
        where nothing is sure and anything near.
        """
        frame = as_rgb(picture)
        assessed = self.assess(frame, effort=effort)
        found = [self.describe(assessment) for assessment in assessed]
        if any(detection.confident for detection in found):
            return put_in_order(found)
        for nearest in self._guess(frame) if guess else []:
            better = [one.false_accept_rate <= nearest.false_accept_rate for one in found]
            found.insert(sum(better), nearest)
        return found

    def _guess(self, frame: RGB) -> list[Detection]:
        """What the whole frame, or its center, is nearest to; nothing where
        nearly everything unknown is as near.
        """
        likely = self.find_likely(frame)
        if likely is None:
            quads = self._propose(frame)
            nearest = assess_regions(quads, self._neighbors.look_at(frame, quads), self._neighbors)
            return [self._describe_guess(one) for one in nearest[:1]]
        if self.calibration.likeness and self._rates.of(likely) > _NOTHING_NEAR:
            return []
        return [self._describe_guess(likely)]

    def _describe_guess(self, one: Assessment) -> Detection:
        rate = self._rates.told(one)
        return describe_guess(one, rate, self._neighbors, self._demands, self._top_k)

    @property
    def references(self) -> ReferenceFeatures | None:
        """What is known of the reference pictures; None where none are used."""
        return self._references

    def assess(
        self,
        frame: RGB,
        hidden: Collection[int] = (),
        *,
        explained: Sequence[Quad] = (),
        quick: bool = False,
        effort: Effort = "auto",
    ) -> list[Assessment]:
        """What may lie in a frame, with the rows `hidden` taken out of the index.

        Nothing is looked for inside the `explained` quads (4, 2) px. For one of
        many frames `quick` is enough: what has few votes is left to the next one,
        and what no embedding could make sure is left out.
        """
        references = self._references
        if references is None:
            return self._assess_whole(frame, hidden)

        numbers = np.array(references.numbers_of(hidden), np.int64)
        most = _CHECKED_QUICKLY if quick else MOST_CHECKED
        effort = "fast" if quick else effort
        search = FrameSearch(frame, references, numbers, explained, most, effort)
        poses = keep_best_per_place(search.by_votes(), references)
        if quick or len(poses) > _FEW_POSES:
            poses = [pose for pose in poses if self._rates.may_be_sure(pose)]
        assessed = self._assess_poses(frame, poses, hidden)
        is_sure = any(self._rates.of(one) <= self.strictness for one in assessed)
        if is_sure or explained:
            return assessed

        # No confident answer: nothing of ours is in view, or it has few details.
        # The embedding may know where to look.
        quads = self._propose(frame)
        found = self._neighbors.look_at(frame, quads, hidden)
        regions = assess_regions(quads, found, self._neighbors)
        promising = [one for one in regions if self._rates.of(one) <= WORTH_A_LOOK]
        if more := search.by_shortlist(shortlist(promising, references)):
            poses = keep_best_per_place([*poses, *more], references)
            assessed = self._assess_poses(frame, poses, hidden)
            if any(self._rates.of(one) <= self.strictness for one in assessed):
                return assessed

        likely = None
        if self._likeness is not None:
            likely = self._likeness.assess(frame, quads[:2], found, hidden)
        if likely is not None and self._rates.of(likely) <= self.strictness:
            return put_first(likely, assessed, self.index)
        if assessed:
            return assessed
        if likely is not None and self._rates.of(likely) <= WORTH_A_GUESS:
            return [likely]
        return [one for one in promising[:1] if self._rates.of(one) <= WORTH_A_GUESS]

    def watch_gaps(self) -> Callable[[], bool]:
        """What tells, once asked, whether references were away since now."""
        return lambda: False

    def find_likely(self, frame: RGB, hidden: Collection[int] = ()) -> Assessment | None:
        """What a (H, W, 3) frame as a whole, or its center, is most like by both
        embeddings, with the rows `hidden` taken out of the index; None without
        a second one.
        """
        if self._likeness is None:
            return None
        quads = whole_and_center(frame)
        found = self._neighbors.look_at(frame, quads, hidden)
        return self._likeness.assess(frame, quads, found, hidden)

    def margin_ratios(
        self, frame: RGB, quads: Sequence[Quad], hidden: Collection[int] = ()
    ) -> list[float]:
        """The margin ratio of the item nearest to each of the `quads` (4, 2) px."""
        found = self._neighbors.look_at(frame, quads, hidden)
        return [self._neighbors.best_margin_ratio(nearest) for nearest in found]

    def _assess_poses(
        self, frame: RGB, poses: Sequence[ScoredPose], hidden: Collection[int]
    ) -> list[Assessment]:
        assert self._references is not None
        known = self._references, self._neighbors, self._printings
        return assess_poses(frame, poses, *known, hidden, self.constants.crop_noise)

    def _assess_whole(self, frame: RGB, hidden: Collection[int]) -> list[Assessment]:
        """What a frame shows, without reference pictures."""
        if self.calibration.likeness is not None:
            likely = self.find_likely(frame, hidden)
            return [likely] if likely is not None else []
        quads = turn(self._propose(frame), turns=4)
        found = self._neighbors.look_at(frame, quads, hidden)
        return assess_regions(quads, found, self._neighbors)[:1]

    def describe(self, one: Assessment) -> Detection:
        """An assessment with its label, its rate, and whether to believe it."""
        return describe(one, self._rates.told(one), self._neighbors, self._demands, self._top_k)

    @property
    def _rates(self) -> Rates:
        return Rates(self.calibration, self.constants, self._references is not None)

    @property
    def _demands(self) -> Demands:
        return Demands(self.strictness, self._sim_threshold, self._margin_threshold)
