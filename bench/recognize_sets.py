"""What the benches of recognising share: picture sets, one measured run over a set's photos, and the table."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_label_factory.errors import FactoryError
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.evaluate.evaluation import evaluate
from data_label_factory.identify.evaluate.ground_truth import Queries, read_queries
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize import Detection, Recognizer

_PHOTO_FOLDERS = ("queries", "frames", "photos")


@dataclass(frozen=True)
class PictureSet:
    """References, their calibrated index, and photos with their truth, then negatives."""

    name: str
    refs: Path
    index: Index
    recognizer: Recognizer
    queries: Queries


def open_sets(
    data: Path, names: Sequence[str], embedder: Embedder, scratch: Path, every: int
) -> Iterator[PictureSet]:
    """Index and calibrate in `scratch` each of the sets `names` that is there; of its photos, one in `every`.

    `data` holds NAME/refs beside NAME/queries, NAME/frames or NAME/photos, and `negatives`. Raises FactoryError when
    it holds none of the sets.
    """
    there = [name for name in names if (data / name / "refs").is_dir()]
    for name in sorted(set(names) - set(there)):
        print(f"skipped: there is no {data / name / 'refs'}", file=sys.stderr)
    if not there:
        raise FactoryError(
            f"There is no picture set in {data}", "Name with --data the folder that holds NAME/refs"
        )
    for name in there:
        refs, out = data / name / "refs", scratch / f"{name}.npz"
        collection = Collection.open(refs, out, embedder=embedder)
        index, recognizer = collection.index, collection.recognizer
        negatives = data / "negatives"
        queries = read_queries(
            index, photos_of(data / name), negatives=negatives if negatives.is_dir() else None
        )
        yield PictureSet(
            name, refs, index, recognizer, Queries(queries.photos[::every], queries.without_truth)
        )


def photos_of(folder: Path) -> Path:
    """The folder of a set's photos. Raises FactoryError when there is none."""
    for name in _PHOTO_FOLDERS:
        if (folder / name).is_dir():
            return folder / name
    raise FactoryError(
        f"{folder} has no photos", f"Put them into one of: {', '.join(_PHOTO_FOLDERS)}"
    )


def measure(recognize: Callable[[RGB], list[Detection]], queries: Queries) -> list[str]:
    """The figures of `identify evaluate`, and the milliseconds of CPU time a photo, as cells of a table."""
    start = time.process_time()
    result = evaluate(recognize, queries, quiet=True)
    cpu_ms = (time.process_time() - start) * 1000 / len(result.outcomes)
    figures = result.figures
    return [
        f"{figures.items} in {figures.frames}",
        f"{figures.top1:.3f}",
        f"{figures.top5:.3f}",
        f"{figures.accepted_right:.3f}",
        f"{figures.accepted_wrong_per_frame:.3f}",
        f"{figures.extra_per_frame:.3f}",
        f"{figures.false_accepts} of {figures.empty_frames}",
        "–" if figures.iou50 is None else f"{figures.iou50:.3f}",
        f"{result.ms_p50:.0f}",
        f"{result.ms_p95:.0f}",
        f"{cpu_ms:.0f}",
    ]


FIGURES = (
    "items in photos",
    "top-1",
    "top-5",
    "accepted right",
    "wrong a photo",
    "extra a photo",
    "false accepts",
    "IoU ≥ 0.5",
    "ms p50",
    "ms p95",
    "CPU ms",
)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that reads well as text too."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )
