"""Marks: whom a midnight takes for an account that lives for one shop, and whom for somebody new."""

from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fieldline.trust import marks
from fieldline.trust.marks import MANY


class Pair(NamedTuple):
    """A buyer at a shop."""

    buyer: int
    shop: int
    orders: float
    first: int
    say: float


REGULARS = [Pair(buyer, shop, 1.0, 0, 0.9) for buyer in range(60) for shop in range(3)]


def found(*pairs: Pair, shops: int = 3) -> tuple[bool, list[tuple[int, int]], list[int]]:
    """Whether the market tells, who is marked where, and which shops are full."""
    buyer, shop, orders, first, say = (np.array(column) for column in zip(*pairs, strict=True))
    told = marks.find(
        buyer.astype(np.int32),
        shop.astype(np.int32),
        orders.astype(float),
        first.astype(np.int64),
        say,
        shops,
    )
    named = [(pairs[k].buyer, pairs[k].shop) for k in np.flatnonzero(told.pairs).tolist()]
    return told.telling, named, np.flatnonzero(told.full).tolist()


def test_who_bought_twice_and_counts_for_nothing_is_marked() -> None:
    """Twice at one shop or once at each of two, without a say: marked where they have none, and only there."""
    more = [Pair(60, 0, 2.0, 0, 0.0), Pair(61, 0, 1.0, 0, 0.0), Pair(61, 1, 1.0, 0, 0.5)]
    assert found(*REGULARS, *more) == (True, [(60, 0), (61, 0)], [])


def test_who_bought_once_is_somebody_new() -> None:
    """Two who bought once each at one shop are not marked."""
    assert found(*REGULARS, Pair(60, 0, 1.0, 5, 0.0), Pair(61, 0, 1.0, 6, 0.0)) == (True, [], [])


def test_the_latest_of_too_many_new_ones_are_marked() -> None:
    """Where others have none a shop may have three: of five the two who came last are marked, and it is full; with the
    third it is full before anyone is marked."""
    five = [Pair(60 + k, 2, 1.0, first, 0.0) for k, first in enumerate((50, 10, 40, 20, 30))]
    assert found(*REGULARS, *five) == (True, [(60, 2), (62, 2)], [2])
    assert found(*REGULARS, *five[1:4]) == (True, [], [2])


def test_what_others_have_is_what_a_shop_may_have() -> None:
    """Where each of the other two has 15 new ones for 60 old ones a shop may have 30 + 3·√30 + 3 = 49.4: of sixty ten
    are marked."""
    others = [Pair(100 + 15 * shop + k, shop, 1.0, k, 0.0) for shop in (0, 1) for k in range(15)]
    crowd = [Pair(200 + k, 2, 1.0, k, 0.0) for k in range(60)]
    assert found(*REGULARS, *others, *crowd) == (True, [(200 + k, 2) for k in range(50, 60)], [2])


def test_a_young_market_tells_nothing() -> None:
    """With fewer than a hundred pairs of those who bought twice, or most of them without a say, nobody is marked."""
    ring = [Pair(70 + k, 0, 3.0, 0, 0.0) for k in range(20)]
    assert found(*REGULARS[: MANY - 21], *ring)[0] is False
    assert found(*REGULARS[: MANY - 20], *ring)[0] is True
    crowd = [Pair(70 + k, 0, 3.0, 0, 0.0) for k in range(181)]
    assert found(*REGULARS, *crowd) == (False, [], [])
    assert len(found(*REGULARS, *crowd[:180])[1]) == 180


def test_nobody_marks_nobody() -> None:
    """Without a buyer there is nothing to tell."""
    none = np.zeros(0, np.int32)
    told = marks.find(none, none, np.zeros(0), np.zeros(0, np.int64), np.zeros(0), 2)
    assert (told.telling, len(told.pairs), told.full.tolist()) == (False, 0, [False, False])


@given(
    st.lists(
        st.tuples(st.integers(60, 90), st.integers(0, 2), st.integers(1, 4), st.integers(0, 9), st.booleans()),
        max_size=60, unique_by=lambda pair: pair[:2],
    )
)  # fmt: skip
def test_who_has_a_say_is_never_marked(more: list[tuple[int, int, int, int, bool]]) -> None:
    """Whoever else buys, nobody who bought twice is marked where they have a say."""
    extra = [
        Pair(buyer, shop, float(orders), first, 0.5 * heard) for buyer, shop, orders, first, heard in more
    ]
    _, named, _ = found(*REGULARS, *extra)
    total = {pair.buyer: sum(of.orders for of in extra if of.buyer == pair.buyer) for pair in extra}
    for pair in extra:
        if pair.say > 0.0 and total[pair.buyer] > 1.0:
            assert (pair.buyer, pair.shop) not in named
    assert not any(buyer < 60 for buyer, _ in named)
