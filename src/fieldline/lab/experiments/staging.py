"""`fieldline lab staging`: what it is worth that live rooms tell what they are about to sell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

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
    gain,
    opened,
    whole_of,
)
from fieldline.lab.experiments.runner import Day
from fieldline.lab.season import Arm, Course, Life, Policies
from fieldline.lab.season.columns import (
    DAY_ROW,
    ENTERED,
    ITEM,
    LOOKED,
    MET,
    MET_ORDERS,
    PRODUCT,
    QUANTITY,
    WORTH,
)
from fieldline.lab.season.organic import Flags
from fieldline.lab.world import Size, World
from fieldline.lab.world.draws import Floats, uniforms
from fieldline.lab.world.goods import LIVE
from fieldline.units import YUAN

CLAIM = 0.10
"""Of live plan and staging together: GMV of a live session."""
PULLED = 0.2
"""Share of the offers that are pulled just before their start, in two of the arms."""
FULL = Setting(
    Size(viewers=2_000, creators=475, merchants=375, products=1_200, videos=950, rooms=60), 40, days=4
)
QUICK = Setting(
    Size(viewers=1_000, creators=240, merchants=190, products=600, videos=480, rooms=30), 20, days=2
)
ARMS = 5


@dataclass(frozen=True, slots=True)
class Rooms:
    """What some rooms came to in an arm."""

    worth: float
    """Expected yuan of orders, net of refunds, of what was shown, offers met later included."""
    gmv: float
    """Yuan of orders as they came, before refunds."""
    looks: float
    entered: float
    met: float
    """Viewers who were there when an offer started."""
    met_orders: float
    """Orders of it expected of those."""
    sessions: int


@dataclass(frozen=True, slots=True)
class Played:
    """One arm of one seed."""

    drawn: Rooms
    """Rooms of the half that is drawn."""
    rest: Rooms
    whole: Whole

    @property
    def rooms(self) -> Rooms:
        """All rooms."""
        halves = self.drawn, self.rest
        return Rooms(
            worth=sum(one.worth for one in halves),
            gmv=sum(one.gmv for one in halves),
            looks=sum(one.looks for one in halves),
            entered=sum(one.entered for one in halves),
            met=sum(one.met for one in halves),
            met_orders=sum(one.met_orders for one in halves),
            sessions=sum(one.sessions for one in halves),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """One market."""

    none: Played
    staged: Played
    half: Played
    """The drawn half of the rooms tells its plan."""
    pulled: Played
    """Nobody tells, and offers are pulled."""
    staged_pulled: Played


class Told(msgspec.Struct, frozen=True):
    """What telling the plan changes for some rooms, as shares of what they have without it."""

    gmv_per_session: Figure
    """Net GMV as the truth expects it of what was shown."""
    gmv_as_it_came: Figure
    """Orders' GMV; few orders, so a wide interval."""
    looks: Figure
    entered: Figure
    met: Figure
    """Viewers who are there when an offer starts."""
    match: Figure
    """Chance that such a viewer orders it."""


class Staging(msgspec.Struct, frozen=True):
    """All figures, each [estimate, low, high] of 95%."""

    gmv_per_session: Figure
    """All rooms tell their plan, beside none."""
    claim: dict[str, float]
    yuan_per_session: Figure
    """Without any plan."""
    all_rooms: Told
    half_told: Told
    """A random half of the rooms tells it: those rooms, beside none."""
    half_untold: Told
    """The other half of the rooms of that arm."""
    pulled: Told
    """All rooms tell it and a fifth of the offers is pulled, beside as many pulled and none told."""
    cost: Cost
    """Of all rooms' telling; displaced: looks at all that is not a room."""
    pulled_cost: Cost
    seeds: int
    days: int


def play_job(job: Job, day: Day) -> Found:
    """Play a market's arms: no room tells its plan, all do, half of them do; and the first two with offers pulled.

    Args:
        job: plain data; the same job finds the same.
        day: called for each day played.
    """
    season = opened(job, day, life=Life(rooms=True))
    count = job.setting.size.rooms
    drawn = np.argsort(np.argsort(uniforms(job.seed, "who tells", count))) < count // 2
    every = np.ones(count, bool)

    def arm(told: Flags | None, pulled: float = 0.0) -> Played:
        course = season.play(Arm(policies=Policies(staged=told), pulled=pulled))
        return _played(course, season.world, drawn, job.setting.days)

    return Found(
        none=arm(None),
        staged=arm(every),
        half=arm(drawn),
        pulled=arm(None, PULLED),
        staged_pulled=arm(every, PULLED),
    )


def _played(course: Course, world: World, drawn: Flags, days: int) -> Played:
    live = world.items.kind == LIVE
    rooms = np.flatnonzero(live)
    bought = course.bought[course.bought[:, DAY_ROW] >= 0]
    yuan = world.products.price[bought[:, PRODUCT]] * bought[:, QUANTITY] / YUAN
    gmv = np.bincount(bought[:, ITEM], yuan, minlength=len(live))[rooms]
    worth, looks = (daily(course, column)[:days, rooms].sum(axis=0) for column in (WORTH, LOOKED))
    return Played(
        drawn=_rooms(course, drawn, worth, gmv, looks),
        rest=_rooms(course, ~drawn, worth, gmv, looks),
        whole=whole_of(course, 0, days, ~live),
    )


def _rooms(course: Course, which: Flags, worth: Floats, gmv: NDArray[Any], looks: Floats) -> Rooms:
    told = course.rooms[which].sum(axis=0)
    return Rooms(
        worth=float(worth[which].sum()),
        gmv=float(gmv[which].sum()),
        looks=float(looks[which].sum()),
        entered=float(told[ENTERED]),
        met=float(told[MET]),
        met_orders=float(told[MET_ORDERS]),
        sessions=int(course.sessions[which].sum()),
    )


def figures_of(found: Sequence[Found], setting: Setting) -> Staging:
    """Return all figures of the markets.

    Args:
        found: of each seed.
        setting: as played.
    """
    none = [one.none for one in found]
    staged, pulled = [one.staged for one in found], [one.pulled for one in found]
    both = [one.staged_pulled for one in found]
    told = _told([one.rooms for one in staged], [one.rooms for one in none])
    return Staging(
        gmv_per_session=told.gmv_per_session,
        claim={"gmv_per_session": CLAIM},
        yuan_per_session=in_95([one.rooms.worth / one.rooms.sessions for one in none]),
        all_rooms=told,
        half_told=_told([one.half.drawn for one in found], [one.drawn for one in none]),
        half_untold=_told([one.half.rest for one in found], [one.rest for one in none]),
        pulled=_told([one.rooms for one in both], [one.rooms for one in pulled]),
        cost=cost_of([one.whole for one in staged], [one.whole for one in none]),
        pulled_cost=cost_of([one.whole for one in both], [one.whole for one in pulled]),
        seeds=len(found),
        days=setting.days,
    )


def _told(arms: Sequence[Rooms], bases: Sequence[Rooms]) -> Told:
    pairs = list(zip(arms, bases, strict=True))
    return Told(
        gmv_per_session=in_95([gain(arm.worth, base.worth) for arm, base in pairs]),
        gmv_as_it_came=in_95([gain(arm.gmv, base.gmv) for arm, base in pairs]),
        looks=in_95([gain(arm.looks, base.looks) for arm, base in pairs]),
        entered=in_95([gain(arm.entered, base.entered) for arm, base in pairs]),
        met=in_95([gain(arm.met, base.met) for arm, base in pairs]),
        match=in_95([gain(arm.met_orders * base.met, base.met_orders * arm.met) for arm, base in pairs]),
    )


def rows_of(found: Staging) -> list[Row]:
    """Return the lines of the table."""
    claim = f"{CLAIM:+.0%}"
    return [
        Row("without plans: net yuan a session", found.yuan_per_session, False, drawn=False),
        *_rows("all rooms tell their plan", found.all_rooms, claim),
        *cost_rows(found.cost),
        *_rows("half of them do: those rooms", found.half_told, claim),
        *_rows("the other rooms", found.half_untold, ""),
        *_rows(f"all tell, {PULLED:.0%} of offers pulled", found.pulled, "≥ 0"),
        *cost_rows(found.pulled_cost),
    ]


def _rows(name: str, told: Told, against: str) -> list[Row]:
    return [
        Row(f"{name}: GMV a session", told.gmv_per_session, against=against),
        Row("  as orders came", told.gmv_as_it_came),
        Row("  looks", told.looks),
        Row("  viewers who enter", told.entered),
        Row("  viewers there at an offer's start", told.met),
        Row("  their chance to order it", told.match),
    ]


EXPERIMENT = Experiment(
    name="staging",
    full=FULL,
    quick=QUICK,
    arms=ARMS,
    play=play_job,
    figures=figures_of,
    rows=rows_of,
    scope=lambda setting: f"{setting.size.rooms} live rooms",
)
