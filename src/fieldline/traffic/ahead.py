"""Ahead: what a contract in force is forecast to spend and to reach at the price it pays now.

The landscape per sampled request at today's multiplier, times the gain (how spend compares with what was
predicted of late), times the requests to come: the same forecast from which the price itself is solved.
"""

from typing import NamedTuple

import numpy as np

from fieldline.contracts import Contract
from fieldline.facts import LiveRoom, Product
from fieldline.traffic import pace
from fieldline.traffic.forecast import requests_to_come, scene_weights, still_to_come
from fieldline.traffic.shelf import product_of, reach_of
from fieldline.traffic.solve import LOW, cost_at
from fieldline.traffic.state import State
from fieldline.units import HOUR, YUAN

MOST_HOURS = 24 * 60
GAINS = (0.3, 3.0)


class Ahead(NamedTuple):
    """The forecast of one contract; money in yuan."""

    cost: float
    """Spend per request at today's multiplier."""
    value: float
    """Value gained by paying, per request."""
    organic: float
    """Value per request that its items bring anyway."""
    most: float
    """Spend per request at the highest multiplier: all that there is to buy."""
    requests: float
    """To come until its end, in the hours of its schedule."""
    today: float
    """Those of today."""
    sampled: float
    """Sampled requests behind it, decayed."""
    gain: float
    """Spend of late over what was predicted of it."""


class Stand(NamedTuple):
    """How many of a contract's items may be shown, and what keeps the others back."""

    items: int
    shown: int
    out_of_stock: int
    under_review: int


def ahead(state: State, number: int) -> Ahead:
    """Return what a contract is forecast to do from now on.

    Args:
        state: only read.
        number: the contract's; one that bids.
    """
    prices, numbers = state.prices, np.array([number])
    weight = scene_weights(prices.offered[numbers], prices.asked)
    to_come, today = requests_to_come(
        state.traffic, state.book, numbers, state.now, state.policy.tick_ms, weight
    )
    sampled = float(prices.sampled[number])
    gain = float(np.clip(prices.spend[number] / max(prices.predicted[number], 1e-12), *GAINS))
    per = gain / max(sampled, 1e-9)
    log_alpha = np.log(np.maximum(prices.alpha[numbers], np.exp(LOW)))
    cost, value = (
        float(cost_at(curve, numbers, log_alpha)[0] * per)
        for curve in (prices.supply_cost, prices.supply_value)
    )
    return Ahead(
        cost=cost,
        value=value,
        organic=float(prices.organic[number] / (prices.served[number] + pace.SERVED)),
        most=float(prices.supply_cost[number].sum() * per),
        requests=float(to_come[0]),
        today=float(today[0]),
        sampled=sampled,
        gain=gain,
    )


def within_goal(state: State, number: int, known: Ahead) -> float:
    """Return the most that a contract could spend until its end and still reach its goal on that, yuan.

    The largest N·C(α) with O + N·V(α) ≥ τ·N·C(α), O being organic value to come where the goal counts that: what is
    for sale decides, not what was won or lost so far.

    Args:
        state: only read.
        number: of a contract with a goal.
        known: its forecast.
    """
    prices, scale = state.prices, known.requests * known.gain / max(known.sampled, 1e-9)
    value, cost = (scale * np.cumsum(c[number]) for c in (prices.supply_value, prices.supply_cost))  # [BINS]
    organic = known.organic * known.requests if state.book.counts_organic[number] else 0.0
    fits = organic + value >= state.book.goal[number] * cost
    return float(cost[fits].max(initial=0.0))


def runs_out(state: State, rate: float, amount: float, until: int) -> int | None:
    """Return the end of the hour in which an amount is used up, or None where that is not before an instant.

    Args:
        state: only read.
        rate: used per request.
        amount: what is left.
        until: ms.
    """
    hours = min(max(until - state.now, 0) // HOUR, MOST_HOURS)
    ends = state.now + HOUR * np.arange(1, hours + 1, dtype=np.int64)
    used = rate * still_to_come(state.traffic, state.now, ends, state.policy.tick_ms)  # [H]
    gone = np.flatnonzero(used >= amount)
    return int(ends[gone[0]]) if len(gone) else None


def left(state: State, number: int) -> float:
    """Return what a contract has left of its budget, yuan."""
    book = state.book
    return float(book.budget[number] - book.spent[number] - book.reserved[number]) / YUAN


def stand(state: State, contract: Contract) -> Stand:
    """Return how many items a contract uses, and how many of them can be shown."""
    out = review = items = 0
    goods = state.goods
    for item in reach_of(state.shelf, contract):
        fact = state.shelf.facts[item]
        if isinstance(fact, LiveRoom) and fact.ended_at:
            continue
        items += 1
        product = fact.id if isinstance(fact, Product) else product_of(fact)
        if not fact.approved or (product in goods.products and not goods.products[product].approved):
            review += 1
        elif product is not None and not goods.stock.get(product, 0):
            out += 1
    return Stand(items, items - out - review, out, review)
