"""Sales and what comes after them: what an item's, a merchant's and a category's orders tell of each other."""

import math

import msgspec
import numpy as np
import pytest
from tests.made import POLICY, START, catalogue

from fieldline import engine
from fieldline.errors import Unknown
from fieldline.facts import AnyFact, Click, Impression, Order, Redemption, Refund, Request, Tick, ViewerErased
from fieldline.traffic import explain
from fieldline.traffic.prediction import after, sales
from fieldline.traffic.prediction.after import After
from fieldline.traffic.prediction.explore import optimism
from fieldline.traffic.prediction.sales import CATEGORY, CHANCE, CHANCE_STRENGTH, ITEM, MERCHANT, Sales, pool
from fieldline.traffic.rows import BIAS, NET_PRICE, ORDER, ORGANIC_PRICE
from fieldline.units import DAY, MINUTE, YUAN

GROUP = np.array([0, 0, 1, 2], np.int32)
KIND = np.array([0, 0, 0, 1], np.int32)


def chances(exposure: list[float], orders: list[float]) -> list[float]:
    offset = pool(np.array(exposure), np.array(orders), GROUP, KIND).offset
    return [1.0 / (1.0 + math.exp(-one)) for one in offset.tolist()]


def test_before_anything_was_seen_every_item_has_the_prior() -> None:
    """Without clicks each chance is .02, and its log deviates by √(1/3 + 1/2 + 1/4)."""
    assert chances([0.0] * 4, [0.0] * 4) == pytest.approx([CHANCE] * 4)
    found = pool(np.zeros(4), np.zeros(4), GROUP, KIND)
    assert found.deviation == pytest.approx([math.sqrt(1 / CATEGORY + 1 / MERCHANT + 1 / ITEM)] * 4)


def test_an_item_of_one_merchant_alone_by_hand() -> None:
    """Item 3 with 100 clicks and 6 orders: rate, category, merchant and item factors multiply as written."""
    found = chances([0.0, 0.0, 0.0, 100.0], [0.0, 0.0, 0.0, 6.0])
    rate = (CHANCE_STRENGTH + 6.0) / (CHANCE_STRENGTH / CHANCE + 100.0)
    x = 100.0 * rate
    w = 1.0 / (1.0 + x / ITEM + x / MERCHANT)
    category = (CATEGORY + w * 6.0) / (CATEGORY + w * x)
    x *= category
    w = 1.0 / (1.0 + x / ITEM)
    merchant = (MERCHANT + w * 6.0) / (MERCHANT + w * x)
    item = (ITEM + 6.0) / (ITEM + x * merchant)
    assert found[3] == pytest.approx(rate * category * merchant * item)
    assert found[0] == pytest.approx(rate)


def test_orders_lift_the_merchants_other_item_more_than_its_neighbours() -> None:
    """After orders of item 0, its chance rises most, then its merchant's other item's, then its category's."""
    found = chances([50.0, 50.0, 50.0, 50.0], [5.0, 0.0, 0.0, 0.0])
    assert found[0] > found[1] > found[2] > found[3]


def test_many_clicks_outweigh_every_prior() -> None:
    """At a hundred thousand clicks a chance is its own orders per click, within 1%."""
    found = chances([1e5, 1e3, 1e5, 1e5], [4_000.0, 10.0, 100.0, 2_000.0])
    assert found[0] == pytest.approx(0.04, rel=0.01)
    assert found[3] == pytest.approx(0.02, rel=0.01)


def test_deviation_falls_with_orders_and_never_with_another_shops() -> None:
    """An order of item 0 narrows items 0 and 1, and leaves item 3 of another category as wide as it was."""
    none = pool(np.full(4, 50.0), np.zeros(4), GROUP, KIND).deviation
    one = pool(np.full(4, 50.0), np.array([1.0, 0.0, 0.0, 0.0]), GROUP, KIND).deviation
    assert one[0] < one[1] < none[1]
    assert one[3] == none[3]


def test_a_new_item_has_its_merchants_and_categorys_chance() -> None:
    """Placed after pooling, an item starts at exp(category + merchant); an unknown one at the prior."""
    known = Sales()
    for item in range(4):
        sales.place(known, item, int(GROUP[item]), int(KIND[item]))
    for _ in range(5):
        sales.count(known, 0, 10.0, True)
    assert sales.refresh(known, GROUP, KIND) is not None
    assert sales.refresh(known, GROUP, KIND) is None
    sales.place(known, 4, 0, 0)
    chance = math.exp(known.categories[0] + known.groups[0])
    assert known.offset[4] == pytest.approx(math.log(chance / (1.0 - chance)), rel=1e-6)
    sales.place(known, 5, 9, 9)
    assert known.offset[5] == pytest.approx(math.log(CHANCE / (1.0 - CHANCE)), rel=1e-6)


def test_baskets_refunds_and_redemptions_by_hand() -> None:
    """Ten orders at twice the list price, half returned and all redeemed, move item, merchant and category so; a
    merchant without a redemption is not taken to sell vouchers."""
    known = After()
    for number in range(10):
        after.note_order(known, str(number), 0, 20, 10)
        after.note_settled(known, 0, 0.5, 0.1, True)
    everywhere = (10.0 + 20.0) / (10.0 + 10.0)
    merchant = (10.0 * everywhere + 20.0) / 20.0
    basket = after.baskets(known, GROUP)
    assert basket == pytest.approx([(10.0 * merchant + 20.0) / 20.0, merchant, everywhere, everywhere])
    back = after.refunds(known, np.full(4, 0.1), GROUP, KIND)
    assert back == pytest.approx([0.1 + 0.2 + 0.1, 0.1 + 0.2 + 0.1, 0.1 + 0.2, 0.1])
    overall = (10.0 * 0.6 + 10.0) / 20.0
    assert after.redemptions(known, GROUP) == pytest.approx([(10 * overall + 10) / 20, 0.0, 0.0])


def test_optimism_falls_as_looks_and_orders_come_and_is_nought_at_dial_nought() -> None:
    """More looks or a narrower chance give less; the dial multiplies."""
    width = np.array([1.0, 1.0, 0.3], np.float32)
    looks, price = np.array([0.0, 100.0, 100.0], np.float32), np.full(3, 50.0, np.float32)
    chance = np.tile(np.array([0.3, 0.2, 0.02], np.float32), (3, 1))
    dial = msgspec.structs.replace(POLICY, exploration=1.0)
    found = optimism(dial, looks, chance, width, price)
    assert found[0] > found[1] > found[2] > 0.0
    twice = optimism(msgspec.structs.replace(dial, exploration=2.0), looks, chance, width, price)
    assert twice == pytest.approx(2.0 * found)
    assert not optimism(msgspec.structs.replace(dial, exploration=0.0), looks, chance, width, price).any()


@pytest.fixture
def state() -> engine.State:
    """The made market's catalogue."""
    found = engine.init(POLICY)
    take(found, Tick(START), *catalogue())
    return found


def take(state: engine.State, *facts: AnyFact) -> None:
    for fact in facts:
        engine.reduce(state, fact)


def clicked(state: engine.State, number: int = 0) -> tuple[str, int]:
    """A click on an item that sells something: who clicked, and the item's number."""
    for tried in range(100):
        request = Request(f"r-{number}-{tried}", f"viewer-{tried % 30}", "mall", at=START + number)
        decision = engine.decide(state, request)
        if decision.slots:
            item = decision.slots[0].item
            events = [
                kind(f"{kind.__name__}-{decision.id}", START + number, decision.id, item)
                for kind in (Impression, Click)
            ]
            take(state, decision, *events)
            return request.viewer, state.shelf.names.find(item)
    raise AssertionError


def test_a_click_counts_as_time_passes_and_its_order_once(state: engine.State) -> None:
    """At a click's first age F(10 min) of it is exposure, after a day all of it, and its order is counted once."""
    viewer, item = clicked(state)
    take(state, Tick(START + 5 * MINUTE))
    assert state.sales.exposure[item] == 0.0
    take(state, Order("o", START + 6 * MINUTE, viewer, state.shelf.links[item][0] or "", 10 * YUAN))
    take(state, Tick(START + 10 * MINUTE))
    assert 0.3 < state.sales.exposure[item] < 0.4
    assert state.sales.orders[item] == 1.0
    take(state, Tick(START + 2 * DAY))
    assert state.sales.exposure[item] == pytest.approx(1.0)
    assert state.sales.orders.sum() == 1.0
    assert not state.outcomes.clicks and not state.outcomes.clicks_of and not any(state.outcomes.ripening)


def test_an_order_lifts_the_items_served_chance_by_its_pooled_log_odds(state: engine.State) -> None:
    """A row's bias of orders always holds the item's pooled log-odds, before and after a snapshot."""
    viewer, item = clicked(state)
    before = float(state.shelf.rows[item, BIAS + ORDER])
    take(state, Order("o", START + MINUTE, viewer, state.shelf.links[item][0] or "", 10 * YUAN))
    take(state, Tick(START + 10 * MINUTE))
    assert state.shelf.rows[item, BIAS + ORDER] > before + 0.2
    again = engine.decode(engine.encode(state))
    np.testing.assert_array_equal(again.sales.offset, state.sales.offset)
    assert engine.encode(again) == engine.encode(state)


def test_an_erased_viewers_clicks_are_gone_and_teach_nothing_more(state: engine.State) -> None:
    """After erasure no click of the viewer waits, ordered or not, and exposure stays where it was."""
    viewer, item = clicked(state)
    take(state, Order("o", START + MINUTE, viewer, state.shelf.links[item][0] or "", 10 * YUAN))
    take(state, Tick(START + 10 * MINUTE))
    exposure = state.sales.exposure[item]
    take(state, ViewerErased(viewer, START + 11 * MINUTE), Tick(START + 2 * DAY))
    assert state.sales.exposure[item] == exposure
    assert not state.outcomes.clicks


def test_orders_teach_what_they_leave_when_they_are_old_enough(state: engine.State) -> None:
    """An order above list price lifts the net price at the next tick; its refund and redemption count after 15 days."""
    viewer, item = clicked(state)
    product = state.shelf.links[item][0] or ""
    net = float(state.shelf.rows[item, NET_PRICE])
    listed = state.goods.products[product].price
    take(state, Order("o", START + MINUTE, viewer, product, 3 * listed), Tick(START + 5 * MINUTE))
    lifted = float(state.shelf.rows[item, NET_PRICE])
    assert lifted > 1.1 * net
    take(
        state,
        Refund("x", START + DAY, "o", 3 * listed),
        Redemption("v", START + DAY, "o"),
        Tick(START + 2 * DAY),
    )
    assert float(state.shelf.rows[item, NET_PRICE]) == lifted
    take(state, Tick(START + 16 * DAY))
    assert float(state.shelf.rows[item, NET_PRICE]) < lifted
    assert state.after.settled[item].tolist()[:2] == [1.0, 1.0] and state.after.settled[item, 3] == 1.0


def test_an_order_of_several_is_worth_several_to_the_net_price(state: engine.State) -> None:
    """Three units at list price in one order lift the item's net price as an order of three times the price does."""
    viewer, item = clicked(state)
    product = state.shelf.links[item][0] or ""
    listed = state.goods.products[product].price
    take(state, Order("o", START + MINUTE, viewer, product, 3 * listed, quantity=3), Tick(START + 5 * MINUTE))
    assert state.after.baskets[item].tolist() == [3.0, 1.0]


def test_a_redemption_of_an_unknown_order_is_refused(state: engine.State) -> None:
    """It names the order, and nothing changed."""
    before = engine.encode(state)
    with pytest.raises(Unknown, match="no order is called"):
        engine.check(state, Redemption("v", START, "nothing"))
    assert engine.encode(state) == before


def test_exploration_is_part_of_the_score_and_explained(state: engine.State) -> None:
    """After a tick each contender's organic price without contracts is its exploration, above 0 for a new item."""
    take(state, Tick(START + 5 * MINUTE))
    decision = engine.decide(state, Request("r", "viewer-1", "mall", at=START + 5 * MINUTE))
    told = explain.candidates(decision, state.shelf.names.ids, state.book.names.ids)
    for candidate in told:
        row = state.shelf.rows[state.shelf.names.find(candidate.item)]
        assert (
            candidate.exploration == pytest.approx(float(row[ORGANIC_PRICE])) and candidate.exploration > 0.0
        )
        plain = (candidate.viewer_value + candidate.goods_value) * candidate.trust_factor
        assert candidate.score == pytest.approx(plain + candidate.exploration, rel=1e-5)
