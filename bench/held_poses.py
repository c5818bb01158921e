"""What a track holds on to: a thing's own appearance, against another laid into its place.

    python bench/held_poses.py [--data DIR] [--set cards] [--every 3] [--others 10]

Every confident detection of every Nth photo is compared with its own reference, and at the same
place with other ones. Prints percentiles, and how many pass for the thing that lay there a frame
ago (`alignment.is_same_thing`), with and without the fall from it, and as clear (`is_clear`).
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from recognize_sets import PictureSet, format_table, open_sets

from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.recognize.scoring import ScoredPose, score_pose, swap_reference
from data_label_factory.identify.tracking.alignment import is_clear, is_same_thing

_PERCENTILES = (0, 1, 50, 99, 100)


def collect(
    pictures: PictureSet, others: int
) -> tuple[list[ScoredPose], list[tuple[ScoredPose, ScoredPose]]]:
    """The poses of confident detections; and each beside those of other references there."""
    recognizer = pictures.recognizer
    references = recognizer.references
    assert references is not None
    rng = np.random.default_rng(0)

    own: list[ScoredPose] = []
    swapped: list[tuple[ScoredPose, ScoredPose]] = []
    for photo in pictures.queries.photos:
        frame = decode(photo.path)
        for one in recognizer.assess(frame):
            if one.pose is None or not recognizer.describe(one).confident:
                continue
            own.append(one.pose)
            for number in rng.choice(len(references.rows), others, replace=False):
                if number != one.pose.hypothesis.reference:
                    there = swap_reference(one.pose.hypothesis, int(number), references)
                    swapped.append((one.pose, score_pose(frame, there, references)))
    return own, swapped


def describe(poses: Sequence[ScoredPose], before: Sequence[ScoredPose]) -> list[str]:
    """One row of the table: percentiles, and how many pass."""
    values = [(p.evidence.whole, p.evidence.whole_correlation, p.color) for p in poses]
    columns = np.percentile(np.array(values), _PERCENTILES, axis=0).T
    pairs = list(zip(before, poses, strict=True))
    return [
        str(len(poses)),
        *(" / ".join(f"{value:.2f}" for value in column) for column in columns),
        str(sum(is_same_thing(pose, pose) for pose in poses)),
        str(sum(is_same_thing(*pair) for pair in pairs)),
        str(sum(map(is_clear, poses))),
    ]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path(os.environ.get("DLF_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--set", default="cards")
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--others", type=int, default=10)
    options = parser.parse_args(argv)

    with tempfile.TemporaryDirectory() as scratch:
        sets = open_sets(options.data, [options.set], Embedder.open(), Path(scratch), options.every)
        own, swapped = collect(next(sets), options.others)
    rows = [
        ["itself", *describe(own, own)],
        ["another", *describe([now for _, now in swapped], [before for before, _ in swapped])],
    ]
    percentiles = "/".join(map(str, _PERCENTILES))
    head = ["", "poses", *(f"{name}, {percentiles} %" for name in ("appearance", "correlation"))]
    head += [f"color, {percentiles} %", "same, without the fall", "same", "clear"]
    print(format_table(head, rows))


if __name__ == "__main__":
    main()
