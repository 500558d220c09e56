"""The twin's answer: two courses of one day, brought to the day's real level, with bands."""

from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec
import numpy as np

from fieldline.contracts.gamma import gamma_quantile
from fieldline.contracts.tally import SPEND, Tally
from fieldline.lab.twin.course import Course
from fieldline.lab.twin.logged import Asking, Day
from fieldline.traffic.assured import date_of
from fieldline.traffic.shelf import merchant_of, reach_of
from fieldline.traffic.state import State
from fieldline.units import YUAN

BAND = (0.1, 0.9)
"""Chances below which the ends of an 80% band lie."""
WIDE = 1.2816
"""Standard deviations from the middle to those ends."""
CALIBRATION_ORDERS = 5.0
LEVEL_SPREAD, SPEND_SPREAD, PRIOR = 0.35, 0.25, 5.0
"""How far (as a log) a merchant's GMV and a contract's spend are believed to lie from what is expected, before the
day has shown it, and how many merchants or contracts that belief counts for."""
USED_UP = 0.98


class Band(msgspec.Struct, frozen=True):
    """An expected figure and where it should lie four times in five."""

    value: float
    low: float
    high: float


class Displaced(msgspec.Struct, frozen=True):
    """What others, and the campaign's own items, get more (or less, below 0) with the campaign than without."""

    own_paid_looks: float
    own_organic_looks: float
    others_paid_looks: float
    others_organic_looks: float
    others_gmv: float
    """Yuan, expected."""
    others_spend: float
    """Yuan."""
    long_views: float


class Answer(msgspec.Struct, frozen=True):
    """What a campaign would have done on a logged day; money in yuan. Outcomes are the model's, not anybody's."""

    campaign: str
    day: str
    requests: int
    budget: float
    """Of the day."""
    goal: float
    spend: Band
    attributed_gmv: Band
    storewide_gmv: Band
    incremental_gmv: float
    """Storewide GMV beyond what its items are expected to sell without it."""
    attributed_roi: Band | None
    storewide_roi: Band | None
    impressions: int
    displaced: Displaced
    spend_by_hour: tuple[float, ...]
    used_up: int | None
    """The hour in which the budget was used up."""
    calibration: float
    """κ."""
    level_spread: float
    spend_spread: float
    outcomes: str = "the model's"


def answer_of(
    campaign: str,
    day: int,
    contract: int,
    logged: Day,
    with_it: tuple[State, Course],
    without: tuple[State, Course],
) -> Answer:
    """Return what a campaign would have done.

    Args:
        campaign: its id.
        day: counted from 1970-01-01 in UTC+8.
        contract: the campaign's number in the state with it.
        logged: the day as it was.
        with_it: the state at the end of the day with the campaign, and its course.
        without: the same without the campaign.
    """
    (state, course), (_, other) = with_it, without
    level, spread = _level(without, logged)
    spend_spread = _spend_spread(without, logged, day)
    own = set(reach_of(state.shelf, state.book.contracts[contract]))
    limit, spend = state.book.contracts[contract].limit, course.spend[contract]
    most = limit.budget / YUAN
    attributed = _band(course.attributed[contract], course.attributed_squares[contract], level, spread)
    all_ = _band(_of(course.gmv, own), _of(course.squares, own), level, spread)
    anyway = level * _of(other.gmv, own)
    hours = tuple(course.hours[contract, hour] for hour in range(24))
    full = np.flatnonzero(np.cumsum(hours) >= USED_UP * most)
    return Answer(
        campaign=campaign,
        day=date_of(day),
        requests=sum(isinstance(event, Asking) for event in logged.events),
        budget=most,
        goal=limit.goal,
        spend=Band(
            spend, spend * np.exp(-WIDE * spend_spread).item(),
            min(most, spend * np.exp(WIDE * spend_spread).item()),
        ),
        attributed_gmv=attributed,
        storewide_gmv=all_,
        incremental_gmv=all_.value - anyway,
        attributed_roi=_per_yuan(attributed, spend),
        storewide_roi=_per_yuan(all_, spend),
        impressions=course.impressions[contract],
        displaced=_displaced(contract, own, course, other, level),
        spend_by_hour=hours,
        used_up=int(full[0]) if len(full) else None,
        calibration=level,
        level_spread=spread,
        spend_spread=spend_spread,
    )  # fmt: skip


def _displaced(contract: int, own: set[int], course: Course, other: Course, level: float) -> Displaced:
    def change(sums: Callable[[Course], float]) -> float:
        return sums(course) - sums(other)

    return Displaced(
        own_paid_looks=course.paid_looks[contract],
        own_organic_looks=change(lambda c: _of(c.looks, own)) - course.paid_looks[contract],
        others_paid_looks=change(lambda c: _but(c.paid_looks, {contract})),
        others_organic_looks=change(lambda c: _but(c.looks, own) - _but(c.paid_looks, {contract})),
        others_gmv=level * change(lambda c: _but(c.gmv, own)),
        others_spend=change(lambda c: _but(c.spend, {contract})),
        long_views=change(lambda c: c.long_views),
    )


def _level(without: tuple[State, Course], logged: Day) -> tuple[float, float]:
    """Return κ and how far merchants' real GMV lay from what was expected, beyond what chance explains."""
    state, course = without
    expected, squares = defaultdict[str, float](float), defaultdict[str, float](float)
    for item, gmv in course.gmv.items():
        merchant = merchant_of(state.shelf.facts[item], state.goods)
        if merchant and gmv > 0.0:
            expected[merchant] += gmv
            squares[merchant] += course.squares[item]
    total, sold = sum(expected.values()), sum(logged.sold.values())
    each = sold / logged.orders if logged.orders else (sum(squares.values()) / total if total else 1.0)
    prior = CALIBRATION_ORDERS * each
    level = (sold + prior) / (total + prior)
    excess = sum((logged.sold.get(m, 0.0) - level * v) ** 2 - level * squares[m] for m, v in expected.items())
    scale = sum((level * v) ** 2 for v in expected.values())
    seen = max(excess / scale, 0.0) if scale else 0.0
    return level, _shrunk(seen, len(expected), LEVEL_SPREAD)


def _spend_spread(without: tuple[State, Course], logged: Day, day: int) -> float:
    """Return how far contracts' spend, played once more, lay from what they really spent that day, as a log."""
    _, course = without
    ratios = []
    for number, days in logged.after.tallies.items():
        real = float(days.get(day, Tally()).total[SPEND]) / YUAN
        if real > 0.0 and course.spend[number] > 0.0:
            ratios.append(float(np.log(course.spend[number] / real)))
    seen = float(np.mean(np.square(ratios))) if ratios else 0.0
    return _shrunk(seen, len(ratios), SPEND_SPREAD)


def _shrunk(variance: float, count: int, prior: float) -> float:
    return float(np.sqrt((count * variance + PRIOR * prior * prior) / (count + PRIOR)))


def _band(gmv: float, squares: float, level: float, spread: float) -> Band:
    """Return κ·GMV with its band: orders are Poisson, the level is uncertain, the sum about gamma.

    Where less than an order is expected, most days have none and the band ends at what is expected.
    """
    mean = level * gmv
    if mean <= 0.0:
        return Band(0.0, 0.0, 0.0)
    variance = level * squares + (spread * mean) ** 2
    low, high = (float(gamma_quantile(p, mean * mean / variance)) * variance / mean for p in BAND)
    return Band(mean, low, max(high, mean))


def _per_yuan(gmv: Band, spend: float) -> Band | None:
    return Band(gmv.value / spend, gmv.low / spend, gmv.high / spend) if spend > 0.0 else None


def _of(sums: dict[int, float], keys: Iterable[int]) -> float:
    return sum(sums.get(key, 0.0) for key in sorted(keys))


def _but(sums: dict[int, float], keys: set[int]) -> float:
    return sum(amount for key, amount in sorted(sums.items()) if key not in keys)
