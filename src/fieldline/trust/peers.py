"""Peers: what is usual in a merchant's trade, and how far merchants differ, each judged without its own evidence.

Bühlmann–Straub credibility of shares S/N with the squares Q = Σ w·x² and R = Σ w² of the weights w that N sums:

    within      v  = (Σ Q − Σ S²/N + D·v₀)/(Σ N − Σ R/N + D)
    between     σ² = (Σ_trades (Σ S²/N − (Σ S)²/Σ N) − v·(Σ R/N − Σ_trades Σ R/Σ N) + D·σ₀²)
                     /(Σ_trades (Σ N − Σ N²/Σ N) + D)
    the trade's mean μ, drawn to the mean of all as trades differ (the same formulas, trades in the place of merchants)
    in the trade     σ_t² = σ²·μ(1 − μ)/(μ̄(1 − μ̄)), v_t likewise, μ̄ the mean of all: shares near 0 or 1 differ less

and the shrunk standing z = Σ_s I_s·(S/N − μ)/σ_t / (1 + Σ I_s) with the information I_s = part·N·σ²/v. All sums leave
the merchant itself out, so that what it does moves its standing and never its yardstick.
Source: Bühlmann and Straub (1970); for shares and for rates this is the empirical Bayes mean of the beta and of the
gamma with moments fitted. A trade's variances are those of beta-binomial shares of one intra-class correlation.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.trust.signals import COUNT, DIMENSIONS, SIGNALS

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

WORTH = 50.0
"""D: what is usual before any merchant was seen counts for so many buyers."""
LEAST = 0.25
"""Merchants are never taken to differ by less than this share of what is usual."""
EDGE = 0.005
"""A usual share is never taken to be nearer to 0 or 1 than this."""
FARTHEST = 3.0
"""Standard deviations from its trade that a merchant's dimension can stand."""

USUAL = np.array([signal.usual for signal in SIGNALS])
APART = np.array([signal.apart for signal in SIGNALS])
PART = np.array([signal.part for signal in SIGNALS])
DIMENSION = np.array([signal.dimension for signal in SIGNALS])


@dataclass(slots=True)
class Peers:
    """What each merchant is measured by [M, 12]."""

    mean: Floats = field(default_factory=lambda: np.zeros((0, COUNT)))
    """mu of its trade."""
    apart: Floats = field(default_factory=lambda: np.zeros((0, COUNT)))
    """sigma_t, how far merchants of its trade differ."""
    needed: Floats = field(default_factory=lambda: np.zeros((0, COUNT)))
    """v/sigma², the buyers with whom half is known."""


def peers(sums: Floats, counts: Floats, squares: Floats, weights: Floats, trade: Ints) -> Peers:
    """Return what each merchant is measured by.

    Args:
        sums: S [M, 12].
        counts: N [M, 12].
        squares: Q [M, 12].
        weights: R [M, 12].
        trade: of each merchant [M], −1 where it has none.
    """
    number = trade.astype(np.int64) + 1
    trades = int(number.max()) + 1 if len(number) else 1
    means, free = (
        np.divide(of, counts, out=np.zeros_like(sums), where=counts > 1e-12) for of in (sums, weights)
    )
    columns = np.stack((sums, counts, sums * means, counts**2, free, squares, weights))  # [7, M, 12]
    of_trade = np.zeros((trades, 7, COUNT))
    np.add.at(of_trade, number, columns.swapaxes(0, 1))
    of_trade = of_trade.swapaxes(0, 1)  # [7, trades, 12]
    of_all = of_trade.sum(1)  # [7, 12]
    others = of_trade[:, number] - columns  # the trade without the merchant [7, M, 12]
    everyone = of_all[:, None] - columns
    whole = _between(of_trade)
    spread, freedom, room = (
        total.sum(0) - total[number] + own for total, own in zip(whole, _between(others), strict=True)
    )
    s, n, ssn, _, free, q, _ = everyone
    within = np.maximum(q - ssn, 0.0) + WORTH * USUAL * (1.0 - USUAL)
    v = within / (np.maximum(n - free, 0.0) + WORTH)
    between = (spread - v * freedom + WORTH * APART**2) / (room + WORTH)
    apart = np.sqrt(np.maximum(between, (LEAST * APART) ** 2))
    overall = (s + WORTH * USUAL) / (n + WORTH)
    drawn = _drawn(of_trade, others, number, v, apart)
    mean = (others[0] + drawn * overall) / (others[1] + drawn)
    return Peers(mean, apart * np.sqrt(_free(mean) / _free(overall)), v / apart**2)


def standing(sums: Floats, counts: Floats, peers: Peers) -> tuple[Floats, Floats]:
    """Return how far each merchant stands from its trade in each dimension, and how much of it is known.

    Args:
        sums: S [M, 12].
        counts: N [M, 12].
        peers: what each is measured by.

    Returns:
        z in standard deviations, shrunk to 0, and the share that is known, each float64 [M, 4].
    """
    information = PART * counts / peers.needed
    away = PART * (sums - counts * peers.mean) / (peers.needed * peers.apart)
    z, known = np.zeros((len(sums), len(DIMENSIONS))), np.zeros((len(sums), len(DIMENSIONS)))
    for number in range(len(DIMENSIONS)):
        of = np.flatnonzero(number == DIMENSION)
        told = information[:, of].sum(1)
        z[:, number] = away[:, of].sum(1) / (1.0 + told)
        known[:, number] = told / (1.0 + told)
    return np.clip(z, -FARTHEST, FARTHEST), known


def _free(share: Floats) -> Floats:
    """Return the variance of one trial of a share, s(1 − s)."""
    inside = np.clip(share, EDGE, 1.0 - EDGE)
    return np.asarray(inside * (1.0 - inside))


def _drawn(of_trade: Floats, others: Floats, number: NDArray[np.int64], v: Floats, apart: Floats) -> Floats:
    """Return the buyers with whom half of a trade's mean is known [M, 12]: v_t/τ², trades compared as merchants are."""
    s, n, _, nn, _, _, weights = of_trade.sum(1)[:, None] - of_trade[:, number] + others
    whole, own = (np.stack(_trades(of)) for of in (of_trade, others))
    squares, sizes, trades = whole.sum(1)[:, None] - whole[:, number] + own
    safe = np.maximum(n, 1e-12)
    each = (v * weights + apart**2 * nn) / safe
    spread = np.maximum(squares - s * s / safe, 0.0) - np.maximum(trades - 1.0, 0.0) * each
    room = np.maximum(n - sizes / safe, 0.0)
    tau = np.maximum((spread + WORTH * (APART / 2.0) ** 2) / (room + WORTH), (LEAST * APART / 2.0) ** 2)
    return np.asarray(np.maximum(each, LEAST * v) / tau)


def _trades(of: Floats) -> tuple[Floats, Floats, Floats]:
    """(Σ S)²/Σ N of a trade, (Σ N)², and whether it is there."""
    s, n = of[0], of[1]
    there = n > 1e-9
    return np.where(there, s * s / np.maximum(n, 1e-12), 0.0), n * n, there.astype(np.float64)


def _between(of: Floats) -> tuple[Floats, Floats, Floats]:
    """Squares between merchants of a trade, their degrees of freedom, and the room that their sizes leave."""
    s, n, ssn, nn, free, _, weights = of
    safe = np.maximum(n, 1e-12)
    spread = np.maximum(np.where(n > 1e-12, ssn - s * s / safe, 0.0), 0.0)
    room = np.maximum(np.where(n > 1e-12, n - nn / safe, 0.0), 0.0)
    freedom = np.maximum(np.where(n > 1e-12, free - weights / safe, 0.0), 0.0)
    return spread, freedom, room
