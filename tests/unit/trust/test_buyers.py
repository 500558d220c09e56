"""How far buyers count: by their life elsewhere, beside what is usual where they buy."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fieldline.trust.buyers import credibility

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
SHOPS = 24


def market(each: int, buyers: int = 240) -> tuple[Ints, Ints]:
    """Buyers and shops of pairs: everyone buys at so many shops, as chance has it."""
    draw = np.random.default_rng(each)
    shops = [draw.choice(SHOPS, each, replace=False) for _ in range(buyers)]
    return np.repeat(np.arange(buyers, dtype=np.int32), each), np.concatenate(shops).astype(np.int32)


def say(buyer: Ints, shop: Ints, orders: Floats | None = None) -> Floats:
    """How far each pair counts."""
    whole, _ = credibility(
        buyer, shop, np.ones(len(buyer)) if orders is None else orders, np.ones(len(buyer), bool), SHOPS
    )
    return whole


@pytest.mark.parametrize("each", [2, 3, 5, 8])
def test_buyers_count_where_they_buy_as_widely_as_is_usual(each: int) -> None:
    """Where everyone knows two shops, three, five or eight, buyers count for more than .9 in the mean."""
    assert say(*market(each)).mean() > 0.9


def test_who_knows_less_than_others_counts_less() -> None:
    """Among buyers of eight shops each one of two shops counts for less than half of what the others do."""
    buyer, shop = market(8)
    buyer, shop = (
        np.append(of, np.array(more, np.int32)) for of, more in ((buyer, (240, 240)), (shop, (0, 1)))
    )
    found = say(buyer, shop)
    assert 0.0 < found[-1] < 0.5 * found[:-2].mean()


def test_a_crowd_that_lives_for_one_shop_lowers_no_bar() -> None:
    """As many accounts again with one shop alone count for nothing, and the others' mean moves by less than .03."""
    buyer, shop = market(3)
    alone = np.arange(240, 480, dtype=np.int32)
    found = say(np.concatenate((buyer, alone)), np.concatenate((shop, np.full(240, 7, np.int32))))
    assert (found[len(buyer) :] == 0.0).all()
    assert found[: len(buyer)].mean() == pytest.approx(say(buyer, shop).mean(), abs=0.03)


def test_orders_beyond_a_life_elsewhere_count_for_less() -> None:
    """A buyer with a hundred orders at each of three shops counts for less there than one with one order at each."""
    buyer, shop = market(3)
    orders = np.ones(len(buyer))
    orders[buyer == 0] = 100.0
    assert say(buyer, shop, orders)[0] < 0.2 * say(buyer, shop)[0]


def test_of_nobody_nothing_is_said() -> None:
    """Without a pair there is nothing to be counted."""
    none = np.zeros(0, np.int32)
    assert say(none, none).shape == (0,)
