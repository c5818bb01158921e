"""`identify FILES…`: name what pictures, folders and videos show."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from data_label_factory.command_line import FILE, FOLDER, POSITIVE
from data_label_factory.errors import FactoryError
from data_label_factory.identify.commands.options import (
    RecognizerOptions,
    json_option,
    report_passed_over,
    with_recognizer,
)


@click.command("identify")
@click.argument("files", metavar="FILES...", type=FILE, nargs=-1, required=True)
@with_recognizer
@click.option(
    "--every",
    metavar="N",
    type=POSITIVE,
    default=1,
    help="read every N-th frame of a video",
)
@click.option(
    "--all",
    "show_all",
    is_flag=True,
    show_default="only count them",
    help="list the answers that are not confident, too",
)
@json_option
@click.option("--coco", metavar="FILE.json", type=FILE, help="write quads and boxes in COCO format")
@click.option(
    "--draw",
    metavar="DIR",
    type=FOLDER,
    help="write a copy of each frame with outlines and names",
)
def command(
    files: tuple[Path, ...],
    recognizer: RecognizerOptions,
    every: int,
    show_all: bool,
    as_json: bool,
    coco: Path | None,
    draw: Path | None,
) -> int:
    """Name what pictures, folders of them or videos show; where nothing
    in a picture is sure, guess.

    Exit 1 if some file could not be read, else 0.
    """
    from data_label_factory.identify.batch import recognize_files, walk_paths
    from data_label_factory.identify.commands.frame_writer import open_writer
    from data_label_factory.identify.index import Index

    sources, walks = walk_paths(files)
    if not sources:
        found = ". ".join(walk.no_picture("picture or video") for walk in walks)
        raise FactoryError(found, "Name some")
    report_passed_over(walks)

    index = Index.load(recognizer.index)
    recognize = recognizer.open(index).recognize
    frames = recognize_files(
        # Of a video, the next frame shows what one is too small for.
        partial(recognize, effort="fast" if recognizer.effort == "auto" else recognizer.effort),
        sources,
        recognize_still=partial(recognize, guess=True, effort=recognizer.effort),
        every=every,
        quiet=sys.stdout.isatty(),  # on a terminal the table itself shows the progress
    )
    with open_writer(
        sources, index, coco=coco, draw=draw, show_all=show_all, as_json=as_json
    ) as writer:
        counts = writer.write_all(frames)

    more = "" if show_all or not counts.unsure else " (--all lists them)"
    guessed = f", guessed: {counts.guessed}" if counts.guessed else ""
    unreadable = f", not readable: {counts.unreadable}" if counts.unreadable else ""
    print(
        f"frames: {counts.frames}, items named: {counts.named}, "
        f"unsure: {counts.unsure}{more}{guessed}{unreadable}",
        file=sys.stderr,
    )
    return 1 if counts.unreadable else 0
