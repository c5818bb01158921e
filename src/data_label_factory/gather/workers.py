"""Threads that work ahead of their reader, in order, and never delay the end of the program."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_Work = tuple[Future[Any], Callable[..., Any], Any]


class Workers:
    """A pool of daemon threads.

    The standard library's pool is joined at exit, however long a server
    stays silent.
    """

    def __init__(self, count: int) -> None:
        self._todo: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._count = count
        for number in range(count):
            threading.Thread(target=self._work, name=f"gather-{number}", daemon=True).start()

    def close(self) -> None:
        """Let the threads end after the work that was submitted. Does not wait for them."""
        for _ in range(self._count):
            self._todo.put(None)

    def submit(self, function: Callable[[T], R], argument: T) -> Future[R]:
        future: Future[R] = Future()
        self._todo.put((future, function, argument))
        return future

    def map_ahead(
        self, function: Callable[[T], R], arguments: Iterable[T], window: int
    ) -> Iterator[tuple[T, Future[R]]]:
        """Yield each argument with the finished future of
        `function(argument)`, in order.

        Up to `window` calls are under way at a time.
        """
        pending: deque[tuple[T, Future[R]]] = deque()
        for argument in arguments:
            pending.append((argument, self.submit(function, argument)))
            if len(pending) >= window:
                yield _wait_for(*pending.popleft())
        while pending:
            yield _wait_for(*pending.popleft())

    def _work(self) -> None:
        while (work := self._todo.get()) is not None:
            future, function, argument = work
            try:
                future.set_result(function(argument))
            except BaseException as exc:  # raised again where the future is read
                future.set_exception(exc)


def _wait_for(argument: T, future: Future[R]) -> tuple[T, Future[R]]:
    future.exception()  # waits, without raising
    return argument, future
