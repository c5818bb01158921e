"""Single matches vote for (reference, place, size, turn); where
many agree is a hypothesis.

Weights after local naive-Bayes nearest neighbors: McCann & Lowe,
CVPR 2012. Voting in similarity space after Lowe, IJCV 2004,
section 7.3. No region has to be proposed beforehand, and several
items come out as several clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from data_label_factory.identify.recognize.features import Features, Floats, Ints, Mask
from data_label_factory.identify.recognize.local_index import LocalIndex, Pairs

# The distance to the 10th nearest reference stands for "anything".
_BACKGROUND_RANK = 10
# RootSIFT distance of unrelated descriptors, where there are fewer references.
_FAR = 0.5
_ANGLE_BINS = 8
_CELL_FRACTION = 0.35  # of the item's diagonal
_MIN_VOTES = 3
# Of the smaller diagonal, within which two clusters of a reference are one.
_SAME_PLACE = 0.5
MOST_CLUSTERS = 40  # of a frame of few items
_BINS_PER_CLUSTER = 24  # a cluster spreads over 16 bins and their neighbors

# Width of the fields that a bin's key is packed from: octaves, and cells along each
# axis.
_OCTAVES = 32
_CELLS = 4096
_FIRST_CELL = 1024  # cells left of, or above, the frame

_HASH_BITS = 16  # and more for more keys than so many slots are good for
_KEYS_PER_SLOT = 2
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ divided by the golden ratio


@dataclass(frozen=True, eq=False)
class Cluster:
    """Votes that agree.

    `scale` is frame px per reference px, `angle` radians,
    `center` (2,) px in the frame; `rows` are the voting matches.
    """

    reference: int
    weight: float
    scale: float
    angle: float
    center: Floats
    rows: Ints


@dataclass(frozen=True, eq=False)
class _Votes:
    """V matches as votes: where each puts the center of the item,
    how large and turned how.
    """

    owner: Ints
    diagonal: Floats  # of the reference, px
    octave: Floats  # log2 of the item's diagonal in the frame, px
    angle: Floats
    center: Floats  # (V, 2) px in the frame
    weight: Floats


class _Place(NamedTuple):
    """Where an item is believed to lie: center and diagonal, frame px."""

    x: float
    y: float
    diagonal: float

    def is_same(self, other: _Place) -> bool:
        """Whether two clusters of a reference would be second sights of one."""
        reach = _SAME_PLACE * min(self.diagonal, other.diagonal)
        return math.hypot(self.x - other.x, self.y - other.y) < reach


class _Bin(NamedTuple):
    """The votes (their `rows`) of one bin, its weight and mean place."""

    reference: int
    weight: float
    place: _Place
    rows: Ints


def weigh(pairs: Pairs, index: LocalIndex) -> tuple[Ints, Floats]:
    """The best match of each query with each reference, and its
    weight: rows (M,), weights (M,) > 0.

    The weight is d²(background) - d², the background being the
    distance to the 10th nearest reference: a detail that is as
    near to many references weighs nothing.
    """
    match = pairs.query * len(index) + pairs.owner
    order = _sort_by_distance(match, pairs.distance)
    order = order[_first_of_run(match[order])]
    order = order[_sort_by_distance(pairs.query[order], pairs.distance[order])]
    query = pairs.query[order]
    distance = pairs.distance[order]

    starts = np.flatnonzero(_first_of_run(query))
    lengths = np.diff(np.append(starts, len(query)))
    rank = np.arange(len(query)) - np.repeat(starts, lengths)

    further = min(_BACKGROUND_RANK, max(len(index) - 1, 1))
    background = np.full(len(starts), _FAR, np.float32)
    has = lengths > further
    background[has] = np.minimum(_FAR, distance[starts[has] + further])

    weight = np.repeat(background, lengths) ** 2 - distance**2
    keep = (weight > 0) & (rank < further)
    return order[keep], np.asarray(weight[keep], np.float32)


def find_clusters(
    index: LocalIndex, frame: Features, pairs: Pairs, weights: Floats, most: int = MOST_CLUSTERS
) -> list[Cluster]:
    """At most `most` clusters, heaviest first."""
    if not len(weights):
        return []

    votes = _cast_votes(index, frame, pairs, weights)
    found: list[Cluster] = []
    known: dict[int, list[_Place]] = {}  # by reference
    for bin_ in _heaviest_bins(votes, most * _BINS_PER_CLUSTER):
        places = known.setdefault(bin_.reference, [])
        if any(place.is_same(bin_.place) for place in places):
            continue

        cluster = _make_cluster(votes, bin_)
        x, y = map(float, cluster.center)
        places.append(_Place(x, y, cluster.scale * float(votes.diagonal[bin_.rows[0]])))
        found.append(cluster)
        if len(found) >= most:
            break
    return found


def _heaviest_bins(votes: _Votes, most: int) -> list[_Bin]:
    """At most `most` bins of at least `_MIN_VOTES`, heaviest first."""
    keys, members = _bin_votes(votes)
    if not len(keys):
        return []

    order = np.argsort(keys)  # within a bin any order will do; a stable sort takes 4 times as long
    members = members[order]
    starts = np.flatnonzero(_first_of_run(keys[order]))
    counts = np.diff(np.append(starts, len(order)))

    # Of every bin at once.
    total = np.add.reduceat(votes.weight[members], starts)
    means = np.add.reduceat(votes.center[members], starts, axis=0) / counts[:, None]
    sizes = np.exp2(np.add.reduceat(votes.octave[members], starts) / counts)

    kept = np.flatnonzero(counts >= _MIN_VOTES)
    kept = kept[np.argsort(-total[kept], kind="stable")[:most]]
    runs = zip(starts[kept].tolist(), counts[kept].tolist(), strict=True)
    columns = (
        votes.owner[members[starts[kept]]].tolist(),
        total[kept].tolist(),
        map(_Place, *means[kept].T.tolist(), sizes[kept].tolist()),
        (members[start : start + count] for start, count in runs),
    )
    return list(map(_Bin, *columns))


def _cast_votes(index: LocalIndex, frame: Features, pairs: Pairs, weights: Floats) -> _Votes:
    places = index.places(pairs.feature, pairs.owner)
    half = places.shape[:, ::-1] / 2
    scale = frame.size[pairs.query] / places.size
    angle = (frame.angle[pairs.query] - places.angle) % (2 * np.pi)

    arm = half - places.xy
    cos, sin = np.cos(angle), np.sin(angle)
    turned = np.stack(
        [cos * arm[:, 0] - sin * arm[:, 1], sin * arm[:, 0] + cos * arm[:, 1]], axis=1
    )
    center = frame.xy[pairs.query] + scale[:, None] * turned

    diagonal = 2 * np.hypot(half[:, 0], half[:, 1])
    return _Votes(pairs.owner, diagonal, np.log2(scale * diagonal), angle, center, weights)


def _bin_votes(votes: _Votes) -> tuple[Ints, Ints]:
    """Keys of the bins of the votes, 16 for each, two per
    dimension; and the vote of each key.

    Most bins that hold too few votes for a cluster are left out.
    """
    keys = []
    low = np.floor(votes.octave - 0.5).astype(np.int64)
    turn = np.floor(votes.angle / (2 * np.pi) * _ANGLE_BINS - 0.5).astype(np.int64)
    for up in (0, 1):
        cell = _CELL_FRACTION * np.exp2(low + up + 0.5)
        corner = np.floor(votes.center / cell[:, None] - 0.5).astype(np.int64)
        octave = (low + up).clip(0, _OCTAVES - 1)
        for side in (0, 1):
            angle = (turn + side) % _ANGLE_BINS
            base = (votes.owner * _OCTAVES + octave) * _ANGLE_BINS + angle
            for right in (0, 1):
                column = base * _CELLS + (corner[:, 0] + right + _FIRST_CELL).clip(0, _CELLS - 1)
                for down in (0, 1):
                    row = (corner[:, 1] + down + _FIRST_CELL).clip(0, _CELLS - 1)
                    keys.append(column * _CELLS + row)

    every = np.concatenate(keys)
    kept = _are_crowded(every)
    return every[kept], np.tile(np.arange(len(votes.owner)), len(keys))[kept]


def _are_crowded(keys: Ints) -> Mask:
    """Which keys may be held by `_MIN_VOTES` or more: all of
    those that are, and a few more.

    They are counted by a hash (Fibonacci's: Knuth, volume 3,
    section 6.4), which takes a fraction of the time of sorting
    them.
    """
    bits = max(_HASH_BITS, math.ceil(math.log2(len(keys) / _KEYS_PER_SLOT + 1)))
    slot = (keys.astype(np.uint64) * _GOLDEN >> np.uint64(64 - bits)).astype(np.int64)
    return np.asarray(np.bincount(slot, minlength=1 << bits)[slot] >= _MIN_VOTES, bool)


def _make_cluster(votes: _Votes, bin_: _Bin) -> Cluster:
    rows = bin_.rows
    size = float(np.exp2(_median(votes.octave[rows])))
    return Cluster(
        reference=bin_.reference,
        weight=bin_.weight,
        scale=size / float(votes.diagonal[rows[0]]),
        angle=float(np.angle(np.exp(1j * votes.angle[rows]).sum())),
        center=np.asarray(_median(votes.center[rows]), np.float32),
        rows=rows,
    )


def _median(values: Floats) -> Floats:
    """Of (N,) or (N, D), along the first axis; many times as fast
    as np.median for few.
    """
    ordered = np.sort(values, axis=0)
    return np.asarray((ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2)


def _sort_by_distance(group: Ints, distance: Floats) -> Ints:
    """The order by group, under 2³¹, and within one by distance,
    at least 0: both packed in one number.
    """
    bits = np.asarray(distance, np.float32).view(np.uint32)  # in the order of the values
    return np.argsort(group << 32 | bits)


def _first_of_run(*columns: Ints) -> Mask:
    """Where a sorted column, or any of several, changes; True at
    the first row.
    """
    changes = np.zeros(len(columns[0]), bool)
    changes[:1] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return changes
