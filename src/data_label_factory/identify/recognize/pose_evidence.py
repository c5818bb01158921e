"""What the embedding says about a pose that local features have found."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from data_label_factory.identify.images import RGB
from data_label_factory.identify.recognize.detection import Assessment
from data_label_factory.identify.recognize.nearest import Nearest
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.identify.recognize.printings import Printings, tell_printing
from data_label_factory.identify.recognize.references import ReferenceFeatures
from data_label_factory.identify.recognize.scoring import (
    ScoredPose,
    score_pose,
    swap_reference,
)

_TIE = 0.12  # log-odds; a single cell that agrees or not moves them by up to 0.1


def assess_poses(
    frame: RGB,
    poses: Sequence[ScoredPose],
    references: ReferenceFeatures,
    neighbors: NeighborSearch,
    printings: Printings | None,
    hidden: Collection[int],
    noise: float,
) -> list[Assessment]:
    """Ask the embedding about each pose in a frame (H, W, 3).

    Of items that score as well, one whose cosine is higher by more
    than `noise` takes the other's place. `printings` reads what
    tells near-duplicates apart.
    """
    found = neighbors.look_at(frame, [pose.quad for pose in poses], hidden)
    assessed = []
    for pose, nearest in zip(poses, found, strict=True):
        pose = _give_way_to_nearest(frame, pose, nearest, references, neighbors, noise)
        told = tell_printing(printings, frame, pose, references, hidden)
        row = int(references.rows[told.number])
        same = references.rows[list(told.alike)]
        visible = [other for other in same if other not in hidden]
        near_duplicates = neighbors.index.other_variants(row, visible)

        # With a single item, that it is nearer than others is no evidence.
        margin_ratio = 0.0
        if neighbors.index.item_count > 1:
            margin_ratio = neighbors.margin_ratio(row, nearest)
        assessed.append(
            Assessment(row, pose.quad, nearest, margin_ratio, pose, near_duplicates, read=told.read)
        )
    return assessed


def _give_way_to_nearest(
    frame: RGB,
    pose: ScoredPose,
    nearest: Nearest,
    references: ReferenceFeatures,
    neighbors: NeighborSearch,
    noise: float,
) -> ScoredPose:
    """The nearest item by embedding, if it scores as well in the same place;
    else `pose`.
    """
    row = int(references.rows[pose.hypothesis.reference])
    best = nearest.best
    if best is None or neighbors.index.items[best] == neighbors.index.items[row]:
        return pose
    if nearest.cosine(best) - nearest.cosine(row) <= noise:
        return pose

    numbers = references.numbers_of([best])
    if not numbers:  # its picture could not be read
        return pose
    swapped = swap_reference(pose.hypothesis, numbers[0], references)
    rival = score_pose(frame, swapped, references)
    return rival if rival.score > pose.score - _TIE else pose
