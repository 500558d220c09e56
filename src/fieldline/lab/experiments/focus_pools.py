"""`fieldline lab focus_pools`: looks granted for what merchants spend against as many that are granted to all alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec.structs import replace

from fieldline.contracts.grants import MILLION, Grant, Matching
from fieldline.lab.experiments.figures import Figure, in_95
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
from fieldline.lab.season import POLICY, Arm, Course, Policies, Pool
from fieldline.lab.season.columns import LOOKED, PAID_LOOKED, WORTH
from fieldline.lab.season.organic import Flags
from fieldline.lab.world.draws import uniforms
from fieldline.units import YUAN

PER_YUAN = 10.0
MEMBER = 2_000.0
TOLD = 24
"""Contenders of each request among which it is found what the pool moved."""
FULL = Setting(SMALL, contracts=100, days=3)
QUICK = Setting(TINY, contracts=60, days=2)
ARMS = 3


@dataclass(frozen=True, slots=True)
class Played:
    """One arm of one seed: the eligible merchants', and all."""

    organic_looks: float
    worth: float
    """Expected net yuan of what was shown of theirs."""
    spend: float
    granted: float
    used: float
    whole: Whole


@dataclass(frozen=True, slots=True)
class Found:
    """One market."""

    none: Played
    linked: Played
    unlinked: Played


class Way(msgspec.Struct, frozen=True):
    """One way to grant, beside no pool."""

    granted: Figure
    """Looks."""
    used: Figure
    """Looks that the price moved."""
    organic_exposure: Figure
    gmv: Figure
    """Change of the eligible merchants' net GMV."""
    gmv_per_look: Figure
    """Net yuan that they gained for each look used."""
    spend: Figure
    """Change of what they spent."""
    cost: Cost
    """Displaced: looks at all other items."""


class FocusPools(msgspec.Struct, frozen=True):
    """All figures, each [estimate, low, high] of 95%."""

    linked: Way
    """Ten looks for each yuan spent, 2,000 for one merchant at most."""
    unlinked: Way
    """As many looks as the linked pool used, for the same merchants, whatever they spend."""
    linked_over_unlinked: Figure
    """Change of the eligible merchants' net GMV."""
    cost: Cost
    """Of the linked pool."""
    seeds: int
    days: int


def play_job(job: Job, day: Day) -> Found:
    """Play a market's arms: no pool, the linked one, and an unlinked one of as many looks.

    Args:
        job: plain data; the same job finds the same.
        day: called for each day played.
    """
    season = opened(job, day)
    world, plan = season.world, season.plan
    drawn = uniforms(job.seed, "eligible", len(plan.merchants)) < 0.5
    eligible = np.zeros(world.size.merchants, bool)
    eligible[plan.merchants[drawn]] = True
    items = np.isin(world.items.merchant, np.flatnonzero(eligible))

    def played(terms: Grant | None) -> Played:
        pool = Pool(terms, eligible) if terms else None
        arm = Arm(policy=replace(POLICY, explained=TOLD), policies=Policies(pool=pool))
        return _played(season.play(arm), items, drawn, job.setting.days)

    linked = played(Grant(looks=1e6, matching=Matching(looks_per_yuan=PER_YUAN, member_looks=MEMBER)))
    return Found(
        none=played(None),
        linked=linked,
        unlinked=played(Grant(looks=max(linked.used, 1.0), member_looks=MEMBER)),
    )


def _played(course: Course, items: Flags, drawn: Flags, days: int) -> Played:
    def total(column: int) -> float:
        return float(daily(course, column)[:days, items].sum())

    return Played(
        organic_looks=total(LOOKED) - total(PAID_LOOKED),
        worth=total(WORTH),
        spend=float(course.spent[drawn].sum()) / YUAN,
        granted=course.pool.granted / MILLION,
        used=course.pool.spent / MILLION,
        whole=whole_of(course, 0, days, ~items),
    )


def figures_of(found: Sequence[Found], setting: Setting) -> FocusPools:
    """Return all figures of the markets.

    Args:
        found: of each seed.
        setting: as played.
    """
    none = [one.none for one in found]
    linked, unlinked = [one.linked for one in found], [one.unlinked for one in found]
    way = _way(linked, none)
    return FocusPools(
        linked=way,
        unlinked=_way(unlinked, none),
        linked_over_unlinked=in_95(
            [arm.worth / base.worth - 1.0 for arm, base in zip(linked, unlinked, strict=True)]
        ),
        cost=way.cost,
        seeds=len(found),
        days=setting.days,
    )


def _way(arms: Sequence[Played], bases: Sequence[Played]) -> Way:
    pairs = list(zip(arms, bases, strict=True))
    return Way(
        granted=in_95([arm.granted for arm in arms]),
        used=in_95([arm.used for arm in arms]),
        organic_exposure=in_95([arm.organic_looks / base.organic_looks - 1.0 for arm, base in pairs]),
        gmv=in_95([arm.worth / base.worth - 1.0 for arm, base in pairs]),
        gmv_per_look=in_95(
            [(arm.worth - base.worth) / arm.used if arm.used else float("nan") for arm, base in pairs]
        ),
        spend=in_95([arm.spend / base.spend - 1.0 for arm, base in pairs]),
        cost=cost_of([arm.whole for arm in arms], [base.whole for base in bases]),
    )


def rows_of(found: FocusPools) -> list[Row]:
    """Return the lines of the table."""
    rows = []
    for name, way in (("linked", found.linked), ("unlinked", found.unlinked)):
        rows += [
            Row(f"{name}: looks granted", way.granted, False, drawn=False),
            Row("  looks used", way.used, False, drawn=False),
            Row("  organic exposure", way.organic_exposure),
            Row("  GMV", way.gmv),
            Row("  yuan gained per look", way.gmv_per_look, False),
            Row("  spend", way.spend),
            *cost_rows(way.cost),
        ]
    rows.append(Row("linked over unlinked: GMV", found.linked_over_unlinked, against="> 0"))
    return rows


EXPERIMENT = Experiment(
    name="focus_pools",
    full=FULL,
    quick=QUICK,
    arms=ARMS,
    play=play_job,
    figures=figures_of,
    rows=rows_of,
    scope=lambda setting: f"{setting.contracts} merchants, half eligible",
)
