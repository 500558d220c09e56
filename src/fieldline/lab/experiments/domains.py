"""`fieldline lab domains`: what it is worth to link the public domain to the private one, at equal impressions."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec.structs import replace

from fieldline.facts import Mix, Scene
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
    gain,
    opened,
)
from fieldline.lab.experiments.runner import Day
from fieldline.lab.experiments.trust import repeats
from fieldline.lab.season import POLICY, Arm, Course, Life, Policies
from fieldline.lab.season.columns import (
    DAY_ROW,
    FANS_WON,
    GMV,
    NEW_FAN,
    PRIVATE,
    PRODUCT,
    PUBLIC,
    SEEN_LOOKS,
    SEEN_WATCHED,
    SEEN_WORTH,
    VIEWER,
)
from fieldline.lab.season.market import declared
from fieldline.lab.world import Size, World
from fieldline.lab.world.truth import VIDEO as FEED
from fieldline.units import YUAN

SHARES = (0.15, 0.3)
"""Of the recommendation feed's places, for followed makers' items."""
RELEASED = 0.5
"""Share of the videos that come out while the days go by, so that followed makers have something new."""
DECLARED = Scene("video", tuple(declared(FEED).tolist()))
FULL = Setting(
    Size(viewers=2_000, creators=300, merchants=240, products=720, videos=3_000, rooms=12), 40, days=7,
    new_share=RELEASED, new_hours=7 * 24,
)  # fmt: skip
QUICK = Setting(
    Size(viewers=1_000, creators=150, merchants=120, products=360, videos=900, rooms=6), 20, days=2,
    new_share=RELEASED, new_hours=2 * 24,
)  # fmt: skip
ARMS = 3 + len(SHARES)


@dataclass(frozen=True, slots=True)
class Played:
    """One arm of one seed; what is expected is so by the truth, of what was shown."""

    private: float
    """Share of looks at items of makers whom the viewer follows."""
    fan_worth: float
    """Expected net yuan of a thousand looks of fans."""
    private_worth: float
    """Expected net yuan of fans, of a thousand looks of all."""
    won: float
    """Followers won of a thousand looks of who did not follow."""
    new_fan_gmv: float
    """Expected net yuan of who was won, at the makers who won them, of a thousand looks of all."""
    in_feed: float
    """Share of the recommendation feed's looks at items of makers whom the viewer follows."""
    repeated: float
    """Share of the last third's orders made where the viewer had bought on an earlier day of the season."""
    gmv_per_viewer: float
    """Yuan of orders as they came, before refunds."""
    returned: float
    """Share of possible requests that were made in the last third: who is badly served stays away."""
    per_look: Whole
    """Of a thousand looks; the others are makers whom the viewer does not follow."""


class Linked(msgspec.Struct, frozen=True):
    """One way to link, beside none; changes are shares of what there is without."""

    private_share: Figure
    in_feed: Figure
    """The same of the recommendation feed, of which the dial is."""
    gmv: Figure
    """Change of expected net GMV per look: at equal impressions."""
    private_gmv: Figure
    """Change of fans' expected net GMV, of as many looks of all."""
    fan_gmv: Figure
    """Change of the same per look of fans."""
    follow_through: Figure
    """Change of followers won per public look."""
    new_fan_gmv: Figure
    """Change of what those who were won are expected to spend at who won them."""
    repeat_change: Figure
    """Points by which the repeat rate of the last third differs."""
    gmv_per_viewer: Figure
    """Change of orders' GMV as it came, at as many looks as there were."""
    retention: Figure
    """Points by which the share of requests made differs in the last third."""
    cost: Cost
    """At equal impressions; displaced: share of looks of who does not follow."""


class Domains(msgspec.Struct, frozen=True):
    """All figures, each [estimate, low, high] of 95%."""

    unlinked_private_share: Figure
    unlinked_follow_through: Figure
    """Followers won of a thousand public looks."""
    unlinked_repeat_rate: Figure
    before: Linked
    """Followed makers' items as of the season's begin alone: who is won meanwhile is not met again."""
    linked: Linked
    """The follow feed has followed makers' items first, the other feeds have them among the candidates."""
    mixed: tuple[Linked, ...]
    """Besides, a share of the recommendation feed's places is theirs: 15%, 30%."""
    shares: tuple[float, ...]
    cost: Cost
    """Of linking without a share."""
    seeds: int
    days: int


@dataclass(frozen=True, slots=True)
class Found:
    """One market."""

    unlinked: Played
    before: Played
    linked: Played
    mixed: tuple[Played, ...]


def play_job(job: Job, day: Day) -> Found:
    """Play a market's arms: nobody knows who follows whom; who did before; who does; and with shares of the feed.

    Args:
        job: plain data; the same job finds the same.
        day: called for each day played.
    """
    season = opened(job, day, life=Life(fans=True))

    def arm(policies: Policies, share: float = 0.0) -> Played:
        dials = (
            replace(POLICY, scenes=(DECLARED,), mixes=(Mix("video", "private", share),)) if share else POLICY
        )
        course = season.play(Arm(policy=dials, policies=policies))
        return _played(course, season.world, job.setting.days)

    known = Policies(follows="known")
    return Found(
        unlinked=arm(Policies()),
        before=arm(Policies(follows="before")),
        linked=arm(known),
        mixed=tuple(arm(known, share) for share in SHARES),
    )


def _played(course: Course, world: World, days: int) -> Played:
    told, feed = course.domains.sum(axis=0), course.domains[FEED, :, SEEN_LOOKS]
    looks = told[:, SEEN_LOOKS]
    whole, fans = float(looks.sum()), looks[PRIVATE] + looks[NEW_FAN]
    last = days - -(-days // 3)
    rows = course.bought[(course.bought[:, DAY_ROW] >= 0) & (course.bought[:, DAY_ROW] < days)]
    merchant = world.products.merchant[rows[:, PRODUCT]].astype(np.int64)
    again = repeats(rows[:, VIEWER] * world.size.merchants + merchant, rows[:, DAY_ROW])
    gmv = float(course.total[:days, GMV].sum()) / YUAN
    return Played(
        private=fans / whole,
        fan_worth=1_000.0 * told[[PRIVATE, NEW_FAN], SEEN_WORTH].sum() / fans,
        private_worth=1_000.0 * told[[PRIVATE, NEW_FAN], SEEN_WORTH].sum() / whole,
        won=1_000.0 * told[PUBLIC, FANS_WON] / looks[PUBLIC],
        new_fan_gmv=1_000.0 * told[NEW_FAN, SEEN_WORTH] / whole,
        in_feed=1.0 - feed[PUBLIC] / feed.sum(),
        repeated=float(again[rows[:, DAY_ROW] >= last].mean()),
        gmv_per_viewer=gmv / world.size.viewers,
        returned=float(course.served[last:days].sum() / course.possible[last:days].sum()),
        per_look=Whole(
            watched=1_000.0 * told[:, SEEN_WATCHED].sum() / whole,
            worth=1_000.0 * told[:, SEEN_WORTH].sum() / whole,
            gmv=1_000.0 * gmv / whole,
            others=looks[PUBLIC] / whole,
        ),
    )


def figures_of(found: Sequence[Found], setting: Setting) -> Domains:
    """Return all figures of the markets.

    Args:
        found: of each seed.
        setting: as played.
    """
    base = [one.unlinked for one in found]
    linked = _linked([one.linked for one in found], base)
    return Domains(
        unlinked_private_share=in_95([one.private for one in base]),
        unlinked_follow_through=in_95([one.won for one in base]),
        unlinked_repeat_rate=in_95([one.repeated for one in base]),
        before=_linked([one.before for one in found], base),
        linked=linked,
        mixed=tuple(_linked([one.mixed[n] for one in found], base) for n in range(len(SHARES))),
        shares=SHARES,
        cost=linked.cost,
        seeds=len(found),
        days=setting.days,
    )


def _linked(arms: Sequence[Played], bases: Sequence[Played]) -> Linked:
    pairs = list(zip(arms, bases, strict=True))
    return Linked(
        private_share=in_95([arm.private for arm in arms]),
        in_feed=in_95([arm.in_feed for arm in arms]),
        gmv=in_95([arm.per_look.worth / base.per_look.worth - 1.0 for arm, base in pairs]),
        private_gmv=in_95([arm.private_worth / base.private_worth - 1.0 for arm, base in pairs]),
        fan_gmv=in_95([arm.fan_worth / base.fan_worth - 1.0 for arm, base in pairs]),
        follow_through=in_95([arm.won / base.won - 1.0 for arm, base in pairs]),
        new_fan_gmv=in_95([gain(arm.new_fan_gmv, base.new_fan_gmv) for arm, base in pairs]),
        repeat_change=in_95([arm.repeated - base.repeated for arm, base in pairs]),
        gmv_per_viewer=in_95([arm.gmv_per_viewer / base.gmv_per_viewer - 1.0 for arm, base in pairs]),
        retention=in_95([arm.returned - base.returned for arm, base in pairs]),
        cost=cost_of([arm.per_look for arm in arms], [base.per_look for base in bases]),
    )


def rows_of(found: Domains) -> list[Row]:
    """Return the lines of the table."""
    rows = [
        Row("unlinked: fans' share of looks", found.unlinked_private_share, drawn=False),
        Row("  followers won of 1,000 public looks", found.unlinked_follow_through, False, drawn=False),
        Row("  orders of returning buyers", found.unlinked_repeat_rate, drawn=False),
        *_rows("follows of before alone", found.before),
        *_rows("linked", found.linked),
    ]
    for share, one in zip(found.shares, found.mixed, strict=True):
        rows += _rows(f"linked, {share:.0%} of the feed", one)
    return rows


def _rows(name: str, one: Linked) -> list[Row]:
    return [
        Row(f"{name}: fans' share of looks", one.private_share, drawn=False),
        Row("  of the feed's looks", one.in_feed, drawn=False),
        Row("  GMV per look", one.gmv, against="> 0"),
        Row("  fans' GMV", one.private_gmv, against="> 0"),
        Row("  fans' GMV per look of theirs", one.fan_gmv),
        Row("  followers won per public look", one.follow_through),
        Row("  GMV of who was won", one.new_fan_gmv),
        Row("  repeat rate, points", one.repeat_change, against="> 0"),
        Row("  GMV per viewer, as orders came", one.gmv_per_viewer),
        Row("  requests made of those possible, points", one.retention, against="≥ 0"),
        *cost_rows(one.cost),
    ]


EXPERIMENT = Experiment(
    name="domains",
    full=FULL,
    quick=QUICK,
    arms=ARMS,
    play=play_job,
    figures=figures_of,
    rows=rows_of,
    scope=lambda setting: f"{setting.size.creators} makers",
)
