"""The demonstration's player against an engine in the same process that only writes down what it is told."""

import asyncio
import json
from collections import Counter
from typing import Any

import httpx
import msgspec
import pytest

from fieldline.contracts import Horizon
from fieldline.facts import Behaviour, CatalogueEntry, Impression, LiveRoom, Product, Request, Video, Wish
from fieldline.lab.demo import NotPlayable, Played, Tempo, play
from fieldline.lab.demo_wishes import day_end, wishes
from fieldline.lab.world import Size, World, catalogue, requests
from fieldline.offers import contracts_of
from fieldline.offers.storewide import Terms as Storewide
from fieldline.units import DAY, HOUR, Instant

OPENING = Instant(20_000 * DAY)
WORLD = World.make(3, Size(viewers=60, creators=12, merchants=6, products=30, videos=60, rooms=4))
AT_ONCE = Tempo(speed=1e12, requests_per_second=1e12)
TYPES = {
    "merchants": "merchant",
    "creators": "creator",
    "viewers": "viewer",
    "products": "product",
    "videos": "video",
    "live_rooms": "live_room",
}


class Engine:
    """Takes everything, shows the first items of the scene, and answers as it was told to for some calls."""

    def __init__(self, answers: dict[tuple[str, int], int] | None = None) -> None:
        self.answers = answers or {}
        self.calls: Counter[str] = Counter()
        self.bodies: list[tuple[str, bytes]] = []
        self.entries: dict[str, CatalogueEntry] = {}
        self.wishes: list[dict[str, Any]] = []
        self.requests: list[Request] = []
        self.events: list[Behaviour] = []
        self.shown: dict[str, tuple[int, list[str]]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        path = scope["path"]
        self.bodies.append((path, body))
        status = self.answers.get((path, self.calls[path]), 200)
        self.calls[path] += 1
        reply = self.take(path, body) if status == 200 else {"title": "no"}
        headers = [(b"content-type", b"application/json"), (b"retry-after", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(reply).encode()})

    def take(self, path: str, body: bytes) -> dict[str, Any]:
        name = path.removeprefix("/v1/")
        if name == "decide":
            request = msgspec.json.decode(body, type=Request)
            self.requests.append(request)
            items = self.slate(request)
            self.shown[request.id] = (request.at or 0, items)
            return {
                "id": request.id,
                "slots": [{"item": item, "position": k} for k, item in enumerate(items)],
            }
        if name == "events":
            self.events += msgspec.json.decode(body, type=dict[str, list[Behaviour]])["events"]
        elif name == "contracts":
            self.wishes.append(json.loads(body))
        else:
            for line in body.splitlines():
                entry = msgspec.convert({**json.loads(line), "type": TYPES[name]}, CatalogueEntry)
                self.entries[entry.id] = entry
        return {}

    def slate(self, request: Request) -> list[str]:
        items = (entry for entry in self.entries.values() if isinstance(entry, Video | Product | LiveRoom))
        return [item.id for item in items if request.scene in item.scenes][:6]


async def played_by(engine: Engine, end: Instant, stop: asyncio.Event) -> Played:
    there = httpx.ASGITransport(engine)
    return await play("http://e", WORLD, stop, start=OPENING, end=end, tempo=AT_ONCE, transport=there)


def played(engine: Engine, hours: int) -> Played:
    return asyncio.run(played_by(engine, Instant(OPENING + hours * HOUR), asyncio.Event()))


def test_the_engine_is_told_the_whole_catalogue_first() -> None:
    """All entries of the market arrive as JSON Lines before the first request, unchanged."""
    engine = Engine()
    played(engine, 1)
    first = next(k for k, (path, _) in enumerate(engine.bodies) if path == "/v1/decide")
    early = Engine()
    for path, body in engine.bodies[:first]:
        early.take(path, body)
    assert list(early.entries.values()) == list(catalogue(WORLD, OPENING))


def test_every_request_of_the_time_is_asked_once_in_order() -> None:
    """Three hours of play ask exactly the market's requests of these hours, and say so."""
    engine = Engine()
    result = played(engine, 3)
    assert engine.requests == list(requests(WORLD, OPENING, Instant(OPENING + 3 * HOUR)))
    assert result == Played(
        at=Instant(OPENING + 3 * HOUR),
        requests=len(engine.requests),
        events=len(engine.events),
        retries=0,
        refused=0,
    )
    assert len(engine.requests) > 50


def test_events_arrive_in_order_after_their_decision() -> None:
    """Events come in the order of time, none before its decision or past the end, each id once."""
    engine = Engine()
    played(engine, 3)
    times = [event.at for event in engine.events]
    assert times == sorted(times)
    assert times[-1] <= OPENING + 3 * HOUR
    assert len({event.id for event in engine.events}) == len(times) > 100
    for event in engine.events:
        if isinstance(event, Impression):
            at, items = engine.shown[event.decision]
            assert event.at > at
            assert event.item in items


def test_contracts_are_what_their_offers_take() -> None:
    """Every contract's terms compile through its offer, from the first request to midnight in China."""
    engine = Engine()
    played(engine, 1)
    assert Counter(wish["offer"] for wish in engine.wishes) == {"storewide": 3, "cold_start": 4}
    for wish in engine.wishes:
        fact = Wish(wish["id"], OPENING, 1, wish["offer"], wish["owner"], json.dumps(wish["terms"]))
        for contract in contracts_of(fact):
            assert contract.horizon == Horizon(engine.requests[0].at or 0, OPENING + 16 * HOUR)
            assert contract.limit.budget > 0 or contract.limit.looks > 0


def test_a_new_day_brings_new_contracts() -> None:
    """Play past midnight asks for a second set of contracts, none of whose ids was used before."""
    engine = Engine()
    played(engine, 17)
    assert len({wish["id"] for wish in engine.wishes}) == len(engine.wishes) == 14


def test_live_rooms_are_told_when_they_change() -> None:
    """After 17 hours the engine's rooms are no longer those of the opening."""
    engine = Engine()
    played(engine, 17)
    rooms = [entry for entry in catalogue(WORLD, OPENING) if isinstance(entry, LiveRoom)]
    assert [engine.entries[room.id] for room in rooms] != rooms


def test_a_busy_engine_is_asked_again_with_the_same_body() -> None:
    """A 503 to a decide, a batch or an upsert is followed by the very same call, and nothing is lost."""
    plain, busy = Engine(), Engine({(p, 0): 503 for p in ("/v1/decide", "/v1/events", "/v1/viewers")})
    played(plain, 1)
    result = played(busy, 1)
    for path in ("/v1/decide", "/v1/events", "/v1/viewers"):
        first, second = [body for called, body in busy.bodies if called == path][:2]
        assert first == second
    assert (busy.requests, busy.events) == (plain.requests, plain.events)
    assert result.retries == 3


def test_a_refused_request_is_counted_and_the_play_goes_on() -> None:
    """A 422 to one decide leaves out its events alone."""
    plain, strict = Engine(), Engine({("/v1/decide", 4): 422})
    played(plain, 1)
    result = played(strict, 1)
    lost = plain.requests[4].id
    assert result.refused == 1
    assert strict.requests == [request for request in plain.requests if request.id != lost]
    assert strict.events == [event for event in plain.events if not event.id.startswith(f"{lost}/")]


def test_a_refused_catalogue_ends_the_play() -> None:
    """A 422 to an upsert raises what the engine said, before any request."""
    engine = Engine({("/v1/products", 0): 422})
    with pytest.raises(NotPlayable, match="/v1/products: 422"):
        played(engine, 1)
    assert engine.requests == []


def test_contracts_of_an_earlier_play_are_left_alone() -> None:
    """A 409 to a contract is no error; a 422 is."""
    known = Engine({("/v1/contracts", k): 409 for k in range(7)})
    assert played(known, 1).requests > 0
    with pytest.raises(NotPlayable, match="/v1/contracts: 422"):
        played(Engine({("/v1/contracts", 2): 422}), 1)


def test_an_item_of_another_market_does_not_end_the_play() -> None:
    """A slate with an item that this market does not have is counted as refused, and gets no events."""
    engine = Engine()
    engine.slate = lambda request: [f"video-{request.id}"]  # type: ignore[method-assign]
    result = played(engine, 1)
    assert (result.requests, result.refused) == (len(engine.requests), len(engine.requests))
    assert engine.events == []


def test_stopping_ends_the_play_between_two_requests() -> None:
    """Told to stop at its tenth decide, the player asks no eleventh."""

    async def stopped() -> Played:
        stop = asyncio.Event()
        engine = Engine()
        show = engine.slate

        def slate(request: Request) -> list[str]:
            if len(engine.requests) == 10:
                stop.set()
            return show(request)

        engine.slate = slate  # type: ignore[method-assign]
        transport = httpx.ASGITransport(engine)
        return await play(
            "http://engine",
            WORLD,
            stop,
            start=OPENING,
            end=Instant(OPENING + DAY),
            tempo=AT_ONCE,
            transport=transport,
        )

    result = asyncio.run(stopped())
    assert result.requests == 10
    assert result.at < OPENING + 4 * HOUR


def test_budgets_shrink_with_the_day() -> None:
    """A contract made at noon has half the budget of the day; days end at 16:00 UTC."""
    noon = Instant(OPENING + 4 * HOUR)
    dawn = Instant(OPENING - 8 * HOUR)
    assert day_end(noon) == OPENING + 16 * HOUR
    assert day_end(Instant(OPENING + 16 * HOUR)) == OPENING + 40 * HOUR
    whole, half = ({w.id: w.terms for w in wishes(WORLD, at)} for at in (dawn, noon))
    budgets = [
        (terms.budget, every.budget)
        for terms, every in zip(half.values(), whole.values(), strict=True)
        if isinstance(terms, Storewide) and isinstance(every, Storewide)
    ]
    assert half.keys() == whole.keys()
    assert len(budgets) == 3
    assert all(abs(part - budget / 2) <= 1 for part, budget in budgets)
