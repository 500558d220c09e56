"""The made market, played through an engine in the same process as the application plays it: ticks, facts, wishes."""

import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from unittest.mock import patch

import msgspec

from fieldline import engine, scenes
from fieldline.app import DEFAULT_POLICY
from fieldline.draws import key_of, unit_of
from fieldline.facts import AnyFact, Behaviour, Decision, LiveRoom, Policy, Tick, Video, Wish
from fieldline.lab.demo_wishes import wishes
from fieldline.lab.season.plan import START
from fieldline.lab.world import (
    LOCAL_TIME,
    SIZES,
    World,
    catalogue,
    live_rooms,
    on_sale,
    requests,
    respond,
    truth,
    visit_of,
)
from fieldline.lab.world.catalogue import item_number
from fieldline.traffic.prediction import model
from fieldline.traffic.state import State
from fieldline.units import DAY, MINUTE, YUAN, Instant

ROOMS_EVERY = 10 * MINUTE
LATE = 0.1
"""Share of the market's videos that come out while it is played, one after the other."""
NOON = Instant(START + DAY // 2)
LEARNED = Instant(NOON + DAY)
"""A day later, when previews are asked for."""
SIZE = replace(SIZES["demo"], viewers=1_200)
"""The demonstration's market, but for its viewers."""


@dataclass(slots=True)
class Market:
    """One seed's market as it is played: an engine in the same process, and what viewers are about to do."""

    world: World
    state: State
    at: Instant
    coming: list[Video]
    """Works that are yet to come out, the first one last."""
    rooms: dict[str, LiveRoom]
    due: list[tuple[int, int, Behaviour]] = field(default_factory=list)  # a heap
    pushed: int = 0
    wished: int = 0

    def copy(self) -> "Market":
        """Return a market that goes its own way from here."""
        state = engine.decode(engine.encode(self.state))
        return replace(
            self, state=state, coming=list(self.coming), rooms=dict(self.rooms), due=list(self.due)
        )


def opened(seed: int, policy: Policy) -> Market:
    """Return a seed's market at noon, before the first request."""
    world = World.make(seed, SIZE)
    market = Market(world, engine.init(policy), NOON, [], {})
    take(market, Tick(NOON))
    for entry in catalogue(world, NOON):
        if isinstance(entry, LiveRoom):
            market.rooms[entry.id] = entry
        if isinstance(entry, Video) and unit_of(key_of(seed, entry.id, "late")) < LATE:
            out = int(NOON + unit_of(key_of(seed, entry.id, "out")) * 3 * DAY)
            market.coming.append(msgspec.structs.replace(entry, uploaded_at=out))
        else:
            take(market, entry)
    market.coming.sort(key=lambda video: -video.uploaded_at)
    return market


def take(market: Market, fact: AnyFact) -> None:
    """Fold a fact."""
    engine.reduce(market.state, fact)


def played(market: Market, end: Instant) -> Iterator[Decision]:
    """Play a market until an instant, as the application does: its ticks, facts and wishes between requests.

    Yields:
        Every decision, before it is answered.
    """
    next_tick, next_rooms = market.state.ticked + 5 * MINUTE, market.at
    for asked in requests(market.world, market.at, end):
        assert asked.at is not None
        at = Instant(asked.at)
        while next_tick <= at:
            _until(market, next_tick)
            take(market, Tick(next_tick))
            next_tick += 5 * MINUTE
        _until(market, at)
        if at >= next_rooms:
            next_rooms = Instant(at + ROOMS_EVERY)
            for room in live_rooms(market.world, at):
                if market.rooms.get(room.id) != room:
                    market.rooms[room.id] = room
                    take(market, room)
        decision = engine.decide(market.state, asked)
        take(market, decision)
        yield decision
        for answer in respond(market.world, decision):
            market.pushed += 1
            heapq.heappush(market.due, (answer.at, market.pushed, answer))
    _until(market, end)
    market.at = end


def _until(market: Market, at: int) -> None:
    """Take all that comes before an instant but requests and ticks."""
    day = (at + LOCAL_TIME) // DAY
    if day > market.wished:
        market.wished = day
        for wished in wishes(market.world, Instant(max(market.at, day * DAY - LOCAL_TIME))):
            terms = msgspec.json.encode(wished.terms).decode()
            take(market, Wish(wished.id, at, 1, wished.offer, wished.owner, terms))
    while market.coming and market.coming[-1].uploaded_at <= at:
        take(market, market.coming.pop())
    while market.due and market.due[0][0] <= at:
        take(market, heapq.heappop(market.due)[2])


@contextmanager
def learned() -> Iterator[None]:
    """Let nothing more be learned of clicks, orders and depth, by arms that are to differ in their slates alone.

    Arms that go on learning differ by some per cent of viewer value whatever the dial is: which works are found good,
    and when, is left to chance, and a preview says that it knows nothing of it.
    """

    def nothing(*_: object, **__: object) -> tuple[float, float, float]:
        return 0.0, 0.0, 0.0

    with (
        patch.object(model, "learn", nothing),
        patch.object(model, "learn_order", nothing),
        patch.object(model, "refresh", nothing),
        patch.object(scenes, "refresh", nothing),
    ):
        yield


def truth_of(world: World, decision: Decision) -> tuple[float, float]:
    """Return the viewer value and the GMV that a slate has by the market's own chances, yuan."""
    visit = visit_of(world, decision.id, decision.viewer, decision.scene)
    watched = bought = 0.0
    for slot, shown in enumerate(decision.slots):
        item = item_number(world.items, shown.item)
        product = on_sale(world, item, Instant(decision.at))
        if product < -1:
            continue
        look = (1.0 - truth.UNSEEN) * float(truth.LOOKS[visit.scene, slot])
        click, long_view, order = truth.chances(world.nature, visit.viewer, visit.scene, item, product)
        watched += look * long_view
        if product >= 0:
            bought += look * click * order * float(world.products.price[product]) / YUAN * (1.0 + truth.TWO)
    return DEFAULT_POLICY.viewer_value * watched, bought
