"""One frame against all references: every pose that geometry confirms, with what the frame
shows there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize.features import FRAME, Floats, Ints, Mask
from data_label_factory.identify.recognize.hough import Cluster, find_clusters, weigh
from data_label_factory.identify.recognize.local_index import Pairs
from data_label_factory.identify.recognize.pose import FrameMatcher
from data_label_factory.identify.recognize.references import ReferenceFeatures
from data_label_factory.identify.recognize.scoring import (
    ScoredPose,
    find_near_duplicates,
    score_pose,
    swap_reference,
)

_MOST_CHECKED = 32  # clusters verified a frame
_FRESH_VOTES = 0.4  # share of a cluster's votes that no confirmed item may have explained yet


class FrameSearch:
    """The features of one (H, W, 3) frame, looked up once; `hidden` are numbers of references
    to pass over.
    """

    def __init__(self, frame: RGB, references: ReferenceFeatures, hidden: Ints) -> None:
        self._frame, self._references = frame, references
        self._hidden = hidden
        self._features = FRAME(frame)
        self._matcher = FrameMatcher(references.local, self._features)
        self._free = np.ones(len(self._features), bool)

    def by_votes(self) -> list[ScoredPose]:
        """Hypotheses from clusters of votes.

        A convincing one takes its place in the frame out of play.
        """
        local = self._references.local
        pairs = self._pairs
        if not len(pairs.query):
            return []
        voters, weights = weigh(pairs, local)
        votes = pairs.taken(voters)
        seen: list[ScoredPose] = []
        checked = 0
        for cluster in find_clusters(local, self._features, votes, weights):
            if checked >= _MOST_CHECKED:
                break
            if _is_fresh(cluster, votes, weights, self._free):
                checked += 1
                seen += self._look(cluster, self._candidates(cluster.reference))
        return seen

    def by_shortlist(self, numbers: Sequence[int]) -> list[ScoredPose]:
        """Hypotheses for the references `numbers`, each matched on its own with all free
        features of the frame.
        """
        found = []
        for number in numbers:
            hypothesis = (
                self._matcher.match(number, self._free) if number not in self._hidden else None
            )
            if hypothesis is not None:
                found.append(score_pose(self._frame, hypothesis, self._references))
        return found

    @cached_property
    def _pairs(self) -> Pairs:
        pairs = self._references.local.pairs(self._features.descriptors)
        if not len(self._hidden):
            return pairs
        kept = ~np.isin(self._references.local.owner(pairs.feature), self._hidden)
        return pairs.taken(kept)

    @cached_property
    def _by_owner(self) -> tuple[Ints, Ints]:
        """The pairs' rows ordered by whose feature it is, and those owners."""
        owner = self._references.local.owner(self._pairs.feature)
        order = np.argsort(owner, kind="stable")
        return order, owner[order]

    def _candidates(self, reference: int) -> Pairs:
        order, owners = self._by_owner
        run = order[slice(*np.searchsorted(owners, [reference, reference + 1]))]
        return Pairs(self._pairs.query[run], self._pairs.feature[run], self._pairs.distance[run])

    def _look(self, cluster: Cluster, candidates: Pairs) -> list[ScoredPose]:
        references = self._references
        poses = self._matcher.verify(cluster, candidates, self._free)
        if not poses:
            return []
        best = max(
            (score_pose(self._frame, pose, references) for pose in poses),
            key=lambda seen: seen.score,
        )
        if not best.is_convincing:
            return [best]
        self._free &= ~_inside(self._features.xy, best.quad)
        near_duplicates = [
            near_duplicate
            for near_duplicate in find_near_duplicates(best, references)
            if near_duplicate not in self._hidden
        ]
        places = [
            swap_reference(best.hypothesis, near_duplicate, references)
            for near_duplicate in near_duplicates
        ]
        return [best, *(score_pose(self._frame, place, references) for place in places)]


def _is_fresh(cluster: Cluster, votes: Pairs, weights: Floats, free: Mask) -> bool:
    left = weights[cluster.rows][free[votes.query[cluster.rows]]].sum()
    return bool(left >= _FRESH_VOTES * cluster.weight)


def _inside(points: Floats, quad: Quad) -> Mask:
    """(N, 2) px → (N,) whether inside a convex outline that runs clockwise."""
    edges = np.roll(quad, -1, axis=0) - quad
    arms = points[:, None] - quad[None]
    return np.asarray(
        (edges[:, 0] * arms[..., 1] - edges[:, 1] * arms[..., 0] >= 0).all(axis=1), bool
    )
