"""What a camera asks for: `POST /api/falcon`, and the prices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Annotated, TypeVar

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from starlette.exceptions import HTTPException

from data_label_factory.identify.choices import Effort
from data_label_factory.identify.server.answering import MAX_QUERY_LENGTH, Frame, answer_frame
from data_label_factory.identify.server.context import SharedContext
from data_label_factory.identify.server.schemas import SESSION_NAME, Answer, TopPrices, problems

T = TypeVar("T")
router = APIRouter(tags=["recognize"])

# As in nginx: the client has closed the connection. Only the log and the metrics show it.
CLIENT_CLOSED_REQUEST = 499


@router.post(
    "/api/falcon",
    response_model=Answer,
    responses=problems(400, 408, 413, 415, 429, 503),
    summary="Name what is seen",
)
async def falcon(
    request: Request,
    context: SharedContext,
    image: Annotated[UploadFile, File(description="JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC")],
    query: Annotated[str, Form(description="Any text; returned as it is")] = "",
    session: Annotated[
        str,
        Form(
            description="Names a camera, to follow things from frame to frame", pattern=SESSION_NAME
        ),
    ] = "",
    guess: Annotated[
        int, Form(ge=0, le=1, description="1: guess where nothing is sure; not in a session")
    ] = 0,
    guess_query: Annotated[
        int, Query(alias="guess", ge=0, le=1, description="The same in the address")
    ] = 0,
    effort: Annotated[
        Effort | None,
        Form(description="How closely to search for small things; not in a session"),
    ] = None,
) -> Response:
    """Every item of the collection in the picture, with its quad.

    `confident` says which names to believe. Anything unknown is not in
    the list, unless a guess is asked for. With a `session`, things keep
    a `track_id`, and the evidence of all frames decides.
    """
    received = time.perf_counter()
    query = query[:MAX_QUERY_LENGTH]
    wants_guess = bool(guess or guess_query)
    if wants_guess and session:
        raise HTTPException(422, "guess is for single pictures. Leave it out, or the session")
    context.require_snapshot()
    context.work.check()  # before the picture is copied into memory
    data = await image.read()

    number = context.sessions.count_frame(session) if session else 0
    media_type = image.content_type or ""
    frame = Frame(
        data,
        media_type,
        query,
        session,
        number,
        wants_guess,
        effort or context.settings.effort,
        received,
    )
    work = context.work.run(lambda: answer_frame(context, frame))
    body = await run_while_connected(request, work)
    if body is None:
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    context.served += 1
    context.last_query = query
    return Response(body, media_type="application/json")


@router.get(
    "/api/top-prices",
    response_model=TopPrices,
    responses=problems(),
    summary="The most expensive items",
)
async def top_prices(
    context: SharedContext, limit: Annotated[int, Query(ge=1, le=1000)] = 10
) -> dict[str, object]:
    """Most expensive first, in USD; empty without a price file."""
    prices = context.engine.prices
    snapshot = context.engine.snapshot
    if prices is None or snapshot is None:
        return {"top": [], "count": 0, "fx": {}}

    top = prices.top(limit, snapshot.index, snapshot.index.meta.labels)
    return {"top": top, "count": len(top), "fx": prices.fx_info()}


async def run_while_connected(request: Request, work: Awaitable[T]) -> T | None:
    """The result of `work`, or None if the client hangs up first; `work` is then canceled."""
    task = asyncio.ensure_future(work)
    disconnect = asyncio.ensure_future(_wait_for_disconnect(request))
    try:
        await asyncio.wait({task, disconnect}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        for future in (task, disconnect):
            future.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await asyncio.gather(task, disconnect, return_exceptions=True)


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
