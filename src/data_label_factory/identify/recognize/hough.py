"""Single matches vote for (reference, place, size, turn); what many of them agree on is a hypothesis.

Weights after local naive-Bayes nearest neighbours: McCann & Lowe, CVPR 2012. Voting in similarity space after Lowe,
IJCV 2004, section 7.3. No region has to be proposed beforehand, and several items fall out as several clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_label_factory.identify.recognize.features import Features, Floats, Ints
from data_label_factory.identify.recognize.local_index import LocalIndex, Pairs

_BACKGROUND_RANK = 10  # the distance to so many references further on stands for "anything"
_FAR = 0.5  # RootSIFT distance of unrelated descriptors, where there are fewer references than that
_ANGLE_BINS = 8
_CELL_SHARE = 0.35  # of the item's diagonal
_MIN_VOTES = 3


@dataclass(frozen=True)
class Cluster:
    """Votes that agree: `scale` frame px per reference px, `angle` radians, `centre` (2,) px in the frame; `rows` are
    the voting matches."""

    reference: int
    weight: float
    scale: float
    angle: float
    center: Floats
    rows: Ints


def weigh(pairs: Pairs, index: LocalIndex) -> tuple[Ints, Floats]:
    """The best match of each query with each reference, and its weight: rows into `pairs` (M,), weights (M,) > 0.

    The weight is d²(background) - d², the background being the distance to the 10th nearest reference: a detail that
    is as near to many references weighs nothing.
    """
    owner = index.owner(pairs.feature)
    order = np.lexsort((pairs.distance, owner, pairs.query))
    order = order[_first_of_run(pairs.query[order], owner[order])]
    order = order[np.lexsort((pairs.distance[order], pairs.query[order]))]
    query, distance = pairs.query[order], pairs.distance[order]
    starts = np.flatnonzero(_first_of_run(query))
    lengths = np.diff(np.append(starts, len(query)))
    rank = np.arange(len(query)) - np.repeat(starts, lengths)
    background = np.full(len(starts), _FAR, np.float32)
    further = min(_BACKGROUND_RANK, max(len(index) - 1, 1))
    has = lengths > further
    background[has] = np.minimum(_FAR, distance[starts[has] + further])
    weight = np.repeat(background, lengths) ** 2 - distance**2
    keep = (weight > 0) & (rank < further)
    return order[keep], np.asarray(weight[keep], np.float32)


def clusters(
    index: LocalIndex, frame: Features, pairs: Pairs, weights: Floats, most: int = 40
) -> list[Cluster]:
    """At most `most` clusters, heaviest first. Each vote falls into the two nearest bins of every dimension."""
    if not len(weights):
        return []
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
    octave = np.log2(scale * diagonal)  # of the item's diagonal in the frame
    keys, votes = _bins(owner, octave, angle, center)
    order = np.argsort(
        keys
    )  # within a bin any order will do, and a stable one takes four times as long
    starts = np.flatnonzero(_first_of_run(keys[order]))
    total = np.add.reduceat(weights[votes[order]], starts)
    ends = np.append(starts[1:], len(order))
    candidates = np.flatnonzero(ends - starts >= _MIN_VOTES)
    # Means of every bin at once; only bins that are no second sight of a cluster are looked at more closely.
    counts = np.diff(np.append(starts, len(order)))
    means = np.add.reduceat(center[votes[order]], starts, axis=0) / counts[:, None]
    sizes = np.exp2(np.add.reduceat(octave[votes[order]], starts) / counts)
    found: list[Cluster] = []
    for bin_ in candidates[np.argsort(-total[candidates], kind="stable")][: most * 24]:
        reference, size = int(owner[votes[order[starts[bin_]]]]), float(sizes[bin_])
        long = float(diagonal[votes[order[starts[bin_]]]])
        near = (
            np.hypot(*(c.center - means[bin_])) < 0.5 * min(size, c.scale * long)
            for c in found
            if c.reference == reference
        )
        if any(near):
            continue
        rows = votes[order[starts[bin_] : ends[bin_]]]
        turn = float(np.angle(np.exp(1j * angle[rows]).sum()))
        scale_, middle = (
            float(np.exp2(np.median(octave[rows]))) / long,
            np.median(center[rows], axis=0),
        )
        found.append(
            Cluster(
                reference, float(total[bin_]), scale_, turn, np.asarray(middle, np.float32), rows
            )
        )
        if len(found) >= most:
            break
    return found


def _bins(owner: Ints, octave: Floats, angle: Floats, center: Floats) -> tuple[Ints, Ints]:
    """Keys of the 16 bins of every vote, and the vote of each."""
    keys = []
    low = np.floor(octave - 0.5).astype(np.int64)
    turn = np.floor(angle / (2 * np.pi) * _ANGLE_BINS - 0.5).astype(np.int64)
    for up in (0, 1):
        cell = _CELL_SHARE * np.exp2(low + up + 0.5)
        corner = np.floor(center / cell[:, None] - 0.5).astype(np.int64)
        for side in (0, 1):
            base = (owner * 32 + (low + up).clip(0, 31)) * _ANGLE_BINS + (turn + side) % _ANGLE_BINS
            for right in (0, 1):
                column = base * 4096 + (corner[:, 0] + right + 1024).clip(0, 4095)
                keys += [
                    column * 4096 + (corner[:, 1] + down + 1024).clip(0, 4095) for down in (0, 1)
                ]
    return np.concatenate(keys), np.tile(np.arange(len(owner)), len(keys))


def _first_of_run(*columns: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where a sorted column, or any of several, changes; True at the first row."""
    changes = np.zeros(len(columns[0]), bool)
    changes[:1] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return changes
