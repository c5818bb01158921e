"""`data_label_factory gather`: fetch the pictures of a project, named by their labels."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data_label_factory.command_line import FILE, FOLDER, POSITIVE, labels_option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from data_label_factory.gather.result import GatherResult
    from data_label_factory.labels import LabelScheme
    from data_label_factory.project import Project

_MAX_SHOWN = 20  # labels per duplicate, and failures


class _SourceName(click.ParamType[str]):
    """One of the sources, which are imported only to check a name."""

    name = "source"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return self._choice().convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return self._choice().shell_complete(ctx, param, incomplete)

    def _choice(self) -> click.Choice[str]:
        from data_label_factory.gather.sources import SOURCES

        return click.Choice(list(SOURCES))


class _BaseUrl(click.ParamType[tuple[str, str]]):
    """`SOURCE=address`; the source is "" if only an address is given."""

    name = "address"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        source, equals, url = str(value).partition("=")
        if not equals or "/" in source:
            source = ""
            url = str(value)
        if not url.startswith(("http://", "https://")):
            self.fail("must be an http(s) address, or SOURCE=address", param, ctx)
        return source, url


@click.command(
    "gather",
    epilog="Exit 0: everything is there; 1: something failed; 2: everything failed.",
)
@click.option(
    "--project",
    "project_file",
    metavar="FILE.yaml",
    type=FILE,
    help="what to gather, and where to",
)
@click.option(
    "--source",
    metavar="S",
    type=_SourceName(),
    help="take every bucket from this source",
)
@click.option(
    "--max-per-query",
    metavar="N",
    type=POSITIVE,
    show_default="the bucket's max, or 1",
    help="pictures per query",
)
@click.option(
    "--out",
    metavar="DIR",
    type=FOLDER,
    help="write here instead of the project's data_root",
)
@click.option(
    "--base-url",
    "base_urls",
    metavar="[S=]URL",
    type=_BaseUrl(),
    multiple=True,
    help="another host",
)
@labels_option("the project's, or cards")
@click.option("--parallel", metavar="N", type=POSITIVE, default=8, help="downloads at a time")
@click.option("--dry-run", is_flag=True, help="search, and say what would be fetched")
@click.option(
    "--list-sources",
    is_flag=True,
    help="list the sources and their options, and exit",
)
@click.option("--json", "as_json", is_flag=True, help="print the result as JSON")
def command(
    project_file: Path | None,
    source: str | None,
    max_per_query: int | None,
    out: Path | None,
    base_urls: tuple[tuple[str, str], ...],
    labels: LabelScheme | None,
    parallel: int,
    dry_run: bool,
    list_sources: bool,
    as_json: bool,
) -> int:
    """Fetch one reference picture per query of a project.

    The file name carries the label; manifest.json keeps where each file
    comes from. A second run fetches only what is missing.
    """
    if list_sources:
        print(json.dumps(_list_sources()) if as_json else _format_sources())
        return 0
    if project_file is None:
        raise click.UsageError("--project is needed (or --list-sources)")
    from data_label_factory.gather.run import gather
    from data_label_factory.project import load_project

    start = time.perf_counter()
    project = load_project(project_file)
    project = replace(project, labels=labels or project.labels)
    result = gather(
        project,
        folder=project_file.parent,
        source=source or "",
        max_per_query=max_per_query,
        out=out,
        base_urls=_resolve_base_urls(base_urls, project, source),
        parallel=parallel,
        dry_run=dry_run,
    )
    seconds = time.perf_counter() - start

    print(
        json.dumps(_to_json(result, seconds))
        if as_json
        else _format_result(result, dry_run, seconds)
    )
    _print_notes(result.notes)
    _print_failures(result)
    return result.exit_code


def _resolve_base_urls(
    given: tuple[tuple[str, str], ...], project: Project, source: str | None
) -> dict[str, str]:
    """Return source → address; an address without a source is for every source in use."""
    used = {source} if source else {bucket.source for bucket in project.buckets.values()}
    base_urls = {}
    for name, url in given:
        for target in [name] if name else used:
            base_urls[target] = url
    return base_urls


def _format_result(result: GatherResult, dry_run: bool, seconds: float) -> str:
    lines = [f"would fetch {path}  ←  {url}" for path, url in result.planned]
    if not dry_run:
        for path, labels in result.duplicates.items():
            lines.append(f"the same picture as {path}: {_join_some(labels)}")

    fetched = f"{len(result.planned)} to fetch" if dry_run else f"{len(result.new)} new"
    duplicates = sum(map(len, result.duplicates.values()))
    lines.append(
        f"{result.root}: {fetched}, {result.present} already there, "
        f"{duplicates} duplicates skipped, {len(result.failures)} failed in {seconds:.1f} s"
    )
    return "\n".join(lines)


def _join_some(labels: list[str]) -> str:
    text = ", ".join(labels[:_MAX_SHOWN])
    if len(labels) > _MAX_SHOWN:
        text += f" and {len(labels) - _MAX_SHOWN} more"
    return text


def _print_notes(notes: list[str]) -> None:
    for note in notes[:_MAX_SHOWN]:
        print(note, file=sys.stderr)
    if len(notes) > _MAX_SHOWN:
        print(f"… and {len(notes) - _MAX_SHOWN} more (--json lists all)", file=sys.stderr)


def _print_failures(result: GatherResult) -> None:
    for failure in result.failures[:_MAX_SHOWN]:
        print(f"failed: {failure}", file=sys.stderr)
    if len(result.failures) > _MAX_SHOWN:
        more = len(result.failures) - _MAX_SHOWN
        print(f"… and {more} more (--json lists all)", file=sys.stderr)


def _to_json(result: GatherResult, seconds: float) -> dict[str, object]:
    return {
        "data_root": str(result.root),
        "new": result.new,
        "present": result.present,
        "doubles": result.duplicates,
        "failed": [asdict(failure) for failure in result.failures],
        "planned": [{"path": path, "url": url} for path, url in result.planned],
        "notes": result.notes,
        "seconds": round(seconds, 3),
    }


def _list_sources() -> list[dict[str, object]]:
    from data_label_factory.gather.sources import SOURCES

    return [
        {
            "name": source.name,
            "about": source.about,
            "options": dict(source.options),
            "licence": source.license,
        }
        for source in SOURCES.values()
    ]


def _format_sources() -> str:
    from data_label_factory.gather.sources import SOURCES

    lines = []
    for source in SOURCES.values():
        lines.append(f"{source.name:11} {source.about}")
        lines += [f"{'':13}{name}: {what}" for name, what in source.options.items()]
    return "\n".join([*lines, "every source: max: pictures per query, like --max-per-query"])
