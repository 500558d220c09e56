"""Settling: the prices that a dial would come to, found by placing the sample's contenders again and again.

Inclusion: the sample is played in steps of half an hour, an eighth of it in each, at which creators' exposure x fades
and gains their looks, in the proportion in which a lasting state would replace what faded; then the weight w moves as
it does at ticks (`organic.inclusion.steer`). A sample's Gini lies above a day's, for most creators are not in it: it is
first played at today's weight, and what it then is off counts as the sample's and is taken off.

Floors: one price for all works that are owed looks, the least at which the sample gives them their share of it.
"""

from collections.abc import Generator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.columns import grown
from fieldline.facts import Decision
from fieldline.traffic.explain import CONTENDER, CONTRIBUTION, NAMED
from fieldline.traffic.organic import inclusion
from fieldline.traffic.organic.moved import refill
from fieldline.traffic.pace import HIGHEST
from fieldline.traffic.state import State
from fieldline.units import HOUR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Steps = Generator[None, None, Floats]

STEP = HOUR // 2
PARTS = 8
"""Parts of the sample, of which each step plays one."""
DAILY = 48
WARMING, TURNS = DAILY, 3 * DAILY
"""Steps at today's weight, and steps in which the weight moves."""
KEPT = 2
"""Of the last day, over which what comes of it is taken, the prices of every second step are kept."""
HALVINGS = 8
NEAREST = 100
"""Contenders among which a slate is placed first; all are looked at where those do not fill it."""
NEAR = 0.02
"""How far from its dial a Gini counts as met."""
BATCH = 50
"""Slates that are placed before others may have their turn."""


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


class Weighed(NamedTuple):
    """Where inclusion would come to stand: prices by creator, then of what has none, in mean scores [C + 1]."""

    weight: float
    gini: float  # as expected of a day
    prices: list[Floats]  # of the last day, step by step: no single one is a lasting state
    today: list[Floats]  # likewise at today's weight


class Floor(NamedTuple):
    """Where the price of floors would come to stand."""

    price: float  # in mean scores
    wanted: float  # looks of the sample that they are owed
    given: float


def told_of(view: State, decision: Decision, without: int) -> Told:
    """Return a decision's contenders, their scores without one of the named prices.

    Args:
        view: that it was decided in.
        decision: with its contenders.
        without: the price's place in `explain.PRICES`.
    """
    rows = np.frombuffer(decision.contenders, CONTENDER)
    base = rows["score"].astype(np.float64)
    parts = np.frombuffer(decision.contributions, CONTRIBUTION)
    parts = parts[parts["contract"] == NAMED - without]
    base[parts["contender"]] -= parts["amount"]
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


def settle_inclusion(
    told: Sequence[Told], score: float, held: inclusion.Inclusion, makers: Flags, dial: float
) -> Generator[None, None, Weighed]:
    """Play the sample until the Gini of creators' exposure meets a dial, or cannot.

    Args:
        told: contenders, without the price of inclusion.
        score: mean score of what is shown, yuan per look.
        held: exposure and weight as they stand.
        makers: which creators have something to show [C].
        dial: the Gini aimed at.
    """
    exposure = grown(held.exposure, len(makers))[: len(makers)].copy()
    now = inclusion.gini(exposure[makers])
    if not exposure.any() or not told:
        none = [np.zeros(len(makers) + 1)]
        return Weighed(0.0, now, none, none)
    before, prices, ginis, weights = list[Floats](), list[Floats](), list[float](), list[float]()
    for step in range(WARMING):
        before.append(_prices(exposure, makers, held.weight))
        exposure = yield from _onward(exposure, told[step % PARTS :: PARTS], score * before[-1])
    off = inclusion.gini(exposure[makers]) - now
    integral = weight = held.weight
    for step in range(TURNS):
        ginis.append(inclusion.gini(exposure[makers]) - off)
        integral, weight = inclusion.steer(integral, ginis[-1], dial, STEP)
        weights.append(weight)
        prices.append(_prices(exposure, makers, weight))
        exposure = yield from _onward(exposure, told[step % PARTS :: PARTS], score * prices[-1])
    return Weighed(
        float(np.mean(weights[-DAILY:])),
        float(np.mean(ginis[-DAILY:])),
        prices[-DAILY::KEPT],
        before[-DAILY::KEPT],
    )


def settle_floor(
    told: Sequence[Told], score: float, owed: Flags, wanted: float
) -> Generator[None, None, Floor]:
    """Find the least price at which works that are owed looks have those of the sample that are theirs.

    Args:
        told: contenders, without the price of floors.
        score: mean score of what is shown, yuan per look.
        owed: which works are owed looks [I].
        wanted: looks of the sample.
    """
    given = yield from _given(told, owed, 0.0)
    if given >= wanted or not owed.any():
        return Floor(0.0, wanted, given)
    most = yield from _given(told, owed, score * HIGHEST)
    low, high = 0.0, HIGHEST
    if most < wanted:
        return Floor(HIGHEST, wanted, most)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        found = yield from _given(told, owed, score * middle)
        if found >= wanted:
            high, most = middle, found
        else:
            low = middle
    return Floor(high, wanted, most)


def _prices(exposure: Floats, makers: Flags, weight: float) -> Floats:
    prices = np.zeros(len(makers) + 1)
    prices[:-1][makers] = inclusion.creator_prices(exposure[makers], weight)
    return prices


def _onward(exposure: Floats, told: Sequence[Told], prices: Floats) -> Steps:
    """Let exposure [C] fade for a step and gain the looks that prices [C + 1] give, so many that the sum stays."""
    looks = np.zeros(len(prices))
    for of in told:
        shown, place = _placed(of, prices[of.creator])
        np.add.at(looks, of.creator[shown], of.looks[place])
    yield
    kept = inclusion.faded(exposure, STEP)
    looks = looks[:-1]
    return np.asarray(kept + looks * ((exposure.sum() - kept.sum()) / max(float(looks.sum()), 1e-9)))


def _given(told: Sequence[Told], owed: Flags, price: float) -> Generator[None, None, float]:
    """Return the looks of works that are owed some, each at a price."""
    given = 0.0
    for number, of in enumerate(told):
        shown, place = _placed(of, np.where(owed[of.item], price, 0.0))
        given += float(of.looks[place[owed[of.item[shown]]]].sum())
        if number % BATCH == BATCH - 1:
            yield
    return given


def _placed(of: Told, prices: Floats) -> tuple[Ints, Ints]:
    """Return which contenders are shown, and in which slot; most of them never come near one."""
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
