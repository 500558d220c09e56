"""What comes later of an order: what first orders become within 30 days, and how late approvals come."""

import numpy as np
from numpy.typing import NDArray

from bench.order_logs import Orders
from bench.order_scores import WEEK, Figures, Floats, Ints, compared
from fieldline.contracts.horizon import day_of
from fieldline.traffic import worth
from fieldline.traffic.prediction import delay
from fieldline.units import DAY

MONTH = 30 * DAY
WINDOW = 3 * DAY
"""Approvals that come later than this do not count as come."""


def repeat(orders: Orders, money: bool) -> Figures:
    """Judge what first orders become within 30 days, themselves included, as of every 30th day: `worth.repeat_factor`.

    `raw` is the ratio of first orders that are 30 days old, `young_as_none` of all, absence counting as none at once.

    Args:
        orders: with buyers.
        money: what was paid; False: orders, each counted alike.
    """
    checkouts = _checkouts(orders, money)
    first = _firsts(checkouts)
    at, amount = checkouts[:, 0], checkouts[:, 2]
    learned, fed = worth.Worth(), 0
    begun = at[0] + 2 * MONTH
    moments = np.arange(begun - begun % DAY, at[-1] - 2 * MONTH + 1, MONTH)
    said: dict[str, list[float]] = {"engine": [], "raw": [], "prior": [], "young_as_none": []}
    truths = []
    for moment in moments.tolist():
        while at[fed] < moment:
            when, buyer, paid = checkouts[fed].tolist()
            if fed and day_of(int(when)) > day_of(int(at[fed - 1])):
                worth.forget(learned, int(when))
            worth.note_order(learned, int(buyer), "shop", paid, int(when))
            fed += 1
        past = np.arange(len(at)) < fed
        said["engine"].append(worth.repeat_factor(learned, 30, moment))
        said["raw"].append(_factor(at, amount, first, past, at[first] < moment - MONTH))
        said["prior"].append(worth.repeat_factor(worth.Worth(), 30, moment))
        said["young_as_none"].append(_factor(at, amount, first, past, past[first]))
        cohort = (at[first] >= moment) & (at[first] < moment + MONTH)
        truths.append(_factor(at, amount, first, np.ones(len(at), bool), cohort))
    truth = np.array(truths)
    errors = {name: np.abs(np.array(values) - truth) for name, values in said.items()}
    return compared(errors, np.arange(len(truth))) | {
        "predicted": {name: float(np.mean(values)) for name, values in said.items()},
        "true": float(truth.mean()),
    }


def _checkouts(orders: Orders, money: bool) -> Floats:
    """Every known buyer's orders in order of time: [n, 3] when, whose, how much (each the mean, if not in money)."""
    lines = orders.buyer >= 0
    _, start, of = np.unique(orders.order[lines], return_index=True, return_inverse=True)
    paid = np.bincount(of, orders.amount[lines])
    paid = paid if money else np.full(len(paid), paid.mean())
    found = np.stack([orders.at[lines][start], orders.buyer[lines][start], paid], axis=1)
    return np.asarray(found[np.argsort(found[:, 0], kind="stable")])


def _firsts(checkouts: Floats) -> Ints:
    """Whose repeat each order is: the number of its buyer's first order, of the last 90 days."""
    since: dict[float, int] = {}
    first = np.zeros(len(checkouts), np.int64)
    for number, (at, buyer, _) in enumerate(checkouts.tolist()):
        begun = since.get(buyer)
        if begun is None or at - checkouts[begun, 0] >= worth.AGES * DAY:
            since[buyer] = number
        first[number] = since[buyer]
    return first


def _factor(
    at: Floats, amount: Floats, first: Ints, known: NDArray[np.bool_], cohort: NDArray[np.bool_]
) -> float:
    """What the first orders of a cohort became within 30 days, over what they were."""
    own = first == np.arange(len(at))
    within = (at - at[first]) < MONTH
    return float(amount[known & cohort & within].sum() / amount[known & cohort & own].sum())


def delays(orders: Orders) -> Figures:
    """Judge the share of approvals that came by six ages, each week from the week before alone: `delay.passed`.

    `raw` is of orders that are as old as the window, `young_as_none` of all, absence counting as none at once.
    """
    _, start = np.unique(orders.order, return_index=True)
    at, took = orders.at[start], orders.approved[start]
    took = np.where(took <= WINDOW, took, -1)
    ages, usual = delay.ages(WINDOW), delay.usual(WINDOW)
    errors: dict[str, list[float]] = {"engine": [], "raw": [], "prior": [], "young_as_none": []}
    for now in range(int(at[0] + (at[-1] - at[0]) // 2), int(at[-1]) - WEEK - WINDOW, WEEK):
        past = (at >= now - WEEK) & (at < now)
        mature = past & (at < now - WINDOW)
        ahead = (at >= now) & (at < now + WEEK) & (took >= 0)
        if not mature.any() or not ahead.any() or not (took[mature] >= 0).any():
            continue
        truth = _by(took[ahead], ages)
        come = np.where((took >= 0) & (at + took <= now), took, -1)
        found = {
            "engine": _learned(at[past], come[past], ages, usual, now),
            "raw": _by(took[mature & (took >= 0)], ages),
            "prior": _learned(at[:0], come[:0], ages, usual, now),
            "young_as_none": (come[past][:, None] >= 0).astype(float).T @ (come[past][:, None] <= ages)
            / past.sum(),
        }  # fmt: skip
        for name, share in found.items():
            errors[name].append(float(np.abs(np.ravel(share) - truth)[:-1].mean()))
    return compared({name: np.array(of) for name, of in errors.items()}, np.arange(len(errors["engine"])))


def _learned(at: Ints, come: Ints, ages: Ints, usual: Floats, now: int) -> Floats:
    """F as the engine has it after looking at every order at each of the ages that it has come to."""
    seen, share = delay.Delays().seen, np.empty(len(ages))
    for placed, took in zip(at.tolist(), come.tolist(), strict=True):
        for step in range(int(np.searchsorted(ages, now - placed, side="right"))):
            delay.look(seen, ages, step, took)
    delay.passed(seen, usual, share)
    return share


def _by(took: Ints, ages: Ints) -> Floats:
    """The share that came by each age."""
    return np.asarray((took[:, None] <= ages).mean(axis=0))
