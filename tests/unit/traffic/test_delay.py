"""Delay: the share of orders that have come by an age, from clicks of every age."""

import numpy as np
import pytest

from fieldline.traffic.prediction import delay
from fieldline.units import DAY, HOUR, MINUTE


def shares(seen: np.ndarray, window: int = DAY) -> np.ndarray:
    out = np.empty(delay.STEPS)
    delay.passed(seen, delay.usual(window), out)
    return out


def test_before_any_order_the_prior_stands() -> None:
    """35% within minutes and the rest at 3.3 hours, within the day: 35.3% after ten minutes, all after the day."""
    found = shares(delay.Delays().seen)
    at = delay.ages(DAY)
    by = 1.0 - 0.35 * np.exp(-at / (4 * MINUTE)) - 0.65 * np.exp(-at / (3.3 * HOUR))
    assert found == pytest.approx(by / by[-1])
    assert found[0] == pytest.approx(0.353, abs=5e-4)
    assert found[-1] == 1.0


def test_a_short_window_ends_its_ages_there() -> None:
    """With a window of an hour all later ages are the hour, and F is 1 from it on."""
    assert delay.ages(HOUR).tolist() == [10 * MINUTE, 30 * MINUTE, *[HOUR] * 5]
    assert shares(delay.Delays().seen, HOUR)[2:] == pytest.approx([1.0] * 5)


def test_an_order_counts_from_the_age_that_it_came_within() -> None:
    """An order after 20 minutes is none at 10 minutes, one at 30, and one that came before at an hour."""
    seen, ages = delay.Delays().seen, delay.ages(DAY)
    came = [delay.look(seen, ages, step, 20 * MINUTE) for step in range(3)]
    assert came == [False, True, True]
    assert seen[:, :3].tolist() == [[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    assert not delay.look(seen, ages, 3, -1)


def test_young_clicks_do_not_make_orders_look_quick() -> None:
    """Half of the orders take 6 hours; of clicks at most 2 hours old only the quick half is seen, yet F(10 min) falls
    to half once older clicks have told, and stays at the prior's ratio beyond the ages that were seen."""
    ages, seen = delay.ages(DAY), delay.Delays().seen
    for _ in range(20_000):
        for step in range(4):  # clicks of up to two hours: only the quick orders show
            delay.look(seen, ages, step, 5 * MINUTE)
    young = shares(seen)
    assert young[3] == pytest.approx(shares(delay.Delays().seen)[3])
    assert young[0] == pytest.approx(young[3], rel=0.01)
    for number in range(20_000):
        for step in range(4, 7):
            delay.look(seen, ages, step, 5 * MINUTE if number % 2 else 6 * HOUR)
    assert shares(seen)[0] == pytest.approx(0.5, abs=0.01)
