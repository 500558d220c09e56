"""Seasons: what a run records adds up, and its parts do what they say."""

import math

import numpy as np
import pytest

from fieldline.lab.calibration import spread
from fieldline.lab.season import Arm, Course, Opening, Shock, open_season, plan_of, play, told
from fieldline.lab.season.columns import CHARGED, GMV, ORDERS, POSSIBLE, SERVED, Waiting
from fieldline.lab.season.orders import pop, push
from fieldline.lab.world import Size, World
from fieldline.lab.world.days import NEVER, need, nothing_lived, possible
from fieldline.units import DAY, MINUTE

SMALL = Size(viewers=600, creators=90, merchants=60, products=150, videos=240, rooms=10)


@pytest.fixture(scope="module")
def world() -> World:
    return World.make(3, SMALL)


@pytest.fixture(scope="module")
def opening(world: World) -> Opening:
    return open_season(world, warm=1)


@pytest.fixture(scope="module")
def course(world: World, opening: Opening) -> Course:
    return play(world, plan_of(world, 3, contracts=20, days=1, holdout=0.2), Arm(), opening=opening)


def test_money_adds_up(course: Course) -> None:
    """A contract's spend is the sum of its days, never above its budget, and all charges are somebody's spend."""
    assert course.spent.tolist() == course.day_spend.sum(axis=0).tolist()
    assert (course.spent <= course.budget).all()
    assert course.spent.sum() == course.total[:, CHARGED].sum() > 0
    assert course.spend[-1].tolist() == course.spent.tolist()


def test_arms_and_scenes_add_up(course: Course) -> None:
    """Treated and held-out GMV are the storewide GMV of each day; attributed GMV is that of its scenes."""
    assert course.arm_gmv.sum(axis=2).tolist() == course.day_gmv.tolist()
    assert course.arm_orders.sum(axis=2).tolist() == course.day_orders.tolist()
    assert course.scene_gmv.sum(axis=2).tolist() == course.day_attributed.tolist()
    assert course.gmv.tolist() == course.day_gmv.sum(axis=0).tolist()
    assert (course.attributed <= course.gmv).all()
    assert (course.arm_gmv.sum(axis=0)[:, 1] > 0).any()


def test_squares_are_at_least_those_of_the_mean(course: Course) -> None:
    """Σ x² ≥ (Σ x)²/n over an arm's buyers, with equality where there is one buyer."""
    gmv, buyers = course.arm_gmv / 1e6, course.arm_buyers
    some = buyers > 0
    least = gmv[some] ** 2 / buyers[some]
    assert (course.arm_squares[some] >= least * (1.0 - 1e-5)).all()
    one = buyers == 1
    assert np.allclose(course.arm_squares[one], gmv[one] ** 2, rtol=1e-5)


def test_value_is_gmv_where_all_sales_count(course: Course) -> None:
    """A storewide contract's value is the GMV of all its items; an ads-only one's is what is attributed to it."""
    plan_offers = [contract.offer for contract in plan_of(World.make(3, SMALL), 3, contracts=20).contracts]
    for number, offer in enumerate(plan_offers):
        if offer == "storewide":
            assert course.final_value[number] == pytest.approx(course.gmv[number] / 1e6)
        if offer in ("ads_roi", "max_delivery"):
            assert course.final_value[number] == pytest.approx(course.attributed[number] / 1e6)


def test_fewer_requests_happen_than_could(course: Course) -> None:
    """Viewers who stay away thin the possible requests, by less than 70%."""
    possible_, served = course.total[0, POSSIBLE], course.total[0, SERVED]
    assert 0.3 * possible_ < served < possible_


def test_orders_come_after_the_end(course: Course) -> None:
    """The row after the last day has orders, and no request and no charge."""
    assert course.total[-1, ORDERS] > 0
    assert course.total[-1, GMV] > 0
    assert course.total[-1, POSSIBLE] == course.total[-1, CHARGED] == 0


def test_the_landscape_is_sampled(course: Course) -> None:
    """Between 8% and 16% of paid requests are sampled, and what they show has value and cost."""
    assert 0.08 < course.sampled / course.requests < 0.16
    assert course.supply_value.sum() > 0.0
    assert course.supply_cost.sum() > 0.0


def test_predictions_tell_something(course: Course) -> None:
    """After a day of learning the area under the curve of clicks is above .6; tomorrow's row is empty."""
    area = course.auc(0)
    assert area[0] > 0.6
    assert math.isnan(area[-1])


def test_a_course_can_be_told(course: Course) -> None:
    """The summary names the arm and its requests."""
    assert told(course).startswith(f"fieldline: {course.served.sum():,} requests")


def test_a_shock_changes_what_is_possible(world: World) -> None:
    """A factor of 1.8 makes 1.8 times as many requests possible, within the noise of a tick, and 0 none."""
    at = 20_000 * DAY + 12 * 60 * MINUTE
    usual = possible(3, world.demand, at, 60 * MINUTE, 1.0)
    more = possible(3, world.demand, at, 60 * MINUTE, 1.8)
    assert more / usual == pytest.approx(1.8, rel=0.15)
    assert possible(3, world.demand, at, 60 * MINUTE, 0.0) == 0


def test_a_shock_lasts_its_hours(world: World, opening: Opening, course: Course) -> None:
    """A shock of hours 0 to 12 makes fewer requests possible in all; another seed's requests differ."""
    plan = plan_of(world, 3, contracts=20, days=1, holdout=0.2)
    shocked = play(world, plan, Arm(shocks=(Shock(0, 12, 0.55),)), opening=opening)
    assert shocked.total[0, POSSIBLE] < 0.9 * course.total[0, POSSIBLE]


def test_a_need_returns() -> None:
    """Right after a purchase 15% of the odds are left, four days later 1 − .85/e, and all where none was made."""
    lived = nothing_lived(1, 1, 1)
    assert need(lived, 0, 0, 20_000 * DAY) == pytest.approx(1.0)
    assert lived.bought[0, 0] == NEVER
    lived.bought[0, 0] = 20_000 * DAY
    assert need(lived, 0, 0, 20_000 * DAY) == pytest.approx(0.15)
    assert need(lived, 0, 0, 20_004 * DAY) == pytest.approx(1.0 - 0.85 / math.e)


def test_what_waits_comes_in_the_order_of_time() -> None:
    """Numbers put in at 5, 1, 3, 1 come out as 1, 3, 2, 0: by time, then by number."""
    waiting = Waiting(np.zeros((8, 10), np.int64), np.zeros((2, 8), np.int64), np.zeros(2, np.int64))
    for number, at in enumerate((5, 1, 3, 1)):
        push(waiting, at, number)
    assert [pop(waiting) for _ in range(4)] == [1, 3, 2, 0]


def test_plans_are_dealt_as_stated(world: World) -> None:
    """Of 20 contracts 12 are storewide, 4 ads-only, 2 cost caps and 2 maximum delivery, each of its own merchant."""
    plan = plan_of(world, 3, contracts=20)
    offers = [contract.offer for contract in plan.contracts]
    assert [offers.count(kind) for kind in ("storewide", "ads_roi", "cost_cap", "max_delivery")] == [
        12,
        4,
        2,
        2,
    ]
    assert len(set(plan.merchants.tolist())) == 20
    assert all(
        contract.limit.counts_organic == (contract.offer == "storewide") for contract in plan.contracts
    )


def test_spread_is_free_of_the_noise_of_single_looks() -> None:
    """Rates of .5 ± .1 give a spread of .4 in log-odds from 20 looks each; equal rates give 0 on average."""
    rng = np.random.default_rng(1)
    looks = np.full(40_000, 20)
    two = np.where(rng.random(40_000) < 0.5, 0.4, 0.6)
    assert spread(rng.binomial(20, two), looks) == pytest.approx(0.4, abs=0.01)
    assert spread(rng.binomial(20, 0.5, 40_000), looks) < 0.06
    assert math.isnan(spread(np.array([1]), np.array([1])))
