"""Bidding in any second-price auction: arrays of values and prices in, multipliers out.

A bid is α·value, wins where it reaches the market's price, and pays that price. All of a campaign's limits meet in
the one number α. Nothing here knows an engine, a request or a clock: `init` and `update` keep what the market showed,
`multiplier` solves α anew from what is left, and `bids` caps it by the budget.
Source: docs/algorithms/bidding.md.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.errors import Refused
from fieldline.traffic import solve

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Supply:
    """What a market has sold, by bins of log α: [1, BINS] where campaigns share a market, else [C, BINS]."""

    value: Floats
    """[C, BINS], value of the auctions that a bid of α·value would just win."""
    cost: Floats
    """[C, BINS], their prices."""
    auctions: Floats
    """[C], how many auctions these stand for, after forgetting."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What campaigns have stated, one entry each."""

    goal: Floats
    """[C], least value per unit of cost; 0 for none."""
    confidence: Floats
    """[C], chance with which the goal is to be reached; 0.5 means in the mean."""
    conversion: Floats
    """[C], value of one conversion."""
    trust: Floats
    """[C], conversions that the predictions were learned from; infinite where they are taken as true."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where campaigns are now, one entry each."""

    left: Floats
    """[C], budget left."""
    auctions: Floats
    """[C], auctions still to come for that budget."""
    spent: Floats
    """[C], cost so far of all that the goal counts."""
    gained: Floats
    """[C], value observed so far: conversions that happened."""
    predicted: Floats
    """[C], value predicted so far for what was won."""
    goal_auctions: Floats
    """[C], auctions still to come for the goal; more than `auctions` where a goal outlives a budget."""


def init(markets: int = 1) -> Supply:
    """Return the supply of markets of which nothing was seen."""
    empty = np.zeros((markets, solve.BINS))
    return Supply(value=empty, cost=empty, auctions=np.zeros(markets))


def update(supply: Supply, values: Floats, prices: Floats, memory: float) -> Supply:
    """Return the supply after further auctions, won or not, the latest counting most.

        weight of an auction that n others followed = (1 − 1/memory)ⁿ

    Args:
        supply: unchanged.
        values: [n] or [C, n], in the unit of prices (conversions × what one is worth, say), so that a sensible α
            lies well between 10⁻³ and 10³.
        prices: as values, the least bid that wins.
        memory: auctions that the evidence amounts to at most; > 1, infinite to forget nothing.
    """
    values, prices = np.atleast_2d(values), np.atleast_2d(prices)
    markets, n = values.shape
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.floor((np.log(prices / values) - solve.LOW) / solve.WIDTH)  # [C, n]
    wanted = (values > 0.0) & (place < solve.BINS)
    bin_ = np.where(wanted, np.clip(place, 0, solve.BINS - 1), 0).astype(np.int64)
    bin_ += solve.BINS * np.arange(markets)[:, None]
    weight = (1.0 - 1.0 / memory) ** np.arange(n - 1, -1, -1)
    fades = (1.0 - 1.0 / memory) ** n

    def added(amounts: Floats) -> Floats:
        weights = np.where(wanted, amounts * weight, 0.0).ravel()
        sums = np.bincount(bin_.ravel(), weights, markets * solve.BINS).astype(np.float64)
        return sums.reshape(markets, solve.BINS)

    return Supply(
        value=supply.value * fades + added(values),
        cost=supply.cost * fades + added(prices),
        auctions=supply.auctions * fades + weight.sum(),
    )


def worth(supply: Supply, auctions: float) -> Supply:
    """Return the same supply with the weight of so many auctions, whatever it was learned from.

    Less weight lets what follows count sooner: a day starts from its past, and soon knows its own level.
    """
    scale = auctions / np.maximum(supply.auctions, 1e-300)  # [C]
    return Supply(
        value=supply.value * scale[:, None],
        cost=supply.cost * scale[:, None],
        auctions=np.where(supply.auctions > 0.0, auctions, 0.0),
    )


def multiplier(supply: Supply, limits: Limits, standing: Standing) -> Floats:
    """Return the largest α that the budget admits and that still reaches the goal at the stated confidence.

        α_B = max{α: n·C(α) ≤ left}
        α_R = max{α: gained + M − z·√(w·M·(1 + M/(predicted + w·trust))) ≥ goal·(spent + N·C(α))}
        M   = κ·N·V(α),   κ = (gained + w·trust)/(predicted + w·trust),   α = min(α_B, α_R)

    with C and V per auction, n and N the auctions to come for budget and goal, w the value of one conversion and z
    the normal quantile of the confidence. Where no α that buys anything reaches the goal, α_R = κ/goal: all that is
    bought then pays for itself, and in the mean nothing comes closer to the goal.

    Args:
        supply: of one market for all campaigns, or of one for each.
        limits: [C] each.
        standing: [C] each.

    Returns:
        [C].

    Raises:
        Refused: a market of which nothing was seen; start from past auctions.

    Source: docs/algorithms/bidding.md; min of two multipliers: Balseiro et al., arXiv 2302.08530.
    """
    if not np.all(supply.auctions > 0.0):
        raise Refused("supply", "nothing of this market was seen yet; update it with past auctions first")
    guard = quantile(limits.confidence)
    solved: Floats = _solved(
        supply.value, supply.cost, supply.auctions, limits.goal, limits.conversion, limits.trust, guard,
        standing.left, standing.auctions, standing.spent, standing.gained, standing.predicted,
        standing.goal_auctions,
    )  # fmt: skip
    return solved


@njit
def _solved(
    supply_value: Floats,
    supply_cost: Floats,
    seen: Floats,
    goal: Floats,
    conversion: Floats,
    trust: Floats,
    guard: Floats,
    left: Floats,
    auctions: Floats,
    spent: Floats,
    gained: Floats,
    predicted: Floats,
    goal_auctions: Floats,
) -> Floats:
    found = np.empty(left.size)
    for c in range(left.size):
        market = c if seen.size > 1 else 0
        learned = trust[c] * conversion[c]
        kappa = 1.0
        if not math.isinf(learned):
            kappa = (gained[c] + learned) / max(predicted[c] + learned, 1e-300)
        doubt = 1.0 / max(predicted[c] + learned, 1e-300)
        ahead, goal_ahead = auctions[c] / seen[market], goal_auctions[c] / seen[market]
        value = cost = 0.0
        by_budget = by_goal = -1
        budget = budget_out = kept = kept_out = 0.0
        reached = False
        for bin_ in range(solve.BINS):
            value += supply_value[market, bin_]
            cost += supply_cost[market, bin_]
            room = left[c] - ahead * cost
            if room >= 0.0:
                by_budget, budget = bin_, room
            elif by_budget == bin_ - 1:
                budget_out = room
            if goal[c] > 0.0:
                come = kappa * goal_ahead * value
                noise = guard[c] * math.sqrt(conversion[c] * come * (1.0 + come * doubt))
                owed = goal[c] * (spent[c] + goal_ahead * cost)
                room = gained[c] + come - noise - owed
                if room >= 0.0:
                    by_goal, kept = bin_, room
                    reached = reached or come > 0.0
                elif by_goal == bin_ - 1:
                    kept_out = room
        found[c] = math.exp(solve.crossing(by_budget >= 0, by_budget, budget, budget_out))
        if goal[c] > 0.0:
            most = kappa / goal[c]
            if reached:
                most = math.exp(solve.crossing(by_goal >= 0, by_goal, kept, kept_out))
            found[c] = min(found[c], most)
    return found


def quantile(confidence: Floats) -> Floats:
    """Return the standard normal's quantile of each confidence in (0, 1)."""
    stated, place = np.unique(confidence, return_inverse=True)
    return np.array([NormalDist().inv_cdf(float(c)) for c in stated])[place]


def bids(alpha: Floats, values: Floats, left: Floats) -> Floats:
    """Return α·value for each campaign and auction, never above the budget left.

    Args:
        alpha: [C].
        values: [n] or [C, n].
        left: [C].

    Returns:
        [C, n]; a price is at most the bid, so that one auction never passes the budget.
    """
    return np.minimum(alpha[:, None] * np.atleast_2d(values), left[:, None])
