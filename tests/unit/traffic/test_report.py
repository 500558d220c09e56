"""Reports and returns of campaigns, out of hand-made tallies."""

import pytest
from tests import made
from tests.unit.serve.played import ADS

from fieldline import engine
from fieldline.contracts import tally
from fieldline.contracts.horizon import day_of
from fieldline.errors import Refused, Unknown
from fieldline.facts import Policy
from fieldline.traffic import report
from fieldline.traffic.assured import date_of
from fieldline.traffic.measure import account_of
from fieldline.traffic.report import period, returns
from fieldline.traffic.state import State
from fieldline.units import DAY, YUAN

DAY_0 = day_of(made.START)


def market(**changes: object) -> State:
    """A made market with one campaign and a cold start, before any request."""
    state = engine.init(Policy(at=made.START, scenes=made.POLICY.scenes))
    for entry in made.catalogue():
        engine.reduce(state, entry)
    engine.reduce(state, made.wish("ads", "ads_roi", "merchant-2", ADS | changes))
    for asked in made.wishes():
        engine.reduce(state, asked)
    state.now = made.START
    return state


def day_with(
    state: State,
    *,
    scene: int = 0,
    hour: int = 9,
    item: int = 0,
    day: int = DAY_0,
    holdout: float = 0.2,
    **figures: int,
) -> tally.Tally:
    of_day = state.tallies.setdefault(0, {}).setdefault(day, tally.Tally(holdout=holdout))
    pairs = tuple((tally.FIGURES.index(name), amount) for name, amount in figures.items())
    tally.add(of_day, hour, scene, False, item, pairs)
    return of_day


def test_the_account_of_a_day_holds_its_identities() -> None:
    """Treated and held-out GMV and orders sum to the storewide ones, also where a part is told by no buyer."""
    state = market()
    of_day = day_with(
        state, storewide=90 * YUAN, orders=3, attributed=30 * YUAN, refunded=5 * YUAN, spend=10 * YUAN
    )
    of_day.of_arm[tally.TREATED][4] = 50 * YUAN
    of_day.of_arm[tally.HELD][5] = 20 * YUAN
    of_day.orders_of_arm[:] = [1, 1]
    account = account_of(state, 0, DAY_0)
    assert (account.storewide, account.attributed, account.refunds) == (90 * YUAN, 30 * YUAN, 5 * YUAN)
    assert (account.arms.treated.gmv, account.arms.held.gmv) == (70 * YUAN, 20 * YUAN)
    assert (account.arms.treated.orders, account.arms.held.orders) == (2, 1)
    assert (account.arms.treated.buyers, account.arms.treated.squares) == (2, 50.0**2 + 20.0**2)


def test_a_campaign_that_holds_nobody_out_has_no_increment() -> None:
    """Without a holdout all buyers are treated and the incremental return is absent, not 0."""
    state = market(holdout=0.0)
    day_with(state, holdout=0.0, storewide=90 * YUAN, orders=3, spend=10 * YUAN)
    found = returns(state, "ads", DAY_0, DAY_0)
    assert (found.total.storewide, found.total.incremental.value) == (9.0, None)
    assert account_of(state, 0, DAY_0).arms.treated.orders == 3
    assert returns(state, "ads", DAY_0 + 1, DAY_0 + 1).total.storewide is None


def test_returns_of_two_days_add_up() -> None:
    """The return over two days is that of the summed GMV and spend; a day without a tally is not listed."""
    state = market()
    day_with(state, storewide=30 * YUAN, spend=10 * YUAN, refunded=10 * YUAN)
    day_with(state, storewide=90 * YUAN, spend=20 * YUAN, day=DAY_0 + 2)
    state.now += 2 * DAY
    found = returns(state, "ads", DAY_0, DAY_0 + 2)
    assert (found.total.storewide, found.total.net) == (4.0, 110 / 30)
    assert [day.day for day in found.days] == [date_of(DAY_0), date_of(DAY_0 + 2)]


def test_rows_without_anything_are_left_out() -> None:
    """Only parts with a figure are rows; orders without a paid touch stand in the scene of none."""
    state = market()
    day_with(state, scene=2, spend=3 * YUAN, impressions=7)
    day_with(state, scene=-1, hour=23, storewide=8 * YUAN, orders=1)
    scenes = report.report(state, "ads", DAY_0, DAY_0, "scene")
    assert [(row.key, row.spend, row.storewide) for row in scenes.rows] == [
        (state.scenes.names[2], 3 * YUAN, 0),
        ("", 0, 8 * YUAN),
    ]
    hours = report.report(state, "ads", DAY_0, DAY_0, "hour")
    assert [(row.key, row.impressions) for row in hours.rows] == [("09", 7), ("23", 0)]
    assert hours.rows[1].roi_storewide is None


def test_items_that_no_unit_uses_any_longer_stand_apart() -> None:
    """An item outside of every unit is told under no unit's name, so that nothing is lost."""
    state = market(units=[{"id": "one", "items": ["product-2"]}])
    inside, outside = state.shelf.names.find("product-2"), state.shelf.names.find("product-3")
    day_with(state, item=inside, spend=2 * YUAN)
    day_with(state, item=outside, spend=5 * YUAN)
    units = report.report(state, "ads", DAY_0, DAY_0, "unit")
    assert [(row.key, row.spend) for row in units.rows] == [("one", 2 * YUAN), ("", 5 * YUAN)]


def test_a_period_is_the_campaigns_own_unless_asked() -> None:
    """Without days it runs from the campaign's start to today, and no further than its last day."""
    state = market()
    assert period(state, 0, None, None) == (DAY_0, DAY_0)
    state.now += DAY
    assert period(state, 0, None, None) == (DAY_0, DAY_0 + 1)
    state.now += 30 * DAY
    assert period(state, 0, None, None) == (DAY_0, DAY_0 + 3)
    assert period(state, 0, "2022-04-26", "2022-04-26") == (DAY_0 + 1, DAY_0 + 1)
    for first, last, field in (
        ("2022-4-1", None, "from"),
        (None, "x", "to"),
        ("2022-05-02", "2022-05-01", "to"),
    ):
        with pytest.raises(Refused) as refusal:
            period(state, 0, first, last)
        assert refusal.value.field == field


def test_only_campaigns_are_reported() -> None:
    """An unknown id and a granted contract have no report."""
    state = market()
    with pytest.raises(Unknown):
        report.contract_of(state, "nothing")
    with pytest.raises(Refused):
        report.contract_of(state, "newcomer")
