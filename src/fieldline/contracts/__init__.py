"""Contracts on traffic: what a merchant bought or an operator granted, in the only form the engine knows."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fieldline.facts import Id, Money, Time, Word


class Horizon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when to when (exclusive) a contract runs."""

    start: Time
    end: Time


class Reach(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which items a contract uses: all of a merchant, all of a creator, or those named."""

    merchant: Id | None = None
    creator: Id | None = None
    items: tuple[Id, ...] = ()


class Meter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a look is worth to a contract, in yuan: v = look + click·P(click) + long_view·P(long view) + gmv·g.

    g is the expected net GMV of the look: P(click)·P(order|click)·net price.
    """

    look: float = 0.0
    click: float = 0.0
    long_view: float = 0.0
    gmv: float = 0.0

    def of(self, click: float, long_view: float, order: float, net_price: float) -> float:
        """Return v in yuan per look, from the chances of a click, a long view and an order after a click."""
        return (
            self.look + self.click * click + self.long_view * long_view + self.gmv * click * order * net_price
        )


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a contract may spend and must reach; each limit that is set has a price."""

    budget: Money = 0
    """Hard: spend never passes it. 0: the contract does not bid."""
    goal: Annotated[float, Meta(ge=0.0)] = 0.0
    """tau: value per yuan of spend, at least. 0: none."""
    counts_organic: bool = False
    """Whether organic value of its items counts towards the goal."""
    predicted: bool = False
    """Whether predicted value counts instead of observed value."""
    looks: Annotated[float, Meta(ge=0.0)] = 0.0
    """Exposure floor: looks (sum of e_k) owed by the horizon's end. 0: none."""
    ceiling: Annotated[float, Meta(ge=0.0)] = 0.0
    """Exposure ceiling: looks that should not be passed by the horizon's end. 0: none."""


class Contract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A contract on traffic: who, on what, what it values, what limits it, and when."""

    id: Id
    wish: Id
    offer: Word
    owner: Id
    reach: Reach
    meter: Meter
    limit: Limit
    horizon: Horizon

    @property
    def bids(self) -> bool:
        """Whether it pays (a budget) rather than being granted (a floor or a ceiling)."""
        return self.limit.budget > 0
