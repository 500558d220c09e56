"""Recalibration of predicted chances: a line on the log-odds, fitted to clicks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldline.errors import Refused

Floats = NDArray[np.float64]
STEPS, CLOSE = 100, 1e-10


@dataclass(frozen=True, slots=True)
class Line:
    """log-odds = level + slope·(log-odds predicted)."""

    level: float
    slope: float


def fit(clicks: Floats, chances: Floats) -> Line:
    """Return the most probable line, by Newton's method; a slope is taken for 1 ± 1 until clicks say otherwise.

    Args:
        clicks: [n], 0 or 1.
        chances: [n], in (0, 1).

    Raises:
        Refused: no click, or nothing but clicks.

    Source: Platt 1999, with a normal prior of the slope in place of softened labels.
    """
    if not 0.0 < clicks.sum() < len(clicks):
        raise Refused("clicks", "recalibration needs auctions with a click and auctions without one")
    odds = _log_odds(chances)
    centre = float(odds.mean())
    x = np.stack([np.ones_like(odds), odds - centre])  # [2, n]
    prior = np.diag([0.0, 1.0])  # precision
    at = np.array([_log_odds(clicks.mean()), 0.0])
    for _ in range(STEPS):
        expected = _chance(at @ x)
        bend = (x * (expected * (1.0 - expected))) @ x.T + prior  # [2, 2]
        step = np.linalg.solve(bend, x @ (clicks - expected) - prior @ (at - [0.0, 1.0]))
        at = at + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < CLOSE:
            break
    return Line(level=float(at[0] - at[1] * centre), slope=float(at[1]))


def apply(line: Line, chances: Floats) -> Floats:
    """Return recalibrated chances, of the shape given."""
    return _chance(line.level + line.slope * _log_odds(chances))


def _log_odds(chances: Floats) -> Floats:
    return np.asarray(np.log(chances) - np.log1p(-chances))


def _chance(log_odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -500.0, 500.0))))
