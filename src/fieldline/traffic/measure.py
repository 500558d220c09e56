"""Measuring: tallies as the accounts that returns, assurance and incrementality are taken from."""

import numpy as np

from fieldline.contracts import tally
from fieldline.contracts.incrementality import Arm, Arms, draw_variance, incremental, scene_shares
from fieldline.contracts.rois import DayAccount
from fieldline.contracts.tally import HELD, TREATED, Tally
from fieldline.facts import Money
from fieldline.traffic.forecast import SCENES
from fieldline.traffic.state import State
from fieldline.units import YUAN

LEARNED_DAYS = 28
"""Days of holdouts from which shares by scene are estimated."""


def account_of(state: State, number: int, day: int) -> DayAccount:
    """Return a contract's account of one day (UTC+8), an empty one where it did nothing."""
    of_day = state.tallies.get(number, {}).get(day, Tally())
    total = of_day.total.tolist()
    return DayAccount(
        campaign=state.book.contracts[number].wish,
        day=day,
        arms=arms_of(of_day),
        spend=total[tally.SPEND],
        storewide=total[tally.STOREWIDE],
        attributed=total[tally.ATTRIBUTED],
        refunds=total[tally.REFUNDED],
        orders=total[tally.ORDERS],
        owed=_micros(of_day.owed),
        counted=_micros(of_day.value),
        counted_squares=of_day.value_squares,
    )


def arms_of(of_day: Tally) -> Arms:
    """Return what treated and held-out viewers bought of a contract's items on a day."""
    return Arms(_arm(of_day, TREATED), _arm(of_day, HELD), of_day.holdout)


def learn_incremental(state: State, day: int) -> None:
    """Estimate by scene which share of attributed GMV would not have come anyway, from the holdouts up to a day."""
    attributed, gained, variance = [], [], []
    for days in state.tallies.values():
        for of_day in (days[d] for d in range(day - LEARNED_DAYS + 1, day + 1) if d in days):
            if of_day.holdout > 0.0:
                arms = arms_of(of_day)
                estimate = incremental([arms])
                attributed.append(of_day.scenes[:SCENES, tally.ATTRIBUTED] / YUAN)
                gained.append(estimate.value or 0.0)
                variance.append(draw_variance(arms))
    if attributed:
        state.worth.incremental = scene_shares(np.array(attributed), np.array(gained), np.array(variance))


def _arm(of_day: Tally, arm: int) -> Arm:
    totals = [amount / YUAN for amount in of_day.of_arm[arm].values()]
    return Arm(
        buyers=len(totals),
        orders=of_day.orders_of_arm[arm],
        gmv=sum(of_day.of_arm[arm].values()),
        squares=sum(yuan * yuan for yuan in totals),
    )


def _micros(yuan: float) -> Money:
    return max(int(yuan * YUAN), 0)
