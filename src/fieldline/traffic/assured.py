"""Assured days: which of them are over and confirmed, what their account comes to, and what they are credited, once.

A day is settled at the first tick after its confirmation, on what was known then; what comes later changes nothing.
Its formula and states are `fieldline.contracts.assurance`; the order value that a day without orders is measured by
is that of the contract's earlier days, else the prices of what it promotes.
"""

from datetime import date

import msgspec
import numpy as np

from fieldline.contracts import Contract
from fieldline.contracts.assurance import (
    CONFIRM_DAYS,
    Course,
    Credit,
    Status,
    Typical,
    credit_of,
    status,
    typical,
    upper_value,
)
from fieldline.contracts.book import Due
from fieldline.contracts.horizon import day_of, day_start, is_open
from fieldline.contracts.tally import SPEND, Tally
from fieldline.errors import Refused
from fieldline.facts import Product
from fieldline.traffic.accounts import tally_of
from fieldline.traffic.rows import FLAGS, SHOWN
from fieldline.traffic.shelf import product_of, reach_of
from fieldline.traffic.state import State
from fieldline.units import DAY, HOUR, YUAN, Instant

EPOCH = date(1970, 1, 1).toordinal()
UNKNOWN_PRICE = YUAN
"""What an order is taken to bring where neither orders nor prices say it."""


class Finding(msgspec.Struct, frozen=True):
    """All that a day's credit is worked out from, and what comes out."""

    result: Credit
    squares: float
    """Σ over orders of (their counted value)², yuan²."""
    order: Typical
    course: Course


def finding(state: State, number: int, day: int) -> Finding:
    """Return a contract's day as it stands now, settled or not.

    Args:
        state: with its tallies.
        number: of the contract.
        day: counted from 1970-01-01 in UTC+8.
    """
    of_day = state.tallies.get(number, {}).get(day, Tally())
    order = _typical(state, number, day)
    spend, owed = int(of_day.total[SPEND]), round(of_day.owed * YUAN)
    value = max(0, round(of_day.value * YUAN))
    upper = upper_value(value, of_day.value_squares, order)
    result = Credit(spend, owed, value, upper, credit_of(spend, owed, upper))
    contract = state.book.contracts[number]
    ran = _ran(contract, day)
    assured = of_day.assured or (contract.assured and not spend)
    course = Course(assured, ran, min(of_day.halted_ms, ran))
    return Finding(result, of_day.value_squares, order, course)


def standing(state: State, number: int, day: int, now: Instant) -> Status:
    """Return where the assurance of a contract's day stands: as settled, or as it would be on what is known now.

    Args:
        state: with its tallies.
        number: of the contract.
        day: counted from 1970-01-01 in UTC+8.
        now: any instant.
    """
    found = finding(state, number, day)
    return status(day, now, state.credited.get((number, day), found.result), found.course)


def settle(state: State, at: int) -> None:
    """Settle, once each, the days that are confirmed by a tick; a credit becomes due to the contract's owner.

    A contract that several engines share is not settled by one of them, which knows a part of its day alone.

    Args:
        state: changed in place; its `ticked` is still the tick before.
        at: the tick's instant, ms.
    """
    if day_of(state.ticked) == day_of(at):
        return
    last = day_of(at) - 1 - CONFIRM_DAYS
    for number, days in state.tallies.items():
        shared = state.book.leased.item(number) >= 0
        for day in [day for day in days if day <= last and (number, day) not in state.credited]:
            if not shared:
                _settle_day(state, number, day, at)
    for number, day in [key for key in state.credited if key[1] not in state.tallies[key[0]]]:
        del state.credited[number, day]


def count_halts(state: State, at: int) -> None:
    """Count the time since the last tick for the contracts that their owners kept from running in it.

    Args:
        state: changed in place, its contracts linked to items; its `ticked` is still the tick before.
        at: the tick's instant, ms.
    """
    since = max(state.ticked, at - state.policy.tick_ms)
    if not state.ticked or since >= at:
        return
    book, shelf = state.book, state.shelf
    shown = (shelf.rows.view(np.int32)[:, FLAGS] & SHOWN) != 0  # [I]
    on_item = np.repeat(np.arange(len(shelf.creator)), np.diff(shelf.contract_start))  # [nnz]
    sellable = np.bincount(shelf.contract, shown[on_item], minlength=len(book)) > 0.0  # [C]
    for number, contract in enumerate(book.contracts):
        if not contract.assured or contract.wish in book.ended or not is_open(contract.horizon, since):
            continue
        if contract.wish in book.paused or (book.in_force[number] and not sellable[number]):
            tally_of(state, number, since).halted_ms += at - since


def date_of(day: int) -> str:
    """Return a day counted from 1970-01-01 as YYYY-MM-DD."""
    return date.fromordinal(EPOCH + day).isoformat()


def day_named(text: str) -> int:
    """Return the day of a date YYYY-MM-DD, counted from 1970-01-01.

    Raises:
        Refused: it is no such date.
    """
    try:
        return date.fromisoformat(text).toordinal() - EPOCH
    except ValueError:
        raise Refused("day", f"is {text!r}, expected YYYY-MM-DD") from None


def credit_key(contract: str, day: int) -> str:
    """Return the ledger's key of a contract's credit for a day: under it, it is posted once."""
    return f"credit:{contract}:{date_of(day)}"


def _settle_day(state: State, number: int, day: int, at: int) -> None:
    found = finding(state, number, day)
    credit = status(day, Instant(at), found.result, found.course).credit
    state.credited[number, day] = msgspec.structs.replace(found.result, credit=credit)
    if credit:
        contract = state.book.contracts[number]
        key = credit_key(contract.id, day)
        state.book.due.append(Due(key, "credit", contract.id, contract.owner, credit))


def _typical(state: State, number: int, day: int) -> Typical:
    contract = state.book.contracts[number]
    before = [t for d, t in state.tallies.get(number, {}).items() if d < day and t.valued]
    events = sum(t.valued for t in before)
    mean = sum(t.value for t in before) / max(events, 1)
    if mean > 0.0:
        return Typical(mean, max(sum(t.value_squares for t in before) / events, mean * mean))
    return typical(_prices(state, contract) or [UNKNOWN_PRICE])


def _prices(state: State, contract: Contract) -> list[int]:
    """Return what one result is worth by the terms, or by the prices of what is promoted, micro-yuan."""
    meter = contract.meter
    stated = max(meter.order, meter.lead, meter.visit, meter.follow)
    if stated:
        return [round(stated * YUAN)]
    facts = [state.shelf.facts[item] for item in reach_of(state.shelf, contract)]
    sold = dict.fromkeys(f.id if isinstance(f, Product) else product_of(f) for f in facts)
    products = state.goods.products
    return [price for id in sold if id in products and (price := round(products[id].price * meter.gmv)) > 0]


def _ran(contract: Contract, day: int) -> int:
    """Return how long a contract's horizon and hours let it run on a day, ms."""
    start, horizon = day_start(day), contract.horizon
    if not horizon.hours:
        return max(0, min(horizon.end, start + DAY) - max(horizon.start, start))
    hours = range(start, start + DAY, HOUR)
    return sum(
        max(0, min(horizon.end, hour + HOUR) - max(horizon.start, hour))
        for hour in hours
        if is_open(msgspec.structs.replace(horizon, start=0, end=1 << 52), hour)
    )
