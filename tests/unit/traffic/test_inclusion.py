"""The Gini's dial on a made market of plain arrays: met over its range, at less cost than a flat boost."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from fieldline.lab.season.organic import linear_prices
from fieldline.traffic.organic import inclusion

CREATORS, WORKS, SLATES, SLOTS, DAYS = 200, 3, 20, 6, 3
TICK = 300_000
LOOKS = np.array([1.0, 0.8, 0.6, 0.5, 0.4, 0.3])


class Played(NamedTuple):
    """The Gini after each tick, and the value of the slates of the last day."""

    gini: np.ndarray
    value: float
    weight: float


@cache
def play(dial: float | None, flat: float = 0.0, linear: bool = False) -> Played:
    """Three days of slates of the best six of 600 works, tastes drawn anew for each; `flat`: mean scores added to the
    less seen half of creators instead of the price; `linear`: a boost that is linear in exposure instead of it."""
    form = linear_prices if linear else inclusion.creator_prices
    draws = np.random.default_rng(7)
    creator = np.repeat(np.arange(CREATORS), WORKS)
    quality = 0.05 * np.exp(draws.normal(size=CREATORS)[creator] + 0.5 * draws.normal(size=len(creator)))
    tastes = draws.normal(size=(len(creator), 16)).T / 4.0
    seen, integral, weight, mean = np.zeros(CREATORS), 0.0, 0.0, 0.0
    found, values = [], []
    for _ in range(DAYS * 288):
        worth = quality * np.exp(draws.normal(size=(SLATES, 16)) @ tastes)  # [slates, works]
        mean = mean or float(np.sort(worth, axis=1)[:, -SLOTS:].mean())
        lift = form(seen, weight) if dial else flat * (seen <= np.median(seen))
        top = np.argsort(-(worth + mean * lift[creator]), axis=1)[:, :SLOTS]
        values.append(float((np.take_along_axis(worth, top, axis=1) * LOOKS).sum()))
        seen = inclusion.faded(seen, TICK)
        np.add.at(seen, creator[top].ravel(), np.tile(LOOKS, SLATES))
        found.append(inclusion.gini(seen))
        if dial:
            integral, weight = inclusion.steer(integral, found[-1], dial, TICK)
    return Played(np.array(found), float(np.sum(values[-288:])), weight)


@pytest.mark.parametrize("dial", [0.8, 0.65, 0.5])
def test_the_dial_is_met_on_the_third_day(dial: float) -> None:
    """From a natural Gini above .85 each tick of the third day is within .02 of the dial."""
    assert np.abs(play(dial).gini[-288:] - dial).max() < 0.02


def test_a_dial_above_what_is_there_changes_nothing() -> None:
    """At a dial above the natural Gini the weight stays 0, and the slates are those without a dial."""
    natural, held = play(None), play(0.95)
    assert held.weight == 0.0
    assert np.array_equal(natural.gini, held.gini)


def test_the_price_costs_less_than_a_flat_boost() -> None:
    """At the Gini that a flat boost of the less seen half reaches, the price keeps more of the slates' value."""
    flat = play(None, flat=0.3)
    priced = play(float(flat.gini[-288:].mean()))
    assert abs(priced.gini[-288:].mean() - flat.gini[-288:].mean()) < 0.01
    assert priced.value > flat.value


def test_the_first_tenth_costs_less_than_by_a_linear_boost() -> None:
    """A tenth below the natural Gini costs 1.4% of the slates' value by the price, and 1.7% by the linear boost."""
    natural, priced, linear = play(None), play(0.766), play(0.766, linear=True)
    assert abs(priced.gini[-288:].mean() - linear.gini[-288:].mean()) < 0.001
    assert round(100.0 * (1.0 - priced.value / natural.value), 1) == 1.4
    assert round(100.0 * (1.0 - linear.value / natural.value), 1) == 1.7
