"""The largest multiplier that every limit admits, solved on supply curves: arrays in, multipliers out.

A supply curve says, by bins of log α, what value V and what cost C a multiplier would gain in the auctions seen.
Nothing here knows contracts, requests or time: it serves any auction in which a bid is a multiple of a value.
Source: docs/algorithms/pricing.md.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

BINS = 240
LOW, HIGH = float(np.log(1e-3)), float(np.log(1e3))
WIDTH = (HIGH - LOW) / BINS
EDGES = np.exp(LOW + WIDTH * np.arange(BINS + 1))
"""α at which each bin begins; the last is the highest that is ever bid."""


class Room(NamedTuple):
    """What a multiplier must leave room in, for J bidders."""

    left: Floats  # [J] yuan that may still be spent
    left_today: Floats  # [J] yuan that may still be spent today
    in_hand: Floats  # [J] yuan of value in hand less what the goal owes for what is spent
    organic: Floats  # [J] yuan of value still to come without bidding
    goal: Floats  # [J] value per yuan, at least; 0: none
    ahead: Floats  # [J] the auctions to come, in units of those that the curves sum
    ahead_today: Floats  # [J] those of today
    worth: Floats  # [J] how much a yuan of value to come counts
    sure: Floats  # [J] how much of it may be relied on
    size: Floats  # [J] z²·yuan of an event, for the guard; 0: none
    credit: Floats  # [J] yuan of value that may be owed before any came
    soon: Floats  # [J] the auctions until the next look at it, in the same units
    most: Floats  # [J] highest log α


@njit
def add_steps(
    supply_value: NDArray[np.float64],
    supply_cost: NDArray[np.float64],
    contracts: NDArray[np.int32],
    log_alphas: NDArray[np.float32],
    values: NDArray[np.float32],
    charges: NDArray[np.float32],
) -> None:
    """Add the steps of one sampled request to supply curves.

    Args:
        supply_value: [C, BINS], yuan, changed in place.
        supply_cost: [C, BINS], yuan, changed in place.
        contracts: [n].
        log_alphas: [n], ln of the multiplier needed.
        values: [n], yuan gained.
        charges: [n], yuan to pay.
    """
    for i in range(contracts.shape[0]):
        place = (log_alphas[i] - LOW) / WIDTH
        if place < BINS:
            bin_ = max(int(place), 0)
            supply_value[contracts[i], bin_] += values[i]
            supply_cost[contracts[i], bin_] += charges[i]


@njit
def forget(supply_value: Floats, supply_cost: Floats, count: int, kept: float) -> None:
    """Let the first `count` supply curves [C, BINS] keep a share of what they hold."""
    for j in range(count):
        for bin_ in range(BINS):
            supply_value[j, bin_] *= kept
            supply_cost[j, bin_] *= kept


@njit
def cost_at(supply_cost: Floats, numbers: Numbers, log_alpha: Floats) -> Floats:
    """Return what the curves [C, BINS] of some bidders [J] cost up to a log α [J], linear within the bin."""
    found = np.zeros(numbers.size)
    for i in range(numbers.size):
        place = min(max((log_alpha[i] - LOW) / WIDTH, 0.0), BINS - 1e-9)
        whole = int(place)
        for bin_ in range(whole):
            found[i] += supply_cost[numbers[i], bin_]
        found[i] += (place - whole) * supply_cost[numbers[i], whole]
    return found


@njit
def crossing(fits: bool, last: int, inside: float, outside: float) -> float:
    """Return the log α at which room runs out past the last bin that fits, linear within the next."""
    if not fits:
        return LOW
    part = 0.0
    if last < BINS - 1:
        part = min(max(inside / max(inside - outside, 1e-12), 0.0), 1.0)
    return float(min(LOW + WIDTH * (last + 1 + part), HIGH))


@njit
def _affordable(supply_cost: Floats, left: float, soon: float) -> float:
    """Return the largest log α at which soon·C ≤ left."""
    cost = 0.0
    if left <= 0.0:
        return LOW
    for bin_ in range(BINS):
        more = soon * supply_cost[bin_]
        if cost + more > left:
            if bin_ == 0:
                break
            return float(LOW + WIDTH * (bin_ + (left - cost) / more))
        cost += more
    else:
        return HIGH
    return LOW


@njit
def admitted(  # noqa: PLR0912 (three limits in one pass over the bins)
    supply_value: Floats,
    supply_cost: Floats,
    numbers: Numbers,
    left: Floats,
    left_today: Floats,
    in_hand: Floats,
    organic: Floats,
    goal: Floats,
    ahead: Floats,
    ahead_today: Floats,
    worth: Floats,
    sure: Floats,
    size: Floats,
    credit: Floats,
    soon: Floats,
    most: Floats,
) -> Floats:
    """Return the largest log α that each bidder's limits admit.

    min(α_B, α_R, most, end of what was for sale): α_B the largest with ahead·C ≤ left (and today's likewise), α_R
    the largest with in_hand + F − goal·ahead·C ≥ 0, F = worth·(organic + ahead·V), each linear within the bin that
    crosses. With a size, what is spent soon must stay within what could still be made up for, luck or no luck:
    goal·soon·C ≤ in_hand + L, L = max over α of F' − √(size·F') − goal·ahead·C, at least the credit, where
    F' = sure·(organic + ahead·V).

    Args:
        supply_value: [C, BINS], value by bin, yuan.
        supply_cost: [C, BINS].
        numbers: [J], rows of the curves.
        left, left_today, in_hand, organic, goal, ahead, ahead_today, worth, sure, size, credit, soon, most: [J], as in
            `Room`.

    Returns:
        [J] in [LOW, HIGH]; LOW where nothing is admitted.
    """
    found = np.empty(numbers.size)
    for i in range(numbers.size):
        j = numbers[i]
        cost = value = whole = 0.0
        for bin_ in range(BINS):
            whole += supply_cost[j, bin_]
        by_budget = by_day = by_goal = -1
        budget = day = kept = budget_out = day_out = kept_out = 0.0
        dearest = 0
        recovered = credit[i]
        for bin_ in range(BINS):
            cost += supply_cost[j, bin_]
            value += supply_value[j, bin_]
            if whole - cost > 1e-12 * whole:
                dearest = bin_ + 1
            room = left[i] - ahead[i] * cost
            if room >= 0.0:
                by_budget, budget = bin_, room
            elif by_budget == bin_ - 1:
                budget_out = room
            room = left_today[i] - ahead_today[i] * cost
            if room >= 0.0:
                by_day, day = bin_, room
            elif by_day == bin_ - 1:
                day_out = room
            if goal[i] > 0.0:
                come, owed = organic[i] + ahead[i] * value, goal[i] * ahead[i] * cost
                room = in_hand[i] + worth[i] * come - owed
                if size[i] > 0.0:
                    come *= sure[i]
                    recovered = max(recovered, come - math.sqrt(size[i] * come) - owed)
                if room >= 0.0:
                    by_goal, kept = bin_, room
                elif by_goal == bin_ - 1:
                    kept_out = room
        best = min(most[i], LOW + WIDTH * (dearest + 1.0))
        best = min(best, crossing(by_budget >= 0, by_budget, budget, budget_out))
        best = min(best, crossing(by_day >= 0, by_day, day, day_out))
        if goal[i] > 0.0:
            best = min(best, crossing(by_goal >= 0, by_goal, kept, kept_out))
            if size[i] > 0.0:
                best = min(best, _affordable(supply_cost[j], (in_hand[i] + recovered) / goal[i], soon[i]))
        found[i] = max(best, LOW)
    return found


def largest(room: Floats) -> Floats:
    """Return the largest log α at which there is room, linear within the bin that crosses.

    Args:
        room: [C, BINS], what is left at the end of each bin; ≥ 0 where the limit holds.

    Returns:
        [C] in [LOW, HIGH]; LOW where no bin holds.
    """
    fits = room >= 0.0
    last = BINS - 1 - np.argmax(fits[:, ::-1], axis=1)
    rows = np.arange(len(room))
    following = np.minimum(last + 1, BINS - 1)
    inside, outside = room[rows, last], room[rows, following]
    falls = np.maximum(inside - outside, 1e-12)
    part = np.where(last < BINS - 1, np.clip(inside / falls, 0.0, 1.0), 0.0)
    found = LOW + WIDTH * (last + 1 + part)
    return np.where(fits.any(axis=1), np.minimum(found, HIGH), LOW)


def at(curve: Floats, log_alpha: Floats) -> Floats:
    """Return a summed curve [C, BINS] at a log α [C], linear within the bin."""
    place = np.clip((log_alpha - LOW) / WIDTH, 0.0, BINS - 1e-9)
    rows, bin_ = np.arange(len(curve)), place.astype(np.int64)
    below = np.where(bin_ > 0, curve[rows, bin_ - 1], 0.0)
    return np.asarray(below + (place - bin_) * (curve[rows, bin_] - below))
