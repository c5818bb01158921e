"""A camera on a WebSocket, `GET /api/live`: frames in, answers
out, the newest first.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Coroutine
from contextlib import suppress
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Path, Query, Response, WebSocket
from starlette.exceptions import HTTPException
from starlette.websockets import WebSocketDisconnect, WebSocketState

from data_label_factory.errors import FactoryError
from data_label_factory.identify.server.answering import MAX_QUERY_LENGTH, Frame, answer_frame
from data_label_factory.identify.server.context import Context, SharedContext
from data_label_factory.identify.server.logs import logger, note
from data_label_factory.identify.server.refusals import UNEXPECTED
from data_label_factory.identify.server.schemas import SESSION_NAME, problems
from data_label_factory.identify.server.work_queue import BusyError

router = APIRouter(tags=["recognize"])

_MOST_SOCKETS = 32
_TRY_AGAIN_LATER = 1013  # close codes of RFC 6455 and its registry
_NO_SETTINGS = 'A text message is JSON such as {"query": "card"}; frames are binary'


@router.websocket("/api/live")
async def live(
    socket: WebSocket, session: Annotated[str, Query(pattern=SESSION_NAME)] = ""
) -> None:
    """Answers the newest frame, again and again.

    A frame that arrives while another waits takes its place, so
    answers are as fresh as the machine can make them, and nothing
    piles up.
    """
    context: Context = socket.app.state.context
    await socket.accept()
    if context.sockets >= _MOST_SOCKETS:
        await socket.close(_TRY_AGAIN_LATER, "Too many cameras")
        return

    inbox = _Inbox(session or uuid.uuid4().hex)
    context.sockets += 1
    try:
        await _run_until_first_ends(_read(socket, inbox), _answer_all(socket, inbox, context))
    finally:
        context.sockets -= 1


@router.get(
    "/api/sessions/{session}/tracks/{track}/picture",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, **problems(404)},
    summary="The best picture of a track",
)
def track_picture(
    context: SharedContext,
    session: Annotated[str, Path(pattern=SESSION_NAME)],
    track: Annotated[int, Path(ge=1)],
) -> Response:
    """The sharpest frame with the least glare, straightened;
    while the session lasts.
    """
    found = context.sessions.find(session)
    picture = found.picture(track) if found else None
    if picture is None:
        raise HTTPException(404, "There is no such track, or no sure picture of it yet")
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


class _Inbox:
    """The newest frame that has arrived and was not taken yet."""

    def __init__(self, session: str) -> None:
        self._session = session
        self._query = ""
        self._frame: Frame | None = None
        self._count = 0
        self._has_news = asyncio.Event()

    def put(self, data: bytes) -> None:
        self._frame = Frame(data, "", self._query, self._session, self._count)
        self._count += 1
        self._has_news.set()

    def set_query(self, query: str) -> None:
        self._query = query[:MAX_QUERY_LENGTH]

    async def take(self) -> Frame:
        """Wait for a frame."""
        await self._has_news.wait()
        self._has_news.clear()
        frame, self._frame = self._frame, None
        assert frame is not None
        return frame


async def _read(socket: WebSocket, inbox: _Inbox) -> None:
    """Put what arrives into the inbox until the client goes."""
    while socket.client_state is WebSocketState.CONNECTED:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if (data := message.get("bytes")) is not None:
            inbox.put(data)
        elif (query := _read_query(message["text"])) is not None:
            inbox.set_query(query)
        else:
            await socket.send_text(json.dumps({"status": 422, "detail": _NO_SETTINGS}))


async def _answer_all(socket: WebSocket, inbox: _Inbox, context: Context) -> None:
    while True:
        frame = await inbox.take()
        await socket.send_text(await _answer(context, frame))


async def _run_until_first_ends(*work: Coroutine[Any, Any, None]) -> None:
    """Run both until the client goes; what is then under way
    gives up its place.
    """
    async with anyio.create_task_group() as group:

        async def run(one: Coroutine[Any, Any, None]) -> None:
            with suppress(WebSocketDisconnect):
                await one
            group.cancel_scope.cancel()

        for one in work:
            group.start_soon(run, one)


def _read_query(text: str) -> str | None:
    """The query of a settings message; None for any other text."""
    with suppress(ValueError, RecursionError):
        settings = json.loads(text)
        if isinstance(settings, dict) and isinstance(settings.get("query"), str):
            return str(settings["query"])
    return None


async def _answer(context: Context, frame: Frame) -> str:
    """The answer to one frame, or what is wrong with it: the
    socket stays open.
    """
    status = 200
    try:
        body = await context.work.run(lambda: answer_frame(context, frame))
        context.served += 1
        context.last_query = frame.query
        return body.decode()
    except BusyError as exc:
        status = 429
        return _as_problem(frame, status, str(exc), retry_after=exc.retry_after)
    except HTTPException as exc:
        status = exc.status_code
        return _as_problem(frame, status, exc.detail)
    except FactoryError as exc:
        status = 503
        return _as_problem(frame, status, str(exc))
    except Exception as exc:
        status = 500
        logger.error("unexpected", exc_info=exc, extra={"fields": {"path": "/api/live"}})
        return _as_problem(frame, status, UNEXPECTED)
    finally:
        context.metrics.count("WEBSOCKET", "/api/live", status)
        note("frame", logging.DEBUG, number=frame.number, status=status)


def _as_problem(frame: Frame, status: int, detail: str, **more: Any) -> str:
    return json.dumps({"frame": frame.number, "status": status, "detail": detail, **more})
