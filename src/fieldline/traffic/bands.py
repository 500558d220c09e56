"""Bands: how far the engine's own midnight forecasts were off, kept to say how far the next one may be.

Each midnight every contract that bids is forecast for the day that begins as if nobody had seen it yet: from the
landscape of the others of its kind and from its size (`prospect`). A day later the error of each figure is

    e = ln((came + s)/(told + s))

with s the least amount that counts (1% of the budget, or of all that is for sale where that is less; one usual
event), so that a day without a sale has an error, too. A band of x ends at (x + s)·e^q − s for q the 10th and the 90th
percentile of the newest errors, pooled over contracts: it holds four times in five where days to come are like days
that were. Until 50 errors are known its width is that of the pool (see `prospect.Pool.spread`). Requests are one figure
a day, so that few errors are known: their spread is begun with three days of 15%, and the percentiles are Student's.

Source: S44; empirical prediction intervals (Williams & Goodman, JASA 1971); docs/algorithms/forecast.md.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.contracts.book import Book
from fieldline.contracts.horizon import day_end
from fieldline.traffic.forecast import Traffic, still_to_come
from fieldline.units import YUAN

Floats = NDArray[np.float64]

SPEND, PRICE, VALUE = range(3)
KEPT = 2_000
"""Newest errors of a figure that are kept."""
ENOUGH = 50
"""Errors from which their percentiles are believed."""
KEPT_DAYS = 60
OUTER = (0.1, 0.9)
"""Chances below which the ends of a band lie."""
NORMAL = 1.2815515655446004
USUAL_SPREAD, USUAL_DAYS = 0.15, 3.0
"""Standard deviation of the log of a day's requests over what was expected of them, and the days that it counts for."""
SEEN = 20
"""Impressions from which a contract's price of a day is held against the forecast."""
LEAST_SHARE, LEAST_PRICE = 0.01, 1e-4
"""s of spend, as a share of what could be spent at most, and of a price, yuan per impression."""


class Band(msgspec.Struct, frozen=True):
    """What is expected, and between what it should lie four times in five."""

    low: float
    expected: float
    high: float


class Told(NamedTuple):
    """What a midnight tells of the day that begins, for the contracts that it judges."""

    numbers: NDArray[np.int64]  # [J]
    figures: Floats  # [3, J] spend, yuan; price, yuan per impression; value, yuan
    least: Floats  # [3, J] s


def _numbers() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


def _figures() -> Floats:
    return np.zeros((3, 0))


def _errors() -> Floats:
    return np.zeros(0)


@dataclass(slots=True)
class Bands:
    """What was told of the day that runs, and how far earlier days were off."""

    until: int = 0
    """End of the day that was told of, ms; 0: none was."""
    requests: float = 0.0
    """Told of that day."""
    numbers: NDArray[np.int64] = field(default_factory=_numbers)
    """[J], as all that follows."""
    figures: Floats = field(default_factory=_figures)
    least: Floats = field(default_factory=_figures)
    before: Floats = field(default_factory=_figures)
    """Spend, impressions and value in hand when the day began."""
    of_requests: Floats = field(default_factory=_errors)
    """[days], newest last."""
    of_spend: Floats = field(default_factory=_errors)
    of_price: Floats = field(default_factory=_errors)
    of_value: Floats = field(default_factory=_errors)


def errors_of(told: Floats, came: Floats, least: Floats) -> Floats:
    """Return e = ln((came + s)/(told + s)), each amount taken to be 0 at least."""
    return np.log((np.maximum(came, 0.0) + least) / (np.maximum(told, 0.0) + least))


def band(expected: float, errors: Floats, least: float, spread: float, most: float = np.inf) -> Band:
    """Return the band of a figure (the formula stands at the top of this module).

    Args:
        expected: x.
        errors: of the same figure on earlier days, any order.
        least: s.
        spread: standard deviation that the band is of while fewer than 50 errors are known.
        most: what it can be at the highest.
    """
    if len(errors) >= ENOUGH:
        low, high = np.quantile(errors, OUTER).tolist()
    else:
        low, high = -NORMAL * spread, NORMAL * spread
    return _around(expected, low, high, least, most)


def requests_band(expected: float, errors: Floats) -> Band:
    """Return the band of requests to come, for which a day gives one error."""
    known = len(errors) + USUAL_DAYS
    spread = float(np.sqrt((float((errors**2).sum()) + USUAL_DAYS * USUAL_SPREAD**2) / known))
    half = _student(known) * spread
    return _around(expected, -half, half, 0.0, np.inf)


def turn(bands: Bands, book: Book, traffic: Traffic, told: Told, now: int, tick_ms: int) -> None:
    """At a midnight: learn how far the day that ends was off, and keep what is told of the one that begins.

    A day that did not run from midnight to midnight teaches nothing.

    Args:
        bands: changed in place.
        book: what was spent, shown and brought by now.
        traffic: closed for the tick; its count of the day begins anew.
        told: of the day that begins.
        now: ms.
        tick_ms: ticks' length.
    """
    if bands.until and 0 <= now - bands.until < tick_ms:
        _learn(bands, book, traffic.of_day)
    traffic.of_day = 0
    end = day_end(now)
    whole = end - now > 24 * 3_600_000 - tick_ms
    bands.until = end if whole else 0
    bands.requests = float(still_to_come(traffic, now, np.array([end]), tick_ms)[0])
    bands.numbers, bands.figures, bands.least = told
    bands.before = _so_far(book, told.numbers)


def _learn(bands: Bands, book: Book, requests: int) -> None:
    if bands.requests > 0.0 and requests > 0:
        error = np.log([requests / bands.requests])
        bands.of_requests = np.concatenate([bands.of_requests, error])[-KEPT_DAYS:]
    spend, shown, value = _so_far(book, bands.numbers) - bands.before
    priced = shown >= SEEN
    came = np.stack([spend, spend / np.maximum(shown, 1.0), value])
    errors = errors_of(bands.figures, came, bands.least)
    bands.of_spend = np.concatenate([bands.of_spend, errors[SPEND]])[-KEPT:]
    bands.of_price = np.concatenate([bands.of_price, errors[PRICE, priced & (bands.figures[PRICE] > 0.0)]])[
        -KEPT:
    ]
    bands.of_value = np.concatenate([bands.of_value, errors[VALUE]])[-KEPT:]


def _so_far(book: Book, numbers: NDArray[np.int64]) -> Floats:
    return np.stack(
        [book.spent[numbers] / YUAN, book.impressions[numbers].astype(np.float64), book.value[numbers]]
    )


def _around(expected: float, low: float, high: float, least: float, most: float) -> Band:
    ends = [(expected + least) * float(np.exp(q)) - least for q in (low, high)]
    return Band(
        min(max(ends[0], 0.0), expected), min(expected, most), max(min(ends[1], most), min(expected, most))
    )


def _student(freedom: float) -> float:
    """Student's quantile of .9 (Cornish and Fisher's expansion; 1.6377 at 3 degrees of freedom comes out 1.6368)."""
    z = NORMAL
    first = (z**3 + z) / 4.0
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96.0
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384.0
    return z + first / freedom + second / freedom**2 + third / freedom**3
