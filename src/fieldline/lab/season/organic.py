"""Organic policies of a season: named prices and trust, made by the engine's own functions from what it may know."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fieldline.contracts.grants import MILLION
from fieldline.facts import Policy
from fieldline.lab.season.columns import (
    BELIEVED,
    CREDIT,
    CREDITED_ORDERS,
    EARNING,
    LIFTED,
    LOOKED,
    MOVED,
    NAMED,
    PER_ITEM,
    SENT_BACK,
    Machine,
    Shelf,
    Tallies,
)
from fieldline.lab.season.pooling import Pool, Pooled
from fieldline.lab.world.draws import Floats
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.organic import credit, inclusion, newcomers
from fieldline.traffic.organic.credit import Credits
from fieldline.traffic.organic.inclusion import Inclusion
from fieldline.traffic.organic.newcomers import Newcomers
from fieldline.traffic.rows import FLAGS, ORGANIC_PRICE, SHOWN
from fieldline.units import HOUR

MANY = 1_000
"""Looks at a new work whose time is noted."""
DEEPEST = 0.5
"""Most times its weight that a linear boost takes from a creator, as the Gini dial does."""

Instants = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Other:
    """A way to decide that is asked beside an arm's own, request by request, and never shown."""

    gini: float | None = None
    """Dial on creators' exposure, as far as that way would have given it; None: none."""
    linear: bool = False
    """Whether it is held by the linear boost."""
    random_share: float | None = None
    """Of requests answered at random; None: the arm's."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What an arm does to organic traffic beside the dials of its `policy`."""

    linear: bool = False
    """Whether the Gini dial is held by a boost that is linear in exposure, w·max(1 − x/x̄, −½)."""
    boost: float | None = None
    """Mean scores on every new work until it has its looks or its hours are over, instead of a floor's price."""
    earners: Flags | None = None
    """[I], the items that earn credit; None: all."""
    pool: Pool | None = None
    """A pool of looks; it or credit, not both."""
    others: tuple[Other, ...] = ()
    """Ways to decide of which it is told what they would have shown at this arm's requests."""
    staged: Flags | None = None
    """[R], the live rooms that tell the engine what they are about to sell; None: none does."""
    follows: Literal["unknown", "before", "known"] = "unknown"
    """What it knows of who follows whom: nothing, what there was when the season began, all."""
    learned: bool = False
    """Whether trust is learned from orders, refunds and repeats; else it is what merchants declare."""


@dataclass(slots=True)
class Organic:
    """The engine's accounts of organic prices, by item and by creator."""

    read: Floats
    """[I, 10] the tallies as of the last tick."""
    inclusion: Inclusion = field(default_factory=Inclusion)
    newcomers: Newcomers = field(default_factory=Newcomers)
    credits: Credits = field(default_factory=Credits)
    pooled: Pooled = field(default_factory=lambda: Pooled(np.zeros(0)))
    many: Instants = field(default_factory=lambda: np.zeros(0, np.int64))
    """[I] when each new work had its thousandth look, ms; 0: it has not."""


def opened(items: int, creators: int, released: Instants | None) -> Organic:
    """Return accounts in which only the works that are released during the season are new.

    Args:
        items: I.
        creators: how many.
        released: when each item is first shown, ms, at most the first instant for those that are there [I].
    """
    found = Organic(np.zeros((items, PER_ITEM)), many=np.zeros(items, np.int64))
    found.inclusion.exposure = np.zeros(creators)
    found.pooled.price = np.zeros(items)
    newcomers.widen(found.newcomers, items)
    credit.widen(found.credits, items)
    if released is not None:
        for item in np.flatnonzero(released > 0).tolist():
            newcomers.enter(found.newcomers, item, True, int(released[item]))
    return found


def follow(
    organic: Organic,
    policy: Policy,
    policies: Policies,
    tallies: Tallies,
    creator: NDArray[np.int32],
    at: int,
) -> None:
    """Take what a tick's requests did into the accounts.

    Args:
        organic: changed.
        policy: the dials.
        policies: the arm's.
        tallies: only read.
        creator: of each item [I], −1: none.
        at: the tick's end, ms.
    """
    new = tallies.items - organic.read
    organic.read[:] = tallies.items
    some = creator >= 0
    np.add.at(organic.inclusion.exposure, creator[some], new[some, BELIEVED])
    held = organic.newcomers
    count = len(creator)
    held.given[:count] = np.rint(tallies.items[:, BELIEVED] * MILLION)
    owed = policy.newcomer_looks * MILLION
    begun = held.born[:count] != newcomers.REFUSED
    if owed:
        met = begun & (held.met[:count] == 0) & (held.given[:count] >= owed)
        held.met[:count][met] = at
    organic.many[begun & (organic.many == 0) & (tallies.items[:, LOOKED] >= MANY)] = at
    earned = policy.earned
    if earned.per_click or earned.per_order:
        _earn(organic.credits, policy, policies, new)


def _earn(held: Credits, policy: Policy, policies: Policies, new: Floats) -> None:
    earned = policy.earned
    may = np.ones(len(new), bool) if policies.earners is None else policies.earners
    for item in np.flatnonzero(new[:, MOVED] > 0.0).tolist():
        credit.use(held, item, round(float(new[item, MOVED]) * MILLION))
    looks = earned.per_click * new[:, EARNING] + earned.per_order * new[:, CREDITED_ORDERS]
    for item in np.flatnonzero(may & (looks > 0.0)).tolist():
        credit.earn(held, item, float(looks[item]))
    for item in np.flatnonzero(may & (new[:, SENT_BACK] > 0.0)).tolist():
        credit.revoke(held, item, earned.per_order * float(new[item, SENT_BACK]))


def price(
    organic: Organic,
    policy: Policy,
    policies: Policies,
    machine: Machine,
    shelf: Shelf,
    tallies: Tallies,
    traffic: Traffic,
    at: int,
    passed: int,
) -> None:
    """Solve every named price again at a tick's end: write them to the tallies, and add them to the items' rows.

    Args:
        organic: changed.
        policy: the dials.
        policies: the arm's.
        machine: its rows are changed; what is not known of items stands in their organic price already.
        shelf: only read.
        tallies: prices and match are changed.
        traffic: only read.
        at: ms.
        passed: since the last time, ms.
    """
    creator, score = machine.items.creator, float(tallies.score[0])
    there = (machine.rows.view(np.int32)[:, FLAGS] & SHOWN) != 0
    named = np.zeros((4, len(creator)))
    named[0] = include(organic.inclusion, policy, policies, creator, there, passed)
    named[1] = _welcome(organic.newcomers, policy, policies, there, traffic, at)
    credit.decay(organic.credits, passed, policy.earned.half_life_hours)
    balance = organic.credits.balance[: len(creator)]
    named[2] = credit.credit_prices(balance, policy.earned.cap) * there
    named[3] = organic.pooled.price * there
    if policy.earned.least_match:
        rates = credit.trade_rates(machine.items.counts, shelf.category, len(tallies.match))
        tallies.match[:] = policy.earned.least_match * rates
    named *= score
    tallies.prices[NAMED] = named.sum(axis=0)
    tallies.prices[LIFTED] = np.maximum(named, 0.0).sum(axis=0)
    tallies.prices[CREDIT] = named[2] + named[3]
    if named.any():
        machine.rows[:, ORGANIC_PRICE] += tallies.prices[NAMED].astype(np.float32)


def include(
    held: Inclusion,
    policy: Policy,
    policies: Policies,
    creator: NDArray[np.int32],
    there: Flags,
    passed: int,
) -> Floats:
    """Return each item's price of its creator, in mean scores [I]; what Gini is realised is noted without a dial, too.

    Args:
        held: what was seen of each creator, changed: faded, and the weight moved.
        policy: with the dial.
        policies: by which form it is held.
        creator: of each item [I], −1: none.
        there: which items can be shown [I].
        passed: since the last time, ms.
    """
    held.exposure = inclusion.faded(held.exposure, passed)
    makers = np.unique(creator[there & (creator >= 0)])
    exposure = held.exposure[makers]
    held.realised, held.creators = inclusion.gini(exposure), len(makers)
    if policy.gini is None:
        return np.zeros(len(creator))
    held.integral, held.weight = inclusion.steer(held.integral, held.realised, policy.gini, passed)
    form = linear_prices if policies.linear else inclusion.creator_prices
    prices = np.zeros(len(held.exposure) + 1)  # the last is of what has no creator
    prices[makers] = form(exposure, held.weight)
    return np.asarray(prices[np.where(there, creator, -1)])


def linear_prices(exposure: Floats, weight: float) -> Floats:
    """Return a rival's price of each creator, linear in what was seen of it: w·max(1 − x/x̄, −½), in mean scores.

    Args:
        exposure: x [n], looks.
        weight: w.
    """
    mean = float(exposure.mean()) if len(exposure) else 0.0
    if mean <= 0.0:
        return np.zeros(len(exposure))
    return np.asarray(weight * np.maximum(1.0 - exposure / mean, -DEEPEST))


def _welcome(
    held: Newcomers, policy: Policy, policies: Policies, there: Flags, traffic: Traffic, at: int
) -> Floats:
    length = policy.newcomer_hours * HOUR
    if policies.boost is not None:
        return np.float64(policies.boost) * newcomers.open_floors(
            held, there, policy.newcomer_looks, length, at
        )
    return newcomers.priced(held, there, traffic.shape, policy.newcomer_looks, length, at)
