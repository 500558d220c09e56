"""Learning: how far a new campaign is, and what it will still cost until it knows its way (S69)."""

from typing import Literal

import msgspec
import numpy as np

from fieldline.traffic.ahead import MOST_HOURS, Ahead, Stand, ahead, left, stand, within_goal
from fieldline.traffic.alerts import NOTHING, SURE, result_value
from fieldline.traffic.forecast import still_to_come
from fieldline.traffic.pace import REST
from fieldline.traffic.state import State
from fieldline.units import DAY, HOUR, YUAN

RESULTS = 20
"""Results (orders, fans, leads, visits or clicks that count) with which a campaign has learned."""
FEW, SAMPLED = 8, 300.0
"""So many do where its landscape rests on so many sampled requests."""
PATIENCE = 3.0
"""Costs of an expected result that may be spent without one."""
LONGEST = 7 * DAY

Reason = Literal[
    "few_results",
    "not_begun",
    "enough_results",
    "well_sampled",
    "no_results",
    "paused",
    "over",
    "budget_used",
    "out_of_stock",
    "under_review",
    "nothing_to_show",
    "no_supply",
    "goal_too_high",
]


Progress = Literal["learning", "learned", "failed"]
STATES: dict[Reason, Progress] = {
    "few_results": "learning",
    "not_begun": "learning",
    "enough_results": "learned",
    "well_sampled": "learned",
}
"""Every other reason is one of failure."""


class Learning(msgspec.Struct, frozen=True):
    """How far a campaign is."""

    state: Progress
    reason: Reason
    orders: int
    """Results that count towards its goal: orders, or fans, leads, visits or clicks where it buys those."""
    cost_left: float | None = None
    """Yuan that it is expected to spend until its 20th result; null once it has learned, or where nobody can say."""
    hours_left: float | None = None
    """Hours until then; null also where its end or its budget comes first."""


def learning(state: State, number: int) -> Learning:
    """Return how far a campaign is, why, and what is expected until its 20th result.

    Learned: 20 results, or 8 once its landscape rests on 300 sampled requests. Failed: it can buy nothing (paused, its
    budget used, nothing of it may be shown, no supply, or a goal at which next to nothing can be bought), it is over,
    or it has no result at half of its time (7 days at most) although it spent three times what one is expected to
    cost. Learning otherwise. With n results for S yuan and c the cost of one at today's price, until more are seen,

        cost left = (20 − n)·(S + c)/(n + 1)

    Args:
        state: only read.
        number: of a contract that bids.

    Source: S69; the mean of a Poisson rate after one expected result.
    """
    results = results_of(state, number)
    final = _final(state, number, results)
    if final is not None:
        return Learning(STATES.get(final, "failed"), final, results)
    known = ahead(state, number)
    reason = _reason(state, number, known, results)
    kind: Progress = STATES.get(reason, "failed")
    spent, cost = float(state.book.spent[number]) / YUAN, cost_of_result(state, number)
    to_go = (RESULTS - results) * (spent + cost) / (results + 1.0) if cost > 0.0 else None
    hours = _hours(state, number, known, to_go) if reason == "few_results" else None
    return Learning(kind, reason, results, to_go, hours)


def results_of(state: State, number: int) -> int:
    """Return how many results count towards a contract's goal, in the days that are kept."""
    return sum(of_day.valued for of_day in state.tallies.get(number, {}).values())


def cost_of_result(state: State, number: int) -> float:
    """Return what one result is expected to cost at today's price, yuan: its value × min(α, 1/goal); 0: unknown.

    A contract at rest pays nothing today: with a goal it is expected to pay 1/goal, without one nothing is known.

    Args:
        state: only read.
        number: of a contract that bids.
    """
    goal, alpha = float(state.book.goal[number]), float(state.prices.alpha[number])
    price = 0.0 if alpha <= REST else alpha
    if goal > 0.0:
        price = min(price or 1.0 / goal, 1.0 / goal)
    return result_value(state, number) * price


def _final(state: State, number: int, results: int) -> Reason | None:
    """Why there is nothing left to expect, or None."""
    contract = state.book.contracts[number]
    if results >= RESULTS:
        return "enough_results"
    if results >= FEW and state.prices.sampled[number] >= SAMPLED:
        return "well_sampled"
    return "over" if contract.wish in state.book.ended or state.now >= contract.horizon.end else None


def _reason(state: State, number: int, known: Ahead, results: int) -> Reason:
    horizon = state.book.contracts[number].horizon
    waited = state.now - horizon.start >= min((horizon.end - horizon.start) // 2, LONGEST)
    spent, cost = float(state.book.spent[number]) / YUAN, cost_of_result(state, number)
    reasons: tuple[tuple[bool, Reason | None], ...] = (
        (True, _blocked(state, number, known)),
        (state.now < horizon.start, "not_begun"),
        (not results and waited and spent >= PATIENCE * cost > 0.0, "no_results"),
    )
    return next((reason for holds, reason in reasons if holds and reason is not None), "few_results")


def _blocked(state: State, number: int, known: Ahead) -> Reason | None:
    """Why a campaign cannot buy anything, or None."""
    contract = state.book.contracts[number]
    items, rest = stand(state, contract), left(state, number)
    if contract.wish in state.book.paused:
        return "paused"
    if rest <= 0.0:
        return "budget_used"
    if not items.shown:
        return _hidden(items)
    scarce = NOTHING * rest
    if state.now < contract.horizon.start or known.sampled < SURE:
        return None
    if known.most * known.requests < scarce:
        return "no_supply"
    too_high = contract.limit.goal and within_goal(state, number, known) < scarce
    return "goal_too_high" if too_high else None


def _hidden(items: Stand) -> Reason:
    if not items.out_of_stock and not items.under_review:
        return "nothing_to_show"
    return "out_of_stock" if items.out_of_stock >= items.under_review else "under_review"


def _hours(state: State, number: int, known: Ahead, cost: float | None) -> float | None:
    """Hours until so much is spent at today's price, or None where the end or the budget comes first."""
    contract = state.book.contracts[number]
    if cost is None or known.cost <= 0.0 or cost > left(state, number):
        return None
    hours = min((contract.horizon.end - state.now) // HOUR, MOST_HOURS)
    ends = state.now + HOUR * np.arange(1, hours + 1, dtype=np.int64)
    spent = known.cost * still_to_come(state.traffic, state.now, ends, state.policy.tick_ms)
    if not len(spent) or spent[-1] < cost:
        return None
    return float(np.interp(cost, np.concatenate([[0.0], spent]), np.arange(hours + 1)))
