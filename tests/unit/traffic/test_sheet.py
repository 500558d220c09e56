"""The sheet: what models outside read of a look."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.made import START, play

from fieldline import engine
from fieldline.facts import Outcome, Personalised, Video, Viewer, ViewerErased
from fieldline.traffic.prediction import model, responses
from fieldline.traffic.prediction.sheet import (
    CATEGORICAL,
    EMBEDDED,
    FEATURES,
    ITEM,
    MOMENT,
    PAIR,
    VIEWER,
    sheet,
)
from fieldline.traffic.state import State
from fieldline.units import MINUTE

LATER = START + 90 * MINUTE
ITEMS = np.arange(40, dtype=np.int32)


@pytest.fixture(scope="module")
def played() -> State:
    return play(60)[0]


def column(table: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    return table[:, FEATURES.index(name)]


def test_columns_have_names_of_their_own() -> None:
    """No two columns share a name, and every column of codes is a column."""
    assert len(set(FEATURES)) == len(FEATURES)
    assert set(FEATURES) >= CATEGORICAL


def test_embedded_columns_are_the_engines_own_chances(played: State) -> None:
    """The embedded columns are the log-odds of the chances that the engine itself would serve."""
    table = sheet(played, 3, ITEMS, 0, LATER)
    chances = 1.0 / (1.0 + np.exp(-table[:, -len(EMBEDDED) :].astype(np.float64)))
    own = np.array([model.predict(played, 3, int(item), 0, LATER) for item in ITEMS])
    np.testing.assert_allclose(chances[:, :3], own, atol=1e-6)
    more = responses.predict(played, 3, ITEMS, 0, LATER)
    np.testing.assert_allclose(chances[:, 3:], more, rtol=1e-5)


def test_a_row_does_not_depend_on_the_others(played: State) -> None:
    """A sheet of many items holds the rows that each item has alone."""
    table = sheet(played, 5, ITEMS, 0, LATER)
    alone = np.concatenate([sheet(played, 5, ITEMS[k : k + 1], 0, LATER) for k in range(len(ITEMS))])
    np.testing.assert_array_equal(table, alone)


def test_who_opted_out_has_no_column_of_their_own() -> None:
    """With personalisation off, every column of the viewer is NaN, and no column of item or moment changes."""
    state = play(30)[0]
    before = sheet(state, 2, ITEMS, 0, LATER)
    engine.reduce(state, Personalised("viewer-2", LATER, on=False))
    table = sheet(state, 2, ITEMS, 0, LATER)
    for name in (*VIEWER, *PAIR):
        assert np.isnan(column(table, name)).all(), name
    for name in (*MOMENT, *ITEM):
        np.testing.assert_array_equal(column(table, name), column(before, name))


def test_two_who_opted_out_look_alike() -> None:
    """Of two viewers who opted out, nothing on the sheet tells which is which."""
    state = play(30)[0]
    for viewer in ("viewer-2", "viewer-7"):
        engine.reduce(state, Personalised(viewer, LATER, on=False))
    np.testing.assert_array_equal(sheet(state, 2, ITEMS, 0, LATER), sheet(state, 7, ITEMS, 0, LATER))


def test_one_outcome_counts_once_everywhere() -> None:
    """After a new viewer's one look, clicked and liked, but not watched long, each count says just that."""
    state = play(0)[0]
    engine.reduce(state, Viewer("new", hearted=("video-1", "elsewhere")))
    engine.reduce(state, Video("fresh", "creator-1", "kind-0", duration_ms=15_000))
    viewer, item = state.people.names.find("new"), np.array([state.shelf.names.find("fresh")], np.int32)
    engine.reduce(state, Outcome("o", START, "new", "fresh", "video", click=True, long_view=False, like=True))
    scene = state.scenes.numbers["video"]
    row = dict(zip(FEATURES, sheet(state, viewer, item, scene, START + 9 * MINUTE)[0].tolist(), strict=True))
    expected = {
        "viewer_looks": math.log(2),
        "viewer_click_rate": (1 + 0.4 * 10) / 11,
        "viewer_long_rate": (0.3 * 10) / 11,
        "viewer_minutes_since": math.log(10),
        "viewer_last_click": 1.0,
        "viewer_last_long": 0.0,
        "viewer_scene_looks": math.log(2),
        "viewer_scene_click_rate": (1 + 0.4 * 10) / 11,
        "viewer_hearted": math.log(3),
        "viewer_like_rate": (1 + 0.02 * 10) / 11,
        "item_looks": math.log(2),
        "item_click_rate": (1 + 0.4 * 20) / 21,
        "item_like_rate": (1 + 0.02 * 20) / 21,
        "item_seconds": math.log(16),
        "item_kind": 0.0,
        "follows_creator": 0.0,
        "hour": 9.0,
        "weekday": 0.0,
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-6)
    other = sheet(state, viewer, item, state.scenes.numbers["mall"], START)[0]
    assert other[FEATURES.index("viewer_scene_looks")] == 0.0


def test_an_erased_viewer_leaves_no_habits() -> None:
    """Erasure takes a viewer's likes, last look and looks by scene, and leaves other viewers'."""
    state = play(60)[0]
    habits = state.model.habits
    kept = habits.scenes[4].copy()
    assert habits.scenes[3].any()
    engine.reduce(state, ViewerErased("viewer-3", LATER))
    assert not habits.scenes[3].any() and np.isnan(habits.last[3]).all()
    assert habits.hearted[3] == 0.0
    np.testing.assert_array_equal(habits.scenes[4], kept)
