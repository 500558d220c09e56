"""`fieldline lab cold_start`: whether new works get the looks that they are owed, who is found by it, and the cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec.structs import replace

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
from fieldline.lab.season import POLICY, Arm, Course, Plan, Policies
from fieldline.lab.season.columns import LOOKED
from fieldline.lab.world import Size, World
from fieldline.lab.world.goods import VIDEO
from fieldline.units import HOUR

LOOKS, HOURS = 300.0, 24
"""What every new work is owed, and within how many hours."""
BOOSTS = (0.5, 1.0)
"""Mean scores, alike for all works as long as they lack their looks."""
GOOD = 0.25
"""Share of the new works that are good: those with the highest appeal and depth in truth."""
MARKET = Size(viewers=4_000, creators=400, merchants=150, products=300, videos=800, rooms=12)
"""Many viewers to few works, so that a thousand looks are some days of a usual work's."""
FULL = Setting(MARKET, contracts=40, days=5, new_share=0.1, new_hours=48)
QUICK = Setting(
    Size(viewers=1_500, creators=150, merchants=60, products=120, videos=300, rooms=6),
    contracts=20, days=3, new_share=0.1, new_hours=24,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Played:
    """One arm of one seed."""

    met: float
    """Share of new works that had their looks within their hours."""
    many: float
    """Share that had a thousand looks by the end."""
    hours: float
    """Median time to the thousandth look of all new works, NaN where fewer than half had it."""
    found: float
    """Share of the good ones that have more looks on the last day than the mean video."""
    others: float
    """The same share of the new works that are not good."""
    whole: Whole


class Way(msgspec.Struct, frozen=True):
    """One way to start new works."""

    name: str
    floors_met: Figure
    had_1000: Figure
    hours_to_1000: Figure
    good_found: Figure
    others_found: Figure
    cost: Cost


class ColdStart(msgspec.Struct, frozen=True):
    """All figures, each [estimate, low, high] of 95%."""

    floors_met: Figure
    hours_to_1000: Figure
    good_found: Figure
    cost: Cost
    """Of floors; displaced are looks at works that are not new."""
    ways: tuple[Way, ...]
    """Nothing, floors, static boosts."""
    seeds: int
    days: int


def play_job(job: Job, day: Day) -> tuple[Played, ...]:
    """Play a market's arms: nothing, floors, static boosts.

    Args:
        job: plain data; the same job finds the same.
        day: called for each day played.
    """
    season = opened(job, day)
    owed = replace(POLICY, newcomer_looks=LOOKS, newcomer_hours=HOURS)
    arms = [Policies(boost=0.0), Policies(), *(Policies(boost=boost) for boost in BOOSTS)]
    return tuple(
        _played(season.play(Arm(policy=owed, policies=how)), season.world, season.plan, job.setting.days)
        for how in arms
    )


def _played(course: Course, world: World, plan: Plan, days: int) -> Played:
    assert plan.released is not None
    new = np.flatnonzero(plan.released > 0)
    born = plan.released[new]
    met = (course.met[new] > 0) & (course.met[new] <= born + HOURS * HOUR)
    had = course.many[new] > 0
    hours = np.where(had, (course.many[new] - born) / HOUR, np.inf)
    median = float(np.median(hours))
    last = daily(course, LOOKED)[days - 1]
    above = last[new] > last[world.items.kind == VIDEO].mean()
    worth = world.items.appeal[new] + world.items.depth[new]
    good = worth >= np.quantile(worth, 1.0 - GOOD)
    return Played(
        met=float(met.mean()),
        many=float(had.mean()),
        hours=median if np.isfinite(median) else float("nan"),
        found=float(above[good].mean()),
        others=float(above[~good].mean()),
        whole=whole_of(course, 0, days, plan.released == 0),
    )


def figures_of(found: Sequence[tuple[Played, ...]], setting: Setting) -> ColdStart:
    """Return all figures of the markets.

    Args:
        found: of each seed, the arm with nothing first.
        setting: as played.
    """
    base = [arms[0] for arms in found]
    names = ("nothing", "floors", *(f"static boost {boost:g}" for boost in BOOSTS))
    ways = tuple(_way(name, [arms[n] for arms in found], base) for n, name in enumerate(names))
    floors = ways[1]
    return ColdStart(
        floors_met=floors.floors_met,
        hours_to_1000=floors.hours_to_1000,
        good_found=floors.good_found,
        cost=floors.cost,
        ways=ways,
        seeds=len(found),
        days=setting.days,
    )


def _way(name: str, played: Sequence[Played], base: Sequence[Played]) -> Way:
    return Way(
        name=name,
        floors_met=in_95([one.met for one in played]),
        had_1000=in_95([one.many for one in played]),
        hours_to_1000=in_95([one.hours for one in played]),
        good_found=in_95([one.found for one in played]),
        others_found=in_95([one.others for one in played]),
        cost=cost_of([one.whole for one in played], [one.whole for one in base]),
    )


def rows_of(found: ColdStart) -> list[Row]:
    """Return the lines of the table."""
    rows = []
    for way in found.ways:
        rows += [
            Row(f"{way.name}: floors met", way.floors_met, against="≥ 98%" if way.name == "floors" else ""),
            Row("  had 1,000 looks by the end", way.had_1000),
            Row("  hours to the 1,000th look, median", way.hours_to_1000, False, drawn=False),
            Row("  good ones found", way.good_found),
            Row("  others above the mean, too", way.others_found),
            *(cost_rows(way.cost) if way.name != "nothing" else ()),
        ]
    return rows


EXPERIMENT = Experiment(
    name="cold_start",
    full=FULL,
    quick=QUICK,
    arms=2 + len(BOOSTS),
    play=play_job,
    figures=figures_of,
    rows=rows_of,
    scope=lambda setting: (
        f"{setting.new_share:.0%} of {setting.size.videos} videos new, {LOOKS:g} looks owed in {HOURS} hours"
    ),
)
