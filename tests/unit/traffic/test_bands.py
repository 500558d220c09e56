"""Bands by hand: what a day's errors are, what bands they give, and what teaches nothing."""

import numpy as np
import pytest
from tests.made import POLICY, START, catalogue, wish

from fieldline import engine
from fieldline.contracts.horizon import day_end
from fieldline.facts import Tick
from fieldline.traffic import bands, prospect
from fieldline.traffic.bands import Bands, Told, band, errors_of, requests_band, turn
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.state import decode, encode
from fieldline.units import DAY, YUAN

MIDNIGHT = day_end(START)
TICK = POLICY.tick_ms


def two_shops() -> engine.State:
    """Two storewide contracts with landscapes, the second twice the first per unit of size."""
    state = engine.init(POLICY)
    for fact in (Tick(START), *catalogue()):
        engine.reduce(state, fact)
    for place, merchant in enumerate(("merchant-1", "merchant-3")):
        terms = {
            "merchant": merchant,
            "budget": 10**9 * YUAN,
            "goal": 1.0,
            "start": START,
            "end": START + 9 * DAY,
        }
        engine.reduce(state, wish(f"shop-{place}", "storewide", merchant, terms))
        state.prices.sampled[place] = 300.0
        state.prices.supply_value[place, 120:130] = 6.0 * (1 + place)
        state.prices.supply_cost[place, 120:130] = 3.0 * (1 + place)
    engine.reduce(state, Tick(START + TICK))
    state.traffic.slow = state.traffic.fast = 20.0
    return state


def test_a_contract_is_told_from_the_others_alone() -> None:
    """What is told of the first contract owes nothing to its own landscape, and halves as the other's size doubles."""
    state = two_shops()
    sizes = np.array([1.0, 2.0])

    def told(by: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Told:
        return prospect.told_of(state.prices, state.book, state.traffic, by, MIDNIGHT, TICK)

    before = told(sizes)
    state.prices.supply_cost[0] *= 3.0
    assert told(sizes).figures[0, 0] == before.figures[0, 0] > 0.0
    assert told(sizes).figures[0, 1] != before.figures[0, 1]
    assert told(np.array([1.0, 4.0])).figures[2, 0] == pytest.approx(before.figures[2, 0] / 2.0)


def test_a_day_from_midnight_to_midnight_teaches_its_errors() -> None:
    """Of 10 yuan told 2 are spent, at .1 an impression for .2 told, and 30 of 20 yuan sold: three errors by hand."""
    state = two_shops()
    known, traffic = Bands(), Traffic(slow=10.0, fast=10.0, ticks=9)
    one = np.array([0])
    told = Told(one, np.array([[10.0], [0.2], [20.0]]), np.array([[1.0], [1e-4], [5.0]]))
    turn(known, state.book, traffic, told, MIDNIGHT, TICK)
    state.book.spent[0] += 2 * YUAN
    state.book.impressions[0] += 20
    state.book.value[0] += 30.0
    traffic.of_day = int(known.requests)
    turn(known, state.book, traffic, told, MIDNIGHT + DAY, TICK)
    assert known.of_spend == pytest.approx([np.log(3.0 / 11.0)])
    assert known.of_price == pytest.approx([np.log(0.1001 / 0.2001)])
    assert known.of_value == pytest.approx([np.log(35.0 / 25.0)])
    assert known.of_requests == pytest.approx([0.0], abs=1e-3)
    assert traffic.of_day == 0


@pytest.mark.parametrize(
    ("first", "second"), [(MIDNIGHT + TICK, MIDNIGHT + DAY), (MIDNIGHT, MIDNIGHT + DAY + TICK)]
)
def test_a_day_with_a_gap_teaches_nothing(first: int, second: int) -> None:
    """Where the ticks began after midnight, or came back after the next one, no error is learned."""
    state = two_shops()
    known, traffic = Bands(), Traffic(slow=10.0, fast=10.0, ticks=9)
    told = Told(np.array([0]), np.ones((3, 1)), np.ones((3, 1)))
    turn(known, state.book, traffic, told, first, TICK)
    traffic.of_day = 7
    turn(known, state.book, traffic, told, second, TICK)
    assert len(known.of_spend) == len(known.of_requests) == 0


def test_the_engine_keeps_its_errors_through_a_snapshot() -> None:
    """After three midnights of ticks the state has two days' errors, and its copy the same."""
    state = two_shops()
    for at in range(START + 2 * TICK, MIDNIGHT + 2 * DAY + TICK, TICK):
        state.traffic.requests, state.prices.samples = 20, 10
        engine.reduce(state, Tick(at))
    assert len(state.bands.of_requests) == 2
    assert len(state.bands.of_spend) == 4
    assert np.isfinite(state.bands.of_spend).all()
    again = decode(encode(state))
    assert np.array_equal(again.bands.of_spend, state.bands.of_spend)
    assert again.bands.until == state.bands.until == MIDNIGHT + 3 * DAY


def test_bands_hold_four_times_in_five() -> None:
    """In bands of 2,000 log-normal errors, 80% of 20,000 more lie, give or take 2%."""
    draws = np.random.default_rng(1)
    errors = draws.normal(0.3, 0.8, 2_000)
    told = band(50.0, errors, 5.0, 1.0)
    came = 55.0 * np.exp(draws.normal(0.3, 0.8, 20_000)) - 5.0
    assert np.mean((came >= told.low) & (came <= told.high)) == pytest.approx(0.8, abs=0.02)


def test_few_errors_are_not_believed() -> None:
    """With 49 errors a band is as wide as the spread given, with 50 as wide as they are."""
    errors = np.full(50, 0.5)
    assert band(10.0, errors[1:], 0.0, 1.0).high == pytest.approx(10.0 * np.exp(1.2815516))
    assert band(10.0, errors, 0.0, 1.0).high == pytest.approx(10.0 * np.exp(0.5))
    assert band(10.0, errors, 0.0, 1.0).low == 10.0


def test_requests_narrow_with_days_that_were_right() -> None:
    """Sixty days without an error leave a band of a fifth or less of the first one's width."""
    first, later = requests_band(1e3, np.zeros(0)), requests_band(1e3, np.zeros(60))
    assert np.log(later.high / 1e3) < 0.2 * np.log(first.high / 1e3)
    assert np.isfinite(errors_of(np.zeros(1), np.zeros(1), np.full(1, bands.LEAST_PRICE))).all()
