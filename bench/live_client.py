"""Cameras without a page: frames in, answers out, with or without a session."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

import numpy as np
from live_places import Shown
from live_scenes import Frame

from data_label_factory.identify.quad import as_points

PATIENCE = 60  # s
MOST_IN_FLIGHT = 2
_BOUNDARY = "live" * 6


@dataclass
class Recording:
    """What was answered: the tracks shown from a time on, in s of the video, and the latencies.

    `played` is the time that took on the clock, in s.
    """

    shown: list[tuple[float, list[Shown]]] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    played: float = 0.0


class Link(Protocol):
    """A way to a server, on which `most` frames may be under way."""

    most: int

    def send(self, jpeg: bytes) -> int:
        """Send a frame; returns its number, from 0."""

    def receive(self, patience: float) -> tuple[int, dict[str, Any]] | None:
        """The number of a frame and its answer; None if none comes within `patience` s."""

    def close(self) -> None: ...


class PostLink:
    """One frame after the other over POST, in a session if it has a name."""

    most = 1

    def __init__(self, port: int, session: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._session = session
        self._sent = 0
        self._answer: dict[str, Any] | None = None
        self._thread: threading.Thread | None = None

    def send(self, jpeg: bytes) -> int:
        self._sent += 1
        self._thread = threading.Thread(target=self._ask, args=(jpeg,))
        self._thread.start()
        return self._sent - 1

    def _ask(self, jpeg: bytes) -> None:
        start = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; name="
        body = f'{start}"image"; filename="f.jpg"\r\n\r\n'.encode() + jpeg + b"\r\n"
        if self._session:
            body += f'{start}"session"\r\n\r\n{self._session}\r\n'.encode()
        body += f"--{_BOUNDARY}--\r\n".encode()

        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        try:
            self._answer = self._post(body, headers)
        except ConnectionError:
            # The server has closed it while the next scene was drawn.
            self._connection.close()
            self._answer = self._post(body, headers)

    def _post(self, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        self._connection.request("POST", "/api/falcon", body, headers)
        answer = self._connection.getresponse()
        return {**json.loads(answer.read()), "status": answer.status}

    def receive(self, patience: float) -> tuple[int, dict[str, Any]] | None:
        if self._thread is None:
            return None
        self._thread.join(patience)
        if self._thread.is_alive():
            return None
        self._thread = None
        answer, self._answer = self._answer, None
        if answer is None:
            raise ConnectionError("the server does not answer")
        return self._sent - 1, answer

    def close(self) -> None:
        self._connection.close()


class SocketLink:
    """A WebSocket with a session of its own."""

    most = MOST_IN_FLIGHT

    def __init__(self, port: int) -> None:
        from websockets.sync.client import connect

        address = f"ws://127.0.0.1:{port}/api/live?session={uuid4().hex}"
        connection = connect(address, max_size=None, compression=None)
        self._open = ExitStack()
        self._socket = self._open.enter_context(connection)
        self._sent = 0

    def send(self, jpeg: bytes) -> int:
        self._socket.send(jpeg)
        self._sent += 1
        return self._sent - 1

    def receive(self, patience: float) -> tuple[int, dict[str, Any]] | None:
        try:
            answer = json.loads(self._socket.recv(timeout=patience))
        except TimeoutError:
            return None
        return int(answer["frame"]), answer

    def close(self) -> None:
        self._open.close()


def open_session(port: int, jpeg: bytes) -> tuple[Link | None, str]:
    """A WebSocket, else POST with a session, else None; and a remark on it.

    `jpeg` is any picture, to see whether answers to POST have sessions.
    """
    from websockets.exceptions import WebSocketException

    try:
        return SocketLink(port), "session over WebSocket"
    except (WebSocketException, OSError) as error:
        reason = type(error).__name__

    link = PostLink(port, uuid4().hex)
    link.send(jpeg)
    answer = link.receive(PATIENCE)
    if answer is not None and "session" in answer[1]:
        return link, f"session over POST (no WebSocket: {reason})"
    link.close()
    return None, f"no session: this server has none (WebSocket: {reason})"


def play(link: Link, frames: Sequence[Frame], recording: Recording, *, realtime: bool) -> None:
    """Show frames to a server and add its answers to the recording.

    In real time a frame that comes while enough are under way waits, and the next one
    replaces it; an answer counts from when it arrives. Otherwise each frame is sent, not
    before its time since the server has a clock of its own, and its answer counts for it.
    """
    start = time.perf_counter()
    (_play_newest if realtime else _play_each)(link, frames, recording, start)
    recording.played += time.perf_counter() - start


def _play_newest(link: Link, frames: Sequence[Frame], recording: Recording, start: float) -> None:
    first = frames[0].seconds
    sent: dict[int, float] = {}
    waiting: Frame | None = None
    queue = list(reversed(frames))
    while queue or waiting or sent:
        now = time.perf_counter() - start
        while queue and queue[-1].seconds - first <= now:
            waiting = queue.pop()
        if waiting and len(sent) < link.most:
            sent[link.send(waiting.jpeg)] = now
            waiting = None

        until_next = queue[-1].seconds - first - now if queue else PATIENCE
        if not sent:
            time.sleep(max(0.0, until_next))
            continue
        answer = link.receive(max(0.0, until_next))
        if answer is None:
            if not queue:
                raise TimeoutError(f"no answer for {PATIENCE} s")
            continue

        number, values = answer
        now = time.perf_counter() - start
        _take(recording, values, now - sent[number], first + now)
        # Frames before it that the server let a newer one replace get no answer.
        sent = {other: at for other, at in sent.items() if other > number}


def _play_each(link: Link, frames: Sequence[Frame], recording: Recording, start: float) -> None:
    for frame in frames:
        ahead = frame.seconds - frames[0].seconds - (time.perf_counter() - start)
        time.sleep(max(0.0, ahead))
        begun = time.perf_counter()
        link.send(frame.jpeg)
        answer = link.receive(PATIENCE)
        if answer is None:
            raise TimeoutError(f"no answer for {PATIENCE} s")
        _take(recording, answer[1], time.perf_counter() - begun, frame.seconds)


def _take(recording: Recording, answer: dict[str, Any], latency: float, seconds: float) -> None:
    if answer.get("status", 200) != 200:
        recording.refused += 1
        return
    recording.latencies.append(latency)
    recording.shown.append((seconds, read_tracks(answer)))


def read_tracks(answer: dict[str, Any]) -> list[Shown]:
    """The masks of an answer as a page that only draws them would show them."""
    size = np.array(answer["image_size"])
    return [
        Shown(
            name=mask["name"],
            sure=mask["confident"],
            quad=as_points(np.array(mask["quad_norm"]) * size),
            id=mask.get("track_id"),
            addable=mask["confident"],
        )
        for mask in answer["masks"]
    ]
