"""Retrieval gives exactly what a plain sort would."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.facts import Place, Sources
from fieldline.traffic.gates import point_of
from fieldline.traffic.retrieve import (
    SOURCES,
    Ask,
    Circle,
    Partitions,
    Scratch,
    enter,
    gathered,
    keys_of,
    leave,
    rank,
    refresh,
    retrieve,
    source_of,
)
from fieldline.traffic.rows import (
    BIAS,
    DIMENSIONS,
    FLAGS,
    LONG_VIEW,
    SCENES,
    SHOWN,
    VIEWER_WIDTH,
    new_rows,
)

NONE = np.zeros(0, np.int32)
VECTOR = slice(LONG_VIEW * DIMENSIONS, (LONG_VIEW + 1) * DIMENSIONS)


def market(seed: int, count: int) -> tuple[Partitions, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    rows = new_rows(count)
    rows[:, : BIAS + 3] = draw.normal(size=(count, BIAS + 3)).round(1)
    rows.view(np.int32)[:, FLAGS], rows.view(np.int32)[:, SCENES] = SHOWN, 1
    partitions = Partitions()
    for item in range(count):
        enter(partitions, item, keys_of((0,), f"c{item % 3}", None), (False,), rows[item])
    return partitions, rows, draw.normal(size=VIEWER_WIDTH).astype(np.float32)


def ask(
    market: tuple[Partitions, np.ndarray, np.ndarray],
    limit: int,
    forced: np.ndarray = NONE,
    seen: np.ndarray = NONE,
) -> list[int]:
    partitions, rows, viewer = market
    scratch = Scratch(out=np.zeros(1, np.int32))  # the least room
    found = retrieve(Ask(partitions, rows, viewer, 0, limit), scratch, Sources(), forced, seen)
    return [int(item) for item in found]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 300), st.integers(1, 320))
def test_a_scan_returns_the_best_of_its_partition(seed: int, count: int, limit: int) -> None:
    """The candidates of one scene are its items with the highest scores, each once."""
    partitions, rows, viewer = market(seed, count)
    partitions.fresh.clear()
    found = ask((partitions, rows, viewer), limit)
    assert len(found) == len(set(found)) == min(count, limit)
    lowest = min(rows[i, VECTOR] @ viewer[VECTOR] + rows[i, BIAS + LONG_VIEW] for i in found)
    left = set(range(count)) - set(found)
    assert all(rows[i, VECTOR] @ viewer[VECTOR] + rows[i, BIAS + LONG_VIEW] <= lowest + 1e-4 for i in left)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 100))
def test_forced_items_are_always_there(seed: int, count: int) -> None:
    """Whatever the limit, every forced item is among the candidates, first and once."""
    forced = np.array([count - 1, 0, 3], np.int32)
    found = ask(market(seed, count), 5, forced)
    assert found[:3] == [count - 1, 0, 3]
    assert len(set(found)) == 5


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sets(st.integers(0, 59), max_size=59))
def test_an_item_that_left_is_not_retrieved(seed: int, gone: set[int]) -> None:
    """After items leave their partitions, exactly the others are retrieved."""
    partitions, rows, viewer = market(seed, 60)
    for item in gone:
        leave(partitions, item)
    refresh(partitions, rows)
    assert set(ask((partitions, rows, viewer), 100)) == set(range(60)) - gone


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sets(st.integers(0, 119), max_size=64))
def test_what_was_shown_lately_waits(seed: int, shown: set[int]) -> None:
    """Of 120 items those shown lately are left out, unless fewer than 50 others are left: then some come back."""
    seen = np.array([*sorted(shown), -1], np.int32)
    found = set(ask(market(seed, 120), 200, seen=seen))
    assert found >= set(range(120)) - shown
    assert len(found) == max(120 - len(shown), min(50, 120))


HERE = Place(30.05, 120.05)


def rich(seed: int) -> Ask:
    """Four hundred items of which every source knows some."""
    draw = np.random.default_rng(seed)
    rows = new_rows(400)
    rows[:, : BIAS + 3] = draw.normal(size=(400, BIAS + 3))
    rows.view(np.int32)[:, FLAGS], rows.view(np.int32)[:, SCENES] = SHOWN, 1
    partitions = Partitions()
    for item in range(400):
        place = HERE if draw.random() < 0.2 else None
        keys = keys_of((0,), f"c{item % 4}", place)
        enter(partitions, item, keys, (False,), rows[item])
    partitions.of_creator["a"] = draw.choice(400, 30, replace=False).astype(np.int32)
    counts = draw.integers(0, 60, (400, 3)).astype(np.float32) * [4.0, 1.0, 1.0]
    rank(partitions, counts.astype(np.float32), draw.integers(0, 1_000, 400), 0)
    some = np.unique(draw.choice(400, 60).astype(np.int32))
    return Ask(
        partitions,
        rows,
        draw.normal(size=VIEWER_WIDTH).astype(np.float32),
        scene=0,
        limit=int(draw.integers(20, 300)),
        category="c1",
        follows=("a", "nobody"),
        circle=Circle(HERE, 10.0, np.full((400, 3), point_of(HERE), np.float32)),
        watched=(3, 5, -1),
        guaranteed=gathered(some[:10], rows, LONG_VIEW),
        promoted=gathered(some, rows, LONG_VIEW),
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_no_source_passes_its_share(seed: int) -> None:
    """Each source but the last gives at most its share of the limit, each item stands once, and the list is full."""
    request, sources, scratch = rich(seed), Sources(), Scratch()
    found = retrieve(request, scratch, sources, NONE, NONE)
    assert len(found) == len(set(found.tolist())) == request.limit
    brought = [source_of(scratch, item) for item in found.tolist()]
    for name in Sources.__struct_fields__:
        assert brought.count(name) <= int(request.limit * getattr(sources, name))
    order = [SOURCES.index(name) for name in brought]
    assert order == sorted(order)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.data())
def test_what_one_source_leaves_another_takes(seed: int, data: st.DataObject) -> None:
    """Whatever sources are silent, as many candidates come, and none through a silent one."""
    request, scratch = rich(seed), Scratch()
    silent = data.draw(st.sets(st.sampled_from(("category", "follows", "circle", "watched"))))
    nothing = Ask(request.partitions, request.rows, request.side, 0, 0)
    quiet = request._replace(**{name: getattr(nothing, name) for name in silent})
    found = retrieve(quiet, scratch, Sources(), NONE, NONE)
    assert len(found) == request.limit
    through = {
        "category": "channel",
        "follows": "followed",
        "circle": "near",
        "watched": "similar",
    }
    assert not {through[name] for name in silent} & {source_of(scratch, item) for item in found.tolist()}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_past_of_the_scratch_does_not_matter(seed: int) -> None:
    """A scratch whose count of requests is about to begin anew gives what a new one gives."""
    request, old = rich(seed), Scratch(epoch=(1 << 27) - 3)
    for _ in range(4):
        found = retrieve(request, old, Sources(), NONE, NONE).tolist()
        assert found == retrieve(request, Scratch(), Sources(), NONE, NONE).tolist()
    assert old.epoch < 10


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_lists_offer_nothing_that_may_not_be_shown(seed: int) -> None:
    """No item that may not be shown, or not here, comes through followed, trending or fresh."""
    request, scratch = rich(seed), Scratch()
    words = request.rows.view(np.int32)
    words[::3, FLAGS] = 0
    words[1::3, SCENES] = 2
    found = retrieve(request, scratch, Sources(), NONE, NONE).tolist()
    listed = [item for item in found if source_of(scratch, item) in SOURCES[2:5]]
    assert listed
    assert all(item % 3 == 2 for item in listed)
