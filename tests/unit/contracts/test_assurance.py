"""The credit of a day that fell short, and its states."""

import math

import numpy as np
import pytest
from bench.intervals import bound

from fieldline.contracts.assurance import (
    CONFIRM_DAYS,
    Course,
    Credit,
    Typical,
    assure,
    credit_of,
    status,
    typical,
    upper_value,
)
from fieldline.contracts.horizon import day_start
from fieldline.contracts.incrementality import Arm, Arms
from fieldline.contracts.rois import DayAccount
from fieldline.units import DAY, HOUR, YUAN, Instant

HUNDRED = Typical(100.0, 10_000.0)
MISSED = Credit(250 * YUAN, 1_000 * YUAN, 200 * YUAN, 427_902_987, 143_024_253)
ENDS = day_start(21)
CONFIRMED = Instant(ENDS + CONFIRM_DAYS * DAY)


def test_a_day_without_orders_is_granted_what_chance_explains() -> None:
    """Without orders U is −ln(.2) = 1.609 orders' value, and the rest of what is owed is credited."""
    upper = upper_value(0, 0.0, HUNDRED)
    assert upper == math.ceil(-math.log(0.2) * 100.0 * YUAN)
    assert credit_of(250 * YUAN, 1_000 * YUAN, upper) == 250 * YUAN * (1_000 * YUAN - upper) // (1_000 * YUAN)


def test_credit_is_rounded_down_to_whole_micro_yuan() -> None:
    """Ten micro-yuan at a third of the goal missed are 3, not 3.33 and not 4."""
    assert credit_of(10, 3, 2) == 3


def test_large_days_are_credited_exactly() -> None:
    """At nine billion yuan no micro-yuan is lost to floating point."""
    spend = 9_000_000_000_000_000
    assert credit_of(spend, spend + 1, 1) == spend - 1


def test_a_day_that_owes_nothing_is_credited_nothing() -> None:
    """Without spend, or without a goal, the credit is 0."""
    assert credit_of(0, 0, 5) == credit_of(100, 0, 0) == 0


def test_an_account_is_assured_by_its_counted_value() -> None:
    """The day's credit is the formula on spend, owed value and counted value of the account."""
    arms = Arms(Arm(2, 2, 500 * YUAN, 130_000.0), Arm(), 0.0)
    account = DayAccount(
        "c",
        20,
        arms,
        spend=250 * YUAN,
        storewide=500 * YUAN,
        orders=2,
        owed=1_000 * YUAN,
        counted=200 * YUAN,
        counted_squares=20_000.0,
    )
    assert assure(account, HUNDRED) == MISSED


def test_orders_are_worth_what_past_ones_were() -> None:
    """Two orders of 50 and 150 yuan have mean 100 and mean square 12,500; free ones do not count."""
    assert typical([50 * YUAN, 0, 150 * YUAN]) == Typical(100.0, 12_500.0)
    with pytest.raises(ValueError, match="what an order is worth"):
        typical([0])


def test_the_bound_holds_about_as_often_as_it_says() -> None:
    """U is at least the expectation in .76 to .86 of days of 2 to 100 orders (seeded)."""
    rng = np.random.default_rng(4)
    held = [bound(rng, orders, 4_000)[0] for orders in (2.0, 5.0, 10.0, 30.0, 100.0)]
    assert min(held) > 0.76
    assert max(held) < 0.86


@pytest.mark.parametrize(
    ("now", "state", "reason", "until", "credit"),
    [
        (day_start(20), "in_force", "day_runs", ENDS, 0),
        (Instant(ENDS - 1), "in_force", "day_runs", ENDS, 0),
        (ENDS, "confirming", "orders_may_come", CONFIRMED, MISSED.credit),
        (Instant(CONFIRMED - 1), "confirming", "orders_may_come", CONFIRMED, MISSED.credit),
        (CONFIRMED, "paid", "fell_short", None, MISSED.credit),
    ],
)
def test_a_missed_day_goes_from_force_to_payment(
    now: Instant, state: str, reason: str, until: Instant | None, credit: int
) -> None:
    """In force until midnight in UTC+8, three days of confirming, then paid for good."""
    found = status(20, now, MISSED, Course())
    assert (found.state, found.reason, found.until, found.credit) == (state, reason, until, credit)


@pytest.mark.parametrize(
    ("result", "course", "state", "reason"),
    [
        (Credit(250, 1_000, 1_000, 1_400, 0), Course(), "ended", "goal_reached"),
        (Credit(250, 1_000, 900, 1_300, 0), Course(), "ended", "within_chance"),
        (Credit(0, 0, 0, 160, 0), Course(), "void", "nothing_spent"),
        (Credit(250, 0, 0, 160, 0), Course(), "void", "no_goal"),
        (MISSED, Course(assured=False), "void", "not_assured"),
        (MISSED, Course(ran_ms=8 * HOUR, halted_ms=4 * HOUR + 1), "void", "halted"),
        (MISSED, Course(ran_ms=8 * HOUR, halted_ms=4 * HOUR), "paid", "fell_short"),
    ],
)
def test_each_other_end_has_its_reason(result: Credit, course: Course, state: str, reason: str) -> None:
    """What is not paid says why, and carries no credit."""
    found = status(20, CONFIRMED, result, course)
    assert (found.state, found.reason, found.until) == (state, reason, None)
    assert found.credit == (result.credit if state == "paid" else 0)
