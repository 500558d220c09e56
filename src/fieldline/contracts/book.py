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


class Due(msgspec.Struct, frozen=True):
    """One entry that the ledger is owed: funds from the owner (or back, where negative), or settled spend."""

    key: str
    kind: str
    contract: str
    owner: str
    amount: int


def _money() -> NDArray[np.int64]:
    return np.zeros(16, np.int64)


def _amounts() -> NDArray[np.float64]:
    return np.zeros(16, np.float64)


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
    in_force: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(16, bool))
    """Which contracts ran when the newest tick, wish or pause came."""
    budget: NDArray[np.int64] = field(default_factory=_money)
    spent: NDArray[np.int64] = field(default_factory=_money)
    reserved: NDArray[np.int64] = field(default_factory=_money)
    settled: NDArray[np.int64] = field(default_factory=_money)
    """Spend that has been handed to the ledger."""
    funded: NDArray[np.int64] = field(default_factory=_money)
    """What its account was given by its owner, less what was given back."""
    value: NDArray[np.float64] = field(default_factory=_amounts)
    """Value in hand, yuan: observed, or predicted where the contract says so."""
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
    """Return whether a contract is in force at a time: within its horizon, not paused, not dropped by an edit."""
    contract = book.contracts[number]
    return (
        contract.horizon.start <= at < contract.horizon.end
        and contract.wish not in book.paused
        and number in book.wishes[contract.wish]
    )


def enforce(book: Book, at: int) -> bool:
    """Bring `in_force` up to an instant; return whether it changed."""
    now = np.zeros_like(book.in_force)
    now[: len(book)] = [running(book, number, at) for number in range(len(book))]
    changed = not np.array_equal(now, book.in_force)
    book.in_force = now
    return changed


def allowance(book: Book, number: int) -> int:
    """Return what a contract may still reserve, micro-yuan: budget − spent − reserved, not below 0."""
    return max(0, book.budget.item(number) - book.spent.item(number) - book.reserved.item(number))


def reserve(book: Book, number: int, charge: int) -> bool:
    """Hold a charge against a contract's budget; return False, and change nothing, where it does not fit."""
    if charge > allowance(book, number):
        return False
    book.reserved[number] += charge
    return True


def commit(book: Book, number: int, charge: int) -> None:
    """Turn a reserved charge into spend."""
    book.reserved[number] -= charge
    book.spent[number] += charge
    book.impressions[number] += 1


def release(book: Book, number: int, charge: int) -> None:
    """Give a reserved charge back."""
    book.reserved[number] -= charge


def settle(book: Book, at: int) -> None:
    """State what the ledger is owed: spend since the last settlement, and what ended contracts no longer need."""
    for number, contract in enumerate(book.contracts):
        _owe(book, number, "settle", int(book.spent[number] - book.settled[number]))
        book.settled[number] = book.spent[number]
        if contract.bids and contract.horizon.end <= at and book.reserved[number] == 0:
            _fund(book, number, int(book.spent[number]))


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
    else:
        book.contracts[number] = contract
    book.budget[number] = contract.limit.budget
    return number


COLUMNS = (
    "in_force",
    "budget",
    "spent",
    "reserved",
    "settled",
    "funded",
    "dues",
    "value",
    "looks",
    "paid_looks",
    "impressions",
    "orders",
    "attributed",
    "storewide",
)
