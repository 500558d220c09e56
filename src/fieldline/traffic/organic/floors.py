"""The price of a floor: proportional and integral control of how far delivery is behind its line.

    behind = min(1.05·planned share, 1) − given/owed
    I += 0.12·max(behind, 0), at most 3.5   μ = clip(I + 2.5·behind, 0, 3.5)     in units of the mean score shown

The constants are those of granted contracts (`traffic.pace`). What a floor once needed is not unlearned while it is
ahead of its line: small floors that let it go end some tenths of a look short.
"""

import numpy as np
from numpy.typing import NDArray

from fieldline.traffic.pace import HIGHEST, INTEGRAL, PROPORTIONAL

Floats = NDArray[np.float64]

AHEAD = 1.05
"""A floor is held a twentieth ahead of its line, so that it is met by its end."""


def behind_of(planned: Floats, given: Floats, owed: float | Floats) -> Floats:
    """Return how far each floor is behind its line, as a share of what it is owed [n].

    Args:
        planned: share of the traffic of each floor's time that has passed [n].
        given: looks so far [n].
        owed: looks in all, above 0.
    """
    return np.asarray(np.minimum(AHEAD * planned, 1.0) - given / owed)


def floor_prices(integral: Floats, behind: Floats) -> tuple[Floats, Floats]:
    """Return each floor's next integral and its price, in units of the mean score of what is shown.

    Args:
        integral: of before [n].
        behind: from `behind_of` [n].

    Returns:
        Both [n]; the price never falls as the shortfall grows.
    """
    summed = np.clip(integral + INTEGRAL * np.maximum(behind, 0.0), 0.0, HIGHEST)
    return np.asarray(summed), np.asarray(np.clip(summed + PROPORTIONAL * behind, 0.0, HIGHEST))
