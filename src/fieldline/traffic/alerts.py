"""Alerts: what a contract's owner should know before it is too late, read out of the state at any moment.

Nothing is stored and nothing is sent: the same state gives the same alerts, and one that no longer holds is gone.
Budgets are hard (they are never passed), so that their alerts speak of an early end, not of an overrun.
"""

from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from fieldline.contracts import Contract, book
from fieldline.contracts.horizon import day_end, day_of, day_start, is_open
from fieldline.traffic import worth
from fieldline.traffic.ahead import Ahead, Stand, ahead, left, runs_out, stand
from fieldline.traffic.forecast import planned_share
from fieldline.traffic.rows import NET_PRICE
from fieldline.traffic.shelf import reach_of
from fieldline.traffic.solve import HIGH, LOW
from fieldline.traffic.state import State
from fieldline.units import YUAN

EARLY = 0.9
"""A budget that is forecast to be used up before this share of its time is one that ends early."""
SHORT = 0.95
"""A goal is at risk where what is in hand and expected is below this share of what will be owed."""
TOLD = 3.0
"""Results that must have been paid for before a goal is said to be at risk: earlier, chance says more."""
CLAMPED = 3
"""Ticks in a row at which a price at its end is told."""
BEHIND = 0.9
SURE = 100.0
"""Sampled requests from which a landscape is believed."""
SILENT, MUTE = 0.01, 0.5
"""Shares of candidates of late of which a model outside said nothing: told, and told as critical."""
NOTHING = 0.01
"""Share of what is left of a budget below which all that could be bought counts as nothing."""

Code = Literal[
    "budget_soon",
    "daily_soon",
    "goal_at_risk",
    "price_at_clamp",
    "price_diverged",
    "stock_out",
    "under_review",
    "no_supply",
    "floor_behind",
    "capacity_full",
    "model_silent",
]
Level = Literal["notice", "warning", "critical"]
CRITICAL, WARNING, NOTICE = 0, 1, 2
LEVELS: tuple[Level, ...] = ("critical", "warning", "notice")


class Alert(msgspec.Struct, frozen=True):
    """One thing to know about a contract, or (contract and wish empty) about the engine.

    | code | value | limit | at |
    |--|--|--|--|
    | budget_soon | yuan left | budget, yuan | when it is used up |
    | daily_soon | yuan left today | daily budget, yuan | when it is used up |
    | goal_at_risk | value per yuan expected by the end | goal | |
    | price_at_clamp | multiplier | the end at which it stands | |
    | price_diverged | multiplier | highest multiplier | |
    | stock_out, under_review | items concerned | items in all | |
    | no_supply | yuan that all there is would cost | yuan left | |
    | floor_behind | looks given | looks planned by now | |
    | capacity_full | served today | capacity of a day | when it can serve again |
    | model_silent | share of candidates of which the model outside says nothing | share that is told | |
    """

    contract: str
    wish: str
    code: Code
    level: Level
    value: float
    limit: float
    at: int | None = None
    since: int | None = None
    """Since when, where the state knows it."""


class Alerts(msgspec.Struct, frozen=True):
    """All alerts of a moment, the most urgent first."""

    at: int
    items: tuple[Alert, ...]


class _Found(NamedTuple):
    code: Code
    urgency: int
    value: float
    limit: float
    at: int | None = None
    since: int | None = None


def alerts(state: State, wish: str | None = None) -> tuple[Alert, ...]:
    """Return what is to be known now of every contract that has begun and is not over, the most urgent first.

    Args:
        state: only read.
        wish: only those of this wish; None: of all, and of the model outside.
    """
    found = [
        Alert(contract.id, contract.wish, a.code, LEVELS[a.urgency], a.value, a.limit, a.at, a.since)
        for number in _live(state, wish)
        for contract in (state.book.contracts[number],)
        for a in _of_contract(state, number)
    ]
    return urgent_first([*found, *of_model(state)] if wish is None else found)


def of_model(state: State) -> Iterator[Alert]:
    """Yield what is to be known now of the model outside."""
    outside = state.outside
    if outside.silence > SILENT:
        level = LEVELS[CRITICAL if outside.silence > MUTE else WARNING]
        yield Alert("", "", "model_silent", level, outside.silence, SILENT, since=outside.since)


def urgent_first(found: Iterable[Alert]) -> tuple[Alert, ...]:
    """Return alerts in the order in which to read them: by level, contract and code."""
    return tuple(sorted(found, key=lambda alert: (LEVELS.index(alert.level), alert.contract, alert.code)))


def _live(state: State, wish: str | None) -> list[int]:
    """Contracts within their horizon that are neither paused nor ended."""
    held = state.book
    names = held.wishes if wish is None else [wish]
    return [
        number
        for name in names
        if name not in held.paused and name not in held.ended
        for number in held.wishes.get(name, ())
        if held.contracts[number].horizon.start <= state.now < held.contracts[number].horizon.end
    ]


def _of_contract(state: State, number: int) -> Iterator[_Found]:
    contract = state.book.contracts[number]
    yield from _kept_back(stand(state, contract))
    if contract.limit.looks:
        yield from _floor(state, number, contract)
    if not contract.bids:
        return
    yield from _price(state, number)
    yield from _capacity(state, number, contract)
    known = ahead(state, number)
    if is_open(contract.horizon, state.now) and known.sampled >= SURE:
        yield from _budget(state, number, contract, known)
        yield from _daily(state, number, known)
        yield from _supply(state, number, known)
        yield from _goal(state, number, contract, known)


def _kept_back(items: Stand) -> Iterator[_Found]:
    urgency = CRITICAL if not items.shown else WARNING
    if items.out_of_stock:
        yield _Found("stock_out", urgency, items.out_of_stock, items.items)
    if items.under_review:
        yield _Found("under_review", urgency, items.under_review, items.items)


def _floor(state: State, number: int, contract: Contract) -> Iterator[_Found]:
    planned = planned_share(state.traffic, contract.horizon.start, contract.horizon.end, state.now)
    due = planned * contract.limit.looks
    given = float(state.book.looks[number])
    if planned >= 0.1 and given < BEHIND * due:
        yield _Found("floor_behind", WARNING if given >= 0.5 * due else CRITICAL, given, due)


def _price(state: State, number: int) -> Iterator[_Found]:
    alpha, most = float(state.prices.alpha[number]), float(np.exp(HIGH))
    clamped = int(state.prices.clamped[number])
    if not isfinite(alpha) or not 0.0 <= alpha <= most * (1.0 + 1e-9):
        yield _Found("price_diverged", CRITICAL, alpha if isfinite(alpha) else most, most)
    elif clamped >= CLAMPED:
        since = state.ticked - clamped * state.policy.tick_ms
        end = most if alpha > 1.0 else float(np.exp(LOW))
        yield _Found("price_at_clamp", WARNING, alpha, end, since=since)


def _capacity(state: State, number: int, contract: Contract) -> Iterator[_Found]:
    if book.full(state.book, number):
        served = float(state.book.served_today[number])
        yield _Found("capacity_full", NOTICE, served, contract.limit.capacity, day_end(state.now))


def _budget(state: State, number: int, contract: Contract, known: Ahead) -> Iterator[_Found]:
    start, end = contract.horizon.start, contract.horizon.end
    rest = left(state, number)
    early = start + int(EARLY * (end - start))
    gone = state.now if rest <= 0.0 else runs_out(state, known.cost, rest, early)
    if gone is not None and gone < early:
        urgency = CRITICAL if rest <= 0.0 else WARNING
        yield _Found("budget_soon", urgency, rest, contract.limit.budget / YUAN, gone)


def _daily(state: State, number: int, known: Ahead) -> Iterator[_Found]:
    daily = state.book.contracts[number].limit.daily
    if not daily or left(state, number) <= 0.0:
        return
    rest = float(state.book.left_today(np.array([number]))[0]) / YUAN
    midnight = day_end(state.now)
    early = midnight - int((1.0 - EARLY) * (midnight - day_start(day_of(state.now))))
    gone = state.now if rest <= 0.0 else runs_out(state, known.cost, rest, early)
    if gone is not None and gone < early:
        yield _Found("daily_soon", NOTICE, rest, daily / YUAN, gone)


def _supply(state: State, number: int, known: Ahead) -> Iterator[_Found]:
    rest, all_of_it = left(state, number), known.most * known.requests
    if rest > 0.0 and all_of_it < NOTHING * rest:
        yield _Found("no_supply", WARNING, all_of_it, rest)


def _goal(state: State, number: int, contract: Contract, known: Ahead) -> Iterator[_Found]:
    goal = contract.limit.goal
    days = state.tallies.get(number, {}).values()
    value, owed = sum(of_day.value for of_day in days), sum(of_day.owed for of_day in days)
    valued = sum(of_day.valued for of_day in days)
    result = value / valued if valued else result_value(state, number)
    if not goal or owed <= 0.0 or owed < TOLD * result:
        return
    cost = min(known.cost * known.requests, max(left(state, number), 0.0))
    share = cost / (known.cost * known.requests) if known.cost * known.requests > 0.0 else 0.0
    gained = known.value * known.requests * share
    organic = known.organic * known.requests if contract.limit.counts_organic else 0.0
    expected = value + float(state.prices.young[number].sum()) + gained + organic
    due = owed + goal * cost
    if expected < SHORT * due:
        yield _Found("goal_at_risk", WARNING, goal * expected / due, goal)


def result_value(state: State, number: int) -> float:
    """Return what one result counts for a contract that has had none, yuan.

    That of an order, lead, visit, click or fan where the contract states it, else the mean net price of its items; 0
    where neither says anything.
    """
    contract = state.book.contracts[number]
    meter = contract.meter
    stated = meter.order or meter.lead or meter.visit or meter.click
    if stated or meter.follow or meter.fan_days:
        return stated or worth.follow_worth(state.worth, number, contract, state.now)
    prices = state.shelf.rows[reach_of(state.shelf, contract), NET_PRICE]
    priced = prices[prices > 0.0]
    return meter.gmv * float(priced.mean()) if len(priced) else 0.0
