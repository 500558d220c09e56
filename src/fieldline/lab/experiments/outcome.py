"""What an arm came to for each contract, and the figures that judge it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldline.lab.experiments.figures import Cases, Figure, median, ratio, share

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ROUNDING = 1e-9
MANY = 20
"""Orders from which chance is taken to be small."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One arm of one seed, by contract, in the final account; money in yuan."""

    budget: Floats
    goal: Floats
    """Value per yuan of spend, at least; 0: none."""
    spend: Floats
    counted: Floats
    """Value as the contract counts it towards its goal, realised, with what came after the end."""
    expected: Floats
    """True expected incremental value of what was bought."""
    orders: Floats
    """Orders that count towards the goal."""
    hours_to_many: Floats
    """Hours from the start to the 20th order; inf: never."""

    @property
    def bound(self) -> Flags:
        """Contracts with a goal that spent."""
        return (self.goal > 0.0) & (self.spend > 0.0)


def attained(outcome: Outcome, part: float, least_orders: int = 0) -> Cases:
    """Return whether value ≥ part·goal·spend, over contracts with a goal that spent.

    Args:
        outcome: of one seed.
        part: of the goal.
        least_orders: only contracts with at least so many.
    """
    judged = outcome.bound & (outcome.orders >= least_orders)
    reached = outcome.counted >= part * outcome.goal * outcome.spend - ROUNDING
    return Cases.of(reached[judged])


def budget_used(outcome: Outcome, could: Flags) -> Cases:
    """Return the share of budget spent by contracts whose best fixed multiplier would use it within the goal.

    Args:
        outcome: of one seed.
        could: [C], which ones those are.
    """
    return Cases.of((outcome.spend / outcome.budget)[could])


def worth(outcome: Outcome, hindsight: Floats) -> Cases:
    """Return expected incremental value over that of hindsight's multipliers.

    Args:
        outcome: of one seed.
        hindsight: [C], yuan.
    """
    return Cases.of(outcome.expected, hindsight)


@dataclass(frozen=True, slots=True)
class Seen:
    """One arm of one seed beside what hindsight knows of that seed."""

    outcome: Outcome
    could: Flags
    hindsight: Floats


def attained_figure(seeds: Sequence[Seen], part: float, least_orders: int = 0) -> Figure:
    """Return the share of goal-bound contracts that attained a part of their goal."""
    return share([attained(seen.outcome, part, least_orders) for seen in seeds])


def used_figure(seeds: Sequence[Seen]) -> Figure:
    """Return the mean share of budget used by contracts that could use it."""
    return share([budget_used(seen.outcome, seen.could) for seen in seeds])


def worth_figure(seeds: Sequence[Seen]) -> Figure:
    """Return total expected incremental value over hindsight's."""
    return ratio([worth(seen.outcome, seen.hindsight) for seen in seeds])


def ramp_figure(arms: Sequence[tuple[Outcome, Outcome]], horizon_hours: float) -> tuple[Figure, Figure]:
    """Return median hours to the 20th order under two controllers, over contracts that had it under either.

    A contract that never had it counts with the whole horizon, so a slow controller is flattered, not blamed.

    Args:
        arms: both outcomes of each seed.
        horizon_hours: of the contracts.
    """
    first, second = [], []
    for one, other in arms:
        either = np.isfinite(one.hours_to_many) | np.isfinite(other.hours_to_many)
        first.append(np.minimum(one.hours_to_many, horizon_hours)[either])
        second.append(np.minimum(other.hours_to_many, horizon_hours)[either])
    return median(first), median(second)
