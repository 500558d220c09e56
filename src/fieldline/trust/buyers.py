"""Buyers: how far each counts as evidence of each merchant, judged by their life elsewhere.

A buyer v counts for merchant m by what they bought at other merchants that stand for themselves:

    ℓ(v, m) = Σ_{m' ≠ m bought at} a(m')·max(0, 1 − 2·x(m', m))
    c(v, m) = ℓ²/(h² + ℓ²)·min(1, 3ℓ/orders of v at m),  h = min(1, u/4)

u is the usual life in this market: half of all life (Σ ℓ, each buyer's the mean over their merchants) is of buyers
with at least u, so that accounts with little life elsewhere do not lower it. a(m') = min(1, buyers(m')/B)² where the
merchants with at least B buyers hold half of all pairs, and x is by how much m' shares its buyers with m beyond chance:
(o − p)/(1 − p), o = |buyers of both|/buyers(m'), p = buyers(m)/(all + 10). So accounts that live for one shop, shops
that live off the same accounts, and shops that nobody else buys at, vouch for nobody. It is done twice: the second time
everyone counts, in u, a, x and p, only as far as they were believed the first time, so that no crowd of accounts moves
a bar or takes a merchant's true buyers their say, and what comes out is multiplied by that. A merchant's own accounts
count nowhere.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

MOST = 32
"""Merchants by which a buyer is judged, the first that they bought at."""
PER_LIFE = 3.0
"""Orders at one merchant that each merchant elsewhere stands for."""
RICH, SHORTEST = 4.0, 0.5
"""Where the usual life is as long as the first, one merchant elsewhere makes half a say; and its least length."""
UNSEEN = 10.0
DOUBTED, BELIEVED = 0.2, 0.6
"""Who counted less than the first share the first time counts for nothing; the second, in full."""


class Pairs(NamedTuple):
    """Buyers at merchants, and each beside the others of its buyer."""

    buyer: Ints
    shop: Ints
    orders: Floats
    here: NDArray[np.int64]
    there: NDArray[np.int64]
    which: NDArray[np.int64]
    """Number of the two merchants of each companion."""
    once: NDArray[np.int64]
    """One pair of each buyer."""


def anchors(size: Floats) -> Floats:
    """Return how far each merchant can vouch for a buyer, a in [0, 1].

    Args:
        size: how many buyers it has [M].
    """
    largest = np.sort(size)[::-1]
    half = np.searchsorted(np.cumsum(largest), size.sum() / 2.0)
    bar = max(largest.item(min(half, len(size) - 1)), 1.0) if len(size) else 1.0
    return np.asarray(np.minimum(size / bar, 1.0) ** 2)


def credibility(
    buyer: Ints, shop: Ints, orders: Floats, lives: NDArray[np.bool_], count: int
) -> tuple[Floats, Floats]:
    """Return c(v, m) of each pair by its buyer's whole life, and by the part of it that lasted.

    Args:
        buyer: of each pair [P], none of them a merchant's own account.
        shop: of each pair [P].
        orders: ever made by each pair [P], > 0.
        lives: whether a pair lasted, so that it speaks for its buyer elsewhere [P].
        count: number of merchants.

    Returns:
        float64 [P] each, in [0, 1).
    """
    if not len(buyer):
        return np.zeros(0), np.zeros(0)
    pairs = _pairs(buyer, shop, orders, count)
    elsewhere = shop[pairs.here] != shop[pairs.there]
    first = _judged(pairs, (elsewhere,), np.ones(len(buyer)), np.ones(len(buyer)), count)[0]
    _, who, times = np.unique(buyer, return_inverse=True, return_counts=True)
    person = (np.bincount(who, first) / times)[who]
    whole, lasting = _judged(
        pairs, (elsewhere, elsewhere & lives[pairs.there]), first, _believed(person), count
    )
    return whole * _believed(first), lasting * _believed(first)


def lookers(buyer: Ints, found: Floats, viewers: int) -> Floats:
    """Return how far each viewer's looks count: as far as they do as a buyer, on the average of their merchants [V].

    Args:
        buyer: of each pair [P].
        found: c(v, m) of each pair [P].
        viewers: their number.
    """
    whole = np.bincount(buyer, found, viewers)
    return np.asarray(whole / np.maximum(np.bincount(buyer, minlength=viewers), 1))


def _pairs(buyer: Ints, shop: Ints, orders: Floats, count: int) -> Pairs:
    here, there = _companions(buyer)
    keys = shop[there].astype(np.int64) * count + shop[here]
    _, which = np.unique(keys, return_inverse=True)
    return Pairs(buyer, shop, orders, here, there, which, np.unique(buyer, return_index=True)[1])


def _judged(
    pairs: Pairs, elsewhere: tuple[NDArray[np.bool_], ...], found: Floats, person: Floats, count: int
) -> list[Floats]:
    """Return c(v, m) of each pair where merchants have the buyers that were found [P], each a person so far [P].

    Args:
        pairs: all of them.
        elsewhere: for each way to judge, which companions speak for whom.
        found: c so far [P].
        person: how far each pair's buyer is believed [P].
        count: number of merchants.
    """
    shop, here, there = pairs.shop, pairs.here, pairs.there
    size = np.bincount(shop, person, count)
    shared = np.bincount(pairs.which, person[here])[pairs.which]
    ours, theirs = size[shop[here]], size[shop[there]]
    chance = ours / (person[pairs.once].sum() + UNSEEN)
    both = np.divide(shared, theirs, out=np.ones_like(shared), where=theirs > 0.0)
    beyond = np.maximum((both - chance) / (1.0 - chance), 0.0)
    anchor = anchors(np.bincount(shop, found, count).astype(np.float64))
    vouch = anchor[shop[there]] * np.maximum(1.0 - 2.0 * beyond, 0.0)
    lives = [np.bincount(here, vouch * speaks, len(shop)) for speaks in elsewhere]
    half = min(1.0, max(_usual(pairs.buyer, np.asarray(lives[0]), person), SHORTEST) / RICH)
    return [life**2 / (half**2 + life**2) * np.minimum(PER_LIFE * life / pairs.orders, 1.0) for life in lives]


def _usual(buyer: Ints, life: Floats, person: Floats) -> float:
    """Return the length from which on buyers' lives are half of all of life, each a person as far as believed."""
    _, who, times = np.unique(buyer, return_inverse=True, return_counts=True)
    each = np.bincount(who, life) / times
    order = np.argsort(-each, kind="stable")
    lived = np.cumsum((each * np.bincount(who, person) / times)[order])
    return float(each[order[np.searchsorted(lived, lived[-1] / 2.0)]])


def _believed(found: Floats) -> Floats:
    """Return how far what was found the first time is believed, rising smoothly from 0 to 1."""
    share = np.clip((found - DOUBTED) / (BELIEVED - DOUBTED), 0.0, 1.0)
    return np.asarray(share**2 * (3.0 - 2.0 * share))


def _companions(buyer: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each pair beside each of the first pairs of its buyer, as two columns of their numbers."""
    order = np.argsort(buyer, kind="stable")
    starts = np.flatnonzero(np.diff(buyer[order], prepend=-1))
    lengths = np.diff(np.append(starts, len(order)))
    fits = np.minimum(lengths, MOST)
    each = np.repeat(fits, lengths)
    here = np.repeat(order, each)
    firsts = np.repeat(np.repeat(starts, lengths), each)
    steps = np.arange(len(here)) - np.repeat(np.cumsum(each) - each, each)
    return here, order[firsts + steps]
