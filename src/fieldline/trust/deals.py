"""Deals: one order, or one dialogue, as far as it tells of its merchant."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.trust.signals import ANSWERED, KEPT_MONEY, KEPT_ORDERS, ON_TIME, SOLVED, STARS, WORDS
from fieldline.units import MINUTE

Floats = NDArray[np.float64]

PATIENCE = 3 * MINUTE
"""A first answer after so long is worth half."""
PARTS = SOLVED + 1
"""Signals that are counted per buyer as they come: all up to here."""


class Deal(msgspec.Struct, gc=False):
    """One order as far as it tells of its merchant."""

    at: int
    buyer: int
    shop: int
    amount: int
    refunds: dict[str, int]
    delivery: str = ""
    late: int = -1
    """−1: nothing was promised, or it is not there yet."""
    delivered_at: int = 0
    review: str = ""
    stars: int = 0
    reviewed_at: int = -1
    tone: float | None = None
    out: tuple[str, ...] = ()
    """Facts that an upheld appeal took out."""


class Asked(msgspec.Struct, gc=False):
    """One service dialogue."""

    at: int
    buyer: int
    shop: int
    waited: int
    solved: bool | None
    out: bool = False


def returned(deal: Deal) -> float:
    """Return the share of an order's money that went back, contested refunds left out."""
    back = sum(amount for id, amount in deal.refunds.items() if id not in deal.out)
    return min(back / deal.amount, 1.0) if deal.amount else 0.0


def told(deal: Deal) -> tuple[Floats, Floats]:
    """Return what an order tells now.

    Args:
        deal: with all that is known of it.

    Returns:
        Sums of signals [7] and what they are of [7].
    """
    values, counts = np.zeros(PARTS), np.zeros(PARTS)
    kept = 1.0 - returned(deal)
    values[KEPT_MONEY], counts[KEPT_MONEY] = kept * deal.amount, deal.amount
    values[KEPT_ORDERS], counts[KEPT_ORDERS] = kept, 1.0
    if deal.late >= 0 and deal.delivery not in deal.out:
        values[ON_TIME], counts[ON_TIME] = 1.0 - deal.late, 1.0
    if deal.review and deal.review not in deal.out:
        values[STARS], counts[STARS] = (deal.stars - 1) / 4, 1.0
        if deal.tone is not None:
            values[WORDS], counts[WORDS] = (deal.tone + 1.0) / 2.0, 1.0
    return values, counts


def heard(asked: Asked) -> tuple[Floats, Floats]:
    """Return what a dialogue tells: sums of signals [7] and what they are of [7]."""
    values, counts = np.zeros(PARTS), np.zeros(PARTS)
    values[ANSWERED], counts[ANSWERED] = 2.0 ** (-asked.waited / PATIENCE), 1.0
    if asked.solved is not None:
        values[SOLVED], counts[SOLVED] = float(asked.solved), 1.0
    return values, counts
