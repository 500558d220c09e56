"""The compiled simulation against the same simulation as a NumPy loop."""

from dataclasses import replace

import numpy as np
import pytest

from fieldline.facts import Policy
from fieldline.lab.market import Market, open_market, simulate
from fieldline.lab.market import kernel as column
from fieldline.lab.market.plain import simulate_plainly
from fieldline.lab.world import Size, World
from fieldline.lab.world.goods import LIVE
from fieldline.units import DAY, HOUR, Instant

EVENING = Instant(20_000 * DAY + 12 * HOUR)


@pytest.fixture(scope="module")
def market() -> Market:
    size = Size(viewers=400, creators=60, merchants=30, products=150, videos=400, rooms=10)
    return open_market(World.make(3, size), Policy(), contracts=12, limit=120)


def test_the_compiled_simulation_equals_the_numpy_loop(market: Market) -> None:
    """Over four hours all sums, to the micro-yuan of every contract, equal those of the NumPy loop."""
    fast, slow = simulate(market, EVENING, 48), simulate_plainly(market, EVENING, 48)
    assert fast.requests == slow.requests > 100
    assert fast.totals.tolist() == slow.totals.tolist()
    assert fast.spent.tolist() == slow.spent.tolist()
    assert (fast.totals > 0).all()


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_any_number_of_threads_gives_the_same_sums(market: Market, threads: int) -> None:
    """Two, three and seven threads give one thread's sums, bit for bit."""
    one, many = simulate(market, EVENING, 6), simulate(market, EVENING, 6, threads=threads)
    assert one.totals.tolist() == many.totals.tolist()
    assert one.spent.tolist() == many.spent.tolist()


def test_charges_are_the_contracts_spending(market: Market) -> None:
    """What was charged in all is what the contracts spent, and clicks are no more than looks."""
    result = simulate(market, EVENING, 6)
    assert result.totals[column.CHARGED] == result.spent.sum() > 0
    assert result.totals[column.CLICKS] <= result.totals[column.LOOKS] <= result.totals[column.RENDERED]


def test_a_spent_budget_stops_its_contract(market: Market) -> None:
    """With budgets of nothing no slot is sold, and the market passed in is as it was."""
    before = market.shelf.alpha.copy()
    broke = Market(market.world, market.shelf, np.zeros_like(market.budgets), market.limit)
    result = simulate(broke, EVENING, 6)
    assert (result.totals[column.ADS], result.spent.sum()) == (0, 0)
    assert (market.shelf.alpha == before).all()


def test_a_market_without_open_rooms_shows_none() -> None:
    """When all live rooms are closed fewer slots are rendered than when their hours are round the clock."""
    world = World.make(3, Size(viewers=400, creators=60, merchants=30, products=150, videos=400, rooms=10))
    totals = []
    for hours in (0, 24):
        rooms = replace(world.items, hours=np.where(world.items.kind == LIVE, hours, 0).astype(np.int32))
        market = open_market(replace(world, items=rooms), Policy(), contracts=12, limit=120)
        totals.append(simulate(market, EVENING, 6).totals)
    assert totals[0][column.RENDERED] < totals[1][column.RENDERED]
    assert totals[0][column.CANDIDATES] == totals[1][column.CANDIDATES]
