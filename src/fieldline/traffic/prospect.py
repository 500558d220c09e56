"""Prospect: what a contract can expect before it has seen anything, from those that ran before it.

A contract's size is what one look at each of its items is worth to it, as predicted for a viewer of whom nothing
is known. The pool is the landscape of all contracts of one kind per unit of size; a new contract starts from the
pool × its size, as if it had seen START requests, and what it sees itself soon outweighs that (S44, S69). Where a
result has a price (a cost goal), curves are compared at the same bid per result, not at the same multiplier.
"""

from typing import NamedTuple

import msgspec
import numpy as np

from fieldline.contracts import Contract
from fieldline.contracts.book import TYPICAL
from fieldline.traffic import worth
from fieldline.traffic.forecast import still_to_come
from fieldline.traffic.model import item_chances
from fieldline.traffic.rows import FLAGS, NET_PRICE, SHOWN
from fieldline.traffic.shelf import reach_of
from fieldline.traffic.solve import BINS, HIGH, LOW, WIDTH, Floats, Room, admitted
from fieldline.traffic.state import State
from fieldline.units import YUAN

START = 20.0
"""Sampled requests that the pool counts for in a new contract's landscape."""
ENOUGH = 200.0
"""Sampled requests of the pool from which it is believed."""
TENTH = 0.1


class Pool(NamedTuple):
    """What contracts of one kind gain and pay per sampled request and unit of size."""

    value: Floats  # [BINS] yuan, by bin of log α
    cost: Floats  # [BINS]
    organic: float  # yuan per request
    spread: float  # standard deviation of the log of what a contract sees over what its size tells
    sampled: float  # requests behind it


class Outlook(msgspec.Struct, frozen=True):
    """What a contract is forecast to get in its horizon; money in yuan, each band holds four times in five."""

    requests: float
    spend: float
    spend_low: float
    spend_high: float
    value: float
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
    goal, budget = contract.limit.goal, contract.limit.budget / YUAN
    organic = pool.organic * size * ahead[0] if contract.limit.counts_organic else 0.0
    value, cost = (pool.value * size)[None], (pool.cost * size)[None]
    room = Room(
        left=np.array([budget]),
        left_today=np.array([np.inf]),
        in_hand=np.zeros(1),
        organic=np.array([organic]),
        goal=np.array([goal]),
        ahead=ahead,
        ahead_today=np.zeros(1),
        worth=np.ones(1),
        sure=np.ones(1),
        size=np.zeros(1),
        credit=np.zeros(1),
        soon=np.zeros(1),
        most=np.array([HIGH]),
    )
    alpha = float(admitted(value, cost, np.zeros(1, np.int64), *room)[0])
    spend, gained = (_up_to(curve[0], alpha) * float(ahead[0]) for curve in (cost, value))
    total = organic + gained
    band = float(np.exp(1.2816 * pool.spread))
    sums = np.cumsum(cost[0]) * ahead[0], np.cumsum(value[0]) * ahead[0]
    bin_ = min(int(np.searchsorted(sums[0], TENTH * budget)), BINS - 1)
    return Outlook(
        requests=float(ahead[0]),
        spend=min(spend, budget),
        spend_low=min(spend / band, budget),
        spend_high=min(spend * band, budget),
        value=total,
        value_low=total / band,
        value_high=total * band,
        organic=organic,
        roi=total / spend if spend > 0.0 else 0.0,
        alpha=float(np.exp(alpha)),
        reachable=float((organic + sums[1][bin_]) / max(sums[0][bin_], 1e-9)),
    )


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
    click, long_view, order = item_chances(state, items)  # [n] each
    meter = contract.meter
    per_click = meter.click + (meter.lead + meter.visit) * worth.LEADS_PER_CLICK
    bought = meter.fan_days * worth.FAN_ORDERS_A_DAY * rows[:, NET_PRICE]  # what a fan buys, [n]
    per_view = meter.long_view + (meter.follow + bought) * worth.FOLLOWS_PER_LONG_VIEW
    per_order = meter.gmv * rows[:, NET_PRICE] + meter.order
    each = meter.look + per_click * click + per_view * long_view + per_order * click * order
    return float(each[shown].sum())


def pool_of(state: State, contract: Contract) -> Pool | None:
    """Return what contracts of the same kind saw, per unit of size; None where they saw too little."""
    book, prices = state.book, state.prices
    kind = _kind(contract)
    alike = [
        number
        for number, other in enumerate(book.contracts)
        if other.bids and _kind(other) == kind and prices.sampled[number] > START
    ]
    sizes = np.array([size_of(state, book.contracts[number]) for number in alike])
    numbers, sizes = np.array(alike, np.int64)[sizes > 0.0], sizes[sizes > 0.0]
    dearer = np.array([_result(book.contracts[j]) for j in numbers]) / _result(contract)  # [J]
    sizes = sizes / dearer
    sampled = prices.sampled[numbers]
    if sampled.sum() < ENOUGH:
        return None
    weight = float((sampled * sizes).sum())
    cost = _moved(prices.supply_cost[numbers], dearer)
    value = _moved(prices.supply_value[numbers] / dearer[:, None], dearer)
    seen, told = cost.sum(axis=1), cost.sum() / weight * sampled * sizes
    ratio = np.log(np.maximum(seen, 1e-9) / np.maximum(told, 1e-9))
    served = np.maximum((prices.served[numbers] * sizes).sum(), 1e-9)
    return Pool(
        value=value.sum(axis=0) / weight,
        cost=cost.sum(axis=0) / weight,
        organic=float((prices.organic[numbers] / dearer).sum() / served),
        spread=float(np.clip(ratio.std(), 0.2, 2.0)),
        sampled=float(sampled.sum()),
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
