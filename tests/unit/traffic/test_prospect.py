"""Prospect: what a new contract starts from, and what is said of one before it runs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import POLICY, START, catalogue, wish

from fieldline import engine
from fieldline.contracts import Contract
from fieldline.facts import Product, Tick
from fieldline.offers import contracts_of
from fieldline.traffic.prospect import ENOUGH, outlook, pool_of, size_of
from fieldline.traffic.prospect import START as SAMPLES
from fieldline.traffic.solve import BINS, WIDTH
from fieldline.units import DAY, YUAN

FIRST = BINS // 2


def terms(merchant: str, **changed: object) -> dict[str, object]:
    return {
        "merchant": merchant, "budget": 50 * YUAN, "goal": 1.0, "start": START, "end": START + DAY,
    } | changed  # fmt: skip


def market(sampled: float = 300.0) -> engine.State:
    """A storewide contract of merchant-1 that saw, per sampled request, ten bins of .02 yuan of value for .01, .02 …"""
    state = engine.init(POLICY)
    for fact in (Tick(START), *catalogue(), wish("old", "storewide", "merchant-1", terms("merchant-1"))):
        engine.reduce(state, fact)
    state.traffic.slow = state.traffic.fast = 20.0
    state.prices.sampled[0] = sampled
    state.prices.supply_value[0, FIRST : FIRST + 10] = 0.02 * sampled
    state.prices.supply_cost[0, FIRST : FIRST + 10] = 0.01 * sampled * np.arange(1, 11)
    state.prices.organic[0], state.prices.served[0] = 30.0, 1_000.0
    return state


def asked(offer: str = "storewide", merchant: str = "merchant-3", **changed: object) -> Contract:
    return contracts_of(wish("new", offer, merchant, terms(merchant, **changed)))[0]


def test_a_second_contract_of_a_kind_starts_from_the_pool() -> None:
    """Its landscape is the pool per yuan of size × its own size × 20 sampled requests."""
    state = market()
    new = asked()
    ratio = size_of(state, new) / size_of(state, state.book.contracts[0])
    assert ratio > 1.0
    engine.reduce(state, wish("new", "storewide", "merchant-3", terms("merchant-3")))
    assert state.prices.sampled[1] == SAMPLES
    for curves in (state.prices.supply_value, state.prices.supply_cost):
        assert curves[1] == pytest.approx(curves[0] * (ratio * SAMPLES / 300.0))
    assert state.prices.sampled[0] == 300.0


@pytest.mark.parametrize(
    ("sampled", "offer", "changed"),
    [(ENOUGH - 1.0, "storewide", {}), (300.0, "cost_cap", {"cost": 9.0}), (300.0, "leads", {"cost": 9.0})],
)
def test_without_a_pool_nothing_is_presumed(sampled: float, offer: str, changed: dict[str, object]) -> None:
    """Too few sampled requests, or none of the same kind: no landscape, no outlook."""
    state = market(sampled)
    new = {
        key: value for key, value in terms("merchant-3", **changed).items() if key != "goal" or not changed
    }
    made = wish("new", offer, "merchant-3", new)
    assert outlook(state, contracts_of(made)[0]) is None
    engine.reduce(state, made)
    assert (state.prices.sampled[1], state.prices.supply_cost[1].sum()) == (0.0, 0.0)


def test_an_edit_does_not_start_again() -> None:
    """A contract that has seen something keeps its landscape when it is edited."""
    state = market()
    before = state.prices.supply_cost[0].copy()
    engine.reduce(state, wish("old", "storewide", "merchant-1", terms("merchant-1", goal=2.0), 2))
    assert np.array_equal(state.prices.supply_cost[0], before)
    assert state.prices.sampled[0] == 300.0


def test_every_goal_has_a_size() -> None:
    """Orders, clicks, fans, leads and visits of a merchant with works on the shelf are all worth something."""
    state = market()
    for offer, changed in (
        ("cost_cap", {"cost": 9.0}), ("leads", {"cost": 9.0}), ("visits", {"cost": 9.0}),
        ("follower_growth", {"cost": 9.0}), ("follower_growth", {"goal": 1.0}), ("max_delivery", {"value": "clicks"}),
    ):  # fmt: skip
        plain = {key: value for key, value in terms("merchant-3").items() if key != "goal"}
        (contract,) = contracts_of(wish("new", offer, "merchant-3", plain | changed))
        assert size_of(state, contract) > 0.0, offer


def test_what_cannot_be_shown_has_no_size() -> None:
    """A merchant whose goods are out of stock has no size, and no outlook."""
    state = market()
    for number in (3, 7):
        known = state.goods.products[f"product-{number}"]
        engine.reduce(state, Product(known.id, known.merchant, known.price, 0, category=known.category))
    assert size_of(state, asked()) == 0.0
    assert outlook(state, asked()) is None


def test_an_outlook_is_the_pool_times_the_traffic_ahead() -> None:
    """With a budget that nothing limits and no organic value, the goal of 1 admits three bins and spends .06 a request
    and yuan of size; bands hold it, and are as wide as the pool's spread says."""
    state = market()
    state.prices.organic[0] = 0.0
    new = asked(budget=10**9 * YUAN)
    size = size_of(state, new) / size_of(state, state.book.contracts[0])
    seen, pool = outlook(state, new), pool_of(state, new)
    assert seen is not None
    assert pool is not None
    assert seen.requests > 1_000
    assert seen.spend == pytest.approx(0.06 * size * seen.requests, rel=1e-6)
    assert seen.value == pytest.approx(seen.spend)
    assert seen.roi == pytest.approx(1.0)
    least = 0.01 * pool.cost.sum() * size_of(state, new) * seen.requests
    assert (seen.spend_high + least) / (seen.spend + least) == pytest.approx(
        np.exp(1.2816 * pool.spread), rel=1e-4
    )
    assert seen.spend_low < seen.spend < seen.spend_high


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0.01, 50.0), st.floats(0.01, 50.0))
def test_spend_rises_with_the_budget_and_falls_with_the_goal(
    budget: int, other: int, goal: float, second: float
) -> None:
    """Of two budgets the larger never forecasts less spend or value, of two goals the higher never more spend."""
    low, high = sorted((budget, other))
    poor, rich = (outlook(MARKET, asked(budget=b * YUAN, goal=goal)) for b in (low, high))
    assert poor is not None
    assert rich is not None
    assert poor.spend <= rich.spend * (1.0 + 1e-9)
    assert poor.value <= rich.value * (1.0 + 1e-9)
    assert rich.spend <= high * (1.0 + 1e-9)
    loose, strict = (outlook(MARKET, asked(budget=high * YUAN, goal=g)) for g in sorted((goal, second)))
    assert loose is not None
    assert strict is not None
    assert strict.spend <= loose.spend * (1.0 + 1e-9)


MARKET = market()


def test_a_cheaper_result_needs_a_higher_multiplier() -> None:
    """Where a contract for orders at 10 yuan saw .03 yuan spent per request at α = 1, one that pays 1 yuan sees the
    same spend at α = 10, for a tenth of the value."""
    state = market()
    plain = {key: value for key, value in terms("merchant-1").items() if key != "goal"}
    engine.reduce(state, wish("dear", "cost_cap", "merchant-1", plain | {"cost": 10.0}))
    state.prices.sampled[1] = 300.0
    state.prices.supply_value[1, FIRST], state.prices.supply_cost[1, FIRST] = 18.0, 9.0
    (cheap,) = contracts_of(wish("cheap", "cost_cap", "merchant-1", plain | {"cost": 1.0}))
    pool, size = pool_of(state, cheap), size_of(state, cheap)
    assert pool is not None
    assert size == pytest.approx(size_of(state, state.book.contracts[1]) / 10.0)
    place = FIRST + round(np.log(10.0) / WIDTH)
    assert np.flatnonzero(pool.cost).tolist() == np.flatnonzero(pool.value).tolist() == [place]
    assert (pool.cost[place] * size, pool.value[place] * size) == (pytest.approx(0.03), pytest.approx(0.006))
