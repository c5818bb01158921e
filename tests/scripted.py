"""A recognition server that answers what a test tells it, with the tracker's page."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from browsing import until
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from serving import wait_until

from data_label_factory.identify.server.pages import mount_tracker

Mask = dict[str, Any]


def mask(name: str, x: float, *, confident: bool = True, size: float = 0.2, **more: Any) -> Mask:
    """A square of `size` at `x` from the left, as fractions of the frame."""
    box = {"x1": x, "y1": 0.2, "x2": x + size, "y2": 0.2 + size}
    named = {"name": name, "ref_filename": f"{name}.jpg", "label": name, "score": 0.8}
    return {"bbox_norm": box, "area_fraction": size**2, "confident": confident, **named, **more}


@dataclass
class Script:
    """What the server says to each frame from now on.

    With `sessions` it keeps to the live protocol, over POST and, if `has_socket`, over a
    WebSocket; each mask then needs a track_id. `work_seconds` is what a frame takes.
    `refuse` is a status that frames are answered with instead. `look` finds the masks in a
    picture; without it they are `masks`.
    """

    masks: list[Mask] = field(default_factory=list)
    sessions: bool = False
    has_socket: bool = True
    work_seconds: float = 0.02
    refuse: int = 0
    posted: list[dict[str, str]] = field(default_factory=list)  # the fields beside the picture
    received: list[float] = field(default_factory=list)  # when frames came over the socket
    idle: list[float] = field(default_factory=list)  # seconds without a frame, before each
    queries: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)  # sessions of the sockets
    most_waiting: int = 0
    hang_up: bool = False  # break the open socket
    look: Callable[[bytes], list[Mask]] | None = None

    def answer(self, session: str, frame: int, picture: bytes) -> dict[str, Any]:
        known = {"session": session, "frame": frame} if self.sessions and session else {}
        masks = self.look(picture) if self.look else self.masks
        return {"masks": masks, "count": len(masks), "query": "", **known}


def create_app(script: Script) -> FastAPI:
    app = FastAPI()
    mount_tracker(app)

    @app.get("/api/info")
    def tell() -> JSONResponse:
        return JSONResponse({"detail": "no"}, 404)

    @app.post("/api/falcon")
    async def recognize(request: Request) -> JSONResponse:
        async with request.form() as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            picture = await form["image"].read()  # type: ignore[union-attr]
        script.posted.append(fields)
        await asyncio.sleep(script.work_seconds)
        if script.refuse:
            return JSONResponse({"detail": "refused"}, script.refuse)
        return JSONResponse(script.answer(fields.get("session", ""), len(script.posted), picture))

    @app.websocket("/api/live")
    async def live(socket: WebSocket) -> None:
        if not (script.sessions and script.has_socket):
            await socket.close()  # before it is accepted: the handshake is answered with 403
            return
        await socket.accept()
        script.opened.append(socket.query_params.get("session", ""))
        with suppress(WebSocketDisconnect):
            await _converse(socket, script)

    return app


async def _converse(socket: WebSocket, script: Script) -> None:
    """Answer frames one by one, the newest first; any that was overtaken gets no answer."""
    waiting: dict[int, bytes] = {}
    arrived = asyncio.Event()

    async def listen() -> None:
        frame = 0
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            if message.get("bytes"):
                waiting[frame] = message["bytes"]
                script.received.append(time.monotonic())
                script.most_waiting = max(script.most_waiting, len(waiting))
                arrived.set()
                frame += 1
            else:
                script.queries.append(json.loads(message["text"])["query"])

    async def work() -> None:
        while not script.hang_up:
            begun = time.monotonic()
            await asyncio.wait_for(arrived.wait(), 60)
            script.idle.append(time.monotonic() - begun)
            arrived.clear()
            newest = max(waiting)
            await asyncio.sleep(script.work_seconds)
            picture = waiting[newest]
            for frame in [frame for frame in waiting if frame <= newest]:
                del waiting[frame]
            if waiting:
                arrived.set()
            if script.refuse:
                said = {"frame": newest, "status": script.refuse, "detail": "refused"}
                await socket.send_json(said)
            else:
                session = socket.query_params.get("session", "")
                await socket.send_json(script.answer(session, newest, picture))
        script.hang_up = False
        await socket.close(1011)

    tasks = [asyncio.create_task(listen()), asyncio.create_task(work())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def scripted(script: Script) -> Iterator[str]:
    """Serve it from a thread; yields its URL."""
    config = uvicorn.Config(create_app(script), port=0, log_level="warning", ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def start(page: Any) -> None:
    """Press the page's camera button."""
    page.locator("[data-source=camera]:visible").first.click()


def wait_for_rows(page: Any, *names: str) -> None:
    """Wait until the page lists these, and nothing else that is not gone."""
    rows = "[...document.querySelectorAll('.track:not([data-gone]) h3')].map(e => e.textContent)"
    until(
        page, f"JSON.stringify({rows}) === {json.dumps(json.dumps(names, separators=(',', ':')))}"
    )
