"""Assurance of a goal: what a day that fell short is credited, and where that stands.

credit = S·max(0, 1 − U/O): spend S, owed value O = Σ goal·charge, and U the most value that the day could have been
expected to bring, given what it brought. Only a shortfall beyond what chance explains is credited, and no number
of orders is asked for. Each charge enters O at the goal in force when it was made, so that an edit counts from then
on and voids nothing.
Source: docs/algorithms/assurance.md.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fieldline.contracts.gamma import gamma_limits
from fieldline.contracts.horizon import day_start
from fieldline.contracts.rois import DayAccount
from fieldline.facts import Money
from fieldline.units import DAY, YUAN, Instant

CONFIDENCE = 0.8
"""Of the one-sided bound U."""
CONFIRM_DAYS = 3
"""Days after a day's end in which late orders and refunds still enter its account."""


class Typical(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The counted value of an order as expected before the day: its mean and its mean square."""

    mean: Annotated[float, Meta(gt=0.0)]
    """Yuan."""
    square: Annotated[float, Meta(gt=0.0)]
    """Yuan²."""


class Credit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The formula's inputs and its result, micro-yuan: all that is needed to work it out again."""

    spend: Money
    owed: Money
    value: Money
    upper: Money
    """U."""
    credit: Money


class Course(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a campaign's day went, beside its account."""

    assured: bool = True
    """Whether its terms assure the goal."""
    ran_ms: Annotated[int, Meta(ge=0, le=DAY)] = DAY
    """How long its horizon and hours let it run on that day."""
    halted_ms: Annotated[int, Meta(ge=0, le=DAY)] = 0
    """How much of it its owner kept it from running: paused, out of stock, or under review."""


State = Literal["in_force", "confirming", "paid", "void", "ended"]
Reason = Literal[
    "day_runs",
    "orders_may_come",
    "fell_short",
    "goal_reached",
    "within_chance",
    "not_assured",
    "no_goal",
    "nothing_spent",
    "halted",
]


class Status(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the assurance of a campaign's day stands, and why."""

    state: State
    reason: Reason
    until: Instant | None = None
    """When it is looked at again; None: this is final."""
    credit: Money = 0
    """Final if paid; while confirming, what it would be now."""


def typical(values: Sequence[int]) -> Typical:
    """Return what an order is worth, from past orders or, where there are none, from prices.

    Args:
        values: counted values of orders before the day, or prices of the items promoted, micro-yuan.

    Raises:
        ValueError: if no value is positive.
    """
    yuan = [value / YUAN for value in values if value > 0]
    if not yuan:
        raise ValueError("neither orders nor prices say what an order is worth")
    return Typical(sum(yuan) / len(yuan), sum(value * value for value in yuan) / len(yuan))


def upper_value(value: int, squares: float, order: Typical, confidence: float = CONFIDENCE) -> int:
    """Return the most value that may have been expected of a day on which so much came, in micro-yuan, rounded up.

    U = max(G, Γ⁻¹(confidence; mean G + m, variance Σx² + s)), Γ the gamma distribution of that mean and variance.

    Args:
        value: G, counted value of the day, micro-yuan.
        squares: Σx² over its orders, yuan².
        order: m and s of the next order.
        confidence: one-sided.

    Source: Fay & Feuer (Statistics in Medicine, 1997).
    """
    _, high = gamma_limits(value / YUAN, squares, order.mean, order.square, 1.0 - confidence)
    return max(value, math.ceil(float(high) * YUAN))


def credit_of(spend: int, owed: int, upper: int) -> int:
    """Return S·max(0, 1 − U/O) in whole micro-yuan, rounded down, by whole numbers alone; 0 where nothing is owed."""
    return spend * max(0, owed - upper) // owed if owed > 0 else 0


def assure(account: DayAccount, order: Typical, confidence: float = CONFIDENCE) -> Credit:
    """Return what the formula gives for a campaign's day.

    Args:
        account: the day's.
        order: what an order was worth before the day.
        confidence: one-sided.
    """
    upper = upper_value(account.counted, account.counted_squares, order, confidence)
    return Credit(
        account.spend, account.owed, account.counted, upper, credit_of(account.spend, account.owed, upper)
    )


def status(day: int, now: Instant, result: Credit, course: Course) -> Status:
    """Return the state of a day's assurance at an instant, and the reason for it.

    in_force while the day runs, confirming for three days after it, then paid if a credit is due, else ended. Void:
    not assured, nothing spent, no goal, or kept from running by its owner for more than half of its time.

    Args:
        day: counted from 1970-01-01 in UTC+8.
        now: any instant.
        result: the formula's result on what is known by then.
        course: how the day went, so far.
    """
    ends = Instant(day_start(day + 1))
    confirmed = Instant(ends + CONFIRM_DAYS * DAY)
    if not course.assured:
        return Status("void", "not_assured")
    if now < ends:
        return Status("in_force", "day_runs", ends)
    void = _void(result, course)
    if void is not None:
        return Status("void", void)
    if now < confirmed:
        return Status("confirming", "orders_may_come", confirmed, result.credit)
    if result.credit > 0:
        return Status("paid", "fell_short", None, result.credit)
    return Status("ended", "goal_reached" if result.value >= result.owed else "within_chance")


def _void(result: Credit, course: Course) -> Reason | None:
    if result.spend == 0:
        return "nothing_spent"
    if result.owed == 0:
        return "no_goal"
    return "halted" if 2 * course.halted_ms > course.ran_ms else None
