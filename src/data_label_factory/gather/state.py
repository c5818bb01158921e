"""What the buckets of one run share: threads, staging folder, manifest and result."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from data_label_factory.errors import FactoryError
from data_label_factory.gather.download import Staging
from data_label_factory.gather.manifest import Manifest
from data_label_factory.gather.result import GatherResult
from data_label_factory.gather.workers import Workers
from data_label_factory.http.fetch import Fetcher

_SAVE_INTERVAL_SECONDS = 3.0
_DOWNLOADS_AHEAD_PER_THREAD = 8


class RunState:
    """The shared state of one run. `lock` guards manifest, result and problem."""

    def __init__(
        self,
        root: Path,
        project: str,
        fetcher: Fetcher,
        *,
        parallel: int,
        dry_run: bool,
    ) -> None:
        """Read the manifest and start the threads.

        Raises FactoryError for a damaged manifest.
        """
        self.root = root
        self.fetcher = fetcher
        self.dry_run = dry_run
        self.result = GatherResult(root)
        self.manifest = Manifest.load(root / "manifest.json")
        self.staging: Staging | None = None

        self.searchers = Workers(parallel)
        self.downloaders = Workers(parallel)
        self.window = _DOWNLOADS_AHEAD_PER_THREAD * parallel

        self.lock = threading.RLock()
        self.problem: BaseException | None = None
        self._project = project
        self._finished = False
        self._last_saved = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether nothing should be placed or reported anymore."""
        return self._finished or self.problem is not None

    def open_staging(self) -> None:
        """Create the staging folder, unless this is a dry run. Raises FactoryError."""
        if not self.dry_run:
            self.staging = Staging(self.root)

    def report_problem(self, problem: BaseException) -> None:
        """Record a problem that ends the whole run; the first one counts."""
        with self.lock:
            self.problem = self.problem or problem
        self.fetcher.stop()

    def save_if_due(self) -> None:
        """Save the manifest if the last time was some seconds ago. Raises FactoryError."""
        if time.monotonic() - self._last_saved > _SAVE_INTERVAL_SECONDS:
            self.manifest.save(self._project)
            self._last_saved = time.monotonic()

    def finish(self) -> None:
        """Stop all threads, remove the staging folder and save the manifest."""
        self.fetcher.stop()
        self.searchers.close()
        self.downloaders.close()
        with self.lock:
            self._finished = True
            if self.staging is None:
                return
            self.staging.remove()
            try:
                self.manifest.save(self._project)
            except FactoryError as exc:
                self.problem = self.problem or exc
