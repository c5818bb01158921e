"""A bounded queue of work.

Whatever does not fit is refused at once, so that waits stay short.
"""

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
_MEAN_DECAY = 0.8  # weight of the past in the running mean of a job's time
_FIRST_MEAN_SECONDS = 0.2


class BusyError(FactoryError):
    """Every place is taken. `retry_after` is in whole seconds, at least 1."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("The server is busy", f"Send it again in {retry_after} s")
        self.retry_after = retry_after


class WorkQueue:
    """`workers` jobs run at once in threads, `waiting` more may wait. For one event loop."""

    def __init__(self, workers: int, waiting: int, name: str = "work") -> None:
        self.places = workers + waiting
        self._workers = workers
        self._free = asyncio.Semaphore(workers)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._taken = 0
        self._mean_seconds = _FIRST_MEAN_SECONDS

    @property
    def depth(self) -> int:
        """The number of jobs that run or wait."""
        return self._taken

    def check(self) -> None:
        """Raises BusyError if a job submitted now would be refused."""
        if self._taken >= self.places:
            seconds = self._taken * self._mean_seconds / self._workers
            raise BusyError(max(1, math.ceil(seconds)))

    async def run(self, job: Callable[[], T]) -> T:
        """The job's result.

        Raises BusyError at once if every place is taken, and as `job`.

        If it is canceled while it waits, its place is free at once;
        while it runs, once it ends.
        """
        self.check()
        self._taken += 1
        try:
            await self._free.acquire()
        except BaseException:
            self._taken -= 1
            raise

        start = time.perf_counter()
        loop = asyncio.get_running_loop()
        future = self._pool.submit(job)

        def on_done(_: object) -> None:
            with suppress(RuntimeError):  # the loop is closed, so nobody waits for the place
                loop.call_soon_threadsafe(self._free_place, start)

        future.add_done_callback(on_done)
        return await asyncio.wrap_future(future)

    def _free_place(self, start: float) -> None:
        self._taken -= 1
        self._free.release()
        seconds = time.perf_counter() - start
        self._mean_seconds = _MEAN_DECAY * self._mean_seconds + (1 - _MEAN_DECAY) * seconds

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
