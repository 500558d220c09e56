"""What a model said of every look, how well it did, and at what speed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.baselines.inputs import Inputs
from fieldline.lab import metrics

FIRST_DAY = 2
"""Scored are the looks from the second full day on: a model that is refitted daily has nothing before."""
BINS = 20
MEASURES = ("auc", "gauc", "log_loss", "ece")


@dataclass(frozen=True, slots=True)
class Scores:
    """Chances of each look's labels; NaN: this model says nothing of the label."""

    live: NDArray[np.float32]  # [n, 5] before the look was learned
    frozen: NDArray[np.float32]  # [n, 5] as the model and the counts stood at midnight
    train: float
    """Rows learned per CPU-second, all tasks of a row together."""
    predict: float
    """Rows predicted per CPU-second, all tasks of a row together."""
    note: str = ""


def measured(scores: Scores, inputs: Inputs, task: int) -> dict[str, float] | None:
    """Return how well a model did in a task; None where it said nothing.

    AUC, log-loss and calibration error are of chances given just before each look was learned; GAUC is over
    viewer-days, of chances as things stood at midnight.
    """
    scored = inputs.day >= FIRST_DAY
    live, frozen, labels = scores.live[scored, task], scores.frozen[scored, task], inputs.labels[scored, task]
    if np.isnan(live).any() or np.isnan(frozen).any():
        return None
    group = inputs.day[scored] * (inputs.viewer.max() + 1) + inputs.viewer[scored]
    return {
        "auc": metrics.auc(labels, live),
        "gauc": metrics.gauc(labels, frozen, group),
        "log_loss": metrics.log_loss(labels, live),
        "ece": calibration_error(labels, live),
    }


def calibration_error(labels: NDArray[np.float32], chances: NDArray[np.float32]) -> float:
    """Return the mean |predicted − observed| over 20 bins of equally many looks, in order of the chance."""
    order = np.argsort(chances, kind="stable")
    y, p = labels[order].astype(np.float64), chances[order].astype(np.float64)
    parts = np.array_split(np.arange(len(y)), BINS)
    return float(
        sum(abs(y[part].mean() - p[part].mean()) * len(part) for part in parts if len(part)) / len(y)
    )


def nothing(inputs: Inputs) -> NDArray[np.float32]:
    """Return chances of which nothing is said yet, [n, 5]."""
    return np.full(inputs.labels.shape, np.nan, np.float32)


def days_of(inputs: Inputs) -> range:
    """Return the days that are scored."""
    return range(FIRST_DAY, int(inputs.day.max()) + 1)


Rival = Callable[[Inputs, int], Scores]
"""Inputs and a seed to scores. Raises ImportError where its package is not installed."""
