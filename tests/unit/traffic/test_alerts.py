"""Alerts: each comes when its state says so, and goes with it."""

import msgspec
import numpy as np
import pytest
from tests import made
from tests.unit.traffic.test_report import day_with, market

from fieldline import engine
from fieldline.contracts.horizon import day_end
from fieldline.facts import WishEnded, WishPaused
from fieldline.traffic.ahead import ahead, runs_out, stand, within_goal
from fieldline.traffic.alerts import Alert, alerts
from fieldline.traffic.solve import HIGH, LOW, WIDTH
from fieldline.traffic.state import State
from fieldline.units import DAY, HOUR, YUAN


def bin_of(alpha: float) -> int:
    return int((np.log(alpha) - LOW) / WIDTH)


def seen(state: State, cost: float = 1.0, value: float = 1.0, requests: float = 12.0) -> None:
    """Let the campaign know its landscape: this cost and value per request, all of it below its multiplier."""
    prices = state.prices
    prices.sampled[0] = 1_000.0
    prices.alpha[0] = 2.0
    prices.spend[0] = prices.predicted[0] = 1.0
    prices.supply_cost[0] = 0.0
    prices.supply_cost[0, bin_of(1.0)] = 1_000.0 * cost
    prices.supply_value[0] = 0.0
    prices.supply_value[0, bin_of(1.0)] = 1_000.0 * value
    state.traffic.slow = state.traffic.fast = requests
    state.traffic.shape[:] = 1.0


def codes(state: State) -> set[str]:
    return {alert.code for alert in alerts(state, "ads")}


def one(state: State, code: str) -> Alert:
    (found,) = (alert for alert in alerts(state) if alert.code == code)
    return found


def test_a_quiet_campaign_has_no_alert() -> None:
    """A campaign that just begun, of which nothing is known, has none."""
    assert alerts(market()) == ()


def test_a_budget_that_ends_early_is_told_with_its_hour() -> None:
    """At 12 requests a tick of 5 minutes and 1 yuan each, 300 yuan last 3 hours of 72; at 4 per day they last."""
    state = market()
    seen(state)
    alert = one(state, "budget_soon")
    assert (alert.level, alert.value, alert.limit) == ("warning", 300.0, 300.0)
    assert alert.at == made.START + 3 * HOUR
    seen(state, cost=0.02)
    assert "budget_soon" not in codes(state)
    state.book.spent[0] = 300 * YUAN
    used = one(state, "budget_soon")
    assert (used.level, used.at, used.value) == ("critical", state.now, 0.0)


def test_a_daily_limit_that_ends_early_is_told() -> None:
    """The day's limit is told where it is used up before a tenth of the day is left, not where it lasts."""
    state = market(daily=60 * YUAN)
    seen(state, cost=0.1)
    alert = one(state, "daily_soon")
    assert (alert.level, alert.limit) == ("notice", 60.0)
    assert alert.at == made.START + 5 * HOUR
    seen(state, cost=0.02)
    assert "daily_soon" not in codes(state)


def test_a_goal_at_risk_is_told_before_it_is_missed() -> None:
    """Value in hand and expected of half of what will be owed is told; of all of it is not; nor is a young campaign."""
    state = market()
    seen(state, cost=0.02, value=0.005)
    of_day = day_with(state, spend=500 * YUAN)
    of_day.owed, of_day.value, of_day.valued = 250.0, 120.0, 4
    assert one(state, "goal_at_risk").limit == 0.5
    assert one(state, "goal_at_risk").value < 0.5 * 0.95
    of_day.value = 250.0
    seen(state, cost=0.02, value=0.01)
    assert "goal_at_risk" not in codes(state)
    of_day.owed, of_day.value, of_day.valued = 10.0, 0.0, 0
    assert "goal_at_risk" not in codes(state)


@pytest.mark.parametrize(("ticks", "told"), [(2.0, False), (3.0, True)])
def test_a_price_at_its_end_is_told_after_three_ticks(ticks: float, told: bool) -> None:
    """Two ticks at the end are none of anybody's business, three are."""
    state = market()
    state.ticked = made.START
    state.prices.clamped[0] = ticks
    assert ("price_at_clamp" in codes(state)) == told
    if told:
        assert one(state, "price_at_clamp").since == made.START - 3 * state.policy.tick_ms


@pytest.mark.parametrize("alpha", [np.inf, np.nan, -1.0, 2.0 * np.exp(HIGH)])
def test_a_price_that_ran_away_is_critical(alpha: float) -> None:
    """A multiplier that is no number, below 0 or above the highest is told with finite figures."""
    state = market()
    state.prices.alpha[0] = alpha
    alert = one(state, "price_diverged")
    assert alert.level == "critical"
    assert np.isfinite([alert.value, alert.limit]).all()


def test_what_cannot_be_shown_is_told() -> None:
    """A product out of stock and one under review are told with the items concerned; all of them is critical."""
    state = market()
    items = stand(state, state.book.contracts[0]).items
    product = state.goods.products["product-2"]
    engine.reduce(state, msgspec.structs.replace(product, stock=0))
    out = one(state, "stock_out")
    assert (out.level, out.limit) == ("warning", items)
    assert 0 < out.value < items
    engine.reduce(state, msgspec.structs.replace(state.goods.products["product-6"], approved=False))
    review = one(state, "under_review")
    assert (review.level, review.value) == ("critical", items - out.value)
    assert alerts(state)[0].level == "critical"


def test_nothing_to_buy_is_told() -> None:
    """All that there is at any price below a hundredth of what is left is no supply."""
    state = market()
    seen(state, cost=0.0001)
    alert = one(state, "no_supply")
    assert alert.limit == 300.0
    assert alert.value < 3.0
    seen(state, cost=0.01)
    assert "no_supply" not in codes(state)


def test_a_floor_behind_its_plan_is_told() -> None:
    """A granted floor is told once it has less than nine tenths of what is planned by now."""
    state = market()
    number = state.book.names.find("newcomer#video-0")
    state.now = made.START + 3 * HOUR
    alert = next(found for found in alerts(state, "newcomer") if found.contract == "newcomer#video-0")
    assert (alert.code, alert.level, alert.value) == ("floor_behind", "critical", 0.0)
    state.book.looks[number] = alert.limit
    assert "newcomer#video-0" not in {found.contract for found in alerts(state)}


def test_a_full_day_is_told_until_the_next() -> None:
    """A capacity that was reached is a notice that says when it goes on."""
    state = market()
    terms = {"merchant": "merchant-3", "budget": YUAN, "cost": 5.0, "capacity": 2, "start": made.START,
             "end": made.START + DAY}  # fmt: skip
    engine.reduce(state, made.wish("calls", "leads", "m", terms))
    number = state.book.names.find("calls")
    state.book.served_today[number] = 2
    alert = one(state, "capacity_full")
    assert (alert.level, alert.value, alert.limit, alert.at) == ("notice", 2.0, 2.0, day_end(state.now))


def test_what_does_not_run_is_silent() -> None:
    """A paused, an ended and a past campaign have no alerts."""
    state = market()
    state.prices.clamped[0] = 9.0
    assert codes(state) == {"price_at_clamp"}
    engine.reduce(state, WishPaused("ads", made.START, True))
    assert codes(state) == set()
    engine.reduce(state, WishPaused("ads", made.START, False))
    state.now = made.START + 3 * DAY
    assert codes(state) == set()
    state.now = made.START
    engine.reduce(state, WishEnded("ads", made.START))
    assert codes(state) == set()


def test_what_is_ahead_is_rate_times_requests() -> None:
    """The forecast is the landscape up to the multiplier per request, times its gain, within its clamp."""
    state = market()
    seen(state, cost=0.5, value=2.0)
    known = ahead(state, 0)
    assert known.cost == pytest.approx(0.5)
    assert known.value == pytest.approx(2.0)
    assert known.requests == pytest.approx(12 * 12 * 72, rel=1e-6)
    state.prices.spend[0] = 100.0
    assert ahead(state, 0).cost == pytest.approx(1.5)
    state.prices.alpha[0] = 0.5
    assert ahead(state, 0).cost == 0.0
    assert ahead(state, 0).most == pytest.approx(1.5)


def test_what_fits_a_goal_does_not_depend_on_the_price_paid_now() -> None:
    """At half a yuan of value per yuan all may be bought, at a goal above what is for sale nothing."""
    state = market()
    seen(state, cost=0.5, value=2.0)
    state.prices.alpha[0] = 1e-3
    assert within_goal(state, 0, ahead(state, 0)) == pytest.approx(0.5 * 12 * 12 * 72, rel=1e-6)
    state.book.goal[0] = 5.0
    assert within_goal(state, 0, ahead(state, 0)) == 0.0


def test_an_amount_runs_out_in_its_hour() -> None:
    """At 144 requests an hour and a yuan each, 300 yuan are used in the third hour, and not before the second."""
    state = market()
    seen(state)
    assert runs_out(state, 1.0, 300.0, made.START + DAY) == made.START + 3 * HOUR
    assert runs_out(state, 1.0, 300.0, made.START + 2 * HOUR) is None
