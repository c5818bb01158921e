"""`data_label_factory gather`: fetch the pictures of a project, named by their labels."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from data_label_factory.gather.result import GatherResult
from data_label_factory.gather.run import gather
from data_label_factory.gather.sources import SOURCES
from data_label_factory.project import Project, load_project

_MAX_SHOWN = 20  # labels per duplicate, and failures


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    parser = _build_parser()
    args = parser.parse_args(argv)
    if args.list_sources:
        print(json.dumps(_list_sources()) if args.json else _format_sources())
        return 0
    if args.project is None:
        parser.error("--project is needed (or --list-sources)")

    start = time.perf_counter()
    project = load_project(args.project)
    result = gather(
        project,
        folder=args.project.parent,
        source=args.source,
        max_per_query=args.max_per_query,
        out=args.out,
        base_urls=_resolve_base_urls(args.base_url, project, args.source),
        parallel=args.parallel,
        dry_run=args.dry_run,
    )
    seconds = time.perf_counter() - start

    if args.json:
        print(json.dumps(_to_json(result, seconds)))
    else:
        print(_format_result(result, args.dry_run, seconds))
    _print_failures(result)
    return result.exit_code


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="data_label_factory gather",
        description="Fetch one reference picture per query of a project. The file name carries "
        "the label; manifest.json keeps where each file comes from. A second run fetches only "
        "what is missing.",
        epilog="Exit 0: everything is there; 1: something failed; 2: everything failed.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100, max_help_position=32),
        allow_abbrev=False,
    )
    _add_project_options(parser)
    _add_run_options(parser)
    return parser


def _add_project_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what to gather, from where, and where to."""
    parser.add_argument(
        "--project",
        metavar="FILE.yaml",
        type=Path,
        help="what to gather, and where to",
    )
    parser.add_argument(
        "--source",
        metavar="S",
        choices=SOURCES,
        default="",
        help="take every bucket from this source",
    )
    parser.add_argument(
        "--max-per-query",
        metavar="N",
        type=_positive,
        help="pictures per query (default: the bucket's max, or 1)",
    )

    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write here instead of the project's data_root",
    )
    parser.add_argument(
        "--base-url",
        metavar="[S=]URL",
        type=_base_url,
        action="append",
        default=[],
        help="another host",
    )


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how to run, and what to print."""
    parser.add_argument(
        "--parallel",
        metavar="N",
        type=_positive,
        default=8,
        help="downloads at a time (default: 8)",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="search, and say what would be fetched",
    )
    parser.add_argument(
        "--list-sources",
        action="store_true",
        help="list the sources and their options, and exit",
    )

    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _resolve_base_urls(
    given: list[tuple[str, str]], project: Project, source: str
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


def _print_failures(result: GatherResult) -> None:
    for failure in result.failures[:_MAX_SHOWN]:
        print(f"failed: {failure.bucket}: {failure.query!r}: {failure.reason}", file=sys.stderr)
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
        "seconds": round(seconds, 3),
    }


def _list_sources() -> list[dict[str, object]]:
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
    lines = []
    for source in SOURCES.values():
        lines.append(f"{source.name:11} {source.about}")
        lines += [f"{'':13}{name}: {what}" for name, what in source.options.items()]
    return "\n".join([*lines, "every source: max: pictures per query, like --max-per-query"])


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _base_url(text: str) -> tuple[str, str]:
    """Split `SOURCE=address`; the source is "" if only an address is given."""
    source, equals, url = text.partition("=")
    if not equals or "/" in source:
        source = ""
        url = text
    if not url.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError("must be an http(s) address, or SOURCE=address")
    return source, url
