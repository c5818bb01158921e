"""The queue: its places are bounded, refused at once, and freed by any job that leaves."""

import asyncio
import threading

import pytest

from data_label_factory.identify.server.work_queue import BusyError, WorkQueue


def test_a_job_that_does_not_fit_is_refused_at_once_and_the_rest_is_done() -> None:
    async def scene() -> None:
        queue, go = WorkQueue(workers=1, waiting=2), threading.Event()
        jobs = [asyncio.create_task(queue.run(lambda n=n: (go.wait(5), n)[1])) for n in range(3)]
        await asyncio.sleep(0.05)
        assert queue.depth == 3
        with pytest.raises(BusyError) as refused:
            await asyncio.wait_for(queue.run(lambda: None), 0.05)
        assert refused.value.retry_after >= 1
        go.set()
        assert await asyncio.gather(*jobs) == [0, 1, 2]
        await asyncio.sleep(0)
        assert queue.depth == 0
        queue.close()

    asyncio.run(scene())


def test_a_waiting_job_that_is_canceled_frees_its_place_and_never_runs() -> None:
    async def scene() -> None:
        queue, go, ran = WorkQueue(workers=1, waiting=1), threading.Event(), []
        running = asyncio.create_task(queue.run(lambda: go.wait(5)))
        waiting = asyncio.create_task(queue.run(lambda: ran.append("waiting")))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.sleep(0.01)
        assert queue.depth == 1
        last = asyncio.create_task(queue.run(lambda: ran.append("last")))
        await asyncio.sleep(0.01)
        go.set()
        await asyncio.gather(running, last)
        assert ran == ["last"]
        queue.close()

    asyncio.run(scene())


def test_a_running_job_keeps_its_worker_until_it_ends() -> None:
    async def scene() -> None:
        queue, go, most = WorkQueue(workers=1, waiting=3), threading.Event(), []
        first = asyncio.create_task(queue.run(lambda: go.wait(5)))
        await asyncio.sleep(0.05)
        first.cancel()
        second = asyncio.create_task(queue.run(lambda: most.append(go.is_set())))
        await asyncio.sleep(0.05)
        assert queue.depth == 2
        go.set()
        await second
        assert most == [True]
        await asyncio.sleep(0.01)
        assert queue.depth == 0
        queue.close()

    asyncio.run(scene())


def test_an_error_of_a_job_frees_its_place() -> None:
    async def scene() -> None:
        queue = WorkQueue(workers=1, waiting=0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await queue.run(lambda: 1 / 0)
            await asyncio.sleep(0.01)
        assert queue.depth == 0
        queue.close()

    asyncio.run(scene())
