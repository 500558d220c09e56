"""Wishes: what is refused with its field and leaves nothing behind, and what each fact about one changes."""

from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.made import POLICY, START, catalogue, wish

from fieldline import engine
from fieldline.contracts.book import allowance
from fieldline.errors import Conflict, OutOfReach, Refused, Unknown
from fieldline.facts import Leased, LiveRoom, Merchant, Product, Tick, Video, Wish, WishEnded, WishPaused
from fieldline.traffic.solve import BINS
from fieldline.units import DAY, HOUR, YUAN


@pytest.fixture
def state() -> engine.State:
    """A market of one's own."""
    return made()


@pytest.fixture(scope="module")
def asked_of() -> engine.State:
    """One market for all that is refused."""
    return made()


def made() -> engine.State:
    """The made market with a campaign `shop`, goods sold out or under review, and a closed room."""
    state = engine.init(POLICY)
    facts = (
        Tick(START), *catalogue(),
        Merchant("merchant-9"),
        Product("gone", "merchant-1", YUAN, 0), Product("hidden", "merchant-1", YUAN, 5, approved=False),
        Video("sold-out", "creator-0", product="gone"),
        Video("draft", "creator-0", product="product-1", approved=False),
        Video("of-hidden", "creator-0", product="hidden"),
        LiveRoom("closed", "creator-0", product="product-1", started_at=START - HOUR, ended_at=START),
        asked("shop"),
    )  # fmt: skip
    for fact in facts:
        engine.reduce(state, fact)
    return state


def asked(
    id: str = "new", version: int = 1, offer: str = "storewide", at: int = START, **changed: object
) -> Wish:
    terms: dict[str, Any] = {
        "merchant": "merchant-1",
        "budget": 50 * YUAN,
        "start": START,
        "end": START + DAY,
    }
    if offer.endswith("roi") or offer == "storewide":
        terms["goal"] = 2.0
    return wish(id, offer, "merchant-1", terms | changed, version, at)


def unit(**named: object) -> dict[str, Any]:
    return {"units": [{"id": "a"}, {"id": "b"} | named]}


REFUSED: dict[str, tuple[Wish, type[Refused], str]] = {
    "no budget": (asked(budget=0), Refused, "terms.budget"),
    "a negative budget": (asked(budget=-YUAN), Refused, "terms.budget"),
    "an ROI of 0": (asked(goal=0.0), Refused, "terms.goal"),
    "an ROI of 1e9": (asked(goal=1e9), Refused, "terms.goal"),
    "a negative ROI": (asked(goal=-2.0), Refused, "terms.goal"),
    "a horizon in the past": (asked(start=START - DAY, end=START), Conflict, "terms.end"),
    "a horizon that ends first": (asked(end=START), Refused, "terms.end"),
    "a product out of stock": (asked(**unit(items=["product-1", "gone"])), Refused, "terms.units[1].items[1]"),
    "a product under review": (asked(**unit(items=["hidden"])), Refused, "terms.units[1].items[0]"),
    "a video under review": (asked(**unit(creatives=["draft"])), Refused, "terms.units[1].creatives[0]"),
    "a video of what is sold out": (asked(**unit(creatives=["sold-out"])), Refused, "terms.units[1].creatives[0]"),
    "a video of what is under review": (asked(**unit(creatives=["of-hidden"])), Refused, "terms.units[1].creatives[0]"),
    "a room that has ended": (asked(**unit(creatives=["closed"])), Refused, "terms.units[1].creatives[0]"),
    "another merchant's product": (asked(**unit(items=["product-2"])), Refused, "terms.units[1].items[0]"),
    "an item that is not there": (asked(**unit(items=["nothing"])), Unknown, "terms.units[1].items[0]"),
    "a creator who is not there": (asked(**unit(creators=["nobody"])), Unknown, "terms.units[1].creators[0]"),
    "a scene that is not there": (asked(scenes=["video", "radio"]), Unknown, "terms.scenes[1]"),
    "a merchant who is not there": (asked(merchant="nobody"), Unknown, "terms.merchant"),
    "an offer that is not there": (asked(offer="magic"), Unknown, "offer"),
    "a first version of 2": (asked(version=2), Conflict, "version"),
    "the same version again": (asked("shop"), Conflict, "version"),
    "an edit into another offer": (asked("shop", 2, "net_roi"), Conflict, "offer"),
    "an edit of the merchant": (asked("shop", 2, merchant="merchant-3"), Conflict, "terms.merchant"),
    "an edit of the start": (asked("shop", 2, start=START + 1), Conflict, "terms.start"),
    "an edit to no budget": (asked("shop", 2, budget=0), Refused, "terms.budget"),
    "an edit that adds what is sold out": (
        asked("shop", 2, **unit(items=["gone"])), Refused, "terms.units[1].items[0]"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_its_field(asked_of: engine.State, case: str) -> None:
    """Each bad wish is refused with its class, its field and a reason."""
    bad, kind, field = REFUSED[case]
    with pytest.raises(kind) as refusal:
        engine.check(asked_of, bad)
    assert (type(refusal.value), refusal.value.field) == (kind, field)
    assert len(refusal.value.reason) > 5


def test_what_is_refused_changes_nothing(state: engine.State) -> None:
    """After every one of these refusals the state is the same byte for byte."""
    before = digest(state)
    for bad, kind, _ in REFUSED.values():
        with pytest.raises(kind):
            engine.check(state, bad)
    assert digest(state) == before


def digest(state: engine.State) -> bytes:
    return blake2b(engine.encode(state)).digest()


def test_a_budget_below_what_is_taken_is_refused(state: engine.State) -> None:
    """With 7 yuan spent and 2 reserved, an edit to 9 yuan is taken and one a micro-yuan below it is not."""
    state.book.spent[0], state.book.reserved[0] = 7 * YUAN, 2 * YUAN
    engine.check(state, asked("shop", 2, budget=9 * YUAN))
    before = digest(state)
    with pytest.raises(Conflict, match=r"terms\.budget: is below the 9000000 micro-yuan"):
        engine.check(state, asked("shop", 2, budget=9 * YUAN - 1))
    assert digest(state) == before


def test_an_ended_campaign_does_not_start_again(state: engine.State) -> None:
    """Any edit of it is refused, and it is out of force from the fact on."""
    assert state.book.in_force[0]
    engine.reduce(state, WishEnded("shop", START))
    assert not state.book.in_force[0]
    before = digest(state)
    with pytest.raises(Conflict, match="id: was ended"):
        engine.check(state, asked("shop", 2))
    assert digest(state) == before


def test_what_was_named_before_may_stay(state: engine.State) -> None:
    """A product that sold out after its campaign began does not stand in the way of an edit."""
    engine.reduce(state, asked("goods", **unit(items=["product-5"])))
    known = state.goods.products["product-5"]
    engine.reduce(state, msgspec.structs.replace(known, stock=0))
    engine.check(state, asked("goods", 2, budget=60 * YUAN, **unit(items=["product-5"])))
    with pytest.raises(Refused, match="out of stock"):
        engine.check(state, asked("other", **unit(items=["product-5"])))


def knowing(state: engine.State) -> engine.State:
    """The same with a landscape in which a yuan of spend brings a yuan of value, and traffic ahead."""
    state.traffic.slow = state.traffic.fast = 20.0
    state.prices.sampled[0] = 300.0
    state.prices.supply_value[0, BINS // 2] = state.prices.supply_cost[0, BINS // 2] = 3.0
    return state


def test_a_goal_out_of_reach_runs_only_if_confirmed(state: engine.State) -> None:
    """A goal of 50 is refused with a forecast of no spend, taken if confirmed; a goal of 0.9 is taken."""
    knowing(state)
    before = digest(state)
    with pytest.raises(OutOfReach) as refusal:
        engine.check(state, asked(goal=50.0))
    assert refusal.value.field == "terms.goal"
    assert "the forecast spends 0.00 of 50.00 yuan" in refusal.value.reason
    assert "a goal of 1.00 would spend a tenth" in refusal.value.reason
    assert digest(state) == before
    engine.check(state, asked(goal=50.0, confirmed=True))
    engine.check(state, asked(goal=0.9))


def test_a_goal_raised_out_of_reach_must_be_confirmed_too(state: engine.State) -> None:
    """An edit from 2 to 50 is refused unless confirmed; one that lowers the goal, or leaves it, is not asked about."""
    knowing(state)
    for taken in ({"goal": 1.5}, {"budget": 40 * YUAN}, {"goal": 50.0, "confirmed": True}):
        engine.check(state, asked("shop", 2, **taken))
    with pytest.raises(OutOfReach, match=r"terms\.goal"):
        engine.check(state, asked("shop", 2, goal=50.0))


def test_a_cost_out_of_reach_is_told_as_a_cost(state: engine.State) -> None:
    """Where orders cost 10 yuan of spend each, a cap of a tenth of that is refused as terms.cost."""
    engine.reduce(state, asked("orders", offer="cost_cap", cost=10.0))
    knowing(state)
    number = state.book.names.find("orders")
    state.prices.sampled[number] = 300.0
    state.prices.supply_value[number, BINS // 2] = state.prices.supply_cost[number, BINS // 2] = 3.0
    with pytest.raises(OutOfReach) as refusal:
        engine.check(state, asked("cheap", offer="cost_cap", cost=1.0))
    assert refusal.value.field == "terms.cost"
    engine.check(state, asked("fair", offer="cost_cap", cost=10.5))


def test_who_knows_nothing_refuses_no_goal(state: engine.State) -> None:
    """Before contracts of its kind have seen enough, a goal of 100 is taken."""
    engine.check(state, asked(goal=100.0))


def test_a_pause_and_its_end(state: engine.State) -> None:
    """Paused, a campaign is out of force at once; resumed, in force again with the same price."""
    price = state.prices.alpha[0]
    engine.reduce(state, WishPaused("shop", START, True))
    assert (bool(state.book.in_force[0]), state.book.paused) == (False, {"shop": START})
    engine.reduce(state, WishPaused("shop", START, False))
    assert (bool(state.book.in_force[0]), state.book.paused, state.prices.alpha[0]) == (True, {}, price)


def test_leases_add_up_and_bound_what_is_spent_here(state: engine.State) -> None:
    """Of 50 yuan, leases of 3 and 4 let 7 be reserved; one for a contract that is not there changes nothing."""

    before = state.book.leased.copy()
    engine.reduce(state, Leased("nothing", START, YUAN))
    assert np.array_equal(state.book.leased, before)
    assert allowance(state.book, 0) == 50 * YUAN
    for yuan in (3, 4):
        engine.reduce(state, Leased("shop", START, yuan * YUAN))
    assert allowance(state.book, 0) == 7 * YUAN


def test_a_state_with_every_kind_of_contract_survives_a_snapshot(state: engine.State) -> None:
    """Encoded and decoded, campaigns and cold starts (which promote nobody's goods) come back equal."""
    terms = {"creator": "creator-0", "items": ["video-0"], "looks": 9.0, "start": START, "end": START + DAY}
    engine.reduce(state, wish("cold", "cold_start", "creator-0", terms))
    again = engine.decode(engine.encode(state))
    assert again.book.contracts == state.book.contracts
    assert engine.encode(again) == engine.encode(state)
