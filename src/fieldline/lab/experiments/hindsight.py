"""The best stationary multipliers known in hindsight: what a controller that may not foresee is held against.

Each pass plays a whole run at standing multipliers, then solves every contract again on the supply that the run
faced: V(α) and C(α), all of its sampled steps, scaled to all requests. With S spent, G counted towards the goal
(final account) and E the true expected incremental value of what was bought at the run's α₀:

    spend(α) = S·C(α)/C(α₀), or C(α) where the budget ran out       value(α) = G + (V(α) − V(α₀))·E/V(α₀)
    ln α    += .7·(ln α* − ln α₀), at most ±1,    α* = the largest with spend ≤ 1.02·B and value ≥ τ·spend

Ratios are held in [1/3, 3]. The last pass plays, for each contract, the multiplier of the pass in which it kept its
limits with the most E. The benchmark is the pass with the highest total E: not a proven bound, as multipliers of all
contracts move together, but it knows every price, order and refund of the very run that is judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldline.traffic import solve

Floats = NDArray[np.float64]

DAMPING, FARTHEST, MOST_RATIO = 0.7, 1.0, 3.0
RAN_OUT = 0.98
"""A budget of which so much is spent counts as used."""
AIM = 1.02
"""A pass aims at so much of the budget, as its hard end takes no more than all of it."""
MOST_OVER_GOAL = 10.0
"""As the engine's controller: a contract with a goal bids at most so many times v/τ."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One run at standing multipliers, by contract; money in yuan."""

    alpha: Floats
    budget: Floats
    goal: Floats
    """0: none."""
    spend: Floats
    counted: Floats
    """Value that counts towards the goal, final account."""
    expected: Floats
    """True expected incremental value of what was bought."""
    supply_value: Floats
    """[C, BINS], of the whole run, not yet summed over bins."""
    supply_cost: Floats

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether each one's value reached its goal; its budget is never passed."""
        return self.counted >= self.goal * self.spend

    @property
    def total(self) -> float:
        """True expected incremental value of all contracts."""
        return float(self.expected.sum())


def first(supply_value: Floats, supply_cost: Floats, budget: Floats, goal: Floats, organic: Floats) -> Floats:
    """Return the multipliers to begin with: solved on a controlled run's supply, its predictions trusted.

    Args:
        supply_value: [C, BINS], of the whole run.
        supply_cost: [C, BINS].
        budget: [C], yuan.
        goal: [C]; 0: none.
        organic: [C], value that counts and was not bought.

    Returns:
        [C], α.
    """
    ones = np.ones(len(budget))
    return np.asarray(np.exp(_solved(supply_value, supply_cost, budget, goal, organic, ones, ones)))


def again(run: Pass) -> Floats:
    """Return each contract's multiplier for the next pass."""
    log_alpha = np.log(run.alpha)
    ran_out = run.spend >= RAN_OUT * run.budget
    would_spend = solve.at(run.supply_cost.cumsum(axis=1), log_alpha)
    would_gain = solve.at(run.supply_value.cumsum(axis=1), log_alpha)
    scale = np.where(ran_out, 1.0, _held(run.spend, would_spend))
    worth = _held(run.expected, would_gain)
    target = _solved(
        run.supply_value,
        run.supply_cost,
        run.budget,
        run.goal,
        run.counted - worth * would_gain,
        scale,
        worth,
    )
    step = np.clip(DAMPING * (target - log_alpha), -FARTHEST, FARTHEST)
    return np.asarray(np.exp(log_alpha + step))


def mixed(passes: Sequence[Pass]) -> Floats:
    """Return, for each contract, the multiplier of the pass in which it bought most within its limits.

    A contract that kept its goal in no pass takes the multiplier with which it came nearest.
    """
    kept = np.stack([run.kept for run in passes])  # [P, C]
    near = np.stack([run.counted / np.maximum(run.goal * run.spend, 1e-9) for run in passes])
    worth = np.stack([run.expected for run in passes])
    rank = np.where(kept.any(axis=0), np.where(kept, worth, -np.inf), near)
    alphas = np.stack([run.alpha for run in passes])
    return np.asarray(alphas[rank.argmax(axis=0), np.arange(alphas.shape[1])])


def best(passes: Sequence[Pass]) -> Pass:
    """Return the pass with the highest total value."""
    return max(passes, key=lambda run: run.total)


def used_within_goal(passes: Sequence[Pass]) -> NDArray[np.bool_]:
    """Return which contracts spent at least 98% of their budgets within their goals in some pass."""
    used = np.stack([(run.spend >= RAN_OUT * run.budget) & run.kept for run in passes])  # [P, C]
    return np.asarray(used.any(axis=0), bool)


def _held(part: Floats, whole: Floats) -> Floats:
    ratio = np.where(whole > 0.0, part / np.where(whole > 0.0, whole, 1.0), 1.0)
    return np.asarray(np.clip(ratio, 1.0 / MOST_RATIO, MOST_RATIO))


def _solved(
    supply_value: Floats,
    supply_cost: Floats,
    budget: Floats,
    goal: Floats,
    in_hand: Floats,
    scale: Floats,
    worth: Floats,
) -> Floats:
    cost = supply_cost.cumsum(axis=1) * scale[:, None]
    value = in_hand[:, None] + supply_value.cumsum(axis=1) * worth[:, None]
    has_goal = goal > 0.0
    within = solve.largest(AIM * budget[:, None] - cost)
    kept = solve.largest(np.where(has_goal[:, None], value - goal[:, None] * cost, 1.0))
    most = np.where(has_goal, np.log(MOST_OVER_GOAL / np.where(has_goal, goal, 1.0)), solve.HIGH)
    return np.minimum(np.minimum(within, kept), np.minimum(most, _seen(cost)))


def _seen(cost: Floats) -> Floats:
    """The end of the highest bin with cost: bidding more than that buys nothing."""
    dearer = (
        cost[:, -1:] - cost > 1e-12 * cost[:, -1:]
    )  # [C, BINS], whether something is dearer than this bin
    return np.asarray(np.minimum(solve.LOW + solve.WIDTH * (dearer.sum(axis=1) + 1.0), solve.HIGH))
