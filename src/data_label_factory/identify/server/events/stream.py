"""`GET /api/events`: the events as they happen, as server-sent
events (the EventSource of browsers).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from data_label_factory.identify.server.context import (
    Context,
    SharedContext,
)
from data_label_factory.identify.server.events.hub import (
    KINDS,
    Event,
    Listener,
)

# A stream never ends, so it is not for those who try all requests
# of the API's document.
router = APIRouter(include_in_schema=False)

# Proxies close what is silent, most after a minute.
_HEARTBEAT_SECONDS = 15.0
_LOOK_SECONDS = 1.0  # how soon a stream notices that the server stops
_RETRY_MS = 2000
_MAX_ID = 64


class _Stream(StreamingResponse):
    """The answer to one listener, which is forgotten with it."""

    def __init__(
        self,
        context: Context,
        listener: Listener,
        has_news: asyncio.Event,
    ) -> None:
        super().__init__(
            _stream(context, listener, has_news),
            media_type="text/event-stream",
            headers={
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # of nginx: pass on at once
            },
        )
        self._forget = partial(context.events.forget, listener)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Not only at the end of the stream: it does not even begin
        # for a client that hangs up before the first line.
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._forget()


@router.get("/api/events")
async def events(
    context: SharedContext,
    kinds: Annotated[str, Query(max_length=64)] = ",".join(KINDS),
    last_event_id: Annotated[str, Header(max_length=_MAX_ID)] = "",
    after: Annotated[str, Query(max_length=_MAX_ID)] = "",
) -> StreamingResponse:
    """`kinds` are those to listen to, separated by commas. `after`
    stands for a first Last-Event-ID, which browsers cannot set.
    """
    wanted = kinds.split(",")
    if unknown := sorted(set(wanted) - set(KINDS)):
        raise HTTPException(
            422,
            f"There is no kind {unknown[0]!r} of events. There are {', '.join(KINDS)}",
        )

    has_news = asyncio.Event()
    listener = context.events.listen(
        _make_wake(has_news),
        wanted,
        last_event_id or after,
    )
    return _Stream(context, listener, has_news)


def _make_wake(has_news: asyncio.Event) -> Callable[[], None]:
    loop = asyncio.get_running_loop()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(has_news.set)

    return wake


async def _stream(
    context: Context,
    listener: Listener,
    has_news: asyncio.Event,
) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    try:
        yield f"retry: {_RETRY_MS}\n\n"
        said = loop.time()
        while not context.draining:
            has_news.clear()
            dropped, event = listener.take()
            if dropped:
                yield _say_dropped(dropped)
            if event:
                yield _spell(event)

            if dropped or event:
                said = loop.time()
                continue
            if loop.time() - said >= _HEARTBEAT_SECONDS:
                yield ": still here\n\n"
                said = loop.time()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await has_news.wait()
    finally:
        context.events.forget(listener)


def _spell(event: Event) -> str:
    # JSON has no line break of its own.
    return f"id: {event.id}\nevent: {event.kind}\ndata: {event.text}\n\n"


def _say_dropped(count: int) -> str:
    data = json.dumps({"type": "dropped", "data": {"count": count}})
    return f"event: dropped\ndata: {data}\n\n"
