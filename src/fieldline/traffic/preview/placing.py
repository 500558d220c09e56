"""Placing: a decision's contenders placed again at other prices, paid places staying where they are."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.facts import Decision
from fieldline.traffic.explain import CONTENDER
from fieldline.traffic.organic.moved import refill
from fieldline.traffic.state import State

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NEAREST = 100
"""Contenders among which a slate is placed first; all are looked at where those do not fill it."""


class Told(NamedTuple):
    """One decision's contenders, by column [n]."""

    slot: Ints
    base: Floats  # score without the price that is solved, yuan per look
    item: Ints
    creator: Ints
    group: Ints
    category: Ints
    paid: Ints
    looks: Floats  # [K]
    caps: tuple[int, int]


def told_of(view: State, decision: Decision, without: int | None) -> Told:
    """Return a decision's contenders, their scores without one of the named prices.

    Args:
        view: that it was decided in.
        decision: with its contenders.
        without: the price's place in `explain.PRICES`; None: with all.
    """
    rows = np.frombuffer(decision.contenders, CONTENDER)
    base = rows["score"].astype(np.float64)
    if without is not None:
        base -= view.organic.parts[rows["item"], without]
    paid = np.zeros(len(rows), np.int64)
    paid[: len(decision.slots)] = [slot.contract is not None for slot in decision.slots]
    shelf, item = view.shelf, rows["item"].astype(np.int64)
    mixed = decision.category is None and not decision.searched
    return Told(
        rows["slot"].astype(np.int64), base, item,
        shelf.creator[item].astype(np.int64), shelf.group[item].astype(np.int64),
        shelf.category[item].astype(np.int64), paid, np.array(decision.looks),
        (view.policy.merchant_cap, view.policy.category_cap if mixed else len(decision.slots)),
    )  # fmt: skip


def placed(of: Told, prices: Floats) -> Floats:
    """Return the looks that each contender has at some prices [n].

    Args:
        of: the contenders.
        prices: that are added to each one's score, yuan per look [n].
    """
    looks = np.zeros(len(of.base))
    shown, place = place_in(of, prices)
    looks[shown] = of.looks[place]
    return looks


def place_in(of: Told, prices: Floats) -> tuple[Ints, Ints]:
    """Return which contenders are shown, and in which slot; most of them never come near one.

    Args:
        of: the contenders.
        prices: that are added to each one's score, yuan per look [n].
    """
    score = of.base + prices
    if len(score) > NEAREST:
        worth = np.where(of.paid[: len(of.looks)] == 1, np.inf, score[: len(of.looks)])
        near = np.concatenate((worth, score[len(of.looks) :])).argpartition(-NEAREST)[-NEAREST:]
        near.sort()
        place = _refilled(of, score, near)
        if (place >= 0).sum() == len(of.looks):
            return near[place >= 0], place[place >= 0]
    place = _refilled(of, score, np.arange(len(score)))
    return np.flatnonzero(place >= 0), place[place >= 0]


def _refilled(of: Told, score: Floats, which: Ints) -> Ints:
    place = np.full(len(which), -1, np.int64)
    refill(
        of.slot[which], score[which], of.group[which], of.category[which], of.paid[which],
        *of.caps, len(of.looks), place,
    )  # fmt: skip
    return place
