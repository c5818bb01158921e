"""`POST /api/falcon` and the prices: what a camera asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, TypeVar

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile

from data_label_factory.identify.server.answers import as_masks
from data_label_factory.identify.server.context import Context, Shared, decode_upload
from data_label_factory.identify.server.schemas import Answer, TopPrices, problems

T = TypeVar("T")
router = APIRouter(tags=["recognise"])
_MOST_QUERY = 200
HUNG_UP = 499  # nginx's number for a client that did not wait; nobody receives it, but the log and the metrics do


@router.post(
    "/api/falcon",
    response_model=Answer,
    responses=problems(400, 408, 413, 415, 429, 503),
    summary="Name what is seen",
)
async def falcon(
    request: Request,
    context: Shared,
    image: Annotated[UploadFile, File(description="JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC")],
    query: Annotated[str, Form(description="Any text; given back")] = "",
) -> Response:
    """Every item of the collection in the picture, with its outline; what is not sure says so, what is unknown is
    not in the list."""
    start = time.perf_counter()
    query = query[:_MOST_QUERY]
    context.snapshot  # noqa: B018 - 503 while it is being read
    context.work.check()  # before the picture is copied into memory
    data = await image.read()
    job = _job(context, data, image.content_type or "", query, start)
    body = await while_connected(request, context.work.run(job))
    if body is None:
        return Response(status_code=HUNG_UP)
    context.served += 1
    context.last_query = query
    return Response(body, media_type="application/json")


def _job(
    context: Context, data: bytes, media_type: str, query: str, start: float
) -> Callable[[], bytes]:
    """Bytes of a picture → bytes of JSON, timed by stage, in a worker's thread."""
    asked = time.perf_counter()
    stages = context.metrics.stages

    def answer() -> bytes:
        stages.labels("wait").observe(time.perf_counter() - asked)
        snapshot, prices = context.snapshot, context.engine.prices
        with stages.labels("decode").time():
            frame = decode_upload(data, media_type, context.limits)
        with stages.labels("recognize").time():
            found = snapshot.recognizer.recognize(frame)
        with stages.labels("encode").time():
            size = (frame.shape[1], frame.shape[0])
            masks = as_masks(found, size, snapshot, prices)
            seconds = round(time.perf_counter() - start, 4)
            whole = Answer(
                image_size=size, count=len(masks), masks=masks, query=query, elapsed_seconds=seconds
            )
            return whole.model_dump_json(exclude_unset=True).encode()

    return answer


async def while_connected(request: Request, work: Awaitable[T]) -> T | None:
    """The result of `work`; or None, and `work` cancelled, when the client hangs up first."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        return None
    finally:
        for one in (task, gone):
            one.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await asyncio.gather(task, gone, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


@router.get(
    "/api/top-prices", response_model=TopPrices, responses=problems(), summary="The dearest items"
)
async def top_prices(
    context: Shared, limit: Annotated[int, Query(ge=1, le=1000)] = 10
) -> dict[str, object]:
    """Dearest first, in USD; empty without a price file."""
    prices, snapshot = context.engine.prices, context.engine.snapshot
    if prices is None or snapshot is None:
        return {"top": [], "count": 0, "fx": {}}
    top = prices.top(limit, snapshot.index)
    return {"top": top, "count": len(top), "fx": prices.fx_info()}
