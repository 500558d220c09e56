"""Marks: buyers who earn their merchant nothing by what they buy there, as nobody stands for them.

Who counts for nothing as a buyer (`trust.buyers`, c = 0) may be an account that lives for one shop, or somebody new.
Who bought twice or more and still counts for nothing is marked. Who bought once is somebody new, as far as merchant m
has no more of them than the trade of others explains,

    bar(m) = e + 3·√e + 3,    e = 2·old(m)·new/old,

old(m) being its buyers who bought twice and count, new and old the once-only and such buyers of all other merchants;
beyond it the latest are marked, and the merchant is full. All that only where most of those who bought twice do count:
in a young market nobody can be vouched for, and to count for nothing says nothing.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int32]

MANY = 100
"""Pairs of those who bought twice below which a market tells nothing."""
MOST = 0.5
"""Share of those pairs that must count."""
LENIENT = 2.0
"""How many times more new buyers a merchant may have than others have for as many old ones."""
SPREADS = 3.0
SPARE = 3.0
"""New buyers that any merchant may have."""


@dataclass(slots=True)
class Marks:
    """Whom the last midnight marked."""

    telling: bool = False
    """Whether most of those who bought twice counted."""
    pairs: dict[tuple[int, int], None] = field(default_factory=dict)
    """Buyer and merchant."""
    full: dict[int, None] = field(default_factory=dict)
    """Merchants with as many new buyers as they may have."""


class Found(NamedTuple):
    """Whom a midnight marks; n pairs of buyer and merchant, M merchants."""

    telling: bool
    pairs: Flags  # [n]
    full: Flags  # [M]


def find(buyer: Ints, shop: Ints, orders: Floats, first: NDArray[np.int64], say: Floats, count: int) -> Found:
    """Return which pairs of buyer and merchant are marked, and which merchants are full.

    Args:
        buyer: of each pair [n], none of them a merchant's own account.
        shop: of each pair [n].
        orders: ever made by each pair [n], > 0.
        first: when each pair began, ms [n].
        say: c(v, m) of each pair [n].
        count: number of merchants M.
    """
    new = np.bincount(buyer, orders)[buyer] < 1.5 if len(buyer) else np.zeros(0, bool)
    heard, again = say > 0.0, ~new
    if again.sum() < MANY or heard[again].mean() < MOST:
        return Found(False, np.zeros(len(buyer), bool), np.zeros(count, bool))
    lone = again & ~heard
    news, olds = (np.bincount(shop, which, count) for which in (new, again & heard))
    others = np.maximum(olds.sum() - olds, 1.0)
    expected = LENIENT * olds * (news.sum() - news) / others
    bar = expected + SPREADS * np.sqrt(expected) + SPARE
    late = new & (_place(shop, first, new, count) >= bar[shop])
    return Found(True, lone | late, news >= bar)


def _place(shop: Ints, first: NDArray[np.int64], new: Flags, count: int) -> NDArray[np.int64]:
    """Return which of its merchant's new buyers each is, from 0, in the order in which they came [n]."""
    order = np.lexsort((first, ~new, shop))
    starts = np.searchsorted(shop[order], np.arange(count))
    place = np.empty(len(shop), np.int64)
    place[order] = np.arange(len(shop)) - starts[shop[order]]
    return place
