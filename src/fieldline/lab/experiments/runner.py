"""Jobs over processes: each plays some days of a market, and a bar shows how many are done."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import Manager, get_context
from queue import Empty, Queue
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

J = TypeVar("J")
T = TypeVar("T")

WORKERS = 2
Day = Callable[[], None]
"""To be called once a day is played."""


def run(
    play: Callable[[J, Day], T], jobs: Sequence[J], days: int, title: str, workers: int = WORKERS
) -> list[T]:
    """Return what each job gave, in the order of the jobs, whichever ended first.

    Args:
        play: a module's function (processes must find it) of a job and of a call for each day played.
        jobs: plain data.
        days: days that all of them play together, for the bar.
        title: shown beside the bar.
        workers: processes; 1 plays in this one.

    Raises:
        Exception: what a job raised, as soon as it did.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=days)
        if workers == 1:
            return [play(job, lambda: progress.advance(task)) for job in jobs]
        with Manager() as manager, ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            played: Queue[int] = manager.Queue()
            futures = [pool.submit(_told, play, job, played) for job in jobs]
            waiting = set(futures)
            try:
                while waiting:
                    done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                    progress.advance(task, _drained(played))
                    for future in done:
                        future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
            return [future.result() for future in futures]


def _told(play: Callable[[J, Day], T], job: J, played: "Queue[int]") -> T:
    return play(job, lambda: played.put(1))


def _drained(played: "Queue[int]") -> int:
    count = 0
    while True:
        try:
            count += played.get_nowait()
        except Empty:
            return count
