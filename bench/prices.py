"""One price update of many contracts: forecast, guard, landscapes and multipliers of all of them, CPU time."""

import time
from statistics import median

import numpy as np

from fieldline.contracts import Contract, Horizon, Limit, Meter, Reach
from fieldline.contracts.book import Book, enforce, put
from fieldline.traffic import pace
from fieldline.traffic.forecast import SCENES, Traffic
from fieldline.units import DAY, HOUR, MINUTE, YUAN

CONTRACTS = 10_000
ROUNDS = 9
NOW = 19_100 * DAY
WORKDAYS = ("0" * 8 + "1" * 10 + "0" * 6) * 5 + "0" * 48
"""Open from Monday to Friday, 8 to 18."""


def measure() -> dict[str, float]:
    """Return what a price update costs.

    Returns:
        price_update_ms_10k: median CPU milliseconds of one `pace.update` of 10,000 contracts in force, of mixed
            goals and budgets, over 1 to 14 days, one in twenty with a schedule, one in twenty a granted floor.
        price_update_corrected_ms_10k: the same where young value counts as well.
    """
    prices, book, traffic = market(CONTRACTS)
    return {
        "price_update_ms_10k": _cost(prices, book, traffic, pace.observed),
        "price_update_corrected_ms_10k": _cost(prices, book, traffic, pace.corrected),
    }


def market(count: int) -> tuple[pace.Prices, Book, Traffic]:
    """Return contracts in mid-flight: spent in part, landscapes of 40 bins, five scenes, traffic by hour."""
    rng = np.random.default_rng(1)
    prices, book = pace.Prices(), Book()
    for number in range(count):
        wanted = contract(number, rng)
        put(book, wanted.id, 1, [wanted])
        pace.init(prices, number, wanted)
    enforce(book, NOW)
    assert book.in_force[:count].mean() > 0.9
    first = rng.integers(60, 140, count)
    for number in range(count):
        bins = slice(first[number], first[number] + 40)
        prices.supply_value[number, bins] = rng.exponential(1.0, 40)
        prices.supply_cost[number, bins] = np.sort(rng.exponential(0.3, 40))
    prices.sampled[:count] = rng.uniform(50.0, 5_000.0, count)
    prices.served[:count] = 8.0 * prices.sampled[:count]
    prices.organic[:count] = rng.exponential(20.0, count)
    prices.offered[:count, :5] = rng.exponential(10.0, (count, 5))
    prices.asked[:5] = 1_000.0
    book.spent[:count] = (rng.uniform(0.0, 0.6, count) * book.budget[:count]).astype(np.int64)
    book.value[:count] = book.spent[:count] / YUAN * rng.uniform(1.0, 4.0, count)
    mix = np.zeros((24, SCENES))
    mix[:, :5] = rng.uniform(100.0, 1_000.0, (24, 5))
    return prices, book, Traffic(slow=9_000.0, fast=9_500.0, ticks=5_000, mix=mix)


def contract(number: int, rng: np.random.Generator) -> Contract:
    """Return one contract of a market of mixed goals."""
    limit = Limit(
        budget=int(rng.integers(100, 10_000)) * YUAN,
        daily=50 * YUAN if number % 3 == 0 else 0,
        goal=float(rng.uniform(1.0, 6.0)) if number % 5 else 0.0,
        counts_organic=number % 2 == 0,
    )
    if number % 20 == 1:
        limit = Limit(looks=1_000.0)
    hours = WORKDAYS if number % 20 == 2 else ""
    horizon = Horizon(NOW - DAY, NOW + int(rng.integers(1, 14 * 24)) * HOUR, hours)
    return Contract(
        f"c{number}", f"c{number}", "made", "m", (Reach(merchant="m"),), Meter(gmv=1.0), limit, horizon, "m"
    )


def _cost(prices: pace.Prices, book: Book, traffic: Traffic, in_hand: pace.InHand) -> float:
    tick, taken = 5 * MINUTE, []
    for _ in range(ROUNDS):
        prices.samples, prices.requests = 1_000, 9_000
        begun = time.process_time()
        pace.update(prices, book, traffic, NOW + tick, tick, in_hand)
        taken.append(1e3 * (time.process_time() - begun))
    return median(taken)


if __name__ == "__main__":
    print(measure())
