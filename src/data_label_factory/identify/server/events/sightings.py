"""What the answers to a camera's frames show → seen, unsure, gone:
each told once of a thing, not once a frame.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from data_label_factory.identify.server.events.hub import Kind
from data_label_factory.identify.server.schemas import Mask
from data_label_factory.identify.tracking.track import KEPT_FOR

Publish = Callable[[Kind, dict[str, Any]], object]

# Names are seldom sure at the first look. After so long in view,
# somebody has to look.
_UNSURE_AFTER_SECONDS = 1.5
_FIELDS = (
    "label",
    "name",
    "set_code",
    "rarity",
    "ref_filename",
    "ref_url",
    "first_view",
    "price",
    "false_accept_rate",
    "read",
)


@dataclass
class _Thing:
    """A track. `told` is the name that was told, "" if none."""

    since: float
    at: float
    told: str = ""
    is_unsure_told: bool = False
    data: dict[str, Any] = field(default_factory=dict)


class Sightings:
    """The things in front of all cameras. Safe to call from any
    thread. Times are seconds of `time.monotonic`.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._lock = threading.Lock()
        self._things: dict[tuple[str, int], _Thing] = {}

    def take_in(
        self,
        session: str,
        masks: Sequence[Mask],
        at: float | None = None,
    ) -> None:
        """Take in the answer to a frame of a session."""
        now = time.monotonic() if at is None else at
        with self._lock:
            for mask in masks:
                # One that was lost a moment ago is not in view.
                if mask.track_id is not None and not mask.lost_seconds:
                    self._see(session, mask.track_id, mask, now)

    def expire(self, at: float | None = None) -> None:
        """Tell what is gone: what was not in view for so long that
        its number is given up. Call it now and then.
        """
        now = time.monotonic() if at is None else at
        with self._lock:
            gone = [key for key, thing in self._things.items() if now - thing.at > KEPT_FOR]
            for key in gone:
                thing = self._things.pop(key)
                if thing.told or thing.is_unsure_told:
                    seconds = round(thing.at - thing.since, 1)
                    self._publish("gone", {**thing.data, "seconds": seconds})

    def _see(self, session: str, track: int, mask: Mask, now: float) -> None:
        key = (session, track)
        thing = self._things.setdefault(key, _Thing(now, now))
        thing.at = now

        if mask.confident:
            if thing.told != mask.name:
                thing.told = mask.name
                thing.data = _describe(session, track, mask)
                self._publish("seen", thing.data)
            return

        is_late = now - thing.since >= _UNSURE_AFTER_SECONDS
        if is_late and not thing.told and not thing.is_unsure_told:
            thing.is_unsure_told = True
            thing.data = _describe(session, track, mask)
            candidates = [one.model_dump() for one in mask.top_k]
            self._publish("unsure", {**thing.data, "candidates": candidates})


def _describe(session: str, track: int, mask: Mask) -> dict[str, Any]:
    return {
        "session": session,
        "track": track,
        **mask.model_dump(include=set(_FIELDS), exclude_unset=True),
        "picture": f"/api/sessions/{session}/tracks/{track}/picture",
    }
