"""All stages in one go, on our sample collection or the user's own folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_label_factory.atomic import atomic_write
from data_label_factory.identify.camera import Rng, render_view
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.demo.picture import Scene, draw_result
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import BuildResult
from data_label_factory.identify.index.files import read_row
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.refresh import refresh_index
from data_label_factory.identify.verify.report import Report, verify_index
from data_label_factory.samples import draw_collection

SAMPLE_COUNT = 150
_SCENE_SIZES = (1, 2, 3)  # items in each of the three views
_SIMULATED_VIEWS = 1


@dataclass(frozen=True)
class DemoResult:
    """`right` of the `shown` items were named confidently; `picture` shows the result."""

    build: BuildResult
    report: Report
    right: int
    shown: int
    picture: Path


def run_demo(
    out: Path,
    refs: Path | None,
    *,
    seed: int,
    say: Callable[[str], None],
    quiet: bool = False,
) -> DemoResult:
    """Index and verify `refs`, photograph a few of them, name them, and
    draw the result.

    Without `refs`, a sample collection is drawn. All files go into the
    folder `out`. Raises FactoryError as the stages do.
    """
    out.mkdir(parents=True, exist_ok=True)
    refs = _provide_references(out, refs, say)

    embedder = Embedder.open()
    say("2/4 indexing, and calibrating the confidence")
    index_file = out / "index.npz"
    build = refresh_index(refs, index_file, embedder, quiet=quiet)
    index = build.index

    say("3/4 verifying, with simulated webcam views")
    report = verify_index(index, embedder, refs=refs, simulate=_SIMULATED_VIEWS, quiet=quiet)

    say("4/4 photographing a few references and naming them")
    recognizer = Collection(index, index_file, embedder, refs).recognizer
    scenes = _photograph_scenes(index, refs, recognizer, np.random.default_rng(seed))

    picture = out / "result.png"
    with atomic_write(picture) as file:
        draw_result(scenes, refs, report, len(index)).save(file, "PNG")
    return DemoResult(
        build,
        report,
        right=_count_named(scenes),
        shown=sum(len(scene.truth) for scene in scenes),
        picture=picture,
    )


def _provide_references(out: Path, refs: Path | None, say: Callable[[str], None]) -> Path:
    """The user's folder, or a sample collection drawn below `out`."""
    if refs is not None:
        say(f"1/4 taking the pictures in {refs}")
        return refs

    refs = out / "refs"
    refs.mkdir(exist_ok=True)
    say(f"1/4 drawing a sample collection of {SAMPLE_COUNT} cards into {refs}")
    draw_collection(refs, count=SAMPLE_COUNT)
    return refs


def _photograph_scenes(index: Index, refs: Path, recognizer: Recognizer, rng: Rng) -> list[Scene]:
    one_row_per_item = np.unique(index.items, return_index=True)[1]

    scenes = []
    for size in _SCENE_SIZES:
        count = min(size, len(one_row_per_item))
        rows = rng.choice(one_row_per_item, count, replace=False)
        pictures = [read_row(index, refs, int(row)) for row in rows]
        frame = render_view(pictures, rng).image
        truth = [str(index.names[row]) for row in rows]
        scenes.append(Scene(frame, truth, recognizer.recognize(frame)))
    return scenes


def _count_named(scenes: Sequence[Scene]) -> int:
    """How many of the items shown have a confident detection with their name."""
    count = 0
    for scene in scenes:
        named = {detection.label.name for detection in scene.detections if detection.confident}
        count += sum(name in named for name in scene.truth)
    return count
