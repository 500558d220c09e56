"""Pools of a preview: one that is there, with other looks, or one that nobody made yet."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.contracts import Contract
from fieldline.contracts.grants import MILLION
from fieldline.errors import Refused
from fieldline.traffic.forecast import still_to_come
from fieldline.traffic.organic import turn
from fieldline.traffic.preview.dials import Change, number_of
from fieldline.traffic.rows import FLAGS, SHOWN
from fieldline.traffic.state import State

DIAL = "pool"
"""How a pool that is not there yet is told among the changes."""
MOST_LOOKS = 1e9

Flags = NDArray[np.bool_]


class Pooled(NamedTuple):
    """One pool that is asked about."""

    contract: Contract
    number: int
    """The contract's; −1: it is not there yet."""
    today: float | None
    """Looks that it has in all; None: it is not there."""
    looks: float | None
    """Those asked about; None: none."""


class Drawn(NamedTuple):
    """A pool at a price, in mean scores of what is shown."""

    pooled: Pooled
    price: float


def pool_of(dial: str) -> str | None:
    """Return the id of the pool whose looks a dial is (`pools.ID.looks`); None: it is none."""
    group, _, rest = dial.partition(".")
    id, _, field = rest.rpartition(".")
    return id if group == "pools" and field == "looks" else None


def pools_there(state: State) -> list[tuple[str, float]]:
    """Return the pools whose looks can be previewed, with what they have in all, the newest first."""
    contracts = [state.book.contracts[number] for number in range(len(state.book))]
    found = [of for of in contracts if of.grant is not None and not _held(state, of)]
    return [(of.id, of.grant.looks) for of in found[::-1] if of.grant is not None]


def asked(state: State, dial: str, typed: str) -> Pooled:
    """Return a pool that is there with other looks.

    Raises:
        Refused: there is none, it cannot have other looks, or not so few; the dial is named.
    """
    number = state.book.names.find(pool_of(dial) or "")
    contract = state.book.contracts[number] if number >= 0 else None
    if contract is None or contract.grant is None:
        raise Refused("dial", f"{dial[:160]!r}: there is no such pool")
    reason = _held(state, contract)
    if reason:
        raise Refused(dial, reason)
    looks = number_of(dial, typed)
    if looks is not None and not 0.0 < looks <= MOST_LOOKS:
        raise Refused(dial, f"must be above 0 and at most {MOST_LOOKS:g}, or off")
    ledger = state.organic.pools.get(number)
    used = (ledger.spent + ledger.expired) / MILLION if ledger else 0.0
    if looks is not None and looks < used:
        raise Refused(dial, f"is below the {used:g} looks already spent or expired")
    return Pooled(contract, number, contract.grant.looks, None if looks is None else float(looks))


def planned(contract: Contract) -> Pooled:
    """Return a pool that nobody made yet.

    Raises:
        Refused: it matches spend.
    """
    assert contract.grant is not None
    if contract.grant.matching is not None:
        raise Refused("pool.matching", "cannot be previewed: looks would follow what members spend")
    return Pooled(contract, -1, None, contract.grant.looks)


def change_of(pooled: Pooled) -> Change:
    """Return a pool as a change among the others."""
    dial = f"pools.{pooled.contract.id}.looks" if pooled.number >= 0 else DIAL
    return Change(dial, pooled.today, pooled.looks, "settled")


def drawing(state: State, pooled: Pooled) -> Flags:
    """Return which items would draw on a pool now [I], its window being open: the first to end pays."""
    grant, shelf, organic = pooled.contract.grant, state.shelf, state.organic
    assert grant is not None
    count = len(shelf.facts)
    flags = shelf.rows[:count].view(np.int32)[:, FLAGS]
    found = ((flags & SHOWN) != 0) & (shelf.uploaded[:count] <= state.now)
    found &= turn.eligible_now(state, grant.eligible, turn.trust_of_items(state))
    other = organic.pool[:count]
    found &= (other < 0) | (other == pooled.number) | (state.book.end[other] > pooled.contract.horizon.end)
    ledger = organic.pools.get(pooled.number)
    if grant.member_looks and ledger:
        most = int(grant.member_looks * MILLION)
        full = [group for group, member in ledger.members.items() if member.spent >= most]
        found &= ~np.isin(shelf.group[:count], full)
    return np.asarray(found)


def due(state: State, pooled: Pooled, looks: float | None, requests: int) -> float:
    """Return how many looks of a pool so many requests should spend: what is left, by the traffic of its window.

    Args:
        state: only read.
        pooled: the pool.
        looks: that it has in all; None: none.
        requests: how many.
    """
    if looks is None:
        return 0.0
    ledger, horizon = state.organic.pools.get(pooled.number), pooled.contract.horizon
    used = (ledger.spent + ledger.expired) / MILLION if ledger else 0.0
    left = max(looks / _engines(state, pooled.number) - used, 0.0)
    edges = np.array([max(horizon.start, state.now), horizon.end])
    until, over = still_to_come(state.traffic, state.now, edges, state.policy.tick_ms)
    return left * min(requests / max(float(over - until), 1.0), 1.0)


def _engines(state: State, number: int) -> int:
    return int(state.book.engines[number]) if number >= 0 else 1


def _held(state: State, contract: Contract) -> str:
    """Why a pool's looks cannot be previewed; empty: they can."""
    if contract.grant is None:
        return "is no pool"
    if contract.grant.matching is not None:
        return "cannot be previewed: the pool's looks follow what its members spend"
    if contract.wish in state.book.ended or contract.horizon.end <= state.now:
        return "is of a pool that has ended"
    if contract.wish in state.book.paused:
        return "is of a pool that is paused"
    return ""


def single(state: State, pairs: Sequence[tuple[str, str]], contract: Contract | None) -> Pooled | None:
    """Return the one pool that is asked about.

    Raises:
        Refused: there are two.
    """
    if len(pairs) + (contract is not None) > 1:
        raise Refused(pairs[-1][0], "is another pool; one is previewed at a time")
    if contract is not None:
        return planned(contract)
    return asked(state, *pairs[0]) if pairs else None
