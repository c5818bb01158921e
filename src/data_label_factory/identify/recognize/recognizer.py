"""A frame → its items, with names and quads, and silence about everything else.

Local features vote for references (`hough`), a homography confirms the pose
(`geometry`), and the straightened crop must look like the reference wherever that
differs from its kind (`appearance`). The embedding of the crop gives score and
margin, and is further evidence. How much evidence is enough was learned from items
unknown to this very index (`confidence`). Without reference pictures, regions of
the frame are compared by embedding alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np

from data_label_factory.errors import FactoryError
from data_label_factory.identify.choices import DEFAULT_STRICTNESS, Detector
from data_label_factory.identify.encoders import SSCD_CONSTANTS, Embedder, EncoderConstants
from data_label_factory.identify.images import RGB, Picture, as_rgb
from data_label_factory.identify.index import Index
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize.confidence import Calibration
from data_label_factory.identify.recognize.detection import Assessment, Detection, common_label
from data_label_factory.identify.recognize.detectors import open_detector
from data_label_factory.identify.recognize.feature_cache import load_references, save_references
from data_label_factory.identify.recognize.features import Floats
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.identify.recognize.printings import PrintReader, tell_printing
from data_label_factory.identify.recognize.references import ReferenceFeatures, read_references
from data_label_factory.identify.recognize.regions import assess_regions, shortlist
from data_label_factory.identify.recognize.scale_search import MOST_CHECKED
from data_label_factory.identify.recognize.scoring import (
    ScoredPose,
    keep_best_per_place,
    score_pose,
    swap_reference,
)
from data_label_factory.identify.recognize.search import FrameSearch

_TIE = 0.12  # log-odds; a single cell that agrees or not moves them by up to 0.1
_CHECKED_QUICKLY = 12  # clusters of votes, where the next frame comes soon
# False-accept rates up to which the embedding alone is worth a second look, and
# worth an unsure answer.
_WORTH_A_LOOK, _WORTH_A_GUESS = 0.5, 0.2


class Recognizer:
    """Names the items of an index in frames. Safe to call from several threads.

    With `refs`, every reference file is read and its local features are held in
    memory (see `references`); `unreadable` maps those that could not be read, and
    are never named, to the reason. `cache` is a file to keep those features in, so
    that the next start is quick (see `feature_cache`). Without `refs`, regions of
    the frame are compared by embedding alone.

    `detector` says where the embedding looks: "flat" also at quads of flat things,
    "yolo-world" also at what that model finds, "none" only at the whole frame and
    its center, without reference pictures.

    `strictness` is the fraction of unknown items that may be named confidently.
    `sim_threshold` and `margin_threshold` (cosines) are asked of confident answers
    on top of that. A `reader` reads what is printed where references differ in
    nothing else.

    Raises EncoderError when the embedder did not make the index, and
    MissingExtraError when the detector is not installed.
    """

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
        if refs is not None and self._uses_references:
            self._read_references(Path(refs), Path(cache) if cache else None, quiet)
        self._reader = reader
        self._printings = (
            reader.open(index, refs, self._references, quiet=quiet) if reader else None
        )

    def updated(self, index: Index, refs: str | Path) -> Recognizer:
        """A recognizer for a changed `index` by the same embedder.

        What is known of unchanged files, by their content, is not worked out again.
        This recognizer stays as it is, so a server can go on answering with it.
        """
        index.require_maker(self.embedder.identity)
        new = copy(self)
        new.index = index
        new.calibration = Calibration.from_dict(index.meta.calibration)
        new._neighbors = NeighborSearch(index, self.embedder)
        if self._uses_references:
            new._references, new.unreadable = read_references(index, Path(refs), self._references)
        if self._reader is not None:
            new._printings = self._reader.open(index, refs, new._references)
        return new

    @property
    def embedder(self) -> Embedder:
        """What embeds the crops; it made the index."""
        return self._neighbors.embedder

    @property
    def constants(self) -> EncoderConstants:
        """As measured for the encoder, or learned with the calibration, or else
        those of SSCD.
        """
        return self.embedder.constants or self.calibration.constants or SSCD_CONSTANTS

    def recognize(self, picture: Picture, *, guess: bool = False) -> list[Detection]:
        """A picture → detections, strongest evidence first, no two of the same
        place.

        `picture` is a file's path or bytes, a Pillow image, or an array (H, W[, 3
        or 4]) uint8, of any size. Raises ImageError for a file that cannot be read,
        and ValueError for an array of another shape or dtype.

        With `guess`, a last one ranks what the picture's main thing is nearest to,
        where nothing is sure and anything near.
        """
        frame = as_rgb(picture)
        found = [self.describe(assessment) for assessment in self.assess(frame)]
        if guess and not any(detection.confident for detection in found):
            found += self._guess(frame)
        return found

    def _guess(self, frame: RGB) -> list[Detection]:
        regions = assess_regions(frame, self._propose(frame), self._neighbors, (), turns=1)[:1]
        return [replace(self.describe(one), confident=False, is_guess=True) for one in regions]

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
    ) -> list[Assessment]:
        """What may lie in a frame, with the rows `hidden` taken out of the index.

        Nothing is looked for inside the `explained` quads (4, 2) px. For one of
        many frames `quick` is enough: what has few votes is left to the next one,
        and what no embedding could make sure is left out.
        """
        references = self._references
        if references is None:
            return assess_regions(frame, self._propose(frame), self._neighbors, hidden, turns=4)[:1]

        numbers = np.flatnonzero(np.isin(references.rows, list(hidden)))
        most = _CHECKED_QUICKLY if quick else MOST_CHECKED
        search = FrameSearch(frame, references, numbers, explained, most)
        poses = keep_best_per_place(search.by_votes(), references)
        if quick:
            poses = [pose for pose in poses if self._may_be_sure(pose)]
        assessed = self._assess_poses(frame, poses, references, hidden)
        is_sure = any(self._false_accept_rate(one) <= self.strictness for one in assessed)
        if is_sure or explained:
            return assessed

        # No confident answer: nothing of ours is in view, or it has few details.
        # The embedding may know where to look.
        regions = assess_regions(frame, self._propose(frame), self._neighbors, hidden, turns=1)
        promising = [one for one in regions if self._false_accept_rate(one) <= _WORTH_A_LOOK]
        if more := search.by_shortlist(shortlist(promising, references)):
            poses = keep_best_per_place([*poses, *more], references)
            assessed = self._assess_poses(frame, poses, references, hidden)
        if assessed:
            return assessed
        return [one for one in promising[:1] if self._false_accept_rate(one) <= _WORTH_A_GUESS]

    def find_lookalikes(self, row: int) -> set[int]:
        """The rows of the item of `row`, and their near-duplicates."""
        items = self.index.items
        rows = {int(variant) for variant in np.flatnonzero(items == items[row])}
        if self._references is None:
            return rows

        references = self._references
        for number in np.flatnonzero(np.isin(references.rows, list(rows))):
            rows |= {int(references.rows[other]) for other in references.near_duplicates[number]}
        return rows

    def margin_ratios(
        self, frame: RGB, quads: Sequence[Quad], hidden: Collection[int] = ()
    ) -> list[float]:
        """The margin ratio of the item nearest to each of the `quads` (4, 2) px, by
        embedding.
        """
        found = self._neighbors.cosines(frame, quads, hidden)
        return [self._neighbors.margin_ratio(int(row.argmax()), row) for row in found]

    def _read_references(self, refs: Path, cache: Path | None, quiet: bool) -> None:
        known = load_references(cache) if cache else None
        self._references, self.unreadable = read_references(self.index, refs, known, quiet=quiet)

        references = self._references
        if cache is None or references is None:
            return
        if known is None or not np.array_equal(references.contents, known.contents):
            with suppress(FactoryError):  # a full disk costs time at the next start, nothing else
                save_references(references, cache)

    def _assess_poses(
        self,
        frame: RGB,
        poses: Sequence[ScoredPose],
        references: ReferenceFeatures,
        hidden: Collection[int],
    ) -> list[Assessment]:
        """Ask the embedding about each pose."""
        found = self._neighbors.cosines(frame, [pose.quad for pose in poses], hidden)
        assessed = []
        for pose, cosines in zip(poses, found, strict=True):
            pose = self._give_way_to_nearest(frame, pose, cosines, references)
            told = tell_printing(self._printings, frame, pose, references, hidden)
            row = int(references.rows[told.number])
            same = references.rows[list(told.alike)]
            near_duplicates = tuple(int(other) for other in same if other not in hidden)

            # With a single item, that it is nearer than others is no evidence.
            margin_ratio = 0.0
            if self.index.item_count > 1:
                margin_ratio = self._neighbors.margin_ratio(row, cosines)
            assessed.append(
                Assessment(row, pose.quad, cosines, margin_ratio, pose, near_duplicates, told.read)
            )
        return assessed

    def _give_way_to_nearest(
        self, frame: RGB, pose: ScoredPose, cosines: Floats, references: ReferenceFeatures
    ) -> ScoredPose:
        """The nearest item by embedding, if it scores as well in the same place;
        else `pose`.
        """
        row = int(references.rows[pose.hypothesis.reference])
        nearest = int(cosines.argmax())
        is_same_item = self.index.items[nearest] == self.index.items[row]
        if is_same_item or cosines[nearest] - cosines[row] <= self.constants.crop_noise:
            return pose

        numbers = np.flatnonzero(references.rows == nearest)
        if not len(numbers):  # its picture could not be read
            return pose
        swapped = swap_reference(pose.hypothesis, int(numbers[0]), references)
        rival = score_pose(frame, swapped, references)
        return rival if rival.score > pose.score - _TIE else pose

    def _may_be_sure(self, pose: ScoredPose) -> bool:
        """Whether the best margin there is would make it worth an answer."""
        best = pose.log_odds(margin_ratio=1.0)
        return self.calibration.rate_by_log_odds(best) <= _WORTH_A_GUESS

    def _false_accept_rate(self, one: Assessment) -> float:
        """The fraction of unknown items that look as good."""
        if one.pose is not None:
            return self.calibration.rate_by_log_odds(one.log_odds)
        if one.cosines[one.row] <= self.constants.unrelated_cosine:
            return 1.0  # a margin among unrelated pictures tells nothing
        return self.calibration.rate_by_margin_ratio(one.margin_ratio)

    def describe(self, one: Assessment) -> Detection:
        """An assessment with its label, its false-accept rate, and whether to
        believe it.
        """
        index = self.index
        variants = [row for row in one.near_duplicates if index.items[row] == index.items[one.row]]
        is_one_item = len(variants) == len(one.near_duplicates)

        score = float(one.cosines[one.row])
        margin = self._neighbors.margin(one.row, one.cosines)
        rate = self._false_accept_rate(one)
        if one.pose is None and self._references is not None:
            rate = max(rate, _WORTH_A_GUESS)  # local features should have found it and did not
        is_enough = score > self._sim_threshold and margin > self._margin_threshold

        nearest = self._neighbors.nearest(one.cosines, self._top_k)
        return Detection(
            label=common_label([index.label(row) for row in (one.row, *variants)]),
            reference=str(index.references[one.row]),
            score=score,
            margin=margin,
            confident=rate <= self.strictness and is_enough and is_one_item,
            quad=one.quad,
            inliers=one.pose.hypothesis.inliers if one.pose else 0,
            top_k=tuple((str(index.references[row]), float(one.cosines[row])) for row in nearest),
            false_accept_rate=rate if is_one_item else 1.0,
            ambiguous_with=tuple(str(index.references[row]) for row in one.near_duplicates),
            read=one.read,
        )
