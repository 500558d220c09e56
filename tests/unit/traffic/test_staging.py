"""Staging: what a room is about to sell raises it while there is time to come for it, and only then."""

import math

import msgspec
import numpy as np
import pytest
from tests.made import POLICY, START, catalogue

from fieldline import engine
from fieldline.errors import Conflict, Refused, Unknown
from fieldline.facts import (
    AnyFact,
    Impression,
    LiveRoom,
    Order,
    Personalised,
    Product,
    Request,
    Staged,
    StagedOffer,
    Tick,
    Watched,
)
from fieldline.traffic import explain, staging
from fieldline.traffic.kernels.sigmoid import sigmoid
from fieldline.traffic.kernels.staging import still_there
from fieldline.traffic.prediction import model
from fieldline.traffic.rows import BIAS, CLICK, NET_PRICE, ORDER
from fieldline.traffic.staging import AHEAD, LEAVES, LIVED, USUAL_STAY, Staging, hazard, note_stay, quickness
from fieldline.units import DAY, HOUR, MINUTE, YUAN

DUE = START + HOUR
QUIET = msgspec.structs.replace(POLICY, random_share=0.0)


@pytest.fixture
def state() -> engine.State:
    """The made market with four live rooms, of which the first sells nothing yet."""
    found = engine.init(QUIET)
    take(found, Tick(START), *catalogue())
    for number in range(4):
        product = f"product-{number}" if number else None
        take(found, LiveRoom(f"room-{number}", f"creator-{number}", category="kind-1", product=product))
    take(found, Tick(START + 5 * MINUTE))
    return found


def take(state: engine.State, *facts: AnyFact) -> None:
    for fact in facts:
        engine.reduce(state, fact)


def plan(*offers: StagedOffer, room: str = "room-0", version: int = 1, at: int = START) -> Staged:
    return Staged(room, at, version, offers)


def scores(state: engine.State, at: int, viewer: str = "viewer-1") -> dict[str, float]:
    """Each room's score in the live scene."""
    decision = engine.decide(state, Request(f"r{at}", viewer, "live", at=at))
    told = explain.candidates(decision, state.shelf.names.ids, state.book.names.ids)
    return {one.item: one.score for one in told}


def test_nothing_staged_changes_nothing(state: engine.State) -> None:
    """Without a plan nothing is due, and an offer more than ten minutes away moves no score."""
    before = scores(state, DUE - AHEAD - 1)
    assert staging.due(state.staging, state.shelf, DUE) is None
    take(state, plan(StagedOffer("product-5", DUE)))
    assert staging.due(state.staging, state.shelf, DUE - AHEAD - 1) is None
    assert scores(state, DUE - AHEAD - 1) == before


def test_a_room_is_worth_more_by_the_offers_value_times_the_chance_to_be_there(state: engine.State) -> None:
    """Five minutes before, room-0 gains w·click·order·net·e^(−5/3) times its trust factor, and no other room gains."""
    at = DUE - 5 * MINUTE
    before = scores(state, at)
    take(state, plan(StagedOffer("product-5", DUE)))
    after = scores(state, at)
    viewer, scene = state.people.names.find("viewer-1"), state.scenes.numbers["live"]
    side = model.viewer_side(state, viewer, scene, at)
    room, product = (state.shelf.names.find(name) for name in ("room-0", "product-5"))

    def chance(item: int, task: int) -> float:
        row = state.shelf.rows[item]
        vector = float(side[8 * task : 8 * task + 8] @ row[8 * task : 8 * task + 8])
        return float(sigmoid(float(side[BIAS + task]) + float(row[BIAS + task]) + vector))

    net = float(state.shelf.rows[product, NET_PRICE])
    worth = chance(room, CLICK) * chance(product, ORDER) * net * math.exp(-5.0 / USUAL_STAY)
    trust = float(state.shelf.rows[room, NET_PRICE + 1])
    assert after["room-0"] - before["room-0"] == pytest.approx(QUIET.goods_value * worth * trust, rel=1e-3)
    assert {name: score for name, score in after.items() if name != "room-0"} == {
        name: score for name, score in before.items() if name != "room-0"
    }


def test_it_rises_as_the_offer_comes_nearer_and_is_gone_at_its_start(state: engine.State) -> None:
    """Minute by minute the gain grows; at the start without a stated end it is nought."""
    take(state, plan(StagedOffer("product-5", DUE)))
    found = [staging.due(state.staging, state.shelf, DUE - minute * MINUTE) for minute in range(10, 0, -1)]
    kept = [float(one.kept[0]) for one in found if one]
    assert len(kept) == 10 and kept == sorted(kept) and kept[-1] == pytest.approx(math.exp(-1.0 / USUAL_STAY))
    assert staging.due(state.staging, state.shelf, DUE) is None


def test_a_decision_tells_which_offer_raised_which_room_by_how_much(state: engine.State) -> None:
    """Of the two offers of room-0 the better one is told with what it added, and of rooms without a plan nothing is."""
    at = DUE - MINUTE
    assert engine.decide(state, Request("a", "viewer-1", "live", at=at)).ahead == ()
    before = scores(state, at)["room-0"]
    take(state, plan(StagedOffer("product-5", DUE), StagedOffer("product-0", DUE)))
    (part,) = engine.decide(state, Request("b", "viewer-1", "live", at=at)).ahead
    trust = float(state.shelf.rows[state.shelf.names.find("room-0"), NET_PRICE + 1])
    assert (part.item, part.product) == ("room-0", "product-5")
    assert part.value * trust == pytest.approx(scores(state, at)["room-0"] - before, rel=1e-3)


def test_pulled_a_second_before_it_counts_no_more(state: engine.State) -> None:
    """A second before its start an offer nearly counts in full; pulled then, the room is what it was."""
    before = scores(state, DUE - 1_000)
    take(state, plan(StagedOffer("product-5", DUE)))
    assert scores(state, DUE - 1_000)["room-0"] > before["room-0"]
    take(state, plan(version=2, at=DUE - 1_000))
    assert scores(state, DUE - 1_000) == before


def test_delayed_by_half_an_hour_it_waits(state: engine.State) -> None:
    """A delay takes the gain away at once and gives it again before the new start."""
    take(state, plan(StagedOffer("product-5", DUE)))
    take(state, plan(StagedOffer("product-5", DUE + 30 * MINUTE), version=2))
    assert staging.due(state.staging, state.shelf, DUE - MINUTE) is None
    found = staging.due(state.staging, state.shelf, DUE + 29 * MINUTE)
    assert found is not None and len(found.rooms) == 1


def test_until_its_stated_end_it_counts_in_full_unless_the_room_says_so_itself(state: engine.State) -> None:
    """Begun and not yet over it counts 1; once the room's entry sells the product, or at the end, not at all."""
    take(state, plan(StagedOffer("product-5", DUE, DUE + 10 * MINUTE)))
    found = staging.due(state.staging, state.shelf, DUE + MINUTE)
    assert found is not None and found.kept.tolist() == [1.0]
    assert staging.due(state.staging, state.shelf, DUE + 10 * MINUTE) is None
    take(state, LiveRoom("room-0", "creator-0", category="kind-1", product="product-5"))
    assert staging.due(state.staging, state.shelf, DUE + MINUTE) is None


def test_the_best_of_several_counts_once(state: engine.State) -> None:
    """Two offers due together add the larger of both, not their sum."""
    at = DUE - MINUTE
    gains = []
    before = scores(state, at)["room-0"]
    for version, names in enumerate((("product-5",), ("product-7",), ("product-5", "product-7")), 1):
        take(state, plan(*(StagedOffer(name, DUE) for name in names), version=version))
        gains.append(scores(state, at)["room-0"] - before)
    assert gains[2] == max(gains[:2]) > min(gains[:2]) > 0.0


def test_the_price_in_the_room_is_what_counts(state: engine.State) -> None:
    """At half its list price an offer is worth half."""
    whole = state.goods.products["product-5"].price
    take(state, plan(StagedOffer("product-5", DUE), StagedOffer("product-5", DUE + 1, price=whole // 2)))
    found = staging.due(state.staging, state.shelf, DUE - MINUTE)
    assert found is not None
    assert found.yuan[1] == pytest.approx(found.yuan[0] / 2.0)


def test_what_cannot_be_sold_does_not_count(state: engine.State) -> None:
    """Out of stock, or not approved, an offer adds nothing; back in stock it does."""
    take(state, plan(StagedOffer("product-5", DUE)))
    entry = state.goods.products["product-5"]
    for changed in (
        msgspec.structs.replace(entry, stock=0),
        msgspec.structs.replace(entry, approved=False),
    ):
        take(state, changed)
        assert staging.due(state.staging, state.shelf, DUE - MINUTE) is None
    take(state, entry)
    assert staging.due(state.staging, state.shelf, DUE - MINUTE) is not None


def test_a_room_that_is_no_candidate_is_brought_by_its_plan(state: engine.State) -> None:
    """With no other source than the staged one a room due to sell is brought by it, a room without a plan is not."""
    shares = dict.fromkeys(msgspec.structs.asdict(QUIET.sources), 0.0) | {"staged": 0.5}
    take(state, msgspec.structs.replace(QUIET, sources=type(QUIET.sources)(**shares)))
    take(state, plan(StagedOffer("product-5", DUE)))
    decision = engine.decide(state, Request("r", "viewer-1", "live", at=DUE - MINUTE))
    assert {slot.item: slot.source for slot in decision.slots}["room-0"] == "staged"
    assert {slot.source for slot in decision.slots if slot.item != "room-0"} == {"guess_you_like"}


def test_who_opted_out_is_treated_by_scene_and_hour_alone(state: engine.State) -> None:
    """The gain of a viewer who opted out is that of one whom nobody knows."""
    take(state, plan(StagedOffer("product-5", DUE)), Personalised("viewer-1", START, on=False))
    assert scores(state, DUE - MINUTE, "viewer-1") == scores(state, DUE - MINUTE, "nobody")


def test_a_closed_rooms_plan_is_let_go_and_offers_past_their_end_with_it(state: engine.State) -> None:
    """After the next tick nothing stands in line; the plan of a room that is open stays to be read."""
    take(state, plan(StagedOffer("product-5", DUE)), plan(StagedOffer("product-6", DUE), room="room-1"))
    take(state, LiveRoom("room-1", "creator-1", ended_at=START + 10 * MINUTE), Tick(START + 10 * MINUTE))
    assert list(state.staging.plans) == ["room-0"] and len(state.staging.starts) == 1
    take(state, Tick(DUE))
    assert list(state.staging.plans) == ["room-0"] and not len(state.staging.starts)


BAD = {
    "an unknown room": (plan(room="room-9"), Unknown, "room"),
    "no live room": (plan(room="video-1"), Unknown, "room"),
    "an older version": (plan(version=3), Conflict, "version"),
    "an unknown product": (plan(StagedOffer("nothing", DUE)), Unknown, "offers[0].product"),
    "a video for a product": (plan(StagedOffer("video-1", DUE)), Unknown, "offers[0].product"),
    "an end at its start": (plan(StagedOffer("product-1", DUE, DUE)), Refused, "offers[0].ends_at"),
    "longer than a day": (plan(StagedOffer("product-1", DUE, DUE + DAY + 1)), Refused, "offers[0].ends_at"),
    "the same twice": (
        plan(StagedOffer("product-1", DUE), StagedOffer("product-1", DUE)),
        Refused,
        "offers[1]",
    ),
}


@pytest.mark.parametrize(("asked", "error", "named"), BAD.values(), ids=BAD)
def test_a_plan_that_cannot_be_is_refused(
    state: engine.State, asked: Staged, error: type[Refused], named: str
) -> None:
    """The field at fault is named, and nothing changed."""
    before = engine.encode(state)
    with pytest.raises(error) as refused:
        engine.check(state, asked)
    assert refused.value.field == named
    assert engine.encode(state) == before


def test_a_closed_room_cannot_be_planned(state: engine.State) -> None:
    """It is refused by the room."""
    take(state, LiveRoom("room-1", "creator-1", ended_at=START))
    with pytest.raises(Refused, match="is closed"):
        engine.check(state, plan(room="room-1"))


# ── How long viewers stay ───────────────────────────────────────────────────────────────────────────────────


def test_before_any_stay_a_viewer_stays_three_minutes_in_the_mean() -> None:
    """The chance to be there after w minutes is e^(−w/3), and beyond ten minutes that of ten."""
    rates = hazard(Staging())
    for minutes in (0.0, 0.5, 3.0, 10.0):
        assert still_there(rates, 1.0, int(minutes * MINUTE)) == pytest.approx(
            math.exp(-minutes / USUAL_STAY)
        )
    assert still_there(rates, 1.0, HOUR) == still_there(rates, 1.0, 10 * MINUTE)
    assert still_there(rates, 1.0, -5) == 1.0


def test_stays_teach_the_hazard_of_the_minutes_that_they_lived_through() -> None:
    """Sixty stays of 2.5 minutes: nobody left in minutes 0 and 1, all in minute 2, after half of it."""
    known = Staging()
    for _ in range(60):
        note_stay(known, 3, int(2.5 * MINUTE))
    rates = hazard(known)
    assert rates[:2].tolist() == pytest.approx([20.0 / 120.0] * 2)
    assert rates[2] == pytest.approx((LIVED / USUAL_STAY + 60.0) / (LIVED + 30.0))
    assert rates[3:].tolist() == pytest.approx([1.0 / USUAL_STAY] * 7)


def test_who_stays_longer_than_is_looked_ahead_left_no_minute() -> None:
    """A stay of an hour is ten minutes lived through, and no leaving."""
    known = Staging()
    note_stay(known, 0, HOUR)
    assert known.left.sum() == 0.0 and known.lived.tolist() == [1.0] * 10
    assert known.stays[0].tolist() == [0.0, pytest.approx(10.0 / USUAL_STAY)]


def test_a_room_that_is_left_sooner_keeps_fewer() -> None:
    """Of a room that 40 viewers left where 20 were expected to, f = (20 + 40)/(20 + 20); another's is 1."""
    known = Staging()
    known.stays[5] = 40.0, 20.0
    found = quickness(known, np.array([5, 6, 999], np.int32))
    assert found.tolist() == [(LEAVES + 40.0) / (LEAVES + 20.0), 1.0, 1.0]


def test_only_stays_in_live_rooms_are_learned_and_each_once(state: engine.State) -> None:
    """A video that was watched says nothing, an event told twice counts once."""
    decision = engine.decide(state, Request("r", "viewer-1", "live", at=START + 6 * MINUTE))
    take(state, decision)
    rooms = [slot.item for slot in decision.slots]
    assert "room-0" in rooms
    at = decision.at + 1_000
    take(state, Impression("i", at, decision.id, "room-0"))
    watched = Watched("w", at + MINUTE, decision.id, "room-0", 90_000)
    take(state, watched, watched)
    assert state.staging.left.tolist() == [0.0, 1.0, *[0.0] * 8]
    other = engine.decide(state, Request("s", "viewer-2", "video", at=at))
    take(state, other, Watched("x", at + MINUTE, other.id, other.slots[0].item, 90_000))
    assert state.staging.left.sum() == 1.0


def test_a_snapshot_holds_plans_and_stays(state: engine.State) -> None:
    """Encoded and decoded, the state decides as it did."""
    take(state, plan(StagedOffer("product-5", DUE)))
    note_stay(state.staging, 7, MINUTE)
    again = engine.decode(engine.encode(state))
    assert engine.encode(again) == engine.encode(state)
    assert scores(again, DUE - MINUTE) == scores(state, DUE - MINUTE)


def test_stock_that_an_order_takes_releases_the_room(state: engine.State) -> None:
    """The last unit sold a minute before, the offer counts no more."""
    take(state, Product("product-9", "merchant-1", 9 * YUAN, 1), plan(StagedOffer("product-9", DUE)))
    assert staging.due(state.staging, state.shelf, DUE - MINUTE) is not None
    take(state, Order("o", DUE - MINUTE, "viewer-2", "product-9", 9 * YUAN))
    assert staging.due(state.staging, state.shelf, DUE - MINUTE) is None
