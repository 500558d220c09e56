"""Pacing: the prices of every contract, solved again each tick from what it spent, reached and could reach.

Each bidding contract faces a landscape: V(α) and C(α), the value and the cost per request that a multiplier α
would win, from steps logged on a sampled share of requests whether it won or not. With N requests to come,
gain g (how spend compares with what was predicted), S spent, G value in hand and O organic value to come:

    α_B = the largest α with g·N·C(α) ≤ B − S, for the horizon and for the day
    α_R = the largest α with G + κ·F ≥ τ·(S + g·N·C(α)),   F = O + g·N·V(α)
    α_S = the largest α with τ·g·n·C(α) ≤ G − τ·S + L, n requests until half a day from now, L what could still be
          made up for: max over α of κ'·F − z·√(x·κ'·F) − τ·g·N·C(α), κ' being what κ is at least
    α   = min(α_B, α_R, α_S), approached by half of the log step, at most −0.35 or +0.25 a tick

τ stands for 1.01 × the goal. There are three ways to count what is in hand. `observed`: what was observed, κ = 1 and
no α_S, for what is still to mature is guard enough. `confident`: what was observed, κ learned from all that its items
sell, and α_S, so that a goal is never put at a risk that could not be made up for nine times in ten. `corrected`: as
`confident`, and what young impressions should still bring is in hand, too. A granted floor (or ceiling) has an organic
price by PI control on what was planned less what was delivered, in units of the mean score of what is shown.
Source: docs/algorithms/pricing.md; field guide to autobidding (arXiv 2302.08530) for the minimum of multipliers.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.contracts import Contract
from fieldline.contracts.book import Book
from fieldline.traffic.forecast import SCENES, Traffic, planned_share, requests_to_come, scene_weights
from fieldline.traffic.solve import BINS, EDGES, HIGH, LOW, Room, admitted, cost_at, forget
from fieldline.units import HOUR, MINUTE, YUAN

STEP = np.dtype([("contract", "i4"), ("log_alpha", "f4"), ("value", "f4"), ("charge", "f4")])
"""One step of a contract's supply: at this multiplier it gains this value at this cost, in yuan."""

FORGET = 0.982
GAIN_FORGET = 0.97
GAIN_PRIOR = 0.01
STEP_DOWN, STEP_UP = 0.35, 0.25
REST = float(EDGES[0]) * (1.0 + 1e-9)
"""The lowest multiplier: a contract at it buys nothing, but goes on logging its landscape."""
FROM_REST = 1.0
"""A multiplier that rises begins at most so far below its target, in ln α: from rest it need not climb all the way."""
PROPORTIONAL, INTEGRAL, HIGHEST = 2.5, 0.12, 3.5
MOST_OVER_GOAL = 10.0
"""A contract with a goal never bids more than so many times v/τ: its organic value pays for no more."""
SURE = 100.0
"""Sampled requests at which a landscape is trusted by half: until then a multiplier rises slower."""
SERVED = 1_000.0
"""Requests at which the rate of organic value is trusted by half: it is spent before it has come."""
SCORE_FORGET = 0.999
LOOK_AHEAD = 144.0
"""Ticks' worth of spend that must be within what could still be made up for."""
FIRST_LOOK = 576.0
"""The same before its own first event came: what it can buy cheapest teaches it most for its money."""
LEARNING = 1.0
"""Events' worth of value that a contract may owe before any came, where none comes without its spending."""
FIRST_EVENT = 2.3026
"""ln 10: with so many events expected of what one event's worth of debt buys, one comes nine times in ten."""
TRIM = 0.01
"""What is aimed at lies so far above the goal: what is spent last can no longer be made up for."""
SURENESS = 1.2816
"""Standard deviations of a guard: it holds nine times in ten."""
SPREAD = 1.5
"""Mean square of an event over the square of its mean, before any was seen."""
QUICK, SLOW = 4 * MINUTE, 3.3 * HOUR
"""Mean delays of the orders that follow their click at once and of the others."""

Floats = NDArray[np.float64]


def _per_contract() -> Floats:
    return np.zeros(16, np.float64)


def _landscape() -> Floats:
    return np.zeros((16, BINS), np.float64)


def _young() -> Floats:
    return np.zeros((16, 2), np.float64)


@dataclass(slots=True)
class Prices:
    """The prices of all contracts and what they are solved from, by contract number."""

    alpha: Floats = field(default_factory=_per_contract)
    """Multiplier of value; 0 where the contract does not bid."""
    mu: Floats = field(default_factory=_per_contract)
    """Organic price, yuan per look."""
    integral: Floats = field(default_factory=_per_contract)
    supply_value: Floats = field(default_factory=_landscape)
    """Value gained in each bin of log α, decayed."""
    supply_cost: Floats = field(default_factory=_landscape)
    sampled: Floats = field(default_factory=_per_contract)
    """Sampled requests behind the landscape, decayed alike."""
    organic: Floats = field(default_factory=_per_contract)
    """Predicted organic value, decayed."""
    served: Floats = field(default_factory=_per_contract)
    """Requests behind it, decayed alike."""
    last_spend: Floats = field(default_factory=_per_contract)
    spend: Floats = field(default_factory=_per_contract)
    """Spend, decayed, yuan."""
    predicted: Floats = field(default_factory=_per_contract)
    """Spend that the landscape predicted, decayed alike, yuan."""
    young: Floats = field(default_factory=_young)
    """Predicted value of impressions that may still bring it, by the quick and the slow part of the delay, yuan."""
    foretold: Floats = field(default_factory=_per_contract)
    """Predicted value of all impressions so far that count, yuan."""
    offered: Floats = field(default_factory=lambda: np.zeros((16, SCENES)))
    """Value offered in sampled requests, by scene, decayed, yuan."""
    asked: Floats = field(default_factory=lambda: np.zeros(SCENES))
    """Those requests, by scene, decayed alike."""
    clamped: Floats = field(default_factory=_per_contract)
    """Ticks in a row at which the multiplier stood at its highest or lowest."""
    score: float = 0.0
    """Mean score of what is shown, yuan per look, decayed by request."""
    samples: int = 0
    """Sampled requests since the last tick."""
    requests: int = 0
    """Requests since the last tick."""


COLUMNS = ("alpha", "mu", "integral", "supply_value", "supply_cost", "sampled", "organic", "served",
           "last_spend", "spend", "predicted", "young", "foretold", "offered", "clamped")  # fmt: skip


class Controller(Protocol):
    """What solves the prices of all contracts again at a tick; the laboratory's baselines have the same form."""

    def __call__(self, prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> None:
        """Change the prices in place; the traffic's tick is closed already."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Value in hand of the contracts that bid, and how much a predicted yuan of it counts, all [J]."""

    value: Floats
    """Yuan."""
    calibration: Floats
    """κ."""
    sure: Floats
    """What κ is at least, nine times in ten."""
    size: Floats
    """Yuan of an event, Σx²/Σx, which a guard is for; 0: no guard."""


class InHand(Protocol):
    """A way to count value in hand."""

    def __call__(self, prices: Prices, book: Book, numbers: NDArray[np.int64]) -> Hand:
        """Return what the contracts with these numbers [J] have in hand."""


def observed(prices: Prices, book: Book, numbers: NDArray[np.int64]) -> Hand:  # noqa: ARG001 (the form's)
    """Return what was observed, and nothing else: what is still to mature is the guard."""
    one = np.ones(len(numbers))
    return Hand(book.value[numbers], one, one, np.zeros(len(numbers)))


def corrected(prices: Prices, book: Book, numbers: NDArray[np.int64]) -> Hand:
    """Return what `confident` does and, of what young impressions should still bring, the share that counts."""
    hand = confident(prices, book, numbers)
    counted = np.clip(book.value[numbers] / np.maximum(book.signs[numbers], 1e-9), 0.0, 1.0)
    pending = counted * prices.young[numbers].sum(axis=1)
    return Hand(hand.value + hand.calibration * pending, hand.calibration, hand.sure, hand.size)


def confident(prices: Prices, book: Book, numbers: NDArray[np.int64]) -> Hand:
    """Return what was observed, and how far what is predicted may be relied on.

    κ = (signs + κ_pool·x)/(matured + x): what all events of its items were worth, paid for or not, over what was
    predicted of impressions old enough, begun with one usual event x of the pool. With n events κ is at least
    κ·(1 − 1/9n − z/3√n)³ nine times in ten (the gamma quantile of Wilson and Hilferty), nothing before the first.
    An event's size is Σx²/Σx of those that counted, begun with one that is usual.
    """
    signs, count = book.signs[numbers], book.sign_count[numbers]
    matured = np.maximum(prices.foretold[numbers] - prices.young[numbers].sum(axis=1), 0.0)
    squares, usual = book.value_squares[numbers], book.typical[numbers]
    pool = (signs.sum() + usual.mean()) / (matured.sum() + usual.mean())
    calibration = np.clip((signs + pool * usual) / np.maximum(matured + usual, 1e-9), 0.1, 3.0)
    size = (squares + usual**2 * SPREAD) / np.maximum(book.value[numbers] + usual, 1e-9)
    shape = np.maximum(count, 1e-3)
    sure = calibration * (1.0 - 1.0 / (9.0 * shape) - SURENESS / (3.0 * np.sqrt(shape))).clip(0.0) ** 3
    return Hand(book.value[numbers], calibration, sure, size)


IN_HAND: dict[str, InHand] = {"observed": observed, "corrected": corrected, "confident": confident}
"""The ways by the names that the policy gives them."""


def init(prices: Prices, number: int, contract: Contract, rests: bool = True) -> None:
    """Give a new contract its first prices; a known one keeps what it learned.

    Args:
        prices: changed in place.
        number: the contract's.
        contract: the contract.
        rests: whether it starts at the lowest multiplier and logs its landscape, losing, before it spends; else at
            1/τ (it pays what its goal says a yuan of value is worth), or at 1 without a goal.
    """
    for name in COLUMNS:
        setattr(prices, name, grown(getattr(prices, name), number + 1))
    if contract.bids and prices.alpha[number] == 0.0:
        goal = contract.limit.goal
        prices.alpha[number] = REST if rests else 1.0 / goal if goal else 1.0
        prices.predicted[number] = prices.spend[number] = GAIN_PRIOR * contract.limit.budget / YUAN


def mature(prices: Prices, tick_ms: int) -> None:
    """Let what young clicks should still bring grow older by a tick."""
    prices.young *= np.exp(-tick_ms / np.array([QUICK, SLOW]))


def update(
    prices: Prices,
    book: Book,
    traffic: Traffic,
    now: int,
    tick_ms: int,
    in_hand: InHand = confident,
    learning: float = 0.0,
) -> None:
    """Solve every contract's price again at a tick.

    Args:
        prices: changed in place.
        book: budgets, spend, value in hand.
        traffic: the forecast, already closed for this tick.
        now: ms.
        tick_ms: ms from tick to tick.
        in_hand: how value in hand is counted.
        learning: events' worth of value that a contract may owe before any came to its items.
    """
    count = len(book)
    _forget(prices, count)
    active, bids = book.in_force[:count], book.bids[:count]
    _bid(prices, book, traffic, np.flatnonzero(active & bids), now, tick_ms, in_hand, learning)
    for number in np.flatnonzero(active & ~bids):
        _grant(prices, book, traffic, int(number), now)
    prices.mu[:count][~active] = 0.0
    prices.samples = prices.requests = 0


def _forget(prices: Prices, count: int) -> None:
    forget(prices.supply_value, prices.supply_cost, count, FORGET)
    prices.sampled[:count] = prices.sampled[:count] * FORGET + prices.samples
    prices.organic[:count] *= FORGET
    prices.offered[:count] *= FORGET
    prices.asked *= FORGET
    prices.served[:count] = prices.served[:count] * FORGET + prices.requests


def _bid(
    prices: Prices,
    book: Book,
    traffic: Traffic,
    numbers: NDArray[np.int64],
    now: int,
    tick_ms: int,
    in_hand: InHand,
    learning: float,
) -> None:
    if not len(numbers):
        return
    goal = book.goal[numbers] * (1.0 + TRIM)
    weight = scene_weights(prices.offered[numbers], prices.asked)
    to_come, today = requests_to_come(traffic, book, numbers, now, tick_ms, weight)  # [J], [J]
    sampled = np.maximum(prices.sampled[numbers], 1e-9)
    spent = book.spent[numbers] / YUAN
    hand = in_hand(prices, book, numbers)
    organic = prices.organic[numbers] / (prices.served[numbers] + SERVED) * to_come
    most = np.where(goal > 0.0, np.log(MOST_OVER_GOAL / np.maximum(goal, 1e-9)), HIGH)
    gain = _gain(prices, numbers, spent)
    room = Room(
        left=(book.budget[numbers] - book.spent[numbers] - book.reserved[numbers]) / YUAN,
        left_today=book.left_today(numbers) / YUAN,
        in_hand=hand.value - goal * spent,
        organic=np.where(book.counts_organic[numbers], organic, 0.0),
        goal=goal,
        ahead=gain * to_come / sampled,
        ahead_today=gain * today / sampled,
        worth=np.where((hand.size > 0.0) & (spent == 0.0), hand.calibration / FIRST_EVENT, hand.calibration),
        sure=hand.sure,
        size=SURENESS**2 * hand.size,
        credit=_credit(book, numbers, hand.size, learning),
        soon=gain * np.minimum(max(prices.requests, 1) * _patience(book, numbers), to_come) / sampled,
        most=np.clip(most, LOW, HIGH),
    )
    target = admitted(prices.supply_value, prices.supply_cost, numbers, *room)
    known = prices.sampled[numbers] > 0.0
    sure = prices.sampled[numbers] / (prices.sampled[numbers] + SURE)
    before = np.maximum(np.log(np.maximum(prices.alpha[numbers], 1e-12)), target - FROM_REST)
    step = np.clip(0.5 * (target - before), -STEP_DOWN, sure * STEP_UP)
    solved = np.where(target <= LOW, LOW, np.clip(before + step, LOW, HIGH))
    prices.alpha[numbers] = np.where(known, np.exp(solved), prices.alpha[numbers])
    at_end = known & ((solved <= LOW + 1e-9) | (solved >= HIGH - 1e-9))
    prices.clamped[numbers] = np.where(at_end, prices.clamped[numbers] + 1.0, 0.0)


def _credit(book: Book, numbers: NDArray[np.int64], size: Floats, learning: float) -> Floats:
    """What a contract may owe in order to learn: the more its items sell anyway, until its own events come.

    x·n/(n + 1)/(1 + own events), n being all events of its items; nothing where its goal counts those. Before the
    first of all, learning·x.
    """
    count, own = book.sign_count[numbers], book.valued[numbers]
    owed = LEARNING * size * count / (count + 1.0) / (1.0 + own)
    return np.where(count == 0.0, learning * size, np.where(book.counts_organic[numbers], 0.0, owed))


def _patience(book: Book, numbers: NDArray[np.int64]) -> Floats:
    """Ticks over which a contract spreads what it may still owe: longer, and so cheaper, before its first event."""
    return np.where(book.valued[numbers] > 0.0, LOOK_AHEAD, FIRST_LOOK)


def _gain(prices: Prices, numbers: NDArray[np.int64], spent: Floats) -> Floats:
    log_alpha = np.log(np.maximum(prices.alpha[numbers], 1e-12))
    sampled = np.maximum(prices.sampled[numbers], 1e-9)
    expected = cost_at(prices.supply_cost, numbers, log_alpha) / sampled * prices.requests
    prices.spend[numbers] = prices.spend[numbers] * GAIN_FORGET + spent - prices.last_spend[numbers]
    prices.predicted[numbers] = prices.predicted[numbers] * GAIN_FORGET + expected
    prices.last_spend[numbers] = spent
    ratio = prices.spend[numbers] / np.maximum(prices.predicted[numbers], 1e-12)
    return np.clip(ratio, 0.3, 3.0)


def _grant(prices: Prices, book: Book, traffic: Traffic, number: int, now: int) -> None:
    contract = book.contracts[number]
    owed = (contract.limit.looks or contract.limit.ceiling) / book.engines.item(number)
    if not owed:  # a pool that matches spend is paced by what it granted
        return
    planned = planned_share(traffic, contract.horizon.start, contract.horizon.end, now)
    behind = planned - book.looks[number] / owed
    learned = behind
    if contract.limit.looks:
        behind = min(1.05 * planned, 1.0) - book.looks[number] / owed
        learned = max(behind, 0.0)  # what a floor once needed is not unlearned while it is ahead
        low, high = 0.0, HIGHEST
    else:
        low, high = -HIGHEST, 0.0
    integral = min(max(prices.integral.item(number) + INTEGRAL * learned, low), high)
    prices.integral[number] = integral
    prices.mu[number] = prices.score * min(max(integral + PROPORTIONAL * behind, low), high)
