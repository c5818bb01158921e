"""What the recognition benches share: picture sets, a measured run over one, and the table."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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
_VIEWS = "+views"


@dataclass(frozen=True)
class PictureSet:
    """References, their calibrated index, and photos with their ground truth, negatives last."""

    name: str
    refs: Path
    index: Index
    recognizer: Recognizer
    queries: Queries


def open_sets(
    data: Path, names: Sequence[str], embedder: Embedder, scratch: Path, every: int
) -> Iterator[PictureSet]:
    """Index and calibrate in `scratch` each set in `names` that exists; take every Nth photo.

    `data` holds NAME/refs beside NAME/queries, NAME/frames or NAME/photos, and `negatives`.
    The set NAME+views has the pictures in NAME/views as further references. Raises
    FactoryError if it holds none of the sets.
    """
    present = [name for name in names if all(map(Path.is_dir, _find_refs(data, name)))]
    for name in sorted(set(names) - set(present)):
        print(f"skipped: there is no {_find_refs(data, name)[-1]}", file=sys.stderr)
    if not present:
        raise FactoryError(
            f"There is no picture set in {data}", "Name with --data the folder that holds NAME/refs"
        )

    negatives = data / "negatives" if (data / "negatives").is_dir() else None
    for name in present:
        refs = _join_folders(_find_refs(data, name), scratch / name)
        collection = Collection.open(refs, scratch / f"{name}.npz", embedder=embedder)
        index = collection.index
        recognizer = collection.recognizer
        queries = read_queries(
            index, find_photos(data / name.removesuffix(_VIEWS)), negatives=negatives
        )
        some = Queries(queries.photos[::every], queries.without_truth)
        yield PictureSet(name, refs, index, recognizer, some)


def _find_refs(data: Path, name: str) -> list[Path]:
    folder = data / name.removesuffix(_VIEWS)
    return [folder / "refs", *([folder / "views"] if name.endswith(_VIEWS) else [])]


def _join_folders(folders: Sequence[Path], joined: Path) -> Path:
    """Return the only folder, or `joined`, with a link to each file of several."""
    if len(folders) == 1:
        return folders[0]
    joined.mkdir()
    for file in (file for folder in folders for file in folder.iterdir()):
        (joined / file.name).symlink_to(file.resolve())
    return joined


def guessing(recognizer: Recognizer) -> Callable[[RGB], list[Detection]]:
    """Return its `recognize` as `identify evaluate` calls it: with guesses."""
    return partial(recognizer.recognize, guess=True)


def find_photos(folder: Path) -> Path:
    """Return the folder of a set's photos. Raises FactoryError if there is none."""
    for name in _PHOTO_FOLDERS:
        if (folder / name).is_dir():
            return folder / name
    hint = f"Put them into one of: {', '.join(_PHOTO_FOLDERS)}"
    raise FactoryError(f"{folder} has no photos", hint)


def measure(recognize: Callable[[RGB], list[Detection]], queries: Queries) -> list[str]:
    """Return the figures of `identify evaluate`, and CPU milliseconds per photo, as table cells."""
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
    "wrong per photo",
    "extra per photo",
    "false accepts",
    "IoU ≥ 0.5",
    "ms p50",
    "ms p95",
    "CPU ms",
)


def format_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table that reads well as text too."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = []
    for row in (head, ["-" * width for width in widths], *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
