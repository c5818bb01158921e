"""The whole job in one go, on our sample collection or on the user's own folder, ending in one picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_label_factory.atomic import atomic_write
from data_label_factory.identify.camera import render_view
from data_label_factory.identify.collection import Collection
from data_label_factory.identify.demo.picture import Scene, draw_result
from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index.build import DECODE_MIN_SIDE, BuildResult
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.refresh import refresh_index
from data_label_factory.identify.verify.report import Report, verify_index
from data_label_factory.samples import draw_collection

SAMPLE_COUNT = 150
_SCENE_SIZES = (1, 2, 3)  # items in each of the three views
_SIMULATED_VIEWS = 1


@dataclass(frozen=True)
class DemoResult:
    """`right` of the `shown` items were named, `picture` shows it."""

    build: BuildResult
    report: Report
    right: int
    shown: int
    picture: Path


def run_demo(
    out: Path, refs: Path | None, *, seed: int, say: Callable[[str], None], quiet: bool = False
) -> DemoResult:
    """Index and verify `refs` (our samples when None), photograph a few of them, name them, draw the result.

    Everything goes into the folder `out`. Raises FactoryError as the stages do.
    """
    out.mkdir(parents=True, exist_ok=True)
    if refs is None:
        refs = out / "refs"
        refs.mkdir(exist_ok=True)
        say(f"1/4 drawing a sample collection of {SAMPLE_COUNT} cards into {refs}")
        draw_collection(refs, count=SAMPLE_COUNT)
    else:
        say(f"1/4 taking the pictures in {refs}")
    embedder = Embedder.open()
    say("2/4 indexing, and learning from strangers how sure is sure enough")
    index_file = out / "index.npz"
    build = refresh_index(refs, index_file, embedder, quiet=quiet)
    say("3/4 verifying, with simulated webcam views")
    report = verify_index(build.index, embedder, refs=refs, simulate=_SIMULATED_VIEWS, quiet=quiet)
    say("4/4 photographing a few of them and naming what is seen")
    recognizer = Collection(build.index, index_file, embedder, refs).recognizer
    scenes = _scenes(build, refs, recognizer, np.random.default_rng(seed))
    picture = out / "result.png"
    with atomic_write(picture) as file:
        draw_result(scenes, refs, report, len(build.index)).save(file, "PNG")
    right = sum(_named(scene, item) for scene in scenes for item in scene.truth)
    return DemoResult(build, report, right, sum(len(scene.truth) for scene in scenes), picture)


def _scenes(
    build: BuildResult, refs: Path, recognizer: Recognizer, rng: np.random.Generator
) -> list[Scene]:
    index = build.index
    firsts = np.unique(index.items, return_index=True)[1]  # one reference an item
    scenes = []
    for size in _SCENE_SIZES:
        rows = rng.choice(firsts, min(size, len(firsts)), replace=False)
        shown = [
            decode(refs / str(index.references[row]), min_side=DECODE_MIN_SIDE) for row in rows
        ]
        frame = render_view(shown, rng).image
        scenes.append(
            Scene(frame, [str(index.names[row]) for row in rows], recognizer.recognize(frame))
        )
    return scenes


def _named(scene: Scene, item: str) -> bool:
    return any(
        detection.confident and detection.label.name == item for detection in scene.detections
    )
