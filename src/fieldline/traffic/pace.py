"""Pacing: the prices of every contract, solved again each tick from what it spent, reached and could reach.

Each bidding contract faces a landscape: V(α) and C(α), the value and the cost per request that a multiplier α
would win, from steps logged on a sampled share of requests whether it won or not. With N requests to come,
gain g (how spend compares with what was predicted), S spent, G value in hand and O organic value to come:

    α_B = the largest α with g·N·C(α) ≤ B − S
    α_R = the largest α with G + O + g·N·V(α) ≥ τ·(S + g·N·C(α))
    α   = min(α_B, α_R), approached by half of the log step, at most −0.35 or +0.25 a tick

A granted floor (or ceiling) has an organic price by PI control on what was planned less what was delivered, in
units of the mean score of what is shown. Source: docs/algorithms/pricing.md; field guide to autobidding
(arXiv 2302.08530) for the minimum of the two multipliers.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.compiled import njit
from fieldline.contracts import Contract
from fieldline.contracts.book import Book
from fieldline.traffic.forecast import Traffic, planned_share, still_to_come
from fieldline.units import YUAN

STEP = np.dtype([("contract", "i4"), ("log_alpha", "f4"), ("value", "f4"), ("charge", "f4")])
"""One step of a contract's supply: at this multiplier it gains this value at this cost, in yuan."""

BINS = 240
LOW, HIGH = np.log(1e-3), np.log(1e3)
WIDTH = (HIGH - LOW) / BINS
EDGES = np.exp(LOW + WIDTH * np.arange(BINS + 1))
"""α at which each bin begins; the last is the highest that is ever bid."""

FORGET = 0.982
GAIN_FORGET = 0.97
GAIN_PRIOR = 0.01
STEP_DOWN, STEP_UP = 0.35, 0.25
PROPORTIONAL, INTEGRAL, HIGHEST = 2.5, 0.12, 3.5
MOST_OVER_GOAL = 10.0
"""A contract with a goal never bids more than so many times v/τ: its organic value pays for no more."""
SURE = 100.0
"""Sampled requests at which a landscape is trusted by half: until then a multiplier rises slower."""
SERVED = 1_000.0
"""Requests at which the rate of organic value is trusted by half: it is spent before it has come."""
SCORE_FORGET = 0.999
UNBOUNDED = 1e18
"""Room, in yuan, of a limit that is not set."""


def _per_contract() -> NDArray[np.float64]:
    return np.zeros(16, np.float64)


def _landscape() -> NDArray[np.float64]:
    return np.zeros((16, BINS), np.float64)


@dataclass(slots=True)
class Prices:
    """The prices of all contracts and what they are solved from, by contract number."""

    alpha: NDArray[np.float64] = field(default_factory=_per_contract)
    """Multiplier of value; 0 where the contract does not bid."""
    mu: NDArray[np.float64] = field(default_factory=_per_contract)
    """Organic price, yuan per look."""
    integral: NDArray[np.float64] = field(default_factory=_per_contract)
    supply_value: NDArray[np.float64] = field(default_factory=_landscape)
    """Value gained in each bin of log α, decayed."""
    supply_cost: NDArray[np.float64] = field(default_factory=_landscape)
    sampled: NDArray[np.float64] = field(default_factory=_per_contract)
    """Sampled requests behind the landscape, decayed alike."""
    organic: NDArray[np.float64] = field(default_factory=_per_contract)
    """Predicted organic value, decayed."""
    served: NDArray[np.float64] = field(default_factory=_per_contract)
    """Requests behind it, decayed alike."""
    last_spend: NDArray[np.float64] = field(default_factory=_per_contract)
    spend: NDArray[np.float64] = field(default_factory=_per_contract)
    """Spend, decayed, yuan."""
    predicted: NDArray[np.float64] = field(default_factory=_per_contract)
    """Spend that the landscape predicted, decayed alike, yuan."""
    score: float = 0.0
    """Mean score of what is shown, yuan per look, decayed by request."""
    samples: int = 0
    """Sampled requests since the last tick."""
    requests: int = 0
    """Requests since the last tick."""


COLUMNS = ("alpha", "mu", "integral", "supply_value", "supply_cost", "sampled", "organic", "served",
           "last_spend", "spend", "predicted")  # fmt: skip


def init(prices: Prices, number: int, contract: Contract) -> None:
    """Give a new contract its first prices; a known one keeps what it learned.

    A bidding contract starts at α = 1/τ (it pays what its goal says a yuan of value is worth), or at 1.
    """
    for name in COLUMNS:
        setattr(prices, name, grown(getattr(prices, name), number + 1))
    if contract.bids and prices.alpha[number] == 0.0:
        prices.alpha[number] = 1.0 / contract.limit.goal if contract.limit.goal else 1.0
        prices.predicted[number] = prices.spend[number] = GAIN_PRIOR * contract.limit.budget / YUAN


@njit
def add_steps(
    supply_value: NDArray[np.float64],
    supply_cost: NDArray[np.float64],
    contracts: NDArray[np.int32],
    log_alphas: NDArray[np.float32],
    values: NDArray[np.float32],
    charges: NDArray[np.float32],
) -> None:
    """Add the steps of one sampled request to the landscapes.

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


def update(prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> None:
    """Solve every contract's price again at a tick.

    Args:
        prices: changed in place.
        book: budgets, spend, value in hand.
        traffic: the forecast, already closed for this tick.
        now: ms.
        tick_ms: ms from tick to tick.
    """
    count = len(book)
    _forget(prices, count)
    active = book.in_force[:count]
    bids = np.array([contract.bids for contract in book.contracts], bool)
    _bid(prices, book, traffic, np.flatnonzero(active & bids), now, tick_ms)
    for number in np.flatnonzero(active & ~bids):
        _grant(prices, book, traffic, int(number), now)
    prices.mu[:count][~active] = 0.0
    prices.samples = prices.requests = 0


def _forget(prices: Prices, count: int) -> None:
    prices.supply_value[:count] *= FORGET
    prices.supply_cost[:count] *= FORGET
    prices.sampled[:count] = prices.sampled[:count] * FORGET + prices.samples
    prices.organic[:count] *= FORGET
    prices.served[:count] = prices.served[:count] * FORGET + prices.requests


def _bid(
    prices: Prices, book: Book, traffic: Traffic, numbers: NDArray[np.int64], now: int, tick_ms: int
) -> None:
    if not len(numbers):
        return
    contracts = [book.contracts[j] for j in numbers]
    ends = np.array([contract.horizon.end for contract in contracts], np.int64)
    goal = np.array([contract.limit.goal for contract in contracts])
    counts_organic = np.array([contract.limit.counts_organic for contract in contracts], bool)
    to_come = still_to_come(traffic, now, ends, tick_ms)  # [J]
    sampled = np.maximum(prices.sampled[numbers], 1e-9)[:, None]
    cost = np.cumsum(prices.supply_cost[numbers], axis=1) / sampled  # [J, BINS], yuan per request
    value = np.cumsum(prices.supply_value[numbers], axis=1) / sampled
    spent = book.spent[numbers] / YUAN
    gain = _gain(prices, numbers, spent, cost)
    ahead = (gain * to_come)[:, None]
    left = (book.budget[numbers] - book.spent[numbers] - book.reserved[numbers]) / YUAN
    organic = np.where(
        counts_organic, prices.organic[numbers] / (prices.served[numbers] + SERVED) * to_come, 0.0
    )
    within = left[:, None] - ahead * cost  # ≥ 0 where the budget lasts
    kept = (book.value[numbers] + organic - goal * spent)[:, None] + ahead * (value - goal[:, None] * cost)
    kept = np.where(goal[:, None] > 0.0, kept, UNBOUNDED)
    most = np.log(np.where(goal > 0.0, MOST_OVER_GOAL / np.maximum(goal, 1e-9), np.exp(HIGH)))
    target = np.minimum(np.minimum(_largest(within), _largest(kept)), np.minimum(most, _seen(cost)))
    known = prices.sampled[numbers] > 0.0
    sure = prices.sampled[numbers] / (prices.sampled[numbers] + SURE)
    step = np.clip(0.5 * (target - np.log(prices.alpha[numbers])), -STEP_DOWN, sure * STEP_UP)
    solved = np.exp(np.clip(np.log(prices.alpha[numbers]) + step, LOW, HIGH))
    prices.alpha[numbers] = np.where(known, solved, prices.alpha[numbers])


def _seen(cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the end of the highest bin in which anything was for sale: bidding more than that buys nothing."""
    above = cost[:, -1:] - cost > 1e-12 * cost[:, -1:]  # [J, BINS], whether something is dearer than this bin
    seen: NDArray[np.float64] = LOW + WIDTH * (above.sum(axis=1) + 1)
    return np.minimum(seen, HIGH)


def _gain(
    prices: Prices, numbers: NDArray[np.int64], spent: NDArray[np.float64], cost: NDArray[np.float64]
) -> NDArray[np.float64]:
    place = np.clip((np.log(prices.alpha[numbers]) - LOW) / WIDTH, 0.0, BINS - 1e-9)
    rows, at = np.arange(len(numbers)), place.astype(np.int64)
    below = np.where(at > 0, cost[rows, at - 1], 0.0)
    expected = (below + (place - at) * (cost[rows, at] - below)) * prices.requests
    prices.spend[numbers] = prices.spend[numbers] * GAIN_FORGET + spent - prices.last_spend[numbers]
    prices.predicted[numbers] = prices.predicted[numbers] * GAIN_FORGET + expected
    prices.last_spend[numbers] = spent
    ratio = prices.spend[numbers] / np.maximum(prices.predicted[numbers], 1e-12)
    return np.clip(ratio, 0.3, 3.0)


def _largest(room: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest log α at which room [J, BINS] is still ≥ 0, linear within the bin that crosses."""
    fits = room >= 0.0
    last = BINS - 1 - np.argmax(fits[:, ::-1], axis=1)
    rows = np.arange(len(room))
    following = np.minimum(last + 1, BINS - 1)
    inside, outside = room[rows, last], room[rows, following]
    falls = np.where(inside > outside, inside - outside, 1.0)
    part = np.where(last < BINS - 1, np.clip(inside / falls, 0.0, 1.0), 0.0)
    found = LOW + WIDTH * (last + 1 + part)
    largest: NDArray[np.float64] = np.where(fits.any(axis=1), np.minimum(found, HIGH), LOW)
    return largest


def _grant(prices: Prices, book: Book, traffic: Traffic, number: int, now: int) -> None:
    contract = book.contracts[number]
    owed = contract.limit.looks or contract.limit.ceiling
    planned = planned_share(traffic, contract.horizon.start, contract.horizon.end, now)
    behind = planned - book.looks[number] / owed
    if contract.limit.looks:
        behind = min(1.05 * planned, 1.0) - book.looks[number] / owed
        low, high = 0.0, HIGHEST
    else:
        low, high = -HIGHEST, 0.0
    prices.integral[number] = np.clip(prices.integral[number] + INTEGRAL * behind, low, high)
    prices.mu[number] = prices.score * np.clip(prices.integral[number] + PROPORTIONAL * behind, low, high)
