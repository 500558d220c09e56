"""Search in the engine: what is shown, what is said to have been searched, and the search-term report."""

from collections.abc import Iterator
from zlib import crc32

import msgspec
import pytest
from tests import made

from fieldline import engine
from fieldline.errors import Unknown
from fieldline.facts import (
    Click,
    Creator,
    Decision,
    Impression,
    Merchant,
    Order,
    Product,
    Request,
    Tick,
    Video,
    ViewerErased,
)
from fieldline.traffic.search import terms
from fieldline.traffic.search.report import search_report, term_report
from fieldline.traffic.search.terms import MOST, Row, Searches
from fieldline.units import DAY, YUAN

AT = made.START + 10_000
TODAY = (made.START + 8 * 3_600_000) // DAY


def shop(negative: tuple[str, ...] = ()) -> engine.State:
    """A shop with six products and a campaign that always bids, beside the made market."""
    policy = msgspec.structs.replace(made.POLICY, random_share=0.0, first_ad=0, ad_gap=0, ad_price=0.0)
    state = engine.init(policy)
    for entry in made.catalogue():
        engine.reduce(state, entry)
    engine.reduce(state, Tick(made.START))
    engine.reduce(state, Merchant("shop", "蓝月亮旗舰店"))
    for n, title in enumerate(
        ("白色连衣裙", "红色连衣裙 长款", "silk scarf", "red candle", "雨伞", "连衣裙 碎花")
    ):
        merchant = "shop" if n < 4 else "merchant-0"
        engine.reduce(state, Product(f"p-{n}", merchant, 50 * YUAN, 9, f"kind-{n}", title))
    unit = {"id": "u", "audience": {"negative_words": list(negative)}}
    campaign = {"merchant": "shop", "budget": 900 * YUAN, "start": made.START, "end": made.START + DAY,
                "holdout": 0.0, "units": [unit]}  # fmt: skip
    engine.reduce(state, made.wish("ads", "max_delivery", "shop", campaign))
    engine.reduce(state, Tick(made.START + 1))
    state.prices.alpha[: len(state.book)] = 50.0
    state.desk.index = None
    return state


def ask(state: engine.State, query: str, viewer: int = 1, scene: str = "mall") -> Decision:
    """What is shown for a query; each viewer and query has a request of its own."""
    id = f"r-{viewer}-{crc32(query.encode())}"
    return engine.decide(state, Request(id, f"viewer-{viewer}", scene, AT, query=query))


def titles(state: engine.State, decision: Decision) -> list[str]:
    """What the slots are called."""
    return [state.shelf.facts[state.shelf.names.find(slot.item)].title for slot in decision.slots]


def played(state: engine.State, query: str, viewer: int) -> Decision:
    """A search whose slots are all seen, whose first is clicked and ordered."""
    decision = ask(state, query, viewer)
    engine.reduce(state, decision)
    for fact in _deeds(decision):
        engine.reduce(state, fact)
    return decision


def _deeds(decision: Decision) -> Iterator[Impression | Click | Order]:
    for slot in decision.slots:
        yield Impression(f"{decision.id}/{slot.item}/i", AT, decision.id, slot.item)
    first = decision.slots[0].item
    yield Click(f"{decision.id}/c", AT + 1, decision.id, first)
    yield Order(f"{decision.id}/o", AT + 2, decision.viewer, first, 60 * YUAN)


def test_a_search_shows_what_is_relevant_and_says_what_was_searched() -> None:
    """A misspelt query shows the three dresses alone, found by search, and tells both texts."""
    state = shop()
    decision = ask(state, "連依裙")
    assert (decision.query, decision.searched) == ("连依裙", "连衣裙")
    assert sorted(titles(state, decision)) == ["白色连衣裙", "红色连衣裙 长款", "连衣裙 碎花"]
    assert {slot.source for slot in decision.slots} == {"search"}


@pytest.mark.parametrize("query", ["😀🎉", "!!! ……", "qqqqqqqq", "连" * 10_000])
def test_what_finds_nothing_shows_the_scene_without_paid_places(query: str) -> None:
    """Nonsense of any length shows a full slate, sells nothing, and says that nothing was found."""
    state = shop()
    decision = ask(state, query)
    assert len(decision.slots) == len(state.scenes.curves[state.scenes.numbers["mall"]].looks)
    assert (decision.searched, decision.relevance) == ("", ())
    assert not any(slot.contract for slot in decision.slots)
    assert len(decision.query) <= 100


def test_spaces_are_no_query() -> None:
    """A query of spaces and of what cannot be seen is answered, paid places and all, as if there were none."""
    state = shop()
    for query in ("   ", "\u200b\n"):
        asked = engine.decide(state, Request("r", "viewer-1", "mall", AT, query=query))
        assert asked == engine.decide(state, Request("r", "viewer-1", "mall", AT))
        assert asked.paid


def test_an_empty_catalogue_answers_a_query() -> None:
    """With no item at all a search is an empty slate and no error."""
    state = engine.init(made.POLICY)
    engine.reduce(state, Tick(made.START))
    assert ask(state, "连衣裙").slots == ()


def test_a_change_of_the_catalogue_counts_from_the_next_request_on() -> None:
    """A new title, brand, shop's name, creator's name or a hidden item is found, or not, by the very next request."""
    state = shop()
    state.policy = msgspec.structs.replace(state.policy, relevance_floor=0.05)
    assert ask(state, "羊毛围巾").searched == ""
    engine.reduce(state, Product("p-9", "shop", 50 * YUAN, 9, "kind-9", "羊毛围巾"))
    assert titles(state, ask(state, "羊毛围巾")) == ["羊毛围巾"]
    engine.reduce(state, Product("p-9", "shop", 50 * YUAN, 9, "kind-9", "羊毛围巾", approved=False))
    assert ask(state, "羊毛围巾").searched == ""
    engine.reduce(state, Merchant("shop", "Moonlight"))
    assert "白色连衣裙" in titles(state, ask(state, "moonlight"))
    engine.reduce(state, Video("video-1", "creator-1", "kind-1", "开箱", traits=("brand=Acme",)))
    assert titles(state, ask(state, "acme", scene="video")) == ["开箱"]
    engine.reduce(state, Creator("creator-1", "李小厨"))
    assert "开箱" in titles(state, ask(state, "李小厨", scene="video"))


def test_a_state_read_from_a_snapshot_searches_alike() -> None:
    """After encoding and decoding, the same query gives the same decision, bit for bit."""
    state = shop()
    again = engine.decode(engine.encode(state))
    for query in ("连衣裙", "candel", "lyq", "蓝月亮"):
        assert ask(state, query) == ask(again, query)


@pytest.mark.parametrize(
    ("negative", "sold"),
    [((), True), (("连衣裙 scarf",), True), (("scarf", "連衣裙"), False), (("衣裙", "scarf"), False)],
)
def test_a_campaign_does_not_bid_on_its_negative_words(negative: tuple[str, ...], sold: bool) -> None:
    """It pays for a dress, typed well or badly, unless all words of a negative stand in what is searched."""
    state = shop(negative)
    for query in ("连衣裙", "连依裙"):
        assert any(slot.contract for slot in ask(state, query).slots) == sold


def test_the_report_tells_what_three_viewers_typed_and_sums_the_rest() -> None:
    """Rows add up to what was shown, charged, clicked and ordered; a query of two viewers stands under other."""
    state = shop()
    searches = [played(state, "连衣裙", viewer) for viewer in (1, 2, 3)]
    rare = [played(state, "silk scarf", viewer) for viewer in (1, 2)]
    report = term_report(state, "ads", TODAY, TODAY)
    assert [row.query for row in report.rows] == ["连衣裙"]
    (row,) = report.rows
    sold = [slot for decision in searches for slot in decision.slots if slot.contract]
    assert row.requests == len({d.id for d in searches if any(slot.contract for slot in d.slots)}) > 0
    assert (row.impressions, row.spend) == (len(sold), sum(slot.charge for slot in sold))
    paid_first = sum(decision.slots[0].contract is not None for decision in searches)
    assert row.clicks == paid_first
    assert row.relevance is not None
    assert row.relevance >= state.policy.relevance_floor
    everything = [slot for decision in (*searches, *rare) for slot in decision.slots if slot.contract]
    assert report.total.impressions == len(everything)
    assert report.total.spend == sum(slot.charge for slot in everything)
    assert report.other.impressions == report.total.impressions - row.impressions
    assert report.total.orders + report.total.organic_orders == 5
    assert report.total.gmv + report.total.organic_gmv == 60 * YUAN * (
        report.total.orders + report.total.organic_orders
    )
    played(state, "silk scarf", 3)
    assert {row.query for row in term_report(state, "ads", TODAY, TODAY).rows} == {"连衣裙", "silk scarf"}
    with pytest.raises(Unknown):
        term_report(state, "nobody's", TODAY, TODAY)


def test_searches_that_found_nothing_are_counted() -> None:
    """Three viewers' zero-hit query is told with its count, before one that found something."""
    state = shop()
    for viewer in (1, 2, 3):
        played(state, "连衣裙", viewer)
        engine.reduce(state, ask(state, "qqqqqq", viewer))
    report = search_report(state, TODAY, TODAY)
    assert [(row.query, row.requests, row.nothing) for row in report.rows] == [
        ("qqqqqq", 3, 3),
        ("连衣裙", 3, 0),
    ]


def test_an_erased_viewer_s_queries_are_gone() -> None:
    """What an erased viewer alone typed stands nowhere in the state; figures stay, under nobody's query."""
    state = shop()
    played(state, "silk scarf", 7)
    before = term_report(state, "ads", TODAY, TODAY).total
    assert "silk scarf" in repr(state.searches)
    engine.reduce(state, ViewerErased("viewer-7", AT + 5))
    assert "silk scarf" not in repr(state.searches)
    assert "silk scarf" not in repr(state.outcomes)
    assert term_report(state, "ads", TODAY, TODAY).total == before


def test_a_day_with_too_many_queries_folds_the_rare_ones() -> None:
    """However many queries come, a day keeps at most MOST rows, the most frequent among them, and every count."""
    searches = Searches()
    for n in range(3 * MOST):
        terms.ask(searches, 1, f"query {n}", n % 50, found=False)
        terms.ask(searches, 1, "often", n % 50, found=True)
        terms.paid_row(searches, 1, 0, f"query {n}").requests += 1
        terms.paid_row(searches, 1, 0, "often").requests += 1
    day = searches.days[1]
    assert len(day.asked) <= MOST + 1
    assert len(day.paid) <= MOST + 1
    assert (day.asked["often"].requests, day.paid[0, "often"].requests) == (3 * MOST, 3 * MOST)
    assert sum(row.requests for row in day.asked.values()) == 6 * MOST
    assert terms.summed(day.paid.values()) == Row(requests=6 * MOST)
    assert len(searches.typists) <= MOST + 1


def test_days_long_past_are_dropped() -> None:
    """Thirty-one days later nothing of a day is left, nor who typed what on it."""
    searches = Searches()
    for viewer in range(4):
        terms.ask(searches, 1, "common", viewer, found=True)
    terms.ask(searches, 1, "rare", 1, found=True)
    terms.forget(searches, 31)
    assert searches.days
    terms.forget(searches, 32)
    assert searches == Searches()
