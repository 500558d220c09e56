"""Estimators of a policy's value from what another policy logged, each with a 90% interval.

A *round* is one logged choice: of one action (a bandit's log), or of a slate, which has a row for each slot. With w
the importance weight of a row, r its reward, q the reward that a model predicts for it, x the exposure that it stands
for (1 for an action), Q the model's prediction of what the target would earn in the round and X its exposure:

    IPS     mean over rounds of Σ w·r
    SNIPS   (Σ w·r / Σ w·x) · mean X
    DR      mean of Q + Σ w·(r − q)
    switch  the same with the weights above τ left out: there the model alone is believed

τ minimises (variance/n) + (max |r − q| · mean Σ w·[w > τ])², the second term bounding the square of the bias.

The interval is value ± 1.645·s, s² = G/(G − 1)·Σ_g (Σ_{i∈g} ψ_i)²/n² over G groups of rounds (viewers), ψ being the
estimator's influence function: it widens where rounds of one viewer are alike.

Source: Horvitz & Thompson (1952); Swaminathan & Joachims (NIPS 2015); Dudík, Langford & Li (ICML 2011);
Wang, Agarwal & Dudík (ICML 2017); docs/algorithms/ope.md.
"""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONFIDENCE = 0.9
NORMAL = 1.6448536269514722
"""The normal distribution's quantile of .95."""
THRESHOLDS = np.array([0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0])
"""Quantiles of the weights above 0 among which τ is chosen; at the last one, switch is DR."""


class Sample(NamedTuple):
    """A log with the weights that make it speak for another policy: R rows in n rounds."""

    weight: Floats  # [R] w
    reward: Floats  # [R] r
    predicted: Floats  # [R] q
    exposure: Floats  # [R] x
    round: Ints  # [R] which round each row belongs to
    target: Floats  # [n] Q
    exposed: Floats  # [n] X, above 0
    group: Ints  # [n] whose round it is, 0 … G − 1


class Estimate(msgspec.Struct, frozen=True):
    """A value with the ends of its 90% interval; NaN (null in JSON) where there is nothing to tell it from."""

    value: float
    low: float
    high: float


class Evaluation(msgspec.Struct, frozen=True):
    """What a log says of a policy, per round."""

    ips: Estimate
    snips: Estimate
    dr: Estimate
    switch: Estimate
    logged: Estimate
    """What the logging policy itself earned."""
    effective_sample: float
    """(Σ b)²/Σ b², b = Σ w·x/X of a round: so many rounds of the target policy would say as much."""
    n: int
    """Rounds."""
    groups: int
    threshold: float
    """τ."""


def evaluate(sample: Sample) -> Evaluation:
    """Return what a sample says of the policy that its weights stand for (the formulas are at the top).

    Args:
        sample: of one round or more.

    Raises:
        ValueError: there is no round.
    """
    rounds = len(sample.target)
    if rounds == 0:
        raise ValueError("an evaluation needs a round")
    earned = _sum(sample, sample.weight * sample.reward)
    borne = _sum(sample, sample.weight * sample.exposure)
    residual = sample.weight * (sample.reward - sample.predicted)
    threshold = _threshold(sample, residual)
    kept = np.where(sample.weight <= threshold, residual, 0.0)
    share = borne / sample.exposed
    squares = float((share**2).sum())
    return Evaluation(
        ips=_mean(earned, sample.group),
        snips=_ratio(earned, borne, sample.exposed, sample.group),
        dr=_mean(sample.target + _sum(sample, residual), sample.group),
        switch=_mean(sample.target + _sum(sample, kept), sample.group),
        logged=_mean(_sum(sample, sample.reward), sample.group),
        effective_sample=float(share.sum()) ** 2 / squares if squares > 0.0 else 0.0,
        n=rounds,
        groups=int(sample.group.max()) + 1,
        threshold=threshold,
    )


def spread(influence: Floats, group: Ints) -> float:
    """Return the standard error of a mean whose influence function is given, rounds of one group summed first.

    Args:
        influence: ψ [n], of mean 0.
        group: [n], 0 … G − 1.

    Returns:
        s; NaN of one group alone.
    """
    sums = np.bincount(group, influence)
    count = len(sums)
    if count < 2:
        return float("nan")
    return float(np.sqrt(count / (count - 1.0) * float((sums**2).sum()))) / len(influence)


def _sum(sample: Sample, rows: Floats) -> Floats:
    return np.bincount(sample.round, rows, len(sample.target)).astype(np.float64)


def _mean(values: Floats, group: Ints) -> Estimate:
    mean = float(values.mean())
    return _around(mean, spread(values - mean, group))


def _ratio(earned: Floats, borne: Floats, exposed: Floats, group: Ints) -> Estimate:
    total, most = float(borne.mean()), float(exposed.mean())
    if total <= 0.0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    rate = float(earned.mean()) / total
    influence = (earned - rate * borne) * (most / total) + rate * (exposed - most)
    return _around(rate * most, spread(influence, group))


def _around(value: float, error: float) -> Estimate:
    return Estimate(value, value - NORMAL * error, value + NORMAL * error)


def _threshold(sample: Sample, residual: Floats) -> float:
    weights = sample.weight[sample.weight > 0.0]
    if not len(weights):
        return 0.0
    rounds = len(sample.target)
    worst = float(np.abs(sample.reward - sample.predicted).max())
    best, found = np.inf, float(weights.max())
    for candidate in np.unique(np.quantile(weights, THRESHOLDS, method="higher"))[::-1].tolist():
        above = sample.weight > candidate
        values = sample.target + _sum(sample, np.where(above, 0.0, residual))
        bias = worst * float(sample.weight[above].sum()) / rounds
        risk = float(values.var()) / rounds + bias * bias
        if risk < best:
            best, found = risk, float(candidate)
    return found
