"""Fixed bids: v/τ for the whole run, what a merchant bids who multiplies a prediction by the ROI that is asked.

A contract without a goal (maximum delivery) bids its value, α = 1; nothing is tuned.
"""

import numpy as np

from fieldline.contracts.book import Book
from fieldline.lab.baselines import bidders, bounded, close
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.pace import Prices


def update(prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> None:
    """Set α = 1/τ, or 1 where there is no goal, whatever was spent or reached.

    Args:
        prices: changed in place.
        book: goals.
        traffic: not used.
        now: ms.
        tick_ms: ms from tick to tick.
    """
    found = bidders(book, traffic, now, tick_ms)
    prices.alpha[found.numbers] = bounded(np.where(found.goal > 0.0, 1.0 / np.maximum(found.goal, 1e-9), 1.0))
    close(prices)
