"""Named organic prices by item, what they are made from, and how a decision names them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.traffic.explain import CONTENDER, CONTRIBUTION, NAMED, PRICES
from fieldline.traffic.organic import credit, newcomers
from fieldline.traffic.organic.credit import Credits
from fieldline.traffic.organic.inclusion import Inclusion
from fieldline.traffic.organic.newcomers import Newcomers
from fieldline.traffic.organic.pools import Ledger

INCLUSION, NEWCOMER, POOL, CREDIT = range(len(PRICES))
LOOKS, VIEWER, GOODS = range(3)
"""Columns of what a price did in a day: looks moved; yuan of viewer value and of goods value lost by it."""
ALL = len(PRICES)
"""The row of all that was shown."""

Floats = NDArray[np.float64]


@dataclass(slots=True)
class Effects:
    """What each price moved, and whom credit cost looks."""

    days: dict[int, Floats] = field(default_factory=dict)
    """By day (UTC+8), [5, 3]: by price, looks moved and what that cost; last all that was shown beside them."""
    given: Floats = field(default_factory=lambda: np.zeros(16))
    """Looks that credit gave to each group's items [G]."""
    taken: Floats = field(default_factory=lambda: np.zeros(16))
    """Looks that credit took from the items of each group that had none in the same slate [G]."""


@dataclass(slots=True)
class Organic:
    """All that organic prices are made from, and the prices themselves."""

    inclusion: Inclusion = field(default_factory=Inclusion)
    newcomers: Newcomers = field(default_factory=Newcomers)
    credits: Credits = field(default_factory=Credits)
    pools: dict[int, Ledger] = field(default_factory=dict)
    """By contract number."""
    parts: NDArray[np.float32] = field(default_factory=lambda: np.zeros((16, len(PRICES)), np.float32))
    """Each item's prices by name, yuan per look [I, 4]."""
    pool: NDArray[np.int32] = field(default_factory=lambda: np.full(16, -1, np.int32))
    """The contract of the pool that pays for each item; −1: none [I]."""
    on: bool = False
    """Whether any price is not 0."""
    effects: Effects = field(default_factory=Effects)


def widen(organic: Organic, items: int) -> None:
    """Make room for so many items."""
    newcomers.widen(organic.newcomers, items)
    credit.widen(organic.credits, items)
    organic.parts = grown(organic.parts, items)
    organic.pool = grown(organic.pool, items, -1)


def named_rows(organic: Organic, contenders: bytes) -> bytes:
    """Return rows of `explain.CONTRIBUTION` for every named price on a decision's contenders.

    Args:
        organic: the prices.
        contenders: rows of `explain.CONTENDER`.
    """
    items = np.frombuffer(contenders, CONTENDER)["item"]
    amounts = organic.parts[items]
    which, name = np.nonzero(amounts)
    rows = np.zeros(len(which), CONTRIBUTION)
    rows["contender"], rows["amount"] = which, amounts[which, name]
    rows["contract"] = np.where(name == POOL, organic.pool[items[which]], NAMED - name)
    return rows.tobytes()


def parts_of(rows: NDArray[np.void], pools: frozenset[int], count: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return the named prices of a decision's contenders, as they were logged.

    Args:
        rows: of `explain.CONTRIBUTION`.
        pools: contract numbers of pools.
        count: how many contenders there are.

    Returns:
        Yuan per look by price [n, 4], and each contender's pool [n], −1 for none.
    """
    parts, pool = np.zeros((count, len(PRICES))), np.full(count, -1, np.int64)
    for contender, contract, amount in rows.tolist():
        if contract <= NAMED:
            parts[contender, NAMED - contract] = amount
        elif contract in pools:
            parts[contender, POOL], pool[contender] = amount, contract
    return parts, pool
