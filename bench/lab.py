"""The simulated market: the compiled simulation against a NumPy loop, and one thread against two."""

import time
from statistics import median

import numpy as np

from fieldline.facts import Policy
from fieldline.lab.market import TICK, Result, open_market, simulate
from fieldline.lab.market.kernel import CANDIDATES
from fieldline.lab.market.plain import simulate_plainly
from fieldline.lab.world import World
from fieldline.units import DAY, HOUR, Instant

EVENING = Instant(20_000 * DAY + 12 * HOUR)
"""20:00 in China on 4 October 2024."""
ROUNDS = 5
TICKS = 2
CONTRACTS = 110


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
    }
