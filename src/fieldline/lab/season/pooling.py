"""A pool of looks in a season: granted, priced and spent by the engine's own functions."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.contracts.grants import MILLION, Grant
from fieldline.lab.world.draws import Floats, Ints
from fieldline.traffic.forecast import Traffic, planned_share
from fieldline.traffic.organic import pools
from fieldline.traffic.organic.floors import behind_of, floor_prices
from fieldline.traffic.organic.pools import Ledger


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool of an arm, open as long as its contracts run."""

    terms: Grant
    """How many looks by which rule; whom it is for stands in `merchants`."""
    merchants: NDArray[np.bool_]
    """[M]"""


@dataclass(slots=True)
class Pooled:
    """A pool's account."""

    price: Floats
    """[I], in mean scores, as of the last tick."""
    ledger: Ledger = field(default_factory=Ledger)
    integral: float = 0.0


def turn(
    pooled: Pooled,
    pool: Pool,
    moved: Floats,
    merchant: Ints,
    spent: NDArray[np.int64],
    traffic: Traffic,
    horizon: tuple[int, int],
    at: int,
) -> None:
    """Spend what the price moved in a tick, grant what the rule gives by now, and solve the price again.

    Args:
        pooled: changed.
        pool: the rule.
        moved: looks that went to each item for the price [I].
        merchant: of each item [I], −1: none.
        spent: by each merchant's contract so far, micro-yuan [M].
        traffic: only read.
        horizon: first instant and end, ms.
        at: ms.
    """
    ledger, terms = pooled.ledger, pool.terms
    for item in np.flatnonzero((moved > 0.0) & (merchant >= 0)).tolist():
        pools.spend(ledger, terms, int(merchant[item]), round(float(moved[item]) * MILLION))
    if at >= horizon[1]:
        pools.expire(ledger)
    else:
        _grant(ledger, pool, spent)
    pooled.price = np.zeros(len(moved))
    if ledger.left <= 0:
        return
    planned = planned_share(traffic, horizon[0], horizon[1], at)
    behind = behind_of(np.array([planned]), np.array([float(ledger.spent)]), float(ledger.granted))
    summed, price = floor_prices(np.array([pooled.integral]), behind)
    pooled.integral = float(summed[0])
    members = np.flatnonzero(pool.merchants)
    has = np.zeros(len(pool.merchants) + 1, bool)  # the last is of what nobody sells
    has[members] = [pools.left_of(ledger, terms, member) > 0 for member in members.tolist()]
    pooled.price[has[merchant]] = price[0]


def _grant(ledger: Ledger, pool: Pool, spent: NDArray[np.int64]) -> None:
    most = int(pool.terms.looks * MILLION)
    if pool.terms.matching is None:
        pools.grant(ledger, most)
        return
    members = np.flatnonzero(pool.merchants)
    pools.begin(ledger, dict.fromkeys(members.tolist(), 0))
    for member in members.tolist():
        pools.match(ledger, member, int(spent[member]), pool.terms.matching, most)
