from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
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
    open_recognizer,
    parser,
    positive,
)
from data_label_factory.identify.index import Index
from data_label_factory.identify.output.annotated import Copies
from data_label_factory.identify.output.coco import CocoWriter
from data_label_factory.identify.recognize import Detection, Recognizer

_NAME_WIDTH_MAX = 40


def main(argv: Sequence[str]) -> int:
    p = parser(
        "identify",
        "Name what pictures, folders of them or videos show. Exit 1 when some file could not be read, else 0.",
    )
    p.add_argument("files", metavar="FILES", type=Path, nargs="+", help="pictures, folders, videos")
    add_recognizer_options(p)
    p.add_argument(
        "--every",
        metavar="N",
        type=positive,
        default=1,
        help="of a video, every N-th frame (default: 1)",
    )
    p.add_argument(
        "--all", action="store_true", help="list unsure ones too, which are only counted otherwise"
    )
    p.add_argument("--json", action="store_true", help="print JSON, one line a frame")
    p.add_argument(
        "--coco", metavar="FILE.json", type=Path, help="write outlines and boxes in COCO format"
    )
    p.add_argument(
        "--draw",
        metavar="DIR",
        type=Path,
        help="write a copy of each frame with outlines and names",
    )
    args = p.parse_intermixed_args(argv)  # options may stand between files

    sources = find_sources(args.files)
    if not sources:
        raise FactoryError(
            f"There is no picture or video in {', '.join(map(str, args.files))}", "Name some"
        )
    index = Index.load(args.index)
    return _run(args, sources, index, open_recognizer(args, index))


def _run(
    args: argparse.Namespace, sources: list[Source], index: Index, recognizer: Recognizer
) -> int:
    """Hand each frame to what was asked for, as it comes."""
    copies = Copies(args.draw, sources) if args.draw else None
    width = min(max(len(str(source.path)) for source in sources), _NAME_WIDTH_MAX)
    frames = named = unsure = unreadable = 0
    with ExitStack() as stack:
        coco = stack.enter_context(CocoWriter(args.coco, index)) if args.coco else None
        # On a terminal the table itself shows how far it is.
        quiet = sys.stdout.isatty()
        for frame in recognize_files(recognizer.recognize, sources, every=args.every, quiet=quiet):
            if isinstance(frame, Unreadable):
                unreadable += 1
                _print_unreadable(frame, args.json)
                continue
            sure = [detection for detection in frame.detections if detection.confident]
            shown = frame.detections if args.all else sure
            frames, named, unsure = (
                frames + 1,
                named + len(sure),
                unsure + len(frame.detections) - len(sure),
            )
            # Kept first, printed last: who sees a line may count on its frame being in the files.
            if coco:
                coco.add(frame, shown)
            if copies:
                copies.write(frame, shown)
            print(
                json.dumps(as_json(frame, shown)) if args.json else _as_text(frame, shown, width),
                flush=True,
            )
    more = "" if args.all or not unsure else " (--all lists them)"
    files = f", not readable: {unreadable}" if unreadable else ""
    print(f"frames: {frames}, items named: {named}, unsure: {unsure}{more}{files}", file=sys.stderr)
    return 1 if unreadable else 0


def _print_unreadable(file: Unreadable, as_line: bool) -> None:
    if as_line:
        print(json.dumps({"file": str(file.source.path), "error": file.reason}), flush=True)
    print(f"not readable: {str(file.source.path)!r}: {file.reason}", file=sys.stderr)


def _as_text(frame: RecognizedFrame, shown: Sequence[Detection], width: int) -> str:
    if not shown:
        unsure = len(frame.detections)
        return f"{frame.name:{width}}  –" + (f" ({unsure} unsure)" if unsure else "")
    return "\n".join(
        f"{frame.name:{width}}  {'' if d.confident else '? '}{d.label}"
        + (f"  [{d.label.set_code}]" if d.label.set_code else "")
        + f"  cosine {d.score:.2f}, margin {d.margin:.2f}"
        for d in shown
    )
