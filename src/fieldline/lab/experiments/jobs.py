"""The parts of `storewide` that processes play, each a job of one seed."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from fieldline.contracts.book import Book
from fieldline.contracts.incrementality import draw_variance, incremental, scene_shares
from fieldline.lab.baselines import fixed
from fieldline.lab.baselines.dual_descent import DualDescent
from fieldline.lab.baselines.pid import Pid
from fieldline.lab.experiments import bands, hindsight
from fieldline.lab.experiments.courses import (
    days_of,
    following,
    outcome_of,
    pass_of,
    supply_of,
    traces_of,
)
from fieldline.lab.experiments.figures import Cases
from fieldline.lab.experiments.hindsight import Pass
from fieldline.lab.experiments.outcome import Flags, Floats, Outcome
from fieldline.lab.experiments.plot import Trace
from fieldline.lab.experiments.runner import Day
from fieldline.lab.season import TICK, Arm, Course, Opening, Plan, Shock, open_season, plan_of, play, sold
from fieldline.lab.world import Size, World
from fieldline.lab.world.draws import uniforms
from fieldline.traffic import pace
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.pace import Controller, InHand, Prices
from fieldline.units import DAY, YUAN

SHOCKS = ((2, 0.55), (4, 1.8))
"""Days (from 0) whose second half has so much of its usual demand; a short season has them on its last days."""
LEVEL = 0.3
"""By how much served chances of an order are off: up in odd seeds, down in even ones."""
EVERY = 3
"""One contract in so many bids on attributed or on incremental value; the others bid what was recorded."""
MEASURED = 0.2
"""Share of viewers held out in the week in which incremental shares are measured."""
OTHER_SEED = 1_000_003
"""Added to the seed of requests and outcomes for that week, so that nothing judged was learned from."""


FORMS: tuple[tuple[str, InHand, float], ...] = (
    ("observed", pace.observed, 0.0),
    ("delay-corrected", pace.corrected, 0.0),
    ("learning .5", pace.confident, 0.5),
)
"""The engine's other ways to count value in hand."""


class Part(StrEnum):
    """What a job plays."""

    CONTROLLED = "controlled"
    BASELINES = "baselines"
    HARDER = "harder"
    COVERAGE = "coverage"


@dataclass(frozen=True, slots=True)
class Setting:
    """How large an experiment is."""

    days: int
    contracts: int
    size: Size
    holdout: float
    """Of every contract."""
    passes: int
    """Of hindsight, the last one mixed."""
    small: Size
    """Of the market in which single campaigns are switched off."""
    small_contracts: int
    sampled: int
    """Campaigns switched off in each seed."""
    forms: bool = False
    """Whether the engine's other ways to count value in hand are played, too."""


def days_played(part: Part, setting: Setting) -> int:
    """Return how many days of a market a job plays."""
    plays = {
        Part.CONTROLLED: 1 + setting.passes + 4,
        Part.BASELINES: 3 + len(FORMS) * setting.forms,
        Part.HARDER: 2,
        Part.COVERAGE: 1 + setting.sampled,
    }
    return plays[part] * setting.days


@dataclass(frozen=True, slots=True)
class Job:
    """One part of one seed."""

    part: Part
    seed: int
    setting: Setting


@dataclass(frozen=True, slots=True)
class Controlled:
    """The engine's controller, and what hindsight knows."""

    seed: int
    fieldline: Outcome
    hindsight: Floats
    """[C], expected value of the best pass."""
    could: Flags
    """[C], which budgets a fixed multiplier uses within the goal."""
    hindsight_kept: Cases
    passes: tuple[float, ...]
    """Total value of each."""
    traces: tuple[Trace, ...]
    twin: Cases
    """Campaign-days within their bands."""
    gain: "Gain"


@dataclass(frozen=True, slots=True)
class Baselines:
    """The same season under other controllers."""

    seed: int
    fixed: Outcome
    pid: Outcome
    dual_descent: Outcome
    forms: tuple[Outcome, ...]
    """One for each of `FORMS`, where they were played."""


@dataclass(frozen=True, slots=True)
class Harder:
    """The engine's controller in a harder season."""

    seed: int
    shock: Outcome
    biased: Outcome


@dataclass(frozen=True, slots=True)
class Gain:
    """True incremental net GMV of the campaigns that changed their value, yuan, and their spend."""

    incremental: Floats
    attributed: Floats
    incremental_spend: Floats
    attributed_spend: Floats
    shares: Floats
    """[S], of attributed value that was measured to be incremental."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a holdout estimated for sampled campaigns, and the truth, yuan."""

    seed: int
    truth: Floats
    low: Floats
    high: Floats

    @property
    def covered(self) -> Cases:
        """Whether each interval holds the truth."""
        return Cases.of((self.low <= self.truth) & (self.truth <= self.high))


Result = Controlled | Baselines | Harder | Coverage


def play_job(job: Job, day: Day) -> Result:
    """Play a job and return what it found.

    Args:
        job: plain data; the same job finds the same.
        day: called for each day played.
    """
    found: Result
    match job.part:
        case Part.CONTROLLED:
            found = _controlled(job, day)
        case Part.BASELINES:
            found = _baselines(job, day)
        case Part.HARDER:
            found = _harder(job, day)
        case Part.COVERAGE:
            found = _coverage(job, day)
    return found


@dataclass(frozen=True, slots=True)
class Season:
    """A market and its contracts, to be played arm by arm from one opening."""

    world: World
    plan: Plan
    opening: Opening
    day: Day

    def play(self, arm: Arm, plan: Plan | None = None) -> Course:
        """Return the course of an arm."""

        def on_tick(done: int, _: int) -> None:
            if done * TICK % DAY == 0:
                self.day()

        return play(
            self.world,
            plan or self.plan,
            arm,
            seed=self.opening.seed,
            opening=self.opening,
            on_tick=on_tick,
        )


def _season(job: Job, day: Day) -> Season:
    setting = job.setting
    size, contracts = setting.size, setting.contracts
    if job.part is Part.COVERAGE:
        size, contracts = setting.small, setting.small_contracts
    world = World.make(job.seed, size)
    opening = open_season(world)
    plan = plan_of(world, job.seed, contracts, setting.days, setting.holdout, sold(world, opening))
    return Season(world, plan, opening, day)


def _controlled(job: Job, day: Day) -> Controlled:
    season = _season(job, day)
    watch = bands.Watch(season.plan.start)
    course = season.play(Arm(controller=watch.update))
    limits = course.budget / YUAN, course.goal
    not_bought = np.maximum(course.final_value - course.expected, 0.0)
    alpha = hindsight.first(*supply_of(course), *limits, np.where(course.counts_organic, not_bought, 0.0))
    passes: list[Pass] = []
    for number in range(job.setting.passes):
        if passes:
            last = number == job.setting.passes - 1
            alpha = hindsight.mixed(passes) if last else hindsight.again(passes[-1])
        passes.append(pass_of(season.play(Arm(name=f"hindsight {number}", standing=alpha)), alpha))
    best = hindsight.best(passes)
    return Controlled(
        seed=job.seed,
        fieldline=outcome_of(course, season.plan),
        hindsight=best.expected,
        could=hindsight.used_within_goal(passes),
        hindsight_kept=Cases.of(best.kept[(best.goal > 0.0) & (best.spend > 0.0)]),
        passes=tuple(run.total for run in passes),
        traces=tuple(traces_of(course, season.plan)),
        twin=bands.covered(course, watch),
        gain=_gain(season, course),
    )


def _baselines(job: Job, day: Day) -> Baselines:
    season = _season(job, day)

    def outcome(arm: Arm) -> Outcome:
        return outcome_of(season.play(arm), season.plan)

    return Baselines(
        seed=job.seed,
        fixed=outcome(Arm(name="fixed", controller=fixed.update)),
        pid=outcome(Arm(name="pid", controller=Pid().update)),
        dual_descent=outcome(Arm(name="dual descent", controller=DualDescent().update)),
        forms=tuple(
            outcome(Arm(name=name, controller=counting(in_hand, learning)))
            for name, in_hand, learning in FORMS
            if job.setting.forms
        ),
    )


def counting(in_hand: InHand, learning: float = 0.0) -> Controller:
    """Return the engine's controller with another way to count value in hand, or that may owe more to learn."""

    def update(prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> None:
        pace.update(prices, book, traffic, now, tick_ms, in_hand, learning)

    return update


def _harder(job: Job, day: Day) -> Harder:
    season = _season(job, day)
    level = 1.0 + LEVEL if job.seed % 2 else 1.0 - LEVEL
    shock = season.play(Arm(name="shock", shocks=shocks(job.setting.days)))
    biased = season.play(Arm(name="biased", level=level))
    return Harder(job.seed, outcome_of(shock, season.plan), outcome_of(biased, season.plan))


def shocks(days: int) -> tuple[Shock, ...]:
    """Return the stretches in which demand is not as usual, in a season of so many days (at least two)."""
    found = []
    for place, (day, factor) in enumerate(SHOCKS):
        row = min(day, days - len(SHOCKS) + place)
        found.append(Shock(24 * row + 12, 24 * row + 24, factor))
    return tuple(found)


def _gain(season: Season, recorded: Course) -> Gain:
    """Both arms follow the recorded multipliers of all campaigns but one in three, so that what those gain is theirs.

    Another draw of the same week, with a larger holdout, tells which share of attributed value is incremental, by
    scene. The attributed arm bids to an ads-only goal; the incremental one may spend what that did, on value × share.
    """
    shares = _measured(season)
    chosen = np.arange(0, len(season.plan.contracts), EVERY, dtype=np.int64)
    arm = Arm(controller=following(recorded.alpha, pace.update, chosen, season.plan.start))
    attributed_plan = _changed(season.plan, chosen, None)
    attributed = season.play(replace(arm, name="attributed"), attributed_plan)
    value = np.ones((len(shares), len(season.plan.contracts)))
    value[:, chosen] = shares[:, None]
    by_increment = season.play(
        replace(arm, name="incremental", scene_value=value), _changed(season.plan, chosen, attributed.spent)
    )
    off = season.play(replace(arm, name="off", off=tuple(chosen.tolist())), attributed_plan)
    without = _net(off)[chosen]
    return Gain(
        incremental=_net(by_increment)[chosen] - without,
        attributed=_net(attributed)[chosen] - without,
        incremental_spend=by_increment.spent[chosen] / YUAN,
        attributed_spend=attributed.spent[chosen] / YUAN,
        shares=shares,
    )


def _net(course: Course) -> Floats:
    return np.asarray(course.shown_gmv.sum(axis=1))


def _measured(season: Season) -> Floats:
    other = season.opening.seed + OTHER_SEED
    again = replace(season, opening=open_season(season.world, seed=other))
    course = again.play(Arm(name="measured", holdout=MEASURED))
    by_contract = [days_of(course, j, MEASURED) for j in range(len(season.plan.contracts))]
    gained = np.array([incremental(days).value or 0.0 for days in by_contract])
    variance = np.array([sum(draw_variance(one) for one in days) for days in by_contract])
    return scene_shares(course.scene_gmv.sum(axis=0) / YUAN, gained, variance)


def _changed(plan: Plan, chosen: NDArray[np.int64], spent: NDArray[np.int64] | None) -> Plan:
    contracts = list(plan.contracts)
    for j in chosen.tolist():
        contract = contracts[j]
        meter = msgspec.structs.replace(contract.meter, gmv=1.0, order=0.0)
        if spent is None:
            limit = msgspec.structs.replace(contract.limit, goal=ADS_GOAL, counts_organic=False)
        else:
            limit = msgspec.structs.replace(
                contract.limit, budget=max(int(spent[j]), 1), goal=0.0, counts_organic=False
            )
        contracts[j] = msgspec.structs.replace(contract, meter=meter, limit=limit)
    return replace(plan, contracts=tuple(contracts))


ADS_GOAL = 4.0
"""Attributed GMV per yuan that the attributed arm asks for: the middle of the range from which goals are drawn."""


def _coverage(job: Job, day: Day) -> Coverage:
    setting, season = job.setting, _season(job, day)
    course = season.play(Arm())
    spent = np.flatnonzero(course.spent > 0)
    order = np.argsort(uniforms(job.seed, "campaigns switched off", len(spent)))
    truth, low, high = [], [], []
    for j in spent[order][: setting.sampled].tolist():
        off = season.play(Arm(name=f"without {j}", standing=course.alpha, off=(j,)))
        estimate = incremental(days_of(course, j, setting.holdout))
        truth.append(float(course.shown_gmv[j, 0] - off.shown_gmv[j, 0]))
        low.append(-math.inf if estimate.low is None else estimate.low)
        high.append(math.inf if estimate.high is None else estimate.high)
    return Coverage(job.seed, np.array(truth), np.array(low), np.array(high))
