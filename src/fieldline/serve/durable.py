"""Waiting in the loop for what a writer thread makes durable."""

import asyncio

from fieldline.ports import Commit


async def durable(commit: Commit) -> None:
    """Wait until a commit is durable, without holding up the loop.

    Raises:
        LogWriteError: it could not be made durable.
    """
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def told(_: Commit) -> None:  # in the writer's thread
        loop.call_soon_threadsafe(arrived)

    def arrived() -> None:
        if not done.done():
            done.set_result(None)

    commit.add_done_callback(told)
    await done
    commit.wait(0)
