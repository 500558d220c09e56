"""One campaign's day in an account, and the four returns on its spend."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from fieldline.contracts.incrementality import Arms, Estimate, draw_variance, incremental, shrunk
from fieldline.facts import Id, Money
from fieldline.units import YUAN


class DayAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that one campaign's day comes down to; its identities are checked when it is made.

    storewide = treated + held = attributed + other; orders = treated + held; refunds ≤ storewide.

    Raises:
        ValueError: if an identity does not hold.
    """

    campaign: Id
    day: Annotated[int, Meta(ge=0)]
    """Counted from 1970-01-01 in UTC+8."""
    arms: Arms
    """Storewide GMV and orders by treated and held-out viewers."""
    spend: Money = 0
    storewide: Money = 0
    """GMV of its items, whoever ordered and whatever led to it."""
    attributed: Money = 0
    """The part of it that an attribution rule gives to the campaign."""
    refunds: Money = 0
    """Of the storewide GMV, given back so far."""
    orders: Annotated[int, Meta(ge=0)] = 0
    owed: Money = 0
    """Σ goal·charge: the value owed, each charge at the goal in force when it was made."""
    counted: Money = 0
    """Value by the offer's own rule, against which the goal is held."""
    counted_squares: Annotated[float, Meta(ge=0.0)] = 0.0
    """Σ over orders of (their counted value)², yuan²."""

    def __post_init__(self) -> None:
        treated, held = self.arms.treated, self.arms.held
        if self.storewide != treated.gmv + held.gmv:
            raise ValueError("storewide GMV is not that of treated and of held-out viewers")
        if self.orders != treated.orders + held.orders:
            raise ValueError("orders are not those of treated and of held-out viewers")
        if self.attributed > self.storewide or self.refunds > self.storewide:
            raise ValueError("attributed GMV or refunds exceed storewide GMV")
        if self.arms.holdout == 0.0 and (held.orders or held.gmv):
            raise ValueError("held-out viewers ordered, but nobody is held out")

    @property
    def other(self) -> int:
        """Storewide GMV that is not attributed, micro-yuan."""
        return self.storewide - self.attributed

    @property
    def net(self) -> int:
        """Storewide GMV less refunds, micro-yuan."""
        return self.storewide - self.refunds


class FourRois(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Four values per yuan of spend; None where there was no spend or nothing to measure with."""

    attributed: float | None
    storewide: float | None
    net: float | None
    incremental: Estimate
    incremental_gmv: Estimate
    """Yuan; also given where there was no spend."""
    confidence: float


def rois(*days: DayAccount, confidence: float = 0.9) -> FourRois:
    """Return the four returns on spend of one day, or of several together.

    attributed = attributed GMV/S, storewide = (attributed + other)/S, net = (storewide GMV − refunds)/S,
    incremental = Σ (treated − held·(1 − h)/h)/S. Over days, GMV and spend add up and the ratios are taken last.

    Args:
        days: accounts, of one campaign or of a group.
        confidence: of the incremental return's limits, two-sided.

    Returns:
        None for every ratio if S = 0, and for the incremental one if h = 0 on any day.

    Raises:
        ValueError: if there is no day.
    """
    gmv = incremental([day.arms for day in days], confidence)
    spend = sum(day.spend for day in days)

    def per_yuan(amount: int) -> float | None:
        return amount / spend if spend else None

    def share(yuan: float | None) -> float | None:
        return yuan * YUAN / spend if spend and yuan is not None else None

    return FourRois(
        per_yuan(sum(day.attributed for day in days)),
        per_yuan(sum(day.storewide for day in days)),
        per_yuan(sum(day.net for day in days)),
        Estimate(share(gmv.value), share(gmv.low), share(gmv.high)),
        gmv,
        confidence,
    )


class Pooled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Incremental over attributed GMV: of all campaigns together, and of each."""

    pool: Estimate
    campaigns: dict[Id, Estimate]


def pooled(accounts: Sequence[DayAccount], confidence: float = 0.9) -> Pooled:
    """Return each campaign's incremental share of its attributed GMV, drawn towards the pool's as evidence is thin.

    Days without a holdout say nothing; a campaign with none but such days gets the pool's share.

    Args:
        accounts: campaign-days in any order.
        confidence: of the intervals, two-sided.

    Returns:
        Shares within [0, 1.5], by campaign; see `fieldline.contracts.incrementality.shrunk`.
    """
    days: defaultdict[str, list[DayAccount]] = defaultdict(list)
    for account in accounts:
        days[account.campaign].append(account)
    names = sorted(days)
    measured = [[day for day in days[name] if day.arms.holdout > 0.0] for name in names]
    shares = shrunk(
        np.array([sum(day.attributed for day in each) / YUAN for each in measured], float),
        np.array([(incremental([d.arms for d in each]).value if each else 0.0) for each in measured], float),
        np.array([sum(draw_variance(day.arms) for day in each) for each in measured], float),
        confidence,
    )
    return Pooled(shares.pool, dict(zip(names, shares.campaigns, strict=True)))
