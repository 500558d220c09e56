"""Trees from rows."""

import sys

import numpy as np
import pytest

from fieldline.errors import Missing
from fieldline.learn.boosted import Settings, fit
from fieldline.providers.boosted import blended

NAMES = ("a", "b")


def made(rows: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    sheet = rng.normal(size=(rows, 2)).astype(np.float32)
    return sheet, (sheet[:, 0] + 0.5 * rng.normal(size=rows) > 0).astype(np.float32)


def test_trees_learn_and_are_the_same_again() -> None:
    """Trees tell high from low chances, and the same rows and seed give the same text."""
    pytest.importorskip("lightgbm")
    sheet, labels = made()
    settings = Settings(rounds=80)
    first, second = (
        fit(sheet, labels, np.ones(len(sheet), np.float32), NAMES, (), settings) for _ in range(2)
    )
    low, high = first.predict(np.array([[-2.0, 0.0], [2.0, 0.0]], np.float32))
    assert low < 0.3
    assert high > 0.7
    assert first.model_to_string() == second.model_to_string()


def test_rows_of_weight_nothing_do_not_count() -> None:
    """Rows whose label is unknown change nothing, whatever stands in them."""
    pytest.importorskip("lightgbm")
    sheet, labels = made()
    weights = np.ones(len(sheet), np.float32)
    weights[1_000:] = 0.0
    settings = Settings(rounds=5)
    whole = fit(sheet, labels, weights, NAMES, (), settings)
    labels[1_000:] = 1.0 - labels[1_000:]
    assert whole.model_to_string() == fit(sheet, labels, weights, NAMES, (), settings).model_to_string()


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without LightGBM the error names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    sheet, labels = made(10)
    with pytest.raises(Missing, match=r"fieldline\[boosted\]"):
        fit(sheet, labels, labels, NAMES, (), Settings())


def test_a_blend_is_the_mean_of_log_odds() -> None:
    """Half of log-odds 2 and half of 0 is the chance of log-odds 1; a share of 0 never reads the other."""
    assert blended(np.array([2.0]), np.array([0.0]), 0.5)[0] == pytest.approx(1.0 / (1.0 + np.exp(-1.0)))
    assert blended(np.array([2.0]), np.array([np.nan]), 0.0)[0] == pytest.approx(1.0 / (1.0 + np.exp(-2.0)))
