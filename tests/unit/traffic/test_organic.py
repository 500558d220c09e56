"""Organic prices in the engine: what they stand on, what uses them up, and what a decision says of them."""

from collections.abc import Iterator
from itertools import count, islice

import msgspec
import numpy as np
import pytest
from tests.made import POLICY, START, catalogue, decided, play, wish

from fieldline import engine
from fieldline.contracts.grants import MILLION
from fieldline.errors import Conflict, Unknown
from fieldline.facts import (
    AnyFact,
    Click,
    Decision,
    Earned,
    Impression,
    Merchant,
    Order,
    Policy,
    Refund,
    Request,
    Tick,
    Video,
    WishEnded,
    WishPaused,
)
from fieldline.traffic.explain import candidates
from fieldline.traffic.organic import inclusion, newcomers, report
from fieldline.traffic.organic.prices import CREDIT, INCLUSION, NEWCOMER, POOL
from fieldline.traffic.rows import ORGANIC_PRICE
from fieldline.units import DAY, HOUR, MINUTE, YUAN

EARNED = Earned(per_click=4.0, per_order=10.0, half_life_hours=24.0, cap=0.5)
POOL_TERMS: dict[str, object] = {
    "name": "May",
    "looks": 3.0,
    "merchants": ["merchant-2"],
    "start": START,
    "end": START + DAY,
}
SHOP = {"merchant": "merchant-1", "budget": 40 * YUAN, "goal": 2.0, "start": START, "end": START + 3 * DAY}


def made(*facts: AnyFact, **dials: object) -> engine.State:
    """The made market after its first tick and some facts, with a mean score of 0.1 yuan."""
    state = engine.init(msgspec.structs.replace(POLICY, **dials))
    state.prices.score = 0.1
    for fact in (Tick(START), *catalogue(), *facts):
        engine.reduce(state, fact)
    return state


def take(state: engine.State, *facts: AnyFact) -> engine.State:
    for fact in facts:
        engine.reduce(state, fact)
    return state


def ticks(until: int, start: int = START) -> Iterator[Tick]:
    return (Tick(at) for at in range(start + 5 * MINUTE, until + 1, 5 * MINUTE))


def price(state: engine.State, item: str, name: int) -> float:
    return float(state.organic.parts[state.shelf.names.find(item), name])


def seen(state: engine.State, times: int, items: set[str], numbers: Iterator[int]) -> None:
    """Ask so many times for a slate in which some items compete, and render them where they are shown."""
    for number in islice(numbers, times):
        name = f"seen-{number}"
        asked = Request(name, f"viewer-{number % 30}", "video", at=state.now, candidates=tuple(sorted(items)))
        decision = engine.decide(state, asked)
        take(state, decision)
        for slot in decision.slots:
            if slot.item in items:
                take(state, Impression(f"{name}/{slot.item}", state.now, name, slot.item))


def test_dials_that_are_off_change_nothing() -> None:
    """By default no named price stands, no decision tells of one, and none is counted."""
    state, facts = play(60)
    assert not state.organic.on
    assert not state.organic.parts.any()
    assert not state.shelf.named.any()
    assert state.organic.effects.days == {}
    parts = [
        part
        for fact in facts
        if isinstance(fact, Decision)
        for candidate in candidates(fact, state.shelf.names.ids, state.book.names.ids)
        for part in candidate.organic_prices
    ]
    assert {part.price for part in parts} == {"contract"}


@pytest.mark.parametrize(
    ("dial", "value"),
    [("gini", 0.29), ("gini", 0.96), ("newcomer_looks", -1.0), ("newcomer_hours", 0), ("newcomer_hours", 721),
     ("earned", {"per_click": -1.0}), ("earned", {"cap": 3.6}), ("earned", {"half_life_hours": 0.0}),
     ("earned", {"least_match": 11.0})],
)  # fmt: skip
def test_a_dial_out_of_range_is_refused(dial: str, value: object) -> None:
    """A policy with a dial out of its range cannot be read."""
    with pytest.raises(msgspec.ValidationError, match=dial):
        msgspec.convert({"type": "policy", dial: value}, Policy)


def test_an_explanation_names_every_part_of_a_score() -> None:
    """Score = values · trust + named prices + exploration, and each price is told by its name."""
    policy = msgspec.structs.replace(POLICY, gini=0.3, newcomer_looks=50.0, earned=EARNED)
    state, facts = play(240, policy)
    told = [
        candidate
        for fact in facts
        if isinstance(fact, Decision)
        for candidate in candidates(fact, state.shelf.names.ids, state.book.names.ids)
    ]
    assert {part.price for candidate in told for part in candidate.organic_prices} >= {"inclusion", "credit"}
    for candidate in told:
        whole = (candidate.viewer_value + candidate.goods_value) * candidate.trust_factor
        named = sum(part.amount for part in candidate.organic_prices)
        assert candidate.score == pytest.approx(whole + named + candidate.exploration, rel=1e-4, abs=1e-6)
        assert candidate.exploration >= -1e-6


def test_a_snapshot_keeps_organic_prices() -> None:
    """A state with every price decodes to one that encodes to the same bytes."""
    policy = msgspec.structs.replace(POLICY, gini=0.3, newcomer_looks=50.0, earned=EARNED)
    state, _ = play(60, policy)
    take(state, wish("pool", "pool", "ops", POOL_TERMS, at=state.now), Tick(state.now + 5 * MINUTE))
    assert state.organic.on
    encoded = engine.encode(state)
    assert engine.encode(engine.decode(encoded)) == encoded


def test_the_weight_of_inclusion_follows_the_gini() -> None:
    """Above the dial the weight grows; creators seen less are lifted more; at a dial that is met it is 0."""
    state = made(gini=0.3)
    state.organic.inclusion.exposure[:6] = [100.0, 10.0, 5.0, 1.0, 0.0, 0.0]
    take(state, Tick(START + 5 * MINUTE))
    held = state.organic.inclusion
    assert held.realised == pytest.approx(inclusion.gini(np.array([100.0, 10.0, 5.0, 1.0, 0.0, 0.0])))
    assert held.weight > 0.0
    lifts = [price(state, f"video-{creator}", INCLUSION) for creator in range(6)]
    assert lifts == sorted(lifts)
    assert lifts[0] < 0.0 < lifts[-1]
    held.exposure[:6] = 10.0
    held.integral = 0.0
    take(state, Tick(START + 10 * MINUTE))
    assert (held.realised, held.weight) == (0.0, 0.0)
    assert not state.organic.on


def test_a_creator_without_anything_to_show_does_not_count() -> None:
    """The Gini is over creators with approved, listed work: one whose works are all refused is no longer in it."""
    refused = [Video(f"video-{i}", "creator-5", approved=False) for i in range(5, 60, 6)]
    assert made(Tick(START + 5 * MINUTE)).organic.inclusion.creators == 6
    assert made(*refused, Tick(START + 5 * MINUTE)).organic.inclusion.creators == 5


def test_a_new_work_is_lifted_until_it_has_its_looks() -> None:
    """Half-way through its hours a work without a look has a price and comes by the guaranteed source; with all of its
    looks it has none, and the report says when they were there."""
    new = Video("new", "creator-1", uploaded_at=START)
    state = made(new, *ticks(START + 12 * HOUR), newcomer_looks=10.0)
    item = state.shelf.names.find("new")
    assert price(state, "new", NEWCOMER) > 0.0
    assert price(state, "video-0", NEWCOMER) == 0.0  # listed long ago
    assert state.shelf.rows[item, ORGANIC_PRICE] == pytest.approx(
        state.shelf.named[item] + state.shelf.optimism[item], rel=1e-6
    )
    engine.decide(state, Request("r", "viewer-3", "video", at=state.now))
    assert item in state.desk.guaranteed[state.scenes.numbers["video"]].items
    numbers = count()
    while not state.organic.newcomers.met[item]:
        seen(state, 1, {"new"}, numbers)
    assert state.organic.newcomers.given[item] >= 10 * MILLION
    take(state, Tick(START + 12 * HOUR + 5 * MINUTE))
    assert price(state, "new", NEWCOMER) == 0.0
    take(state, *ticks(START + 25 * HOUR, START + 12 * HOUR + 5 * MINUTE))
    found = report.newcomers_report(state)
    assert (found.due, found.met, found.share_met) == (1, 1, 1.0)
    assert found.hours_to_met == pytest.approx(12.0)


def test_a_refused_work_has_no_floor_until_it_is_approved() -> None:
    """Refused, it has no price; approved again, its clock starts anew and the looks it had count."""
    new = Video("new", "creator-1", uploaded_at=START)
    state = made(new, *ticks(START + 12 * HOUR), newcomer_looks=10.0)
    item = state.shelf.names.find("new")
    seen(state, 2, {"new"}, count())
    before = int(state.organic.newcomers.given[item])
    assert before > 0
    take(state, msgspec.structs.replace(new, approved=False), Tick(START + 13 * HOUR))
    assert price(state, "new", NEWCOMER) == 0.0
    assert state.organic.newcomers.born[item] == newcomers.REFUSED
    assert report.newcomers_report(state).open == 0
    take(state, Tick(START + 30 * HOUR), new, Tick(START + 36 * HOUR))
    assert state.organic.newcomers.born[item] == START + 30 * HOUR
    assert state.organic.newcomers.given[item] == before
    assert price(state, "new", NEWCOMER) > 0.0


def test_a_pool_lifts_whom_it_is_for_and_stops_at_nothing_left() -> None:
    """Only its creator's works have its price; the price is gone from all of them with its last look, which it never
    passes, and the statement balances."""
    terms = POOL_TERMS | {"merchants": [], "creators": ["creator-2"]}
    state = made(wish("pool", "pool", "ops", terms), *ticks(START + 12 * HOUR))
    of_pool = {f"video-{number}" for number in range(2, 60, 6)}
    assert {state.shelf.names.ids[item] for item in np.flatnonzero(state.organic.parts[:, POOL])} == of_pool
    seen(state, 100, of_pool, count())
    found = report.pool_report(state, "pool")
    assert (found.granted, found.spent, found.left, found.items) == (3 * MILLION, 3 * MILLION, 0, 0)
    assert not state.organic.parts[:, POOL].any()
    assert state.book.looks[state.book.names.find("pool")] == pytest.approx(3.0)
    assert [(member.kind, member.id) for member in found.members] == [("creator", "creator-2")]


def test_a_pool_ends_with_its_window() -> None:
    """At the end what is left expires, of a pool that ran out of time as of one that was ended; a paused one only
    has no price."""
    state = made(
        wish("pool", "pool", "ops", POOL_TERMS),
        wish("other", "pool", "ops", POOL_TERMS | {"merchants": ["merchant-3"]}),
        *ticks(START + 2 * HOUR),
    )
    take(state, WishPaused("pool", state.now, True), WishEnded("other", state.now), Tick(START + 3 * HOUR))
    paused, ended = report.pool_report(state, "pool"), report.pool_report(state, "other")
    assert (paused.status, paused.left, paused.items) == ("paused", 3 * MILLION, 0)
    assert (ended.status, ended.left, ended.expired, ended.items) == ("ended", 0, 3 * MILLION, 0)
    take(state, WishPaused("pool", state.now, False), Tick(START + 4 * HOUR))
    assert report.pool_report(state, "pool").items > 0
    take(state, Tick(START + DAY))
    over = report.pool_report(state, "pool")
    assert (over.status, over.granted, over.expired, over.left, over.items) == (
        "ended",
        3 * MILLION,
        3 * MILLION,
        0,
        0,
    )


def test_eligibility_is_read_at_every_tick() -> None:
    """A merchant whose trust falls below the least is lifted no longer."""
    terms = POOL_TERMS | {"merchants": ["merchant-2", "merchant-3"], "least_trust": 0.6}
    state = made(wish("pool", "pool", "ops", terms), *ticks(START + HOUR))
    assert price(state, "product-2", POOL) > 0.0
    take(state, Merchant("merchant-2", trust=0.3), Tick(START + HOUR + 5 * MINUTE))
    assert price(state, "product-2", POOL) == 0.0
    assert price(state, "product-3", POOL) > 0.0


def test_matching_grants_by_spend_under_both_caps() -> None:
    """Five looks a yuan: what was spent before the window earns nothing, 2 yuan earn 10 looks, a member has at most 12
    and the pool gives at most 15, the merchants served in the order of their numbers."""
    terms = POOL_TERMS | {
        "merchants": ["merchant-1", "merchant-2"], "looks": 15.0,
        "matching": {"looks_per_yuan": 5.0, "member_looks": 12.0}, "start": START + HOUR,
    }  # fmt: skip
    shops = [
        wish(f"shop-{i}", "storewide", f"merchant-{i}", SHOP | {"merchant": f"merchant-{i}"}) for i in (1, 2)
    ]
    state = made(*shops, wish("pool", "pool", "ops", terms))
    state.book.spent[:2] = [7 * YUAN, 0]
    take(state, *ticks(START + HOUR))
    assert report.pool_report(state, "pool").granted == 0
    state.book.spent[:2] = [9 * YUAN, 0]
    take(state, Tick(START + HOUR + 5 * MINUTE))
    assert report.pool_report(state, "pool").granted == 10 * MILLION
    state.book.spent[:2] = [19 * YUAN, 8 * YUAN]
    take(state, Tick(START + HOUR + 10 * MINUTE))
    found = report.pool_report(state, "pool")
    assert found.granted == 15 * MILLION
    assert sorted((member.id, member.granted) for member in found.members) == [
        ("merchant-1", 12 * MILLION),
        ("merchant-2", 3 * MILLION),
    ]
    assert price(state, "product-1", POOL) > 0.0


def test_of_two_pools_the_one_that_ends_first_pays() -> None:
    """An item in two pools has the price of the one that ends first, and spends from it alone."""
    state = made(
        wish("late", "pool", "ops", POOL_TERMS | {"end": START + 2 * DAY}),
        wish("soon", "pool", "ops", POOL_TERMS),
        *ticks(START + HOUR),
    )
    item = state.shelf.names.find("product-2")
    assert state.organic.pool[item] == state.book.names.find("soon")


def test_a_pool_is_not_edited_below_what_it_spent() -> None:
    """A budget below what is spent is refused with its field, as is matching that comes later, and nothing changes."""
    state = made(wish("pool", "pool", "ops", POOL_TERMS), *ticks(START + HOUR))
    state.organic.pools[0].spent = 2 * MILLION
    before = engine.encode(state)
    with pytest.raises(Conflict, match=r"terms\.looks: is below the 2 looks"):
        engine.check(state, wish("pool", "pool", "ops", POOL_TERMS | {"looks": 1.5}, version=2))
    matching = {"matching": {"looks_per_yuan": 5.0, "member_looks": 2.0}}
    with pytest.raises(Conflict, match=r"terms\.matching"):
        engine.check(state, wish("pool", "pool", "ops", POOL_TERMS | matching, version=2))
    with pytest.raises(Unknown, match=r"terms\.merchants\[0\]"):
        engine.check(state, wish("new", "pool", "ops", POOL_TERMS | {"merchants": ["nobody"]}))
    assert engine.encode(state) == before
    take(state, wish("pool", "pool", "ops", POOL_TERMS | {"looks": 5.0}, version=2), Tick(START + 2 * HOUR))
    found = report.pool_report(state, "pool")
    assert (found.granted, found.spent, found.left) == (5 * MILLION, 2 * MILLION, 3 * MILLION)


def clicked(*names: str, viewer: str = "viewer-1", gap: int = MINUTE, **dials: object) -> engine.State:
    """A market in which a viewer clicked paid places of merchant-1 a minute (or another gap) apart."""
    state = made(wish("shop", "storewide", "merchant-1", SHOP), **{"earned": EARNED} | dials)
    for number, name in enumerate(names):
        at = START + number * gap
        take(state, decided(name, viewer, ("video-1", "shop", YUAN // 100), at=at))
        take(state, Impression(f"{name}/i", at, name, "video-1"), Click(f"{name}/c", at, name, "video-1"))
    return state


def test_a_paid_click_earns_once_a_day() -> None:
    """A viewer's first click on a merchant's ads earns four looks, a second within a day none, one after it four."""
    item = clicked().shelf.names.find("video-1")
    for gap, earned, refused in ((MINUTE, 4, 1), (DAY, 8, 0)):
        held = clicked("a", "b", gap=gap).organic.credits
        assert (held.earned[item], held.refused[item]) == (earned * MILLION, refused)


def test_a_merchant_earns_nothing_from_its_own_viewers() -> None:
    """A click by an account that is the merchant's own earns nothing."""
    state = made(
        Merchant("merchant-1", accounts=("viewer-1",)),
        wish("shop", "storewide", "merchant-1", SHOP),
        earned=EARNED,
    )
    take(state, decided("a", "viewer-1", ("video-1", "shop", YUAN // 100)))
    take(state, Click("c", START, "a", "video-1"))
    assert state.organic.credits.earned.sum() == 0
    assert state.organic.credits.refused.sum() == 1


def test_an_organic_click_earns_nothing() -> None:
    """A click on a place that nobody paid for changes no account."""
    state = made(earned=EARNED)
    take(state, decided("a", "viewer-1", ("video-1", None, 0)), Click("c", START, "a", "video-1"))
    assert state.organic.credits.earned.sum() == 0
    assert state.organic.credits.refused.sum() == 0


def test_a_click_below_its_trades_rate_is_refused() -> None:
    """With a gate at half of the trade's rate, a predicted 10% earns where the trade has 15%, not where it has 25%."""
    for rate, earned in ((0.15, 4 * MILLION), (0.25, 0)):
        state = made(
            wish("shop", "storewide", "merchant-1", SHOP),
            earned=msgspec.structs.replace(EARNED, least_match=0.5),
        )
        state.shelf.counts[:68] = [1_000.0, 1_000.0 * rate, 0.0]
        take(state, Tick(START + 5 * MINUTE))
        take(state, decided("a", "viewer-1", ("video-1", "shop", YUAN // 100), at=state.now))
        take(state, Click("c", state.now, "a", "video-1"))
        assert state.organic.credits.earned.sum() == earned


def test_a_refund_takes_back_what_its_order_earned() -> None:
    """A credited order earns ten looks; half of its money back revokes five of them."""
    state = clicked("a")
    order = Order("o", START + MINUTE, "viewer-1", "product-1", 20 * YUAN)
    take(state, order)
    assert report.credits_report(state, "merchant-1").earned == 14 * MILLION
    take(state, Refund("r", START + 2 * MINUTE, "o", 10 * YUAN))
    found = report.credits_report(state, "merchant-1")
    assert (found.revoked, found.balance) == (5 * MILLION, 9 * MILLION)


def test_credit_halves_in_its_half_life_and_is_used_by_what_it_moved() -> None:
    """A day later half of it is left; the price falls with it, and looks that it moved use it up."""
    earned = msgspec.structs.replace(EARNED, per_click=1_000.0, cap=3.5)
    state = clicked("a", earned=earned)
    take(state, Tick(START + 5 * MINUTE))
    first = price(state, "video-1", CREDIT)
    assert first == pytest.approx(state.prices.score * 3.5 * 1_000.0 / 1_020.0, rel=1e-3)
    take(state, *ticks(START + DAY, START + 5 * MINUTE))
    found = report.credits_report(state, "merchant-1")
    assert found.balance == pytest.approx(500 * MILLION, rel=1e-2)
    assert found.expired + found.balance == found.earned
    assert price(state, "video-1", CREDIT) < first
    seen(state, 40, {"video-1"}, count())
    used = report.credits_report(state, "merchant-1")
    assert used.earned == used.used + used.expired + used.balance
    assert used.used > 0
    assert used.given > 0.0


def test_what_credit_gives_is_taken_from_somebody() -> None:
    """Where all competitors were logged, looks moved sum to those lost, and no more is taken than was given."""
    state, _ = play(240, msgspec.structs.replace(POLICY, earned=EARNED))
    effects = state.organic.effects
    assert effects.given.sum() > 0.0
    assert 0.0 < effects.taken.sum() <= effects.given.sum() + 1e-9
    day = np.sum(list(effects.days.values()), axis=0)
    assert day[CREDIT, 0] == pytest.approx(effects.given.sum())
    assert day[:CREDIT].sum() == 0.0


def test_nobody_else_has_credits() -> None:
    """A merchant that nothing has is unknown, as is a contract that is no pool."""
    state = made(wish("shop", "storewide", "merchant-1", SHOP))
    with pytest.raises(Unknown):
        report.credits_report(state, "nobody")
    with pytest.raises(Unknown):
        report.pool_report(state, "shop")
