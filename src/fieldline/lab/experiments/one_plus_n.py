"""`fieldline lab one_plus_n`: what paid exposure brings to organic exposure, by learning alone and with credit."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec.structs import replace

from fieldline.facts.policy import Earned
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
from fieldline.lab.experiments.storewide import SMALL, TINY
from fieldline.lab.season import POLICY, Arm, Course, Policies
from fieldline.lab.season.columns import LOOKED, PAID_LOOKED, PAID_WORTH, WORTH
from fieldline.lab.season.organic import Flags
from fieldline.lab.world.draws import Ints, uniforms
from fieldline.units import YUAN

CREDITS = (
    ("light", Earned(per_click=2.0, per_order=20.0, cap=0.1)),
    ("medium", Earned(per_click=5.0, per_order=50.0, cap=0.25)),
    ("strong", Earned(per_click=20.0, per_order=200.0, cap=1.0)),
)
TOLD = 24
"""Contenders of each request among which it is found what credit moved."""
CLAIM = {"organic_exposure": 0.48, "gmv": 0.34, "roi": 0.34}
MOST = 0.01
"""Share of GMV and of viewer value that the published setting may cost."""
FULL = Setting(SMALL, contracts=100, days=4, paid_days=2)
QUICK = Setting(TINY, contracts=100, days=2, paid_days=1)


@dataclass(frozen=True, slots=True)
class Group:
    """Some merchants over some days, by the truth's expectation; yuan."""

    organic_looks: float
    organic_worth: float
    worth: float
    spend: float


@dataclass(frozen=True, slots=True)
class Played:
    """One arm of one seed."""

    paying: Group
    """Who earns credit where there is any, on the days on which all pay."""
    later: Group
    others: Group
    """All who sell and earn none, on the days on which all pay."""
    others_later: Group
    whole: Whole


@dataclass(frozen=True, slots=True)
class Found:
    """One market."""

    silent: Played
    """Those who would earn do not pay."""
    learning: Played
    """They pay and earn nothing."""
    credits: tuple[Played, ...]
    """In the order of `CREDITS`."""


class Effect(msgspec.Struct, frozen=True):
    """What an arm changes for those who earn, as shares of what they have in another arm."""

    organic_exposure: Figure
    gmv: Figure
    roi: Figure
    """Net GMV over spend; unknown beside an arm in which they do not spend."""
    spend: Figure
    """What they paid: organic places are not bought, so that credit lowers it."""
    later_organic_exposure: Figure
    """On the days after."""
    later_gmv: Figure


class Credit(msgspec.Struct, frozen=True):
    """One setting of credit."""

    name: str
    per_click: float
    per_order: float
    cap: float
    over_learning: Effect
    over_silence: Effect
    cost: Cost
    """Beside learning alone; displaced: organic GMV that those lost who earn none, on the paying days."""


class OnePlusN(msgspec.Struct, frozen=True):
    """All figures, each [estimate, low, high] of 95%."""

    organic_exposure: Figure
    """Of the strong setting over learning, on the days on which merchants pay."""
    gmv: Figure
    roi: Figure
    claim: dict[str, float]
    learning: Effect
    """Paying without credit, over not paying."""
    credits: tuple[Credit, ...]
    published: str | None
    """The strongest setting that costs at most 1% of viewer value and of platform GMV, by estimate."""
    cost: Cost
    """Of the strong setting."""
    seeds: int
    days: int


def play_job(job: Job, day: Day) -> Found:
    """Play a market's arms.

    Args:
        job: plain data; the same job finds the same.
        day: called for each day played.
    """
    season = opened(job, day)
    plan, count = season.plan, len(season.plan.contracts)
    earning = np.flatnonzero(
        np.argsort(np.argsort(uniforms(job.seed, "who earns", count))) < count // 2
    ).astype(np.int32)
    merchants = plan.merchants[earning]
    earners = np.isin(season.world.items.merchant, merchants)

    def played(arm: Arm) -> Played:
        return _played(season.play(arm), earners, season.world.items.merchant, earning, job.setting)

    return Found(
        silent=played(Arm(off=tuple(earning.tolist()))),
        learning=played(Arm()),
        credits=tuple(
            played(
                Arm(
                    policy=replace(POLICY, earned=earned, explained=TOLD),
                    policies=Policies(earners=earners),
                )
            )
            for _, earned in CREDITS
        ),
    )


def _played(course: Course, earners: Flags, merchant: Ints, earning: Ints, setting: Setting) -> Played:
    half, days = setting.paid_days, setting.days
    others = (merchant >= 0) & ~earners
    spend = course.day_spend[:, earning].sum(axis=1) / YUAN
    rest = course.day_spend.sum(axis=1) / YUAN - spend
    return Played(
        paying=_group(course, earners, slice(0, half), spend),
        later=_group(course, earners, slice(half, days), spend),
        others=_group(course, others, slice(0, half), rest),
        others_later=_group(course, others, slice(half, days), rest),
        whole=whole_of(course, 0, days, ~earners),
    )


def _group(course: Course, items: Flags, stretch: slice, spend: Floats) -> Group:
    def total(column: int) -> float:
        return float(daily(course, column)[stretch][:, items].sum())

    return Group(
        organic_looks=total(LOOKED) - total(PAID_LOOKED),
        organic_worth=total(WORTH) - total(PAID_WORTH),
        worth=total(WORTH),
        spend=float(spend[stretch].sum()),
    )


def figures_of(found: Sequence[Found], setting: Setting) -> OnePlusN:
    """Return all figures of the markets.

    Args:
        found: of each seed.
        setting: as played.
    """
    silent, learning = [one.silent for one in found], [one.learning for one in found]
    earning = []
    for n, (name, earned) in enumerate(CREDITS):
        arms = [one.credits[n] for one in found]
        lost = [
            1.0 - arm.others.organic_worth / base.others.organic_worth
            for arm, base in zip(arms, learning, strict=True)
        ]
        earning.append(
            Credit(
                name=name,
                per_click=earned.per_click,
                per_order=earned.per_order,
                cap=earned.cap,
                over_learning=_effect(arms, learning),
                over_silence=_effect(arms, silent),
                cost=cost_of([arm.whole for arm in arms], [base.whole for base in learning], lost),
            )
        )
    strong = earning[-1]
    cheap = [
        one.name for one in earning
        if max(one.cost.viewer_value.estimate, one.cost.platform_gmv.estimate) <= MOST
    ]  # fmt: skip
    return OnePlusN(
        organic_exposure=strong.over_learning.organic_exposure,
        gmv=strong.over_learning.gmv,
        roi=strong.over_learning.roi,
        claim=CLAIM,
        learning=_effect(learning, silent),
        credits=tuple(earning),
        published=cheap[-1] if cheap else None,
        cost=strong.cost,
        seeds=len(found),
        days=setting.days,
    )


def _effect(arms: Sequence[Played], bases: Sequence[Played]) -> Effect:
    pairs = list(zip(arms, bases, strict=True))
    paying = [(arm.paying, base.paying) for arm, base in pairs]
    later = [(arm.later, base.later) for arm, base in pairs]
    return Effect(
        organic_exposure=in_95([_gain(arm.organic_looks, base.organic_looks) for arm, base in paying]),
        gmv=in_95([_gain(arm.worth, base.worth) for arm, base in paying]),
        roi=in_95([_gain(arm.worth * base.spend, base.worth * arm.spend) for arm, base in paying]),
        spend=in_95([_gain(arm.spend, base.spend) for arm, base in paying]),
        later_organic_exposure=in_95([_gain(arm.organic_looks, base.organic_looks) for arm, base in later]),
        later_gmv=in_95([_gain(arm.worth, base.worth) for arm, base in later]),
    )


def _gain(now: float, before: float) -> float:
    return now / before - 1.0 if before > 0.0 and now > 0.0 else float("nan")


def rows_of(found: OnePlusN) -> list[Row]:
    """Return the lines of the table."""
    rows = _rows("learning alone, over not paying", found.learning, False)
    for one in found.credits:
        name = f"{one.name} credit ({one.per_click:g} a click, {one.per_order:g} an order, cap {one.cap:g})"
        rows += _rows(f"{name}, over learning", one.over_learning, True)
        rows += cost_rows(one.cost)
        rows += _rows(f"{one.name} credit, over not paying", one.over_silence, False)
    return rows


def _rows(name: str, effect: Effect, claimed: bool) -> list[Row]:
    def claim(of: str) -> str:
        return f"{CLAIM[of]:+.0%}" if claimed else ""

    return [
        Row(f"{name}: organic exposure", effect.organic_exposure, against=claim("organic_exposure")),
        Row("  GMV", effect.gmv, against=claim("gmv")),
        Row("  ROI", effect.roi, against=claim("roi")),
        Row("  spend", effect.spend),
        Row("  organic exposure on later days", effect.later_organic_exposure),
        Row("  GMV on later days", effect.later_gmv),
    ]


EXPERIMENT = Experiment(
    name="one_plus_n",
    full=FULL,
    quick=QUICK,
    arms=2 + len(CREDITS),
    play=play_job,
    figures=figures_of,
    rows=rows_of,
    scope=lambda setting: f"{setting.contracts} merchants, half of them earn",
)
