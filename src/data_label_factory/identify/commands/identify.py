"""`identify FILES…`: name what pictures, folders and videos show."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from data_label_factory.errors import FactoryError
from data_label_factory.identify.batch import (
    RecognizedFrame,
    Source,
    Unreadable,
    as_json,
    find_sources,
    recognize_files,
)
from data_label_factory.identify.commands.options import (
    add_recognizer_options,
    create_parser,
    open_recognizer,
    positive,
)
from data_label_factory.identify.index import Index
from data_label_factory.identify.output.annotated import Copies
from data_label_factory.identify.output.coco import CocoWriter
from data_label_factory.identify.recognize import Detection

_NAME_WIDTH_MAX = 40


@dataclass
class _Counts:
    frames: int = 0
    named: int = 0
    unsure: int = 0
    unreadable: int = 0


def main(argv: Sequence[str]) -> int:
    args = _create_parser().parse_intermixed_args(argv)  # options may stand between files
    sources = find_sources(args.files)
    if not sources:
        files = ", ".join(map(str, args.files))
        raise FactoryError(f"There is no picture or video in {files}", "Name some")

    index = Index.load(args.index)
    recognizer = open_recognizer(args, index)
    # On a terminal the table itself shows the progress.
    frames = recognize_files(
        recognizer.recognize, sources, every=args.every, quiet=sys.stdout.isatty()
    )
    with _open_writer(args, sources, index) as writer:
        counts = writer.write_all(frames)

    more = "" if args.all or not counts.unsure else " (--all lists them)"
    unreadable = f", not readable: {counts.unreadable}" if counts.unreadable else ""
    print(
        f"frames: {counts.frames}, items named: {counts.named}, "
        f"unsure: {counts.unsure}{more}{unreadable}",
        file=sys.stderr,
    )
    return 1 if counts.unreadable else 0


def _create_parser() -> argparse.ArgumentParser:
    p = create_parser(
        "identify",
        "Name what pictures, folders of them or videos show. "
        "Exit 1 if some file could not be read, else 0.",
    )

    p.add_argument("files", metavar="FILES", type=Path, nargs="+", help="pictures, folders, videos")
    add_recognizer_options(p)

    p.add_argument(
        "--every",
        metavar="N",
        type=positive,
        default=1,
        help="read every N-th frame of a video (default: 1)",
    )
    p.add_argument(
        "--all",
        action="store_true",
        help="list the answers that are not confident, too (default: only count them)",
    )

    p.add_argument("--json", action="store_true", help="print JSON, one line per frame")
    p.add_argument(
        "--coco",
        metavar="FILE.json",
        type=Path,
        help="write quads and boxes in COCO format",
    )
    p.add_argument(
        "--draw",
        metavar="DIR",
        type=Path,
        help="write a copy of each frame with outlines and names",
    )

    return p


@contextmanager
def _open_writer(
    args: argparse.Namespace, sources: list[Source], index: Index
) -> Iterator[_Writer]:
    copies = Copies(args.draw, sources) if args.draw else None
    width = min(max(len(str(source.path)) for source in sources), _NAME_WIDTH_MAX)
    with CocoWriter(args.coco, index) if args.coco else nullcontext() as coco:
        yield _Writer(coco, copies, width, show_all=args.all, as_json=args.json)


class _Writer:
    """Writes each frame, as it comes, to the files that the options name and to stdout."""

    def __init__(
        self,
        coco: CocoWriter | None,
        copies: Copies | None,
        width: int,
        *,
        show_all: bool,
        as_json: bool,
    ) -> None:
        self._coco = coco
        self._copies = copies
        self._width = width
        self._show_all = show_all
        self._as_json = as_json

    def write_all(self, frames: Iterator[RecognizedFrame | Unreadable]) -> _Counts:
        counts = _Counts()
        for frame in frames:
            if isinstance(frame, Unreadable):
                counts.unreadable += 1
                self._print_unreadable(frame)
                continue
            confident = [detection for detection in frame.detections if detection.confident]
            counts.frames += 1
            counts.named += len(confident)
            counts.unsure += len(frame.detections) - len(confident)
            self._write_frame(frame, frame.detections if self._show_all else confident)
        return counts

    def _write_frame(self, frame: RecognizedFrame, shown: Sequence[Detection]) -> None:
        # Printed last: a printed line guarantees that its frame is in the files.
        if self._coco:
            self._coco.add(frame, shown)
        if self._copies:
            self._copies.write(frame, shown)
        text = (
            json.dumps(as_json(frame, shown))
            if self._as_json
            else _as_text(frame, shown, self._width)
        )
        print(text, flush=True)

    def _print_unreadable(self, file: Unreadable) -> None:
        path = str(file.source.path)
        if self._as_json:
            print(json.dumps({"file": path, "error": file.reason}), flush=True)
        print(f"not readable: {path!r}: {file.reason}", file=sys.stderr)


def _as_text(frame: RecognizedFrame, shown: Sequence[Detection], width: int) -> str:
    if not shown:
        unsure = len(frame.detections)
        return f"{frame.name:{width}}  –" + (f" ({unsure} unsure)" if unsure else "")
    return "\n".join(f"{frame.name:{width}}  {_describe(detection)}" for detection in shown)


def _describe(detection: Detection) -> str:
    mark = "" if detection.confident else "? "
    code = f"  [{detection.label.set_code}]" if detection.label.set_code else ""
    cosines = f"cosine {detection.score:.2f}, margin {detection.margin:.2f}"
    return f"{mark}{detection.label}{code}  {cosines}"
