"""The simulated market: the compiled simulation against a NumPy loop, and one thread against two."""

import time
from statistics import median

import numpy as np

from fieldline.facts import Policy
from fieldline.lab.market import TICK, Result, open_market, simulate
from fieldline.lab.market.kernel import CANDIDATES
from fieldline.lab.market.plain import simulate_plainly
from fieldline.lab.recorded import bidders
from fieldline.lab.world import World
from fieldline.traffic import bidding
from fieldline.units import DAY, HOUR, Instant

EVENING = Instant(20_000 * DAY + 12 * HOUR)
"""20:00 in China on 4 October 2024."""
ROUNDS = 5
TICKS = 2
CONTRACTS = 110
EPISODES, PER_EPISODE = 20, 1_000


def _rate(requests: int, began: float) -> float:
    return requests / (time.process_time() - began)


def _same(a: Result, b: Result) -> bool:
    return np.array_equal(a.totals, b.totals) and np.array_equal(a.spent, b.spent)


def measure() -> dict[str, float]:
    """Return the lab's speed on 20,000 viewers × 2,000 merchants × 20,000 items.

    Returns:
        lab_speedup: requests per CPU-second of the compiled simulation (one thread) over the NumPy loop's,
            the median of interleaved runs on the same requests.
        lab_per_cpu_s: of the compiled simulation on one thread.
        lab_candidates: in the mean.
        threads_identical: 1 if all sums are equal for one thread, two threads and the NumPy loop, else 0.
        auctions_per_cpu_s: single-slot second-price auctions that 110 bidders on their own budgets take part in, by
            bidder, multipliers solved anew 145 times in each 1,000 auctions.
        auctions_with_goals_per_cpu_s: the same with a goal to be kept nine times in ten, besides the budget.
    """
    market = open_market(World.make(7, "bench"), Policy(), contracts=CONTRACTS)
    simulate(market, EVENING, 1, threads=2)
    compiled, plain, candidates = [], [], []
    identical = True
    for round_ in range(ROUNDS):
        start = Instant(EVENING + round_ * TICKS * TICK)
        began = time.process_time()
        one = simulate(market, start, TICKS)
        compiled.append(_rate(one.requests, began))
        began = time.process_time()
        slow = simulate_plainly(market, start, TICKS)
        plain.append(_rate(slow.requests, began))
        two = simulate(market, start, TICKS, threads=2)
        candidates.append(one.totals[CANDIDATES] / one.requests)
        identical &= _same(one, two) and _same(one, slow)
    return {
        "lab_speedup": median(fast / slow for fast, slow in zip(compiled, plain, strict=True)),
        "lab_per_cpu_s": median(compiled),
        "lab_candidates": float(np.mean(candidates)),
        "threads_identical": float(identical),
        "auctions_per_cpu_s": _auctions(0.0),
        "auctions_with_goals_per_cpu_s": _auctions(1.5),
    }


def _auctions(goal: float) -> float:
    rng = np.random.default_rng(1)
    values = rng.lognormal(0.0, 1.0, (EPISODES, PER_EPISODE))
    prices = rng.lognormal(0.0, 0.8, (EPISODES, PER_EPISODE))
    clicks = (rng.random(values.shape) < values / 20.0).astype(np.float64)
    budget = PER_EPISODE / 10.0 * rng.lognormal(0.0, 1.0, CONTRACTS)
    limits = bidding.Limits(
        goal=np.full(CONTRACTS, goal),
        confidence=np.full(CONTRACTS, 0.9),
        conversion=np.full(CONTRACTS, 20.0),
        trust=np.full(CONTRACTS, 50.0),
    )
    past = bidding.update(bidding.init(), values.ravel(), prices.ravel(), bidders.MEMORY)
    seen = np.broadcast_to(clicks, (CONTRACTS, *clicks.shape))
    rates = []
    for _ in range(ROUNDS):
        began = time.process_time()
        bidders.play(bidders.Half(prices, values, values), seen, budget, limits, past)
        rates.append(_rate(CONTRACTS * values.size, began))
    return median(rates)
