"""`data_label_factory gather`: the pictures a project asks for, named by their labels."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from data_label_factory.gather.run import Gathered, gather
from data_label_factory.gather.sources import SOURCES
from data_label_factory.project import load_project

_SHOWN = 20


def main(argv: Sequence[str]) -> int:
    p = argparse.ArgumentParser(
        prog="data_label_factory gather",
        description="Fetch one reference picture per query of a project. The file name carries the label; where each "
        "file comes from is kept in manifest.json. A second run fetches only what is missing.",
        epilog="Exit 0: all is there; 1: something failed; 2: nothing could be had.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100, max_help_position=32),
        allow_abbrev=False,
    )
    p.add_argument("--project", metavar="FILE.yaml", type=Path, help="what to gather, and where to")
    p.add_argument(
        "--source",
        metavar="S",
        choices=SOURCES,
        default="",
        help="take every bucket from this source",
    )
    p.add_argument(
        "--max-per-query",
        metavar="N",
        type=_positive,
        help="pictures a query (default: a bucket's own, or 1)",
    )
    p.add_argument("--out", metavar="DIR", type=Path, help="in place of the project's data_root")
    p.add_argument(
        "--base-url",
        metavar="[S=]URL",
        type=_base_url,
        action="append",
        default=[],
        help="another host",
    )
    p.add_argument(
        "--parallel",
        metavar="N",
        type=_positive,
        default=8,
        help="downloads at a time (default: 8)",
    )
    p.add_argument("--dry-run", action="store_true", help="search, and say what would be fetched")
    p.add_argument(
        "--list-sources", action="store_true", help="say what each source is for, and end"
    )
    p.add_argument("--json", action="store_true", help="print the result as JSON")
    args = p.parse_args(argv)
    if args.list_sources:
        print(json.dumps(_source_rows()) if args.json else _source_lines())
        return 0
    if args.project is None:
        p.error("--project is needed (or --list-sources)")

    start = time.perf_counter()
    project = load_project(args.project)
    named = {args.source} if args.source else {bucket.source for bucket in project.buckets.values()}
    base_urls = {
        source: url for only, url in args.base_url for source in ([only] if only else named)
    }
    result = gather(
        project,
        folder=args.project.parent,
        source=args.source,
        max_per_query=args.max_per_query,
        out=args.out,
        base_urls=base_urls,
        parallel=args.parallel,
        dry_run=args.dry_run,
    )
    seconds = time.perf_counter() - start
    print(
        json.dumps(_as_json(result, seconds))
        if args.json
        else _as_text(result, args.dry_run, seconds)
    )
    _tell_failures(result)
    return result.exit_code


def _as_text(result: Gathered, dry_run: bool, seconds: float) -> str:
    doubles = sum(map(len, result.doubles.values()))
    lines = [f"would fetch {path}  ←  {url}" for path, url in result.planned]
    if not dry_run:
        lines += [
            f"the same picture as {path}: {_some(labels)}"
            for path, labels in result.doubles.items()
        ]
    counts = f"{len(result.planned)} to fetch" if dry_run else f"{len(result.new)} new"
    lines.append(
        f"{result.root}: {counts}, {result.present} already there, {doubles} doubles left out, "
        f"{len(result.failures)} failed in {seconds:.1f} s"
    )
    return "\n".join(lines)


def _some(labels: list[str]) -> str:
    return ", ".join(labels[:_SHOWN]) + (
        f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    )


def _tell_failures(result: Gathered) -> None:
    for failure in result.failures[:_SHOWN]:
        print(f"failed: {failure.bucket}: {failure.query!r}: {failure.reason}", file=sys.stderr)
    if len(result.failures) > _SHOWN:
        print(f"… and {len(result.failures) - _SHOWN} more (--json lists all)", file=sys.stderr)


def _as_json(result: Gathered, seconds: float) -> dict[str, object]:
    return {
        "data_root": str(result.root),
        "new": result.new,
        "present": result.present,
        "doubles": result.doubles,
        "failed": [asdict(failure) for failure in result.failures],
        "planned": [{"path": path, "url": url} for path, url in result.planned],
        "seconds": round(seconds, 3),
    }


def _source_rows() -> list[dict[str, object]]:
    return [
        {
            "name": source.name,
            "about": source.about,
            "options": dict(source.options),
            "licence": source.license,
        }
        for source in SOURCES.values()
    ]


def _source_lines() -> str:
    lines = []
    for source in SOURCES.values():
        lines.append(f"{source.name:11} {source.about}")
        lines += [f"{'':13}{name}: {what}" for name, what in source.options.items()]
    return "\n".join([*lines, "every source: max: pictures a query, as --max-per-query"])


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _base_url(text: str) -> tuple[str, str]:
    source, equals, url = text.partition("=")
    if not equals or "/" in source:
        source, url = "", text
    if not url.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError("must be an http(s) address, or SOURCE=address")
    return source, url
