"""Learning: a campaign's state, its reason, and what is expected to be left."""

import msgspec
import pytest
from tests import made
from tests.unit.traffic.test_alerts import seen
from tests.unit.traffic.test_report import day_with, market

from fieldline import engine
from fieldline.facts import WishEnded, WishPaused
from fieldline.traffic.alerts import result_value
from fieldline.traffic.learning import Learning, cost_of_result, learning
from fieldline.traffic.pace import REST
from fieldline.traffic.state import State
from fieldline.units import DAY, HOUR, YUAN

MEAN = 49.0
"""Yuan: the campaign's items sell products of 29 and of 69 yuan, as many of each."""


def results(state: State, count: int) -> None:
    day_with(state).valued = count


def test_a_new_campaign_learns_at_a_cost() -> None:
    """Before any result 20 of them are expected at the value of one over the goal or at today's price."""
    state = market()
    seen(state, cost=0.1)
    assert result_value(state, 0) == pytest.approx(MEAN, rel=0.05)
    found = learning(state, 0)
    assert (found.state, found.reason, found.orders) == ("learning", "few_results", 0)
    assert found.cost_left == pytest.approx(20 * 2.0 * result_value(state, 0))
    state.prices.alpha[0] = 0.1
    assert cost_of_result(state, 0) == pytest.approx(0.1 * result_value(state, 0))


def test_cost_and_hours_left_follow_what_was_paid() -> None:
    """With 4 results for 36 yuan and a fifth at c, 16 more cost (36 + c)/5 each, at 14.4 yuan an hour."""
    state = market()
    seen(state, cost=0.1)
    state.prices.alpha[0] = 4.0 / result_value(state, 0)
    state.prices.supply_cost[0] = 0.0
    state.prices.supply_cost[0, 0] = 100.0
    state.book.spent[0] = 36 * YUAN
    results(state, 4)
    found = learning(state, 0)
    assert found.cost_left == pytest.approx(16 * 40.0 / 5)
    assert found.hours_left == pytest.approx(128.0 / 14.4)
    state.book.spent[0] = 290 * YUAN
    assert learning(state, 0).hours_left is None  # the budget ends before


@pytest.mark.parametrize(
    ("count", "sampled", "reason"),
    [
        (20, 0.0, "enough_results"),
        (8, 300.0, "well_sampled"),
        (8, 299.0, "few_results"),
        (7, 999.0, "few_results"),
    ],
)
def test_it_has_learned_by_results(count: int, sampled: float, reason: str) -> None:
    """20 results are enough, 8 where the landscape rests on 300 sampled requests."""
    state = market()
    seen(state, cost=0.1)
    state.prices.sampled[0] = sampled
    results(state, count)
    found = learning(state, 0)
    assert (found.reason, found.orders) == (reason, count)
    assert (found.state == "learned") == (reason != "few_results")
    if found.state == "learned":
        assert found == Learning("learned", found.reason, count)


def test_what_buys_nothing_has_failed_with_its_reason() -> None:
    """No supply, a goal too high, a used budget, no stock, a review and a pause each fail, and each by its name."""
    state = market()
    seen(state, cost=0.0001)
    assert learning(state, 0).reason == "no_supply"
    seen(state, cost=0.5, value=0.1)
    assert learning(state, 0).reason == "goal_too_high"
    seen(state, cost=0.5)
    assert learning(state, 0).state == "learning"
    for product in ("product-2", "product-6"):
        engine.reduce(state, msgspec.structs.replace(state.goods.products[product], stock=0))
    assert learning(state, 0).reason == "out_of_stock"
    for product in ("product-2", "product-6"):
        engine.reduce(state, msgspec.structs.replace(state.goods.products[product], approved=False, stock=9))
    assert learning(state, 0).reason == "under_review"
    state.book.spent[0] = 300 * YUAN
    assert learning(state, 0).reason == "budget_used"
    engine.reduce(state, WishPaused("ads", made.START, True))
    found = learning(state, 0)
    assert (found.state, found.reason) == ("failed", "paused")
    engine.reduce(state, WishEnded("ads", made.START))
    assert learning(state, 0) == Learning("failed", "over", 0)


def test_half_of_its_time_without_a_result_is_a_failure() -> None:
    """At half of the horizon three times the cost of a result without one fails; less, or earlier, does not."""
    state = market()
    seen(state, cost=0.1)
    dear = round(3 * cost_of_result(state, 0) * YUAN) + 1
    state.book.budget[0] = 10 * dear
    state.book.spent[0] = dear
    state.now = made.START + 36 * HOUR - 1
    assert learning(state, 0).reason == "few_results"
    state.now = made.START + 36 * HOUR
    assert learning(state, 0).reason == "no_results"
    state.book.spent[0] = dear // 2
    assert learning(state, 0).reason == "few_results"


def test_what_has_not_begun_is_learning() -> None:
    """A campaign that starts tomorrow has not begun, and one that is over without results has failed."""
    state = market(start=made.START + DAY, end=made.START + 2 * DAY)
    found = learning(state, 0)
    assert (found.state, found.reason, found.hours_left) == ("learning", "not_begun", None)
    state.now = made.START + 2 * DAY
    assert learning(state, 0).reason == "over"


def test_a_contract_at_rest_is_expected_to_pay_what_its_goal_allows() -> None:
    """At the lowest multiplier a result costs its value over the goal; without a goal nothing is known."""
    state = market()
    state.prices.alpha[0] = REST
    goal = float(state.book.goal[0])
    assert cost_of_result(state, 0) == pytest.approx(result_value(state, 0) / goal)
    state.book.goal[0] = 0.0
    assert cost_of_result(state, 0) == 0.0
