"""Contracts on traffic: what a merchant bought or an operator granted, in the only form the engine knows."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fieldline.contracts.grants import Grant
from fieldline.facts import Id, Money, Place, Share, Time, Word

HOURS = 168
"""Hours of a week."""
Hours = Annotated[str, Meta(pattern=f"^([01]{{{HOURS}}})?$")]
"""One 0 or 1 for each hour of a week, Monday 00:00 in UTC+8 first; empty = all."""


class Horizon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when to when (exclusive) a contract runs, and in which hours of the week."""

    start: Time
    end: Time
    hours: Hours = ""


class Audience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which viewers, and which requests, a contract bids for; what is empty excludes nobody."""

    traits: tuple[Word, ...] = ()
    """Any of these."""
    without: tuple[Word, ...] = ()
    """None of these."""
    negatives: tuple[Word, ...] = ()
    """Categories of requests in which it does not bid."""
    buyers: Literal["all", "new", "returning"] = "all"
    """Whether the viewer has ordered from the merchant before."""
    near: Place | None = None
    """Within `within_km` of here; viewers whose place is unknown are left out."""
    within_km: Annotated[float, Meta(gt=0.0, le=20_000.0)] = 10.0
    negative_words: Annotated[tuple[Word, ...], Meta(max_length=200)] = ()
    """It does not bid where a query has all words of one of these."""


ALL = Audience()


class Reach(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which items a contract uses, where and for whom: all of a merchant, all of a creator, or those named.

    With a creator and a merchant: those of the creator's that show the merchant's goods.
    """

    merchant: Id | None = None
    creator: Id | None = None
    items: tuple[Id, ...] = ()
    shown_by: bool = False
    """Whether the videos and live rooms that show the named products count, too."""
    unit: str = ""
    """The campaign's unit that this is, for reports."""
    scenes: tuple[Word, ...] = ()
    """Only these; empty = all."""
    audience: Audience = ALL


class Meter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a look is worth to a contract, in yuan, by what may come of it.

    v = look + (click + (lead + visit)·λ)·P(click) + (long_view + follow·φ)·P(long view)
        + gmv·g + order·P(click)·P(order | click)

    g is the expected net GMV of the look: P(click)·P(order | click)·net price. φ, follows per long view, and λ,
    qualified leads or visits per click, are learned for each contract (`fieldline.traffic.worth`).
    """

    look: float = 0.0
    click: float = 0.0
    long_view: float = 0.0
    gmv: float = 0.0
    order: float = 0.0
    """Yuan per order, whatever its amount."""
    follow: float = 0.0
    """Yuan per new fan; 0 with `fan_days`: what a fan is expected to buy."""
    lead: float = 0.0
    """Yuan per qualified lead."""
    visit: float = 0.0
    """Yuan per visit to the store."""
    days: Annotated[int, Meta(ge=0, le=90)] = 0
    """T: an order also counts for what its buyer is expected to buy again within T days (0: only itself)."""
    fan_days: Annotated[int, Meta(ge=0, le=90)] = 0
    """A fan counts for what one is expected to buy within so many days."""
    incremental: bool = False
    """Whether an attributed order counts only for its share that would not have come without the contract."""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a contract may spend and must reach; each limit that is set has a price."""

    budget: Money = 0
    """Hard: spend never passes it. 0: the contract does not bid."""
    daily: Money = 0
    """Hard: spend of a day (UTC+8) never passes it. 0: no such limit."""
    goal: Annotated[float, Meta(ge=0.0)] = 0.0
    """tau: value per yuan of spend, at least. 0: none."""
    counts_organic: bool = False
    """Whether organic value of its items counts towards the goal."""
    net: bool = False
    """Whether value is counted net of refunds: expected ones at once, real ones as they come."""
    predicted: bool = False
    """Whether predicted value counts instead of observed value."""
    looks: Annotated[float, Meta(ge=0.0)] = 0.0
    """Exposure floor: looks (sum of e_k) owed by the horizon's end. 0: none."""
    ceiling: Annotated[float, Meta(ge=0.0)] = 0.0
    """Exposure ceiling: looks that should not be passed by the horizon's end. 0: none."""
    capacity: Annotated[int, Meta(ge=0)] = 0
    """Most leads, visits or orders that the owner can serve in a day (UTC+8). 0: any number."""


class Contract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A contract on traffic: who, on what, what it values, what limits it, and when."""

    id: Id
    wish: Id
    offer: Word
    owner: Id
    """Who pays."""
    reach: tuple[Reach, ...]
    """Its units; an item in several of them counts in each that admits the request."""
    meter: Meter
    limit: Limit
    horizon: Horizon
    merchant: str = ""
    """Whose goods it promotes; empty where that is nobody's."""
    holdout: Share = 0.0
    """Share of viewers, keyed by campaign and viewer, for whom it never bids: what it is measured against."""
    assured: bool = False
    """Whether a day that falls short of the goal, beyond what chance explains, is credited."""
    grant: Grant | None = None
    """The pool that it is: it stands on no item of its own, whoever is eligible draws on it."""

    @property
    def bids(self) -> bool:
        """Whether it pays (a budget) rather than being granted (a floor or a ceiling)."""
        return self.limit.budget > 0
