"""Newcomers' floors on a made market of plain arrays: met in time, and what a flat boost would not do."""

from functools import cache
from typing import NamedTuple

import numpy as np

from fieldline.contracts.grants import MILLION
from fieldline.traffic.organic import newcomers
from fieldline.units import DAY, HOUR

WORKS, NEW, SLATES, SLOTS, OWED = 600, 60, 20, 6, 40.0
TICK, START = 300_000, 1_650_816_000_000
LOOKS = np.array([1.0, 0.8, 0.6, 0.5, 0.4, 0.3])
DAYS_SHAPE = 1.0 + 0.8 * np.sin((np.arange(24) - 14.0) / 24.0 * 2.0 * np.pi)


class Played(NamedTuple):
    """Which new works had their looks in 24 hours, and the value of the slates of both days."""

    met: np.ndarray
    value: float


@cache
def play(priced: bool, flat: float = 0.0) -> Played:
    """Two days, in the first of which 60 works half as good as the rest are listed; traffic follows the day's shape."""
    draws = np.random.default_rng(11)
    quality = 0.05 * np.exp(draws.normal(size=WORKS))
    quality[:NEW] *= 0.5
    tastes = draws.normal(size=(WORKS, 16)).T / 4.0
    listed = START + np.sort(draws.integers(0, DAY, NEW))
    held, value, mean = newcomers.Newcomers(), 0.0, 0.0
    newcomers.widen(held, WORKS)
    for item in range(NEW):
        newcomers.enter(held, item, approved=True, start=int(listed[item]))
    for now in range(START, START + 2 * DAY, TICK):
        slates = round(SLATES * DAYS_SHAPE[(now - START) // HOUR % 24])
        worth = quality * np.exp(draws.normal(size=(slates, 16)) @ tastes)
        worth[:, :NEW][:, listed > now] = 0.0
        mean = mean or float(np.sort(worth, axis=1)[:, -SLOTS:].mean())
        there = np.ones(WORKS, bool)
        lift = newcomers.priced(held, there, DAYS_SHAPE, OWED, 24 * HOUR, now)
        if not priced:
            lift = np.where(newcomers.open_floors(held, there, OWED, 24 * HOUR, now), flat, 0.0)
        top = np.argsort(-(worth + mean * lift), axis=1)[:, :SLOTS]
        value += float((np.take_along_axis(worth, top, axis=1) * LOOKS).sum())
        for slate in top.tolist():
            for item, look in zip(slate, LOOKS.tolist(), strict=True):
                newcomers.note_look(held, item, look, OWED, now)
    met = held.met[:NEW]
    assert (held.given[:NEW][met > 0] >= OWED * MILLION).all()
    return Played((met > 0) & (met <= listed + DAY), value)


def test_every_floor_is_met_in_time() -> None:
    """Of 60 works of which none would have had them unaided, all but one at most have their 40 looks in 24 hours."""
    assert play(priced=True).met.mean() >= 59 / 60
    assert not play(priced=False).met.any()


def test_a_flat_boost_that_meets_as_many_costs_more() -> None:
    """A flat boost of a quarter of the mean score meets fewer floors, one of a half keeps less of the slates' value."""
    held, low, high = play(priced=True), play(priced=False, flat=0.25), play(priced=False, flat=0.5)
    assert low.met.mean() < held.met.mean() <= high.met.mean()
    assert high.value < held.value < low.value
