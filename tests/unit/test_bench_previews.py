"""The market that previews are held against: the same whenever it is played, and still where it is to be."""

import numpy as np
import pytest
from bench import made
from bench.made import NOON, learned, opened, played, truth_of

from fieldline import engine
from fieldline.app import DEFAULT_POLICY
from fieldline.lab.world import Size, truth, visit_of
from fieldline.lab.world.catalogue import item_number
from fieldline.units import HOUR, Instant

TINY = Size(viewers=300, creators=30, merchants=12, products=40, videos=120, rooms=4)


@pytest.fixture(scope="module")
def market() -> made.Market:
    """A tiny market an hour on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "SIZE", TINY)
        found = opened(1, DEFAULT_POLICY)
    for _ in played(found, Instant(NOON + HOUR)):
        pass
    return found


def test_a_copy_goes_the_same_way_and_leaves_the_first_alone(market: made.Market) -> None:
    """Two copies decide alike and end in the same state, bit for bit; what they were made from stays where it was."""
    before = engine.encode(market.state)
    copies = [market.copy(), market.copy()]
    one, other = ([slate.slots for slate in played(copy, Instant(NOON + 2 * HOUR))] for copy in copies)
    assert one == other
    assert len(one) > 50
    assert engine.encode(copies[0].state) == engine.encode(copies[1].state) != before
    assert engine.encode(market.state) == before


def test_nothing_is_learned_where_it_is_not_to_be(market: made.Market) -> None:
    """The predictor's parameters stay while prices and accounts move; without it they do not stay."""
    still, moved = market.copy(), market.copy()
    with learned():
        for _ in played(still, Instant(NOON + 2 * HOUR)):
            pass
    for _ in played(moved, Instant(NOON + 2 * HOUR)):
        pass
    tables = [each.state.model.params.table for each in (market, still, moved)]
    assert np.array_equal(tables[0], tables[1])
    assert not np.array_equal(tables[0], tables[2])
    assert still.state.ticked > market.state.ticked


def test_the_truth_of_a_slate_is_the_markets_own(market: made.Market) -> None:
    """Of each slate the viewer value is Σ looks·P(long view)·0.05, whatever the engine expects."""
    decision = next(iter(played(market.copy(), Instant(NOON + 2 * HOUR))))
    visit = visit_of(market.world, decision.id, decision.viewer, decision.scene)
    watched = 0.0
    for slot, shown in enumerate(decision.slots):
        item = item_number(market.world.items, shown.item)
        _, long_view, _ = truth.chances(market.world.nature, visit.viewer, visit.scene, item, -1)
        watched += 0.97 * float(truth.LOOKS[visit.scene, slot]) * long_view
    assert truth_of(market.world, decision)[0] == pytest.approx(0.05 * watched)
