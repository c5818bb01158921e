"""The shards of a collection, wherever they run, and which of them answer."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from data_label_factory.errors import FactoryError
from data_label_factory.extras import need
from data_label_factory.identify.distributed.cluster import NAMESPACE
from data_label_factory.identify.distributed.shard import Shard, State
from data_label_factory.identify.server.logs import note

_START_SECONDS = 120.0  # for all shards to open their part
_ANSWER_SECONDS = 10.0  # a look takes some ms; whoever is silent so long is lost
_ASKED_EVERY = 0.5  # seconds, whether a lost one is back
_THREADS = 4  # of a shard: NumPy leaves the others a turn


class ShardLostError(FactoryError):
    """A shard has not answered; what was asked has to be asked anew."""

    def __init__(self) -> None:
        super().__init__("A part of the references is away", "Send it again in a moment")


def start_shards(ray: ModuleType, folder: Path, parts: int) -> list[Any]:
    """Start the shards of the store in `folder`, on as many machines as
    there are. They live as long as what is returned, and Ray restarts
    those that die.
    """
    actor = ray.remote(Shard)
    options = {
        "num_cpus": 1,
        "max_restarts": -1,
        "max_concurrency": _THREADS,
        "scheduling_strategy": "SPREAD",
        "namespace": NAMESPACE,
    }
    return [
        actor.options(name=_name(part, parts), **options).remote(folder, part, parts)
        for part in range(parts)
    ]


class ShardPool:
    """The shards that `start_shards` has started, for one of their users.
    Safe to use from several threads.
    """

    def __init__(self, parts: int) -> None:
        """Waits until all are there. Raises FactoryError if they do not come."""
        self._ray = need("ray", extra="ray")
        self._lock = threading.Lock()
        self._missing: frozenset[int] = frozenset()
        self._changes = 0
        self.parts = parts
        try:
            names = [_name(part, parts) for part in range(parts)]
            self._actors = [self._ray.get_actor(name, NAMESPACE) for name in names]
            states = self._ray.get(
                [one.state.remote() for one in self._actors], timeout=_START_SECONDS
            )
        except (ValueError, self._ray.exceptions.RayError) as exc:
            raise FactoryError(f"Not all of the {parts} shards start: {exc}") from exc
        if len(set(states)) > 1:
            raise FactoryError("The shards hold different states of the features", "Start again")
        self.state: State = states[0]
        threading.Thread(target=self._look_for_lost, name="shards", daemon=True).start()

    @property
    def missing(self) -> frozenset[int]:
        """The shards that do not answer now."""
        return self._missing

    @property
    def changes(self) -> int:
        """How often a shard was lost or has come back."""
        return self._changes

    def put(self, value: Any) -> Any:
        """What to hand to several shards instead of a large value."""
        return self._ray.put(value)

    def ask(self, questions: dict[int, tuple[Any, ...]]) -> dict[int, Any]:
        """The answers of shards, each asked for a method with arguments.

        Raises ShardLostError if one does not answer, or is missing already.
        """
        if self._missing & questions.keys():
            raise ShardLostError
        asked = {
            part: getattr(self._actors[part], method).remote(*arguments)
            for part, (method, *arguments) in questions.items()
        }
        answers = {}
        lost = []
        for part, one in asked.items():
            try:
                answers[part] = self._ray.get(one, timeout=_ANSWER_SECONDS)
            except self._ray.exceptions.RayTaskError:
                raise  # an error of ours, not of the machine
            except self._ray.exceptions.RayError as exc:
                note("shard lost", part=part, reason=type(exc).__name__)
                lost.append(part)
        if lost:
            self._change(self._missing.union(lost))
            raise ShardLostError
        return answers

    def ask_all(self, method: str, *arguments: Any) -> dict[int, Any]:
        """The answers of all shards that are there. Raises ShardLostError."""
        there = [part for part in range(self.parts) if part not in self._missing]
        return self.ask(dict.fromkeys(there, (method, *arguments)))

    def _change(self, missing: frozenset[int]) -> None:
        with self._lock:
            self._missing = missing
            self._changes += 1

    def _look_for_lost(self) -> None:
        while True:
            time.sleep(_ASKED_EVERY)
            for part in sorted(self._missing):
                if self._is_back(part):
                    note("shard back", part=part)
                    with self._lock:
                        self._missing -= {part}
                        self._changes += 1

    def _is_back(self, part: int) -> bool:
        """Whether a shard answers, and holds the same state of the store."""
        try:
            one = self._actors[part].state.remote()
            return bool(self._ray.get(one, timeout=_ANSWER_SECONDS) == self.state)
        except self._ray.exceptions.RayError:
            return False


def _name(part: int, parts: int) -> str:
    return f"shard {part + 1} of {parts}"
