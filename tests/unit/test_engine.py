"""The engine, fact by fact: what each one changes, and what a refusal leaves alone."""

import msgspec
import pytest
from tests.made import POLICY, START, catalogue, wish

from fieldline import engine
from fieldline.errors import Conflict, Refused, Unknown
from fieldline.facts import (
    AnyFact,
    Click,
    Creator,
    Decision,
    Follow,
    Impression,
    Merchant,
    Order,
    Outcome,
    Product,
    Refund,
    Request,
    Tick,
    Video,
    Viewer,
    ViewerErased,
    WishPaused,
)
from fieldline.traffic.checks import check_batch
from fieldline.units import DAY, HOUR, MINUTE, YUAN

QUIET = msgspec.structs.replace(POLICY, random_share=0.0)


@pytest.fixture
def state() -> engine.State:
    """The made market's catalogue with one storewide contract that always finds something to buy."""
    state = engine.init(QUIET)
    take(state, Tick(START), *catalogue(), storewide())
    return state


def storewide(version: int = 1, **changed: object) -> AnyFact:
    terms: dict[str, object] = {
        "merchant": "merchant-1", "budget": 50 * YUAN, "goal": 0.05, "start": START, "end": START + DAY,
        "value_per_long_view": 1.0,
    }  # fmt: skip
    return wish("shop", "storewide", "merchant-1", terms | changed, version)


def take(state: engine.State, *facts: AnyFact) -> None:
    for fact in facts:
        engine.reduce(state, fact)


def sold(state: engine.State, at: int = START) -> tuple[Decision, int]:
    """A decision with a paid slot, folded in, and the number of that slot."""
    for number in range(200):
        request = Request(f"r-{at}-{number}", f"viewer-{number % 30}", "video", at=at)
        decision = engine.decide(state, request)
        paid = [k for k, slot in enumerate(decision.slots) if slot.contract and slot.charge > 0]
        if paid:
            take(state, decision)
            return decision, paid[0]
    raise AssertionError("nothing was sold")


def test_a_decision_reserves_and_its_impression_commits(state: engine.State) -> None:
    """The charge is reserved by the decision, spent by the impression, and a second impression costs nothing."""
    decision, k = sold(state)
    slot = decision.slots[k]
    others = sum(s.charge for s in decision.slots) - slot.charge
    assert (state.book.reserved[0], state.book.spent[0]) == (slot.charge + others, 0)
    take(state, Impression("i1", START + 1, decision.id, slot.item))
    assert (state.book.reserved[0], state.book.spent[0]) == (others, slot.charge)
    take(state, Impression("i2", START + 2, decision.id, slot.item))
    assert (state.book.reserved[0], state.book.spent[0]) == (others, slot.charge)


def test_a_reservation_that_is_not_shown_is_released_after_ten_minutes(state: engine.State) -> None:
    """An impression after ten minutes is free, and by the next tick the reservation is gone."""
    decision, k = sold(state)
    late = Impression("early tick", START + 10 * MINUTE + 1, decision.id, decision.slots[k].item)
    take(state, late)
    assert state.book.spent[0] == 0
    take(state, Tick(START + 10 * MINUTE))
    assert state.book.reserved[0] > 0
    take(state, Tick(START + 15 * MINUTE))
    assert (state.book.reserved[0], state.book.spent[0]) == (0, 0)
    late = Impression("i", START + 16 * MINUTE, decision.id, decision.slots[k].item)
    engine.check(state, late)
    take(state, late)
    assert (state.book.reserved[0], state.book.spent[0]) == (0, 0)


def test_a_repeated_event_changes_nothing(state: engine.State) -> None:
    """Taking the same event id again, even with another content, leaves the state byte for byte as it was."""
    decision, k = sold(state)
    event = Click("c1", START + 5, decision.id, decision.slots[k].item)
    take(state, event)
    before = engine.encode(state)
    take(state, event, Click("c1", START + 5, decision.id, decision.slots[0].item))
    assert engine.encode(state) == before


@pytest.mark.parametrize(
    ("after_click", "after_view", "credited"),
    [(7 * DAY, None, True), (7 * DAY + 1, None, False), (None, DAY, True), (None, DAY + 1, False)],
)
def test_orders_are_credited_within_their_windows(
    state: engine.State, after_click: int | None, after_view: int | None, credited: bool
) -> None:
    """An order counts for a paid click up to 7 days and for a paid view up to a day, and no longer."""
    decision, k = sold(state)
    item = decision.slots[k].item
    product = state.goods.products[f"product-{int(item.split('-')[1]) % 8}"]
    take(state, Impression("i", START, decision.id, item))
    if after_click is not None:
        take(state, Click("c", START, decision.id, item))
    order = Order("o", START + (after_click or after_view or 0), decision.viewer, product.id, 10 * YUAN)
    take(state, order)
    assert state.book.attributed[0] == (10 * YUAN if credited else 0)
    assert state.book.storewide[0] == 10 * YUAN


def test_a_refund_takes_back_what_an_order_gave(state: engine.State) -> None:
    """After a partial refund storewide and attributed GMV fall by it; more than the rest is refused."""
    decision, k = sold(state)
    item = decision.slots[k].item
    product = f"product-{int(item.split('-')[1]) % 8}"
    take(state, Impression("i", START, decision.id, item), Click("c", START, decision.id, item))
    take(state, Order("o", START + 1, decision.viewer, product, 10 * YUAN))
    take(state, Refund("f", START + 2, "o", 4 * YUAN))
    assert (state.book.attributed[0], state.book.storewide[0]) == (6 * YUAN, 6 * YUAN)
    before = engine.encode(state)
    with pytest.raises(Refused, match="amount"):
        engine.check(state, Refund("f2", START + 3, "o", 6 * YUAN + 1))
    assert engine.encode(state) == before


def test_refunds_of_one_batch_count_together(state: engine.State) -> None:
    """Two refunds of 6 against an order of 10 in the same batch are refused by the second one's number."""
    order = Order("o", START, "viewer-1", "product-1", 10)
    refunds = [Refund(f"f{i}", START + 1, "o", 6) for i in range(2)]
    check_batch(state, list(enumerate([order, refunds[0]])))
    with pytest.raises(Refused) as refused:
        check_batch(state, list(enumerate([order, *refunds])))
    assert refused.value.field == "events[2].amount"


def test_what_is_sold_out_is_not_shown(state: engine.State) -> None:
    """When the last unit is ordered, no item that sells the product is shown again."""
    take(state, Product("product-1", "merchant-1", 19 * YUAN, 3, category="kind-1"))
    take(state, Order("o", START + 1, "viewer-1", "product-1", 57 * YUAN, quantity=3))
    assert state.goods.stock["product-1"] == 0
    selling = {f"video-{i}" for i in range(60) if i % 2 and i % 8 == 1} | {"product-1"}
    for scene in ("video", "mall"):
        for viewer in range(30):
            decision = engine.decide(state, Request("r", f"viewer-{viewer}", scene, at=START + 2))
            assert not selling & {slot.item for slot in decision.slots}


def test_a_paused_contract_buys_nothing_and_a_resumed_one_does(state: engine.State) -> None:
    """While paused no slot of sixty requests is paid; resumed, one is again."""
    take(state, WishPaused("shop", START, paused=True))
    for number in range(60):
        decision = engine.decide(state, Request(f"p{number}", f"viewer-{number % 30}", "video", at=START))
        assert all(slot.contract is None for slot in decision.slots)
    take(state, WishPaused("shop", START + 1, paused=False))
    assert sold(state, START + 1)


def test_without_paid_delivery_nothing_is_sold(state: engine.State) -> None:
    """The same request that sells a slot sells none when paid delivery is dropped."""
    decision, _ = sold(state)
    request = Request(decision.id, decision.viewer, "video", at=START)
    organic = engine.decide(state, request, paid=False)
    assert all(slot.contract is None for slot in organic.slots)
    assert not organic.paid


def test_an_edit_keeps_what_was_spent_and_learned(state: engine.State) -> None:
    """A second version with another budget keeps spend and multiplier; one below what is taken is refused."""
    decision, k = sold(state)
    take(state, Impression("i", START + 1, decision.id, decision.slots[k].item))
    state.prices.alpha[0] = 0.42
    edit = storewide(version=2, budget=80 * YUAN)
    engine.check(state, edit)  # type: ignore[arg-type]
    take(state, edit)
    assert state.prices.alpha[0] == 0.42
    assert state.book.spent[0] == decision.slots[k].charge
    assert state.book.budget[0] == 80 * YUAN
    before = engine.encode(state)
    with pytest.raises(Conflict, match=r"terms\.budget"):
        engine.check(state, storewide(version=3, budget=1))  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="version"):
        engine.check(state, storewide(version=2))  # type: ignore[arg-type]
    assert engine.encode(state) == before


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"budget": 0}, "terms.budget"),
        ({"budget": -5}, "terms.budget"),
        ({"budget": 1.5}, "terms.budget"),
        ({"goal": 0}, "terms.goal"),
        ({"goal": 1e9}, "terms.goal"),
        ({"end": START}, "terms.end"),
        ({"end": START - DAY, "start": START - 2 * DAY}, "terms.end"),
        ({"merchant": "nobody"}, "terms.merchant"),
        ({"colour": "red"}, "terms.colour"),
    ],
)
def test_bad_terms_are_refused_by_their_field(
    state: engine.State, changed: dict[str, object], field: str
) -> None:
    """A storewide wish with one bad term is refused naming it, and nothing changed."""
    before = engine.encode(state)
    with pytest.raises(Refused) as refused:
        engine.check(state, storewide(version=2, **changed))  # type: ignore[arg-type]
    assert refused.value.field == field
    assert engine.encode(state) == before


@pytest.mark.parametrize(
    ("fact", "field"),
    [
        (Video("x", "nobody"), "creator"),
        (Video("x", "creator-1", product="nothing"), "product"),
        (Video("x", "creator-1", merchant="nobody"), "merchant"),
        (Video("x", "creator-1", scenes=("video", "moon")), "scenes[1]"),
        (Video("product-1", "creator-1"), "id"),
        (Product("x", "nobody", 1, 1), "merchant"),
        (Impression("x", START, "no-decision", "video-1"), "decision"),
        (Order("x", START, "nobody", "product-1", 1), "viewer"),
        (Order("x", START, "viewer-1", "nothing", 1), "product"),
        (Order("x", START + DAY + 1, "viewer-1", "product-1", 1), "at"),
        (Order("x", START - 8 * DAY - 1, "viewer-1", "product-1", 1), "at"),
        (Refund("x", START, "no-order", 1), "order"),
        (Follow("x", START, "viewer-1", "nobody"), "creator"),
        (Outcome("x", START, "viewer-1", "nothing", "video", click=True, long_view=True), "item"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(state: engine.State, fact: AnyFact, field: str) -> None:
    """A fact that names what is not there, or a time out of bounds, is refused, and nothing changed."""
    before = engine.encode(state)
    with pytest.raises(Refused) as refused:
        engine.check(state, fact)  # type: ignore[arg-type]
    assert refused.value.field == field
    assert engine.encode(state) == before


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (Request("r", "viewer-1", "moon", at=START), "scene"),
        (Request("r", "viewer-1", "video", at=START, candidates=("video-1", "nothing")), "candidates[1]"),
        (Request("r", "viewer-1", "video", at=START + DAY + 1), "at"),
        (Request("r", "viewer-1", "video", at=START, slots=7), "slots"),
        (Request("r", "viewer-1", "video"), "at"),
    ],
)
def test_requests_that_cannot_be_are_refused(state: engine.State, request_: Request, field: str) -> None:
    """A request naming what is not there, too late, or for more slots than there are, is refused by its field."""
    with pytest.raises(Refused) as refused:
        engine.decide(state, request_)
    assert refused.value.field == field


def test_an_erased_viewer_is_gone(state: engine.State) -> None:
    """After erasure the id is a stranger's, nothing of it is left in the state, and orders keep their sums."""
    decision, k = sold(state)
    viewer, item = decision.viewer, decision.slots[k].item
    take(state, Click("c", START + 1, decision.id, item), Follow("f", START + 2, viewer, "creator-2"))
    take(state, ViewerErased(viewer, START + 3))
    again = engine.decide(state, Request("again", viewer, "video", at=START + 4))
    stranger = engine.decide(state, Request("again", "whoever", "video", at=START + 4))
    assert msgspec.structs.replace(again, viewer="whoever") == stranger
    with pytest.raises(Unknown):
        engine.check(state, Impression("late", START + 5, decision.id, item))
    assert viewer.encode() not in engine.encode(state)
    take(state, Tick(START + 20 * MINUTE))
    assert state.book.reserved[0] == 0


def test_a_future_work_waits_for_its_time(state: engine.State) -> None:
    """A video to be uploaded in an hour is in no slate before, also when it is asked for, and may be after."""
    take(state, Video("soon", "creator-1", uploaded_at=START + HOUR))
    early = engine.decide(state, Request("r1", "viewer-1", "video", at=START + 1, candidates=("soon",)))
    assert "soon" not in [slot.item for slot in early.slots]
    assert early.candidates <= 60
    take(state, Tick(START + HOUR))
    later = engine.decide(state, Request("r2", "viewer-1", "video", at=START + HOUR, candidates=("soon",)))
    assert later.candidates == 61


def test_a_newcomer_gets_its_looks_by_the_deadline() -> None:
    """Two works at the bottom of the ranking reach 60 looks each in six hours with cold start, and not without."""
    looks = {}
    for helped in (True, False):
        state = engine.init(QUIET)
        take(state, Tick(START), Creator("new"), Merchant("shop"), Viewer("viewer-a"))
        take(state, *(Viewer(f"viewer-{i}") for i in range(40)))
        take(state, *(Video(f"old-{i}", "new", category=f"k{i % 20}") for i in range(80)))
        for i in range(80):
            for n in range(12):
                outcome = Outcome(f"{i}/{n}", START, "viewer-a", f"old-{i}", "video", n % 2 == 0, n % 2 == 0)
                take(state, outcome)
        take(state, *(Video(f"new-{i}", "new", category="fresh") for i in range(2)))
        if helped:
            terms: dict[str, object] = {
                "creator": "new", "items": ["new-0", "new-1"], "looks": 60.0, "start": START, "end": START + 6 * HOUR,
            }  # fmt: skip
            take(state, wish("w", "cold_start", "new", terms))
        for number in range(720):
            at = START + number * 30_000
            if number % 10 == 0:
                take(state, Tick(at))
            decision = engine.decide(state, Request(f"r{number}", f"viewer-{number % 40}", "video", at=at))
            take(state, decision)
            take(
                state,
                *(Impression(f"{decision.id}/{s.item}", at, decision.id, s.item) for s in decision.slots),
            )
        seen = [state.people.seen]
        looks[helped] = (
            state.book.looks[:2].tolist() if helped else [float((seen[0] == 80 + i).sum()) for i in (0, 1)]
        )
    assert min(looks[True]) >= 60.0
    assert max(looks[False]) < 60.0


def test_what_failed_review_is_shown_to_nobody(state: engine.State) -> None:
    """A work that is not approved is in no slate, also when it is asked for; approved, it competes."""
    take(state, Video("video-1", "creator-1", approved=False))
    asked = Request("r1", "viewer-1", "video", at=START, candidates=("video-1",))
    decision = engine.decide(state, asked)
    assert decision.candidates == 59
    assert "video-1" not in [slot.item for slot in decision.slots]
    take(state, Video("video-1", "creator-1"))
    assert engine.decide(state, asked).candidates == 60
