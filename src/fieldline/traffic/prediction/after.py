"""After the order: basket value, refunds and redemptions, pooled over merchants.

    basket_i   (k + Σ_i paid/listed)/(k + n_i), first over all, then per merchant, then per item: what an order is worth
               over the list price of one
    refunds_i  declared share + δ_category + δ_merchant,   δ = (Σ (returned − expected))/(n + k) of orders 15 days old
    redeemed_i (k·r + redeemed)/(k + n), of orders 15 days old, first over all, then per merchant

Orders too young to have come back say nothing yet, so that no refund is missed before its time.
Source: Bühlmann credibility (1967), level by level; ADR 0012.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.traffic.prediction.sales import Floats, Ints
from fieldline.units import DAY

SETTLED = 15 * DAY
"""Age at which an order is taken to be kept and its voucher to stay unused."""
ORDERS = 10.0
"""Orders that the level above counts for."""
REDEEMED = 0.6
"""Share of vouchers that are used, before any was seen."""
DEAREST = 20.0
"""An order counts at most for so many times its list price."""
MOST_RETURNED = 0.95

COUNT, RETURNED, EXPECTED, USED = range(4)


@dataclass(slots=True)
class After:
    """What orders came to."""

    baskets: Floats = field(default_factory=lambda: np.zeros((16, 2)))
    """[I, 2] paid over list price, summed; orders."""
    settled: Floats = field(default_factory=lambda: np.zeros((16, 4)))
    """[I, 4] of orders old enough: how many, share of their money that came back, expected share, redeemed."""
    waiting: list[str] = field(default_factory=list)
    """Orders that are not yet old enough, oldest first."""
    moved: bool = False
    """Whether anything was counted since net prices were brought up to date."""


def note_order(after: After, id: str, item: int, amount: int, listed: int) -> None:
    """Count an order.

    Args:
        after: changed in place.
        id: the order's.
        item: the item that it came from.
        amount: paid, micro-yuan.
        listed: list price of one of what was bought, micro-yuan.
    """
    after.baskets = grown(after.baskets, item + 1)
    after.waiting.append(id)
    if listed > 0:
        after.baskets[item] += min(amount / listed, DEAREST), 1.0
        after.moved = True


def note_settled(after: After, item: int, returned: float, expected: float, redeemed: bool) -> None:
    """Count an order that is old enough.

    Args:
        after: changed in place.
        item: the item that it came from.
        returned: share of its money that came back.
        expected: share that was expected to.
        redeemed: whether its voucher was used.
    """
    after.settled = grown(after.settled, item + 1)
    after.settled[item] += 1.0, returned, expected, float(redeemed)
    after.moved = True


def baskets(after: After, group: Ints) -> Floats:
    """Return what an order of each item is worth over its list price [I].

    Args:
        after: only read.
        group: whose each item is [I].
    """
    paid, count = _rows(after.baskets, len(group)).T
    everywhere = (ORDERS + paid.sum()) / (ORDERS + count.sum())
    of_group = (ORDERS * everywhere + np.bincount(group, paid)) / (ORDERS + np.bincount(group, count))
    return np.asarray((ORDERS * of_group[group] + paid) / (ORDERS + count))


def refunds(after: After, declared: Floats, group: Ints, category: Ints) -> Floats:
    """Return the share of each item's sales that is expected to come back [I].

    Args:
        after: only read.
        declared: what its product says [I].
        group: whose each item is [I].
        category: [I].
    """
    count, returned, expected, _ = _rows(after.settled, len(group)).T
    off = returned - expected
    of_category = np.bincount(category, off) / (ORDERS + np.bincount(category, count))
    off = off - of_category[category] * count
    of_group = np.bincount(group, off) / (ORDERS + np.bincount(group, count))
    return np.clip(declared + of_category[category] + of_group[group], 0.0, MOST_RETURNED)


def redemptions(after: After, group: Ints) -> Floats:
    """Return the share of each merchant's orders whose vouchers are used [G]; 0 where none was yet: it may sell none.

    Args:
        after: only read.
        group: whose each item is [I].
    """
    count, _, _, used = _rows(after.settled, len(group)).T
    everywhere = (ORDERS * REDEEMED + used.sum()) / (ORDERS + count.sum())
    of_group = np.bincount(group, used)
    share = (ORDERS * everywhere + of_group) / (ORDERS + np.bincount(group, count))
    return np.where(of_group > 0.0, share, 0.0)


def _rows(column: NDArray[np.float64], count: int) -> Floats:
    """The first rows of a column, zeros where it ends before."""
    missing = max(count - len(column), 0)
    return np.concatenate((column[:count], np.zeros((missing, *column.shape[1:]))))
