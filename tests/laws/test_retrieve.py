"""Retrieval gives exactly what a plain sort would."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.traffic.retrieve import Partitions, Scratch, enter, keys_of, leave, refresh, retrieve
from fieldline.traffic.rows import BIAS, DIMENSIONS, LONG_VIEW, VIEWER_WIDTH, new_rows

NONE = np.zeros(0, np.int32)
VECTOR = slice(LONG_VIEW * DIMENSIONS, (LONG_VIEW + 1) * DIMENSIONS)


def market(seed: int, count: int) -> tuple[Partitions, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    rows = new_rows(count)
    rows[:, : BIAS + 3] = draw.normal(size=(count, BIAS + 3)).round(1)
    partitions = Partitions()
    for item in range(count):
        enter(partitions, item, keys_of((0,), f"c{item % 3}", None), (False,), rows[item])
    return partitions, rows, draw.normal(size=VIEWER_WIDTH).astype(np.float32)


def ask(
    partitions: Partitions, viewer: np.ndarray, limit: int, forced: np.ndarray = NONE, seen: np.ndarray = NONE
) -> list[int]:
    found = retrieve(
        partitions, Scratch(out=np.zeros(1, np.int32)), viewer, 0,  # the least room
        limit=limit, forced=forced, seen=seen, promoted=None, category=None, follows=(), place=None,
    )  # fmt: skip
    return [int(item) for item in found]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 300), st.integers(1, 320))
def test_a_scan_returns_the_best_of_its_partition(seed: int, count: int, limit: int) -> None:
    """The candidates of one scene are its items with the highest scores, each once."""
    partitions, rows, viewer = market(seed, count)
    found = ask(partitions, viewer, limit)
    assert len(found) == len(set(found)) == min(count, limit)
    lowest = min(rows[i, VECTOR] @ viewer[VECTOR] + rows[i, BIAS + LONG_VIEW] for i in found)
    left = set(range(count)) - set(found)
    assert all(rows[i, VECTOR] @ viewer[VECTOR] + rows[i, BIAS + LONG_VIEW] <= lowest + 1e-4 for i in left)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 100))
def test_forced_items_are_always_there(seed: int, count: int) -> None:
    """Whatever the limit, every forced item is among the candidates, first and once."""
    partitions, _, viewer = market(seed, count)
    forced = np.array([count - 1, 0, 3], np.int32)
    found = ask(partitions, viewer, 5, forced)
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
    assert set(ask(partitions, viewer, 100)) == set(range(60)) - gone


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sets(st.integers(0, 119), max_size=64))
def test_what_was_shown_lately_waits(seed: int, shown: set[int]) -> None:
    """Of 120 items those shown lately are left out, unless fewer than 50 others are left: then some come back."""
    partitions, _, viewer = market(seed, 120)
    seen = np.array([*sorted(shown), -1], np.int32)
    found = set(ask(partitions, viewer, 200, seen=seen))
    assert found >= set(range(120)) - shown
    assert len(found) == max(120 - len(shown), min(50, 120))
