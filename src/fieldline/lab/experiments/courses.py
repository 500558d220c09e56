"""From a course to what experiments judge: outcomes, hindsight's passes, arms of a holdout, traces to plot."""

import numpy as np
from numpy.typing import NDArray

from fieldline.contracts.book import Book
from fieldline.contracts.incrementality import Arm as Viewers
from fieldline.contracts.incrementality import Arms
from fieldline.lab.experiments.hindsight import Pass
from fieldline.lab.experiments.outcome import Floats, Outcome
from fieldline.lab.experiments.plot import Trace
from fieldline.lab.season.course import Course
from fieldline.lab.season.plan import KINDS, Plan
from fieldline.traffic.forecast import Traffic, planned_share
from fieldline.traffic.pace import Controller, Prices
from fieldline.units import DAY, HOUR, YUAN


def outcome_of(course: Course, plan: Plan) -> Outcome:
    """Return what an arm came to."""
    hours = (course.twentieth - plan.start) / HOUR
    return Outcome(
        budget=course.budget / YUAN,
        goal=course.goal.astype(np.float64),
        spend=course.spent / YUAN,
        counted=course.final_value.astype(np.float64),
        expected=course.expected.astype(np.float64),
        orders=course.counted_orders.astype(np.float64),
        hours_to_many=np.where(course.twentieth >= 0, hours, np.inf),
    )


def supply_of(course: Course) -> tuple[Floats, Floats]:
    """Return the value and the cost by bins that all requests of a course offered, [C, BINS] each, yuan."""
    scale = course.requests / max(course.sampled, 1)
    return course.supply_value * scale, course.supply_cost * scale


def pass_of(course: Course, alpha: Floats) -> Pass:
    """Return a course at standing multipliers [C] as a pass of hindsight."""
    value, cost = supply_of(course)
    return Pass(
        alpha=alpha,
        budget=course.budget / YUAN,
        goal=course.goal.astype(np.float64),
        spend=course.spent / YUAN,
        counted=course.final_value.astype(np.float64),
        expected=course.expected.astype(np.float64),
        supply_value=value,
        supply_cost=cost,
    )


def days_of(course: Course, contract: int, holdout: float) -> list[Arms]:
    """Return what treated and held-out viewers bought of a contract's items, day by day.

    Args:
        course: with that holdout.
        contract: number.
        holdout: share of viewers held out.
    """
    return [
        Arms(_viewers(course, day, contract, 0), _viewers(course, day, contract, 1), holdout)
        for day in range(len(course.arm_gmv))
    ]


def _viewers(course: Course, day: int, contract: int, arm: int) -> Viewers:
    at = (day, contract, arm)
    return Viewers(
        buyers=int(course.arm_buyers[at]),
        orders=int(course.arm_orders[at]),
        gmv=int(course.arm_gmv[at]),
        squares=max(float(course.arm_squares[at]), 0.0),
    )


def following(recorded: Floats, own: Controller, free: NDArray[np.int64], start: int) -> Controller:
    """Return a controller of some contracts under which all others bid what a course recorded.

    Args:
        recorded: [T, C], multipliers by tick.
        own: sets those of the free contracts.
        free: numbers.
        start: first instant of the course, ms.
    """
    others = np.setdiff1d(np.arange(recorded.shape[1]), free)

    def update(prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> None:
        own(prices, book, traffic, now, tick_ms)
        tick = min(max((now - start) // tick_ms, 0), len(recorded) - 1)
        prices.alpha[others] = recorded[tick, others]

    return update


def traces_of(course: Course, plan: Plan) -> list[Trace]:
    """Return a contract of each kind, the one of median spend, tick by tick."""
    ticks = len(course.spend)
    tick_ms = plan.days * DAY // ticks
    ends = plan.start + tick_ms * np.arange(1, ticks + 1)
    prior = Traffic()
    planned = np.array(
        [planned_share(prior, plan.start, plan.start + plan.days * DAY, int(end)) for end in ends]
    )
    found = []
    for kind in KINDS:
        numbers = [j for j, contract in enumerate(plan.contracts) if contract.offer == kind]
        if not numbers:
            continue
        by_spend = sorted(numbers, key=lambda j: int(course.spent[j]))
        j = by_spend[len(by_spend) // 2]
        found.append(
            Trace(
                title=TITLES[kind] + f" ({plan.contracts[j].id})",
                days=np.arange(1, ticks + 1) * tick_ms / DAY,
                alpha=course.alpha[:, j],
                spend=course.spend[:, j] / YUAN,
                planned=planned,
                value=course.value[:, j],
                budget=float(course.budget[j]) / YUAN,
                goal=float(course.goal[j]),
            )
        )
    return found


TITLES = {
    "storewide": "storewide ROI",
    "ads_roi": "ads-only ROI",
    "cost_cap": "cost cap",
    "max_delivery": "maximum delivery",
}
