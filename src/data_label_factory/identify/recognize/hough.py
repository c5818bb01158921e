"""Single matches vote for (reference, place, size, turn); where many
agree is a hypothesis.

Weights after local naive-Bayes nearest neighbors: McCann & Lowe, CVPR
2012. Voting in similarity space after Lowe, IJCV 2004, section 7.3. No
region has to be proposed beforehand, and several items come out as
several clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

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
_BINS_PER_CLUSTER = 24  # a cluster spreads over 16 bins and their neighbors

# Width of the fields that a bin's key is packed from: octaves, and cells along each
# axis.
_OCTAVES = 32
_CELLS = 4096
_FIRST_CELL = 1024  # cells left of, or above, the frame


@dataclass(frozen=True, eq=False)
class Cluster:
    """Votes that agree.

    `scale` is frame px per reference px, `angle` radians, `center` (2,)
    px in the frame; `rows` are the voting matches.
    """

    reference: int
    weight: float
    scale: float
    angle: float
    center: Floats
    rows: Ints


@dataclass(frozen=True, eq=False)
class _Votes:
    """V matches as votes: where each puts the center of the item, how
    large and turned how.
    """

    owner: Ints
    diagonal: Floats  # of the reference, px
    octave: Floats  # log2 of the item's diagonal in the frame, px
    angle: Floats
    center: Floats  # (V, 2) px in the frame
    weight: Floats


def weigh(pairs: Pairs, index: LocalIndex) -> tuple[Ints, Floats]:
    """The best match of each query with each reference, and its weight:
    rows (M,), weights (M,) > 0.

    The weight is d²(background) - d², the background being the distance
    to the 10th nearest reference: a detail that is as near to many
    references weighs nothing.
    """
    owner = index.owner(pairs.feature)
    order = np.lexsort((pairs.distance, owner, pairs.query))
    order = order[_first_of_run(pairs.query[order], owner[order])]
    order = order[np.lexsort((pairs.distance[order], pairs.query[order]))]
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
    index: LocalIndex, frame: Features, pairs: Pairs, weights: Floats, most: int = 40
) -> list[Cluster]:
    """At most `most` clusters, heaviest first."""
    if not len(weights):
        return []

    votes = _cast_votes(index, frame, pairs, weights)
    keys, vote_of_key = _bin_votes(votes)
    order = np.argsort(keys)  # within a bin any order will do; a stable sort takes 4 times as long
    starts = np.flatnonzero(_first_of_run(keys[order]))
    counts = np.diff(np.append(starts, len(order)))
    members = vote_of_key[order]

    # Means of every bin at once; only bins that are no second sight of a cluster
    # are looked into.
    total = np.add.reduceat(weights[members], starts)
    means = np.add.reduceat(votes.center[members], starts, axis=0) / counts[:, None]
    sizes = np.exp2(np.add.reduceat(votes.octave[members], starts) / counts)

    candidates = np.flatnonzero(counts >= _MIN_VOTES)
    heaviest = candidates[np.argsort(-total[candidates], kind="stable")]
    found: list[Cluster] = []
    for bin_ in heaviest[: most * _BINS_PER_CLUSTER]:
        rows = members[starts[bin_] : starts[bin_] + counts[bin_]]
        if _is_known(votes, int(rows[0]), means[bin_], float(sizes[bin_]), found):
            continue
        found.append(_make_cluster(votes, rows, float(total[bin_])))
        if len(found) >= most:
            break
    return found


def _cast_votes(index: LocalIndex, frame: Features, pairs: Pairs, weights: Floats) -> _Votes:
    owner = index.owner(pairs.feature)
    half = index.shapes[owner][:, ::-1] / 2
    scale = frame.size[pairs.query] / index.size[pairs.feature]
    angle = (frame.angle[pairs.query] - index.angle[pairs.feature]) % (2 * np.pi)

    arm = half - index.xy[pairs.feature]
    cos, sin = np.cos(angle), np.sin(angle)
    turned = np.stack(
        [cos * arm[:, 0] - sin * arm[:, 1], sin * arm[:, 0] + cos * arm[:, 1]], axis=1
    )
    center = frame.xy[pairs.query] + scale[:, None] * turned

    diagonal = 2 * np.hypot(half[:, 0], half[:, 1])
    return _Votes(owner, diagonal, np.log2(scale * diagonal), angle, center, weights)


def _bin_votes(votes: _Votes) -> tuple[Ints, Ints]:
    """Keys of the 16 bins of every vote, two per dimension; and the vote of each."""
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
    return np.concatenate(keys), np.tile(np.arange(len(votes.owner)), len(keys))


def _is_known(votes: _Votes, vote: int, center: Floats, size: float, found: list[Cluster]) -> bool:
    """Whether a bin with that vote, mean center and mean size is a
    second sight of a cluster.
    """
    diagonal = float(votes.diagonal[vote])
    for cluster in found:
        if cluster.reference == votes.owner[vote]:
            reach = _SAME_PLACE * min(size, cluster.scale * diagonal)
            if np.hypot(*(cluster.center - center)) < reach:
                return True
    return False


def _make_cluster(votes: _Votes, rows: Ints, weight: float) -> Cluster:
    first = int(rows[0])
    size = float(np.exp2(np.median(votes.octave[rows])))
    return Cluster(
        reference=int(votes.owner[first]),
        weight=weight,
        scale=size / float(votes.diagonal[first]),
        angle=float(np.angle(np.exp(1j * votes.angle[rows]).sum())),
        center=np.asarray(np.median(votes.center[rows], axis=0), np.float32),
        rows=rows,
    )


def _first_of_run(*columns: Ints) -> Mask:
    """Where a sorted column, or any of several, changes; True at the first row."""
    changes = np.zeros(len(columns[0]), bool)
    changes[:1] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return changes
