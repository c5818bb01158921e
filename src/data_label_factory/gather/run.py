"""A project's queries → picture files and manifest.json.

Buckets run side by side; searches and downloads run ahead in threads; pictures are placed in the plan's order. That
order makes a run that was cut off and repeated end with the same folder as one that was not: which of two equal
pictures stays, and which of two different ones with one label gets the plain name, depends on the plan alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from data_label_factory.errors import FactoryError, FetchError, LabelError, ProjectError
from data_label_factory.gather.base import Found, Source
from data_label_factory.gather.download import Failure, Loader, Staging
from data_label_factory.gather.manifest import Manifest
from data_label_factory.gather.picture_store import Got, Placed, Shelf
from data_label_factory.gather.sources import open_source
from data_label_factory.gather.workers import Workers
from data_label_factory.http.fetch import Fetcher
from data_label_factory.labels import format_label
from data_label_factory.progress import Progress
from data_label_factory.project import Project

_SEARCHES_AHEAD = 3
_SPARE_CANDIDATES = 8  # for a search whose pictures may be gone
_MANIFEST_EVERY_SECONDS = 3.0


@dataclass
class Gathered:
    """What a run did. Paths are relative to `root`; `doubles` maps a path to the labels whose picture is the same."""

    root: Path
    new: list[str] = field(default_factory=list)
    present: int = 0
    doubles: dict[str, list[str]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    planned: list[tuple[str, str]] = field(
        default_factory=list
    )  # of a dry run: path without suffix, address

    @property
    def exit_code(self) -> int:
        """0 all is there, 1 something failed, 2 nothing could be had."""
        if not self.failures:
            return 0
        return 1 if self.new or self.present or self.doubles or self.planned else 2


@dataclass(frozen=True)
class _Task:
    """A picture to get: the first of `candidates` that comes. Without any it only ends its query."""

    query: str
    candidates: tuple[Found, ...] = ()
    ends: bool = False


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
) -> Gathered:
    """Fetch what `project` asks for and is not there yet.

    `folder` is where relative paths in queries start; `source` replaces every bucket's own; `base_urls` maps a source
    to the host to use in place of its own. One picture that cannot be had never stops the rest. Interrupted, it keeps
    what is placed, and the next run goes on from there. Raises ProjectError for a source or option that does not
    exist, FactoryError when the folder cannot be written.
    """
    fetcher = fetcher or Fetcher()
    root = (out or project.data_root).expanduser()
    lanes = [
        (
            name,
            bucket.queries,
            open_source(
                name,
                bucket,
                fetcher,
                folder=folder,
                override=source,
                limit=max_per_query,
                base_urls=base_urls,
            ),
        )
        for name, bucket in project.buckets.items()
    ]
    run = _Run(root, project.project_name, fetcher, parallel, dry_run, quiet)
    run.all([_Lane(run, bucket, queries, asked) for bucket, queries, asked in lanes])
    return run.result


class _Run:
    """What the lanes share: threads, manifest, result, and one lock around the last two."""

    def __init__(
        self, root: Path, project: str, fetcher: Fetcher, parallel: int, dry_run: bool, quiet: bool
    ) -> None:
        self.root, self.project, self.fetcher, self.dry_run, self.quiet = (
            root,
            project,
            fetcher,
            dry_run,
            quiet,
        )
        self.result = Gathered(root)
        self.manifest = Manifest.load(root / "manifest.json")
        self.searchers, self.loaders = Workers(parallel), Workers(parallel)
        self.window = 8 * parallel
        self.lock = threading.RLock()
        self.saved = time.monotonic()
        self.problem: BaseException | None = None
        self.stopped = False

    def all(self, lanes: list[_Lane]) -> None:
        self.staging = None if self.dry_run else Staging(self.root)
        total = sum(len(lane.queries) for lane in lanes)
        try:
            with Progress("gathered", total, enabled=not self.quiet) as self.progress:
                threads = [
                    threading.Thread(target=self._lane, args=(lane,), daemon=True) for lane in lanes
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    while thread.is_alive():
                        thread.join(0.1)  # in slices: so Ctrl-C comes through everywhere
        finally:
            self._end()
        if self.problem is not None:
            raise self.problem

    def _lane(self, lane: _Lane) -> None:
        try:
            lane.work()
        except (
            BaseException
        ) as exc:  # a full disk, a mistake of ours: every lane ends, the caller learns of it
            with self.lock:
                self.problem = self.problem or exc
            self.fetcher.stop()

    def _end(self) -> None:
        self.fetcher.stop()
        self.searchers.close()
        self.loaders.close()
        with self.lock:
            self.stopped = True
            if self.staging is None:
                return
            self.staging.remove()
            try:
                self.manifest.save(self.project)
            except FactoryError as exc:
                self.problem = self.problem or exc

    @property
    def over(self) -> bool:
        return self.stopped or self.problem is not None

    def save_now_and_then(self) -> None:
        if time.monotonic() - self.saved > _MANIFEST_EVERY_SECONDS:
            self.manifest.save(self.project)
            self.saved = time.monotonic()


class _Lane:
    """One bucket, from its queries to its files. Everything but the searches and downloads happens in one thread."""

    def __init__(self, run: _Run, bucket: str, queries: Iterable[str], source: Source) -> None:
        self.run, self.bucket, self.source = run, bucket, source
        self.queries = list(dict.fromkeys(queries))
        self.shelf = Shelf(run.root, bucket, run.manifest)
        self.loader: Loader | None = None
        self.done = run.manifest.queries.setdefault(bucket, {})
        self.failed: set[str] = set()
        self.files: dict[str, list[str]] = {}

    def work(self) -> None:
        if self.run.staging is not None:
            self.loader = Loader(
                self.run.staging, self.run.fetcher, self.source.image_interval, self.shelf.knows
            )
        for task, future in self.run.loaders.ahead(self._load, self._tasks(), self.run.window):
            with self.run.lock:
                if self.run.over:
                    return
                self._settle(task, future)
                self.run.progress.step()
                self.run.save_now_and_then()

    def _tasks(self) -> Iterator[_Task]:
        todo = [query for query in self.queries if not self._is_done(query)]
        for query, future in self.run.searchers.ahead(self._search, todo, _SEARCHES_AHEAD):
            tasks: list[_Task] = []
            try:
                tasks = self._split(query, future.result())
                if not tasks:
                    self._fail(query, f"{self.source.name} knows nothing of that name")
            except (FetchError, LabelError, ProjectError) as exc:
                self._fail(query, str(exc))
            except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as exc:
                self._fail(
                    query,
                    f"{self.source.name} answered in a shape that is not documented ({exc!r})"[
                        :300
                    ],
                )
            with self.run.lock:
                self.run.progress.total += len(tasks) - 1
            yield from tasks

    def _is_done(self, query: str) -> bool:
        """Whether an earlier run did just this query and all its files are still there."""
        known = self.done.get(query)
        if self.source.takes_all or known is None or known.get("asked") != self._asked():
            return False
        files = known.get("files") or ()
        if not files or not all(self.shelf.has(path) for path in files):
            return False
        with self.run.lock:
            self.run.result.present += len(files)
            self.run.progress.step()
        return True

    def _asked(self) -> dict[str, Any]:
        return {"source": self.source.name, "options": self.source.option, "max": self.source.limit}

    def _search(self, query: str) -> list[Found]:
        wanted = None if self.source.takes_all else self.source.limit
        if wanted and self.source.tries_next:
            wanted += _SPARE_CANDIDATES
        return list(islice(self.source.find(query), wanted))

    def _split(self, query: str, found: list[Found]) -> list[_Task]:
        """One task a picture. Where the next picture of a search is as good, each has a share of the spare ones."""
        if self.source.tries_next:
            places = min(self.source.limit, len(found))
            shares = [tuple(found[place::places]) for place in range(places)]
        else:
            shares = [(one,) for one in found]
        return [_Task(query, share, ends=share is shares[-1]) for share in shares]

    def _load(self, task: _Task) -> tuple[Placed | None, Got | None, list[tuple[Found, str]]]:
        """In a worker: where the picture is already, or a fresh one, and what was wrong with candidates before it."""
        for found in task.candidates:
            if placed := self.shelf.holds(found):
                return placed, None, []
        if self.loader is None:
            return None, None, []
        return None, *self.loader.first_of(task.candidates)

    def _settle(
        self, task: _Task, future: Future[tuple[Placed | None, Got | None, list[tuple[Found, str]]]]
    ) -> None:
        """With the lock held: enter what came of a task into folder, manifest and result."""
        placed, got, wrong = future.result()
        try:
            if got is not None:
                placed = self.shelf.place(got, self.source, task.query)
            elif placed is None and self.run.dry_run:
                self._plan(task.candidates[0])
        except LabelError as exc:
            self._fail(task.query, str(exc), task.candidates[0].url)
        if placed is not None:
            self._enter(placed, task.query)
        elif got is None:
            for found, reason in wrong[:1]:
                more = f" (so do {len(wrong) - 1} further ones)" if len(wrong) > 1 else ""
                self._fail(task.query, reason + more, found.url or str(found.path))
        if task.ends and task.query not in self.failed and not self.run.dry_run:
            files = sorted(set(self.files.get(task.query, ())))
            self.done[task.query] = {"asked": self._asked(), "files": files}

    def _plan(self, found: Found) -> None:
        self.run.result.planned.append(
            (f"{self.bucket}/{format_label(found.label)}", found.url or str(found.path))
        )

    def _enter(self, placed: Placed, query: str) -> None:
        self.files.setdefault(query, []).append(placed.path)
        if placed.what == "new":
            self.run.result.new.append(placed.path)
        elif placed.what == "double":
            self.run.result.doubles.setdefault(placed.path, []).append(str(placed.label))
        else:
            self.run.result.present += 1

    def _fail(self, query: str, reason: str, url: str = "") -> None:
        self.failed.add(query)
        with self.run.lock:
            if not self.run.over:  # what is cut short has not failed
                self.run.result.failures.append(Failure(self.bucket, query, reason, url))
