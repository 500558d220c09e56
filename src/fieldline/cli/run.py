"""`fieldline run` and `fieldline serve`: the engine over HTTP, with the demo market or for a real platform."""

import asyncio
import contextlib
import multiprocessing
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fieldline.cli.options import setting
from fieldline.errors import DataFolderError
from fieldline.ports import Clock
from fieldline.units import Instant

Data = Annotated[Path, setting("data")]
Host = Annotated[str, setting("host")]
Port = Annotated[int, setting("port")]
Predictor = Annotated[str, setting("predictor")]
Shadow = Annotated[str, setting("shadow")]
Tone = Annotated[str, setting("sentiment")]

console = Console(stderr=True)


def run(
    data: Data,
    host: Host,
    port: Port,
    requests: Annotated[float, setting("demo_requests", "--requests")],
    speed: Annotated[float, setting("demo_speed", "--speed")],
    predictor: Predictor,
    shadow: Shadow,
    sentiment: Tone,
    seed: Annotated[int, typer.Option(help="Which market.")] = 1,
) -> None:
    """Start Fieldline with a demo market playing its viewers against the API, at a quicker clock."""
    demo = (seed, requests, speed)
    _start(data, host, port, clock=None, demo=demo, predictor=predictor, shadow=shadow, sentiment=sentiment)


def serve(
    data: Data,
    host: Host,
    port: Port,
    node: Annotated[str, setting("node")],
    engines: Annotated[int, setting("engines")],
    money: Annotated[str, setting("money")],
    predictor: Predictor,
    shadow: Shadow,
    sentiment: Tone,
) -> None:
    """Start Fieldline for a platform's own requests, at the machine's clock."""
    from fieldline.app import WallClock

    _start(
        data, host, port, clock=WallClock(), demo=None, node=node, engines=engines, money=money,
        predictor=predictor, shadow=shadow, sentiment=sentiment,
    )  # fmt: skip


def _start(
    data: Path,
    host: str,
    port: int,
    clock: Clock | None,
    demo: tuple[int, float, float] | None,
    node: str = "",
    engines: int = 2,
    money: str = "",
    predictor: str = "",
    shadow: str = "",
    sentiment: str = "",
) -> None:
    from fieldline.serve.server import listen, url_of

    if not data.absolute().parent.is_dir():
        raise DataFolderError(f"{data.absolute().parent} does not exist; make it first, or choose --data")
    listening = listen(host, port)
    url = url_of(listening)
    players: list[multiprocessing.process.BaseProcess] = []

    def ready() -> None:
        console.print(f"[bold]Fieldline[/bold] is ready: {url}   (Ctrl-C stops it)")
        if demo:
            console.print(f"  a demo market plays its viewers against {url}/v1/decide; its data is in {data}")
            player = multiprocessing.get_context("spawn").Process(
                target=play_demo, args=(url, start, *demo), name="demo market", daemon=True
            )
            player.start()
            players.append(player)

    with console.status("Reading the data folder …") as status:
        from fieldline.app import Fieldline, WallClock
        from fieldline.serve.server import opened
        from fieldline.serve.server import run as run_server
        from fieldline.serve.site import site_of
        from fieldline.traffic.warm import warm

        app = Fieldline.open(
            data, clock, node=node, engines=engines, money=money, predictor=predictor, shadow=shadow,
            sentiment=sentiment,
        )  # fmt: skip
        status.update("Preparing the kernels (the first start compiles them: about half a minute) …")
        warm()
        start = app.now() or WallClock().now()
        app.begin(start)
    try:
        site = site_of(app)
        run_server(site, listening, opened(site, lambda: None, ready), app.tick, None)
    finally:
        for player in players:
            player.terminate()
            player.join(5)
        with console.status("Stopping: writing a snapshot …"):
            app.close()
        console.print("Fieldline has stopped; nothing is lost.")


def play_demo(url: str, start: int, seed: int, requests: float, speed: float) -> None:
    """Play the demo market's viewers against a server until told to stop (a process of its own)."""
    from fieldline.lab.demo import Tempo, play
    from fieldline.lab.world import World

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(
            play(
                url,
                World.make(seed, "demo"),
                asyncio.Event(),
                start=Instant(start),
                tempo=Tempo(speed, requests),
            )
        )
