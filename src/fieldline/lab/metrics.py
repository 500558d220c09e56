"""Measures of predictions, of orders and of how evenly exposure is spread."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the chance that a positive scores above a negative, a tie counting half.

    Args:
        labels: [n], positive where above 0.5.
        scores: [n].

    Returns:
        The area in [0, 1]; NaN without both classes.
    """
    positive = np.asarray(labels, np.float64) > 0.5
    ranks = _mid_ranks(np.asarray(scores, np.float64))
    hits = int(positive.sum())
    misses = len(positive) - hits
    if not hits or not misses:
        return float("nan")
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))


def gauc(labels: ArrayLike, scores: ArrayLike, groups: ArrayLike) -> float:
    """Return the mean AUC of groups (viewers) that have both classes, weighted by their exposures.

    Args:
        labels, scores: [n].
        groups: [n], which group each belongs to.

    Returns:
        Σ n_g·AUC_g / Σ n_g; NaN where no group has both classes. Source: Zhu et al., KDD 2017.
    """
    positive = np.asarray(labels, np.float64) > 0.5
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    ranks = _mid_ranks(np.asarray(scores, np.float64), group)
    exposures = np.bincount(group)
    hits = np.bincount(group, positive)
    misses = exposures - hits
    both = (hits > 0) & (misses > 0)
    if not both.any():
        return float("nan")
    rank_sums = np.bincount(group, ranks * positive)[both]
    hits, misses, exposures = hits[both], misses[both], exposures[both]
    areas = (rank_sums - hits * (hits + 1) / 2) / (hits * misses)
    return float(np.average(areas, weights=exposures))


def log_loss(labels: ArrayLike, chances: ArrayLike) -> float:
    """Return the mean of −y·ln p − (1 − y)·ln(1 − p), with p held in [1e-7, 1 − 1e-7].

    Args:
        labels: [n] in [0, 1].
        chances: [n] predicted.
    """
    y = np.asarray(labels, np.float64)
    p = np.clip(np.asarray(chances, np.float64), 1e-7, 1.0 - 1e-7)
    return float(np.mean(-y * np.log(p) - (1.0 - y) * np.log1p(-p)))


def ndcg_at(gains: ArrayLike, k: int = 10) -> float:
    """Return DCG@k of an order over that of the best order; DCG = Σ gain_r / log2(r + 1), r = 1 … k.

    Args:
        gains: [n], in the order shown.
        k: places that count.

    Returns:
        A share in [0, 1]; NaN where nothing has a gain.
    """
    shown = np.asarray(gains, np.float64)
    best = np.sort(shown)[::-1][:k]
    discount = 1.0 / np.log2(np.arange(2, len(best) + 2))
    ideal = float(best @ discount)
    return float(shown[:k] @ discount) / ideal if ideal > 0.0 else float("nan")


def gini(amounts: ArrayLike) -> float:
    """Return how unevenly amounts are spread: 0 = all equal, (n − 1)/n = one has all.

    G = Σ (2r − n − 1)·x_r / (n·Σ x), x sorted ascending, r = 1 … n.

    Args:
        amounts: [n], not negative.

    Returns:
        G; NaN where there is nothing to spread.
    """
    x = np.sort(np.asarray(amounts, np.float64))
    total = float(x.sum())
    if total <= 0.0:
        return float("nan")
    n = len(x)
    return float(((2.0 * np.arange(1, n + 1) - n - 1.0) @ x) / (n * total))


def tier_shares(amounts: ArrayLike, ranked_by: ArrayLike, sizes: Sequence[int]) -> list[float]:
    """Return what share of all amounts each tier of a ranking holds.

    Args:
        amounts: [n], not negative.
        ranked_by: [n]; the largest come first, of equal ones the lower index.
        sizes: members of each tier from the top, n in all.

    Returns:
        A share each; NaN where there is nothing to share.
    """
    amount, rank = np.asarray(amounts, np.float64), np.asarray(ranked_by, np.float64)
    total = float(amount.sum())
    tiers = np.split(amount[np.argsort(-rank, kind="stable")], np.cumsum(sizes)[:-1])
    return [float(tier.sum()) / total if total > 0.0 else float("nan") for tier in tiers]


def _mid_ranks(scores: Floats, group: NDArray[np.int64] | None = None) -> Floats:
    """Ranks from 1 within each group, ties sharing their mean rank."""
    group = np.zeros(len(scores), np.int64) if group is None else group
    order = np.lexsort((scores, group))
    g, s = group[order], scores[order]
    new_group = np.r_[True, g[1:] != g[:-1]][: len(g)]
    new_run = new_group.copy()
    new_run[1:] |= s[1:] != s[:-1]
    begins = np.flatnonzero(new_run)
    ends = np.r_[begins[1:], len(s)]
    first = np.flatnonzero(new_group)
    offset = np.repeat(first, np.diff(np.r_[first, len(g)]))[begins] if len(g) else begins
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat((begins + 1 + ends) / 2 - offset, ends - begins)
    return ranks
