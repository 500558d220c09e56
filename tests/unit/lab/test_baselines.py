"""Baselines: exact first steps of controllers that the engine's own is measured against."""

import numpy as np
import pytest

from fieldline.contracts import Contract, Horizon, Limit, Meter, Reach
from fieldline.contracts.book import Book, enforce, put
from fieldline.lab.baselines import bidders, due, fixed
from fieldline.lab.baselines.dual_descent import DualDescent, descended
from fieldline.lab.baselines.pid import DERIVATIVE, INTEGRAL, PROPORTIONAL, Pid, moved
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.pace import Controller, Prices, init
from fieldline.units import HOUR, MINUTE, YUAN

TICK = 5 * MINUTE
END = 10 * HOUR
NOW = 5 * HOUR


def market(*limits: Limit) -> tuple[Prices, Book, Traffic]:
    """Contracts a, b … from 0 to ten hours; 100 requests a tick, 6,000 of them still to come at half time."""
    prices, book = Prices(), Book()
    for i, limit in enumerate(limits):
        id = "abcdef"[i]
        put(book, id, 1, [Contract(id, id, "x", "m", (Reach(),), Meter(gmv=1.0), limit, Horizon(0, END))])
        init(prices, i, book.contracts[i])
    enforce(book, 1)
    return prices, book, Traffic(shape=np.ones(24), slow=100.0, fast=100.0, ticks=1_000)


def ticked(controller: Controller, prices: Prices, book: Book, traffic: Traffic) -> list[float]:
    """The multipliers of all contracts after one tick of 100 requests at half time."""
    prices.requests, prices.samples = 100, 12
    controller(prices, book, traffic, NOW, TICK)
    return [float(alpha) for alpha in prices.alpha[: len(book)]]


GOAL, NONE = Limit(budget=61 * YUAN, goal=4.0), Limit(budget=61 * YUAN)


def test_what_is_due_in_a_tick_is_the_budget_left_shared_by_traffic() -> None:
    """61 yuan, 11 of them gone before the tick, 100 requests in it and 6,000 to come: 50/61 yuan were due."""
    _, book, traffic = market(GOAL)
    book.spent[0] = 11 * YUAN
    found = bidders(book, traffic, NOW, TICK)
    assert found.to_come[0] == pytest.approx(6_000.0)
    assert found.ticks[0] == 120.0
    assert due(found, 100, np.array([11.0]))[0] == pytest.approx(50.0 / 61.0)


def test_a_fixed_bid_is_one_over_the_goal_whatever_happened() -> None:
    """With a goal of 4 it stays 1/4, without one 1, after spend and value alike."""
    prices, book, traffic = market(GOAL, NONE)
    assert ticked(fixed.update, prices, book, traffic) == [0.25, 1.0]
    book.spent[:2], book.value[:2] = 30 * YUAN, 500.0
    prices.alpha[:2] = 3.0
    assert ticked(fixed.update, prices, book, traffic) == [0.25, 1.0]


def test_dual_prices_step_by_what_their_limits_saw() -> None:
    """Spending twice what was due with value 1 too little multiplies β by e^η and raises ρ by η/(τ·due)."""
    beta, rho = descended(*(np.array([x]) for x in (4.0, 0.5, 2.0, 7.0, 1.0, 4.0, 0.1)))
    assert beta[0] == pytest.approx(4.0 * np.exp(0.1))
    assert rho[0] == pytest.approx(0.5 + 0.1 * 1.0 / 4.0)


def test_a_goal_price_is_never_negative_and_never_moves_without_a_goal() -> None:
    """Plenty of value takes ρ to 0 and no further; with τ = 0 it is 0."""
    start, value, both, goal = np.array([0.1, 0.1]), np.array([1e6, 1e6]), np.ones(2), np.array([4.0, 0.0])
    _, rho = descended(both, start, both, value, both, goal, both)
    assert rho.tolist() == [0.0, 0.0]


def test_nothing_due_moves_no_dual_price() -> None:
    """A tick without traffic leaves β and ρ as they were."""
    beta, rho = descended(*(np.array([x]) for x in (3.0, 0.5, 0.0, 9.0, 0.0, 4.0, 0.1)))
    assert (beta[0], rho[0]) == (3.0, 0.5)


def test_dual_descent_starts_from_the_fixed_bid_and_takes_one_step() -> None:
    """Having spent just what was due at just its goal it stays at 1/τ; having spent nothing it bids e^η times more."""
    prices, book, traffic = market(GOAL, NONE)
    rate = 1.0 / np.sqrt(120.0)
    book.spent[0], book.value[0] = YUAN, 4.0
    found = ticked(DualDescent().update, prices, book, traffic)
    assert found == pytest.approx([0.25, np.exp(rate)])


def test_dual_descent_counts_only_the_last_tick() -> None:
    """Two ticks that each spend what was due at the goal leave the first multiplier, however much came before."""
    prices, book, traffic = market(Limit(budget=61 * YUAN, goal=4.0))
    duals = DualDescent()
    book.spent[0], book.value[0] = YUAN, 4.0
    ticked(duals.update, prices, book, traffic)
    book.spent[0] += round(60 / 61 * YUAN)
    book.value[0] += 4.0 * 60 / 61
    assert ticked(duals.update, prices, book, traffic)[0] == pytest.approx(0.25, rel=1e-6)


def test_a_loop_steps_by_its_three_terms() -> None:
    """Errors of .4, .1 and −.3, newest first: .3·K_P + .4·K_I − .1·K_D."""
    step = moved(np.array([0.4]), np.array([0.1]), np.array([-0.3]))
    assert step[0] == pytest.approx(PROPORTIONAL * 0.3 + INTEGRAL * 0.4 + DERIVATIVE * -0.1)


def test_pid_follows_the_more_cautious_loop() -> None:
    """Nothing spent and no order: pacing asks for more, the goal's error is 0, so only the one without a goal rises."""
    prices, book, traffic = market(GOAL, NONE)
    assert ticked(Pid().update, prices, book, traffic) == pytest.approx([0.25, np.exp(INTEGRAL)])


def test_pid_bids_less_where_the_goal_is_missed() -> None:
    """With half of its value missing beside a small prior the first step is K_I·ln of the ratio."""
    prices, book, traffic = market(GOAL)
    book.spent[0], book.value[0] = YUAN, 2.0
    small = 0.02 * 4.0 * 61.0
    expected = 0.25 * np.exp(INTEGRAL * np.log((2.0 + small) / (4.0 + small)))
    assert ticked(Pid().update, prices, book, traffic)[0] == pytest.approx(expected)


@pytest.mark.parametrize("make", [lambda: fixed.update, lambda: DualDescent().update, lambda: Pid().update])
def test_a_contract_out_of_force_keeps_its_price(make: object) -> None:
    """A controller touches no contract that is paused or over, and closes the tick's counts."""
    prices, book, traffic = market(GOAL, NONE)
    book.in_force[1] = False
    prices.alpha[1] = 0.123
    assert callable(make)
    assert ticked(make(), prices, book, traffic)[1] == 0.123
    assert (prices.requests, prices.samples) == (0, 0)
