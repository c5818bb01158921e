"""A bounded queue of work: what does not fit is refused at once, so that waiting never grows."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from data_label_factory.errors import FactoryError

T = TypeVar("T")
_MEMORY = 0.8  # how much of the mean time of a job its past decides


class BusyError(FactoryError):
    """Every place is taken. `retry_after` is in whole seconds, at least 1."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("The server is busy", f"Send it again in {retry_after} s")
        self.retry_after = retry_after


class WorkQueue:
    """`workers` jobs run at once in threads, `waiting` more may wait. Used from one event loop."""

    def __init__(self, workers: int, waiting: int, name: str = "work") -> None:
        self.places = workers + waiting
        self._workers = workers
        self._free = asyncio.Semaphore(workers)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._taken = 0
        self._mean_seconds = 0.2

    @property
    def depth(self) -> int:
        """Jobs that run or wait."""
        return self._taken

    def check(self) -> None:
        """Raises BusyError when a job given now would be refused."""
        if self._taken >= self.places:
            raise BusyError(max(1, math.ceil(self._taken * self._mean_seconds / self._workers)))

    async def run(self, job: Callable[[], T]) -> T:
        """The job's result. Raises BusyError at once when every place is taken, else what the job raises.

        Cancelled while it waits, the place is free at once; while it runs, as soon as the job ends.
        """
        self.check()
        self._taken += 1
        try:
            await self._free.acquire()
        except BaseException:
            self._taken -= 1
            raise
        start, loop = time.perf_counter(), asyncio.get_running_loop()
        future = self._pool.submit(job)

        def leave(_: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits for the place any more
                loop.call_soon_threadsafe(self._leave, start)

        future.add_done_callback(leave)
        return await asyncio.wrap_future(future)

    def _leave(self, start: float) -> None:
        self._taken -= 1
        self._free.release()
        self._mean_seconds = _MEMORY * self._mean_seconds + (1 - _MEMORY) * (
            time.perf_counter() - start
        )

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
