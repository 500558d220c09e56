"""The work in flight: taken in the order of arrival, a slice at a time, answered when it is durable.

The engine runs in the loop's own thread. Between slices the loop reads sockets, so that what has just arrived
is stamped with its time, and refused while there is too much to do, instead of waiting unseen.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from fieldline.ports import Commit

Asked = TypeVar("Asked")
Result = TypeVar("Result")

Seconds = float


class Limits(msgspec.Struct, frozen=True):
    """How much may be in flight."""

    soft: int = 256
    """Requests in flight above which paid delivery is dropped."""
    hard: int = 512
    """Requests in flight above which nothing more is taken."""
    body: int = 1 << 20
    """Bytes of a body."""
    slice_s: Seconds = 0.002
    """How long the engine may work before the loop reads its sockets again."""
    late_candidates: int = 200
    """Candidate limit of a request that has waited for half of its deadline."""


class Work(Generic[Asked, Result]):
    """One request's piece of work, from its arrival to its result."""

    __slots__ = ("arrived", "asked", "cpu_ns", "durable", "future", "run")

    def __init__(
        self,
        asked: Asked,
        run: Callable[["Work[Asked, Result]"], tuple[Result, Commit]],
        arrived: Seconds,
        durable: bool = True,
    ) -> None:
        self.asked = asked
        self.run = run
        self.arrived = arrived
        self.durable = durable
        self.cpu_ns = 0
        self.future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()


class Acknowledgements:
    """Brings a writer thread's news to the loop: one wake-up for all the commits of a group."""

    def __init__(self) -> None:
        self._durable: deque[tuple[asyncio.Future[Any], object, Commit]] = deque()
        self._awake = False

    def when_durable(self, commit: Commit, future: "asyncio.Future[Result]", result: Result) -> None:
        """Give a future its result as soon as the commit is durable, or what the write raised."""
        loop = future.get_loop()

        def told(_: Commit) -> None:  # in the writer's thread
            self._durable.append((future, result, commit))
            if not self._awake:
                self._awake = True
                loop.call_soon_threadsafe(self._settle)

        commit.add_done_callback(told)

    def _settle(self) -> None:
        self._awake = False  # before the deque is read: whoever appends from now on wakes the loop again
        while self._durable:
            future, result, commit = self._durable.popleft()
            settle(future, result, commit)


def settle(future: "asyncio.Future[Result]", result: Result, commit: Commit) -> None:
    """Give a future its result, or what the write of a finished commit raised."""
    if future.done():  # its client has gone
        return
    try:
        commit.wait(0)
    except Exception as error:  # noqa: BLE001  (whatever the write raised is the answer)
        future.set_exception(error)
    else:
        future.set_result(result)


class Queue:
    """Runs work in the order of its arrival."""

    def __init__(self, slice_s: Seconds, clock: Callable[[], Seconds]) -> None:
        self._slice = slice_s
        self._clock = clock
        self._acknowledgements = Acknowledgements()
        self._waiting: deque[Work[Any, Any]] = deque()
        self._running = False
        self.in_flight = 0

    async def result(self, work: Work[Asked, Result]) -> Result:
        """Run a piece of work when its turn comes and return its result once that is durable.

        Raises:
            LogWriteError: it could not be made durable.
            Exception: whatever the work itself raised.
        """
        self._waiting.append(work)
        self.in_flight += 1
        if not self._running:
            self._running = True
            work.future.get_loop().call_soon(self._run)
        try:
            return await work.future
        finally:
            self.in_flight -= 1

    def _run(self) -> None:
        stop = self._clock() + self._slice
        waiting = self._waiting
        while waiting:
            self._take(waiting.popleft())
            if waiting and self._clock() >= stop:
                asyncio.get_running_loop().call_soon(self._run)
                return
        self._running = False

    def _take(self, work: Work[Any, Any]) -> None:
        future = work.future
        if future.done():  # its client has gone
            return
        try:
            result, commit = work.run(work)
        except Exception as error:  # noqa: BLE001  (the request's own answer; the next one must still run)
            future.set_exception(error)
            return
        if not work.durable:
            future.set_result(result)
        elif commit.done():
            settle(future, result, commit)
        else:
            self._acknowledgements.when_durable(commit, future, result)
