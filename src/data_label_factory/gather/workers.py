"""Threads that work ahead of their reader, in order, and never hold the program up when it wants to end."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """A pool of daemon threads. The one of the standard library is joined at exit, however long a server is silent."""

    def __init__(self, count: int) -> None:
        self._todo: queue.SimpleQueue[tuple[Future[Any], Callable[..., Any], Any] | None] = (
            queue.SimpleQueue()
        )
        self._count = count
        for number in range(count):
            threading.Thread(target=self._work, name=f"gather-{number}", daemon=True).start()

    def close(self) -> None:
        """Let the threads end once they have done what was submitted. Does not wait for it."""
        for _ in range(self._count):
            self._todo.put(None)

    def submit(self, function: Callable[[T], R], argument: T) -> Future[R]:
        future: Future[R] = Future()
        self._todo.put((future, function, argument))
        return future

    def ahead(
        self, function: Callable[[T], R], arguments: Iterable[T], window: int
    ) -> Iterator[tuple[T, Future[R]]]:
        """Each argument with the finished future of `function(argument)`, in order, `window` of them under way."""
        pending: deque[tuple[T, Future[R]]] = deque()
        for argument in arguments:
            pending.append((argument, self.submit(function, argument)))
            if len(pending) >= window:
                yield _finished(*pending.popleft())
        while pending:
            yield _finished(*pending.popleft())

    def _work(self) -> None:
        while True:
            if (work := self._todo.get()) is None:
                return
            future, function, argument = work
            try:
                future.set_result(function(argument))
            except BaseException as exc:  # handed on to whoever reads the future
                future.set_exception(exc)


def _finished(argument: T, future: Future[R]) -> tuple[T, Future[R]]:
    future.exception()  # waits
    return argument, future
