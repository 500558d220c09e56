"""Frequency by hand: what is counted, given back and forgotten, and how a slate that would pass a cap is made anew."""

from hashlib import blake2b

import msgspec
import pytest
from tests.made import POLICY, START, play, wish

from fieldline import engine
from fieldline.contracts.book import Book
from fieldline.contracts.horizon import day_of
from fieldline.facts import (
    AnyFact,
    Creator,
    Decision,
    Frequency,
    Impression,
    Merchant,
    Mix,
    Product,
    Request,
    Tick,
    Video,
    Viewer,
    ViewerErased,
    decode,
    encode,
)
from fieldline.traffic.frequency import MOST, Given, counted, forget, give_back, take
from fieldline.units import DAY, HOUR, MINUTE, YUAN

DAY_0 = day_of(START)
CAPPED = msgspec.structs.replace(
    POLICY,
    frequency=Frequency(2, 4, 1),
    mixes=(Mix("video", "private", 0.3), Mix("mall", "circle", 0.2, True)),
)


def shop(frequency: Frequency, random_share: float = 0.0, budget: int = 0) -> engine.State:
    """Three products of one merchant and two of another, each shown by its card and a video in the mall."""
    state = engine.init(
        msgspec.structs.replace(
            POLICY, frequency=frequency, random_share=random_share, merchant_cap=10, category_cap=10,
            ad_load=0.5, ad_gap=0,
        )
    )  # fmt: skip
    facts: list[AnyFact] = [Tick(START), Creator("c"), Merchant("m"), Merchant("n"), Viewer("v"), Viewer("w")]
    facts += [Product(f"p{i}", "mmmnn"[i], 10 * YUAN, 100) for i in range(5)]
    facts += [Video(f"film{i}", "c", scenes=("mall",), product=f"p{i}") for i in range(5)]
    if budget:
        terms = {"merchant": "m", "budget": budget, "goal": 0.01, "start": START, "end": START + DAY, "holdout": 0.0,
                 "value_per_long_view": 1.0}  # fmt: skip
        facts.append(wish("ad", "storewide", "m", terms))
    for fact in (*facts, Tick(START + 1)):
        engine.reduce(state, fact)
    return state


def ask(state: engine.State, id: str, viewer: str = "v", at: int = START + MINUTE) -> Decision:
    decision = engine.decide(state, Request(id, viewer, "mall", at=at))
    engine.reduce(state, decision)
    return decision


def products(state: engine.State, decision: Decision) -> list[int]:
    """How often each of the five products is in a slate."""
    of = [state.shelf.product.item(state.shelf.names.find(slot.item)) for slot in decision.slots]
    return [of.count(state.shelf.names.find(f"p{i}")) for i in range(5)]


def test_a_slate_itself_keeps_the_cap() -> None:
    """Without a cap all ten items are shown, with a product cap of one each product once, in one scene and at once."""
    free, capped = shop(Frequency()), shop(Frequency(product=1))
    assert products(free, ask(free, "r")) == [2, 2, 2, 2, 2]
    assert products(capped, ask(capped, "r")) == [1, 1, 1, 1, 1]


def test_a_merchant_is_shown_no_more_than_its_cap() -> None:
    """Three places of each merchant, of the six and four that there are, and then none."""
    state = shop(Frequency(merchant=3))
    counts = products(state, ask(state, "r1"))
    assert (sum(counts[:3]), sum(counts[3:])) == (3, 3)
    assert ask(state, "r2").slots == ()
    assert len(ask(state, "other", "w").slots) == 6


def test_places_that_nobody_rendered_are_given_back() -> None:
    """An open slate keeps a second one empty; closed, what was not rendered may be shown again."""
    state = shop(Frequency(product=1))
    first = ask(state, "r1")
    engine.reduce(state, Impression("i", START + MINUTE, "r1", first.slots[0].item))
    assert ask(state, "r2").slots == ()
    engine.reduce(state, Tick(START + 20 * MINUTE))
    counts = products(state, ask(state, "r3", at=START + 20 * MINUTE))
    assert sorted(counts) == [0, 1, 1, 1, 1]


def test_a_new_day_begins_with_nothing() -> None:
    """After midnight in UTC+8 everything may be shown again, and the tick forgets the day before."""
    state = shop(Frequency(product=1))
    ask(state, "r1", at=START + 14 * HOUR)
    assert ask(state, "r2", at=START + 14 * HOUR).slots == ()
    assert len(ask(state, "r3", at=START + 15 * HOUR).slots) == 5
    engine.reduce(state, Tick(START + 2 * DAY))
    assert not state.given.of


def test_a_campaign_pays_no_more_than_its_cap() -> None:
    """With money for every slot the campaign has more places without a cap, and with a cap of one exactly one."""
    free, capped = shop(Frequency(), budget=9 * YUAN), shop(Frequency(campaign=1), budget=9 * YUAN)
    paid = [
        [sum(slot.contract is not None for slot in ask(state, f"r{n}").slots) for n in range(3)]
        for state in (free, capped)
    ]
    assert paid[0][0] > 1
    assert paid[1] == [1, 0, 0]
    assert len(ask(capped, "organic").slots) == 10  # its items are still shown, for free


def test_a_drawn_slate_keeps_the_cap() -> None:
    """Randomised slates hold each product once, and their chance is that of the draw among five."""
    state = shop(Frequency(product=1), random_share=1.0)
    decision = ask(state, "r")
    assert decision.randomised and products(state, decision) == [1, 1, 1, 1, 1]
    assert 1.0 / 120.0 / 4.0 < decision.propensity < 1.0


def test_what_is_forced_is_capped_too() -> None:
    """A product that a request names is not shown again beyond its cap."""
    state = shop(Frequency(product=1))
    ask(state, "r1")
    decision = engine.decide(state, Request("r2", "v", "mall", at=START + MINUTE, candidates=("p0",)))
    assert decision.slots == ()


def test_nobody_in_particular_is_not_counted() -> None:
    """A viewer whom nobody entered meets no cap."""
    state = shop(Frequency(product=1))
    assert [len(ask(state, f"r{n}", "stranger").slots) for n in range(2)] == [10, 10]
    assert not state.given.of


def test_an_erased_viewer_leaves_no_count() -> None:
    """Erased with a slate open, nothing of it is left, and closing it changes nothing."""
    state = shop(Frequency(product=1))
    ask(state, "r1")
    engine.reduce(state, ViewerErased("v", START + MINUTE))
    assert not state.given.of
    engine.reduce(state, Tick(START + HOUR))
    assert not state.given.of


def test_a_place_is_given_back_on_its_own_day_only() -> None:
    """Of yesterday's slate nothing is taken from today's counts, nor of a place that was not taken."""
    given = Given()
    take(given, 0, DAY_0, [(1, 2, 3), (1, 2, -1)])
    give_back(given, 0, DAY_0 - 1, (1, 2, 3))
    give_back(given, 0, DAY_0, (9, 9, 9))
    assert given.of[0].rows[: given.of[0].count].tolist() == [[1, 2, 3], [1, 2, -1]]
    give_back(given, 0, DAY_0, (1, 2, 3))
    assert given.of[0].rows[: given.of[0].count].tolist() == [[1, 2, -1]]
    forget(given, DAY_0 + 1)
    assert not given.of


def test_a_day_that_is_full_shows_nothing_counted() -> None:
    """After the most places that are counted the viewer is full, and only what no cap counts competes."""
    state = shop(Frequency(product=1_000))
    engine.reduce(state, Video("plain", "c", scenes=("mall",)))
    viewer = state.people.names.find("v")
    take(state.given, viewer, DAY_0, [(7, 7, -1)] * (MOST + 5))
    assert state.given.of[viewer].count == MOST
    met = counted(state.given, state.policy.frequency, Book(), viewer, DAY_0)
    assert met is not None and met.full
    assert [slot.item for slot in ask(state, "r").slots] == ["plain"]


def test_what_no_cap_counts_takes_no_room() -> None:
    """A place without product, seller or payer is not kept."""
    given = Given()
    take(given, 0, DAY_0, [(-1, -1, -1)])
    assert given.of[0].count == 0


@pytest.mark.parametrize("cut", [500, 700])
def test_caps_and_mixes_are_in_the_snapshot(cut: int) -> None:
    """Played under caps and mixes, a snapshot and the tail of the log make the same state, byte for byte."""
    state, facts = play(200, CAPPED)
    assert state.given.of and state.mixes.of
    half = engine.State(policy=CAPPED)
    for number, fact in enumerate(facts):
        if number == cut:
            half = engine.decode(engine.encode(half))
        engine.reduce(half, decode(encode(fact)))
    assert blake2b(engine.encode(half)).digest() == blake2b(engine.encode(state)).digest()


def test_what_is_searched_for_is_not_kept_back() -> None:
    """A product that was shown as often as its cap admits is found by its name, and shown nowhere else."""
    state = shop(Frequency(product=1))
    for fact in (Product("pot", "m", 10 * YUAN, 100, title="celadon teapot"), Tick(START + 2)):
        engine.reduce(state, fact)
    first = engine.decide(state, Request("r1", "v", "mall", START + MINUTE, candidates=("pot",)))
    engine.reduce(state, first)
    assert "pot" in [slot.item for slot in first.slots]
    later = START + 2 * MINUTE
    searched = engine.decide(state, Request("r2", "v", "mall", later, query="celadon teapot"))
    assert "pot" in [slot.item for slot in searched.slots]
    unasked = engine.decide(state, Request("r3", "v", "mall", later, candidates=("pot",)))
    assert "pot" not in [slot.item for slot in unasked.slots]
