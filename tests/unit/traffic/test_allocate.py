"""Allocation on markets made by hand: exact slates, charges and accounts."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fieldline.draws import campaign_key, holdout_key, is_held
from fieldline.facts import Policy
from fieldline.traffic.allocate import Desk, Rules, Slate, allocate, rules_of, warm
from fieldline.traffic.explain import CONTENDER, CONTRIBUTION
from fieldline.traffic.pace import STEP
from fieldline.traffic.rows import BIAS, FLAGS, NET_PRICE, ORGANIC_PRICE, PRICED, SCENES, SHOWN, TRUST
from fieldline.traffic.toy import Market, market_at_random, market_by_hand, rules_by_hand

LOOKS = (0.8, 0.5, 0.2)


def slate_of(market: Market, rules: Rules, scene: int = 0, **way: Any) -> Slate:
    return allocate(
        market.candidates, market.viewer, scene, market.index, market.prices, rules, Desk(), **way
    )


def shown(market: Market, rules: Rules, **way: Any) -> list[tuple[int, int]]:
    slots = slate_of(market, rules, **way).slots
    return list(zip(slots["item"].tolist(), slots["contract"].tolist(), strict=True))


def test_score_is_taken_apart_exactly() -> None:
    """A contender's chances, values, trust and prices are its row's and give its score."""
    market = market_by_hand([0.25], [((0,), 0.5)])
    row = market.index.rows[0]
    row[:3], row[8:11], row[16:19] = 0.5, 1.0, -1.0
    row[BIAS : BIAS + 3] = 0.25, -0.5, 0.75
    row[NET_PRICE], row[TRUST] = 100.0, 1.125
    row.view(np.int32)[FLAGS] |= PRICED
    market.prices.organic[0] = 0.25
    market.prices.meter[0, 0] = (0.01, 0.02, 0.04, 0.001, 0.08)
    market.viewer[:24], market.viewer[24:] = 0.5, (0.5, 0.25, -0.25)
    slate = slate_of(market, rules_by_hand(LOOKS, viewer_value=0.5, goods_value=0.25, ad_price=9.0))

    def chance(logit: float) -> float:
        return 1.0 / (1.0 + float(np.exp(-logit)))

    click, long_view, order = chance(0.75 + 0.75), chance(-0.25 + 1.5), chance(0.5 - 1.5)
    goods = click * order * 100.0
    value = 0.01 + 0.02 * click + 0.04 * long_view + 0.001 * goods + 0.08 * click * order
    (told,) = np.frombuffer(slate.contenders, CONTENDER).tolist()
    assert told == pytest.approx(
        (
            *(0, 0, 0, 0, 0),
            *(click, long_view, order),
            *(0.5 * long_view, 0.25 * goods, 1.125, 0.25),
            (0.5 * long_view + 0.25 * goods) * 1.125 + 0.25,
            *(value, 0.5 * value, 0.0, 0.0),
        ),
        abs=2e-5,
        rel=2e-4,
    )
    assert np.frombuffer(slate.contributions, CONTRIBUTION).tolist() == [(0, 0, 0.25)]


def test_only_shown_items_of_the_scene_compete() -> None:
    """An item that may not be shown, or not in this scene, is neither shown nor told nor counted."""
    market = market_by_hand([0.9, 0.8, 0.7], [((0,), 5.0), ((1,), 5.0)])
    market.index.rows.view(np.int32)[0, FLAGS] &= ~SHOWN
    market.index.rows.view(np.int32)[1, SCENES] = 0b100
    slate = slate_of(market, rules_by_hand(LOOKS))
    assert slate.slots["item"].tolist() == [2]
    assert slate.eligible == 1
    assert np.frombuffer(slate.contenders, CONTENDER)["item"].tolist() == [2]
    assert shown(market, rules_by_hand(LOOKS), scene=2) == [(1, -1)]


def test_scene_31_is_a_scene() -> None:
    """The highest scene bit, which is the sign bit of its word, works like any other."""
    market = market_by_hand([0.9, 0.8], [])
    market.index.rows.view(np.int32)[1, SCENES] = np.int32(-(1 << 31))
    assert shown(market, rules_by_hand(LOOKS), scene=31) == [(1, -1)]


def test_ties_go_to_the_lower_item_and_contract() -> None:
    """Equal scores are ordered by item; of equal bids on an item the lower contract pays."""
    market = market_by_hand([0.5, 0.5, 0.5, 0.1], [((3,), 0.7), ((3,), 0.7)])
    assert shown(market, rules_by_hand(LOOKS, first_ad=1)) == [(0, -1), (3, 0), (1, -1)]


def test_paid_must_be_strictly_better() -> None:
    """A paid score equal to the best organic one does not take the slot."""
    market = market_by_hand([0.75, 0.5], [((1,), 0.25)])
    assert shown(market, rules_by_hand([1.0])) == [(0, -1)]


def test_top_organic_item_shows_free() -> None:
    """An item that is best organically is not charged and not labelled, whatever its bid."""
    market = market_by_hand([0.9, 0.8], [((0,), 50.0)])
    slate = slate_of(market, rules_by_hand(LOOKS))
    assert slate.slots.tolist()[0] == (0, -1, 0, 0, 0.0, 0.0, 0.0, pytest.approx(0.9))
    assert np.frombuffer(slate.contenders, CONTENDER)["bid"].tolist() == [50.0, 0.0]


def test_best_organic_item_pays_to_save_its_place() -> None:
    """Where caps have made an item the best organic one early, its bid may hold the slot against another's."""
    # item 0's ad caps the merchant of item 1 and the category of item 2, so that item 3 (rank 2) is up at slot 1
    scores, merchants, categories = [0.1, 0.9, 0.8, 0.7, 0.2], [7, 7, -1, -1, -1], [5, -1, 5, -1, -1]
    caps = {"merchant_cap": 1, "category_cap": 1}
    first = ((0,), 3.0)
    rules = rules_by_hand([0.9, 0.6, 0.3], **caps)
    alone = market_by_hand(scores, [first, ((3,), 0.9)], merchants, categories)
    assert shown(alone, rules) == [(0, 0), (3, -1), (4, -1)]
    attacked = market_by_hand(scores, [first, ((3,), 0.0), ((4,), 0.75)], merchants, categories)
    assert shown(attacked, rules) == [(0, 0), (4, 2), (3, -1)]
    saved = market_by_hand(scores, [first, ((3,), 0.9), ((4,), 0.75)], merchants, categories)
    assert shown(saved, rules) == [(0, 0), (3, 1), (4, -1)]
    slots = slate_of(saved, rules).slots
    assert (slots["organic_rank"][1], slots["rank_without_bid"][1]) == (2, 2)
    # item 4's paid score is 0.2 + 0.75: need_1 = (0.95 − 0.7)·0.6/(0.6 − 0.3) = 0.5 for 0.3 looks
    assert slots["charge"][1] == pytest.approx(0.15, rel=1e-6)


@pytest.mark.parametrize(
    ("rules", "paid_slots"),
    [
        ({"max_ads": 2}, [0, 1]),
        ({"max_ads": 0}, []),
        ({"first_ad": 2}, [2]),
        ({"ad_gap": 1}, [0, 2]),
        ({"ad_gap": 2}, [0]),
        ({"ad_price": 2.0}, []),
    ],
)
def test_rules_of_ads(rules: dict[str, Any], paid_slots: list[int]) -> None:
    """Load, first slot, gap and the price of an ad each close slots."""
    market = market_by_hand([0.9, 0.8, 0.7, 0.1, 0.1, 0.1], [((3,), 2.0), ((4,), 2.0), ((5,), 2.0)])
    contracts = slate_of(market, rules_by_hand(LOOKS, **rules)).slots["contract"]
    assert np.flatnonzero(contracts >= 0).tolist() == paid_slots


def test_caps_keep_items_out() -> None:
    """Merchant and category caps hold over organic and paid places together; −1 is uncapped."""
    market = market_by_hand([0.9, 0.8, 0.7, 0.6], [((3,), 2.0)], merchants=[1, 1, -1, 1])
    assert shown(market, rules_by_hand(LOOKS, merchant_cap=1)) == [(3, 0), (2, -1)]
    market = market_by_hand([0.9, 0.8, 0.7, 0.6], [((3,), 2.0)], categories=[1, 1, -1, 1])
    assert shown(market, rules_by_hand(LOOKS, category_cap=2)) == [(3, 0), (0, -1), (2, -1)]


def test_fewer_candidates_than_slots() -> None:
    """A slate is as long as its eligible candidates allow, down to empty."""
    assert shown(market_by_hand([0.3, 0.4], []), rules_by_hand(LOOKS)) == [(1, -1), (0, -1)]
    market = market_by_hand([0.3], [])
    nobody = np.zeros(0, np.int32)
    slate = allocate(nobody, market.viewer, 0, market.index, market.prices, rules_by_hand(LOOKS), Desk())
    assert (len(slate.slots), slate.eligible, slate.contenders) == (0, 0, b"")


def test_bid_cap_binds() -> None:
    """A bid is never above what the allowance admits."""
    market = market_by_hand([0.9, 0.5], [((1,), 3.0)])
    market.prices.bid_cap[0] = 0.6
    slots = slate_of(market, rules_by_hand([1.0])).slots
    assert slots["bid"].tolist() == [0.6]
    assert slots["value"].tolist() == [1.0]
    assert slots["charge"].tolist() == [pytest.approx(0.4)]


BIDS = [((3,), 0.5), ((3, 4), 0.75)]
SCORES = [1.0, 0.75, 0.5, 0.25, 0.125]


def test_behind_a_closed_gate_a_contract_is_as_none() -> None:
    """With its gate closed a contract leaves slate, account and landscape as they are without it; open, it wins."""
    market, without = market_by_hand(SCORES, BIDS), market_by_hand(SCORES, BIDS[:1])
    gated = replace(market, index=replace(market.index, gate=np.array([0, 1, 1], np.int32)))
    rules = rules_by_hand(LOOKS)
    closed = slate_of(gated, rules, landscape=True, open_gates=np.array([1, 0], np.uint8))
    assert closed == slate_of(without, rules, landscape=True)
    opened = slate_of(gated, rules, landscape=True, open_gates=np.array([1, 1], np.uint8))
    assert opened == slate_of(market, rules, landscape=True) != closed


def test_for_a_held_out_viewer_a_contract_is_as_none() -> None:
    """A viewer in its holdout leaves slate, account and landscape as without the contract; another does not."""
    market, without = market_by_hand(SCORES, BIDS), market_by_hand(SCORES, BIDS[:1])
    key = campaign_key("wish")
    market.prices.holdout[1], market.prices.contract_key[1] = 0.05, key
    rules = rules_by_hand(LOOKS)
    viewers = [holdout_key(0, f"viewer-{n}") for n in range(200)]
    held = [viewer for viewer in viewers if is_held(viewer, key, 0.05)]
    for viewer in held:
        assert slate_of(market, rules, landscape=True, viewer_key=viewer) == slate_of(
            without, rules, landscape=True
        )
    others = [slate_of(market, rules, viewer_key=viewer).slots for viewer in viewers if viewer not in held]
    assert 0 < len(held) < 25
    assert all(1 in slots["contract"] for slots in others)


def test_an_item_in_two_units_is_bid_for_once() -> None:
    """With one gate or both open a contract bids once, and is not its own rival; with none it does not bid."""
    once = market_by_hand(SCORES, [((3,), 0.75)])
    twice = market_by_hand(SCORES, [((3, 3), 0.75)])
    twice = replace(twice, index=replace(twice.index, gate=np.array([1, 2], np.int32)))
    rules = rules_by_hand(LOOKS)
    plain = slate_of(once, rules, landscape=True)
    assert plain.slots["contract"].tolist() == [-1, 0, -1]
    for gates in ([1, 1, 0], [1, 0, 1], [1, 1, 1]):
        assert slate_of(twice, rules, landscape=True, open_gates=np.array(gates, np.uint8)) == plain
    shut = slate_of(twice, rules, landscape=True, open_gates=np.array([1, 0, 0], np.uint8))
    assert (shut.slots["contract"] == -1).all()
    assert shut.landscape == b""


def test_an_order_is_worth_the_same_at_any_price() -> None:
    """The order channel pays yuan · P(click) · P(order | click), also for goods of no net price."""
    market = market_by_hand([0.5, 0.25], [((1,), 1.0)])
    market.index.rows[1, BIAS : BIAS + 3] = 0.5, 0.0, -0.5
    market.prices.meter[0, 0] = (0.0, 0.0, 0.0, 0.0, 3.0)
    (slot,) = slate_of(market, rules_by_hand([1.0], viewer_value=0.0)).slots
    chance = 1.0 / (1.0 + np.exp([-0.5, 0.5]))
    assert slot["contract"] == 0
    assert slot["value"] == pytest.approx(3.0 * chance.prod(), rel=1e-6)


def test_a_scene_has_meters_of_its_own() -> None:
    """A look in a scene is worth what the contract's meter of that scene says."""
    market = market_by_hand([0.5, 0.25], [((1,), 1.0)])
    market.index.rows.view(np.int32)[:, SCENES] = 0b11
    market.prices.meter[1, 0, 0] = 0.5
    values = [slate_of(market, rules_by_hand([1.0]), scene).slots["value"].tolist() for scene in (0, 1)]
    assert values == [[1.0], [0.5]]


def test_unpaid_and_random_requests_sell_nothing() -> None:
    """Without paid delivery, and on randomised requests, nobody pays and no landscape is logged."""
    market = market_by_hand([0.9, 0.8, 0.7, 0.1], [((3,), 5.0)])
    for way in ({"paid": False}, {"random_key": 7}):
        slate = slate_of(market, rules_by_hand(LOOKS), landscape=True, **way)
        assert (slate.slots["contract"] == -1).all()
        assert (slate.slots["charge"] == 0).all()
        assert slate.landscape == b""


def test_random_slate_is_the_keys_alone() -> None:
    """The same key draws the same slate; its chance is the product over what was left at each slot."""
    market = market_by_hand([0.5, 0.4, 0.3], [])
    rules = rules_by_hand([0.9, 0.5], random_temperature=0.5)
    one, other = (slate_of(market, rules, random_key=(1 << 64) - 1) for _ in range(2))
    assert one.slots.tobytes() == other.slots.tobytes()
    weight = np.exp(market.index.rows[:, ORGANIC_PRICE].astype(float) / (0.5 * 0.5))
    first, second = one.slots["item"].tolist()
    chance = weight[first] / weight.sum() * weight[second] / (weight.sum() - weight[first])
    assert one.propensity == pytest.approx(chance, rel=1e-6)


def test_contenders_are_the_slate_then_the_best_others() -> None:
    """The account tells the slate in order, then the best others by organic or paid score, as many as allowed."""
    market = market_by_hand([0.9, 0.8, 0.7, 0.1, 0.2, 0.3, 0.4], [((3,), 0.55), ((4,), 0.15)])
    slate = slate_of(market, rules_by_hand(LOOKS, explained=6, first_ad=2))
    told = np.frombuffer(slate.contenders, CONTENDER)
    assert told["item"].tolist() == [0, 1, 2, 3, 6, 4]
    assert told["slot"].tolist() == [0, 1, 2, -1, -1, -1]
    assert told["organic_rank"].tolist() == [0, 1, 2, 3, 3, 3]
    assert told["rank_without_bid"].tolist() == [0, 1, 2, 3, 3, 3]
    assert told["contract"].tolist() == [-1, -1, -1, 0, -1, 1]
    assert len(np.frombuffer(slate_of(market, rules_by_hand(LOOKS, explained=0)).contenders, CONTENDER)) == 3


def test_contributions_beyond_the_desk_are_all_told() -> None:
    """More organic prices than a desk has room for are told in full, and the slate is the same."""
    many = 700
    market = market_by_hand([0.9], [((0,), 0.0)] * many)
    market.prices.organic[:] = np.arange(1, many + 1) / 1024
    market.index.rows.view(np.int32)[0, FLAGS] |= PRICED
    told = np.frombuffer(slate_of(market, rules_by_hand(LOOKS)).contributions, CONTRIBUTION)
    assert told["contract"].tolist() == list(range(many))
    assert told["amount"].tolist() == (np.arange(1, many + 1) / 1024).tolist()


def test_landscape_of_a_loser_by_hand() -> None:
    """A losing contract logs, from the worst slot, what each slot would have needed and given."""
    market = market_by_hand([1.0, 0.75, 0.5, 0.25], [((3,), 0.125)])
    slate = slate_of(market, rules_by_hand([0.75, 0.5, 0.25]), landscape=True)
    steps = np.frombuffer(slate.landscape, STEP)
    assert steps["charge"].tolist() == [0.0625, 0.125, 0.1875]  # needs 0.25, 0.5, 0.75
    assert steps["value"].tolist() == [0.25, 0.25, 0.25]
    assert steps["log_alpha"].tolist() == pytest.approx(np.log([0.25, 0.5, 0.75]).tolist())
    assert slate.dropped_steps == 0


def test_landscape_is_bounded_and_counts_what_it_dropped() -> None:
    """Steps beyond 4,096 are dropped, the best paid scores' last, and counted."""
    items, slots = 600, 10
    bids = [((item,), 0.001 * item) for item in range(slots, items)]
    market = market_by_hand(np.linspace(0.9, 0.1, items).tolist(), bids)
    rules = rules_by_hand(np.linspace(0.9, 0.1, slots).tolist(), ad_price=1.0)
    slate = slate_of(market, rules, landscape=True)
    steps = np.frombuffer(slate.landscape, STEP)
    assert (len(steps), slate.dropped_steps) == (4096, len(bids) * slots - 4096)
    paid = market.index.rows[slots:, ORGANIC_PRICE].astype(float) - 1.0 + market.prices.alpha
    assert steps["contract"][::slots].tolist() == np.argsort(-paid, kind="stable")[:410].tolist()


def test_policy_becomes_rules() -> None:
    """Rules carry the policy's dials; the load is rounded down to whole slots."""
    rules = rules_of(Policy(ad_load=0.3, first_ad=2, ad_gap=3, explained=17), np.linspace(1.0, 0.1, 10))
    assert (rules.max_ads, rules.first_ad, rules.ad_gap, rules.explained) == (3, 2, 3, 17)
    assert rules_of(Policy(ad_load=0.29), np.ones(10)).max_ads == 2
    assert rules.words[-1] == 0.0


def test_a_desk_grows_and_forgets() -> None:
    """A desk made for one candidate serves any size, and what it served before changes nothing."""
    small = Desk(1, 1, 1)
    for seed, count in ((1, 5), (2, 700), (3, 3), (4, 700)):
        market = market_at_random(seed, count, promoted=0.5, merchants=5, categories=5, bid_scale=1.0)
        rules = rules_by_hand(np.linspace(0.9, 0.1, 3 + seed).tolist(), explained=10 * seed)
        request = (market.candidates, market.viewer, 0, market.index, market.prices, rules)
        used, fresh = allocate(*request, small, landscape=True), allocate(*request, Desk(), landscape=True)
        assert used.slots.tobytes() == fresh.slots.tobytes()
        assert (used.contenders, used.landscape) == (fresh.contenders, fresh.landscape)


def test_a_slate_shares_nothing_with_the_desk() -> None:
    """A later request leaves an earlier slate as it was."""
    market = market_by_hand([0.9, 0.5], [((1,), 2.0)])
    desk = Desk()
    request = (market.candidates, market.viewer, 0, market.index, market.prices)
    slate = allocate(*request, rules_by_hand([1.0, 0.5]), desk)
    before = slate.slots.tobytes()
    allocate(*request, rules_by_hand([1.0, 0.5]), desk, paid=False)
    assert slate.slots.tobytes() == before


def test_warming_answers() -> None:
    """The kernel answers its toy request, so that serving starts compiled."""
    warm()
