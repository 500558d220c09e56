"""The rules of double entry, whatever keeps the books."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from fieldline.errors import KeyReused, Overdrawn, Refused, UnbalancedEntry
from fieldline.units import Micros

ALLOWANCE = "contract:"
"""Accounts whose names begin so may never be below zero."""
LIMIT = 1 << 63


def net_changes(postings: Sequence[tuple[str, Micros]]) -> dict[str, int]:
    """Return what an entry changes each account by, in micro-yuan.

    Raises:
        UnbalancedEntry: fewer than two postings, or they do not sum to zero.
        Refused: an amount is outside int64, or an account has no name.
    """
    changes: dict[str, int] = {}
    for index, (account, amount) in enumerate(postings):
        if not account:
            raise Refused(f"postings[{index}].account", "has no name")
        if not -LIMIT <= amount < LIMIT:
            raise Refused(f"postings[{index}].amount", f"{amount} does not fit into 64 bits")
        changes[account] = changes.get(account, 0) + amount
    total = sum(changes.values())
    if len(postings) < 2 or total != 0:
        raise UnbalancedEntry(f"{len(postings)} postings sum to {total} micro-yuan, not to zero")
    return changes


def settled(before: Mapping[str, int], changes: Mapping[str, int]) -> dict[str, int]:
    """Return the balances after an entry, of the accounts that it changes.

    Raises:
        Overdrawn: an allowance would be below zero.
        Refused: a balance would be outside int64.
    """
    after = {account: before.get(account, 0) + change for account, change in changes.items()}
    for account, balance in after.items():
        if account.startswith(ALLOWANCE) and balance < 0:
            raise Overdrawn(f"{account} has {before.get(account, 0)} micro-yuan and would have {balance}")
        if not -LIMIT <= balance < LIMIT:
            raise Refused("postings", f"the balance of {account} would not fit into 64 bits")
    return after


def by_account(postings: Iterable[tuple[str, Micros]]) -> dict[str, Micros]:
    """Return what postings sum to for each account, in the order of the names."""
    sums: dict[str, int] = {}
    for account, amount in postings:
        sums[account] = sums.get(account, 0) + amount
    return {account: Micros(sums[account]) for account in sorted(sums)}


def digest_of(postings: Sequence[tuple[str, Micros]]) -> str:
    """Return what tells one set of postings from another, whatever their order."""
    content = msgspec.json.encode(sorted((account, int(amount)) for account, amount in postings))
    return blake2b(content, digest_size=16).hexdigest()


def repeated(key: str, known: str | None, digest: str) -> bool:
    """Return whether a key was posted before with the same postings.

    Raises:
        KeyReused: it was posted with others.
    """
    if known is not None and known != digest:
        raise KeyReused(f"the ledger key {key!r} was posted before with other postings")
    return known is not None


@dataclass(frozen=True, slots=True)
class Difference:
    """An account whose kept balance is not the sum of its postings."""

    account: str
    kept: int
    posted: int


def differences(kept: Mapping[str, int], postings: Iterable[tuple[str, int]]) -> tuple[Difference, ...]:
    """Return the accounts whose kept balance is not the sum of their postings, by name."""
    sums: dict[str, int] = {}
    for account, amount in postings:
        sums[account] = sums.get(account, 0) + amount
    return tuple(
        Difference(account, kept.get(account, 0), sums.get(account, 0))
        for account in sorted(kept.keys() | sums.keys())
        if kept.get(account, 0) != sums.get(account, 0)
    )
