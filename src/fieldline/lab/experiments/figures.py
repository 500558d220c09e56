"""Figures: an estimate and its 90% interval, over seeds that weigh alike.

With two seeds or more the interval is Student's t over the seeds' own figures: seeds are independent, campaigns of
one seed are not. With one seed it is over its campaigns as if they were independent, so it is too narrow; a table
says which it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

CONFIDENCE = 0.9
NORMAL = 1.6448536269514722
"""The normal distribution's quantile of .95."""
_T95 = (6.3138, 2.9200, 2.3534, 2.1318, 2.0150, 1.9432, 1.8946, 1.8595, 1.8331, 1.8125)


class Figure(msgspec.Struct, frozen=True, array_like=True):
    """An estimate with the ends of its interval, 90% (`in_95`: 95%); NaN (null in JSON) where nothing was to judge."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases (campaigns) of one seed: its figure is Σ part / Σ whole."""

    part: Floats
    whole: Floats

    @classmethod
    def of(cls, part: ArrayLike, whole: ArrayLike | None = None) -> "Cases":
        """Return cases; without `whole` each weighs one, so that the figure is a mean."""
        parts = np.asarray(part, np.float64)
        return cls(parts, np.ones_like(parts) if whole is None else np.asarray(whole, np.float64))

    @property
    def ratio(self) -> float:
        """Σ part / Σ whole; NaN where the whole is 0."""
        whole = float(self.whole.sum())
        return float(self.part.sum()) / whole if whole else float("nan")


def t95(freedom: int) -> float:
    """Return Student's quantile of .95 (a table up to 10, then Cornish and Fisher's expansion, within .0005).

    Raises:
        ValueError: there is no degree of freedom.
    """
    if freedom < 1:
        raise ValueError("a t quantile needs a degree of freedom")
    if freedom <= len(_T95):
        return _T95[freedom - 1]
    z, n = NORMAL, float(freedom)
    return z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)


_T975 = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)


def in_95(values: Sequence[float]) -> Figure:
    """Return mean ± t·s/√n of the seeds' values with Student's quantile of .975: a 95% interval.

    Args:
        values: one for each seed, NaN where it has none; of one seed the interval is NaN.
    """
    kept = np.array([value for value in values if not np.isnan(value)])
    if not len(kept):
        return Figure(float("nan"), float("nan"), float("nan"))
    mean = float(kept.mean())
    if len(kept) == 1:
        return Figure(mean, float("nan"), float("nan"))
    freedom = len(kept) - 1
    z = 1.959963984540054
    beyond = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    quantile = _T975[freedom - 1] if freedom <= len(_T975) else beyond
    half = quantile * float(kept.std(ddof=1)) / len(kept) ** 0.5
    return Figure(mean, mean - half, mean + half)


def over_seeds(values: Sequence[float]) -> Figure:
    """Return mean ± t·s/√n of the seeds' values, those that are NaN left out.

    Args:
        values: one for each seed; at least two that are not NaN, else the interval is NaN, too.
    """
    kept = np.array([value for value in values if not np.isnan(value)])
    if not len(kept):
        return Figure(float("nan"), float("nan"), float("nan"))
    mean = float(kept.mean())
    if len(kept) == 1:
        return Figure(mean, float("nan"), float("nan"))
    half = t95(len(kept) - 1) * float(kept.std(ddof=1)) / len(kept) ** 0.5
    return Figure(mean, mean - half, mean + half)


def ratio(seeds: Sequence[Cases], most: float = float("inf"), less: float = 0.0) -> Figure:
    """Return a ratio of sums, minus a constant, over seeds.

    Args:
        seeds: each one's cases.
        most: the interval ends here: 1 for a share.
        less: subtracted from all three, for a gain.
    """
    live = [cases for cases in seeds if cases.whole.sum()]
    found = _of_cases(live[0]) if len(live) == 1 else over_seeds([cases.ratio for cases in live])
    low = max(found.low, 0.0) if most == 1.0 else found.low
    return Figure(found.estimate - less, low - less, min(found.high, most) - less)


def share(seeds: Sequence[Cases]) -> Figure:
    """Return a share of cases over seeds, its interval within [0, 1]."""
    return ratio(seeds, most=1.0)


def median(seeds: Sequence[ArrayLike]) -> Figure:
    """Return the mean over seeds of their cases' medians; of one seed, its median between order statistics.

    Args:
        seeds: each one's values; those without any are left out.
    """
    live = [found for values in seeds if len(found := np.sort(np.asarray(values, np.float64)))]
    if len(live) != 1:
        return over_seeds([float(np.median(values)) for values in live])
    values = live[0]
    half = NORMAL * len(values) ** 0.5 / 2.0
    below, above = int(max(len(values) / 2.0 - half, 0)), int(min(len(values) / 2.0 + half, len(values) - 1))
    return Figure(float(np.median(values)), float(values[below]), float(values[above]))


def _of_cases(cases: Cases) -> Figure:
    """A ratio of sums, its standard error linearised."""
    n, estimate = len(cases.part), cases.ratio
    if n < 2:
        return Figure(estimate, float("nan"), float("nan"))
    off = cases.part - estimate * cases.whole
    half = NORMAL * float(off.std(ddof=1)) * n**0.5 / abs(float(cases.whole.sum()))
    return Figure(estimate, estimate - half, estimate + half)
