"""Sales: what comes of a click, pooled from an item over its merchant and category to all.

The chance of an order is a product of rates, λ of all clicks and a factor each for category, merchant and item, every
factor Gamma with mean 1 and strength k, orders Poisson given it. With E clicks' worth of exposure (each counts as its
time passes, see `traffic.prediction.delay`), n orders and X = E·(all factors above), a factor is

    r = (k + Σ w·n)/(k + Σ w·X),   w = 1/(1 + Σ X_below/k_below)

w says how little one large merchant or item tells of what stands above it. The posterior deviation of a log factor is
1/√(k + Σ w·n). A shop without orders is its category's; its first orders move it at once, a hundred settle it.
An item without a merchant is pooled by creator. Nothing here knows a viewer.
Source: Jewell's hierarchical credibility (1975) with Gamma–Poisson levels; ADR 0012.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

CHANCE, CHANCE_STRENGTH = 0.02, 1.0
"""Chance of an order given a click before any was seen, and the orders that this counts for."""
CATEGORY, MERCHANT, ITEM = 3.0, 2.0, 4.0
"""Strengths, in orders: log factors spread by about 1/√k, .6 over categories, .7 over merchants, .5 over items."""
HIGHEST = 0.5
"""No item's pooled chance is taken to be above this."""


@dataclass(slots=True)
class Sales:
    """What clicks came to, by item."""

    exposure: Floats = field(default_factory=lambda: np.zeros(16))
    """Clicks, each by the share of its time that has passed."""
    orders: Floats = field(default_factory=lambda: np.zeros(16))
    """Orders that came of them."""
    offset: NDArray[np.float32] = field(default_factory=lambda: np.zeros(16, np.float32))
    """Log-odds of an order given a click, as last pooled; part of each item's packed row."""
    deviation: NDArray[np.float32] = field(default_factory=lambda: np.zeros(16, np.float32))
    """Posterior standard deviation of that."""
    categories: Floats = field(default_factory=lambda: np.zeros(0))
    """Log chance of a new merchant's new item, by category, as last pooled."""
    groups: Floats = field(default_factory=lambda: np.zeros(0))
    """Log factor of each merchant (creator) over its categories."""
    known: int = 0
    """How many items it has met."""
    moved: bool = False
    """Whether anything was counted since it was last pooled."""


class Pooled(NamedTuple):
    """Factors and chances, pooled."""

    categories: Floats  # [K] log chance of a new merchant's item
    groups: Floats  # [G] log factor
    offset: Floats  # [I] log-odds
    deviation: Floats  # [I]
    group_deviation: Floats  # [G] of the log chance of a merchant's new item


def pool(exposure: Floats, orders: Floats, group: Ints, category: Ints) -> Pooled:
    """Return every item's log-odds of an order given a click, pooled over merchant, category and all.

    Args:
        exposure: clicks' worth of passed time [I].
        orders: [I].
        group: whose each item is [I].
        category: [I].

    Source: this module's formula.
    """
    rate = (CHANCE_STRENGTH + orders.sum()) / (CHANCE_STRENGTH / CHANCE + exposure.sum())
    expected = exposure * rate  # [I]
    of_group = np.bincount(group, expected)  # [G]
    trust = 1.0 / (1.0 + expected / ITEM + of_group[group] / MERCHANT)  # [I]
    counted, likely = np.bincount(category, trust * orders), np.bincount(category, trust * expected)
    by_category = (CATEGORY + counted) / (CATEGORY + likely)  # [K]
    category_variance = 1.0 / (CATEGORY + counted)
    expected = expected * by_category[category]
    trust = 1.0 / (1.0 + expected / ITEM)
    counted, likely = np.bincount(group, trust * orders), np.bincount(group, trust * expected)
    by_group = (MERCHANT + counted) / (MERCHANT + likely)  # [G]
    above = np.zeros(len(by_group))
    above[group] = category_variance[category]  # a merchant of several categories: that of its last item
    group_variance = 1.0 / (MERCHANT + counted) + above
    expected = expected * by_group[group]
    factor = (ITEM + orders) / (ITEM + expected)
    chance = np.minimum(rate * by_category[category] * by_group[group] * factor, HIGHEST)
    return Pooled(
        categories=np.log(rate * by_category),
        groups=np.log(by_group),
        offset=np.log(chance / (1.0 - chance)),
        deviation=np.sqrt(
            1.0 / (ITEM + orders) + 1.0 / (MERCHANT + counted)[group] + category_variance[category]
        ),
        group_deviation=np.sqrt(group_variance),
    )


def place(sales: Sales, item: int, group: int, category: int) -> None:
    """Make room for an item; until the next pooling it has its merchant's and category's chance.

    Args:
        sales: changed in place.
        item: number.
        group: whose it is.
        category: its category's number.
    """
    new = item >= sales.known
    sales.known = max(sales.known, item + 1)
    sales.exposure = grown(sales.exposure, item + 1)
    sales.orders = grown(sales.orders, item + 1)
    sales.offset = grown(sales.offset, item + 1)
    sales.deviation = grown(sales.deviation, item + 1)
    if new:
        known = category < len(sales.categories)
        log = float(sales.categories[category]) if known else math.log(CHANCE)
        log += float(sales.groups[group]) if group < len(sales.groups) else 0.0
        chance = min(math.exp(log), HIGHEST)
        sales.offset[item] = math.log(chance / (1.0 - chance))
        sales.deviation[item] = math.sqrt(1.0 / CATEGORY + 1.0 / MERCHANT + 1.0 / ITEM)


def count(sales: Sales, item: int, exposure: float, came: bool) -> None:
    """Count a further share of a click's time, and whether an order came in it."""
    sales.exposure[item] += exposure
    sales.orders[item] += came
    sales.moved = True


def refresh(sales: Sales, group: Ints, category: Ints) -> NDArray[np.float32] | None:
    """Pool again where anything was counted; return by how much each item's log-odds moved [I], None if none did.

    Args:
        sales: changed in place.
        group: whose each item is [≥ I].
        category: [≥ I].
    """
    known = sales.known
    if not sales.moved:
        return None
    pooled = pool(sales.exposure[:known], sales.orders[:known], group[:known], category[:known])
    sales.categories, sales.groups, sales.moved = pooled.categories, pooled.groups, False
    offset = pooled.offset.astype(np.float32)
    moved = offset - sales.offset[:known]
    sales.offset[:known] = offset
    sales.deviation[:known] = pooled.deviation
    return moved
