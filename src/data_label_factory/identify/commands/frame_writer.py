"""What `identify FILES…` writes of each frame: a line or JSON,
COCO, and annotated copies.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from data_label_factory.identify.batch import RecognizedFrame, Source, Unreadable
from data_label_factory.identify.batch import as_json as frame_as_json
from data_label_factory.identify.index import Index
from data_label_factory.identify.output.annotated import Copies
from data_label_factory.identify.output.coco import CocoWriter
from data_label_factory.identify.recognize import Detection

_NAME_WIDTH_MAX = 40
_GUESSED_MAX = 3  # names


@dataclass
class Counts:
    frames: int = 0
    named: int = 0
    unsure: int = 0
    guessed: int = 0
    unreadable: int = 0


@contextmanager
def open_writer(
    sources: Sequence[Source],
    index: Index,
    *,
    coco: Path | None,
    draw: Path | None,
    show_all: bool,
    as_json: bool,
) -> Iterator[FrameWriter]:
    """The writer of the frames of `sources`; the COCO file is
    complete when it is closed.
    """
    copies = Copies(draw, list(sources)) if draw else None
    width = min(max(len(str(source.path)) for source in sources), _NAME_WIDTH_MAX)
    with CocoWriter(coco, index) if coco else nullcontext() as coco_writer:
        yield FrameWriter(index, coco_writer, copies, width, show_all=show_all, as_json=as_json)


class FrameWriter:
    """Writes each frame, as it comes, to the files that the
    options name and to stdout.
    """

    def __init__(
        self,
        index: Index,
        coco: CocoWriter | None,
        copies: Copies | None,
        width: int,
        *,
        show_all: bool,
        as_json: bool,
    ) -> None:
        self._index = index
        self._coco = coco
        self._copies = copies
        self._width = width
        self._show_all = show_all
        self._as_json = as_json

    def write_all(self, frames: Iterator[RecognizedFrame | Unreadable]) -> Counts:
        counts = Counts()
        for frame in frames:
            if isinstance(frame, Unreadable):
                counts.unreadable += 1
                self._print_unreadable(frame)
                continue
            confident = [detection for detection in frame.found if detection.confident]
            counts.frames += 1
            counts.named += len(confident)
            counts.unsure += len(frame.found) - len(confident)
            counts.guessed += len(frame.guesses)
            self._write_frame(frame, frame.found if self._show_all else confident)
        return counts

    def _write_frame(self, frame: RecognizedFrame, shown: Sequence[Detection]) -> None:
        # Printed last: a printed line guarantees that its frame
        # is in the files.
        if self._coco:
            self._coco.add(frame, shown)
        if self._copies:
            self._copies.write(frame, shown)
        print(self._format(frame, shown), flush=True)

    def _format(self, frame: RecognizedFrame, shown: Sequence[Detection]) -> str:
        if self._as_json:
            return json.dumps(frame_as_json(frame, shown))
        return _as_text(frame, shown, self._width, self._index)

    def _print_unreadable(self, file: Unreadable) -> None:
        path = str(file.source.path)
        if self._as_json:
            print(json.dumps({"file": path, "error": file.reason}), flush=True)
        print(f"not readable: {path!r}: {file.reason}", file=sys.stderr)


def _as_text(frame: RecognizedFrame, shown: Sequence[Detection], width: int, index: Index) -> str:
    lines = [_describe(detection) for detection in shown]
    unsure = f" ({len(frame.found)} unsure)" if frame.found and not shown else ""
    lines += [f"perhaps: {_list_names(guess, index)}{unsure}" for guess in frame.guesses]
    return "\n".join(f"{frame.name:{width}}  {line}" for line in lines or [f"–{unsure}"])


def _list_names(guess: Detection, index: Index) -> str:
    """The nearest items of a guess, each once."""
    references = [guess.reference, *(reference for reference, _ in guess.top_k)]
    names = {index.items[index.row_of[one]]: index.label(index.row_of[one]) for one in references}
    return ", ".join(label.name for label in list(names.values())[:_GUESSED_MAX])


def _describe(detection: Detection) -> str:
    mark = "" if detection.confident else "? "
    code = f"  [{detection.label.set_code}]" if detection.label.set_code else ""
    cosines = f"cosine {detection.score:.2f}, margin {detection.margin:.2f}"
    return f"{mark}{detection.label}{code}  {cosines}"
