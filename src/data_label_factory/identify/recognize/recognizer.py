"""A frame → its items, named and outlined, and silence about everything else.

Local features vote for references (vote), a homography confirms the pose (geometry), and the straightened crop must
look like the reference where that differs from its kind (appearance). The embedding of the crop gives the score, and
may contradict.
Without reference pictures none of that is possible: whole frame and centre are then judged by embedding alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.camera import Outline, as_points, straighten
from data_label_factory.identify.encoders import Encoder
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.projection import ProjectionHead
from data_label_factory.identify.recognize.features import FRAME, Floats
from data_label_factory.identify.recognize.geometry import FrameMatcher, Mask
from data_label_factory.identify.recognize.judgement import Seen, in_its_place, look, one_a_place
from data_label_factory.identify.recognize.local_index import LocalIndex, Pairs
from data_label_factory.identify.recognize.references import References, read_references
from data_label_factory.identify.recognize.vote import Cluster, clusters, weigh
from data_label_factory.labels import Label

_CROP_SIDE_PX = 288
_MOST_CHECKED = 32  # clusters verified a frame
# Cosine by which another item must be nearer to contradict: over three standard deviations of what outlines 1 % off do
# to that lead (0.008 at the median view, 0.015 at the worst tenth).
_NOISE = 0.05
_ONE_CELL = 3.0  # a single cell that agrees or does not moves the evidence by up to 2.8: looks this close are a tie
_FRESH_VOTES = 0.4  # share of a cluster's votes that no confirmed item may have explained yet


@dataclass(frozen=True)
class Detection:
    """One item seen. `outline` (4, 2) float32 px, clockwise from the reference's own top left; `score` is the cosine
    of the straightened crop to `filename`'s reference, `margin` its lead over the best other item; `inliers` the local
    features that fit (0 without reference pictures); `top_k` the nearest references with their cosines; `variants` the
    files that the picture cannot tell apart, the named one first; `false_accept_rate` (0…1) the strictest rate at which
    it would still be confident."""

    label: Label
    filename: str
    score: float
    margin: float
    confident: bool
    outline: Outline
    inliers: int
    top_k: tuple[tuple[str, float], ...]
    variants: tuple[str, ...] = ()
    false_accept_rate: float = 1.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in px."""
        (left, top), (right, bottom) = self.outline.min(axis=0), self.outline.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


class Recognizer:
    """Names the items of an index in frames.

    With `refs` every reference file is read and its features held in memory, at most about 0.26 MB each (1,000
    features of 200 bytes, and a thumbnail; two to four times that while reading). `unreadable` maps those that could
    not be read to the reason; they are never named. Without `refs` only the whole frame and its centre are compared,
    each turned four ways, and `sim_threshold` and `margin_threshold` (cosines) alone decide. Raises EncoderError when
    encoder or head did not make the index.
    """

    def __init__(
        self,
        index: Index,
        encoder: Encoder,
        head: ProjectionHead | None = None,
        *,
        refs: Path | None = None,
        sim_threshold: float = 0.5,
        margin_threshold: float = 0.1,
        top_k: int = 5,
    ) -> None:
        index.require_maker(encoder.identity, head.sha256 if head else "")
        self._index, self._encoder, self._head = index, encoder, head
        self._sim, self._margin, self._top_k = sim_threshold, margin_threshold, top_k
        self.unreadable: dict[str, str] = {}
        self._references: References | None = None
        if refs is not None:
            self._references, self.unreadable = read_references(index, refs)

    def recognize(self, frame: RGB) -> list[Detection]:
        """(H, W, 3) uint8 RGB → detections, strongest evidence first, no two of the same spot. Any size of frame."""
        if self._references is None:
            return self._by_embedding(frame)
        found = one_a_place(_search(frame, self._references), self._references)
        cosines = self._cosines([straighten(frame, seen.outline, _CROP_SIDE_PX) for seen in found])
        return [self._named(frame, *one, self._references) for one in zip(found, cosines, strict=True)]

    def _named(self, frame: RGB, seen: Seen, cosines: Floats, references: References) -> Detection:
        """Name what is seen. Where the embedding finds another item clearly nearer, that one is looked at in the same
        place: either it looks as much like it and takes over, or the two disagree and nothing is sure."""
        row, nearest = int(references.rows[seen.hypothesis.reference]), int(cosines.argmax())
        agreed = True
        if self._index.items[nearest] != self._index.items[row] and cosines[nearest] - cosines[row] > _NOISE:
            agreed = False
            for rival in np.flatnonzero(references.rows == nearest):  # none, when its picture could not be read
                other = look(frame, in_its_place(seen.hypothesis, int(rival), references), references)
                if other.evidence.rank > seen.evidence.rank - _ONE_CELL:
                    seen, row, agreed = other, nearest, True
        confident = agreed and seen.is_accepted(self._index.item_count)
        return self._detection(row, cosines, seen.outline, confident, seen.hypothesis.inliers)

    def _by_embedding(self, frame: RGB) -> list[Detection]:
        """The better of whole frame and centre, upright or turned, by embedding and the two thresholds alone."""
        height, width = frame.shape[:2]
        boxes = [(0.0, 0.0, 1.0, 1.0), (0.2, 0.1, 0.8, 0.9)]
        outlines = [as_points([[a, b], [c, b], [c, d], [a, d]]) * as_points([[width, height]]) for a, b, c, d in boxes]
        ways = [np.roll(outline, -turn, axis=0) for outline in outlines for turn in range(4)]
        cosines = self._cosines([straighten(frame, way, _CROP_SIDE_PX) for way in ways])
        best = int(cosines.max(axis=1).argmax())
        detection = self._detection(int(cosines[best].argmax()), cosines[best], ways[best], True, 0)
        sure = detection.score > self._sim and detection.margin > self._margin
        return [Detection(**{**vars(detection), "confident": sure, "false_accept_rate": 0.0 if sure else 1.0})]

    def _cosines(self, crops: Sequence[RGB]) -> Floats:
        if not crops:
            return np.zeros((0, len(self._index)), np.float32)
        embeddings = self._encoder.encode(crops)
        return np.asarray((self._head(embeddings) if self._head else embeddings) @ self._index.embeddings.T, np.float32)

    def _detection(self, row: int, cosines: Floats, outline: Outline, confident: bool, inliers: int) -> Detection:
        others = cosines[self._index.items != self._index.items[row]]
        score = float(cosines[row])
        order = np.argsort(-cosines, kind="stable")[: self._top_k]
        return Detection(
            label=self._index.label(row),
            filename=str(self._index.filenames[row]),
            score=score,
            margin=score - (float(others.max()) if len(others) else 0.0),
            confident=confident,
            outline=outline,
            inliers=inliers,
            top_k=tuple((str(self._index.filenames[near]), float(cosines[near])) for near in order),
            false_accept_rate=0.0 if confident else 1.0,
        )


def _search(frame: RGB, references: References) -> list[Seen]:
    """Every pose that geometry confirms, with its evidence. A convincing one takes its place out of play."""
    features, local = FRAME(frame), references.local
    if not len(features):
        return []
    pairs = local.pairs(features.descriptors)
    voters, weights = weigh(pairs, local)
    votes = Pairs(pairs.query[voters], pairs.feature[voters], pairs.distance[voters])
    matcher = FrameMatcher(local, features)
    candidates = _by_reference(pairs, local)
    free = np.ones(len(features), bool)
    seen: list[Seen] = []
    checked = 0
    for cluster in clusters(local, features, votes, weights):
        if checked >= _MOST_CHECKED:
            break
        if not _is_fresh(cluster, votes, weights, free):
            continue
        checked += 1
        hypothesis = matcher.verify(cluster, candidates[cluster.reference], free)
        if hypothesis is None:
            continue
        one = look(frame, hypothesis, references)
        seen.append(one)
        if one.is_convincing:
            twins = references.twins[cluster.reference]
            seen += [look(frame, in_its_place(hypothesis, twin, references), references) for twin in twins]
            free &= ~_inside(features.xy, hypothesis.outline)
    return seen


def _by_reference(pairs: Pairs, index: LocalIndex) -> list[Pairs]:
    owner = index.reference[pairs.feature]
    order = np.argsort(owner, kind="stable")
    bounds = np.searchsorted(owner[order], np.arange(len(index) + 1))
    runs = [order[a:b] for a, b in pairwise(bounds)]
    return [Pairs(pairs.query[run], pairs.feature[run], pairs.distance[run]) for run in runs]


def _is_fresh(cluster: Cluster, votes: Pairs, weights: Floats, free: Mask) -> bool:
    left = weights[cluster.rows][free[votes.query[cluster.rows]]].sum()
    return bool(left >= _FRESH_VOTES * cluster.weight)


def _inside(points: Floats, outline: Outline) -> NDArray[np.bool_]:
    """(N, 2) px → (N,) whether inside a convex outline that runs clockwise."""
    edges = np.roll(outline, -1, axis=0) - outline
    arms = points[:, None] - outline[None]
    return np.asarray((edges[:, 0] * arms[..., 1] - edges[:, 1] * arms[..., 0] >= 0).all(axis=1), bool)
