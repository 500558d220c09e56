"""Reports: what a campaign did in some days, split one way, and its four returns day by day.

Every row is a sum of tallies, so that all ways of splitting the same days have the same totals; only units may
share an item, which then stands in each of them.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal

import msgspec
import numpy as np

from fieldline.contracts import Contract, tally
from fieldline.contracts.horizon import day_of
from fieldline.contracts.rois import FourRois, rois
from fieldline.contracts.tally import ANYWHERE, FIGURES, Counts, Tally
from fieldline.errors import Refused, Unknown
from fieldline.facts import API_VERSION
from fieldline.traffic.assured import EPOCH, date_of
from fieldline.traffic.measure import account_of
from fieldline.traffic.shelf import reach_of
from fieldline.traffic.state import State

MOST_DAYS = 366
BY = ("day", "hour", "scene", "item", "buyer", "unit")
By = Literal["day", "hour", "scene", "item", "buyer", "unit"]
BUYERS = ("new", "returning")


class ReportRow(msgspec.Struct, frozen=True):
    """Figures of one part of a report; money in micro-yuan, returns per yuan of spend (null without spend).

    Orders, storewide GMV and refunds are of all orders of the campaign's items; paid_orders and attributed GMV of
    those that follow its paid clicks and views. The ROIs are attributed, storewide, and storewide less refunds.
    """

    key: str
    """Day, hour (00 … 23), scene, item, buyer (new, returning) or unit; "" for what has none."""
    name: str
    """For people: an item's title, a unit's name."""
    impressions: int
    spend: int
    clicks: int
    orders: int
    paid_orders: int
    attributed: int
    storewide: int
    refunded: int
    follows: int
    leads: int
    visits: int
    roi_attributed: float | None
    roi_storewide: float | None
    roi_net: float | None


class Report(msgspec.Struct, frozen=True):
    """What a campaign did from a day to a day (both included, in UTC+8), split one way."""

    id: str
    by: By
    first: str
    last: str
    rows: tuple[ReportRow, ...]
    total: ReportRow
    version: int = API_VERSION


class DayReturns(msgspec.Struct, frozen=True):
    """The four returns of one day, and what it took from whom to get them."""

    day: str
    spend: int
    """Micro-yuan."""
    returns: FourRois
    holdout: float
    gained: float
    """Looks bought beyond those that its items would have had: from_own + from_others."""
    from_own: float
    from_others: float


class Returns(msgspec.Struct, frozen=True):
    """The four returns of a campaign, of the whole period and day by day."""

    id: str
    first: str
    last: str
    total: FourRois
    days: tuple[DayReturns, ...]
    version: int = API_VERSION


def contract_of(state: State, wish: str) -> int:
    """Return the number of the contract that a campaign stands for.

    Raises:
        Unknown: there is no such wish.
        Refused: it was granted, not bought, so that there is nothing to report.
    """
    numbers = state.book.wishes.get(wish)
    if not numbers:
        raise Unknown("id", f"no contract is called {wish!r}")
    if not state.book.contracts[numbers[0]].bids:
        raise Refused("id", f"{wish!r} was granted, not bought: it spends nothing and has no report")
    return numbers[0]


def period(state: State, number: int, first: str | None, last: str | None) -> tuple[int, int]:
    """Return the days (UTC+8, both included) of a report: those asked for, else from the campaign's start to today.

    Args:
        state: with the campaign.
        number: its contract's.
        first: as 2026-11-22, or None.
        last: likewise.

    Raises:
        Refused: "from" or "to" is no day, or they are in the wrong order or more than a year apart.
    """
    horizon = state.book.contracts[number].horizon
    today = day_of(state.now)
    start = min(day_of(horizon.start), today)
    low = start if first is None else _day("from", first)
    high = max(low, min(today, day_of(horizon.end - 1))) if last is None else _day("to", last)
    if high < low:
        raise Refused("to", "is before from")
    if high - low >= MOST_DAYS:
        raise Refused("to", f"is {MOST_DAYS} days or more after from")
    return low, high


def report(state: State, wish: str, first: int, last: int, by: By) -> Report:
    """Return what a campaign did from a day to a day, both included.

    Args:
        state: only read.
        wish: the campaign.
        first: number of the day (UTC+8).
        last: likewise.
        by: how it is split; parts in which nothing happened are left out.

    Raises:
        Unknown: there is no such campaign.
        Refused: it was granted, not bought.
    """
    number = contract_of(state, wish)
    days = {day: of_day for day, of_day in state.tallies.get(number, {}).items() if first <= day <= last}
    total = sum((of_day.total for of_day in days.values()), np.zeros(len(FIGURES), np.int64))
    parts = _parts(state, state.book.contracts[number], days, by)
    rows = tuple(_row(key, name, figures) for key, name, figures in parts if figures.any())
    return Report(wish, by, date_of(first), date_of(last), rows, _row("", "", total))


def returns(state: State, wish: str, first: int, last: int, confidence: float = 0.9) -> Returns:
    """Return the four returns of a campaign from a day to a day, both included, over all and day by day.

    Args:
        state: only read.
        wish: the campaign.
        first: number of the day (UTC+8).
        last: likewise.
        confidence: of the incremental return's limits, two-sided.

    Raises:
        Unknown: there is no such campaign.
        Refused: it was granted, not bought.
    """
    number = contract_of(state, wish)
    known = {day: of_day for day, of_day in state.tallies.get(number, {}).items() if first <= day <= last}
    accounts = [account_of(state, number, day) for day in sorted(known)]
    days = tuple(
        DayReturns(
            date_of(account.day),
            account.spend,
            rois(account, confidence=confidence),
            account.arms.holdout,
            known[account.day].gained,
            known[account.day].from_own,
            known[account.day].from_others,
        )
        for account in accounts
    )
    total = rois(*(accounts or [account_of(state, number, first)]), confidence=confidence)
    return Returns(wish, date_of(first), date_of(last), total, days)


def _parts(
    state: State, contract: Contract, days: dict[int, Tally], by: By
) -> Iterator[tuple[str, str, Counts]]:
    """Yield (key, name, figures) of each part."""
    match by:
        case "day":
            yield from ((date_of(day), "", days[day].total) for day in sorted(days))
        case "hour":
            hours = _sum((of_day.hours for of_day in days.values()), 24)
            yield from ((f"{hour:02d}", "", hours[hour]) for hour in range(24))
        case "scene":
            scenes = _sum((of_day.scenes for of_day in days.values()), ANYWHERE + 1)
            yield from ((name, "", scenes[number]) for number, name in enumerate(state.scenes.names))
            yield "", "", scenes[ANYWHERE]
        case "buyer":
            buyers = _sum((of_day.buyers for of_day in days.values()), 2)
            yield from ((name, "", buyers[number]) for number, name in enumerate(BUYERS))
        case "item":
            items = _items(days)
            for item in sorted(items, key=lambda item: (-int(items[item][tally.SPEND]), item)):
                yield state.shelf.names.ids[item], state.shelf.facts[item].title, items[item]
        case "unit":
            yield from _units(state, contract, _items(days))


def _units(state: State, contract: Contract, items: dict[int, Counts]) -> Iterator[tuple[str, str, Counts]]:
    """Yield each unit with the sum of its items, and what belongs to none (any longer) under ""."""
    rest = dict(items)
    for unit in dict.fromkeys(reach.unit for reach in contract.reach):
        reach = tuple(reach for reach in contract.reach if reach.unit == unit)
        own = [i for i in reach_of(state.shelf, msgspec.structs.replace(contract, reach=reach)) if i in items]
        for item in own:
            rest.pop(item, None)
        yield unit, "", sum((items[item] for item in own), np.zeros(len(FIGURES), np.int64))
    yield "", "", sum(rest.values(), np.zeros(len(FIGURES), np.int64))


def _items(days: dict[int, Tally]) -> dict[int, Counts]:
    items: dict[int, Counts] = {}
    for of_day in days.values():
        for item, figures in of_day.items.items():
            items[item] = items.get(item, 0) + np.array(figures, np.int64)
    return items


def _sum(tables: Iterable[Counts], rows: int) -> Counts:
    return sum(tables, np.zeros((rows, len(FIGURES)), np.int64))


def _row(key: str, name: str, figures: Counts) -> ReportRow:
    amount = dict(zip(FIGURES, figures.tolist(), strict=True))
    spend = amount["spend"]

    def per_yuan(value: int) -> float | None:
        return value / spend if spend else None

    return ReportRow(
        key=key,
        name=name,
        **{figure: amount[figure] for figure in FIGURES if figure != "attributed_refunded"},
        roi_attributed=per_yuan(amount["attributed"]),
        roi_storewide=per_yuan(amount["storewide"]),
        roi_net=per_yuan(amount["storewide"] - amount["refunded"]),
    )


def _day(field: str, text: str) -> int:
    try:
        if len(text) != len("2026-11-22"):
            raise ValueError
        return date.fromisoformat(text).toordinal() - EPOCH
    except ValueError:
        raise Refused(field, "is no day such as 2026-11-22") from None
