"""A market in memory behind the HTTP routes: it keeps what it was given, and breaks on demand."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import httpx

from fieldline.app import Recorded
from fieldline.errors import LogWriteError, Refused, Unknown
from fieldline.facts import Behaviour, Decision, Impression, Request, Slot
from fieldline.ports import Commit
from fieldline.serve.hot import Asgi, Receive, Scope, Send, Site
from fieldline.serve.metrics import Metrics
from fieldline.serve.queue import Limits
from fieldline.units import DAY

NOW = 1_700_000_000_000


class Promise:
    """A commit that becomes durable, or fails, when the test says so."""

    def __init__(self, durable: bool = True) -> None:
        self._done = threading.Event()
        self._error: Exception | None = None
        self._told: list[Callable[[Commit], object]] = []
        if durable:
            self._done.set()

    def wait(self, timeout: float | None = None) -> None:
        if not self._done.wait(timeout):
            raise TimeoutError
        if self._error is not None:
            raise self._error

    def done(self) -> bool:
        return self._done.is_set()

    def add_done_callback(self, fn: Callable[[Commit], object]) -> None:
        if self.done():
            fn(self)
        else:
            self._told.append(fn)

    def keep(self, error: Exception | None = None) -> None:
        self._error = error
        self._done.set()
        for told in self._told:
            told(self)


class Market:
    """Viewers v1 and v2, items i1 to i3, one paid place; every fact taken is in `log`."""

    def __init__(self, durable: bool = True) -> None:
        self.durable = durable
        self.log: list[object] = []
        self.decisions: dict[str, tuple[Decision, Promise]] = {}
        self.events: dict[str, Behaviour] = {}
        self.promises: list[Promise] = []
        self.asked: list[tuple[Request, bool]] = []
        self.fails: Exception | None = None

    def decide(self, request: Request, paid: bool = True) -> tuple[Decision, Commit]:
        if self.fails is not None:
            raise self.fails
        self.asked.append((request, paid))
        if request.id in self.decisions:
            return self.decisions[request.id]
        if request.scene == "nowhere":
            raise Unknown("scene", "no scene is called 'nowhere'")
        at = NOW if request.at is None else request.at
        if at > NOW + DAY:
            raise Refused("at", "more than a day ahead of the engine's clock")
        places = (("i1", None, 0), ("i2", "c1", 5_000), ("i3", None, 0))
        slots = tuple(
            Slot(item, contract if paid else None, charge if paid else 0, 0.0, 0.0, 1.0, place, place)
            for place, (item, contract, charge) in enumerate(places)
        )
        decision = Decision(
            request.id, at, request.viewer, request.scene, slots, (1.0, 0.8, 0.6), 3, paid, 0.002
        )
        self.decisions[request.id] = decision, self._append([decision])
        return self.decisions[request.id]

    def record(self, events: Sequence[Behaviour]) -> tuple[Recorded, Commit]:
        if self.fails is not None:
            raise self.fails
        for place, event in enumerate(events):
            if event.at > NOW + DAY:
                raise Refused(f"events[{place}].at", "more than a day ahead of the engine's clock")
            if isinstance(event, Impression) and event.decision not in self.decisions:
                raise Unknown(f"events[{place}].decision", f"no decision is called {event.decision!r}")
        new = {event.id: event for event in events if event.id not in self.events}
        self.events.update(new)
        return Recorded(len(new), len(events) - len(new)), self._append(list(new.values()))

    def _append(self, facts: Sequence[object]) -> Promise:
        self.log.extend(facts)
        promise = Promise(self.durable)
        self.promises.append(promise)
        return promise

    def fail_writes(self) -> None:
        for promise in self.promises:
            promise.keep(LogWriteError("no space left on device"))


async def nothing_else(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(f"{scope['path']} is not one of the two routes")


def site_of(
    market: Market, others: Asgi = nothing_else, limits: Limits | None = None, **more: object
) -> Site:
    site = Site(market, others, Metrics(), limits=limits, **more)  # type: ignore[arg-type]
    site.ready = True
    return site


def client_of(site: Asgi) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=site, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8420")


def post(
    site: Asgi, path: str, body: bytes, media: str | None = "application/json", **headers: str
) -> httpx.Response:
    """Send one request and return the response."""

    async def send() -> httpx.Response:
        async with client_of(site) as client:
            sent = {"content-type": media} if media else {}
            return await client.post(path, content=body, headers=sent | headers)

    return asyncio.run(send())
