"""The queue of work in flight: order, slices, one wake-up per group commit."""

import asyncio
import threading

from tests.unit.serve.serving import Promise

from fieldline.ports import Commit
from fieldline.serve.queue import Queue, Work


def still() -> float:
    return 0.0


def test_the_loop_runs_between_slices() -> None:
    """With a slice of no length each piece of work leaves the loop a turn, and the order stays that of arrival."""
    done: list[object] = []

    def run(work: Work[int, int]) -> tuple[int, Commit]:
        done.append(work.asked)
        asyncio.get_running_loop().call_soon(done.append, "loop")
        return work.asked, Promise()

    async def act() -> None:
        queue = Queue(0.0, still)
        results = await asyncio.gather(*[queue.result(Work(number, run, 0.0)) for number in range(3)])
        assert results == [0, 1, 2]
        assert queue.in_flight == 0

    asyncio.run(act())
    assert done[:5] == [0, "loop", 1, "loop", 2]


def test_a_group_of_commits_wakes_the_loop_once() -> None:
    """A writer that keeps a hundred commits in a row wakes the loop once for all of them."""
    promises = [Promise(durable=False) for _ in range(100)]
    wakes = 0

    def run(work: Work[int, int]) -> tuple[int, Commit]:
        return work.asked, promises[work.asked]

    def write() -> None:
        for promise in promises:
            promise.keep()

    async def act() -> None:
        nonlocal wakes
        loop = asyncio.get_running_loop()
        queue = Queue(1.0, still)
        tasks = [asyncio.create_task(queue.result(Work(number, run, 0.0))) for number in range(100)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert queue.in_flight == 100
        wake = loop.call_soon_threadsafe

        def counted(*args: object) -> asyncio.Handle:
            nonlocal wakes
            wakes += 1
            return wake(*args)  # type: ignore[arg-type]

        loop.call_soon_threadsafe = counted  # type: ignore[assignment,method-assign]
        writer = threading.Thread(target=write)
        writer.start()
        writer.join()  # the loop stands still meanwhile, as it does while it decides
        assert not any(task.done() for task in tasks)
        assert await asyncio.gather(*tasks) == list(range(100))

    asyncio.run(act())
    assert wakes == 1


def test_work_whose_client_has_gone_is_left_out() -> None:
    """A request that was cancelled before its turn is not run, and no longer counts as in flight."""
    ran: list[int] = []

    def run(work: Work[int, int]) -> tuple[int, Commit]:
        ran.append(work.asked)
        return work.asked, Promise()

    async def act() -> None:
        queue = Queue(1.0, still)
        gone = asyncio.create_task(queue.result(Work(1, run, 0.0)))
        kept = asyncio.create_task(queue.result(Work(2, run, 0.0)))
        gone.cancel()
        assert await kept == 2
        assert queue.in_flight == 0

    asyncio.run(act())
    assert ran == [2]
