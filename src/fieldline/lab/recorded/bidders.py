"""Who bids on recorded auctions: one multiplier per episode, multipliers solved anew, and hindsight.

All face the same second-price auctions: a bid of min(α·score, budget left) wins where it reaches the market's price
and pays that price.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.traffic import bidding

Floats = NDArray[np.float64]

MEMORY, START = 16_000.0, 1_000.0
"""Auctions that the past amounts to, and that it counts for when an episode starts; chosen on first halves alone."""
EVERY, LAST = 10, 50
"""Multipliers are solved anew every 10 auctions, and before each of an episode's last 50."""


@dataclass(frozen=True, slots=True)
class Half:
    """Half of a campaign's episodes as bidders see them."""

    prices: Floats
    """[E, T]."""
    values: Floats
    """[E, T], recalibrated chance × the value of a click, in the unit of prices."""
    scores: Floats
    """[E, T], predicted chance as recorded over its mean."""


@dataclass(frozen=True, slots=True)
class Played:
    """What bidders paid and won, episode by episode."""

    cost: Floats
    """[C, E]."""
    value: Floats
    """[C, E], of what was won, as predicted."""
    clicks: Floats
    """[C, E], that followed."""


@njit
def winners(
    alpha: NDArray[np.float64],
    scores: NDArray[np.float64],
    prices: NDArray[np.float64],
    left: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return 1 where each bidder wins a run of auctions, its multiplier held and its budget falling.

    Args:
        alpha: [C].
        scores: [n].
        prices: [n].
        left: [C], unchanged.

    Returns:
        [C, n].
    """
    won = np.zeros((alpha.shape[0], prices.shape[0]))
    for c in range(alpha.shape[0]):
        rest = left[c]
        for i in range(prices.shape[0]):
            if min(alpha[c] * scores[i], rest) >= prices[i]:
                rest -= prices[i]
                won[c, i] = 1.0
    return won


def play_fixed(alpha: Floats, scores: Floats, half: Half, clicks: Floats, budget: Floats) -> Played:
    """Return what multipliers [C] held through whole episodes pay and win.

    Args:
        alpha: [C].
        scores: [E, T], what the multipliers multiply.
        half: the auctions.
        clicks: [E, T].
        budget: [C], per episode.
    """
    cost, value, followed = (np.empty((len(alpha), len(half.prices))) for _ in range(3))
    for e, prices in enumerate(half.prices):
        won = winners(alpha, scores[e], prices, budget)
        cost[:, e], value[:, e], followed[:, e] = won @ prices, won @ half.values[e], won @ clicks[e]
    return Played(cost=cost, value=value, clicks=followed)


def tune_fixed(scores: Floats, half: Half, budget: float) -> float:
    """Return the multiplier of scores that gains most within a budget per episode, found on two grids."""
    best, width = 0.0, np.log(1e4)
    for _ in range(2):
        grid = np.exp(best + np.linspace(-width, width, 241))
        played = play_fixed(grid, scores, half, np.zeros_like(scores), np.full(len(grid), budget))
        best = float(np.log(grid[np.argmax(played.value.sum(axis=1))]))
        width /= 60.0
    return float(np.exp(best))


def play(half: Half, clicks: Floats, budget: Floats, limits: bidding.Limits, past: bidding.Supply) -> Played:
    """Return what multipliers solved anew on supply curves pay and win; goals run through all episodes.

    Args:
        half: the auctions.
        clicks: [C, E, T], what each bidder sees happen.
        budget: [C], per episode.
        limits: [C] each.
        past: the supply of the auctions before these.
    """
    episodes, per_episode = half.prices.shape
    cost, value, followed = (np.zeros((len(budget), episodes)) for _ in range(3))
    for e in range(episodes):
        supply = bidding.worth(past, START)
        for start, end in _runs(per_episode):
            spent, gained = cost.sum(axis=1), followed.sum(axis=1) * limits.conversion
            standing = bidding.Standing(
                left=budget - cost[:, e],
                auctions=np.full(len(budget), per_episode - start, np.float64),
                spent=spent,
                gained=gained,
                predicted=value.sum(axis=1),
                goal_auctions=np.full(len(budget), (episodes - e) * per_episode - start, np.float64),
            )
            alpha = bidding.multiplier(supply, limits, standing)
            prices, values = half.prices[e, start:end], half.values[e, start:end]
            won = winners(alpha, values, prices, standing.left)
            cost[:, e] += won @ prices
            value[:, e] += won @ values
            followed[:, e] += (won * clicks[:, e, start:end]).sum(axis=1)
            supply = bidding.update(supply, values, prices, np.inf)
        past = bidding.update(past, half.values[e], half.prices[e], MEMORY)
    return Played(cost=cost, value=value, clicks=followed)


def _runs(per_episode: int) -> list[tuple[int, int]]:
    single = max(per_episode - LAST, 0)
    starts = [*range(0, single, EVERY), *range(single, per_episode)]
    return list(zip(starts, [*starts[1:], per_episode], strict=True))


def knapsack(values: Floats, prices: Floats, budget: float) -> float:
    """Return the most value that a budget could have bought: the fractional knapsack, dearest per value last.

    Args:
        values: [n].
        prices: [n].
        budget: in the unit of prices.

    Source: Dantzig 1957; it bounds every bidder from above.
    """
    order = np.argsort(prices / values, kind="stable")
    value, cost = values[order], prices[order]
    before = np.cumsum(cost) - cost
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(cost > 0.0, np.clip((budget - before) / cost, 0.0, 1.0), 1.0)
    return float(part @ value)
