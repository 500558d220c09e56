"""Measuring: what holdouts teach about the share of sales that would have come anyway."""

import pytest
from tests.made import POLICY

from fieldline import engine
from fieldline.contracts import tally
from fieldline.contracts.tally import Tally
from fieldline.traffic.measure import learn_incremental
from fieldline.units import YUAN


def test_a_holdout_that_sells_as_much_lowers_the_share_of_its_scene() -> None:
    """100 yuan attributed in scene 0, 100 sold to each half: ι = (0 + 1/.25)/(100²/20,000 + 1/.25) = 8/9."""
    state = engine.init(POLICY)
    of_day = Tally(holdout=0.5, of_arm=({1: 100 * YUAN}, {2: 100 * YUAN}))
    of_day.scenes[0, tally.ATTRIBUTED] = 100 * YUAN
    state.tallies[0] = {7: of_day}
    learn_incremental(state, 7)
    assert state.worth.incremental[0] == pytest.approx(8 / 9)
    assert state.worth.incremental[1] == 1.0


def test_without_holdouts_nothing_is_learned() -> None:
    """A day on which nobody was held out leaves every share at 1."""
    state = engine.init(POLICY)
    state.tallies[0] = {7: Tally(of_arm=({1: 100 * YUAN}, {}))}
    learn_incremental(state, 7)
    assert (state.worth.incremental == 1.0).all()
