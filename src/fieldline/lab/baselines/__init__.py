"""Controllers that the engine's own is measured against, in its shape: once a tick, prices in, prices out.

`fixed.update` has no state; `dual_descent.DualDescent().update` and `pid.Pid().update` keep theirs, so each run
needs a fresh one. All of them set only the multipliers of bidding contracts in force.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldline.contracts.book import Book
from fieldline.traffic.forecast import Traffic, requests_to_come
from fieldline.traffic.pace import Prices
from fieldline.traffic.solve import HIGH, LOW
from fieldline.units import YUAN

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bidders:
    """Bidding contracts in force at a tick, by column; money in yuan."""

    numbers: NDArray[np.int64]
    goal: Floats
    budget: Floats
    spent: Floats
    value: Floats
    to_come: Floats
    """Requests expected until each one's end."""
    ticks: Floats
    """Ticks of its horizon."""

    def __len__(self) -> int:
        return len(self.numbers)


def bidders(book: Book, traffic: Traffic, now: int, tick_ms: int) -> Bidders:
    """Return the contracts that a controller has to price at a tick.

    Args:
        book: contracts, spend, value in hand.
        traffic: the forecast, already closed for this tick.
        now: ms.
        tick_ms: ms from tick to tick.
    """
    count = len(book)
    numbers = np.flatnonzero(book.in_force[:count] & book.bids[:count])
    starts = np.array([book.contracts[j].horizon.start for j in numbers], np.int64)
    return Bidders(
        numbers=numbers,
        goal=book.goal[numbers],
        budget=book.budget[numbers] / YUAN,
        spent=(book.spent[numbers] + book.reserved[numbers]) / YUAN,
        value=book.value[numbers],
        to_come=requests_to_come(traffic, book, numbers, now, tick_ms)[0] if len(numbers) else np.zeros(0),
        ticks=(book.end[numbers] - starts) / tick_ms,
    )


def due(bidders: Bidders, requests: int, before: Floats) -> Floats:
    """Return what a tick's requests should have spent: what was left, in proportion to the traffic left.

    due = (B − S before)·n / (n + N), n the tick's requests, N those to come.

    Args:
        bidders: at the end of the tick.
        requests: n.
        before: [J], spend at its beginning, yuan.

    Returns:
        [J], yuan; 0 where no traffic came.
    """
    left = np.maximum(bidders.budget - before, 0.0)
    return np.asarray(left * requests / np.maximum(requests + bidders.to_come, 1.0))


def bounded(alpha: Floats) -> Floats:
    """Return multipliers within the range that is ever bid."""
    return np.clip(alpha, np.exp(LOW), np.exp(HIGH))


def close(prices: Prices) -> None:
    """End the tick's counts, as the engine's controller does."""
    prices.samples = prices.requests = 0
