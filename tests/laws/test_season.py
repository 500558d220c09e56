"""Laws of seasons: equal arms meet equal fates, and held-out viewers are never sold to."""

from dataclasses import fields

import numpy as np
import pytest

from fieldline.contracts.book import Book
from fieldline.lab.season import Arm, Course, Opening, Plan, open_season, plan_of, play
from fieldline.lab.world import Size, World
from fieldline.traffic import pace
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.pace import Prices

WORLD = World.make(5, Size(viewers=300, creators=60, merchants=40, products=100, videos=160, rooms=8))


@pytest.fixture(scope="module")
def opening() -> Opening:
    return open_season(WORLD, warm=0)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(WORLD, 5, contracts=10, days=1)


def same(a: Course, b: Course, but: tuple[str, ...] = ("arm",)) -> bool:
    return all(
        np.array_equal(getattr(a, field.name), getattr(b, field.name))
        for field in fields(Course)
        if field.name not in but
    )


def nobody(prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> None:
    """Bid nothing."""
    prices.alpha[:] = 0.0


def test_a_run_is_a_function(plan: Plan, opening: Opening) -> None:
    """The same arm played twice gives the same course, bit for bit, and leaves the opening as it was."""
    assert same(play(WORLD, plan, Arm(), opening=opening), play(WORLD, plan, Arm(), opening=opening))
    assert opening.machine.last_look.max() == -1


def test_arms_that_decide_alike_see_the_same(plan: Plan, opening: Opening) -> None:
    """With α = 0 from the first tick it does not matter which controller stands behind: all outcomes are equal."""
    silent = np.zeros(len(plan.contracts))
    first = play(WORLD, plan, Arm(standing=silent, controller=pace.update), opening=opening)
    second = play(WORLD, plan, Arm(standing=np.zeros((288, 10)), controller=nobody), opening=opening)
    assert same(first, second)
    assert first.spent.sum() == 0
    assert first.gmv.sum() > 0


def test_held_out_viewers_are_never_sold_to(plan: Plan, opening: Opening) -> None:
    """A contract that holds out everybody spends nothing and sees no landscape; the others do."""
    off = play(WORLD, plan, Arm(off=(0, 3)), opening=opening)
    on = play(WORLD, plan, Arm(), opening=opening)
    assert off.spent[[0, 3]].tolist() == [0, 0]
    assert off.supply_cost[[0, 3]].sum() == 0.0
    assert on.spent.sum() > 0
    assert off.impressions[[0, 3]].sum() == 0


def test_replayed_multipliers_replay_the_run(plan: Plan, opening: Opening) -> None:
    """Standing multipliers taken tick by tick from a run give that run again, but for nothing."""
    on = play(WORLD, plan, Arm(), opening=opening)
    again = play(WORLD, plan, Arm(standing=on.alpha), opening=opening)
    assert same(on, again)


def test_attributed_orders_are_of_treated_viewers(plan: Plan, opening: Opening) -> None:
    """Nothing is attributed where every viewer is held out, though the items sell."""
    course = play(WORLD, plan, Arm(holdout=1.0), opening=opening)
    assert course.attributed.sum() == course.arm_gmv[..., 0].sum() == 0
    assert course.arm_gmv[..., 1].sum() == course.gmv.sum() > 0
