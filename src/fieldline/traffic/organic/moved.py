"""What organic prices moved: a slate held against the one that the same scores give without them.

The candidates that a decision logs are placed again, best first, by their scores without named prices, paid places
and caps as they were. An item at slot k that would then have stood at r (K: nowhere) gained e_k − e_r looks; what
those above it gained, those below it lost, so that gains and losses sum to nothing. Costs are the values that the
slate lost by it. It knows the candidates that were logged (`Policy.explained`), and no others.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.compiled import njit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Caps(NamedTuple):
    """Most slots of one group and of one category in a slate."""

    group: int
    category: int


class Moved(NamedTuple):
    """What the prices of one decision moved; looks."""

    looks: Floats
    """Gained (lost, below 0) by each contender [n]."""
    viewer_value: float
    """Viewer value that the slate lost, yuan."""
    goods_value: float
    """Goods value that it lost, yuan."""
    mean_score: float
    """Of the slate without prices, yuan per look."""


def moved(
    slot: Ints,
    looks: Floats,
    score: Floats,
    price: Floats,
    value: Floats,
    group: Ints,
    category: Ints,
    paid: Ints,
    caps: Caps,
) -> Moved:
    """Return what organic prices moved in one slate.

    Args:
        slot: of each contender, −1: not shown [n].
        looks: e_k [K].
        score: with prices, yuan per look [n].
        price: sum of the named prices of each [n].
        value: viewer value and goods value, yuan per look [n, 2].
        group: whose cap counts, −1: nobody's [n].
        category: likewise [n].
        paid: 1: its slot is paid for and stays [n].
        caps: of a slate.
    """
    count = len(looks)
    place = np.full(len(slot), -1, np.int64)
    base = score - price
    refill(slot, base, group, category, paid, caps.group, caps.category, count, place)
    seen = np.append(looks, 0.0)
    here, there = np.where(slot >= 0, slot, count), np.where(place >= 0, place, count)
    gained = seen[here] - seen[there]
    lost = -(gained[:, None] * value).sum(axis=0)
    mean = float(base[place >= 0].mean()) if (place >= 0).any() else 0.0
    return Moved(gained, float(lost[0]), float(lost[1]), mean)


@njit
def refill(
    slot: Ints,  # [n]
    base: Floats,  # [n]
    group: Ints,  # [n]
    category: Ints,  # [n]
    paid: Ints,  # [n]
    group_cap: int,
    category_cap: int,
    slots: int,
    place: Ints,  # [n] out: −1 where not shown
) -> None:
    """Place contenders by base, best first, within caps; those of paid slots stay where they are."""
    order = np.argsort(-base, kind="mergesort")
    taken = np.zeros(slots, np.int64)
    for n in range(len(slot)):
        if paid[n] and slot[n] >= 0:
            place[n] = slot[n]
            taken[slot[n]] = 1
    for k in range(slots):
        if taken[k]:
            continue
        for n in order:
            if place[n] >= 0:
                continue
            of_group = 0
            of_category = 0
            for m in range(len(slot)):
                if place[m] >= 0:
                    of_group += group[m] == group[n]
                    of_category += category[m] == category[n]
            if (group[n] >= 0 and of_group >= group_cap) or (
                category[n] >= 0 and of_category >= category_cap
            ):
                continue
            place[n] = k
            break


def warm() -> None:
    """Compile (or read from its cache) what a decision's count needs."""
    one, none = np.zeros(1, np.int64), np.full(1, -1, np.int64)
    nought = np.zeros(1)
    moved(one, np.ones(1), nought, nought, np.zeros((1, 2)), none, none, one, Caps(1, 1))


def shares(gained: Floats, parts: Floats) -> Floats:
    """Return which price gave each contender's gained looks [n, P]: in proportion to those above 0.

    Args:
        gained: looks [n]; what is lost is nobody's.
        parts: prices by name, yuan per look [n, P].

    Returns:
        Rows sum to what was gained; where no price is above 0 (others were priced down), the first one gave it.
    """
    up = np.maximum(parts, 0.0)
    total = up.sum(axis=1, keepdims=True)
    first = np.zeros_like(up)
    first[:, 0] = 1.0
    share = np.where(total > 0.0, up / np.maximum(total, 1e-30), first)
    return np.asarray(np.maximum(gained, 0.0)[:, None] * share)
