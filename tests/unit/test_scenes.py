"""Scenes: the chance that a slot is looked at, declared first and then estimated from randomised requests."""

import numpy as np
import pytest

from fieldline.draws import key_of, unit_of
from fieldline.facts import Policy, Scene
from fieldline.scenes import Scenes, estimate, learn, reduce, refresh


def scenes(*looks: float) -> Scenes:
    return reduce(Scenes(), Policy(scenes=(Scene("video", looks),)))


def test_nothing_seen_is_the_declared_curve() -> None:
    """Before any randomised impression the estimate is what was declared."""
    assert estimate(scenes(1.0, 0.8, 0.5).curves[0]).tolist() == [1.0, 0.8, 0.5]


def test_the_estimate_is_the_formula() -> None:
    """50 prior looks' worth of clicks at .8 and 20 clicks where 50 were predicted give (40 + 20)/(50 + 50) = .6."""
    market = scenes(1.0, 0.8)
    market.curves[0].clicks[1], market.curves[0].expected[1] = 20.0, 50.0
    assert estimate(market.curves[0]).tolist() == pytest.approx([1.0, 0.6])


def test_the_curve_never_rises() -> None:
    """A lower slot that was clicked more often than a higher one is held at the higher one's estimate."""
    market = scenes(1.0, 0.5, 0.5)
    market.curves[0].clicks[2], market.curves[0].expected[2] = 90.0, 100.0
    assert estimate(market.curves[0]).tolist() == pytest.approx([1.0, 0.5, 0.5])


def test_randomised_clicks_find_the_true_curve() -> None:
    """From 40,000 randomised impressions a declared (1, .9, .8) becomes the true (1, .6, .3) to within .03."""
    true, market = (1.0, 0.6, 0.3), scenes(1.0, 0.9, 0.8)
    for number in range(40_000):
        slot, chance = number % 3, 0.1 + 0.4 * unit_of(key_of(1, str(number), "p"))
        clicked = unit_of(key_of(1, str(number), "click")) < chance * true[slot]
        learn(market, 0, slot, clicked, chance)
    refresh(market)
    assert np.abs(market.curves[0].looks - np.array(true)).max() < 0.03


def test_a_policy_keeps_what_was_learned_unless_the_curve_changes() -> None:
    """The same declared curve keeps its counts; another one starts anew under the same number."""
    market = scenes(1.0, 0.8)
    learn(market, 0, 1, True, 0.2)
    reduce(market, Policy(scenes=(Scene("video", (1.0, 0.8)), Scene("mall", (1.0,), shelf=True))))
    assert market.curves[0].clicks[1] == 1.0
    assert (market.numbers, market.curves[1].shelf) == ({"video": 0, "mall": 1}, True)
    reduce(market, Policy(scenes=(Scene("video", (1.0, 0.7)),)))
    assert market.curves[0].clicks[1] == 0.0
    assert market.numbers["mall"] == 1
