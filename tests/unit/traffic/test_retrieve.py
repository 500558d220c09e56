"""Retrieval inside the engine: what comes, goes, trends and is owed looks, from the next request on."""

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.made import POLICY, START, catalogue, wish

from fieldline import engine
from fieldline.errors import Refused
from fieldline.facts import (
    AnyFact,
    Decision,
    Impression,
    IntentCorrected,
    Order,
    Outcome,
    Place,
    Request,
    Sources,
    Tick,
    Video,
    Viewer,
    WishEnded,
)
from fieldline.traffic.kernels.scan import MARKS
from fieldline.traffic.retrieve import (
    Ask,
    Partition,
    Partitions,
    Scratch,
    enter,
    index,
    keys_of,
    leave,
    rank,
    refresh,
    retrieve,
    source_of,
)
from fieldline.traffic.retrieve import partitions as partitions_
from fieldline.traffic.retrieve.pool import Pool, available, build, lists_of, nearest
from fieldline.traffic.retrieve.ranked import HALF_LIFE
from fieldline.traffic.rows import BIAS, DIMENSIONS, FLAGS, LONG_VIEW, SCENES, SHOWN, VIEWER_WIDTH, new_rows
from fieldline.units import DAY, HOUR, MINUTE, YUAN

NONE = np.zeros(0, np.int32)
QUIET = msgspec.structs.replace(POLICY, random_share=0.0)
VECTOR = slice(LONG_VIEW * DIMENSIONS, (LONG_VIEW + 1) * DIMENSIONS)


def take(state: engine.State, *facts: AnyFact) -> engine.State:
    for fact in facts:
        engine.reduce(state, fact)
    return state


@pytest.fixture
def state() -> engine.State:
    """The made market's catalogue at its first tick."""
    return take(engine.init(QUIET), Tick(START), *catalogue())


def ask(state: engine.State, id: str = "r", viewer: str = "viewer-1", **more: object) -> Decision:
    request = Request(id, viewer, "video", at=state.now)
    return engine.decide(state, msgspec.structs.replace(request, **more))


def brought_by(state: engine.State, item: str, limit: int) -> str | None:
    """Which source brought an item as a candidate of a request for whatever is best; None: it is none."""
    ask(state, candidate_limit=limit)
    number, scratch = state.shelf.names.find(item), state.desk.scratch
    here = number >= 0 and scratch.stamp[number] >= scratch.epoch * MARKS
    return source_of(scratch, number) if here else None


def test_a_new_work_is_a_candidate_of_the_next_request(state: engine.State) -> None:
    """Among 34 candidates of sixty items, one of which may be fresh, is the video just entered."""
    assert brought_by(state, "new", 34) is None
    take(state, Video("new", "creator-5", category="kind-0", uploaded_at=START))
    assert state.partitions.fresh[state.scenes.numbers["video"]][0] == state.shelf.names.find("new")
    assert brought_by(state, "new", 34) == "fresh"


@pytest.mark.parametrize("why", ["unapproved", "sold out", "moved"])
def test_what_may_not_be_shown_is_gone_from_the_next_request(state: engine.State, why: str) -> None:
    """Named by the request or not, a video is in no slate once it failed review, sold out or left the scene."""
    before = ask(state, candidates=("video-1",))
    assert before.candidates == 60
    match why:
        case "unapproved":
            take(state, Video("video-1", "creator-1", category="kind-1", approved=False))
            gone = 1
        case "moved":
            take(state, Video("video-1", "creator-1", category="kind-1", scenes=("follow",)))
            gone = 1
        case _:
            take(state, Order("o", START, "viewer-2", "product-1", YUAN, quantity=1_000))
            gone = 8
    after = ask(state, candidates=("video-1",))
    assert after.candidates == 60 - gone
    assert "video-1" not in [slot.item for slot in after.slots]


def test_a_contract_promotes_from_the_next_request_to_its_end(state: engine.State) -> None:
    """What a floor owes looks to is guaranteed from the request after the wish, and from that after its end no more."""
    silent = dict.fromkeys(Sources.__struct_fields__, 0.0) | {"guaranteed": 0.5, "promoted": 0.5}
    take(state, msgspec.structs.replace(QUIET, sources=Sources(**silent)))
    terms: dict[str, object] = {
        "creator": "creator-0", "items": ["video-0"], "looks": 40.0, "start": START, "end": START + HOUR,
    }  # fmt: skip
    scene = state.scenes.numbers["video"]
    assert {slot.source for slot in ask(state).slots} == {"guess_you_like"}
    take(state, wish("newcomer", "cold_start", "creator-0", terms))
    ask(state)
    assert state.desk.guaranteed[scene].items.tolist() == [state.shelf.names.find("video-0")]
    assert scene in state.desk.promoted
    take(state, WishEnded("newcomer", START + MINUTE))
    assert {slot.source for slot in ask(state).slots} == {"guess_you_like"}
    assert not state.desk.guaranteed
    assert not state.desk.promoted


def test_every_shown_item_says_how_it_came(state: engine.State) -> None:
    """A request's own item is `asked`, a followed creator's `followed`, and every slot names a source."""
    decision = ask(state, candidates=("video-3",))
    by_item = {slot.item: slot.source for slot in decision.slots}
    assert by_item.get("video-3", "asked") == "asked"
    assert set(by_item.values()) <= {"asked", "search", *Sources.__struct_fields__, "guess_you_like", "again"}
    follows = [item for item, source in by_item.items() if source == "followed"]
    assert all(int(item.split("-")[1]) % 6 == 1 for item in follows)


def test_an_empty_catalogue_gives_an_empty_slate() -> None:
    """With no items at all a request is answered, with nothing."""
    state = take(engine.init(QUIET), Tick(START), Viewer("v"))
    for scene in ("video", "mall", "search", "local"):
        decision = engine.decide(
            state, Request("r", "v", scene, at=START, category="kind-1", place=Place(0, 0))
        )
        assert decision.slots == ()
        take(state, decision)


def test_a_viewer_never_seen_is_shown_what_anyone_would_be(state: engine.State) -> None:
    """Two strangers get the same slate; what they are shown is paid for and counted, and teaches of no viewer."""
    take(state, Outcome("o", START, "viewer-1", "video-7", "video", True, True))
    terms: dict[str, object] = {
        "merchant": "merchant-1", "budget": 50 * YUAN, "goal": 0.05, "start": START, "end": START + DAY,
        "value_per_long_view": 1.0,
    }  # fmt: skip
    take(state, Tick(START + MINUTE))
    one, other = ask(state, viewer="stranger"), ask(state, viewer="another")
    assert len(one.slots) == 6
    assert msgspec.structs.replace(one, viewer="another") == other
    take(state, wish("shop", "storewide", "merchant-1", terms), Tick(START + 2 * MINUTE))
    one = ask(state, viewer="stranger")
    take(state, one)
    for slot in one.slots:
        event = Impression(f"i-{slot.item}", state.now, "r", slot.item)
        engine.check(state, event)
        take(state, event)
    assert state.book.spent[0] == sum(slot.charge for slot in one.slots)
    counts = state.people.counts.copy()
    looks = state.shelf.counts[:, 0].sum()
    take(state, Tick(START + HOUR))
    assert np.array_equal(state.people.counts, counts)
    assert state.shelf.counts[:, 0].sum() > looks
    with pytest.raises(Refused, match="viewer"):
        engine.check(state, Order("x", state.now, "stranger", "product-1", YUAN))


def test_shares_that_sum_to_more_than_one_are_refused() -> None:
    """A policy whose sources may give more than all candidates is none."""
    with pytest.raises(ValueError, match=r"sum to 1\.1"):
        Sources(**dict.fromkeys(Sources.__struct_fields__, 0.0) | {"near": 0.6, "channel": 0.5})


def test_heat_halves_and_the_hottest_trend() -> None:
    """Ten long views weigh five after a half-life: seven newer ones trend above them, and few looks are fresh."""
    partitions, rows = Partitions(), new_rows(4)
    for item in range(4):
        enter(partitions, item, keys_of((0,), "c", None), (False,), rows[item])
    counts = np.zeros((4, 3), np.float32)
    uploaded = np.array([5, 9, 7, 7])
    counts[1] = (200.0, 0.0, 10.0)
    rank(partitions, counts, uploaded, 0)
    assert partitions.trending[0].tolist() == [1]
    assert partitions.fresh[0].tolist() == [3, 2, 0]
    counts[2] = (99.0, 50.0, 7.0)
    rank(partitions, counts, uploaded, HALF_LIFE)
    assert partitions.heat[:4, 1].tolist() == [0.0, 5.0, 7.0, 0.0]
    assert partitions.trending[0].tolist() == [2, 1]
    assert partitions.fresh[0].tolist() == [3, 2, 0]


def test_lists_are_part_of_the_state(state: engine.State) -> None:
    """A state that was saved and read again lists the same trending and fresh items and decides the same."""
    take(state, *(Outcome(f"o{n}", START, "viewer-1", f"video-{n}", "video", True, True) for n in range(9)))
    take(state, Tick(START + MINUTE))
    again = engine.decode(engine.encode(state))
    scene = state.scenes.numbers["video"]
    assert len(state.partitions.trending[scene]) >= 9
    assert np.array_equal(again.partitions.trending[scene], state.partitions.trending[scene])
    assert np.array_equal(again.partitions.fresh[scene], state.partitions.fresh[scene])
    assert ask(again, candidate_limit=20) == ask(state, candidate_limit=20)


class Indexed:
    """Four thousand items of one scene with an index beside their partition."""

    def __init__(self) -> None:
        draw = np.random.default_rng(3)
        count = 4_000
        centres = draw.normal(size=(50, DIMENSIONS))
        self.rows = new_rows(count + 1)
        self.rows[:, VECTOR] = centres[draw.integers(0, 50, count + 1)] + 0.3 * draw.normal(
            size=(count + 1, 8)
        )
        self.rows[:, BIAS + LONG_VIEW] = 0.3 * draw.normal(size=count + 1)
        self.rows.view(np.int32)[:, FLAGS], self.rows.view(np.int32)[:, SCENES] = SHOWN, 1
        self.partitions = Partitions()
        for item in range(count):
            self.enter(item)
        self.partitions.fresh.clear()
        self.exact = self.partitions.by_key["scene", 0]
        self.partitions.pools.by_key["scene", 0] = self.pool = indexed(self.exact)
        self.side = np.zeros(VIEWER_WIDTH, np.float32)
        self.side[VECTOR] = centres[7]

    def enter(self, item: int) -> None:
        enter(self.partitions, item, keys_of((0,), "c", None), (False,), self.rows[item])
        self.partitions.fresh.clear()

    def found(self, limit: int = 10) -> list[int]:
        asked = Ask(self.partitions, self.rows, self.side, 0, limit)
        return [int(item) for item in retrieve(asked, Scratch(), Sources(), NONE, NONE)]

    def best(self, limit: int = 10) -> list[int]:
        scores = self.rows[:, VECTOR] @ self.side[VECTOR] + self.rows[:, BIAS + LONG_VIEW]
        return [int(item) for item in np.argsort(-scores, kind="stable")[:limit]]


def indexed(partition: Partition) -> Pool:
    count = partition.count
    return build(partition.items[:count].copy(), partition.vectors[:, :count], partition.biases[:count])


@pytest.fixture(scope="module")
def large() -> Indexed:
    if not available():
        pytest.skip("the extra `vectors` (faiss-cpu) is not installed")
    return Indexed()


def test_an_index_finds_nearly_the_best(large: Indexed) -> None:
    """Of the ten best of four thousand clustered items at least nine are found, the same ones each time."""
    found = large.found()
    assert len(set(found) & set(large.best())) >= 9
    again = nearest(indexed(large.exact), large.side[VECTOR], 200)
    assert np.array_equal(nearest(large.pool, large.side[VECTOR], 200), again)


def test_what_comes_and_goes_after_the_index_was_built(large: Indexed) -> None:
    """The best item leaves, comes back, may not be shown, and a better one comes: each from the next request on."""
    best, new = large.found()[0], 4_000
    place = large.best(1)[0]
    assert place in large.found()
    leave(large.partitions, place)
    assert place not in large.found()
    large.enter(place)
    assert place in large.found()
    flags = large.rows.view(np.int32)
    flags[place, FLAGS] = 0
    assert place not in large.found()
    flags[place, FLAGS] = SHOWN
    assert new not in large.found()
    large.rows[new, BIAS + LONG_VIEW] = 1_000.0
    large.enter(new)
    assert new in large.found(1)
    leave(large.partitions, new)
    assert new not in large.found()
    assert best >= 0
    assert large.pool.left == 1


def test_an_index_is_built_anew_when_enough_has_changed(
    large: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index stands until 5% of the items came or left or the vectors moved by 5% of their spread; a small
    partition has none."""
    monkeypatch.setattr(partitions_, "POOLED", 1_000)
    market = Indexed()
    pools, rows = market.partitions.pools.by_key, market.rows
    del pools["scene", 0]
    index(market.partitions)
    first = pools["scene", 0]
    assert first.size == 4_000
    rows[:, VECTOR] *= 1.01
    refresh(market.partitions, rows)
    for item in range(200):
        leave(market.partitions, item)
    index(market.partitions)
    assert pools["scene", 0] is first
    leave(market.partitions, 200)
    index(market.partitions)
    second = pools["scene", 0]
    assert (second.size, second.left, len(second.tail)) == (3_799, 0, 0)
    rows[:, VECTOR] *= -1.0
    refresh(market.partitions, rows)
    index(market.partitions)
    assert pools["scene", 0] is not second
    for item in range(201, 3_000):
        leave(market.partitions, item)
    index(market.partitions)
    assert not pools


def test_lists_grow_with_the_square_root() -> None:
    """4·√n lists as a power of two: 1,024 for a hundred thousand items, 4,096 for a million."""
    assert [lists_of(count) for count in (100_000, 1_000_000)] == [1_024, 4_096]


DATA = Path(__file__).parents[4] / "shared" / "data" / "foursquare_checkins"


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/foursquare_checkins is absent")
def test_near_me_knows_the_next_place_better_than_trends() -> None:
    """Among 200 of 3,800 venues the next check-in's is more often near the last one than trending."""
    from bench.nearby import measure

    share = measure(DATA, most=200, learned=800, asked=100)
    assert share["near"] > share["trending"]


def test_what_a_viewer_does_not_want_is_left_out_unless_asked_for(state: engine.State) -> None:
    """After “not interested” in a category none of it is shown, but to a request that names it or the item."""
    kind = state.shelf.facts[state.shelf.names.find("video-1")].category
    assert kind in {
        state.shelf.facts[state.shelf.names.find(slot.item)].category for slot in ask(state).slots
    }
    take(state, IntentCorrected("viewer-1", START, kind, None))
    shown = [state.shelf.facts[state.shelf.names.find(slot.item)].category for slot in ask(state).slots]
    assert shown and kind not in shown
    assert ask(state, category=kind).candidates == 60
    assert ask(state, candidates=("video-1",)).candidates == ask(state).candidates + 1


def test_a_viewers_surest_category_is_a_source(state: engine.State) -> None:
    """With no other source but the rest, a stated intent brings its category's best as far as its share goes."""
    silent = dict.fromkeys(Sources.__struct_fields__, 0.0) | {"intent": 0.25}
    policy = msgspec.structs.replace(QUIET, sources=Sources(**silent), category_cap=10)
    take(state, policy, IntentCorrected("viewer-1", START, "kind-2", "ready"))
    request = Request("r", "viewer-1", "video", at=state.now)
    scratch = state.desk.scratch
    engine.decide(state, msgspec.structs.replace(request, candidate_limit=20))
    brought = Counter(
        source_of(scratch, int(item)) for item in np.flatnonzero(scratch.stamp >= scratch.epoch * MARKS)
    )
    assert brought["intent"] == 5
    assert brought["guess_you_like"] >= 15
