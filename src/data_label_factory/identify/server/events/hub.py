"""Events in the order in which they happened, and who listens to
them. Nobody who listens can slow down who tells.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from data_label_factory.identify.server.work_queue import BusyError

Kind = Literal["seen", "taken", "gone", "unsure"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_KEPT = 256  # of the newest, for who was away for a moment
_MOST_WAITING = 256  # of one listener; about 1 KB each
_MOST_LISTENERS = 32
_TRY_AGAIN_SECONDS = 5


@dataclass(frozen=True)
class Event:
    """Something that happened. `number` counts from 1 in one run
    of the server; `text` is what is sent, as JSON.
    """

    run: str
    number: int
    kind: Kind
    text: str

    @property
    def id(self) -> str:
        return f"{self.run}-{self.number}"


class Listener:
    """The events that one listener has not taken yet.

    Where too many wait, the oldest are dropped and counted.
    """

    def __init__(self, kinds: Collection[str], wake: Callable[[], None]) -> None:
        self._kinds = frozenset(kinds)
        self._wake = wake
        self._lock = threading.Lock()
        self._waiting: deque[Event] = deque()
        self._dropped = 0

    def put(self, event: Event) -> None:
        if event.kind not in self._kinds:
            return
        with self._lock:
            self._waiting.append(event)
            if len(self._waiting) > _MOST_WAITING:
                self._waiting.popleft()
                self._dropped += 1
        self._wake()

    def miss(self, count: int) -> None:
        """Count events that cannot be had any more."""
        with self._lock:
            self._dropped += count

    def take(self) -> tuple[int, Event | None]:
        """How many were dropped since the last call, and the
        oldest that waits.
        """
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            event = self._waiting.popleft() if self._waiting else None
            return dropped, event

    @property
    def waiting(self) -> int:
        """How many events it has not taken yet."""
        return len(self._waiting)


class Events:
    """The events of one run. Safe to call from any thread."""

    def __init__(self) -> None:
        # So that a listener notices that numbers begin anew.
        self.run = secrets.token_hex(4)
        self._lock = threading.Lock()
        self._number = 0
        self._kept: deque[Event] = deque(maxlen=_KEPT)
        self._listeners: list[Listener] = []

    def __len__(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def publish(self, kind: Kind, data: dict[str, Any]) -> Event:
        """Tell all who listen; waits for none of them.

        `data` is what JSON can hold: at best `name`, `set_code`,
        `rarity`, `filename`, `ref_url` and `price`, as in an
        answer. Raises ValueError for another kind, TypeError for
        other data.
        """
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        body = {
            "type": kind,
            "timestamp": now.replace("+00:00", "Z"),
            "data": data,
        }
        text = json.dumps(body, allow_nan=False)

        with self._lock:
            self._number += 1
            event = Event(self.run, self._number, kind, text)
            self._kept.append(event)
            for listener in self._listeners:
                listener.put(event)
        return event

    def listen(
        self,
        wake: Callable[[], None],
        kinds: Collection[str] = KINDS,
        after: str = "",
    ) -> Listener:
        """A listener, which `wake` is called for with each event.

        `after` is the id of the last event that it has: what it
        missed since is given again, and what is not kept any more
        counts as dropped. If that was in another run, all that is
        kept is new to it. Raises BusyError if too many listen.
        """
        listener = Listener(kinds, wake)
        with self._lock:
            if len(self._listeners) >= _MOST_LISTENERS:
                raise BusyError(_TRY_AGAIN_SECONDS)
            if after:
                self._give_again(listener, after)
            self._listeners.append(listener)
        return listener

    def forget(self, listener: Listener) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _give_again(self, listener: Listener, after: str) -> None:
        run, _, digits = after.rpartition("-")
        is_ours = run == self.run and digits.isdecimal()
        last = min(int(digits[:18]), self._number) if is_ours else 0

        oldest = self._number - len(self._kept)
        listener.miss(max(0, oldest - last))
        for event in self._kept:
            if event.number > last:
                listener.put(event)
