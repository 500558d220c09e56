"""Organic policies in seasons, and the figures of their experiments."""

import math
from importlib import import_module

import numpy as np
import pytest
from msgspec.structs import replace

from fieldline.cli.lab import ORGANIC, Name
from fieldline.contracts.grants import MILLION, Grant, Matching
from fieldline.facts.policy import Earned
from fieldline.lab.experiments import cold_start, gini, one_plus_n, trust
from fieldline.lab.experiments.figures import in_95
from fieldline.lab.experiments.policies import Experiment, Row, Setting, Whole, cost_of, named, text
from fieldline.lab.season import (
    POLICY,
    Arm,
    Course,
    Opening,
    Other,
    Policies,
    Pool,
    open_season,
    plan_of,
    play,
    pooling,
    releases,
)
from fieldline.lab.season.columns import (
    BACK,
    CREDITED_ORDERS,
    EARNING,
    LOOKED,
    MOVED,
    PAID_LOOKED,
    PAID_WORTH,
    PRODUCT,
    QUANTITY,
    SENT_BACK,
    VIEWER,
    WATCHED,
    WORTH,
)
from fieldline.lab.season.market import tallies_of, waiting_of
from fieldline.lab.season.organic import follow, linear_prices, opened
from fieldline.lab.season.pooling import Pooled
from fieldline.lab.season.trusting import apply, judged, learn, nothing_learned
from fieldline.lab.world import Size, World
from fieldline.lab.world.goods import LIVE, VIDEO
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.rows import TRUST
from fieldline.units import DAY, YUAN

WORLD = World.make(5, Size(viewers=300, creators=60, merchants=40, products=100, videos=160, rooms=8))
PLAN = plan_of(WORLD, 5, contracts=10, days=1)
BIDS = np.full(10, 0.1)
"""What controllers would find is of no matter here."""


@pytest.fixture(scope="module")
def opening() -> Opening:
    return open_season(WORLD, warm=0)


@pytest.fixture(scope="module")
def untouched(opening: Opening) -> Course:
    return play(WORLD, PLAN, Arm(standing=BIDS), opening=opening)


def test_items_add_up_to_contracts(untouched: Course) -> None:
    """What was shown of a merchant's items, item by item, is what its contract counted; paid looks are some of all."""
    items = untouched.items[-1]
    for contract, merchant in enumerate(PLAN.merchants.tolist()):
        shown = items[WORLD.items.merchant == merchant, WORTH].sum()
        assert shown == pytest.approx(untouched.shown_gmv[contract].sum(), rel=1e-9)
    assert (items[:, PAID_LOOKED] <= items[:, LOOKED]).all()
    assert (items[:, PAID_WORTH] <= items[:, WORTH]).all()
    assert 0.0 < items[:, PAID_LOOKED].sum() < items[:, LOOKED].sum()


def test_telling_contenders_changes_nothing(opening: Opening, untouched: Course) -> None:
    """A season in which requests tell of 24 contenders, and credit is earned at a cap of 0, is the untouched one."""
    earned = Earned(per_click=5.0, per_order=50.0, cap=0.0)
    told = play(
        WORLD, PLAN, Arm(standing=BIDS, policy=replace(POLICY, explained=24, earned=earned)), opening=opening
    )
    assert np.array_equal(told.total, untouched.total)
    assert np.array_equal(told.items, untouched.items)
    assert np.array_equal(told.spend, untouched.spend)


def test_a_dial_lowers_the_gini(opening: Opening, untouched: Course) -> None:
    """Under a dial of .3 the Gini ends at least .05 below the untouched one, under one of .95 it is the same."""
    low = play(WORLD, PLAN, Arm(standing=BIDS, policy=replace(POLICY, gini=0.3)), opening=opening)
    high = play(WORLD, PLAN, Arm(standing=BIDS, policy=replace(POLICY, gini=0.95)), opening=opening)
    assert low.gini[-1] < untouched.gini[-1] - 0.05
    assert untouched.gini[-1] < 0.95
    assert high.gini[-1] == untouched.gini[-1]


def test_credit_moves_looks_to_those_who_earn(opening: Opening, untouched: Course) -> None:
    """With strong credit earners' items have more organic looks than without; looks were moved to them alone."""
    earners = np.isin(WORLD.items.merchant, PLAN.merchants[::2])
    policy = replace(POLICY, explained=24, earned=Earned(per_click=50.0, per_order=200.0, cap=3.0))
    course = play(
        WORLD, PLAN, Arm(standing=BIDS, policy=policy, policies=Policies(earners=earners)), opening=opening
    )
    organic, before = (one.items[0, :, LOOKED] - one.items[0, :, PAID_LOOKED] for one in (course, untouched))
    assert organic[earners].sum() > before[earners].sum()
    assert course.items[0, earners, MOVED].sum() > 0.0
    assert course.items[0, ~earners, MOVED].sum() == 0.0


def test_works_are_hidden_until_their_release() -> None:
    """Works that are released on the second day have no look on the first, and some on the second."""
    released = releases(WORLD, 0.3, 48, PLAN.start)
    opening = open_season(WORLD, warm=0, released=released)
    plan = plan_of(WORLD, 5, contracts=10, days=2)
    plan = type(plan)(plan.contracts, plan.merchants, plan.start, 2, released)
    course = play(WORLD, plan, Arm(standing=BIDS), opening=opening)
    second = released >= plan.start + DAY
    assert second.any()
    assert (WORLD.items.kind[released > 0] == VIDEO).all()
    assert course.items[0, second, LOOKED].sum() == 0.0
    assert course.items[1, second, LOOKED].sum() > 0.0


def test_floors_are_met_where_static_boosts_of_nothing_are_not(opening: Opening) -> None:
    """Floors of 40 looks are met by more new works than without a price, after their release, and by no old one."""
    released = releases(WORLD, 0.3, 6, PLAN.start)
    hidden = open_season(WORLD, warm=0, released=released)
    plan = type(PLAN)(PLAN.contracts, PLAN.merchants, PLAN.start, 1, released)
    policy = replace(POLICY, newcomer_looks=40.0, newcomer_hours=12)
    floors = play(WORLD, plan, Arm(standing=BIDS, policy=policy), opening=hidden)
    nothing = play(
        WORLD, plan, Arm(standing=BIDS, policy=policy, policies=Policies(boost=0.0)), opening=hidden
    )
    met = floors.met[released > 0] > 0
    assert met.sum() > (nothing.met[released > 0] > 0).sum()
    assert (floors.met[released > 0][met] > released[released > 0][met]).all()
    assert (floors.met[released == 0] == 0).all()


def test_credit_is_kept_to_the_micro_look() -> None:
    """Two clicks and an order earn 60 looks, for earners alone; 7.5 moved looks are used; a refund takes 50 back."""
    tallies = tallies_of(WORLD, 1)
    organic = opened(len(WORLD.items.kind), WORLD.size.creators, None)
    policy = replace(POLICY, earned=Earned(per_click=5.0, per_order=50.0))
    may = np.zeros(len(WORLD.items.kind), bool)
    may[3] = True
    policies = Policies(earners=may)
    tallies.items[3:5, EARNING], tallies.items[3:5, CREDITED_ORDERS] = 2.0, 1.0
    follow(organic, policy, policies, tallies, WORLD.items.creator, PLAN.start)
    held = organic.credits
    assert held.balance[3:5].tolist() == [60 * MILLION, 0]
    tallies.items[3, MOVED] = 7.5
    follow(organic, policy, policies, tallies, WORLD.items.creator, PLAN.start)
    tallies.items[3, SENT_BACK] = 1.0
    follow(organic, policy, policies, tallies, WORLD.items.creator, PLAN.start)
    assert held.used[3] == 7_500_000
    assert held.revoked[3] == 50 * MILLION
    assert held.earned[3] == held.used[3] + held.expired[3] + held.revoked[3] + held.balance[3]


def test_linear_prices() -> None:
    """Exposures 0, 1, 2 and 9 have 2, 4/3, 2/3 and at least −1 at weight 2; all have 0 where nobody was seen."""
    assert linear_prices(np.array([0.0, 1.0, 2.0, 9.0]), 2.0) == pytest.approx([2.0, 4 / 3, 2 / 3, -1.0])
    assert linear_prices(np.zeros(3), 2.0).tolist() == [0.0, 0.0, 0.0]


def test_nobody_is_judged_without_evidence() -> None:
    """Merchants without orders stand at .5, each of them."""
    learned = nothing_learned(4, 0)
    found = judged(learned.evidence, np.zeros(4, np.int32), POLICY, PLAN.start + DAY)
    assert found.tolist() == [0.5] * 4


def test_trust_is_learned_from_orders_and_what_came_back() -> None:
    """Of twelve shops that share buyers by chance the one whose orders all came back is the last, and below .5."""
    draws, waiting = np.random.default_rng(1), waiting_of(900)
    for viewer in range(300):
        for place, shop in enumerate(draws.permutation(12)[:3].tolist()):
            row = waiting.rows[3 * viewer + place]
            row[VIEWER], row[PRODUCT] = viewer, WORLD.merchants.product_ptr[shop]
            row[QUANTITY], row[BACK] = 1, 3 if shop == 0 else 0
    waiting.sizes[1] = 900
    learned = nothing_learned(WORLD.size.merchants, 900)
    learn(learned, WORLD, waiting, POLICY, PLAN.start, 0)
    assert learned.trust[0] < 0.5
    assert learned.trust.argmin() == 0
    assert learned.trust[12:].tolist() == [0.5] * 28
    assert learned.returned.sum() == (waiting.rows[:, BACK] == 3).sum() > 0


def test_trust_that_is_not_learned_is_declared(opening: Opening) -> None:
    """Merchants at .5 have a factor of 1 each, where before, as declared, factors differed."""
    rows = opening.machine.rows
    apply(
        np.full(WORLD.size.merchants, 0.5),
        opening.machine._replace(rows=(own := rows.copy())),
        WORLD.items.merchant,
        POLICY,
    )
    assert (own[:, TRUST] == 1.0).all()
    assert np.ptp(rows[:, TRUST]) > 0.0


def test_intervals_of_95_percent() -> None:
    """1, 2 and 3 give 2 ± 4.3027/√3; one value has no interval, none no estimate."""
    half = 4.3027 / math.sqrt(3.0)
    found = in_95([1.0, 2.0, float("nan"), 3.0])
    assert (found.estimate, found.low, found.high) == pytest.approx((2.0, 2.0 - half, 2.0 + half))
    assert in_95([5.0]).estimate == 5.0
    assert math.isnan(in_95([5.0]).low)
    assert math.isnan(in_95([]).estimate)


def test_costs_are_shares_lost() -> None:
    """90 of 100 long views and 105 of 100 yuan are costs of .1 and −.05; others lost a quarter of all looks."""
    base = Whole(100.0, 100.0, 0.0, 0.75)
    arm = Whole(90.0, 105.0, 0.0, 0.5)
    cost = cost_of([arm], [base])
    assert cost.viewer_value.estimate == pytest.approx(0.1)
    assert cost.platform_gmv.estimate == pytest.approx(-0.05)
    assert cost.displacement.estimate == 0.25


def test_a_tenth_is_interpolated() -> None:
    """Between arms that lower the Gini by .05 at 1% and by .15 at 5% a tenth costs 3%; not reached, it is unknown."""
    assert gini.interpolated([0.15, 0.05], [0.05, 0.01]) == pytest.approx(0.03)
    assert math.isnan(gini.interpolated([0.05, 0.09], [0.01, 0.02]))


def test_repeats_follow_on_a_later_day() -> None:
    """Of one pair's orders on days 1, 1 and 2 the last is a repeat; another pair's first is none."""
    assert trust.repeats(np.array([7, 7, 7, 8]), np.array([1, 1, 2, 2])).tolist() == [
        False,
        False,
        True,
        False,
    ]


def test_figures_are_told_with_their_interval() -> None:
    """A share is told in percent, a number plainly, an unknown one as a dash."""
    figure = in_95([0.01, 0.02, 0.03])
    assert text(Row("", figure)) == "2.00% [-0.48, 4.48]"
    assert text(Row("", in_95([0.5]), percent=False)) == "0.500"
    assert text(Row("", in_95([]))) == "–"


def test_labels_in_a_plot_stand_alone() -> None:
    """An indented line is told with the head of the line above it; others are as they were."""
    rows = [Row("floors: floors met", in_95([1.0])), Row("  had 1,000 looks", in_95([1.0]))]
    assert [row.label for row in named(rows)] == ["floors: floors met", "floors: had 1,000 looks"]


def test_the_published_credit_is_the_strongest_that_is_cheap() -> None:
    """Of three settings that cost .2%, .9% and 3% the second is published; where all cost more, none is."""

    def played(worth: float) -> one_plus_n.Played:
        group = one_plus_n.Group(10.0, 10.0, 10.0, 1.0)
        whole = Whole(100.0, worth, 0.0, 0.5)
        return one_plus_n.Played(group, group, group, group, whole)

    def found(*worth: float) -> one_plus_n.OnePlusN:
        credits_ = tuple(played(one) for one in worth)
        market = one_plus_n.Found(played(100.0), played(100.0), credits_)
        return one_plus_n.figures_of([market, market], one_plus_n.QUICK)

    assert found(99.8, 99.1, 97.0).published == "medium"
    assert found(98.0, 98.0, 97.0).published is None
    assert found(99.8, 99.1, 97.0).cost.platform_gmv.estimate == pytest.approx(0.03)


def test_newcomers_figures_name_each_way() -> None:
    """Nothing, floors and each static boost have their figures, and those of floors stand on top."""
    whole = Whole(100.0, 100.0, 0.0, 0.5)
    arms = tuple(cold_start.Played(met, 0.5, 30.0, 0.5, 0.2, whole) for met in (0.1, 0.99, 0.5, 0.8))
    found = cold_start.figures_of([arms, arms], Setting(cold_start.MARKET, 10, 3))
    assert [way.name for way in found.ways] == ["nothing", "floors", "static boost 0.5", "static boost 1"]
    assert found.floors_met.estimate == pytest.approx(0.99)


def test_the_dials_figures() -> None:
    """A dial's miss counts where the market's own Gini is above it; the cost told is of the arm nearest to −.1."""

    def arm(level: float, watched: float = 100.0) -> gini.Played:
        return gini.Played(level, Whole(watched, 100.0, 0.0, 0.5))

    dials = (arm(0.68), arm(0.61, 98.0), arm(0.5, 95.0), arm(0.45, 90.0))
    price, linear = (arm(0.6, 99.0), arm(0.49, 96.0)), (arm(0.6, 97.0), arm(0.5, 94.0))
    random = (arm(0.69), arm(0.68))
    market = gini.Found(arm(0.69), dials, arm(0.7), price, linear, random)
    found = gini.figures_of([market, market], gini.QUICK)
    assert math.isnan(found.dials[0].off.estimate)
    assert found.dials[1].off.estimate == pytest.approx(0.01)
    assert found.cost.viewer_value.estimate == pytest.approx(0.02)
    assert found.still.estimate == pytest.approx(0.7)
    assert found.per_tenth.viewer_value.estimate == pytest.approx(0.01)
    assert found.linear_over_price.viewer_value.estimate == pytest.approx(0.02)
    assert math.isnan(found.random_per_tenth.viewer_value.estimate)
    assert [row.label for row in gini.rows_of(found)].count("−.1 by random: platform GMV") == 1


def test_other_ways_are_asked_and_change_nothing(opening: Opening, untouched: Course) -> None:
    """Asking leaves the arm as it was; the way without a price comes to what the arm's own slates did, tick by tick."""
    ways = (Other(), Other(gini=0.3), Other(gini=0.3, linear=True), Other(random_share=1.0))
    course = play(WORLD, PLAN, Arm(standing=BIDS, policies=Policies(others=ways)), opening=opening)
    assert np.array_equal(course.total, untouched.total)
    assert np.array_equal(course.items, untouched.items)
    assert course.others[0, 0, 0] == pytest.approx(untouched.items[0, :, WATCHED].sum(), rel=1e-9)
    assert course.others[0, 0, 1] == pytest.approx(untouched.items[0, :, WORTH].sum(), rel=1e-9)
    assert course.others_gini[:, 0] == pytest.approx(untouched.gini, abs=1e-9)
    assert (course.others_gini[-1, 1:] < untouched.gini[-1] - 0.02).all()


def test_trusts_figures_are_differences_within_a_market() -> None:
    """Refund rates that fall by one and by two points from .1 and .2 have a mean change of −1.5 points."""
    whole = Whole(100.0, 100.0, 0.0, 0.5)

    def played(refunded: float, gmv: float) -> trust.Played:
        return trust.Played(refunded, (3.0, 1.0), (0.3, refunded), 0.2, 0.5, 100.0, gmv, whole, whole)

    found = trust.figures_of(
        [
            (played(0.10, 100.0), played(0.09, 99.0), played(0.10, 100.0)),
            (played(0.20, 100.0), played(0.18, 101.0), played(0.20, 100.0)),
        ],
        trust.QUICK,
    )
    assert found.weights[0].refund_change.estimate == pytest.approx(-0.015)
    assert found.expected_refund_rate_off.estimate == pytest.approx((0.1 + 0.125) / 2.0)
    assert found.weights[0].expected_refund_change.estimate == pytest.approx(-0.015 / 4.0)
    assert found.weights[0].expected_refund_change_in_trade.estimate == pytest.approx(-0.015 / 4.0)
    assert found.weights[0].gmv.estimate == pytest.approx(0.0)
    assert found.weights[1].refund_change.estimate == 0.0
    assert found.refund_rate_off.estimate == pytest.approx(0.15)


def test_expected_refunds_are_of_expected_orders() -> None:
    """Three and one expected orders of two items are in their trades, and so is what comes back; rooms are left out."""
    items, products = WORLD.items, WORLD.products
    pair = np.flatnonzero((items.kind != LIVE) & (items.product >= 0))[[0, -1]]
    sold = items.product[pair]
    back, worth = products.refund[sold], np.zeros(len(items.kind))
    worth[pair] = np.array((3.0, 1.0)) * 1.12 * products.price[sold] / YUAN * (1.0 - back)
    worth[items.kind == LIVE] = 1e9
    trades = len(np.bincount(products.category))
    ordered, returned = trust.expected_by_trade(WORLD, worth)
    assert ordered == pytest.approx(np.bincount(products.category[sold], (3.0, 1.0), trades))
    assert returned == pytest.approx(np.bincount(products.category[sold], (3.0, 1.0) * back, trades))


def test_a_change_in_trade_leaves_the_mix_of_trades_out() -> None:
    """Twice the orders of a trade that sends more back change nothing; its refunds of one in ten instead of two do."""
    whole = Whole(100.0, 100.0, 0.0, 0.5)

    def played(ordered: tuple[float, ...], returned: tuple[float, ...]) -> trust.Played:
        return trust.Played(0.1, ordered, returned, 0.2, 0.5, 100.0, 100.0, whole, whole)

    base = played((30.0, 10.0, 0.0), (3.0, 2.0, 0.0))
    assert trust.in_trade(base, played((30.0, 20.0, 0.0), (3.0, 4.0, 0.0))) == pytest.approx(0.0)
    assert trust.in_trade(base, played((30.0, 20.0, 5.0), (3.0, 2.0, 5.0))) == pytest.approx(-0.1 / 4.0)


def test_a_linked_pool_grants_what_was_spent_for() -> None:
    """Ten looks a yuan, 40 at most: 3 and 9 yuan give 30 and 40; what moved is spent; the end takes the rest."""
    eligible = np.zeros(WORLD.size.merchants, bool)
    eligible[[1, 2]] = True
    terms = Grant(looks=1_000.0, matching=Matching(looks_per_yuan=10.0, member_looks=40.0))
    merchant, pooled = np.array([1, 2, 3, -1], np.int32), Pooled(np.zeros(4))
    spent = np.zeros(WORLD.size.merchants, np.int64)
    spent[[1, 2, 3]] = 3 * YUAN, 9 * YUAN, 50 * YUAN
    horizon = PLAN.start, PLAN.start + DAY

    def turned(moved: list[float], at: int) -> None:
        args = np.array(moved), merchant, spent, Traffic(), horizon, at
        pooling.turn(pooled, Pool(terms, eligible), *args)

    turned([0.0] * 4, PLAN.start + DAY // 2)
    assert pooled.ledger.granted == 70 * MILLION
    assert pooled.price[0] == pooled.price[1] > 0.0
    assert pooled.price[2:].tolist() == [0.0, 0.0]
    turned([30.0, 5.0, 0.0, 0.0], PLAN.start + DAY * 9 // 10)
    assert pooled.ledger.spent == 35 * MILLION
    assert pooled.price[0] == 0.0 < pooled.price[1]
    turned([0.0] * 4, horizon[1])
    assert pooled.ledger.granted == pooled.ledger.spent + pooled.ledger.expired
    assert not pooled.price.any()


def test_an_arm_has_a_pool_or_credit(opening: Opening) -> None:
    """An arm with both is refused before anything is played."""
    both = Policies(pool=Pool(Grant(looks=10.0), np.ones(WORLD.size.merchants, bool)))
    with pytest.raises(ValueError, match="not both"):
        play(
            WORLD,
            PLAN,
            Arm(policy=replace(POLICY, earned=Earned(per_click=1.0)), policies=both),
            opening=opening,
        )


def test_a_pool_moves_no_more_than_it_has(opening: Opening) -> None:
    """A pool of 50 looks for all spends some and no more, and by its end all of it is spent or expired."""
    pool = Pool(Grant(looks=50.0), np.ones(WORLD.size.merchants, bool))
    course = play(
        WORLD,
        PLAN,
        Arm(standing=BIDS, policy=replace(POLICY, explained=24), policies=Policies(pool=pool)),
        opening=opening,
    )
    ledger = course.pool
    assert 0 < ledger.spent <= 50 * MILLION
    assert ledger.granted == ledger.spent + ledger.expired == 50 * MILLION


def test_every_experiment_on_organic_policies_is_found_by_its_name() -> None:
    """The command's names of organic experiments are modules that hold an experiment of that name, the rest are not."""
    for name in ORGANIC:
        experiment = import_module(f"fieldline.lab.experiments.{name}").EXPERIMENT
        assert isinstance(experiment, Experiment)
        assert experiment.name == name
    assert {*Name} - {*ORGANIC} == {Name.STOREWIDE, Name.RECORDED, Name.FORECAST}
