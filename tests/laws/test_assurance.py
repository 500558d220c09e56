"""Laws of the credit."""

import math
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.contracts.assurance import Course, Credit, Typical, credit_of, status, upper_value
from fieldline.units import YUAN, Instant

FEW = settings(max_examples=60, deadline=None)

money = st.integers(0, 10**13)
orders = st.lists(st.integers(1, 100_000).map(lambda cents: cents * 10_000), max_size=12)
worth = st.tuples(st.floats(0.5, 500.0), st.floats(1.0, 8.0)).map(lambda m: Typical(m[0], m[0] ** 2 * m[1]))


def upper(sales: list[int], order: Typical) -> int:
    return upper_value(sum(sales), sum((sale / YUAN) ** 2 for sale in sales), order)


@given(money, money, money)
def test_the_credit_is_the_formula(spend: int, owed: int, bound: int) -> None:
    """S·max(0, 1 − U/O) in exact fractions, rounded down, and never above the spend."""
    exact = spend * max(Fraction(0), 1 - Fraction(bound, owed)) if owed else Fraction(0)
    assert credit_of(spend, owed, bound) == math.floor(exact)
    assert 0 <= credit_of(spend, owed, bound) <= spend


@FEW
@given(money, money, orders, st.integers(1, 10**12), worth)
def test_one_more_order_never_raises_the_credit(
    spend: int, owed: int, sales: list[int], more: int, order: Typical
) -> None:
    """Whatever its amount."""
    before, after = upper(sales, order), upper([*sales, more], order)
    assert after >= before
    assert credit_of(spend, owed, after) <= credit_of(spend, owed, before)


@FEW
@given(orders, st.integers(1, 10**12), worth)
def test_more_value_of_the_same_orders_never_lowers_the_bound(
    sales: list[int], more: int, order: Typical
) -> None:
    """At the same sum of squares a higher value has a higher bound."""
    squares = sum((sale / YUAN) ** 2 for sale in sales)
    assert upper_value(sum(sales) + more, squares, order) >= upper_value(sum(sales), squares, order)


@FEW
@given(st.integers(1, 10**12), st.integers(0, 10**12), st.integers(1, 20), orders, worth)
def test_more_spend_at_the_same_goal_never_lowers_the_credit(
    spend: int, more: int, goal: int, sales: list[int], order: Typical
) -> None:
    """Owed value grows with spend, and the credit with it (to a micro-yuan of rounding: not even that)."""
    bound = upper(sales, order)
    assert credit_of(spend + more, goal * (spend + more), bound) >= credit_of(spend, goal * spend, bound)


@FEW
@given(st.lists(st.tuples(st.integers(0, 10**10), st.integers(1, 20)), min_size=1, max_size=6), orders, worth)
def test_an_edited_goal_enters_from_then_on(
    charges: list[tuple[int, int]], sales: list[int], order: Typical
) -> None:
    """A day's owed value is the sum over its goals: the credit lies between those of its lowest and highest goal."""
    spend, bound = sum(charge for charge, _ in charges), upper(sales, order)
    owed = sum(charge * goal for charge, goal in charges)
    goals = [goal for _, goal in charges]
    found = credit_of(spend, owed, bound)
    assert credit_of(spend, min(goals) * spend, bound) <= found <= credit_of(spend, max(goals) * spend, bound)


@FEW
@given(money, orders, st.floats(0.0, 1.0), worth)
def test_a_goal_that_was_reached_is_not_credited(
    spend: int, sales: list[int], share: float, order: Typical
) -> None:
    """Where the counted value is at least what is owed there is no credit."""
    owed = int(sum(sales) * share)
    assert upper(sales, order) >= sum(sales)
    assert credit_of(spend, owed, upper(sales, order)) == 0


STAGES = {"in_force": 0, "confirming": 1, "paid": 2, "ended": 2, "void": 2}


@FEW
@given(
    st.builds(Credit, money, money, money, money, money),
    st.builds(Course, st.booleans(), st.integers(0, 86_400_000), st.integers(0, 86_400_000)),
    st.lists(st.integers(0, 40 * 86_400_000), min_size=2, max_size=6),
)
def test_a_status_never_goes_back(result: Credit, course: Course, times: list[int]) -> None:
    """On the same account later instants have the same or a later stage, and what is final stays."""
    found = [status(20, Instant(15 * 86_400_000 + time), result, course) for time in sorted(times)]
    for before, after in pairwise(found):
        assert STAGES[after.state] >= STAGES[before.state]
        assert before.until is not None or after == before
    assert all((each.credit > 0) <= (each.state in ("confirming", "paid")) for each in found)
