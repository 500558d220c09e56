"""Uplift: whom a treatment changes, learned from a randomised one, and how well that orders people (S44).

With e the chance of treatment, μ₁ and μ₀ the outcome predicted with and without it by models of the other half,

    τ* = μ₁ − μ₀ + (t − e)/(e·(1 − e))·(y − μ_t)

has the effect as its mean whatever the models say; small trees are fitted to it. Source: Kennedy (2023), the
DR-learner; AUUC after Rzepakowski and Jaroszewicz (2010).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldline.errors import Missing, Refused

Floats = NDArray[np.float64]

FOLDS = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """How trees are grown: an effect is far fainter than an outcome, so fewer and larger leaves."""

    rounds: int = 60
    rate: float = 0.05
    leaves: int = 6
    least_rows: int = 500
    seed: int = 1


def fit(rows: Floats, treated: NDArray[np.bool_], outcome: Floats, settings: Settings) -> Any:
    """Return trees of the effect of a treatment that was given at random.

    Args:
        rows: [n, F] what was known before.
        treated: [n].
        outcome: [n].
        settings: how trees are grown.

    Returns:
        A `lightgbm.Booster` that predicts outcome(treated) − outcome(not).

    Raises:
        Missing: LightGBM is not installed.
        Refused: nobody was treated, or everybody.
    """
    share = float(treated.mean()) if len(treated) else 0.0
    if not 0.0 < share < 1.0:
        raise Refused("treated", "must hold people who were treated and people who were not")
    fold = np.random.default_rng(settings.seed).permutation(len(rows)) % FOLDS
    guessed = np.zeros((2, len(rows)))
    for number in range(FOLDS):
        for arm in (0, 1):
            known = (fold != number) & (treated == bool(arm))
            guessed[arm, fold == number] = _grown(rows[known], outcome[known], settings).predict(
                rows[fold == number]
            )
    own = np.where(treated, guessed[1], guessed[0])
    push = np.where(treated, 1.0 / share, -1.0 / (1.0 - share)) * (outcome - own)
    return _grown(rows, guessed[1] - guessed[0] + push, settings)


def response(rows: Floats, treated: NDArray[np.bool_], outcome: Floats, settings: Settings) -> Any:
    """Return trees of the outcome of those treated, which is what attribution credits.

    Raises:
        Missing: LightGBM is not installed.
    """
    return _grown(rows[treated], outcome[treated], settings)


def auuc(scores: Floats, treated: NDArray[np.bool_], outcome: Floats) -> float:
    """Return the area under the uplift curve, ∫ U(f) df, U(f) = f·(mean outcome treated − not, of the best share f).

    Half the whole effect is what no order at all gives.

    Args:
        scores: [n] the larger, the sooner treated; ties in the order given.
        treated: [n].
        outcome: [n].
    """
    order = np.argsort(-scores, kind="stable")
    t, y = treated[order], outcome[order]
    with_, without = np.cumsum(t), np.cumsum(~t)
    gained = np.cumsum(np.where(t, y, 0.0)) / np.maximum(with_, 1)
    anyway = np.cumsum(np.where(t, 0.0, y)) / np.maximum(without, 1)
    share = np.arange(1, len(scores) + 1) / len(scores)
    return float(np.mean(share * (gained - anyway)))


def _grown(rows: Floats, target: Floats, settings: Settings) -> Any:
    try:
        import lightgbm
    except ImportError:
        raise Missing("lightgbm", "boosted") from None
    options = {
        "objective": "l2",
        "learning_rate": settings.rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.least_rows,
        "seed": settings.seed,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(rows, target, params={"verbosity": -1, "num_threads": 1})
    return lightgbm.train(options, data, settings.rounds)
