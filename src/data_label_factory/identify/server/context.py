"""What all endpoints share: the engine, the queues of work, and the counters."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from data_label_factory.identify.images import Limits
from data_label_factory.identify.server.access import Access
from data_label_factory.identify.server.engine import Engine, Snapshot
from data_label_factory.identify.server.events import Events, Sightings
from data_label_factory.identify.server.list_file import ListFile
from data_label_factory.identify.server.metrics import Metrics
from data_label_factory.identify.server.reference_files import Thumbnails
from data_label_factory.identify.server.sessions import Sessions
from data_label_factory.identify.server.settings import Settings
from data_label_factory.identify.server.work_queue import WorkQueue

_MAX_WAITING_CHANGES = 8
_MAX_WAITING_THUMBNAILS = 256


class Context:
    """The state of one server. Must be created in the event loop's thread."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.settings = settings
        self.engine = engine
        self.limits = Limits(max_bytes=settings.max_upload_bytes)
        self.metrics = Metrics()
        self.thumbnails = Thumbnails()
        self.sessions = Sessions()
        self.events = Events()
        self.sightings = Sightings(self.events.publish)
        self.lists = ListFile(settings.lists_path)
        self.sockets = 0  # cameras that are connected
        self.access: Access | None = None  # once it listens

        # Separate queues: neither changes nor thumbnails take a place from recognitions.
        self.work = WorkQueue(settings.workers, settings.queue)
        self.changes = WorkQueue(1, _MAX_WAITING_CHANGES, "changes")
        self.thumbnail_work = WorkQueue(1, _MAX_WAITING_THUMBNAILS, "thumbnails")

        self.started = time.monotonic()
        self.served = 0
        self.last_query: str | None = None
        self.draining = False
        self.failed = False

    @property
    def phase(self) -> str:
        """loading, ready, draining or failed."""
        if self.failed:
            return "failed"
        if self.draining:
            return "draining"
        return "ready" if self.engine.snapshot else "loading"

    def require_snapshot(self) -> Snapshot:
        """What is served now. Raises HTTPException 503 while it is still loading."""
        if self.engine.snapshot is None:
            raise HTTPException(
                503, "Still reading the references. Send it again in a moment", {"Retry-After": "1"}
            )
        return self.engine.snapshot

    def close(self) -> None:
        for queue in (self.work, self.changes, self.thumbnail_work):
            queue.close()
        self.lists.close()


def get_context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


SharedContext = Annotated[Context, Depends(get_context)]
