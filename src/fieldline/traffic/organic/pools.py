"""Pools (S09, S10, S15, S17, S30): named budgets of looks for those who are eligible, within a window.

Ledgers are in whole micro-looks: granted = spent + expired + left, exactly, for a pool and for each of its members.
A pool without matching has its budget from the window's start; one with matching grants a member so many looks for
each yuan that its campaigns spend in the window, up to the member's cap and the pool's. Only what a pool's price
moved is spent: the looks that an item has beyond those that it would have had without it (`moved`).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.contracts.grants import MILLION, Eligible, Grant, Matching
from fieldline.units import YUAN

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Member(msgspec.Struct, gc=False):
    """One member's part of a pool, in micro-looks."""

    granted: int = 0
    """With matching: by what it spent. Without: nothing is granted to one member."""
    spent: int = 0
    expired: int = 0


@dataclass(slots=True)
class Ledger:
    """One pool's account, in micro-looks."""

    granted: int = 0
    spent: int = 0
    expired: int = 0
    members: dict[int, Member] = field(default_factory=dict)
    """By group number (of the shelf)."""
    begun: bool = False
    """With matching: whether the window has begun."""
    paid_before: dict[int, int] = field(default_factory=dict)
    """What each group's campaigns had spent by then, micro-yuan."""

    @property
    def left(self) -> int:
        """What may still be spent: granted − spent − expired."""
        return self.granted - self.spent - self.expired


def grant(ledger: Ledger, amount: int) -> None:
    """Bring what a pool was ever granted to an amount, but never below what it spent."""
    ledger.granted = max(amount, ledger.spent + ledger.expired)


def begin(ledger: Ledger, paid: dict[int, int]) -> None:
    """Note what every group's campaigns had spent, micro-yuan, when the window began; later calls change nothing."""
    if not ledger.begun:
        ledger.begun = True
        ledger.paid_before = dict(paid)


def match(ledger: Ledger, group: int, paid: int, matching: Matching, most: int) -> int:
    """Grant a member what its spend has earned since the window began, and return how much that is.

    Args:
        ledger: changed in place.
        group: the member.
        paid: what its campaigns spent ever, micro-yuan.
        matching: the rate and the member's cap.
        most: micro-looks that the pool may grant in all.

    Returns:
        Micro-looks newly granted, 0 where a cap is reached.
    """
    member = ledger.members.setdefault(group, Member())
    earned = int(matching.looks_per_yuan * MILLION * (paid - ledger.paid_before.get(group, 0)) / YUAN)
    due = min(earned, int(matching.member_looks * MILLION)) - member.granted
    given = max(min(due, most - ledger.granted), 0)
    member.granted += given
    ledger.granted += given
    return given


def left_of(ledger: Ledger, terms: Grant, group: int) -> int:
    """Return what a member may still use, micro-looks: of the pool, of its cap, and of what it was granted."""
    member = ledger.members.get(group, Member())
    left = ledger.left
    if terms.member_looks:
        left = min(left, int(terms.member_looks * MILLION) - member.spent)
    if terms.matching:
        left = min(left, member.granted - member.spent - member.expired)
    return max(left, 0)


def spend(ledger: Ledger, terms: Grant, group: int, amount: int) -> int:
    """Spend micro-looks for a member, as far as they last, and return how many were."""
    taken = min(amount, left_of(ledger, terms, group))
    ledger.members.setdefault(group, Member()).spent += taken
    ledger.spent += taken
    return taken


def expire(ledger: Ledger) -> int:
    """Let all that is left expire, of the pool and of its members, and return how much that was."""
    left = ledger.left
    ledger.expired += left
    for member in ledger.members.values():
        member.expired += max(member.granted - member.spent - member.expired, 0)
    return left


class Works(NamedTuple):
    """What eligibility reads of items, all [I]."""

    group: NDArray[np.int32]
    creator: NDArray[np.int32]
    category: NDArray[np.int32]
    listed: Ints
    """Since when each may be shown, ms."""
    trust: Floats
    """Of its merchant."""


def eligible(terms: Eligible, merchants: Ints, creators: Ints, categories: Ints, works: Works) -> Flags:
    """Return which items a grant is for [I].

    Args:
        terms: the rule.
        merchants: group numbers of the merchants that it names.
        creators: numbers of the creators that it names.
        categories: numbers of the categories that it names.
        works: the items.
    """
    found = (works.listed >= terms.since) & (works.trust >= terms.least_trust)
    if terms.merchants or terms.creators:
        found &= np.isin(works.group, merchants[merchants >= 0]) | np.isin(
            works.creator, creators[creators >= 0]
        )
    if terms.categories:
        found &= np.isin(works.category, categories[categories >= 0])
    return np.asarray(found)


def first_pool(ends: Ints, has: NDArray[np.bool_]) -> Ints:
    """Return for each item the pool that pays for it [I]: of those that have looks for it the one that ends first.

    Args:
        ends: when each pool ends, ms [P].
        has: whether it has looks left for each item [P, I].

    Returns:
        The pool's place in `ends`, the lower one of two that end together; −1: none.
    """
    if not len(ends):
        return np.full(has.shape[1], -1, np.int64)
    order = np.argsort(ends, kind="stable")
    first = order[np.argmax(has[order], axis=0)]
    return np.where(has.any(axis=0), first, -1)
