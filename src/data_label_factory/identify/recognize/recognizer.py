"""A frame → its items, named and outlined, and silence about everything else.

Local features vote for references (vote), a homography confirms the pose (geometry), and the straightened crop must
look like the reference where that differs from its kind (appearance). The embedding of the crop gives the score.
Without reference pictures none of that is possible: whole frame and centre are then judged by embedding alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import ImageError
from data_label_factory.identify.camera import Outline, as_points, straighten
from data_label_factory.identify.encoders import Encoder, cpu_count
from data_label_factory.identify.images import RGB, decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.projection import ProjectionHead
from data_label_factory.identify.recognize import appearance
from data_label_factory.identify.recognize.appearance import Evidence
from data_label_factory.identify.recognize.features import FRAME, REFERENCE, Features, Floats, Ints
from data_label_factory.identify.recognize.geometry import FrameMatcher, Hypothesis, Mask
from data_label_factory.identify.recognize.local_index import LocalIndex, Pairs
from data_label_factory.identify.recognize.vote import Cluster, clusters, weigh
from data_label_factory.labels import Label

_CROP_SIDE_PX = 288
_REFERENCE_MIN_SIDE_PX = 480  # a larger JPEG is decoded smaller
_MOST_CHECKED = 32  # clusters verified a frame
_FRESH_VOTES = 0.4  # share of a cluster's votes that no confirmed item may have explained yet
_SIMILAR = 12  # references that show what is common to a kind
_OVERLAP_IOU = 0.3  # beyond it, two outlines are one thing

# Strangers simulated from several collections reached 28 (whole) and 35 (part); near-certain true views have 50 and
# more. In an index of very few items nothing shows what is template, so nearly every visible cell must agree.
_WHOLE_MIN, _PART_MIN = 30.0, 36.0
_WHOLE_CORRELATION_MIN, _PART_CORRELATION_MIN = 0.45, 0.6
_FEW_ITEMS, _FEW_WHOLE_MIN, _FEW_AGREEING_MIN = 8, 20.0, 0.77
_CONVINCING, _CONVINCING_CORRELATION, _CONVINCING_INLIERS = 25.0, 0.6, 15


@dataclass(frozen=True)
class Detection:
    """One item seen. `outline` (4, 2) float32 px, clockwise from the reference's own top left; `score` is the cosine
    of the straightened crop to `filename`'s reference, `margin` its lead over the best other item; `inliers` the local
    features that fit (0 without reference pictures); `top_k` the nearest references with their cosines."""

    label: Label
    filename: str
    score: float
    margin: float
    confident: bool
    outline: Outline
    inliers: int
    top_k: tuple[tuple[str, float], ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in px."""
        (left, top), (right, bottom) = self.outline.min(axis=0), self.outline.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


@dataclass(frozen=True)
class _Seen:
    hypothesis: Hypothesis
    crop: RGB
    evidence: Evidence


class Recognizer:
    """Names the items of an index in frames.

    With `refs` every reference file is read and its features held in memory, about 0.3 MB each; `unreadable` maps
    those that could not be read to the reason. Raises EncoderError when encoder or head did not make the index.
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
        self._rows = np.zeros(0, np.int64)  # the index row of each reference that could be read
        if refs is not None:
            self._read_references(refs)

    def recognize(self, frame: RGB) -> list[Detection]:
        """(H, W, 3) uint8 RGB → detections, surest first, no two of the same spot. Any size of frame."""
        if not len(self._rows):
            return self._by_embedding(frame)
        found = self._distinct(self._look(frame))
        crops = [straighten(frame, seen.hypothesis.outline, _CROP_SIDE_PX) for seen in found]
        cosines = self._cosines(crops)
        return [
            self._detection(
                int(self._rows[seen.hypothesis.reference]),
                row,
                seen.hypothesis.outline,
                self._accepts(seen.evidence),
                seen.hypothesis.inliers,
            )
            for seen, row in zip(found, cosines, strict=True)
        ]

    def _read_references(self, refs: Path) -> None:
        def read(row: int) -> tuple[int, Features, RGB] | tuple[int, str, None]:
            try:
                picture = decode(refs / str(self._index.filenames[row]), min_side=_REFERENCE_MIN_SIDE_PX)
            except ImageError as exc:
                return row, str(exc), None
            return row, REFERENCE(picture), appearance.thumbnail(picture)

        features: list[Features] = []
        self._thumbs: list[RGB] = []
        rows = []
        with ThreadPoolExecutor(cpu_count()) as pool:
            for row, found, thumb in pool.map(read, range(len(self._index))):
                if isinstance(found, str) or thumb is None:
                    self.unreadable[str(self._index.filenames[row])] = str(found)
                else:
                    features.append(found)
                    self._thumbs.append(thumb)
                    rows.append(row)
        if rows:
            self._local = LocalIndex(features)
            self._chances, self._twins = appearance.learn_background(self._thumbs, _most_similar(self._thumbs))
            self._rows = np.array(rows, np.int64)

    def _look(self, frame: RGB) -> list[_Seen]:
        """Every hypothesis that geometry confirms, with its evidence. A convincing one takes its place out of play."""
        features = FRAME(frame)
        if not len(features):
            return []
        pairs = self._local.pairs(features.descriptors)
        voters, weights = weigh(pairs, self._local)
        votes = Pairs(pairs.query[voters], pairs.feature[voters], pairs.distance[voters])
        matcher = FrameMatcher(self._local, features)
        candidates = _by_reference(pairs, self._local)
        free = np.ones(len(features), bool)
        seen: list[_Seen] = []
        checked = 0
        for cluster in clusters(self._local, features, votes, weights):
            if checked >= _MOST_CHECKED:
                break
            if not _is_fresh(cluster, votes, weights, free):
                continue
            checked += 1
            hypothesis = matcher.verify(cluster, candidates[cluster.reference], free)
            if hypothesis is None:
                continue
            one = self._seen(frame, hypothesis)
            seen.append(one)
            if _is_convincing(one):
                seen += [self._seen(frame, self._as_twin(hypothesis, twin)) for twin in self._twins[cluster.reference]]
                free &= ~_inside(features.xy, hypothesis.outline)
        return seen

    def _seen(self, frame: RGB, hypothesis: Hypothesis) -> _Seen:
        thumb = self._thumbs[hypothesis.reference]
        height, width = thumb.shape[:2]
        shape = self._local.shapes[hypothesis.reference]
        to_reference = np.diag([shape[1] / width, shape[0] / height, 1.0])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpPerspective(frame, hypothesis.homography @ to_reference, (width, height), flags=flags)
        cells = appearance.compare(np.asarray(crop, np.uint8), thumb)
        evidence = appearance.weigh_evidence(cells, self._chances[hypothesis.reference])
        return _Seen(hypothesis, np.asarray(crop, np.uint8), evidence)

    def _as_twin(self, hypothesis: Hypothesis, twin: int) -> Hypothesis:
        """The same outline as that of a near-twin, to be judged by looks."""
        ours, theirs = self._local.shapes[hypothesis.reference], self._local.shapes[twin]
        resize = np.diag([ours[1] / theirs[1], ours[0] / theirs[0], 1.0])
        return Hypothesis(twin, hypothesis.homography @ resize, hypothesis.outline, hypothesis.inliers)

    def _distinct(self, seen: Sequence[_Seen]) -> list[_Seen]:
        """The best hypothesis of each place; between near-twins what differs decides."""
        kept: list[_Seen] = []
        for one in sorted(seen, key=lambda s: -s.evidence.rank):
            if one.evidence.whole < 0 and one.evidence.part < 0:
                continue
            place = next(
                (i for i, k in enumerate(kept) if _iou(one.hypothesis.outline, k.hypothesis.outline) > _OVERLAP_IOU),
                None,
            )
            if place is None:
                kept.append(one)
            elif one.hypothesis.reference in self._twins[kept[place].hypothesis.reference]:
                first, second = self._thumbs[kept[place].hypothesis.reference], self._thumbs[one.hypothesis.reference]
                second = np.asarray(cv2.resize(second, (first.shape[1], first.shape[0])), np.uint8)
                if appearance.prefers_first(kept[place].crop, first, second) < 0:
                    kept[place] = one
        return kept

    def _accepts(self, evidence: Evidence) -> bool:
        if self._index.item_count <= _FEW_ITEMS:
            return evidence.whole >= _FEW_WHOLE_MIN and evidence.agreeing >= _FEW_AGREEING_MIN
        whole = evidence.whole >= _WHOLE_MIN and evidence.whole_correlation >= _WHOLE_CORRELATION_MIN
        return whole or (evidence.part >= _PART_MIN and evidence.part_correlation >= _PART_CORRELATION_MIN)

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
        return [Detection(**{**vars(detection), "confident": sure})]

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
        )


def _most_similar(thumbs: Sequence[RGB]) -> list[Ints]:
    """For each reference the ones that look most like it, coarsely: they show what its kind has in common."""
    tiny = np.stack([cv2.resize(t, (12, 16), interpolation=cv2.INTER_AREA).ravel() for t in thumbs]).astype(np.float32)
    tiny = (tiny - tiny.mean(axis=1, keepdims=True)) / (tiny.std(axis=1, keepdims=True) + 1e-3)
    most = min(_SIMILAR, len(thumbs) - 1)
    similar = []
    for number, row in enumerate(tiny):
        likeness = tiny @ row
        likeness[number] = -np.inf
        similar.append(np.argsort(-likeness, kind="stable")[:most])
    return similar


def _by_reference(pairs: Pairs, index: LocalIndex) -> list[Pairs]:
    owner = index.reference[pairs.feature]
    order = np.argsort(owner, kind="stable")
    bounds = np.searchsorted(owner[order], np.arange(len(index) + 1))
    runs = [order[a:b] for a, b in pairwise(bounds)]
    return [Pairs(pairs.query[run], pairs.feature[run], pairs.distance[run]) for run in runs]


def _is_fresh(cluster: Cluster, votes: Pairs, weights: Floats, free: Mask) -> bool:
    left = weights[cluster.rows][free[votes.query[cluster.rows]]].sum()
    return bool(left >= _FRESH_VOTES * cluster.weight)


def _is_convincing(seen: _Seen) -> bool:
    evidence = seen.evidence
    looks = evidence.whole > _CONVINCING and evidence.whole_correlation > _CONVINCING_CORRELATION
    return looks and seen.hypothesis.inliers >= _CONVINCING_INLIERS


def _inside(points: Floats, outline: Outline) -> NDArray[np.bool_]:
    """(N, 2) px → (N,) whether inside a convex outline that runs clockwise."""
    edges = np.roll(outline, -1, axis=0) - outline
    arms = points[:, None] - outline[None]
    return np.asarray((edges[:, 0] * arms[..., 1] - edges[:, 1] * arms[..., 0] >= 0).all(axis=1), bool)


def _iou(a: Outline, b: Outline) -> float:
    shared, _ = cv2.intersectConvexConvex(a, b)
    return float(shared) / max(cv2.contourArea(a) + cv2.contourArea(b) - float(shared), 1e-6)
