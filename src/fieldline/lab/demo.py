"""The demonstration: the simulated market, played against a running engine's HTTP API at a quicker clock.

It is a client like any other: it knows addresses and replies, and the engine knows nothing of it.
"""

import asyncio
import heapq
import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, islice

import httpx
import msgspec

from fieldline.errors import FieldlineError
from fieldline.facts import Behaviour, CatalogueEntry, LiveRoom, Request
from fieldline.lab.demo_wishes import Wished, day_end, wishes
from fieldline.lab.world import World, catalogue, live_rooms, requests, responses
from fieldline.units import DAY, MINUTE, SECOND, Instant

log = logging.getLogger(__name__)

PATHS = {
    "merchant": "/v1/merchants",
    "creator": "/v1/creators",
    "viewer": "/v1/viewers",
    "product": "/v1/products",
    "video": "/v1/videos",
    "live_room": "/v1/live_rooms",
}
BATCH = 1_000
EVENTS_EVERY = 20 * SECOND
"""Of the market's time: events that are due go out together this often."""
ROOMS_EVERY = 10 * MINUTE
LONGEST_WAIT = 15.0
"""Seconds between two tries."""


class NotPlayable(FieldlineError):
    """The engine did not take the market's catalogue or contracts."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """How fast the market runs: market seconds a second, and at most so many requests a second."""

    speed: float = 120.0
    requests_per_second: float = 30.0


@dataclass(slots=True)
class Played:
    """What came of a play so far."""

    at: Instant
    """The market's time."""
    requests: int = 0
    events: int = 0
    retries: int = 0
    refused: int = 0


@dataclass(slots=True)
class _Player:
    client: httpx.AsyncClient
    world: World
    stop: asyncio.Event
    played: Played
    rooms: dict[str, LiveRoom] = field(default_factory=dict)
    due: list[tuple[Instant, int, Behaviour]] = field(default_factory=list)  # a heap
    pushed: int = 0


async def play(
    base_url: str,
    world: World,
    stop: asyncio.Event,
    *,
    start: Instant,
    end: Instant | None = None,
    tempo: Tempo = Tempo(),
    transport: httpx.AsyncBaseTransport | None = None,
) -> Played:
    """Load a market into an engine and play its viewers until told to stop.

    A busy engine (503, or none answering) is asked again later with the same ids, and the market waits.

    Args:
        base_url: where the engine listens.
        world: the market.
        stop: ends the play between two requests.
        start: the market's time at the beginning.
        end: the market's time at which to end; None: a year later.
        tempo: how fast.
        transport: for an engine in the same process.

    Returns:
        What was sent.

    Raises:
        NotPlayable: the engine refused the catalogue or a contract.
    """
    last = Instant(start + 365 * DAY) if end is None else end
    async with httpx.AsyncClient(base_url=base_url, transport=transport, timeout=30.0) as client:
        player = _Player(client, world, stop, Played(start))
        await _upsert(player, catalogue(world, start))
        await _run(player, start, last, tempo)
        if not stop.is_set():
            await _send_due(player, last)
            player.played.at = last
        return player.played


async def _run(player: _Player, start: Instant, end: Instant, tempo: Tempo) -> None:
    loop = asyncio.get_running_loop()
    origin, gap = loop.time(), 1.0 / tempo.requests_per_second
    next_events, next_rooms, next_wishes, earliest = start, start, start, origin
    for request in requests(player.world, start, end):
        at = _time(request)
        planned = origin + (at - start) / SECOND / tempo.speed
        moment = max(planned, earliest)
        origin += moment - planned  # where requests are too many, the market's clock goes slower
        await _pause(player.stop, moment - loop.time())
        if player.stop.is_set():
            return
        player.played.at = at
        if at >= next_rooms:
            next_rooms = Instant(at + ROOMS_EVERY)
            await _change_rooms(player, at)
        if at >= next_wishes:
            next_wishes = day_end(at)
            for wished in wishes(player.world, at):
                await _wish(player, wished)
        if at >= next_events:
            next_events = Instant(at + EVENTS_EVERY)
            await _send_due(player, at)
        await _decide(player, request)
        earliest = max(loop.time(), moment + gap)


def _time(request: Request) -> Instant:
    assert request.at is not None  # the market sets it
    return Instant(request.at)


async def _decide(player: _Player, request: Request) -> None:
    response = await _post(player, "/v1/decide", msgspec.json.encode(_plain(request)))
    if response is None or not _taken(player, response):
        return
    player.played.requests += 1
    items = [slot["item"] for slot in response.json()["slots"]]
    at = _time(request)
    try:
        events = responses(player.world, request.id, request.viewer, request.scene, items, at=at)
    except ValueError as error:  # the engine holds more than this market
        player.played.refused += 1
        log.warning("%s: %s", request.id, error)
        return
    for event in events:
        player.pushed += 1
        heapq.heappush(player.due, (Instant(event.at), player.pushed, event))


async def _send_due(player: _Player, until: Instant) -> None:
    while player.due and player.due[0][0] <= until and not player.stop.is_set():
        batch: list[Behaviour] = []
        while player.due and player.due[0][0] <= until and len(batch) < BATCH:
            batch.append(heapq.heappop(player.due)[2])
        response = await _post(player, "/v1/events", msgspec.json.encode({"events": batch}))
        if response is not None and _taken(player, response):
            player.played.events += len(batch)


async def _upsert(player: _Player, entries: Iterable[CatalogueEntry]) -> None:
    for tag, group in groupby(entries, key=lambda entry: entry.__struct_config__.tag):
        for batch in _batches(group):
            player.rooms |= {entry.id: entry for entry in batch if isinstance(entry, LiveRoom)}
            lines = b"\n".join(msgspec.json.encode(_plain(entry)) for entry in batch)
            response = await _post(player, PATHS[str(tag)], lines, "application/x-ndjson")
            if response is not None and response.is_error:
                raise NotPlayable(f"{PATHS[str(tag)]}: {response.status_code} {response.text[:500]}")


def _batches(entries: Iterator[CatalogueEntry]) -> Iterator[list[CatalogueEntry]]:
    while batch := list(islice(entries, BATCH)):
        yield batch


async def _change_rooms(player: _Player, at: Instant) -> None:
    await _upsert(
        player, [room for room in live_rooms(player.world, at) if player.rooms.get(room.id) != room]
    )


async def _wish(player: _Player, wished: Wished) -> None:
    response = await _post(player, "/v1/contracts", msgspec.json.encode(wished))
    known = response is None or response.status_code == httpx.codes.CONFLICT  # from an earlier play
    if response is not None and response.is_error and not known:
        raise NotPlayable(f"/v1/contracts: {response.status_code} {response.text[:500]}")


def _plain(fact: Request | CatalogueEntry) -> Mapping[str, object]:
    """Return a fact's fields that say something, without its type."""
    fields: dict[str, object] = msgspec.to_builtins(fact)
    return {name: value for name, value in fields.items() if name != "type" and value not in (None, [], ())}


def _taken(player: _Player, response: httpx.Response) -> bool:
    if response.is_error:
        player.played.refused += 1
        log.warning("%s: %s %s", response.request.url.path, response.status_code, response.text[:500])
    return response.is_success


async def _post(
    player: _Player, path: str, body: bytes, media: str = "application/json"
) -> httpx.Response | None:
    """Return the engine's answer, however long it takes; None when told to stop before."""
    wait = 0.25
    while not player.stop.is_set():
        try:
            response = await player.client.post(path, content=body, headers={"content-type": media})
        except httpx.TransportError as error:
            log.info("%s: %s; once more in %.1f s", path, error or type(error).__name__, wait)
        else:
            if response.status_code not in (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS):
                return response
            wait = _seconds(response.headers.get("retry-after", ""), wait)
        player.played.retries += 1
        await _pause(player.stop, wait)
        wait = min(2 * wait, LONGEST_WAIT)
    return None


def _seconds(text: str, otherwise: float) -> float:
    try:
        wait = float(text)
    except ValueError:
        return otherwise
    return min(wait, LONGEST_WAIT) if math.isfinite(wait) and wait >= 0 else otherwise


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    if seconds > 0 and not stop.is_set():
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            pass
