"""Pacing: prices solved from landscapes with known answers."""

import numpy as np
import pytest

from fieldline.contracts import Contract, Horizon, Limit, Meter, Reach
from fieldline.contracts.book import Book, enforce, put
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.pace import (
    REST,
    STEP,
    InHand,
    Prices,
    confident,
    corrected,
    init,
    observed,
    update,
)
from fieldline.traffic.solve import BINS, HIGH, LOW, WIDTH, add_steps
from fieldline.units import HOUR, MINUTE, YUAN

END = 10 * HOUR
SAMPLED = 10_000.0


def contract(id: str, limit: Limit) -> Contract:
    return Contract(id, id, "storewide", "m", (Reach(),), Meter(gmv=1.0), limit, Horizon(0, END))


def market(limit: Limit) -> tuple[Prices, Book, Traffic]:
    book, prices = Book(), Prices()
    put(book, "a", 1, [contract("a", limit)])
    enforce(book, 1)
    init(prices, 0, book.contracts[0], rests=False)
    return prices, book, Traffic(shape=np.ones(24), slow=100.0, fast=100.0, ticks=1_000)


def landscape(prices: Prices, value: float, cost: list[float]) -> None:
    """Per sampled request, each of the bins from ln α = 0 on gains `value` and costs cost[i]."""
    for i, yuan in enumerate(cost):
        bin_ = int((0.0 - LOW) / WIDTH) + i
        prices.supply_value[0, bin_] = value * SAMPLED
        prices.supply_cost[0, bin_] = yuan * SAMPLED
    prices.sampled[0] = SAMPLED


def settle(
    prices: Prices, book: Book, traffic: Traffic, in_hand: InHand = observed, learning: float = 0.0
) -> float:
    for _ in range(200):
        update(prices, book, traffic, 1, 5 * MINUTE, in_hand, learning)
        prices.supply_value /= 0.982
        prices.supply_cost /= 0.982
        prices.sampled /= 0.982
        prices.spend[0] = prices.predicted[0] = 1.0
    return float(prices.alpha[0])


def test_a_budget_alone_sets_the_multiplier_at_which_the_forecast_spends_it() -> None:
    """12,000 requests ahead at 1 mYuan per bin: a budget of 60 yuan admits five bins, so ln α = five bin widths."""
    prices, book, traffic = market(Limit(budget=60 * YUAN))
    landscape(prices, 0.01, [0.001] * 20)
    assert np.log(settle(prices, book, traffic)) == pytest.approx(5 * WIDTH, abs=WIDTH)


def test_a_goal_alone_stops_where_value_no_longer_pays() -> None:
    """Each bin gains 10 mYuan at a cost of 2, 4, 6 … mYuan: with goal 2 the sum pays up to the fourth bin."""
    prices, book, traffic = market(Limit(budget=10**6 * YUAN, goal=2.0))
    landscape(prices, 0.010, [0.002 * i for i in range(1, 30)])
    assert np.log(settle(prices, book, traffic)) == pytest.approx(4 * WIDTH, abs=WIDTH)


def test_no_landscape_moves_no_price() -> None:
    """Before anything was logged a contract keeps the multiplier that it was born with, 1/goal."""
    prices, book, traffic = market(Limit(budget=YUAN, goal=4.0))
    update(prices, book, traffic, 1, 5 * MINUTE)
    assert prices.alpha[0] == 0.25


def test_an_edit_keeps_the_price() -> None:
    """A contract that is entered again keeps its multiplier and its landscape."""
    prices, book, _ = market(Limit(budget=YUAN, goal=4.0))
    prices.alpha[0] = 0.7
    landscape(prices, 1.0, [1.0])
    before = prices.supply_cost.copy()
    put(book, "a", 2, [contract("a", Limit(budget=2 * YUAN, goal=8.0))])
    init(prices, 0, book.contracts[0])
    assert prices.alpha[0] == 0.7
    assert np.array_equal(prices.supply_cost, before)


def test_steps_fall_into_bins_by_their_multiplier() -> None:
    """A step at ln α below the lowest edge counts from the lowest bin, one above the highest counts nowhere."""
    value, cost = np.zeros((1, BINS)), np.zeros((1, BINS))
    steps = np.array([(0, -99.0, 1.0, 0.5), (0, HIGH + 1, 9.0, 9.0), (0, 0.01, 2.0, 1.0)], STEP)
    add_steps(value, cost, steps["contract"], steps["log_alpha"], steps["value"], steps["charge"])
    assert value[0, 0] == 1.0
    assert cost[0, 0] == 0.5
    assert value[0, int((0.01 - LOW) / WIDTH)] == 2.0
    assert value.sum() == 3.0


def test_a_floor_behind_its_plan_has_a_price_and_one_ahead_has_none() -> None:
    """At half time a floor with no looks is priced; the same floor, met, is not."""
    prices, book, traffic = market(Limit(looks=100.0))
    prices.score = 0.02
    update(prices, book, traffic, END // 2, 5 * MINUTE)
    behind = float(prices.mu[0])
    assert behind > 0.01
    book.looks[0] = 100.0
    prices.integral[0] = 0.0
    update(prices, book, traffic, END // 2, 5 * MINUTE)
    assert prices.mu[0] == 0.0


def test_a_contract_with_a_goal_rests_until_something_was_sold() -> None:
    """Without an order, organic or paid, a goal admits no spending; with 50 orders' worth in hand it does."""
    limit = Limit(budget=10**6 * YUAN, goal=2.0, counts_organic=True)
    prices, book, traffic = market(limit)
    landscape(prices, 0.010, [0.002 * i for i in range(1, 30)])
    assert settle(prices, book, traffic, confident) <= REST
    book.value[0], book.signs[0], book.value_squares[0] = 5_000.0, 5_000.0, 50 * 100.0**2
    book.sign_count[0] = book.valued[0] = 50
    assert settle(prices, book, traffic, confident) > 10 * REST


def test_learning_is_paid_for_with_a_stated_share_of_an_order() -> None:
    """Before anything was sold, a contract bids only as far as the policy lets it owe for learning."""
    limit = Limit(budget=10**6 * YUAN, goal=2.0, counts_organic=True)

    def alpha(learning: float) -> float:
        prices, book, traffic = market(limit)
        landscape(prices, 0.010, [0.0005 * i for i in range(1, 30)])
        update(prices, book, traffic, 1, 5 * MINUTE, confident, learning)
        return float(prices.alpha[0])

    assert alpha(0.0) <= REST < alpha(0.5)


def test_the_first_event_is_sought_only_where_it_is_likely() -> None:
    """What has spent nothing begins where 2.3 times its goal is expected, and goes on where its goal is."""
    limit = Limit(budget=10**6 * YUAN, goal=2.0, counts_organic=True)
    for expected, spent, begins in ((4.4, 0.0, False), (4.4, 1e-6, True), (5.0, 0.0, True)):
        prices, book, traffic = market(limit)
        landscape(prices, 0.001 * expected, [0.001] * 30)
        book.spent[0] = int(spent * YUAN)
        assert (settle(prices, book, traffic, confident, learning=0.5) > 1.01) is begins


def test_a_goal_is_aimed_at_one_per_cent_above() -> None:
    """Supply that brings 2.01 yuan a yuan does not serve a goal of 2; 2.03 does."""
    for expected, serves in ((2.01, False), (2.03, True)):
        prices, book, traffic = market(Limit(budget=10**6 * YUAN, goal=2.0))
        landscape(prices, 0.001 * expected, [0.001] * 30)
        assert (settle(prices, book, traffic) > 1.0) is serves


def test_a_new_contract_rests_unless_predictions_are_trusted() -> None:
    """It is born at the lowest multiplier, or at 1/goal where it does not rest."""
    for rests, alpha in ((True, REST), (False, 0.25)):
        prices, book = Prices(), Book()
        put(book, "a", 1, [contract("a", Limit(budget=YUAN, goal=4.0))])
        init(prices, 0, book.contracts[0], rests)
        assert prices.alpha[0] == alpha


def test_what_is_young_is_in_hand_where_it_is_counted() -> None:
    """With 100 yuan seen of 100 that count, 50 yuan of young predictions add κ × 50 to the corrected hand alone."""
    prices, book, _ = market(Limit(budget=YUAN, goal=2.0, counts_organic=True))
    book.value[0] = book.signs[0] = prices.foretold[0] = 100.0
    prices.foretold[0] += 50.0
    prices.young[0] = 20.0, 30.0
    numbers = np.zeros(1, np.int64)
    plain, more = confident(prices, book, numbers), corrected(prices, book, numbers)
    assert plain.value[0] == 100.0
    assert more.value[0] == pytest.approx(100.0 + plain.calibration[0] * 50.0)
    assert observed(prices, book, numbers).calibration[0] == 1.0
