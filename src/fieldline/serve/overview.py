"""The market at a glance, read out of the engine's state, for the page at / and GET /v1/overview."""

from collections import deque
from collections.abc import Sequence

import msgspec

from fieldline.content import exposure_by_tier
from fieldline.contracts import Contract
from fieldline.facts import API_VERSION, Decision
from fieldline.serve.models import ModelsReply, models_of
from fieldline.traffic.alerts import Alert, alerts
from fieldline.traffic.forecast import Traffic, planned_share
from fieldline.traffic.learning import Learning, learning
from fieldline.traffic.prediction.outside import NONE, Models
from fieldline.traffic.state import State

POINTS = 120
"""Most points of a curve."""
PLAN_POINTS = 24
MOST_CONTRACTS = 40
BEATS = 10
"""Beats of the server over which a rate is taken."""


class Shown(msgspec.Struct, frozen=True):
    """One place of a recent slate; charge in micro-yuan."""

    item: str
    title: str
    sponsored: bool
    charge: int


class Recent(msgspec.Struct, frozen=True):
    """A recent decision in one line; charge in micro-yuan."""

    id: str
    at: int
    scene: str
    viewer: str
    shown: tuple[Shown, ...]
    charge: int
    paid: bool
    randomised: bool


class Point(msgspec.Struct, frozen=True):
    """One point of a curve: an instant, and a share of the target."""

    at: int
    share: float


class Priced(msgspec.Struct, frozen=True):
    """One point of a price's curve: an instant, and the multiplier of bids."""

    at: int
    alpha: float


class Standing(msgspec.Struct, frozen=True):
    """How a contract stands against its plan; spend in micro-yuan, or looks where it owes exposure."""

    id: str
    offer: str
    owner: str
    paused: bool
    running: bool
    start: int
    end: int
    pays: bool
    """Whether target, done, reserved and planned are micro-yuan; else they are looks."""
    target: float
    done: float
    reserved: float
    planned: float
    alpha: float
    """Multiplier of its bids."""
    organic_price: float
    """Mean of its organic prices, yuan per look."""
    goal: float
    value: float
    """Value in hand, yuan."""
    curve: tuple[Point, ...]
    plan: tuple[Point, ...]
    prices: tuple[Priced, ...] = ()
    """The multiplier of its bids, since this server started."""
    ended: bool = False
    """Whether it was ended before its time."""
    learning: Learning | None = None
    """How far it has learned; null where it was granted rather than bought."""
    alerts: tuple[Alert, ...] = ()


class Tier(msgspec.Struct, frozen=True):
    """Exposure of one tier of creators, in looks."""

    name: str
    creators: int
    looks: float
    share_of_creators: float
    share_of_looks: float


class Counts(msgspec.Struct, frozen=True):
    """What there is, and what happened so far; gmv and spend in micro-yuan."""

    viewers: int
    creators: int
    merchants: int
    items: int
    contracts: int
    decisions: int
    decisions_per_second: float
    looks: float
    clicks: float
    long_views: float
    paid_impressions: int
    orders: int
    gmv: int
    spend: int


class Overview(msgspec.Struct, frozen=True):
    """The market at a glance."""

    at: int
    counts: Counts
    decisions: tuple[Recent, ...]
    contracts: tuple[Standing, ...]
    """Those that run or are to run first; at most 40 (GET /v1/contracts lists all)."""
    tiers: tuple[Tier, ...]
    models: ModelsReply | None = None
    """As GET /v1/models tells them."""
    version: int = API_VERSION


class History:
    """How contracts spent and how many decisions were made, since this server started."""

    def __init__(self) -> None:
        self._curves: dict[str, deque[Point]] = {}
        self._prices: dict[str, deque[Priced]] = {}
        self._decisions: deque[tuple[float, int]] = deque(maxlen=BEATS + 1)

    def beat(self, state: State, wall_s: float) -> None:
        """Take note of how things stand; called once a second."""
        self._decisions.append((wall_s, state.decisions))
        book = state.book
        for wish, numbers in book.wishes.items():
            contracts = [book.contracts[number] for number in numbers]
            target = sum(_target(contract) for contract in contracts)
            curve = self._curves.setdefault(wish, deque(maxlen=POINTS))
            horizon = contracts[0].horizon
            apart = max(state.policy.tick_ms, (horizon.end - horizon.start) // POINTS)
            if target > 0 and (not curve or state.now >= curve[-1].at + apart):
                done = sum(_done(state, number) for number in numbers)
                curve.append(Point(state.now, done / target))
                prices = self._prices.setdefault(wish, deque(maxlen=POINTS))
                prices.append(Priced(state.now, float(state.prices.alpha[numbers[0]])))

    def curve(self, wish: str) -> tuple[Point, ...]:
        """Return how much of its target a contract had reached, by time."""
        return tuple(self._curves.get(wish, ()))

    def prices(self, wish: str) -> tuple[Priced, ...]:
        """Return the multiplier of a contract's bids, by time."""
        return tuple(self._prices.get(wish, ()))

    def decisions_per_second(self) -> float:
        """Return the decisions per second of wall time of late."""
        if len(self._decisions) < 2:
            return 0.0
        (start, before), (end, after) = self._decisions[0], self._decisions[-1]
        return (after - before) / (end - start) if end > start else 0.0


def overview_of(
    state: State, recent: Sequence[Decision], history: History, models: Models = NONE
) -> Overview:
    """Return the market at a glance.

    Args:
        state: the engine's, only read.
        recent: decisions to list, newest first.
        history: what this server noted since it started.
        models: that decisions are made with.
    """
    return Overview(
        at=state.now,
        counts=_counts(state, history),
        decisions=tuple(_recent(state, decision) for decision in recent),
        contracts=tuple(standing_of(state, wish, history) for wish in _foremost(state)),
        tiers=_tiers(state),
        models=models_of(state, models),
    )


def title_of(state: State, item: str) -> str:
    """Return an item's title, or its id where it has none."""
    number = state.shelf.names.find(item)
    return (state.shelf.facts[number].title or item) if number >= 0 else item


def _recent(state: State, decision: Decision) -> Recent:
    shown = tuple(
        Shown(slot.item, title_of(state, slot.item), slot.contract is not None, slot.charge)
        for slot in decision.slots
    )
    charge = sum(slot.charge for slot in decision.slots)
    return Recent(
        decision.id,
        decision.at,
        decision.scene,
        decision.viewer,
        shown,
        charge,
        decision.paid,
        decision.randomised,
    )


def standing_of(state: State, wish: str, history: History) -> Standing:
    """Return how a contract stands.

    Args:
        state: the engine's, only read.
        wish: its id.
        history: what this server noted since it started.
    """
    book, prices = state.book, state.prices
    numbers = list(book.wishes[wish])
    contracts = [book.contracts[number] for number in numbers]
    first, target = contracts[0], sum(_target(contract) for contract in contracts)
    horizon = first.horizon
    return Standing(
        id=wish,
        offer=first.offer,
        owner=first.owner,
        paused=wish in book.paused,
        running=bool(book.in_force[numbers].any()),
        start=horizon.start,
        end=horizon.end,
        pays=first.bids,
        target=target,
        done=sum(_done(state, number) for number in numbers),
        reserved=float(book.reserved[numbers].sum()),
        planned=target * planned_share(state.traffic, horizon.start, horizon.end, state.now),
        alpha=float(prices.alpha[numbers].max()),
        organic_price=float(prices.mu[numbers].mean()),
        goal=first.limit.goal,
        value=float(book.value[numbers].sum()),
        curve=history.curve(wish),
        plan=_plan(state.traffic, horizon.start, horizon.end),
        prices=history.prices(wish),
        ended=wish in book.ended,
        learning=learning(state, numbers[0]) if first.bids else None,
        alerts=alerts(state, wish),
    )


def _foremost(state: State) -> list[str]:
    """Return the contracts to show: not over before over, paying before granted, the newest of each first."""
    book = state.book

    def place(wish: str) -> tuple[bool, bool, int, str]:
        first = book.contracts[book.wishes[wish][0]]
        over = wish in book.ended or first.horizon.end <= state.now
        return over, not first.bids, -first.horizon.start, wish

    return sorted(book.wishes, key=place)[:MOST_CONTRACTS]


def _target(contract: Contract) -> float:
    limit = contract.limit
    granted = contract.grant.looks if contract.grant else 0.0
    return float(limit.budget or limit.looks or limit.ceiling or granted)


def _done(state: State, number: int) -> float:
    contract, book = state.book.contracts[number], state.book
    if contract.bids:
        return float(book.spent[number])
    return min(float(book.looks[number]), _target(contract))


def _plan(traffic: Traffic, start: int, end: int) -> tuple[Point, ...]:
    instants = [start + (end - start) * step // PLAN_POINTS for step in range(PLAN_POINTS + 1)]
    return tuple(Point(at, planned_share(traffic, start, end, at)) for at in instants)


def _tiers(state: State) -> tuple[Tier, ...]:
    tiers = exposure_by_tier(state.content)
    creators = sum(count for count, _ in tiers.values())
    looks = sum(total for _, total in tiers.values())
    return tuple(
        Tier(name, count, total, count / creators if creators else 0.0, total / looks if looks else 0.0)
        for name, (count, total) in tiers.items()
    )


def _counts(state: State, history: History) -> Counts:
    book, shelf = state.book, state.shelf
    seen = shelf.counts[: len(shelf.facts)].sum(axis=0)  # [3] looks, clicks, long views
    count, ids = len(book), state.people.names.ids
    return Counts(
        viewers=len(ids) - ids.count(""),  # an erased one leaves an empty place
        creators=len(state.content.facts),
        merchants=len(state.goods.merchants),
        items=len(shelf.facts),
        contracts=len(book.wishes),
        decisions=state.decisions,
        decisions_per_second=history.decisions_per_second(),
        looks=float(seen[0]),
        clicks=float(seen[1]),
        long_views=float(seen[2]),
        paid_impressions=int(book.impressions[:count].sum()),
        orders=state.goods.orders,
        gmv=state.goods.gmv,
        spend=int(book.spent[:count].sum()),
    )
