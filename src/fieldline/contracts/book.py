"""The book: every contract, what it may still spend, and what it got.

A decision reserves, the impression commits, an expired reservation is released. Spent plus reserved never
passes the budget: a charge that would is refused here, whatever asked for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.columns import Names, grown
from fieldline.contracts import Contract
from fieldline.contracts.horizon import day_of, day_start, is_open
from fieldline.units import MINUTE


class Due(msgspec.Struct, frozen=True):
    """One entry that the ledger is owed: funds from the owner (or back, where negative), or settled spend."""

    key: str
    kind: str
    contract: str
    owner: str
    amount: int


TYPICAL = 50.0
"""Yuan of an order where nothing says what one is worth."""


def _money() -> NDArray[np.int64]:
    return np.zeros(16, np.int64)


def _amounts() -> NDArray[np.float64]:
    return np.zeros(16, np.float64)


def _flags() -> NDArray[np.bool_]:
    return np.zeros(16, bool)


@dataclass(slots=True)
class Book:
    """Contracts by number; an edit keeps the number and all that was counted."""

    names: Names = field(default_factory=Names)
    contracts: list[Contract] = field(default_factory=list)
    wishes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Contract numbers of each wish."""
    versions: dict[str, int] = field(default_factory=dict)
    paused: dict[str, int] = field(default_factory=dict)
    """Wishes that a person paused, and when."""
    ended: dict[str, int] = field(default_factory=dict)
    """Wishes that a person ended before their time, and when."""
    in_force: NDArray[np.bool_] = field(default_factory=_flags)
    """Which contracts ran when the newest tick, wish or pause came."""
    bids: NDArray[np.bool_] = field(default_factory=_flags)
    scheduled: NDArray[np.bool_] = field(default_factory=_flags)
    """Which ones run in some hours of the week only."""
    counts_organic: NDArray[np.bool_] = field(default_factory=_flags)
    goal: NDArray[np.float64] = field(default_factory=_amounts)
    end: NDArray[np.int64] = field(default_factory=_money)
    budget: NDArray[np.int64] = field(default_factory=_money)
    daily: NDArray[np.int64] = field(default_factory=_money)
    """Most of a day, UNLIMITED where none is set."""
    today: NDArray[np.int64] = field(default_factory=_money)
    """Spent or reserved by decisions of the day `day`."""
    served_today: NDArray[np.int64] = field(default_factory=_money)
    """Leads, visits or orders of the day that count against its capacity."""
    day: int = 0
    spent: NDArray[np.int64] = field(default_factory=_money)
    reserved: NDArray[np.int64] = field(default_factory=_money)
    settled: NDArray[np.int64] = field(default_factory=_money)
    """Spend that has been handed to the ledger."""
    leased: NDArray[np.int64] = field(default_factory=lambda: np.full(16, -1, np.int64))
    """What this engine leased of the budget, where several share it; −1 where it has all of it."""
    engines: NDArray[np.int64] = field(default_factory=lambda: np.ones(16, np.int64))
    """How many share it."""
    elsewhere: NDArray[np.int64] = field(default_factory=_money)
    """What the others had leased of it when this one last leased."""
    funded: NDArray[np.int64] = field(default_factory=_money)
    """What its account was given by its owner, less what was given back."""
    value: NDArray[np.float64] = field(default_factory=_amounts)
    """Value in hand, yuan: observed, or predicted where the contract says so."""
    valued: NDArray[np.float64] = field(default_factory=_amounts)
    """Events behind the value: orders, fans, leads."""
    value_squares: NDArray[np.float64] = field(default_factory=_amounts)
    """Sum of the squares of what each was worth, yuan²."""
    signs: NDArray[np.float64] = field(default_factory=_amounts)
    """Yuan that all events of its items are worth, whether they count towards its goal or not: what predictions of
    value are held against."""
    sign_count: NDArray[np.float64] = field(default_factory=_amounts)
    """Those events."""
    typical: NDArray[np.float64] = field(default_factory=lambda: np.full(16, TYPICAL))
    """What an event is worth before any was seen, yuan: from prices, where there are any."""
    looks: NDArray[np.float64] = field(default_factory=_amounts)
    """Looks given to its items (sum of e_k over impressions)."""
    paid_looks: NDArray[np.float64] = field(default_factory=_amounts)
    """Looks that it bought (sum of e_k over its paid impressions)."""
    impressions: NDArray[np.int64] = field(default_factory=_money)
    """Paid impressions."""
    orders: NDArray[np.int64] = field(default_factory=_money)
    """Orders attributed to its paid impressions."""
    attributed: NDArray[np.int64] = field(default_factory=_money)
    """Micro-yuan of GMV attributed to its paid impressions."""
    storewide: NDArray[np.int64] = field(default_factory=_money)
    """Micro-yuan of GMV of all of its items, paid or organic."""
    due: list["Due"] = field(default_factory=list)
    """What the newest fact owes the ledger."""
    dues: NDArray[np.int64] = field(default_factory=_money)
    """How much each contract was ever due, counted: it numbers the keys."""

    def __len__(self) -> int:
        return len(self.contracts)

    def left_today(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what some contracts [J] may still reserve today, micro-yuan [J]."""
        daily = self.daily[numbers] // self.engines[numbers]
        left: NDArray[np.int64] = np.maximum(daily - self.today[numbers], 0)
        return left

    def left(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what some contracts [J] may plan to spend here until their ends, micro-yuan [J]: an equal share of
        what is neither spent, reserved nor leased by other engines."""
        taken = self.spent[numbers] + self.reserved[numbers] + self.elsewhere[numbers]
        left: NDArray[np.float64] = (self.budget[numbers] - taken) / self.engines[numbers]
        return left


def put(book: Book, wish: str, version: int, contracts: Sequence[Contract]) -> None:
    """Enter a wish's contracts, new or edited; those that an edit no longer names stop."""
    numbers = tuple(_enter(book, contract) for contract in contracts)
    for stale in book.wishes.get(wish, ()):
        if stale not in numbers:
            book.budget[stale] = book.spent[stale] + book.reserved[stale]
    for number in numbers:
        _fund(book, number, int(book.budget[number]))
    book.wishes[wish] = numbers
    book.versions[wish] = version


def running(book: Book, number: int, at: int) -> bool:
    """Return whether a contract is in force at a time: within its horizon and hours, neither
    paused, ended, full for today nor dropped by an edit."""
    contract = book.contracts[number]
    return (
        is_open(contract.horizon, at)
        and contract.wish not in book.paused
        and contract.wish not in book.ended
        and number in book.wishes[contract.wish]
        and not full(book, number)
    )


def full(book: Book, number: int) -> bool:
    """Return whether a contract's owner can serve no more today."""
    capacity = book.contracts[number].limit.capacity
    return capacity > 0 and book.served_today.item(number) * book.engines.item(number) >= capacity


def turn(book: Book, at: int) -> bool:
    """Begin the day of an instant where it is a later one; return whether it was."""
    day = day_of(at)
    if day <= book.day:
        return False
    book.day = day
    book.today[:] = 0
    book.served_today[:] = 0
    return True


def enforce(book: Book, at: int) -> bool:
    """Bring `in_force` up to an instant; return whether it changed."""
    now = np.zeros_like(book.in_force)
    now[: len(book)] = [running(book, number, at) for number in range(len(book))]
    changed = not np.array_equal(now, book.in_force)
    book.in_force = now
    return changed


def allowance(book: Book, number: int) -> int:
    """Return what a contract may still reserve, micro-yuan: what is left of its budget and of today's."""
    whole = book.budget.item(number)
    if book.leased.item(number) >= 0:
        whole = min(whole, book.leased.item(number))
    left = whole - book.spent.item(number) - book.reserved.item(number)
    daily = book.daily.item(number) // book.engines.item(number)
    return max(0, min(left, daily - book.today.item(number)))


def reserve(book: Book, number: int, charge: int) -> bool:
    """Hold a charge against a contract's budget; return False, and change nothing, where it does not fit."""
    if charge > allowance(book, number):
        return False
    book.reserved[number] += charge
    book.today[number] += charge
    return True


def commit(book: Book, number: int, charge: int) -> None:
    """Turn a reserved charge into spend."""
    book.reserved[number] -= charge
    book.spent[number] += charge
    book.impressions[number] += 1


def release(book: Book, number: int, charge: int, at: int) -> None:
    """Give a charge back that was reserved at an instant."""
    book.reserved[number] -= charge
    if day_of(at) == book.day:
        book.today[number] -= charge


def lease(book: Book, number: int, amount: int, elsewhere: int = 0, engines: int = 1) -> None:
    """Let a contract spend so much more of its budget here, and no more than was leased in all.

    Args:
        book: changed in place.
        number: of the contract.
        amount: micro-yuan.
        elsewhere: what other engines have leased of the budget, micro-yuan.
        engines: how many share it; each may use an equal part of a daily limit.
    """
    book.leased[number] = max(book.leased.item(number), 0) + amount
    book.elsewhere[number] = elsewhere
    book.engines[number] = engines


def idle(book: Book, number: int) -> int:
    """Return what an engine leased of a contract's budget and has neither spent nor reserved, micro-yuan."""
    return max(0, book.leased.item(number) - book.spent.item(number) - book.reserved.item(number))


def slice_of(book: Book, number: int, at: int) -> int:
    """Return what a contract needs in a quarter of an hour at today's pace, at least 1% of its budget, micro-yuan."""
    begun = max(day_start(day_of(at)), book.contracts[number].horizon.start)
    pace = book.today.item(number) / max(at - begun, SLICE_MS)
    return max(int(pace * SLICE_MS), book.budget.item(number) // 100, 1)


def settle(book: Book, at: int) -> None:
    """State what the ledger is owed: spend since the last settlement, and what is no longer needed here."""
    for number, contract in enumerate(book.contracts):
        _owe(book, number, "settle", int(book.spent[number] - book.settled[number]))
        book.settled[number] = book.spent[number]
        _give_back(book, number, at)
        over = contract.horizon.end <= at or contract.wish in book.ended
        if contract.bids and over and book.reserved[number] == 0:
            _fund(book, number, int(book.spent[number]))


def _give_back(book: Book, number: int, at: int) -> None:
    """Owe back what was leased and is not needed: all that is idle where a contract is not in force."""
    kept = 0
    if book.in_force[number]:
        kept = 2 * slice_of(book, number, at)
    over = idle(book, number) - kept
    if over > 0 and (kept == 0 or over > kept // 2):
        _owe(book, number, "return", over)
        book.leased[number] -= over


def _fund(book: Book, number: int, amount: int) -> None:
    """Bring what a contract's account was ever given to an amount."""
    _owe(book, number, "fund", amount - int(book.funded[number]))
    book.funded[number] = amount


def _owe(book: Book, number: int, kind: str, amount: int) -> None:
    if amount:
        book.dues[number] += 1
        contract = book.contracts[number]
        book.due.append(
            Due(f"{kind}:{contract.id}:{book.dues[number]}", kind, contract.id, contract.owner, amount)
        )


def _enter(book: Book, contract: Contract) -> int:
    number = book.names.add(contract.id)
    if number == len(book.contracts):
        book.contracts.append(contract)
        for name in COLUMNS:
            setattr(book, name, grown(getattr(book, name), number + 1))
        book.leased = grown(book.leased, number + 1, -1)
        book.typical = grown(book.typical, number + 1, TYPICAL)
        book.engines = grown(book.engines, number + 1, 1)
    else:
        book.contracts[number] = contract
    limit = contract.limit
    book.budget[number] = limit.budget
    book.daily[number] = limit.daily or UNLIMITED
    book.bids[number] = contract.bids
    book.goal[number] = limit.goal
    book.counts_organic[number] = limit.counts_organic
    book.scheduled[number] = bool(contract.horizon.hours)
    book.end[number] = contract.horizon.end
    return number


UNLIMITED = 1 << 62
SLICE_MS = 15 * MINUTE


COLUMNS = (
    "in_force",
    "bids",
    "scheduled",
    "counts_organic",
    "goal",
    "end",
    "budget",
    "daily",
    "today",
    "served_today",
    "elsewhere",
    "spent",
    "reserved",
    "settled",
    "funded",
    "dues",
    "value",
    "valued",
    "signs",
    "sign_count",
    "value_squares",
    "looks",
    "paid_looks",
    "impressions",
    "orders",
    "attributed",
    "storewide",
)
