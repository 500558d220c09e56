"""Measuring: tallies as the accounts that returns, assurance and incrementality are taken from."""

import msgspec
import numpy as np

from fieldline.contracts import tally
from fieldline.contracts.incrementality import Arm, Arms, draw_variance, incremental, scene_shares
from fieldline.contracts.rois import DayAccount
from fieldline.contracts.tally import HELD, TREATED, Tally
from fieldline.traffic.forecast import SCENES
from fieldline.traffic.state import State
from fieldline.units import YUAN

LEARNED_DAYS = 28
"""Days of holdouts from which shares by scene are estimated."""


def account_of(state: State, number: int, day: int) -> DayAccount:
    """Return a contract's account of a day (UTC+8): its tally as the four returns and the assurance need it.

    Args:
        state: only read.
        number: the contract's.
        day: counted from 1970-01-01.
    """
    contract = state.book.contracts[number]
    of_day = state.tallies.get(number, {}).get(day) or Tally()
    total = of_day.total
    storewide, orders = int(total[tally.STOREWIDE]), int(total[tally.ORDERS])
    held = _arm(of_day, HELD) if of_day.holdout else Arm()
    treated = _arm(of_day, TREATED)
    gmv = storewide - held.gmv
    if (
        gmv != treated.gmv
    ):  # nobody was held out (for a part of the day): what is not told by buyer counts as one
        rest = gmv - treated.gmv
        buyers, squares = treated.buyers + 1, treated.squares + (rest / YUAN) ** 2
        treated = msgspec.structs.replace(treated, gmv=gmv, buyers=buyers, squares=squares)
    treated = msgspec.structs.replace(treated, orders=orders - held.orders)
    return DayAccount(
        campaign=contract.wish,
        day=day,
        arms=Arms(treated, held, of_day.holdout),
        spend=int(total[tally.SPEND]),
        storewide=storewide,
        attributed=int(total[tally.ATTRIBUTED]),
        refunds=int(total[tally.REFUNDED]),
        orders=orders,
        owed=round(of_day.owed * YUAN),
        counted=max(round(of_day.value * YUAN), 0),
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
    totals = np.array(list(of_day.of_arm[arm].values()), np.int64)
    squares = float(((totals / YUAN) ** 2).sum())
    return Arm(len(totals), of_day.orders_of_arm[arm], int(totals.sum()), squares)
