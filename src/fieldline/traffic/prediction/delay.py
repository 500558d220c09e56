"""Delay: how long orders take to follow their clicks, learned from clicks of every age.

F(a) is the share of orders that have come by age a. A click is looked at as it passes the ages a_1 < … < a_7, the
last of which is the order window. At a_j its order, if it has one by then, came within a_{j−1} or after; all clicks
that passed a_j say so alike, so what has not come yet biases nothing:

    q_j = P(by a_{j−1} | by a_j) = (within a_{j−1} + s·q⁰_j)/(within a_j + s)        F(a_j) = Π_{k>j} q_k

F then says how much of a click's time has passed. The chance p of an order is learned from the exposure ΔF at each age
and from orders, each once, by the gradient p·ΔF − [an order came since the age before]: in expectation F(a)·(p − p*) up
to any age a, zero only at the truth, however young the clicks are.
Source: product-limit estimate of right-truncated times (Lagakos, Barraj, De Gruttola, Biometrika 1988); ADR 0012.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.units import HOUR, MINUTE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EARLY = np.array([10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR], np.int64)
"""Ages that are told apart before the order window ends, ms."""
STEPS = len(EARLY) + 1
SOON, SOON_MEAN, LATE_MEAN = 0.35, 4.0 * MINUTE, 3.3 * HOUR
"""Share of orders that come within minutes, and the mean delays of both kinds, before any was seen."""
STRENGTH = 20.0
"""Orders that this counts for, age by age."""


@dataclass(slots=True)
class Delays:
    """Orders by the age at which their clicks were looked at."""

    seen: Floats = field(default_factory=lambda: np.zeros((2, STEPS)))
    """Within the age, and of those within the age before."""


def ages(window_ms: int) -> Ints:
    """Return the ages at which clicks are looked at, ms [7]: those below the order window, which is the last.

    Args:
        window_ms: the order window.
    """
    return np.append(np.minimum(EARLY, window_ms), window_ms)


def usual(window_ms: int) -> Floats:
    """Return q⁰ [7]: of the orders within each age, the share within the age before, as it is before any was seen.

    Args:
        window_ms: the order window.
    """
    at = np.concatenate([[0], ages(window_ms)])
    by = 1.0 - SOON * np.exp(-at / SOON_MEAN) - (1.0 - SOON) * np.exp(-at / LATE_MEAN)
    return np.asarray(by[:-1] / by[1:])


@njit
def passed(seen: Floats, usual: Floats, out: Floats) -> None:
    """Write F at each age, the share of orders that have come by then; 1 at the last.

    Args:
        seen: [2, 7] as in `Delays`.
        usual: [7] q⁰.
        out: [7], overwritten.
    """
    share = 1.0
    for step in range(seen.shape[1] - 1, -1, -1):
        out[step] = share
        share *= (seen[1, step] + STRENGTH * usual[step]) / (seen[0, step] + STRENGTH)


@njit
def look(seen: Floats, ages: Ints, step: int, delay: int) -> bool:
    """Return whether an order came within an age of its click; if so, count it for that age.

    Args:
        seen: [2, 7], changed.
        ages: [7] ms.
        step: which age.
        delay: of the order, ms; −1: none came yet.
    """
    if delay < 0 or (delay > ages[step] and step < ages.size - 1):
        return False
    seen[0, step] += 1.0
    if step > 0 and delay <= ages[step - 1]:
        seen[1, step] += 1.0
    return True
