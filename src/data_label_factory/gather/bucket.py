"""One bucket of a run: its queries → candidates → downloads → placements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from data_label_factory.errors import FetchError, LabelError, ProjectError
from data_label_factory.gather.base import Candidate, Source, take_cards
from data_label_factory.gather.download import Download, Downloader, Rejection
from data_label_factory.gather.picture_store import PictureStore, Placement
from data_label_factory.gather.result import Failure
from data_label_factory.gather.state import RunState
from data_label_factory.labels import format_label, reduce_label
from data_label_factory.progress import Progress
from data_label_factory.tables import Table

_SEARCHES_AHEAD = 3
_SPARE_CANDIDATES = 8  # for a search whose pictures may be gone
_MAX_REASON_LENGTH = 300


@dataclass(frozen=True)
class _Task:
    """One picture to get: the first of `candidates` that succeeds."""

    query: str
    candidates: tuple[Candidate, ...]
    is_last: bool  # of its query


@dataclass(frozen=True)
class _Outcome:
    """What came of a task: where the picture already is, or a new download, or neither."""

    placement: Placement | None = None
    download: Download | None = None
    rejected: list[Rejection] = field(default_factory=list)


class BucketGatherer:
    """Fill one bucket. Everything but searches and downloads happens in one thread."""

    def __init__(
        self, state: RunState, bucket: str, queries: Iterable[str], source: Source
    ) -> None:
        self.queries = list(dict.fromkeys(queries))
        self._state = state
        self._bucket = bucket
        self._source = source
        self._store = PictureStore(state.root, bucket, state.manifest, source.labels)
        self._downloader: Downloader | None = None  # none in a dry run
        self._done = state.manifest.queries.setdefault(bucket, {})
        self._failed: set[str] = set()  # queries
        self._files: dict[str, list[str]] = {}  # query → paths

    def run(self, progress: Progress) -> None:
        """Gather all queries, or end early if the run is over."""
        state = self._state
        if state.staging is not None:
            self._downloader = Downloader(
                staging=state.staging,
                fetcher=state.fetcher,
                interval=self._source.image_interval,
                has_content=self._store.has_content,
            )

        tasks = self._plan_tasks(progress)
        outcomes = state.downloaders.map_ahead(self._download, tasks, state.window)
        for task, future in outcomes:
            with state.lock:
                if state.is_over:
                    return
                self._settle(task, future.result())
                progress.step()
                state.save_if_due()

    def _plan_tasks(self, progress: Progress) -> Iterator[_Task]:
        """Search for each query that is not done, and yield its tasks."""
        todo = []
        for query in self.queries:
            if self._is_done(query):
                with self._state.lock:
                    self._state.result.present += len(self._done[query]["files"])
                    progress.step()
            else:
                todo.append(query)

        searches = self._state.searchers.map_ahead(self._search, todo, _SEARCHES_AHEAD)
        for query, future in searches:
            tasks = self._split(query, future)
            with self._state.lock:
                progress.total += len(tasks) - 1
            yield from tasks

    def _is_done(self, query: str) -> bool:
        """Return whether an earlier run did exactly this query, and all
        its files are there.
        """
        known = self._done.get(query)
        if self._source.takes_all or known is None:
            return False
        if known.get("asked") != self._describe_request():
            return False
        files = known.get("files") or ()
        return bool(files) and all(self._store.has_path(path) for path in files)

    def _describe_request(self) -> dict[str, Any]:
        """Return what, besides the query, decides which pictures are wanted."""
        return {
            "source": self._source.name,
            "options": self._source.option,
            "max": self._source.limit,
        }

    def _search(self, query: str) -> list[Candidate]:
        """Return the candidates for a query, with labels of the
        project's scheme.

        Runs in a worker.
        """
        wanted = None if self._source.takes_all else self._source.limit
        if wanted and self._source.tries_next:
            wanted += _SPARE_CANDIDATES
        labels = self._source.labels
        return [
            replace(found, label=reduce_label(found.label, labels))
            for found in take_cards(self._source.find(query), wanted)
        ]

    def _split(self, query: str, search: Future[list[Candidate]]) -> list[_Task]:
        """Return one task per picture; none, and a failure, if the search gave nothing."""
        name = self._source.name
        try:
            candidates = search.result()
        except (FetchError, LabelError, ProjectError) as exc:
            self._fail(query, str(exc))
            return []
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as exc:
            reason = f"{name} answered in a shape that is not documented ({exc!r})"
            self._fail(query, reason[:_MAX_REASON_LENGTH])
            return []

        table = self._source.tables.pop(query, None)
        if table:
            self._report_table(query, table)

        passed_over = self._source.passed_over.pop(query, [])
        if not candidates:
            reason = "; ".join(passed_over)[:_MAX_REASON_LENGTH]
            if reason:
                self._fail(query, f"{name}: {reason}")
            elif not (table and table.problems):
                self._fail(query, f"{name} knows nothing of that name")
            return []

        self._note(query, passed_over)
        with self._state.lock:
            self._state.result.notes += [found.note for found in candidates if found.note]
        groups = self._group(candidates)
        return [_Task(query, group, is_last=group is groups[-1]) for group in groups]

    def _report_table(self, query: str, table: Table) -> None:
        """Report the rows and columns of a list that say nothing."""
        for problem in table.problems:
            self._fail(query, problem.reason, line=problem.line)
        with self._state.lock:
            self._state.result.notes += table.describe_ignored()

    def _group(self, candidates: list[Candidate]) -> list[tuple[Candidate, ...]]:
        """Group the candidates by the picture they are for.

        If the next result of a search is as good, each picture gets its
        part of the spare ones.
        """
        if not self._source.tries_next:
            return [(candidate,) for candidate in candidates]
        count = min(self._source.limit, len(candidates))
        return [tuple(candidates[place::count]) for place in range(count)]

    def _download(self, task: _Task) -> _Outcome:
        """Find the picture in the bucket, or download it. Runs in a worker."""
        for candidate in task.candidates:
            if placement := self._store.find(candidate):
                return _Outcome(placement)
        if self._downloader is None:
            return _Outcome()
        download, rejected = self._downloader.download_first(task.candidates)
        return _Outcome(download=download, rejected=rejected)

    def _settle(self, task: _Task, outcome: _Outcome) -> None:
        """Enter an outcome into folder, manifest and result. The lock is held."""
        first = task.candidates[0]
        try:
            if outcome.download is not None:
                self._enter(self._store.place(outcome.download, self._source, task.query), task)
            elif outcome.placement is not None:
                self._enter(outcome.placement, task)
            elif self._state.dry_run:
                path = f"{self._bucket}/{format_label(first.label, self._source.labels)}"
                self._state.result.planned.append((path, first.location))
        except LabelError as exc:
            self._fail(task.query, str(exc), first.location, first.line)

        self._report_rejected(task, outcome)
        if task.is_last:
            self._mark_done(task.query)

    def _enter(self, placement: Placement, task: _Task) -> None:
        self._files.setdefault(task.query, []).append(placement.path)
        result = self._state.result
        if placement.status == "new":
            result.new.append(placement.path)
        elif placement.status == "duplicate":
            labels = result.duplicates.setdefault(placement.path, [])
            labels.append(str(placement.label))
        else:
            result.present += 1

    def _report_rejected(self, task: _Task, outcome: _Outcome) -> None:
        """Report the pictures that failed, if the next one was taken or none succeeded."""
        rejected = outcome.rejected
        if outcome.download is not None:
            failed = [f"{one.candidate.label}: {one.reason}" for one in rejected]
            self._note(task.query, failed)
            return
        if not rejected:
            return
        reason = rejected[0].reason
        if len(rejected) > 1:
            reason += f" (further candidates that failed: {len(rejected) - 1})"
        first = rejected[0].candidate
        self._fail(task.query, reason, first.location, first.line)

    def _mark_done(self, query: str) -> None:
        """Record a query that succeeded, so that the next run does not repeat it."""
        if query in self._failed or self._state.dry_run:
            return
        files = sorted(set(self._files.get(query, ())))
        self._done[query] = {"asked": self._describe_request(), "files": files}

    def _note(self, query: str, passed_over: Iterable[str]) -> None:
        """Say which results were passed over for a further one."""
        name = self._source.name
        with self._state.lock:
            for what in passed_over:
                note = f"{self._bucket}: {query!r}: {name}: passed over {what}"
                self._state.result.notes.append(note)

    def _fail(self, query: str, reason: str, url: str = "", line: int = 0) -> None:
        self._failed.add(query)
        with self._state.lock:
            # What is cut short by the end of the run has not failed.
            if not self._state.is_over:
                self._state.result.failures.append(Failure(self._bucket, query, reason, url, line))
