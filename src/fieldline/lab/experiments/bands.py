"""Bands of tomorrow's spend and sales, made each midnight from landscape and forecast, and held against what came.

The centre is the engine's own forecast; the width is how far it was off on the days before, over all campaigns: from
the tenth to the ninetieth percentile of those errors, each over its own scale.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.contracts.book import Book
from fieldline.contracts.horizon import CHINA
from fieldline.lab.experiments.figures import Cases
from fieldline.lab.season import Course
from fieldline.traffic import pace
from fieldline.traffic.forecast import Traffic, requests_to_come, scene_weights
from fieldline.traffic.pace import SERVED, Prices
from fieldline.traffic.solve import cost_at
from fieldline.units import DAY, YUAN

Floats = NDArray[np.float64]

LOWEST, HIGHEST = 0.1, 0.9


@dataclass(frozen=True, slots=True)
class Tomorrow:
    """What a midnight expects of the day that begins, and the scale of its errors: [2, C], spend and sales, yuan."""

    expected: Floats
    scale: Floats
    live: NDArray[np.bool_]  # [C] that buy, and value sales


@dataclass(slots=True)
class Watch:
    """The engine's controller, with a forecast noted at each midnight."""

    start: int
    days: dict[int, Tomorrow] = field(default_factory=dict)

    def update(self, prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> None:
        """Control, and at midnight forecast."""
        requests = prices.requests
        pace.update(prices, book, traffic, now, tick_ms)
        if (now + CHINA) % DAY == 0 and requests:
            self.days[(now - self.start) // DAY] = tomorrow(prices, book, traffic, now, tick_ms)


def tomorrow(prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> Tomorrow:
    """Return what is expected of the day that begins now.

    Args:
        prices, book, traffic: after the tick's update.
        now: a midnight, ms.
        tick_ms: ms from tick to tick.
    """
    numbers = np.arange(len(book))
    weight = scene_weights(prices.offered[numbers], prices.asked)
    _, today = requests_to_come(traffic, book, numbers, now, tick_ms, weight)
    hand = pace.confident(prices, book, numbers)
    log_alpha = np.log(np.maximum(prices.alpha[numbers], 1e-12))
    per_request = np.maximum(prices.sampled[numbers], 1e-9)
    buys = prices.alpha[numbers] > pace.REST
    cost = cost_at(prices.supply_cost, numbers, log_alpha) / per_request * today * buys
    gained = cost_at(prices.supply_value, numbers, log_alpha) / per_request * today * buys
    organic = prices.organic[numbers] / (prices.served[numbers] + SERVED) * today
    left = (book.budget[numbers] - book.spent[numbers]) / YUAN
    spend = np.minimum(cost, left)
    sales = hand.calibration * (gained * spend / np.maximum(cost, 1e-9) + organic)
    budget = book.budget[numbers] / YUAN
    size = hand.size
    values_sales = np.array([book.contracts[j].meter.gmv > 0.0 for j in numbers])
    scale = np.stack([spend + 0.01 * budget, np.sqrt(size * (sales + size))])
    return Tomorrow(np.stack([spend, sales]), scale, buys & values_sales)


def covered(course: Course, watch: Watch) -> Cases:
    """Return for each campaign-day from the third on, spend and sales, whether its 80% band held what came."""
    found: list[bool] = []
    errors: list[Floats] = []
    for day, told in sorted(watch.days.items()):
        if not 0 < day < len(course.day_spend) - 1:
            continue
        came = np.stack([course.day_spend[day], course.day_gmv[day]]) / YUAN
        live = told.live
        if errors:
            low, high = np.quantile(np.concatenate(errors, axis=1), [LOWEST, HIGHEST], axis=1)[..., None]
            inside = (came >= told.expected + low * told.scale) & (came <= told.expected + high * told.scale)
            found += inside[:, live].ravel().tolist()
        errors.append(((came - told.expected) / told.scale)[:, live])
    return Cases.of(found)
