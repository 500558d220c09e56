"""Laws of search: nothing below the floor whatever is bid, and an index that has forgotten its history."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import made

from fieldline import engine
from fieldline.facts import Policy, Product, Request, Tick
from fieldline.traffic.search.correct import Sounds
from fieldline.traffic.search.index import Index, Text, put, relevance, remove
from fieldline.traffic.search.search import search
from fieldline.units import DAY, YUAN

WORDS = ("红色", "连衣裙", "蕾丝", "外套", "cup", "candle", "holder", "red", "15", "羽绒服")
titles = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
queries = st.lists(
    st.sampled_from((*WORDS, "lyq", "candel", "连依裙", "nothing", "😀")), min_size=1, max_size=4
).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 8), titles | st.none()), max_size=40), query=queries)
def test_an_index_has_forgotten_its_history(steps: list[tuple[int, str | None]], query: str) -> None:
    """After any puts, changes and removals a query finds, bit for bit, what it finds in an index made anew."""
    index, sounds, held = Index(), Sounds(), dict[int, Text]()
    for item, title in steps:
        if title is None:
            remove(index, item)
            held.pop(item, None)
        else:
            held[item] = Text(title, ("red gifts",))
            put(index, item, held[item])
    anew = Index()
    for item in sorted(held):
        put(anew, item, held[item])
    old, new = search(index, sounds, query), search(anew, Sounds(), query)
    assert old.searched == new.searched
    assert sorted(zip(old.items.tolist(), old.relevance.tolist(), strict=True)) == sorted(
        zip(new.items.tolist(), new.relevance.tolist(), strict=True)
    )


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(titles, min_size=1, max_size=8), query=st.text(max_size=60) | queries)
def test_relevance_lies_between_nought_and_one(texts: list[str], query: str) -> None:
    """Every item that a query touches has a relevance in [0, 1), each item once."""
    index = Index()
    for item, title in enumerate(texts):
        put(index, item, Text(title))
    items, relevances = relevance(index, query)
    assert len(set(items.tolist())) == len(items)
    assert ((relevances >= 0.0) & (relevances < 1.0)).all()


@pytest.fixture(scope="module")
def market() -> engine.State:
    """Four shops with 40 products titled by rule, each shop with a campaign that outbids everything."""
    state = engine.init(msgspec.structs.replace(made.POLICY, ad_load=0.6, first_ad=0, ad_gap=0, ad_price=0.0))
    for entry in made.catalogue():
        engine.reduce(state, entry)
    engine.reduce(state, Tick(made.START))
    for n in range(40):
        title = " ".join(WORDS[(n * k + k) % len(WORDS)] for k in range(1, 4))
        engine.reduce(state, Product(f"p-{n}", f"merchant-{n % 4}", 50 * YUAN, 9, f"kind-{n % 5}", title))
    for n in range(4):
        terms = {
            "merchant": f"merchant-{n}",
            "budget": 900_000 * YUAN,
            "start": made.START,
            "end": made.START + DAY,
        }
        engine.reduce(state, made.wish(f"c-{n}", "max_delivery", f"merchant-{n}", terms))
    engine.reduce(state, Tick(made.START + 1))
    return state


@settings(max_examples=60, deadline=None)
@given(query=queries, floor=st.floats(0.0, 0.9), bid=st.floats(0.01, 1e6), number=st.integers(0, 10_000))
def test_no_place_of_a_search_is_below_the_floor(
    market: engine.State, query: str, floor: float, bid: float, number: int
) -> None:
    """Whatever is bid, each slot is as relevant as the floor asks; what finds nothing is shown without paid places."""
    market.policy = msgspec.structs.replace(market.policy, relevance_floor=floor)
    market.prices.alpha[: len(market.book)] = bid
    market.desk.index = None
    forced = ("video-0", "p-1", f"p-{number % 40}")
    request = Request(
        f"r-{number}", f"viewer-{number % 30}", "mall", made.START + 2, query=query, candidates=forced
    )
    decision = engine.decide(market, request)
    if decision.searched:
        assert len(decision.relevance) == len(decision.slots) > 0
        assert min(decision.relevance) >= np.float32(floor)
        items, relevances = relevance(market.desk.texts, decision.searched)
        told = dict(zip(items.tolist(), relevances.astype(np.float32).tolist(), strict=True))
        assert decision.relevance == tuple(
            told[market.shelf.names.find(slot.item)] for slot in decision.slots
        )
    else:
        assert decision.relevance == ()
        assert not decision.paid
        assert all(slot.contract is None for slot in decision.slots)


def test_the_law_above_is_tried_with_paid_places(market: engine.State) -> None:
    """At least one search of ten sells a place, and its paid item is above the floor."""
    market.policy = msgspec.structs.replace(market.policy, relevance_floor=Policy().relevance_floor)
    market.prices.alpha[: len(market.book)] = 1e3
    market.desk.index = None
    sold = [
        relevant
        for n in range(10)
        if (
            decision := engine.decide(
                market, Request(f"s-{n}", "viewer-1", "mall", made.START + 2, query="red cup")
            )
        )
        for slot, relevant in zip(decision.slots, decision.relevance, strict=True)
        if slot.contract
    ]
    assert sold
    assert min(sold) >= Policy().relevance_floor
