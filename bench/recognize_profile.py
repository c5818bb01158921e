"""Where the time of a photo goes, stage by stage."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from recognize_sets import format_table, open_sets

from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.recognize import recognizer, scale_search
from data_label_factory.identify.recognize.features import Extractor
from data_label_factory.identify.recognize.local_index import LocalIndex
from data_label_factory.identify.recognize.neighbors import NeighborSearch
from data_label_factory.identify.recognize.pose import FrameMatcher
from data_label_factory.identify.recognize.references import ReferenceFeatures

# What a stage is called, and where its functions are called from.
STAGES: dict[str, tuple[tuple[Any, str], ...]] = {
    "local features": ((Extractor, "within"),),
    "look-up in the index": ((LocalIndex, "pairs"),),
    "weights of the votes": ((scale_search, "weigh"),),
    "clusters": ((scale_search, "find_clusters"),),
    "poses": ((FrameMatcher, "verify"), (FrameMatcher, "match")),
    "appearance": ((scale_search, "score_pose"), (recognizer, "score_pose")),
    "near-duplicates": ((ReferenceFeatures, "near_duplicates_within"),),
    "regions": ((recognizer, "assess_regions"),),
    "embedding": ((NeighborSearch, "look_at"),),
}
_REST = "the rest"


class StageClock:
    """Wall and CPU seconds of each stage, without those of the stages inside it; and calls."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0])
        self._inner: list[list[float]] = []

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            start = time.perf_counter(), time.process_time()
            self._inner.append([0.0, 0.0])
            try:
                return function(*args, **options)
            finally:
                wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
                inner_wall, inner_cpu = self._inner.pop()
                spent = self.spent[stage]
                spent[0] += wall - inner_wall
                spent[1] += cpu - inner_cpu
                spent[2] += 1
                if self._inner:
                    self._inner[-1][0] += wall
                    self._inner[-1][1] += cpu

        return run

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Time every stage. A name that no longer exists raises."""
        with ExitStack() as patches:
            for stage, places in STAGES.items():
                for owner, name in places:
                    timed = self.timed(stage, getattr(owner, name))
                    patches.enter_context(patch.object(owner, name, timed))
            yield


def profile(options: argparse.Namespace, scratch: Path) -> None:
    rows = []
    for pictures in open_sets(options.data, options.sets, Embedder.open(), scratch, options.every):
        frames = [decode(photo.path) for photo in pictures.queries.photos]
        pictures.recognizer.recognize(frames[0])  # what the first call sets up is not timed

        clock = StageClock()
        with clock.watching():
            for frame in frames:
                clock.timed(_REST, pictures.recognizer.recognize)(frame)

        spent = {stage: np.array(clock.spent[stage]) / len(frames) for stage in (*STAGES, _REST)}
        spent["all"] = sum(spent.values(), start=np.zeros(3))
        for stage, (wall, cpu, calls) in spent.items():
            count = "" if stage == "all" else f"{calls:.1f}"
            rows.append([pictures.name, stage, f"{wall * 1000:.1f}", f"{cpu * 1000:.1f}", count])
    print(format_table(["set", "stage", "ms", "CPU ms", "calls per photo"], rows), flush=True)
