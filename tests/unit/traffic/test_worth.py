"""Worth: what comes later, estimated from those whose time has come."""

import msgspec
import numpy as np
import pytest

from fieldline.contracts import Contract, Horizon, Limit, Meter, Reach
from fieldline.contracts.book import Book, put
from fieldline.contracts.horizon import day_start
from fieldline.traffic import worth
from fieldline.traffic.worth import (
    FAN_ORDERS_A_DAY,
    FAN_STRENGTH,
    REPEAT_STRENGTH,
    REPEATS_A_DAY,
    Worth,
    fan_value,
    leads_per_click,
    meters,
    note_fan,
    note_order,
    price_capacity,
    repeat_factor,
    widen,
)
from fieldline.units import DAY, HOUR, YUAN


def rate(bought: float, exposed: float) -> float:
    return (bought + REPEATS_A_DAY * REPEAT_STRENGTH) / (exposed + REPEAT_STRENGTH)


def test_repeats_are_counted_against_those_who_lived_to_make_them() -> None:
    """First orders of 1,000 yuan on day 0 and 500 on day 2 with repeats of 60 (age 0), 30 (age 1) and 20 (age 2):
    at the end of day 2 those of day 0 have lived ages 0, 1 and half of 2, those of day 2 half of age 0."""
    learned = Worth()
    noon = HOUR * 12
    note_order(learned, 1, "m", 1_000.0, day_start(0) + noon)
    note_order(learned, 1, "m", 60.0, day_start(0) + noon + HOUR)
    note_order(learned, 1, "m", 30.0, day_start(1) + noon + HOUR)
    note_order(learned, 1, "m", 20.0, day_start(2) + noon + HOUR)
    note_order(learned, 2, "m", 500.0, day_start(2) + noon)
    expected = 1.0 + rate(60.0, 1_000.0 + 250.0) + rate(30.0, 1_000.0) + rate(20.0, 500.0) + rate(0.0, 0.0)
    assert repeat_factor(learned, 4, day_start(3)) == pytest.approx(expected)
    assert repeat_factor(learned, 0, day_start(3)) == 1.0


def test_exposure_grows_as_of_orders_spread_evenly_over_their_day() -> None:
    """A yuan of day 0 has lived 1/8 of age 0 at noon, 1/2 at midnight, 7/8 at the next noon, all a day later."""
    halves = [worth._exposed({0: 1.0}, day_start(0) + n * DAY // 2, 1)[0] for n in range(6)]
    assert halves == [0.0, 0.125, 0.5, 0.875, 1.0, 1.0]


def test_an_order_of_yesterday_says_nothing_about_the_thirtieth_day() -> None:
    """A million yuan of first orders yesterday leaves r_29 at its prior, and lowers r_0."""
    learned, fresh = Worth(), Worth()
    note_order(learned, 1, "m", 1e6, day_start(9))
    now = day_start(11)

    def last(of: Worth) -> float:
        return repeat_factor(of, 30, now) - repeat_factor(of, 29, now)

    assert last(learned) == pytest.approx(last(fresh)) == pytest.approx(REPEATS_A_DAY)
    assert repeat_factor(learned, 1, now) < repeat_factor(fresh, 1, now)


def test_a_steady_market_is_read_truly_from_its_second_day() -> None:
    """100 buyers a day, spread evenly, who each buy a tenth again every day: whatever the day, T = 3 is near 1.3."""
    learned = Worth()
    events = []
    for day in range(6):
        for n in range(100):
            began = day_start(day) + n * DAY // 100
            events.append((began, day * 100 + n, 1_000.0))
            events += [(began + k * DAY + DAY // 2, day * 100 + n, 100.0) for k in range(6)]
    seen = []
    days = iter(range(4, 7))
    now = day_start(next(days))
    for at, viewer, yuan in sorted(events):
        if at >= now:
            seen.append(repeat_factor(learned, 3, now))
            now = day_start(next(days, 99))
        note_order(learned, viewer, "m", yuan, at)
    assert seen == [pytest.approx(1.3, abs=0.01)] * 3


def test_a_fan_buys_at_the_rate_of_fans() -> None:
    """Of 100 fans a day ago 20 bought on their first day: f_0 = 20.6/(half of age 0 … 100 lived + 200), at 70 yuan."""
    learned = Worth()
    widen(learned, 1)
    learned.mean_price[0] = 70.0
    for viewer in range(100):
        assert note_fan(learned, viewer, "m", day_start(0) + HOUR)
    assert not note_fan(learned, 0, "m", day_start(0) + 2 * HOUR)
    for viewer in range(20):
        note_order(learned, viewer, "m", 9.0, day_start(0) + 3 * HOUR)
    rates = (20.0 + FAN_ORDERS_A_DAY * FAN_STRENGTH) / (100.0 + FAN_STRENGTH)
    assert fan_value(learned, 0, 1, day_start(2)) == pytest.approx(70.0 * rates)


def contract(id: str, meter: Meter, capacity: int = 0) -> Contract:
    limit = Limit(budget=YUAN, goal=1.0, capacity=capacity)
    return Contract(id, id, "made", "m", (Reach(),), meter, limit, Horizon(0, DAY), merchant="m")


def booked(*contracts: Contract) -> tuple[Worth, Book]:
    learned, book = Worth(), Book()
    for each in contracts:
        put(book, each.id, 1, [each])
    book.in_force[: len(book)] = True
    widen(learned, len(book))
    return learned, book


def test_meters_say_what_each_contract_pays_for() -> None:
    """Leads are paid per click, fans per long view, increments by scene; the price of capacity takes off."""
    learned, book = booked(
        contract("a", Meter(click=0.5, lead=60.0)),
        contract("b", Meter(follow=4.0)),
        contract("c", Meter(gmv=1.0, incremental=True)),
        contract("d", Meter(order=20.0)),
        contract("e", Meter(visit=15.0)),
    )
    learned.leads[0], learned.clicks[0] = 17.0, 100.0
    learned.follows[1], learned.long_views[1] = 26.0, 300.0
    learned.incremental[1], learned.price[3] = 0.6, 0.25
    found = meters(learned, book, 2, DAY)
    assert found.shape == (2, 5, worth.CHANNELS)
    assert found[0].tolist() == [
        [0.0, pytest.approx(0.5 + 60.0 * 20.0 / 200.0), 0.0, 0.0, 0.0],
        [0.0, 0.0, pytest.approx(4.0 * 30.0 / 500.0), 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 15.0],
        [0.0, pytest.approx(15.0 * 0.03), 0.0, 0.0, 0.0],
    ]
    assert found[1, 2].tolist() == [0.0, 0.0, 0.0, 0.6, 0.0]
    assert np.array_equal(np.delete(found[1], 2, axis=0), np.delete(found[0], 2, axis=0))


def test_leads_per_click_borrow_from_the_merchants_other_contracts_and_then_from_others() -> None:
    """A new contract of a merchant whose other one has 17 leads of 100 clicks starts at .1, another merchant's at .1
    pulled to that merchant's nothing, one that asks for visits at .03; the old one itself borrows .03."""
    ours, theirs = Meter(lead=60.0), Meter(lead=20.0)
    learned, book = booked(
        contract("old", ours),
        contract("new", ours),
        msgspec.structs.replace(contract("other", theirs), merchant="n"),
        contract("shop", Meter(visit=15.0)),
    )
    learned.leads[0], learned.clicks[0] = 17.0, 100.0
    found = leads_per_click(learned, book.contracts)
    assert found.tolist() == pytest.approx([0.1, 0.1, 0.1, 0.03])
    learned.clicks[2] = 300.0
    found = leads_per_click(learned, book.contracts)
    other = 3.0 / 400.0
    assert found[:2].tolist() == pytest.approx([(100.0 * other + 17.0) / 200.0] * 2)
    assert found[2] == pytest.approx((100.0 * 0.1) / 400.0)


def test_an_order_is_worth_the_share_of_a_visit_that_its_voucher_brings() -> None:
    """At 15 yuan a visit and 40% of vouchers used an order is worth 6 yuan, and nothing to a contract for leads."""
    learned, book = booked(contract("a", Meter(visit=15.0)), contract("b", Meter(lead=15.0)))
    found = meters(learned, book, 1, DAY, np.array([0.4, 0.4]))
    assert found[0, :, 4].tolist() == [pytest.approx(6.0), 0.0]


def test_capacity_is_dearer_the_fuller_the_day() -> None:
    """At half the day, 8 of 10 served is a load of 1.2 and .0525 a tick; 2 of 10 brings the price down to nothing."""
    learned, book = booked(contract("a", Meter(lead=60.0), capacity=10), contract("b", Meter(lead=60.0)))
    book.served_today[:2] = 8
    price_capacity(learned, book, 0.5)
    assert learned.price[:2].tolist() == [pytest.approx(0.15 * (0.5 * 0.8 + 0.5 * 1.6 - 0.85)), 0.0]
    steps = []
    for _ in range(40):
        price_capacity(learned, book, 0.5)
        steps.append(float(learned.price[0]))
    assert steps == sorted(steps)
    assert steps[-1] == worth.HIGHEST_PRICE
    book.served_today[0] = 2
    for _ in range(40):
        price_capacity(learned, book, 0.5)
    assert learned.price[0] == 0.0
