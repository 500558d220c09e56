"""Inclusion (S06): a price per creator, concave in how little was seen of it, set so that a Gini is met.

With x a creator's looks, decayed over a day, and x̄ their mean over creators who have something to show,

    μ = w·min(x̄/(x + x̄/20), 8) − w/2            in units of the mean score of what is shown

The weight w is moved at each tick by how far the Gini of x is above the dial; at 0 nothing is changed.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.units import DAY

Floats = NDArray[np.float64]

RAREST = 8.0
"""Most times its weight that a creator's price is, before the half of it is taken."""
SOFT = 0.05
"""Share of the mean that every creator is taken to have had."""
HEAVIEST = 2.0
"""Largest weight: a creator whom nobody saw then has fifteen mean scores added."""
STRENGTH = 2.0
"""Weight per unit of Gini above the dial."""
PATIENCE = DAY // 3
"""Over which a lasting difference moves the weight by as much again, ms."""


@dataclass(slots=True)
class Inclusion:
    """What the dial is held by."""

    exposure: Floats = field(default_factory=lambda: np.zeros(16))
    """Looks at each creator's works, decayed over a day."""
    integral: float = 0.0
    weight: float = 0.0
    """w."""
    realised: float = 0.0
    """Gini of the exposure over creators with something to show, at the newest tick."""
    creators: int = 0
    """How many those are."""


def gini(exposure: Floats) -> float:
    """Return how unequally something is shared: 0 if all have as much, towards 1 if one has all.

    G = Σ (2i − n − 1)·x_i / (n·Σ x), x ascending, i from 1.

    Args:
        exposure: [n], none below 0.

    Returns:
        In [0, 1); 0 where there is nothing to share.
    """
    total = float(exposure.sum())
    if total <= 0.0:
        return 0.0
    count = len(exposure)
    place = 2.0 * np.arange(1, count + 1) - count - 1.0
    return max(float(np.dot(place, np.sort(exposure))) / (count * total), 0.0)


def faded(exposure: Floats, passed: int) -> Floats:
    """Return exposure [n] after some more time in which nothing was shown: x·exp(−passed/day)."""
    return np.asarray(exposure * np.exp(-passed / DAY))


def creator_prices(exposure: Floats, weight: float) -> Floats:
    """Return each creator's price, in mean scores of what is shown: the less was seen, the higher it is.

    Args:
        exposure: x [n], looks.
        weight: w.

    Returns:
        μ = w·min(x̄/(x + x̄/20), 8) − w/2, [n]; 0 where nothing was shown yet.
    """
    mean = float(exposure.mean()) if len(exposure) else 0.0
    if mean <= 0.0 or weight == 0.0:
        return np.zeros(len(exposure))
    return np.asarray(weight * (np.minimum(mean / (exposure + SOFT * mean), RAREST) - 0.5))


def steer(integral: float, realised: float, dial: float, passed: int) -> tuple[float, float]:
    """Return the next integral and weight, by proportional and integral control of the Gini.

    Args:
        integral: of before, in [0, HEAVIEST].
        realised: Gini now.
        dial: Gini that is wanted.
        passed: since the last time, ms.
    """
    above = realised - dial
    integral = min(max(integral + STRENGTH * above * passed / PATIENCE, 0.0), HEAVIEST)
    return integral, min(max(integral + STRENGTH * above, 0.0), HEAVIEST)
