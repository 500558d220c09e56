"""Draws that say how sure a figure is: episodes drawn again, and clicks drawn again."""

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit
from fieldline.draws import uniform

Floats = NDArray[np.float64]


def ratios(key: int, over: Floats, under: Floats, times: int) -> Floats:
    """Return Σ over / Σ under of episodes drawn with replacement, so many times.

    Args:
        key: 64 bits, of the draws.
        over: [E].
        under: [E].
        times: how often.

    Returns:
        [times]; infinite or nan where a draw holds nothing to divide by.
    """
    return np.asarray(_ratios(np.uint64(key), over, under, times))


def clicks(key: int, chances: Floats, known: float, times: int) -> Floats:
    """Return clicks drawn anew, each time at a level as uncertain as one learned from `known` clicks.

        click ~ Bernoulli(chance·exp(g/√known)), g ~ N(0, 1) once for each redraw

    Args:
        key: 64 bits, of the draws.
        chances: [E, T].
        known: clicks, > 0.
        times: redraws.

    Returns:
        [times, E, T], 0 or 1.
    """
    flat = np.ascontiguousarray(chances.ravel())
    return np.asarray(_clicks(np.uint64(key), flat, known, times)).reshape(times, *chances.shape)


@njit
def _ratios(
    key: np.uint64, over: NDArray[np.float64], under: NDArray[np.float64], times: int
) -> NDArray[np.float64]:
    n = over.shape[0]
    found = np.empty(times)
    for t in range(times):
        top, bottom = 0.0, 0.0
        for i in range(n):
            e = int(uniform(key, np.uint64(t * n + i)) * n)
            top += over[e]
            bottom += under[e]
        found[t] = top / bottom
    return found


@njit
def _clicks(key: np.uint64, chances: NDArray[np.float64], known: float, times: int) -> NDArray[np.float64]:
    n = chances.shape[0]
    drawn = np.zeros((times, n))
    for t in range(times):
        start = t * (n + 2)
        radius = np.sqrt(-2.0 * np.log(1.0 - uniform(key, np.uint64(start))))
        turn = 2.0 * np.pi * uniform(key, np.uint64(start + 1))
        level = np.exp(radius * np.cos(turn) / np.sqrt(known))
        for i in range(n):
            if uniform(key, np.uint64(start + 2 + i)) < level * chances[i]:
                drawn[t, i] = 1.0
    return drawn
