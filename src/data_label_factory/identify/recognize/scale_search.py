"""One frame, or a part of it, in one resolution against all references."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad
from data_label_factory.identify.recognize.features import Features, Floats, Ints, Mask
from data_label_factory.identify.recognize.hough import MOST_CLUSTERS, Cluster, find_clusters, weigh
from data_label_factory.identify.recognize.local_index import Pairs
from data_label_factory.identify.recognize.pose import FrameMatcher
from data_label_factory.identify.recognize.references import ReferenceFeatures
from data_label_factory.identify.recognize.scoring import (
    ScoredPose,
    find_near_duplicates,
    score_pose,
    swap_reference,
)

MOST_CHECKED = 32  # clusters verified per frame
_NOT_FRESH = 8  # clusters that may be explained by others
# Fraction of a cluster's votes that no convincing pose has explained yet.
_FRESH_VOTES = 0.4


class ScaleSearch:
    """The `features` of one (H, W, 3) frame, or of a part of it,
    looked up once.

    `hidden` are the numbers of references to pass over,
    `explained` the quads (4, 2) px that are out of play from the
    start. At most `most_checked` clusters of votes are verified,
    the heaviest; `undecided` are those that gave no convincing
    pose.
    """

    def __init__(
        self,
        frame: RGB,
        features: Features,
        references: ReferenceFeatures,
        hidden: Ints,
        explained: Sequence[Quad] = (),
        most_checked: int = MOST_CHECKED,
    ) -> None:
        for quad in explained:
            features = features.taken(~inside(features.xy, quad))
        features = references.local.turned(features)
        self._frame = frame
        self._references = references
        self._hidden = hidden
        self._features = features
        self._matcher = FrameMatcher(references.local, features)
        self._most_checked = most_checked
        self._free = np.ones(len(features), bool)  # not explained by a convincing pose
        self.undecided: list[Cluster] = []

    @property
    def unexplained(self) -> Floats:
        """(N, 2) px of the features that no convincing pose explains."""
        return self._features.xy[self._free]

    def by_votes(self) -> list[ScoredPose]:
        """The poses of clusters of votes. A convincing one takes
        its place out of play.

        What was found convincingly is looked for again with the
        features that are left: the votes for copies side by side
        can fall together, between them.
        """
        if not len(self._pairs.query):
            return []

        local = self._references.local
        voters, weights = weigh(self._pairs, local)
        votes = self._pairs.taken(voters)
        poses: list[ScoredPose] = []
        while len(weights):
            found = self._check_clusters(votes, weights)
            poses += found
            sure = [pose.hypothesis.reference for pose in found if pose.is_convincing]
            again = np.isin(votes.owner, sure) & self._free[votes.query]
            votes, weights = votes.taken(again), weights[again]
        return poses

    def _check_clusters(self, votes: Pairs, weights: Floats) -> list[ScoredPose]:
        """The poses of the heaviest clusters of which enough is still free."""
        local = self._references.local
        poses: list[ScoredPose] = []
        checked = 0
        most = max(MOST_CLUSTERS, self._most_checked + _NOT_FRESH)
        for cluster in find_clusters(local, self._features, votes, weights, most):
            if checked >= self._most_checked:
                break
            if _is_fresh(cluster, votes, weights, self._free):
                checked += 1
                found = self._check(cluster)
                poses += found
                if not any(pose.is_convincing for pose in found):
                    self.undecided.append(cluster)
        return poses

    def by_shortlist(self, numbers: Sequence[int]) -> list[ScoredPose]:
        """The poses of the references `numbers`, each matched
        alone with all free features.
        """
        tried = [self._matcher.match(n, self._free) for n in numbers if n not in self._hidden]
        found = [hypothesis for hypothesis in tried if hypothesis is not None]
        return [score_pose(self._frame, hypothesis, self._references) for hypothesis in found]

    @cached_property
    def _pairs(self) -> Pairs:
        pairs = self._references.local.pairs(self._features.descriptors)
        if len(self._references.unused):
            pairs = pairs.taken(self._references.rows[pairs.owner] >= 0)
        if len(self._hidden):
            pairs = pairs.taken(~np.isin(pairs.owner, self._hidden))
        return pairs

    @cached_property
    def _by_owner(self) -> tuple[Ints, Ints]:
        """The pairs' rows ordered by the reference of the
        feature, and those references.
        """
        order = np.argsort(self._pairs.owner, kind="stable")
        return order, self._pairs.owner[order]

    def _candidates(self, reference: int) -> Pairs:
        order, owners = self._by_owner
        start, stop = np.searchsorted(owners, [reference, reference + 1])
        return self._pairs.taken(order[start:stop])

    def _check(self, cluster: Cluster) -> list[ScoredPose]:
        references = self._references
        candidates = self._candidates(cluster.reference)
        hypotheses = self._matcher.verify(cluster, candidates, self._free)
        if not hypotheses:
            return []

        poses = [score_pose(self._frame, hypothesis, references) for hypothesis in hypotheses]
        best = max(poses, key=lambda pose: pose.score)
        if not best.is_convincing:
            return [best]

        self._free &= ~inside(self._features.xy, best.quad)
        others = [n for n in find_near_duplicates(best, references) if n not in self._hidden]
        swapped = [swap_reference(best.hypothesis, other, references) for other in others]
        return [best, *(score_pose(self._frame, pose, references) for pose in swapped)]


def _is_fresh(cluster: Cluster, votes: Pairs, weights: Floats, free: Mask) -> bool:
    is_free = free[votes.query[cluster.rows]]
    return bool(weights[cluster.rows][is_free].sum() >= _FRESH_VOTES * cluster.weight)


def inside(points: Floats, quad: Quad) -> Mask:
    """(N, 2) px → (N,) whether inside a convex quad that runs clockwise."""
    edges = np.roll(quad, -1, axis=0) - quad
    arms = points[:, None] - quad[None]
    cross = edges[:, 0] * arms[..., 1] - edges[:, 1] * arms[..., 0]
    return np.asarray((cross >= 0).all(axis=1), bool)
