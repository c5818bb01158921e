"""`data_label_factory lists COMMAND`: look at lists, and carry them
elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data_label_factory.command_line import CONTEXT, FILE, POSITIVE
from data_label_factory.errors import ListError, ListFileError, UnknownListError
from data_label_factory.lists.place import find_lists

if TYPE_CHECKING:
    from data_label_factory.lists.listing import ListInfo
    from data_label_factory.lists.store import ListStore

Function = Callable[..., Any]

_DEVICE = "command line"
_STDIO = Path("-")
_SHOWN_SKIPPED = 20
_TEXT_KINDS = ("csv", "lines", "json", "deck")


def place_options(function: Function) -> Function:
    """The options that say where the lists are, as `index` and `lists`."""
    function = click.option(
        "--lists",
        metavar="FILE",
        default="",
        show_default="beside the index, INDEX.lists.sqlite",
        help="file of the lists",
    )(function)
    return click.option(
        "--index",
        metavar="FILE.npz",
        type=FILE,
        help="index that the lists lie beside",
    )(function)


def json_option(function: Function) -> Function:
    return click.option("--json", "as_json", is_flag=True, help="print the result as JSON")(
        function
    )


@click.group(context_settings=CONTEXT)
def command() -> None:
    """Look at the lists that a server or `identify --to-list` keeps,
    and carry them elsewhere.

    A server may run meanwhile.
    """


@command.command("ls")
@place_options
@json_option
def ls(index: Path | None, lists: str, as_json: bool) -> None:
    """The lists, how many things are on each, and what they are worth."""
    from data_label_factory.lists.printing import lists_as_json, print_lists

    with _open(index, lists) as store:
        infos = store.lists()
    print(lists_as_json(infos)) if as_json else print_lists(infos)


@command.command("show")
@click.argument("name")
@place_options
@click.option("--find", metavar="WORDS", default="", help="only entries that have these words")
@json_option
def show(name: str, index: Path | None, lists: str, find: str, as_json: bool) -> None:
    """The entries of a list, in the order in which they were taken."""
    from data_label_factory.lists.paging import MOST, Query
    from data_label_factory.lists.printing import entry_as_json, print_entry, print_sum

    with _open(index, lists) as store:
        info = _require(store, name)
        query = Query(words=find, sort="oldest", limit=MOST)
        while True:
            _, page = store.page(info.id, query)
            for entry in page.entries:
                print(entry_as_json(entry)) if as_json else print_entry(entry)
            if not page.next:
                break
            query = Query(words=find, sort="oldest", limit=MOST, cursor=page.next)
    print_sum(info)


@command.command("history")
@click.argument("name")
@place_options
@click.option("--limit", metavar="N", type=POSITIVE, default=20, help="steps to show")
def history(name: str, index: Path | None, lists: str, limit: int) -> None:
    """The steps of a list, the newest first."""
    from data_label_factory.lists.printing import print_step

    with _open(index, lists) as store:
        steps, more = store.history(_require(store, name).id, limit=limit)
    for step in steps:
        print_step(step)
    if more is not None:
        print("older steps: --limit shows more", file=sys.stderr)


@command.command("undo")
@click.argument("name")
@place_options
@click.option(
    "--step",
    metavar="N",
    type=POSITIVE,
    show_default="the newest that is not undone",
    help="the step to take back, as `lists history` numbers it",
)
def undo(name: str, index: Path | None, lists: str, step: int | None) -> None:
    """Take a step back: a scan, an edit, an import, a merge."""
    with _open(index, lists) as store:
        undone = store.undo(_require(store, name).id, step, _DEVICE)
    back, gone = len(undone.entries), len(undone.removed)
    print(f"undone: step {undone.undone}, {undone.kind}; entries back: {back}, gone: {gone}")


@command.command("export")
@click.argument("name")
@place_options
@click.option("--format", "format_id", metavar="FORMAT", default="csv", help="see `lists formats`")
@click.option(
    "--out", metavar="FILE", type=FILE, show_default="standard output", help="file to write"
)
def export_list(
    name: str, index: Path | None, lists: str, format_id: str, out: Path | None
) -> None:
    """Write a list as another tool reads it; says what that cannot carry."""
    from data_label_factory.atomic import atomic_write
    from data_label_factory.lists.formats.exchange import export, find_format

    format_ = find_format(format_id)
    if out is None and format_.kind not in _TEXT_KINDS and sys.stdout.isatty():
        raise ListError("A workbook is nothing for a terminal", "Name a file with --out")
    with _open(index, lists) as store:
        entries = store.entries(_require(store, name).id)

    exported = export([entry.content for entry in entries], format_id)
    if out is None:
        sys.stdout.buffer.write(exported.data)
    else:
        with atomic_write(out) as file:
            file.write(exported.data)
    for warning in exported.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"rows: {exported.rows}, format: {format_.title}", file=sys.stderr)


@command.command("import")
@click.argument("name")
@click.argument("file", type=FILE)
@place_options
@click.option(
    "--format",
    "format_id",
    metavar="FORMAT",
    default="auto",
    help="what the file is; auto: what it looks like",
)
@click.option("--merge", is_flag=True, help="add up with equal entries")
def import_list(
    name: str, file: Path, index: Path | None, lists: str, format_id: str, merge: bool
) -> int:
    """Add what a FILE (- for standard input) lists to a list, which is
    made if there is none.

    Exit 1 if lines were skipped, which are named, else 0.
    """
    from data_label_factory.lists.adding import NewEntry
    from data_label_factory.lists.formats.exchange import read

    imported = read(_read_file(file), format_id)
    with _open(index, lists, make=True) as store:
        info = store.find(name) or store.create(name, _DEVICE)
        entries = [NewEntry(content) for content in imported.entries]
        if entries:
            store.add(info.id, entries, merge=merge, kind="import", device=_DEVICE)

    skipped = imported.skipped
    for one in skipped[:_SHOWN_SKIPPED]:
        print(f"{file}, line {one.line}, skipped: {one.reason}", file=sys.stderr)
    if len(skipped) > _SHOWN_SKIPPED:
        print(f"{file}: {len(skipped) - _SHOWN_SKIPPED} more skipped", file=sys.stderr)
    for note in imported.notes:
        print(f"{file}: {note}", file=sys.stderr)
    print(f"read as {imported.format.title}; entries: {len(entries)}, skipped: {len(skipped)}")
    return 1 if skipped else 0


@command.command("formats")
def formats() -> None:
    """The formats of import and export."""
    from data_label_factory.lists.formats.exchange import FORMATS

    width = max(map(len, FORMATS))
    for one in FORMATS.values():
        print(f"{one.id:{width}}  {one.title}: {one.about}")


@command.command("backup")
@click.argument("target", metavar="FILE", type=FILE)
@place_options
def backup(target: Path, index: Path | None, lists: str) -> None:
    """Copy all lists into one FILE, while a server may go on writing."""
    with _open(index, lists) as store:
        store.backup(target)
        count = len(store.lists())
    print(f"{target}: lists: {count}")


def _open(index: Path | None, lists: str, *, make: bool = False) -> ListStore:
    """Raises ListFileError if nothing says which file, or there is none."""
    from data_label_factory.lists.store import ListStore

    if not lists and index is None:
        raise ListFileError(
            "No lists are named", "Name the index with --index, or the file with --lists"
        )
    path = Path(lists) if lists else find_lists(index or Path())
    assert path is not None
    if not make and not path.exists():
        raise ListFileError(f"There is no file {path}", "It is made with the first list")
    return ListStore(path)


def _require(store: ListStore, name: str) -> ListInfo:
    info = store.find(name)
    if info is None:
        names = ", ".join(repr(one.name) for one in store.lists()[:10]) or "none"
        raise UnknownListError(f"There is no list {name!r}", f"There are: {names}")
    return info


def _read_file(file: Path) -> bytes:
    if file == _STDIO:
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as exc:
        raise ListError(f"Cannot read {file}: {exc.strerror or exc}") from exc
