"""Prospect: what a contract can expect before it has seen anything, from those that ran before it.

A contract's size is what one look at each of its items is worth to it, as predicted for a viewer of whom nothing
is known. The pool is the landscape of all contracts of one kind per unit of size; a new contract starts from the
pool × its size, as if it had seen START requests, and what it sees itself soon outweighs that (S44, S69). Where a
result has a price (a cost goal), curves are compared at the same bid per result, not at the same multiplier.

Each midnight the contracts that run are forecast in the same way, each from the others alone; how far those forecasts
were off gives the bands of the next one (`fieldline.traffic.bands`).
"""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.contracts import Contract, Meter
from fieldline.contracts.book import TYPICAL, Book
from fieldline.traffic import bands, worth
from fieldline.traffic.bands import Told
from fieldline.traffic.forecast import Traffic, requests_to_come, still_to_come
from fieldline.traffic.pace import Prices
from fieldline.traffic.prediction.model import item_chances
from fieldline.traffic.rows import FLAGS, NET_PRICE, SHOWN
from fieldline.traffic.shelf import reach_of
from fieldline.traffic.solve import BINS, HIGH, LOW, WIDTH, Floats, Room, admitted
from fieldline.traffic.state import State
from fieldline.units import YUAN

Singles = NDArray[np.float32]

START = 20.0
"""Sampled requests that the pool counts for in a new contract's landscape."""
ENOUGH = 200.0
"""Sampled requests of the pool from which it is believed."""
TENTH = 0.1
JUDGED = 200
"""Most contracts that a midnight forecasts from the others."""


class Pool(NamedTuple):
    """What contracts of one kind gain and pay per sampled request and unit of size."""

    value: Floats  # [BINS] yuan, by bin of log α
    cost: Floats  # [BINS]
    organic: float  # yuan per request
    spread: float  # standard deviation of the log of what a contract sees over what its size tells
    sampled: float  # requests behind it
    price: float  # yuan per impression


class Outlook(msgspec.Struct, frozen=True):
    """What a contract is forecast to get in its horizon; money in yuan, each band holds four times in five."""

    requests: float
    requests_low: float
    requests_high: float
    spend: float
    spend_low: float
    spend_high: float
    price: float
    """Yuan per impression."""
    price_low: float
    price_high: float
    value: float
    """As its goal counts it: GMV, or the worth of its orders, fans or leads."""
    value_low: float
    value_high: float
    organic: float
    """Of the value, what is expected without it (where its goal counts that)."""
    roi: float
    alpha: float
    reachable: float
    """The goal at which it would spend a tenth of its budget."""


def begin(state: State, number: int) -> None:
    """Say what an event is worth to a contract; start one that has seen nothing from the pool, where there is one."""
    contract, prices = state.book.contracts[number], state.prices
    mean = mean_price(state, contract)
    state.worth.mean_price[number] = mean
    state.book.typical[number] = typical_of(contract, mean)
    if not contract.bids or prices.sampled[number] > 0.0:
        return
    pool, size = pool_of(state, contract), size_of(state, contract)
    if pool is None or size <= 0.0:
        return
    prices.supply_value[number] = pool.value * size * START
    prices.supply_cost[number] = pool.cost * size * START
    prices.sampled[number] = START


def outlook(state: State, contract: Contract) -> Outlook | None:
    """Return what a contract may expect, from the pool and its size; None where too little was seen to say.

    Args:
        state: with the contracts that ran so far.
        contract: one that need not be in the book.
    """
    pool, size = pool_of(state, contract), size_of(state, contract)
    end = np.array([contract.horizon.end])
    begin_at = max(state.now, contract.horizon.start)
    ahead = still_to_come(state.traffic, state.now, end, state.policy.tick_ms)
    ahead -= still_to_come(state.traffic, state.now, np.array([begin_at]), state.policy.tick_ms)
    if pool is None or size <= 0.0 or ahead[0] <= 0.0:
        return None
    budget, requests = contract.limit.budget / YUAN, float(ahead[0])
    alpha = _admitted(pool, size, contract, budget, requests)
    spend, gained, organic = _reached(pool, size, contract, alpha, requests)
    known, usual = state.bands, typical_of(contract, mean_price(state, contract))
    coming = bands.requests_band(requests, known.of_requests)
    least = bands.LEAST_SHARE * min(budget, float(pool.cost.sum()) * size * requests)
    spent = bands.band(spend, known.of_spend, least, pool.spread, budget)
    price = bands.band(pool.price, known.of_price, bands.LEAST_PRICE, pool.spread)
    value = bands.band(organic + gained, known.of_value, usual, pool.spread)
    sums = np.cumsum(pool.cost * size) * requests, np.cumsum(pool.value * size) * requests
    bin_ = min(int(np.searchsorted(sums[0], TENTH * budget)), BINS - 1)
    return Outlook(
        requests=coming.expected,
        requests_low=coming.low,
        requests_high=coming.high,
        spend=spent.expected,
        spend_low=spent.low,
        spend_high=spent.high,
        price=price.expected,
        price_low=price.low,
        price_high=price.high,
        value=value.expected,
        value_low=value.low,
        value_high=value.high,
        organic=organic,
        roi=value.expected / spend if spend > 0.0 else 0.0,
        alpha=float(np.exp(alpha)),
        reachable=float((organic + sums[1][bin_]) / max(sums[0][bin_], 1e-9)),
    )


def told(state: State) -> Told:
    """Return what is expected of the day that begins now, contract by contract, each from the others alone."""
    book = state.book
    sizes = np.array([size_of(state, contract) if contract.bids else 0.0 for contract in book.contracts])
    return told_of(state.prices, book, state.traffic, sizes, state.now, state.policy.tick_ms)


def told_of(
    prices: Prices,
    book: Book,
    traffic: Traffic,
    sizes: Floats,
    now: int,
    tick_ms: int,
    until_end: bool = False,
) -> Told:
    """Return what is expected of the day that begins now, for at most 200 contracts, evenly among those that run.

    Args:
        prices, book, traffic: after the tick's update; of a contract itself only its limits are read.
        sizes: [C], yuan; 0: nothing of it can be shown, or it does not bid.
        now: a midnight, ms.
        tick_ms: ticks' length.
        until_end: of all the time until each one's end instead.
    """
    runs = book.in_force[: len(book)] & book.bids[: len(book)] & (sizes > 0.0)
    numbers = np.flatnonzero(runs)
    numbers = numbers[:: max(1, -(-len(numbers) // JUDGED))]
    to_come, today = requests_to_come(traffic, book, numbers, now, tick_ms)
    left = (book.budget[numbers] - book.spent[numbers]) / YUAN
    most = np.minimum(left, book.left_today(numbers) / YUAN)
    if until_end:
        today, most = to_come, left
    found: list[tuple[int, float, float, float, float]] = []
    for place, number in enumerate(numbers.tolist()):
        contract, size = book.contracts[number], float(sizes[number])
        pool = pooled(prices, book, sizes, contract, without=number)
        if pool is None or left[place] <= 0.0 or to_come[place] <= 0.0:
            continue
        alpha = _admitted(pool, size, contract, float(left[place]), float(to_come[place]))
        spend, gained, organic = _reached(pool, size, contract, alpha, float(today[place]))
        share = min(1.0, float(most[place]) / spend) if spend > 0.0 else 0.0
        at_most = min(float(most[place]), float(pool.cost.sum()) * size * float(today[place]))
        found.append((number, spend * share, pool.price, gained * share + organic, at_most))
    kept = np.array([number for number, *_ in found], np.int64)
    figures = np.array([figure for _, *figure in found]).reshape(len(kept), 4).T.copy()
    least = np.stack([
        bands.LEAST_SHARE * figures[3], np.full(len(kept), bands.LEAST_PRICE), book.typical[kept],
    ])  # fmt: skip
    figures = figures[:3]
    return Told(kept, figures, least)


def _admitted(pool: Pool, size: float, contract: Contract, left: float, ahead: float) -> float:
    """The highest log α within a budget, yuan, and the goal, over so many requests."""
    organic = pool.organic * size * ahead if contract.limit.counts_organic else 0.0
    room = Room(
        left=np.array([left]),
        left_today=np.array([np.inf]),
        in_hand=np.zeros(1),
        organic=np.array([organic]),
        goal=np.array([contract.limit.goal]),
        ahead=np.array([ahead]),
        ahead_today=np.zeros(1),
        worth=np.ones(1),
        sure=np.ones(1),
        size=np.zeros(1),
        credit=np.zeros(1),
        soon=np.zeros(1),
        most=np.array([HIGH]),
    )
    value, cost = (pool.value * size)[None], (pool.cost * size)[None]
    return float(admitted(value, cost, np.zeros(1, np.int64), *room)[0])


def _reached(
    pool: Pool, size: float, contract: Contract, alpha: float, requests: float
) -> tuple[float, float, float]:
    """Spend, value gained by it and value that comes anyway, where the goal counts that; yuan."""
    spend, gained = (_up_to(curve * size, alpha) * requests for curve in (pool.cost, pool.value))
    return spend, gained, pool.organic * size * requests if contract.limit.counts_organic else 0.0


def mean_price(state: State, contract: Contract) -> float:
    """Return the mean net price of what a contract's items sell, yuan; 0 where they sell nothing."""
    items = np.array(reach_of(state.shelf, contract), np.int64)
    prices = state.shelf.rows[items, NET_PRICE] if len(items) else np.zeros(0)
    return float(prices[prices > 0.0].mean()) if (prices > 0.0).any() else 0.0


def typical_of(contract: Contract, price: float) -> float:
    """Return what one event is worth to a contract before any was seen, yuan: an order, a fan or a lead.

    Args:
        contract: what it values.
        price: mean net price of its items, yuan.
    """
    meter = contract.meter
    return meter.order + meter.gmv * price or meter.lead + meter.visit + meter.follow or TYPICAL


def size_of(state: State, contract: Contract) -> float:
    """Return what one look at each item of a contract that may be shown is worth to it, yuan."""
    items = np.array(reach_of(state.shelf, contract), np.int64)
    if not len(items):
        return 0.0
    rows = state.shelf.rows[items]
    shown = (rows.view(np.int32)[:, FLAGS] & SHOWN) != 0
    return float(look_worth(contract.meter, rows[:, NET_PRICE], *item_chances(state, items))[shown].sum())


def look_worth(meter: Meter, price: Singles, click: Floats, long_view: Floats, order: Floats) -> Floats:
    """Return what one look at each of n items is worth to a contract, yuan [n].

    Args:
        meter: what it values.
        price: net, yuan [n].
        click, long_view, order: chances [n], an order's given a click.
    """
    per_click = meter.click + (meter.lead + meter.visit) * worth.LEADS_PER_CLICK
    bought = meter.fan_days * worth.FAN_ORDERS_A_DAY * price  # what a fan buys, [n]
    per_view = meter.long_view + (meter.follow + bought) * worth.FOLLOWS_PER_LONG_VIEW
    per_order = meter.gmv * price + meter.order
    return meter.look + per_click * click + per_view * long_view + per_order * click * order


def pool_of(state: State, contract: Contract) -> Pool | None:
    """Return what contracts of the same kind saw, per unit of size; None where they saw too little."""
    book, kind = state.book, _kind(contract)
    sizes = np.zeros(len(book))
    for number, other in enumerate(book.contracts):
        if other.bids and _kind(other) == kind and state.prices.sampled[number] > START:
            sizes[number] = size_of(state, other)
    return pooled(state.prices, book, sizes, contract)


def pooled(prices: Prices, book: Book, sizes: Floats, contract: Contract, without: int = -1) -> Pool | None:
    """Return what contracts of the same kind saw, per unit of size; None where they saw too little.

    Args:
        prices: their landscapes.
        book: the contracts.
        sizes: [C], yuan; 0 leaves one out.
        contract: whose kind.
        without: number of one that is left out, −1: none.
    """
    kind = _kind(contract)
    known = np.flatnonzero((sizes > 0.0) & (prices.sampled[: len(book)] > START))
    alike = [j for j in known.tolist() if j != without and _kind(book.contracts[j]) == kind]
    numbers = np.array(alike, np.int64)
    sampled = prices.sampled[numbers]
    if sampled.sum() < ENOUGH:
        return None
    dearer = np.array([_result(book.contracts[j]) for j in alike]) / _result(contract)  # [J]
    own = sizes[numbers] / dearer
    weight = float((sampled * own).sum())
    cost = _moved(prices.supply_cost[numbers], dearer)
    value = _moved(prices.supply_value[numbers] / dearer[:, None], dearer)
    seen, expected = cost.sum(axis=1), cost.sum() / weight * sampled * own
    ratio = np.log(np.maximum(seen, 1e-9) / np.maximum(expected, 1e-9))
    served = np.maximum((prices.served[numbers] * own).sum(), 1e-9)
    spent, shown = float(book.spent[numbers].sum()) / YUAN, float(book.impressions[numbers].sum())
    return Pool(
        value=value.sum(axis=0) / weight,
        cost=cost.sum(axis=0) / weight,
        organic=float((prices.organic[numbers] / dearer).sum() / served),
        spread=float(np.clip(ratio.std(), 0.2, 2.0)),
        sampled=float(sampled.sum()),
        price=spent / shown if shown > 0.0 else 0.0,
    )


def _kind(contract: Contract) -> tuple[bool, bool, bool, bool]:
    meter = contract.meter
    return (
        meter.gmv > 0.0,
        meter.order > 0.0,
        meter.lead + meter.visit > 0.0,
        bool(meter.follow or meter.fan_days),
    )


def _result(contract: Contract) -> float:
    meter = contract.meter
    return meter.order or meter.lead or meter.visit or meter.follow or 1.0


def _moved(curves: Floats, dearer: Floats) -> Floats:
    """Supply curves [J, BINS] as one sees them to whom a result is worth 1/dearer [J] as much: the same bid is a
    multiplier so much higher. What falls below the lowest bin counts there, what passes the highest is not for sale."""
    moved = np.zeros_like(curves)
    for row, (curve, bins) in enumerate(
        zip(curves, np.rint(np.log(dearer) / WIDTH).astype(int), strict=True)
    ):
        place = np.maximum(np.arange(BINS) + bins, 0)
        np.add.at(moved[row], place[place < BINS], curve[place < BINS])
    return moved


def _up_to(curve: Floats, log_alpha: float) -> float:
    place = min(max((log_alpha - LOW) / WIDTH, 0.0), BINS - 1e-9)
    return float(curve[: int(place)].sum() + (place - int(place)) * curve[int(place)])
