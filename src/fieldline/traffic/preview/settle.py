"""Settling: the prices that a dial would come to, found by placing the sample's contenders again and again.

Inclusion: the sample is played in steps of half an hour, an eighth of it in each, at which creators' exposure x fades
and gains their looks, in the proportion in which a lasting state would replace what faded; then the weight w moves as
it does at ticks (`organic.inclusion.steer`). A sample's Gini lies above a day's, for most creators are not in it: it is
first played at today's weight, and what it then is off counts as the sample's and is taken off.

Floors and pools: one price for all of their works, the least at which it moves so many looks of the sample as are due;
of a pool as its ledger counts them.
"""

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.traffic.organic import inclusion
from fieldline.traffic.pace import HIGHEST
from fieldline.traffic.preview.placing import Floats, Told, place_in
from fieldline.units import HOUR

Flags = NDArray[np.bool_]
Steps = Generator[None, None, Floats]
Counting = Generator[None, None, float]

STEP = HOUR // 2
PARTS = 8
"""Parts of the sample, of which each step plays one."""
DAILY = 48
WARMING, TURNS = DAILY, 3 * DAILY
"""Steps at today's weight, and steps in which the weight moves."""
KEPT = 2
"""Of the last day, over which what comes of it is taken, the prices of every second step are kept."""
HALVINGS = 12
NEAR = 0.02
"""How far from its dial a Gini counts as met."""
BATCH = 50
"""Slates that are placed before others may have their turn."""


class Weighed(NamedTuple):
    """Where inclusion would come to stand: prices by creator, then of what has none, in mean scores [C + 1]."""

    weight: float
    gini: float  # as expected of a day
    prices: list[Floats]  # of the last day, step by step: no single one is a lasting state
    today: list[Floats]  # likewise at today's weight


class Moving(NamedTuple):
    """One decision's contenders, and what is held against the looks that a price gives them."""

    of: Told
    before: Floats  # looks of each without the price; of a pool without any that has a name [n]
    beside: Floats  # sum of other prices that have a part in what it gains, yuan per look [n]


class Floor(NamedTuple):
    """Where the price of floors, a pool or a mix would come to stand."""

    price: float  # in mean scores
    wanted: float  # looks of the sample that are due; a mix's share
    given: float


def settle_inclusion(
    told: Sequence[Told], score: float, held: inclusion.Inclusion, makers: Flags, dial: float
) -> Generator[None, None, Weighed]:
    """Play the sample until the Gini of creators' exposure meets a dial, or cannot.

    Args:
        told: contenders, without the price of inclusion.
        score: mean score of what is shown, yuan per look.
        held: exposure and weight as they stand.
        makers: which creators have something to show [C].
        dial: the Gini aimed at.
    """
    exposure = grown(held.exposure, len(makers))[: len(makers)].copy()
    now = inclusion.gini(exposure[makers])
    if not exposure.any() or not told:
        none = [np.zeros(len(makers) + 1)]
        return Weighed(0.0, now, none, none)
    before, prices, ginis, weights = list[Floats](), list[Floats](), list[float](), list[float]()
    for step in range(WARMING):
        before.append(_prices(exposure, makers, held.weight))
        exposure = yield from _onward(exposure, told[step % PARTS :: PARTS], score * before[-1])
    off = inclusion.gini(exposure[makers]) - now
    integral = weight = held.weight
    for step in range(TURNS):
        ginis.append(inclusion.gini(exposure[makers]) - off)
        integral, weight = inclusion.steer(integral, ginis[-1], dial, STEP)
        weights.append(weight)
        prices.append(_prices(exposure, makers, weight))
        exposure = yield from _onward(exposure, told[step % PARTS :: PARTS], score * prices[-1])
    return Weighed(
        float(np.mean(weights[-DAILY:])),
        float(np.mean(ginis[-DAILY:])),
        prices[-DAILY::KEPT],
        before[-DAILY::KEPT],
    )


def settle_looks(
    told: Sequence[Moving], score: float, which: Flags, wanted: float
) -> Generator[None, None, Floor]:
    """Find the least price at which so many looks of the sample are moved to some works.

    Args:
        told: contenders, without the price.
        score: mean score of what is shown, yuan per look.
        which: works that have the price [I].
        wanted: looks of the sample.
    """

    def count(price: float) -> Counting:
        return moved(told, lambda of: np.where(which[of.item], score * price, 0.0))

    found = yield from least(count, wanted, 0.0, HALVINGS)
    return found


def least(
    count: Callable[[float], Counting], wanted: float, low: float, halvings: int
) -> Generator[None, None, Floor]:
    """Find the least price at which a count that grows with it is what is wanted, by halving.

    Args:
        count: at a price, in mean scores.
        wanted: by which it is to end.
        low: the least price that there may be; the highest is 3.5.
        halvings: how often.
    """
    least = yield from count(low)
    if least >= wanted:
        return Floor(low, wanted, least)
    most = yield from count(HIGHEST)
    if most < wanted:
        return Floor(HIGHEST, wanted, most) if most > least else Floor(low, wanted, least)
    high = HIGHEST
    for _ in range(halvings):
        middle = (low + high) / 2.0
        found = yield from count(middle)
        if found >= wanted:
            high, most = middle, found
        else:
            low = middle
    return Floor(high, wanted, most)


def _prices(exposure: Floats, makers: Flags, weight: float) -> Floats:
    prices = np.zeros(len(makers) + 1)
    prices[:-1][makers] = inclusion.creator_prices(exposure[makers], weight)
    return prices


def _onward(exposure: Floats, told: Sequence[Told], prices: Floats) -> Steps:
    """Let exposure [C] fade for a step and gain the looks that prices [C + 1] give, so many that the sum stays."""
    looks = np.zeros(len(prices))
    for of in told:
        shown, place = place_in(of, prices[of.creator])
        np.add.at(looks, of.creator[shown], of.looks[place])
    yield
    kept = inclusion.faded(exposure, STEP)
    looks = looks[:-1]
    return np.asarray(kept + looks * ((exposure.sum() - kept.sum()) / max(float(looks.sum()), 1e-9)))


def moved(told: Sequence[Moving], prices_of: Callable[[Told], Floats]) -> Counting:
    """Return the looks of the sample that prices move to those who have one.

    Args:
        told: contenders.
        prices_of: the price of each contender of a decision, yuan per look [n].
    """
    looks = 0.0
    for number, (of, before, beside) in enumerate(told):
        prices = prices_of(of)
        shown, place = place_in(of, prices)
        gained = np.maximum(of.looks[place] - before[shown], 0.0) * (of.paid[shown] == 0)
        looks += float(gained @ (prices[shown] / np.maximum(prices[shown] + beside[shown], 1e-30)))
        if number % BATCH == BATCH - 1:
            yield
    return looks
