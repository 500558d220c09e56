"""The index: what a merchant's evidence, shrunk to its trade, makes of its place in organic ranking.

    T = logistic(2·Σ_d w_d·z_d + (1 − e)·logit(T₀)),   e = Σ_d w_d·known_d

with the declared trust T₀ as the prior that evidence takes the place of, and not below min(T₀, 0.4) while e ≤ 1/4; from
there to e = 1/2 that floor goes. It is smooth in all that it is made of; the bands are only read off it.
"""

from dataclasses import dataclass, field
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from fieldline.trust.deals import PARTS
from fieldline.trust.evidence import HALF_LIFE, Evidence, day_of, gain
from fieldline.trust.peers import Floats, Ints, Peers, standing
from fieldline.trust.signals import AGAIN, COUNT, DIMENSIONS, KEPT_MONEY, KEPT_ORDERS, LONG_VIEWS
from fieldline.units import DAY, HOUR

GAIN = 2.0
"""How far T answers to z: with it T of merchants that are known differs by about one logit (sd)."""
FLOOR = 0.4
"""Nothing unknown stands below this, unless it was declared lower."""
UNKNOWN, KNOWN = 0.25, 0.5
"""The floor holds while less than the first share is known, and no longer when the second is."""
MOST_PER_BUYER = 3.0
"""Orders that a buyer with ever so many counts for: n orders count 3n/(2 + n)."""
RETURN_HALF = 30 * DAY
"""Half of those who will buy again have done so by now."""
EARLIEST = 0.02
"""Least chance of being back that a square is divided by: that of a day is 0.023."""
QUARTILE = 0.6745
SHARPEST = 0.1
"""A band's edge is never taken to be known better than to this share of the spread of peers."""

BANDS = ("leading", "average", "below")


@dataclass(slots=True)
class Index:
    """Each merchant's standing, as of the newest tick; by the numbers of `Evidence.shops`."""

    peers: Peers = field(default_factory=Peers)
    trades: list[str] = field(default_factory=list)
    """Of each merchant [M]; empty: it sells nothing."""
    sums: Floats = field(default_factory=lambda: np.zeros((0, COUNT)))
    counts: Floats = field(default_factory=lambda: np.zeros((0, COUNT)))
    z: Floats = field(default_factory=lambda: np.zeros((0, len(DIMENSIONS))))
    known: Floats = field(default_factory=lambda: np.zeros((0, len(DIMENSIONS))))
    trust: Floats = field(default_factory=lambda: np.zeros(0))
    spread: Floats = field(default_factory=lambda: np.zeros(0))
    """Posterior sd of trust."""


def tallied(
    evidence: Evidence, rows: NDArray[np.int64], weight: Floats, now: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return what buyers told of each merchant: S, N, Q and R [M, 12], see `trust.peers`.

    Args:
        evidence: only read.
        rows: whose evidence is taken, [R].
        weight: how far each of them counts [R].
        now: ms.
    """
    shop = evidence.shop[rows]
    count = evidence.counts[rows] / gain(evidence, now)
    of = evidence.values[rows] / gain(evidence, now)
    share = np.divide(of, count, out=np.ones_like(of), where=count > 0.0)
    count[:, KEPT_MONEY] = count[:, KEPT_ORDERS]
    bounded = weight[:, None] * MOST_PER_BUYER * count / (MOST_PER_BUYER - 1.0 + count)
    chance, returned = _returns(evidence, rows, now)
    faded = weight * 2.0 ** ((_days(evidence.last[rows]) - day_of(now)) / HALF_LIFE)
    exposed = (faded * chance)[:, None]
    again = faded[:, None] * returned
    once = np.maximum(chance, EARLIEST)[:, None]
    shops = len(evidence.shops)
    sums = _by_shop(shop, shops, bounded * share, again)
    counts = _by_shop(shop, shops, bounded, exposed)
    squares = _by_shop(shop, shops, bounded * share**2, again * returned / once)
    weights = _by_shop(shop, shops, bounded**2, exposed**2)
    looks = evidence.looks[: len(sums)] / gain(evidence, now)
    sums[:, LONG_VIEWS:AGAIN] = squares[:, LONG_VIEWS:AGAIN] = looks[:, 1:4]
    counts[:, LONG_VIEWS:AGAIN] = looks[:, :1]
    weights[:, LONG_VIEWS:AGAIN] = looks[:, 4:] / gain(evidence, now)
    return sums, counts, squares, weights


def scored(z: Floats, known: Floats, declared: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return each merchant's index and its posterior sd, float64 [M] each.

    Args:
        z: of each dimension, in standard deviations of peers [M, 4].
        known: how much of it is known [M, 4].
        declared: T0 [M].
        weights: of the dimensions [4], summing to 1.
    """
    unknown = 1.0 - known @ weights
    prior = np.clip(declared, 0.02, 0.98)
    trust = 1.0 / (1.0 + np.exp(-(GAIN * (z @ weights) + unknown * np.log(prior / (1.0 - prior)))))
    fresh = np.clip((KNOWN - (1.0 - unknown)) / (KNOWN - UNKNOWN), 0.0, 1.0)
    trust = trust + fresh**2 * (3.0 - 2.0 * fresh) * np.maximum(np.minimum(prior, FLOOR) - trust, 0.0)
    return trust, GAIN * trust * (1.0 - trust) * np.sqrt((1.0 - known) @ weights**2)


def refresh(index: Index, evidence: Evidence, shops: Ints, now: int) -> None:
    """Bring some merchants' standing up to date with their evidence, measured by the peers of the last midnight.

    Args:
        index: changed in place.
        evidence: only read.
        shops: their numbers.
        now: ms.
    """
    rows = np.array([row for shop in shops.tolist() for row in evidence.of_shop[shop]], np.int64)
    sums, counts, *_ = tallied(evidence, rows, evidence.weight[rows], now)
    index.sums[shops], index.counts[shops] = sums[shops], counts[shops]
    measured = Peers(index.peers.mean[shops], index.peers.apart[shops], index.peers.needed[shops])
    index.z[shops], index.known[shops] = standing(sums[shops], counts[shops], measured)


def bands(trust: float, known: Floats, weights: Floats) -> tuple[float, float, float]:
    """Return the chances that a merchant belongs to the upper quarter of its trade, its middle half, its lower quarter.

    Args:
        trust: T.
        known: how much is known of each dimension [4].
        weights: of the dimensions [4].
    """
    whole = float(np.sqrt(weights @ weights))
    sd = max(float(np.sqrt((1.0 - known) @ weights**2)), SHARPEST * whole)
    x = float(np.log(trust / (1.0 - trust))) / GAIN
    upper = 1.0 - _normal((QUARTILE * whole - x) / sd)
    lower = _normal((-QUARTILE * whole - x) / sd)
    return upper, 1.0 - upper - lower, lower


def _by_shop(shop: Ints, shops: int, parts: Floats, returns: Floats) -> Floats:
    """Sum the columns of rows [R, 7] and [R, 1 or 2] by merchant, [M, 12]."""
    table = np.zeros((shops, COUNT))
    for number in range(PARTS):
        table[:, number] = np.bincount(shop, parts[:, number], shops)
    for number in range(AGAIN, COUNT):
        table[:, number] = np.bincount(shop, returns[:, min(number - AGAIN, returns.shape[1] - 1)], shops)
    return table


def _returns(evidence: Evidence, rows: NDArray[np.int64], now: int) -> tuple[Floats, Floats]:
    """Return the chance that a returning buyer is back by now [R], and who is: again, and further visits [R, 2]."""
    exposed = np.maximum(now - evidence.first[rows], 0) / RETURN_HALF
    chance = np.where(evidence.orders[rows] > 0.0, 1.0 - 2.0**-exposed, 0.0)
    further = np.maximum(evidence.visits[rows] - 1.0, 0.0)
    return chance, np.stack((np.minimum(further, 1.0), np.minimum(further, 4.0) / 4.0), axis=1)


def _days(at: NDArray[np.int64]) -> NDArray[np.int64]:
    return (at + 8 * HOUR) // DAY


def _normal(x: float) -> float:
    return 0.5 * (1.0 + erf(x / sqrt(2.0)))
