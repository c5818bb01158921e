"""A recognizer in a process of its own: what opening it takes, and each frame.

    python scale_worker.py INDEX.npz REFS FRAME …

Prints one line of JSON when it is ready, and one for each number of a frame that it reads.
`Worker` is the other end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from data_label_factory.identify.encoders import Embedder
from data_label_factory.identify.images import decode
from data_label_factory.identify.index import Index
from data_label_factory.identify.recognize import Recognizer
from data_label_factory.identify.recognize.feature_store import feature_store_path

_MIN_SIDE_PX = 1024  # photos are decoded to at least that, as the server does
_WARM_UP = 4  # frames


class Worker:
    """A context in which a process answers. `opened` says what opening took."""

    def __init__(self, index_file: Path, refs: Path, frames: Sequence[Path]) -> None:
        self._command = [sys.executable, __file__, str(index_file), str(refs), *map(str, frames)]

    def __enter__(self) -> Worker:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.opened = self._read()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def recognize(self, number: int) -> dict[str, Any]:
        """Milliseconds by the clock and of CPU for a frame, and what is surely in it."""
        assert self._process.stdin
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the process ended; what it printed says why"
        return dict(json.loads(line))


def main(arguments: Sequence[str]) -> None:
    index_file, refs = map(Path, arguments[:2])
    embedder = Embedder.open()
    start = time.perf_counter(), time.process_time()
    recognizer = Recognizer(
        Index.load(index_file), embedder, refs=refs, cache=feature_store_path(index_file)
    )
    seconds = time.perf_counter() - start[0], time.process_time() - start[1]

    frames = [decode(path, min_side=_MIN_SIDE_PX) for path in map(Path, arguments[2:])]
    for frame in frames[:_WARM_UP]:
        recognizer.recognize(frame)
    memory = psutil.Process().memory_full_info()
    opened = {
        "wall_s": seconds[0],
        "cpu_s": seconds[1],
        "resident": memory.rss,
        "private": memory.uss,
        "unreadable": len(recognizer.unreadable),
    }
    print(json.dumps(opened), flush=True)

    for line in sys.stdin:
        start = time.perf_counter(), time.process_time()
        detections = recognizer.recognize(frames[int(line)])
        wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
        sure = sorted(one.reference for one in detections if one.confident)
        print(json.dumps({"wall_ms": wall * 1e3, "cpu_ms": cpu * 1e3, "sure": sure}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
