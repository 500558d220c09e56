"""The tally of one contract on one day: what it did, told by hour, scene, item and buyer, and by arm of its holdout.

Money is int64 micro-yuan. An impression counts in the hour of its decision; an order in the hour in which it was
made, a refund where its order counted, so that net = storewide − refunds on every row.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FIGURES = ("impressions", "spend", "clicks", "orders", "attributed", "paid_orders", "storewide", "refunded",
           "attributed_refunded", "follows", "leads", "visits")  # fmt: skip
(
    IMPRESSIONS,
    SPEND,
    CLICKS,
    ORDERS,
    ATTRIBUTED,
    PAID_ORDERS,
    STOREWIDE,
    REFUNDED,
    ATTRIBUTED_REFUNDED,
    FOLLOWS,
    LEADS,
    VISITS,
) = range(len(FIGURES))
"""Columns: spend, attributed, storewide and refunds in micro-yuan; orders are all of its items', paid ones those
attributed."""

TREATED, HELD = range(2)
ARM_FIGURES = ("gmv", "orders", "buyers")
NEW, RETURNING = range(2)
ANYWHERE = 32
"""The row of orders that no paid touch led to, among the scenes."""

Counts = NDArray[np.int64]


def _hours() -> Counts:
    return np.zeros((24, len(FIGURES)), np.int64)


def _scenes() -> Counts:
    return np.zeros((ANYWHERE + 1, len(FIGURES)), np.int64)


def _buyers() -> Counts:
    return np.zeros((2, len(FIGURES)), np.int64)


@dataclass(slots=True)
class Tally:
    """One contract's day."""

    hours: Counts = field(default_factory=_hours)
    """[24, figures], by hour in UTC+8."""
    scenes: Counts = field(default_factory=_scenes)
    """[33, figures], by scene number; the last row is of orders without a paid touch."""
    buyers: Counts = field(default_factory=_buyers)
    """[2, figures], by whether the viewer had ordered from the merchant before."""
    items: dict[int, list[int]] = field(default_factory=dict)
    """Figures by item number."""
    holdout: float = 0.0
    """Share of viewers held out on that day; an edit counts from the next day on."""
    owed: float = 0.0
    """Σ goal·charge, yuan of value owed at the goals in force when each charge was made."""
    value: float = 0.0
    """Value as the contract counts it, yuan."""
    value_squares: float = 0.0
    valued: int = 0
    """Events behind the value (orders, fans, leads)."""
    of_arm: tuple[dict[int, int], dict[int, int]] = field(default_factory=lambda: ({}, {}))
    """GMV of its items by buyer, micro-yuan, among treated and held-out viewers; −1: erased ones."""
    orders_of_arm: list[int] = field(default_factory=lambda: [0, 0])
    gained: float = 0.0
    """Looks bought beyond those that its items would have had, on the sampled share of requests."""
    from_own: float = 0.0
    """Looks taken from its own other items."""
    from_others: float = 0.0
    """Looks taken from others."""
    assured: bool = False
    """Whether a charge was made while its goal was assured."""
    halted_ms: int = 0
    """How long it could not be shown for the owner's reasons: paused, out of stock, under review."""

    @property
    def total(self) -> Counts:
        """Return the figures of the whole day, [figures]."""
        return np.asarray(self.hours.sum(axis=0))


def add(
    tally: Tally, hour: int, scene: int, returning: bool, item: int, amounts: tuple[tuple[int, int], ...]
) -> None:
    """Add amounts of some figures to a day.

    Args:
        tally: changed in place.
        hour: of the day in UTC+8.
        scene: number, −1 = none.
        returning: whether the viewer had ordered from the merchant before.
        item: number.
        amounts: (figure, amount) pairs.
    """
    row = tally.items.get(item)
    if row is None:
        row = tally.items[item] = [0] * len(FIGURES)
    for figure, amount in amounts:
        tally.hours[hour, figure] += amount
        tally.scenes[scene if scene >= 0 else ANYWHERE, figure] += amount
        tally.buyers[int(returning), figure] += amount
        row[figure] += amount


def count_value(tally: Tally, yuan: float, events: int = 1) -> None:
    """Count value in hand of a day, with its square for the confidence in it."""
    tally.value += yuan
    tally.value_squares += yuan * yuan * events
    tally.valued += events
