"""What a campaign changed: its treated viewers against the share of viewers for whom it never bids.

Everything is a pure function of sums over two arms of viewers. Amounts are yuan (float64) where a formula is
estimated and whole micro-yuan where something is counted.
Source: docs/algorithms/incrementality.md.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import ArrayLike, NDArray

from fieldline.contracts.gamma import gamma_limits
from fieldline.facts import Money
from fieldline.units import YUAN

Floats = NDArray[np.float64]
Count = Annotated[int, Meta(ge=0)]

BOUNDS = (0.0, 1.5)
"""Between which a share of attributed value that is incremental must lie."""
SPREAD = 0.25
"""By how much such shares are believed to differ between campaigns, before anything was measured."""
SPREADS = np.linspace(0.02, 1.0, 50)
"""Values of that spread that are weighed."""
PRIOR, PRIOR_SD = 1.0, 0.5
"""What is believed of such a share before anything was measured."""
SWEEPS = 10_000


class Estimate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value between two limits; None where nothing can be said."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


class Arm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the viewers of one arm bought in one day."""

    buyers: Count = 0
    orders: Count = 0
    gmv: Money = 0
    squares: Annotated[float, Meta(ge=0.0)] = 0.0
    """Σ over buyers of (their GMV of the day)², yuan²."""


class Arms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The two arms of one day: viewers it bid for, and the share of viewers held out."""

    treated: Arm
    held: Arm
    holdout: Annotated[float, Meta(ge=0.0, lt=1.0)]

    @property
    def weight(self) -> float:
        """Treated viewers per viewer held out, w = (1 − h)/h."""
        return (1.0 - self.holdout) / self.holdout


def incremental(days: Sequence[Arms], confidence: float = 0.9) -> Estimate:
    """Return the GMV of treated viewers that would not have come without the campaign, with its limits, in yuan.

    D = Σ_days (T − w·C), w = (1 − h)/h, T and C being the GMV of treated and of held-out viewers.

    Args:
        days: the arms of each day (or of each campaign-day of a group).
        confidence: chance that the limits hold the truth, two-sided.

    Returns:
        No value if a day held nobody out; no limits if nobody bought anything.

    Raises:
        ValueError: if there is no day.
    """
    if not days:
        raise ValueError("no day to measure")
    if any(day.holdout <= 0.0 for day in days):
        return Estimate()
    treated = sum(day.treated.gmv for day in days) / YUAN
    held = sum(day.weight * day.held.gmv for day in days) / YUAN
    buyers = sum(day.treated.buyers + day.held.buyers for day in days)
    gmv = sum(day.treated.gmv + day.held.gmv for day in days) / YUAN
    if gmv <= 0.0:
        return Estimate(value=treated - held)
    square = sum(day.treated.squares + day.held.squares for day in days) / buyers
    low, high = difference_limits(
        treated,
        sum(day.treated.squares for day in days),
        held,
        sum(day.weight**2 * day.held.buyers for day in days) * square,
        max(day.weight for day in days),
        gmv / buyers,
        square,
        confidence,
    )
    return Estimate(treated - held, float(low), float(high))


def difference_limits(
    treated: ArrayLike,
    treated_variance: ArrayLike,
    held: ArrayLike,
    held_variance: ArrayLike,
    weight: ArrayLike,
    mean: ArrayLike,
    square: ArrayLike,
    confidence: float = 0.9,
) -> tuple[Floats, Floats]:
    """Return limits for the difference of two expectations of compound Poisson sums, one of them weighted.

    Each expectation has gamma limits (l_T, u_T) and (l_C, u_C); the difference D = T − C has
    D − √((T − l_T)² + (u_C − C)²) and D + √((u_T − T)² + (C − l_C)²).

    Args:
        treated: […], T, yuan.
        treated_variance: […], Σ of squares of its amounts, yuan².
        held: […], C, already weighted, yuan.
        held_variance: […], w²·count·s, yuan²; s is of both arms, as a few amounts say little of their own.
        weight: […], w of the heaviest stratum.
        mean: […], m, mean amount over both arms, yuan.
        square: […], s, mean squared amount over both arms, yuan².
        confidence: two-sided.

    Returns:
        Lower and upper limits, […] each.

    Source: Fay & Feuer (Statistics in Medicine, 1997); Zou & Donner (Statistics in Medicine, 2008).
    """
    tail = (1.0 - confidence) / 2.0
    t, c = np.asarray(treated, float), np.asarray(held, float)
    w, m, s = np.asarray(weight, float), np.asarray(mean, float), np.asarray(square, float)
    treated_low, treated_high = gamma_limits(t, treated_variance, m, s, tail)
    held_low, held_high = gamma_limits(c, held_variance, w * m, w * w * s, tail)
    below = np.hypot(t - treated_low, held_high - c)
    above = np.hypot(treated_high - t, c - held_low)
    return t - c - below, t - c + above


def draw_variance(day: Arms) -> float:
    """Return the variance of T − w·C over the draw of who is held out, had the campaign changed nothing, in yuan².

    V = Σ_buyers x²·(1 − h)/h. It does not know which arm a buyer is in, so that weighting by 1/V favours no sign.

    Raises:
        ZeroDivisionError: if nobody was held out.
    """
    return (day.treated.squares + day.held.squares) * day.weight


class Shares(msgspec.Struct, frozen=True):
    """Incremental over attributed value: of all campaigns together, and of each."""

    pool: Estimate
    spread: float
    """By how much campaigns are estimated to differ (standard deviation)."""
    campaigns: tuple[Estimate, ...]


def shrunk(attributed: Floats, incremental: Floats, variance: Floats, confidence: float = 0.9) -> Shares:
    """Return each campaign's share of attributed value that is incremental, drawn towards that of all together.

    With r = D/A, s² = V/A²: r_i ~ N(ι_i, s_i²), ι_i ~ N(m, τ²), m ~ N(1, ½²), τ half-normal of scale ¼. For each τ of a
    grid m and ι are normal, ι_i = (r_i/s_i² + m/τ²)/(1/s_i² + 1/τ²); the answers are averaged by τ's likelihood.
    A campaign of which nothing was measured gets the pool's share.

    Args:
        attributed: [n], A, yuan.
        incremental: [n], D, yuan.
        variance: [n], V, yuan², as `draw_variance` gives it; 0 where nothing was measured.
        confidence: of the intervals, two-sided.

    Returns:
        Shares within [0, 1.5].

    Source: Morris, Parametric empirical Bayes inference (JASA, 1983); Gelman et al., Bayesian Data Analysis, 5.4, for
    the average over τ.
    """
    known = (attributed > 0.0) & (variance > 0.0)
    ratio = np.where(known, incremental / np.where(known, attributed, 1.0), 0.0)
    noise = np.where(known, variance / np.where(known, attributed, 1.0) ** 2, np.inf)
    precision = 1.0 / (noise[:, None] + SPREADS**2)  # [n, grid], 0 where nothing was measured
    sure = precision.sum(axis=0) + PRIOR_SD**-2  # [grid]
    pool = (ratio @ precision + PRIOR * PRIOR_SD**-2) / sure
    misfit = np.where(known[:, None], (ratio[:, None] - pool) ** 2 * precision, 0.0).sum(axis=0)
    likelihood = 0.5 * (np.log(precision[known]).sum(axis=0) - misfit - np.log(sure))
    likelihood -= 0.5 * ((pool - PRIOR) / PRIOR_SD) ** 2 + 0.5 * (SPREADS / SPREAD) ** 2
    chance = np.exp(likelihood - likelihood.max())
    chance /= chance.sum()  # [grid], of each τ
    own = SPREADS**2 * precision  # [n, grid], weight of its own ratio
    value = own * ratio[:, None] + (1.0 - own) * pool
    doubt = SPREADS**2 * (1.0 - own) + (1.0 - own) ** 2 / sure
    reach = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    every, variances = _mixture(np.vstack([pool, value]), np.vstack([1.0 / sure, doubt]), chance)
    estimates = [
        _within_bounds(mean, reach * spread**0.5)
        for mean, spread in zip(every.tolist(), variances.tolist(), strict=True)
    ]
    return Shares(estimates[0], float(SPREADS @ chance), tuple(estimates[1:]))


def scene_shares(
    attributed: Floats,
    incremental: Floats,
    variance: Floats,
    prior: float = PRIOR,
    prior_sd: float = PRIOR_SD,
) -> Floats:
    """Return by scene the share of attributed value that is incremental, from campaign-days with their holdouts.

    Minimises Σ_n (D_n − Σ_s ι_s·A_ns)²/V_n + Σ_s (ι_s − prior)²/prior_sd² over 0 ≤ ι ≤ 1.5.

    Args:
        attributed: [n, S], A, yuan.
        incremental: [n], D, yuan.
        variance: [n], V, yuan²; days with 0 say nothing.
        prior: the share believed before anything was measured.
        prior_sd: how firmly.

    Returns:
        ι [S]; the prior where a scene has no attributed value.
    """
    known = variance > 0.0
    weight = 1.0 / variance[known]
    a, d = attributed[known], incremental[known]
    hessian = (a * weight[:, None]).T @ a + np.eye(a.shape[1]) / prior_sd**2  # [S, S]
    target = (a * weight[:, None]).T @ d + prior / prior_sd**2  # [S]
    shares = np.full(a.shape[1], np.clip(prior, *BOUNDS))
    for _ in range(SWEEPS):  # coordinate descent: the one minimum of a strictly convex function in a box
        before = shares.copy()
        for s in range(len(shares)):
            rest = target[s] - hessian[s] @ shares + hessian[s, s] * shares[s]
            shares[s] = np.clip(rest / hessian[s, s], *BOUNDS)
        if np.abs(shares - before).max(initial=0.0) < 1e-12:
            break
    return shares


def _mixture(means: Floats, variances: Floats, chance: Floats) -> tuple[Floats, Floats]:
    mean = means @ chance
    return mean, variances @ chance + (means - mean[:, None]) ** 2 @ chance


def _within_bounds(value: float, reach: float) -> Estimate:
    low, mid, high = np.clip([value - reach, value, value + reach], *BOUNDS).tolist()
    return Estimate(mid, low, high)
