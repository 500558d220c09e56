"""What a viewer does with a shown item, as facts: the fate that the truth decided, put into time."""

import math
from dataclasses import dataclass

from fieldline.draws import unit_of
from fieldline.facts import Behaviour, Click, Follow, Impression, LongView, Order, Refund
from fieldline.lab.world import truth
from fieldline.units import DAY, HOUR, MINUTE, SECOND, Instant

RENDER = 200
"""Milliseconds from a decision to its slate on the screen."""
SLOT_TIME = 6 * SECOND
"""From one slot's look to the next one's."""
SOON = 0.35
"""Share of orders that come within minutes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An item in a slot of a rendered slate."""

    decision: str
    viewer: str
    item: str
    creator: str | None
    product: str | None
    price: int
    """Micro-yuan."""


def impression(shown: Shown, at: Instant) -> Impression:
    """Return that the slot was rendered, a fifth of a second after the decision."""
    return Impression(f"{shown.decision}/shown/{shown.item}", at + RENDER, shown.decision, shown.item)


def _wait(key: int, purpose: int, mean: float) -> int:
    return int(-math.log1p(-unit_of(key, purpose)) * mean)


def deeds(shown: Shown, fate: truth.Fate, key: int, looked_at: Instant) -> list[Behaviour]:
    """Return what the viewer does with an item after looking at it.

    A click comes within seconds of the look; 35% of orders 4 minutes after their click in the mean, the rest
    3.3 hours; a refund at least an hour after the order, and two days more in the mean.

    Args:
        shown: what and to whom.
        fate: what became of it.
        key: of the item's draws at this request.
        looked_at: when the viewer reached the slot.

    Returns:
        Clicks, long views, follows, orders and refunds, in no order.
    """
    found: list[Behaviour] = []
    ids = (shown.decision, shown.item)
    opened = looked_at + 1_000 + int(unit_of(key, truth.DWELL) * 5_000)
    if fate.clicked:
        found.append(Click(f"{shown.decision}/click/{shown.item}", opened, *ids))
    if fate.long_viewed:
        seen = looked_at + 15_000 + int(unit_of(key, truth.DWELL) * 45_000)
        found.append(LongView(f"{shown.decision}/long/{shown.item}", seen, *ids))
        if fate.followed and shown.creator is not None:
            found.append(
                Follow(f"{shown.decision}/follow/{shown.item}", seen + 2_000, shown.viewer, shown.creator)
            )
    if fate.quantity and shown.product is not None:
        soon = unit_of(key, truth.SOON) < SOON
        bought = opened + 10_000 + _wait(key, truth.DELAY, 4 * MINUTE if soon else 3.3 * HOUR)
        order = f"{shown.decision}/order/{shown.item}"
        amount = shown.price * fate.quantity
        found.append(Order(order, bought, shown.viewer, shown.product, amount, fate.quantity))
        if fate.refunded:
            back = bought + HOUR + _wait(key, truth.RETURN, 2 * DAY)
            found.append(Refund(f"{shown.decision}/refund/{shown.item}", back, order, amount))
    return found
