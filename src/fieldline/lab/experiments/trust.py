"""`fieldline lab trust`: what trust that is learned from orders does to refunds and repeats, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from fieldline.lab.experiments.figures import Figure, Floats, in_95
from fieldline.lab.experiments.policies import (
    Cost,
    Experiment,
    Job,
    Row,
    Setting,
    Whole,
    cost_of,
    cost_rows,
    daily,
    opened,
    whole_of,
)
from fieldline.lab.experiments.runner import Day
from fieldline.lab.season import POLICY, Arm, Course, Policies
from fieldline.lab.season.columns import BACK, DAY_ROW, PRODUCT, VIEWER, WORTH
from fieldline.lab.world import Size, World
from fieldline.lab.world.goods import LIVE
from fieldline.lab.world.truth import TWO
from fieldline.units import YUAN

WEIGHTS = (0.3, 0.6)
MARKET = Size(viewers=2_000, creators=300, merchants=120, products=1_200, videos=4_800, rooms=12)
"""Merchants with some ninety orders each in the mean after seven weeks, and more to show than a viewer is shown in that
time, so that there is a choice."""
FULL = Setting(MARKET, contracts=40, days=49)
QUICK = Setting(MARKET, contracts=40, days=3)
BLIND = replace(POLICY, trust_weight=0.0)


@dataclass(frozen=True, slots=True)
class Played:
    """One arm of one seed; shares of orders over the last third of its days."""

    refunded: float
    """That came back."""
    ordered: tuple[float, ...]
    """By trade: orders that are expected of what was shown, in truth; rooms left out."""
    returned: tuple[float, ...]
    """Of them those that will come back."""
    repeated: float
    """Made by a viewer at a merchant of whom they had bought on an earlier day of the season."""
    likeness: float
    """Correlation of what was learned of merchants with the share of their orders that is truly kept, each less the
    mean of its trade; NaN: nothing was learned."""
    gmv_early: float
    """Yuan of orders in the first third, as they came."""
    gmv: float
    """In the last third."""
    early: Whole
    late: Whole


class Weight(msgspec.Struct, frozen=True):
    """One weight of trust beside none, both over the last third of the days."""

    weight: float
    refund_rate: Figure
    refund_change: Figure
    """Points by which the refund rate differs."""
    expected_refund_rate: Figure
    """Of what was shown, in truth."""
    expected_refund_change: Figure
    expected_refund_change_in_trade: Figure
    """The same at the mix of trades without weight: trust compares a merchant with its trade."""
    repeat_rate: Figure
    repeat_change: Figure
    likeness: Figure
    gmv: Figure
    """Change of orders' GMV as it came."""
    early_gmv: Figure
    """The same over the first third: the price in the short run."""
    cost: Cost
    """Over the last third; displaced are looks at merchants of less than mean quality, in truth."""
    early_cost: Cost


class Trust(msgspec.Struct, frozen=True):
    """All figures, each [estimate, low, high] of 95%."""

    refund_rate_off: Figure
    expected_refund_rate_off: Figure
    repeat_rate_off: Figure
    weights: tuple[Weight, ...]
    cost: Cost
    """Of the first weight."""
    seeds: int
    days: int


def play_job(job: Job, day: Day) -> tuple[Played, ...]:
    """Play a market's arms: no weight, then each weight.

    Args:
        job: plain data; the same job finds the same.
        day: called for each day played.
    """
    season = opened(job, day, BLIND)
    arms = [
        Arm(policy=BLIND),
        *(Arm(policy=replace(BLIND, trust_weight=w), policies=Policies(learned=True)) for w in WEIGHTS),
    ]
    return tuple(_played(season.play(arm), season.world, job.setting.days) for arm in arms)


def _played(course: Course, world: World, days: int) -> Played:
    third = -(-days // 3)
    rows = course.bought[(course.bought[:, DAY_ROW] >= 0) & (course.bought[:, DAY_ROW] < days)]
    merchant = world.products.merchant[rows[:, PRODUCT]].astype(np.int64)
    late = rows[:, DAY_ROW] >= days - third
    repeated = repeats(rows[:, VIEWER] * world.size.merchants + merchant, rows[:, DAY_ROW])
    sold = world.items.merchant >= 0
    poor = sold & (world.merchants.quality[world.items.merchant] < world.merchants.quality.mean())
    first, last = whole_of(course, 0, third, poor), whole_of(course, days - third, days, poor)
    ordered, returned = expected_by_trade(world, daily(course, WORTH)[days - third : days].sum(axis=0))
    return Played(
        refunded=float((rows[late, BACK] > 0).mean()),
        ordered=tuple(ordered.tolist()),
        returned=tuple(returned.tolist()),
        repeated=float(repeated[late].mean()),
        likeness=_likeness(course, world),
        gmv_early=first.gmv,
        gmv=last.gmv,
        early=first,
        late=last,
    )


def repeats(pair: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which orders [n] follow one of the same pair on an earlier day.

    Args:
        pair: number of viewer and merchant together [n].
        day: of each order [n].
    """
    _, which = np.unique(pair, return_inverse=True)
    first = np.full(which.max() + 1 if len(which) else 0, np.iinfo(np.int64).max)
    np.minimum.at(first, which, day)
    return np.asarray(day > first[which])


def expected_by_trade(world: World, worth: Floats) -> tuple[Floats, Floats]:
    """Return by trade how many orders are expected, and how many of them will come back; rooms left out.

    An item's expected orders are its expected net yuan over what an order is worth, price · 1.12 · (1 − refunds).

    Args:
        world: the truth.
        worth: expected net yuan of the looks that each item had [I].
    """
    sells = (world.items.kind != LIVE) & (world.items.product >= 0)
    product = world.items.product[sells]
    trade, back = world.products.category[product], world.products.refund[product]
    orders = worth[sells] / (world.products.price[product] / YUAN * (1.0 + TWO) * (1.0 - back))
    ordered, returned = np.bincount(trade, orders), np.bincount(trade, orders * back)
    return ordered.astype(np.float64), returned.astype(np.float64)


def in_trade(base: Played, arm: Played) -> float:
    """Return by how much the expected share that comes back differs, at the mix of trades of the arm without weight."""
    before, after = (np.array((one.ordered, one.returned)) for one in (base, arm))
    sold = (before[0] > 0.0) & (after[0] > 0.0)
    change = after[1, sold] / after[0, sold] - before[1, sold] / before[0, sold]
    return float(before[0, sold] @ change / before[0, sold].sum())


def _likeness(course: Course, world: World) -> float:
    if not len(course.trust) or np.ptp(course.trust) == 0.0:
        return float("nan")
    own, trade = world.products.merchant, world.merchants.category
    kept = 1.0 - np.bincount(own, world.products.refund) / np.bincount(own)
    return float(np.corrcoef(_beside(course.trust, trade), _beside(kept, trade))[0, 1])


def _beside(of: Floats, trade: NDArray[np.int32]) -> Floats:
    """What merchants have [M] less the mean of their trade."""
    return np.asarray(of - (np.bincount(trade, of) / np.maximum(np.bincount(trade), 1))[trade])


def figures_of(found: Sequence[tuple[Played, ...]], setting: Setting) -> Trust:
    """Return all figures of the markets.

    Args:
        found: of each seed, the arm without weight first.
        setting: as played.
    """
    base = [arms[0] for arms in found]
    weights = tuple(_weight(base, [arms[n + 1] for arms in found], w) for n, w in enumerate(WEIGHTS))
    return Trust(
        refund_rate_off=in_95([one.refunded for one in base]),
        expected_refund_rate_off=in_95([_share(one) for one in base]),
        repeat_rate_off=in_95([one.repeated for one in base]),
        weights=weights,
        cost=weights[0].cost,
        seeds=len(found),
        days=setting.days,
    )


def _weight(base: Sequence[Played], played: Sequence[Played], weight: float) -> Weight:
    pairs = list(zip(base, played, strict=True))
    return Weight(
        weight=weight,
        refund_rate=in_95([arm.refunded for arm in played]),
        refund_change=in_95([arm.refunded - none.refunded for none, arm in pairs]),
        expected_refund_rate=in_95([_share(arm) for arm in played]),
        expected_refund_change=in_95([_share(arm) - _share(none) for none, arm in pairs]),
        expected_refund_change_in_trade=in_95([in_trade(none, arm) for none, arm in pairs]),
        repeat_rate=in_95([arm.repeated for arm in played]),
        repeat_change=in_95([arm.repeated - none.repeated for none, arm in pairs]),
        likeness=in_95([arm.likeness for arm in played]),
        gmv=in_95([arm.gmv / none.gmv - 1.0 for none, arm in pairs]),
        early_gmv=in_95([arm.gmv_early / none.gmv_early - 1.0 for none, arm in pairs]),
        cost=cost_of([one.late for one in played], [one.late for one in base]),
        early_cost=cost_of([one.early for one in played], [one.early for one in base]),
    )


def _share(one: Played) -> float:
    """Of the expected orders those that will come back."""
    return sum(one.returned) / sum(one.ordered)


def rows_of(found: Trust) -> list[Row]:
    """Return the lines of the table."""
    rows = [
        Row("refund rate, weight off", found.refund_rate_off),
        Row("  expected of what was shown", found.expected_refund_rate_off),
        Row("repeat rate, weight off", found.repeat_rate_off),
    ]
    for one in found.weights:
        rows += [
            Row(f"weight {one.weight}: refund rate", one.refund_rate),
            Row("  points beside off", one.refund_change, against="< 0"),
            Row("  expected of what was shown", one.expected_refund_rate),
            Row("  points beside off, expected", one.expected_refund_change, against="< 0"),
            Row("  the same at one mix of trades", one.expected_refund_change_in_trade, against="< 0"),
            Row(f"weight {one.weight}: repeat rate", one.repeat_rate),
            Row("  points beside off", one.repeat_change, against="> 0"),
            Row("  GMV as it came, last third", one.gmv),
            Row("  GMV as it came, first third", one.early_gmv),
            *cost_rows(one.cost),
            *cost_rows(one.early_cost, "  first third: "),
            Row("  learned trust and true kept share, correlation in trade", one.likeness, False),
        ]
    return rows


EXPERIMENT = Experiment(
    name="trust",
    full=FULL,
    quick=QUICK,
    arms=1 + len(WEIGHTS),
    play=play_job,
    figures=figures_of,
    rows=rows_of,
    scope=lambda setting: f"{setting.size.merchants} merchants",
)
