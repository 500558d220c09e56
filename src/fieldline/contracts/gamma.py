"""Gamma quantiles, and with them limits for a sum of few and unequal amounts (a compound Poisson's mean)."""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LARGE = 1e5
"""From this shape on Wilson & Hilferty's approximation is used as it is, right to a millionth of a deviation."""
ROUNDS = 60
STRIDE = 16
_log_gamma = np.frompyfunc(math.lgamma, 1, 1)
_normal_quantile = np.frompyfunc(NormalDist().inv_cdf, 1, 1)


def gamma_quantile(chance: ArrayLike, shape: ArrayLike) -> Floats:
    """Return the value below which a gamma variable of scale 1 lies with the given chance.

    P(k, x) = x^k·e^−x / Γ(k + 1) · Σ_n x^n / ((k + 1) … (k + n)), solved by Newton's method in ln x on ln P, which is
    concave there, so that from the left no step overshoots.

    Args:
        chance: […], in (0, 1).
        shape: […], k > 0.

    Returns:
        […].

    Source: docs/algorithms/incrementality.md.
    """
    p, k = np.broadcast_arrays(np.asarray(chance, float), np.asarray(shape, float))
    log_gamma = np.asarray(_log_gamma(k + 1.0), float)
    root = 1.0 - 1.0 / (9.0 * k) + np.asarray(_normal_quantile(p), float) / (3.0 * np.sqrt(k))
    near = np.log(k) + 3.0 * np.log(np.maximum(root, 1e-9))  # Wilson & Hilferty: close where k is large
    log_x = np.where(k > 10.0, near, (np.log(p) + log_gamma) / k)  # P ≤ x^k / Γ(k + 1): left of the root
    for _ in range(ROUNDS):
        series = _series(k, np.where(k < LARGE, np.exp(log_x), 0.0))
        miss = np.log(p) - (k * log_x - np.exp(log_x) - log_gamma + np.log(series))
        step = np.where(k < LARGE, miss * series / k, 0.0)
        log_x = log_x + step
        if np.all(np.abs(step) < 1e-13 * np.sqrt(1.0 + k)):
            break
    return np.asarray(np.exp(log_x))


def gamma_limits(
    total: ArrayLike, variance: ArrayLike, mean: ArrayLike, square: ArrayLike, tail: float
) -> tuple[Floats, Floats]:
    """Return a lower and an upper limit for the expectation of a sum of Poisson many unequal amounts.

    low = Γ⁻¹(tail; mean y, variance v), high = Γ⁻¹(1 − tail; mean y + m, variance v + s), Γ the gamma distribution of
    that mean and variance; with equal amounts these are the exact Poisson limits.

    Args:
        total: […], y, what was seen, ≥ 0.
        variance: […], v, its variance: Σ of squares of the amounts, or count · mean square.
        mean: […], m > 0, the expected next amount.
        square: […], s ≥ m², its expected square.
        tail: chance left out on either side.

    Returns:
        Two of […]; the lower is 0 where nothing was seen.

    Source: Fay & Feuer, Confidence intervals for directly standardized rates (Statistics in Medicine, 1997).
    """
    y, v = np.asarray(total, float), np.asarray(variance, float)
    seen = (y > 0.0) & (v > 0.0)
    low = np.where(seen, _quantile(tail, np.where(seen, y, 1.0), np.where(seen, v, 1.0)), 0.0)
    high = _quantile(1.0 - tail, y + np.asarray(mean, float), v + np.asarray(square, float))
    return low, np.asarray(high)


def _quantile(chance: float, mean: Floats, variance: Floats) -> Floats:
    return gamma_quantile(chance, mean * mean / variance) * variance / mean


def _series(k: Floats, x: Floats) -> Floats:
    term, total, n = np.ones_like(x), np.ones_like(x), 0.0
    while np.any(term > 1e-17 * total):
        for _ in range(STRIDE):
            n += 1.0
            term = term * x / (k + n)
            total = total + term
    return total
