"""`fieldline lab gini`: the dial on creators' exposure, what it realises and what it costs, beside two rivals.

Whether the dial is met, and what that comes to, is played arm by arm. What it costs beside its rivals is asked of one
arm, request by request, whose viewers and predictor are the same for all: two runs differ by more than that.
"""

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
    opened,
    whole_of,
)
from fieldline.lab.experiments.runner import Day
from fieldline.lab.experiments.storewide import SMALL, TINY
from fieldline.lab.season import POLICY, Arm, Course, Other, Policies
from fieldline.lab.season.organic import Flags

DIALS = (0.7, 0.6, 0.5, 0.4)
RIVALS = (0.6, 0.5)
"""Dials that price and linear boost are held to, request by request."""
SHARES = (0.5, 1.0)
"""Of requests that are answered by a draw over the best twenty."""
WAYS = (
    Other(),
    *(Other(gini=dial) for dial in RIVALS),
    *(Other(gini=dial, linear=True) for dial in RIVALS),
    *(Other(random_share=share) for share in SHARES),
)
"""No price, price, linear boost, random shares."""
TAIL = 2
"""The tier of creators whom few follow; displaced are looks at the other two's."""
TENTH = 0.1
WITHIN = 0.02
FULL = Setting(SMALL, contracts=40, days=3)
QUICK = Setting(TINY, contracts=40, days=2)


@dataclass(frozen=True, slots=True)
class Played:
    """One arm of one seed, over the last third of its days."""

    gini: float
    """Mean over its ticks."""
    whole: Whole


@dataclass(frozen=True, slots=True)
class Found:
    """One market's arms, in the order of the dials and shares."""

    none: Played
    dials: tuple[Played, ...]
    still: Played
    """From here on as asked of the first arm's requests."""
    price: tuple[Played, ...]
    linear: tuple[Played, ...]
    random: tuple[Played, ...]


class Arms(msgspec.Struct, frozen=True):
    """One setting of a policy."""

    setting: float
    """The dial, or the share of random requests."""
    realised: Figure
    """Gini of creators' looks decayed over a day, mean of the last third."""
    off: Figure
    """Realised less the dial; of markets whose own Gini is above it. A random share has no dial."""
    cost: Cost


class PerTenth(msgspec.Struct, frozen=True):
    """What lowering the Gini by .1 costs, interpolated between a policy's arms; null where none lowers it so far."""

    viewer_value: Figure
    platform_gmv: Figure


class Gini(msgspec.Struct, frozen=True):
    """All figures, each [estimate, low, high] of 95%."""

    untouched: Figure
    """The market's own Gini."""
    dials: tuple[Arms, ...]
    still: Figure
    """The market's own Gini as asked of the requests of one arm, as in all that follows."""
    price: tuple[Arms, ...]
    linear: tuple[Arms, ...]
    random: tuple[Arms, ...]
    per_tenth: PerTenth
    linear_per_tenth: PerTenth
    random_per_tenth: PerTenth
    linear_over_price: PerTenth
    """What the linear boost costs more than the price, market by market."""
    random_over_price: PerTenth
    cost: Cost
    """Played, of the dial nearest to .1 below the market's own."""
    seeds: int
    days: int


def play_job(job: Job, day: Day) -> Found:
    """Play a market's arms.

    Args:
        job: plain data; the same job finds the same.
        day: called for each day played.
    """
    season = opened(job, day)
    days, creator = job.setting.days, season.world.items.creator
    large = (creator >= 0) & (season.world.creators.tier[creator] < TAIL)

    course = season.play(Arm(policies=Policies(others=WAYS)))
    asked = [_asked(course, days, way) for way in range(len(WAYS))]
    first = 1 + len(RIVALS)
    return Found(
        none=_played(course, days, large),
        dials=tuple(
            _played(season.play(Arm(policy=replace(POLICY, gini=dial))), days, large) for dial in DIALS
        ),
        still=asked[0],
        price=tuple(asked[1:first]),
        linear=tuple(asked[first : first + len(RIVALS)]),
        random=tuple(asked[first + len(RIVALS) :]),
    )


def _played(course: Course, days: int, large: Flags) -> Played:
    ticks = len(course.gini)
    last = course.gini[ticks - ticks // 3 :]
    return Played(float(last.mean()), whole_of(course, days - -(-days // 3), days, large))


def _asked(course: Course, days: int, way: int) -> Played:
    """What another way would have come to over the last third; whom it displaces is not asked."""
    ticks = len(course.others_gini)
    watched, worth = course.others[days - -(-days // 3) : days, way].sum(axis=0).tolist()
    gini = float(course.others_gini[ticks - ticks // 3 :, way].mean())
    return Played(gini, Whole(watched, worth, float("nan"), float("nan")))


def figures_of(found: Sequence[Found], setting: Setting) -> Gini:
    """Return all figures of the markets.

    Args:
        found: of each seed.
        setting: as played.
    """
    base, still = [one.none for one in found], [one.still for one in found]
    dials = [_arms(base, [one.dials[n] for one in found], dial, True) for n, dial in enumerate(DIALS)]
    own = float(np.mean([one.gini for one in base]))
    price, linear, random = (
        _Costs.of(still, [getattr(one, name) for one in found]) for name in ("price", "linear", "random")
    )
    return Gini(
        untouched=in_95([one.gini for one in base]),
        dials=tuple(dials),
        still=in_95([one.gini for one in still]),
        price=tuple(
            _arms(still, [one.price[n] for one in found], dial, True) for n, dial in enumerate(RIVALS)
        ),
        linear=tuple(
            _arms(still, [one.linear[n] for one in found], dial, True) for n, dial in enumerate(RIVALS)
        ),
        random=tuple(
            _arms(still, [one.random[n] for one in found], share, False) for n, share in enumerate(SHARES)
        ),
        per_tenth=price.told(),
        linear_per_tenth=linear.told(),
        random_per_tenth=random.told(),
        linear_over_price=linear.over(price),
        random_over_price=random.over(price),
        cost=min(dials, key=lambda arm: abs(own - TENTH - arm.realised.estimate)).cost,
        seeds=len(found),
        days=setting.days,
    )


def _arms(base: Sequence[Played], played: Sequence[Played], setting: float, dial: bool) -> Arms:
    pairs = list(zip(base, played, strict=True))
    return Arms(
        setting=setting,
        realised=in_95([one.gini for one in played]),
        off=in_95([arm.gini - setting for none, arm in pairs if dial and none.gini > setting]),
        cost=cost_of([one.whole for one in played], [one.whole for one in base]),
    )


@dataclass(frozen=True, slots=True)
class _Costs:
    """What a tenth costs in each market."""

    watched: list[float]
    worth: list[float]

    @classmethod
    def of(cls, base: Sequence[Played], played: Sequence[Sequence[Played]]) -> "_Costs":
        def costs(name: str) -> list[float]:
            return [
                interpolated(
                    [none.gini - arm.gini for arm in arms],
                    [1.0 - getattr(arm.whole, name) / getattr(none.whole, name) for arm in arms],
                )
                for none, arms in zip(base, played, strict=True)
            ]

        return cls(costs("watched"), costs("worth"))

    def told(self) -> PerTenth:
        return PerTenth(in_95(self.watched), in_95(self.worth))

    def over(self, other: "_Costs") -> PerTenth:
        watched = [mine - theirs for mine, theirs in zip(self.watched, other.watched, strict=True)]
        worth = [mine - theirs for mine, theirs in zip(self.worth, other.worth, strict=True)]
        return PerTenth(in_95(watched), in_95(worth))


def interpolated(lowered: Sequence[float], cost: Sequence[float]) -> float:
    """Return the cost at which the Gini is .1 lower, linear between arms and the untouched market at (0, 0).

    Args:
        lowered: by how much each arm lowered it.
        cost: of each.

    Returns:
        NaN where no arm lowered it so far.
    """
    if max(lowered) < TENTH:
        return float("nan")
    order = np.argsort(lowered)
    x, y = np.asarray(lowered)[order], np.asarray(cost)[order]
    kept = x > 0.0
    return float(np.interp(TENTH, np.append(0.0, x[kept]), np.append(0.0, y[kept])))


def rows_of(found: Gini) -> list[Row]:
    """Return the lines of the table."""
    rows = [Row("Gini, untouched", found.untouched, False), *_dialled("dial", found.dials)]
    rows.append(Row("request by request: Gini, untouched", found.still, False))
    rows += [*_dialled("price, dial", found.price), *_dialled("linear boost, dial", found.linear)]
    for arm in found.random:
        share = f"random share {arm.setting}: realised"
        rows += [Row(share, arm.realised, False), *_known(arm.cost)]
    for name, per, against in (
        ("price", found.per_tenth, "the least"),
        ("linear boost", found.linear_per_tenth, ""),
        ("random", found.random_per_tenth, ""),
        ("linear boost, more than by price", found.linear_over_price, "> 0"),
        ("random, more than by price", found.random_over_price, "> 0"),
    ):
        rows.append(Row(f"−.1 by {name}: viewer value", per.viewer_value, against=against))
        rows.append(Row(f"−.1 by {name}: platform GMV", per.platform_gmv, against=against))
    return rows


def _dialled(name: str, arms: Sequence[Arms]) -> list[Row]:
    rows = []
    for arm in arms:
        rows += [
            Row(f"{name} {arm.setting}: realised", arm.realised, False),
            Row("  off the dial", arm.off, False, f"± {WITHIN}"),
            *_known(arm.cost),
        ]
    return rows


def _known(cost: Cost) -> list[Row]:
    return [row for row in cost_rows(cost) if not np.isnan(row.figure.estimate)]


EXPERIMENT = Experiment(
    name="gini",
    full=FULL,
    quick=QUICK,
    arms=1 + len(DIALS),
    play=play_job,
    figures=figures_of,
    rows=rows_of,
    scope=lambda setting: f"{setting.size.creators} creators",
)
