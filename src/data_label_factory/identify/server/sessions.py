"""The cameras that are being followed: bounded in number and age."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from data_label_factory.identify.tracking import Session

# A session holds at most 30 gray frames, 64 tracks and as many pictures: up to 15 MB.
_MOST_SESSIONS = 32
_IDLE_SECONDS = 60.0


@dataclass
class _Used:
    session: Session = field(default_factory=Session)
    frames: int = 0
    at: float = field(default_factory=time.monotonic)


class Sessions:
    """Sessions by the names that clients give them. Safe to call
    from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: OrderedDict[str, _Used] = OrderedDict()  # the least recently used first

    def __len__(self) -> int:
        return len(self._used)

    def open(self, name: str) -> Session:
        """The session of that name, a new one if there is none.

        Ends those that were not used for a minute and, beyond 32,
        the one that was not used for longest.
        """
        with self._lock:
            return self._open(name).session

    def count_frame(self, name: str) -> int:
        """The number, from 0, of the frame of that session which
        has arrived now.
        """
        with self._lock:
            used = self._open(name)
            used.frames += 1
            return used.frames - 1

    def find(self, name: str) -> Session | None:
        """The session of that name, if it has not ended."""
        with self._lock:
            self._end_idle(time.monotonic())
            used = self._used.get(name)
            return used.session if used else None

    def _open(self, name: str) -> _Used:
        now = time.monotonic()
        self._end_idle(now)
        used = self._used.setdefault(name, _Used())
        used.at = now
        self._used.move_to_end(name)
        if len(self._used) > _MOST_SESSIONS:
            self._used.popitem(last=False)
        return used

    def _end_idle(self, now: float) -> None:
        while self._used:
            name, used = next(iter(self._used.items()))
            if now - used.at <= _IDLE_SECONDS:
                return
            del self._used[name]
