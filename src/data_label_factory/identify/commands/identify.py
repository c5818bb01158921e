"""`identify FILES…`: name what pictures, folders and videos show."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from data_label_factory.command_line import FILE, FOLDER, POSITIVE
from data_label_factory.errors import FactoryError
from data_label_factory.identify.commands.options import (
    RecognizerOptions,
    json_option,
    report_passed_over,
    with_recognizer,
)

if TYPE_CHECKING:
    from data_label_factory.identify.archive import Archive
    from data_label_factory.identify.index import Index


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
@click.option(
    "--to-list",
    metavar="NAME",
    default="",
    show_default="no list",
    help="put what pictures and PDFs show on that list; what is unsure, into its review",
)
@click.option("--again", is_flag=True, help="with --to-list: also files that were taken before")
@click.option(
    "--lists",
    metavar="FILE",
    default="",
    show_default="beside the index, INDEX.lists.sqlite",
    help="file of the lists",
)
@click.option("--prices", metavar="FILE", type=FILE, help="prices to note on the list")
def command(
    files: tuple[Path, ...],
    recognizer: RecognizerOptions,
    every: int,
    show_all: bool,
    as_json: bool,
    coco: Path | None,
    draw: Path | None,
    to_list: str,
    again: bool,
    lists: str,
    prices: Path | None,
) -> int:
    """Name what pictures, folders of them, PDFs or videos show; where
    nothing in a picture is sure, guess.

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
    with _open_archive(recognizer.index, index, to_list, lists, prices) as archive:
        if archive is not None:
            sources = archive.choose(sources, again=again)
            _report_passed_by(archive, to_list)
            if not sources:
                return 0

        recognize = recognizer.open(index).recognize
        frames = recognize_files(
            recognize,
            sources,
            recognize_still=partial(recognize, guess=True),
            every=every,
            quiet=sys.stdout.isatty(),  # on a terminal the table itself shows the progress
        )
        with open_writer(
            sources, index, coco=coco, draw=draw, show_all=show_all, as_json=as_json
        ) as writer:
            counts = writer.write_all(archive.take(frames) if archive else frames)

    more = "" if show_all or not counts.unsure else " (--all lists them)"
    guessed = f", guessed: {counts.guessed}" if counts.guessed else ""
    unreadable = f", not readable: {counts.unreadable}" if counts.unreadable else ""
    print(
        f"frames: {counts.frames}, items named: {counts.named}, "
        f"unsure: {counts.unsure}{more}{guessed}{unreadable}",
        file=sys.stderr,
    )
    if archive is not None:
        taken = archive.taken
        print(
            f"list {to_list!r}: files taken: {taken.files}, entries: {taken.sure}, "
            f"to review: {taken.review}",
            file=sys.stderr,
        )
    return 1 if counts.unreadable else 0


@contextmanager
def _open_archive(
    index_file: Path, index: Index, name: str, lists: str, prices: Path | None
) -> Iterator[Archive | None]:
    """Takes frames into the list of that name, which is made if there
    is none; None without a name.
    """
    if not name:
        yield None
        return
    from data_label_factory.identify.archive import Archive
    from data_label_factory.lists.place import find_lists
    from data_label_factory.lists.store import ListStore
    from data_label_factory.prices.book import PriceBook
    from data_label_factory.prices.fx import Rates
    from data_label_factory.prices.store import PriceFile

    path = find_lists(index_file, lists)
    if path is None:
        raise FactoryError("--to-list needs a file of lists", "Name one with --lists")
    file = PriceFile.load(prices) if prices else None
    book = PriceBook(file, Rates(file.currency)) if file else None
    with ListStore(path) as store:
        info = store.find(name) or store.create(name, "identify")
        yield Archive(store, info.id, index, book)


def _report_passed_by(archive: Archive, name: str) -> None:
    for file in archive.taken.known:
        print(f"on the list {name!r} already, --again takes it twice: {file!r}", file=sys.stderr)
    for file in archive.taken.videos:
        print(f"a video, which no list takes: {file!r}", file=sys.stderr)
