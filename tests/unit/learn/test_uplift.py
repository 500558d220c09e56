"""Uplift: what is learned of whom a treatment changes, on made people of known effect."""

import numpy as np
import pytest

from fieldline.errors import Refused
from fieldline.learn.uplift import Settings, auuc, fit, response


def made(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows, treated, outcome and true effect: who buys anyway (first column) is not who can be moved (second)."""
    rng = np.random.default_rng(3)
    rows = rng.random((count, 3))
    treated = rng.random(count) < 0.5
    effect = 0.3 * (rows[:, 1] > 0.7)
    outcome = (rng.random(count) < 0.5 * rows[:, 0] + effect * treated).astype(np.float64)
    return rows, treated, outcome, effect


def test_uplift_finds_those_who_are_moved() -> None:
    """Ordered by uplift the area is near the true effect's and above that ordered by response."""
    pytest.importorskip("lightgbm")
    rows, treated, outcome, effect = made(20_000)
    half = slice(0, 10_000), slice(10_000, None)
    learned = (rows[half[0]], treated[half[0]], outcome[half[0]], Settings())
    by = {make.__name__: make(*learned).predict(rows[half[1]]) for make in (fit, response)}
    areas = {name: auuc(score, treated[half[1]], outcome[half[1]]) for name, score in by.items()}
    best = auuc(effect[half[1]], treated[half[1]], outcome[half[1]])
    assert areas["response"] < areas["fit"]
    assert areas["fit"] > 0.9 * best


def test_the_area_is_that_of_the_curve() -> None:
    """Four people by hand: shares ¼, ½, ¾ and 1 of the differences 1, 1, ½ and 0."""
    scores = np.array([4.0, 3.0, 2.0, 1.0])
    treated = np.array([True, False, False, True])
    outcome = np.array([1.0, 0.0, 1.0, 0.0])
    by_hand = np.mean([0.25 * 1.0, 0.5 * (1.0 - 0.0), 0.75 * (1.0 - 0.5), 1.0 * (0.5 - 0.5)])
    assert auuc(scores, treated, outcome) == pytest.approx(by_hand)


def test_nobody_treated_is_refused() -> None:
    """Where nobody was treated, or everybody, there is no effect to learn."""
    for all_ in (True, False):
        with pytest.raises(Refused, match="treated"):
            fit(np.zeros((4, 1)), np.full(4, all_), np.zeros(4), Settings())
