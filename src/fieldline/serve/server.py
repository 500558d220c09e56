"""The server's process: one socket on the loopback, uvicorn on uvloop, an orderly stop."""

import asyncio
import contextlib
import errno
import gc
import ipaddress
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import uvicorn

from fieldline.errors import FieldlineError
from fieldline.serve.hot import Asgi, Site

BEAT_S = 1.0
"""Wall seconds between two ticks of the clock."""
DRAIN_S = 10
"""Wall seconds that requests in flight have at the stop."""

log = logging.getLogger(__name__)


class PortInUse(FieldlineError):
    """Another process listens there already."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket on the loopback.

    Args:
        host: a loopback address or `localhost`.
        port: 0 for any that is free.

    Raises:
        FieldlineError: the host is not the loopback, or the port may not be opened.
        PortInUse: another process listens there.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise FieldlineError(
            f"{host} is not this machine's loopback; until accounts exist only 127.0.0.1 is served"
        )
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        return socket.create_server((str(address), port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"port {port} of {host} is in use; stop what listens there or choose --port"
            ) from None
        raise FieldlineError(f"port {port} of {host} cannot be opened: {error.strerror}") from None


def url_of(listening: socket.socket) -> str:
    """Return the address of a listening socket for a browser."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the loop: uvicorn would raise them again before the folder is closed."""
        yield


def run(
    site: Asgi,
    listening: socket.socket,
    started: Callable[[], Awaitable[None]],
    beat: Callable[[], None] | None = None,
    close: Callable[[], None] | None = None,
) -> None:
    """Serve a site until SIGINT or SIGTERM, then stop accepting, drain, and close.

    Args:
        site: what answers.
        listening: where; closed at the end.
        started: awaited once the socket is served, and cancelled at the end.
        beat: called every second of wall time.
        close: called last, when nothing is in flight any more.
    """
    if sys.platform == "win32":
        loops = None
    else:
        import uvloop

        loops = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loops) as runner:
        runner.run(_run(site, listening, started, beat, close))


async def _run(
    site: Asgi,
    listening: socket.socket,
    started: Callable[[], Awaitable[None]],
    beat: Callable[[], None] | None,
    close: Callable[[], None] | None,
) -> None:
    config = uvicorn.Config(
        site,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=DRAIN_S,
    )
    server = _Uvicorn(config)
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
    tasks = [asyncio.create_task(_begin(server, started))]
    if beat is not None:
        tasks.append(asyncio.create_task(_beat(beat)))
    try:
        await server.serve(sockets=[listening])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        gc.unfreeze()
        if close is not None:
            close()


async def _begin(server: uvicorn.Server, started: Callable[[], Awaitable[None]]) -> None:
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        await started()
    except Exception:
        server.should_exit = True
        raise


async def _beat(beat: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(BEAT_S)
        try:
            beat()
        except Exception:
            log.exception("a tick failed")


def opened(site: Site, warm: Callable[[], None], ready: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    """Return what `run` awaits once it serves: it makes a site ready, and has it take note from then on.

    Args:
        site: answers 503 until it is ready.
        warm: compiles what requests need; runs in a thread.
        ready: called once requests are answered.
    """

    async def open_() -> None:
        await asyncio.to_thread(warm)
        gc.collect()
        gc.set_threshold(100_000, 50, 50)  # requests leave no cycles behind: look for them rarely
        gc.freeze()  # what is there at the start lives as long as the process: never walk it again
        site.ready = True
        ready()
        while site.note is not None:
            site.note(time.perf_counter())
            await asyncio.sleep(BEAT_S)

    return open_
