"""A project's queries → picture files and manifest.json.

Buckets run side by side. Searches and downloads run ahead in
threads, but pictures are placed in the order of the project. So
which of two equal pictures stays, and which of two different ones
with the same label gets the plain name, depends on the project
alone: a run that was interrupted and repeated ends with the same
folder as one that was not.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from data_label_factory.gather.bucket import BucketGatherer
from data_label_factory.gather.result import GatherResult
from data_label_factory.gather.sources import open_source
from data_label_factory.gather.state import RunState
from data_label_factory.http.fetch import Fetcher
from data_label_factory.progress import Progress
from data_label_factory.project import Project

# How long Ctrl-C may have to wait: not every platform interrupts a join.
_JOIN_SECONDS = 0.1


def gather(
    project: Project,
    *,
    folder: Path,
    source: str = "",
    max_per_query: int | None = None,
    out: Path | None = None,
    base_urls: Mapping[str, str] | None = None,
    fetcher: Fetcher | None = None,
    parallel: int = 8,
    dry_run: bool = False,
    quiet: bool = False,
) -> GatherResult:
    """Fetch what `project` asks for and is not there yet.

    `folder` is where relative paths in queries start; `source` replaces
    every bucket's source; `base_urls` maps a source to another host for
    it.

    A picture that fails never stops the rest. An interrupted run keeps
    what is placed, and the next one continues from there.

    Raises ProjectError if a source or an option does not exist, and
    FactoryError if the folder cannot be written.
    """
    fetcher = fetcher or Fetcher()
    root = (out or project.data_root).expanduser()

    # Open every source first: a mistake is reported before anything is written.
    sources = {
        name: open_source(
            name,
            bucket,
            fetcher,
            folder=folder,
            override=source,
            limit=max_per_query,
            labels=project.labels,
            base_urls=base_urls,
        )
        for name, bucket in project.buckets.items()
    }

    state = RunState(root, project.project_name, fetcher, parallel=parallel, dry_run=dry_run)
    gatherers = [
        BucketGatherer(state, name, bucket.queries, sources[name])
        for name, bucket in project.buckets.items()
    ]
    _run_all(gatherers, state, quiet=quiet)
    return state.result


def _run_all(gatherers: Sequence[BucketGatherer], state: RunState, *, quiet: bool) -> None:
    """Run each gatherer in its own thread; raise the first problem of any of them."""
    state.open_staging()
    total = sum(len(gatherer.queries) for gatherer in gatherers)
    try:
        with Progress("gathered", total, enabled=not quiet) as progress:
            threads = [
                threading.Thread(target=_run_one, args=(gatherer, state, progress), daemon=True)
                for gatherer in gatherers
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(_JOIN_SECONDS)
    finally:
        state.finish()

    if state.problem is not None:
        raise state.problem


def _run_one(gatherer: BucketGatherer, state: RunState, progress: Progress) -> None:
    try:
        gatherer.run(progress)
    except BaseException as exc:
        # A full disk, or a bug of ours: every bucket ends, and the caller learns of it.
        state.report_problem(exc)
