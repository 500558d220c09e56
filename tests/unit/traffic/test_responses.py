"""Responses: likes, follows, hates and the time watched, from events to what a look is worth."""

import msgspec
import numpy as np
import pytest
from tests import made

from fieldline import engine
from fieldline.errors import Refused, Unknown
from fieldline.facts import (
    AnyFact,
    Behaviour,
    Click,
    Follow,
    Hate,
    Impression,
    Like,
    Outcome,
    Personalised,
    Request,
    Tick,
    Viewer,
    ViewerErased,
    Watched,
)
from fieldline.traffic.prediction import responses
from fieldline.traffic.prediction.reliability import reliability
from fieldline.traffic.prediction.response_features import response_bin
from fieldline.traffic.state import State
from fieldline.units import MINUTE, SECOND

AT = made.START


def opened() -> State:
    """The made market with one slate of three videos open, the first two rendered."""
    state = engine.State(policy=made.POLICY)
    for fact in (made.POLICY, Tick(AT), *made.catalogue()):
        engine.reduce(state, fact)
    places = [(f"video-{number}", None, 0) for number in (1, 2, 3)]
    take(state, made.decided("slate", "viewer-7", *places))
    take(state, Impression("i1", AT, "slate", "video-1"), Impression("i2", AT, "slate", "video-2"))
    return state


def take(state: State, *facts: AnyFact) -> None:
    for fact in facts:
        if isinstance(fact, Behaviour):
            engine.check(state, fact)
        engine.reduce(state, fact)


def told(state: State, item: str) -> list[float]:
    """Looks that tell like, follow, hate and time, then the sums of the four."""
    return [round(float(x), 4) for x in state.responses.items[state.shelf.names.find(item)]]


def close(state: State) -> None:
    take(state, Tick(AT + made.POLICY.label_window_ms + MINUTE))


def test_what_came_of_a_look_is_learned_when_its_decision_closes() -> None:
    """A like and 90 of 300 seconds count for the first item, none of either for the second, nothing for the third."""
    state = opened()
    take(state, Like("l", AT, "slate", "video-1"), Watched("w", AT, "slate", "video-1", 90 * SECOND))
    assert told(state, "video-1") == [0.0] * 8
    close(state)
    assert told(state, "video-1") == [1, 1, 1, 1, 1, 0, 0, 0.3]
    assert told(state, "video-2") == [1, 1, 1, 0, 0, 0, 0, 0]  # nobody told how long it was watched
    assert told(state, "video-3") == [0.0] * 8
    viewer = state.people.names.find("viewer-7")
    assert state.responses.viewers[viewer].tolist() == pytest.approx([2, 2, 2, 1, 1, 0, 0, 0.3])


def test_a_follow_counts_for_the_item_that_it_names() -> None:
    """A follow with decision and item is a response to it, one without is none, and a hate is a hate."""
    state = opened()
    take(
        state,
        Follow("f1", AT, "viewer-7", "creator-1", decision="slate", item="video-1"),
        Follow("f2", AT, "viewer-7", "creator-2"),
        Hate("h", AT, "slate", "video-2"),
    )
    close(state)
    assert (told(state, "video-1")[5], told(state, "video-2")[5]) == (1.0, 0.0)
    assert (told(state, "video-1")[6], told(state, "video-2")[6]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("event", "error", "field"),
    [
        (Like("x", AT, "slate", "video-9"), Unknown, "item"),
        (Hate("x", AT, "nothing", "video-1"), Unknown, "decision"),
        (Watched("x", AT, "slate", "nothing", 5), Unknown, "item"),
        (Follow("x", AT, "viewer-7", "creator-1", decision="slate", item="video-9"), Unknown, "item"),
        (Follow("x", AT, "viewer-7", "creator-1", decision="slate"), Refused, "item"),
        (Follow("x", AT, "viewer-7", "creator-1", item="video-1"), Refused, "decision"),
    ],
)
def test_a_response_to_what_was_not_shown_is_refused(
    event: Behaviour, error: type[Refused], field: str
) -> None:
    """A response that names no slot of its decision is refused by that field, and changes nothing."""
    state = opened()
    before = engine.encode(state)
    with pytest.raises(error) as refused:
        engine.check(state, event)
    assert refused.value.field == field
    assert engine.encode(state) == before


def test_a_label_that_nobody_knows_is_not_learned() -> None:
    """An outcome without responses leaves the machine as it was; one that says "no like" counts one look for likes."""
    state = opened()
    before = state.responses.table.copy()
    take(state, Outcome("o1", AT, "viewer-1", "video-5", "video", click=True, long_view=True))
    assert np.array_equal(state.responses.table, before)
    assert told(state, "video-5") == [0.0] * 8
    take(state, Outcome("o2", AT, "viewer-1", "video-5", "video", click=True, long_view=True, like=False))
    assert told(state, "video-5") == [1, 0, 0, 0, 0, 0, 0, 0]


def test_likes_from_before_the_log_are_known_once_anybody_brings_them() -> None:
    """Of a history without likes nothing is learned before the first viewer who brings some, and zeros after."""
    state = engine.State(policy=made.POLICY)
    for fact in (made.POLICY, Tick(AT), *made.catalogue()):
        engine.reduce(state, fact)
    assert not state.responses.items.any()
    for name, hearted in (("a", ()), ("b", ("video-4",)), ("c", ())):
        take(state, Viewer(name, watched=("video-4", "video-8"), hearted=hearted))
    assert told(state, "video-4") == [2, 0, 0, 0, 1, 0, 0, 0]
    rows = [state.people.names.find(name) for name in "abc"]
    assert state.responses.viewers[rows, 0].tolist() == [0.0, 2.0, 2.0]
    assert state.responses.viewers[rows, 4].tolist() == [0.0, 1.0, 0.0]


def test_a_viewer_who_opted_out_is_nobody_in_particular() -> None:
    """Two viewers with different likes get the same chances once both opted out; items still count their looks."""
    state = opened()
    for number in range(20):
        like = Outcome(
            f"o{number}", AT, "viewer-1", "video-5", "video", click=True, long_view=True, like=True
        )
        take(state, like)
    items = np.arange(10, dtype=np.int32)
    one, two = state.people.names.find("viewer-1"), state.people.names.find("viewer-2")
    assert (
        responses.predict(state, one, items, 0, AT)[0, 0] > responses.predict(state, two, items, 0, AT)[0, 0]
    )
    take(state, Personalised("viewer-1", AT, on=False), Personalised("viewer-2", AT, on=False))
    assert not state.responses.viewers[one].any()
    assert np.array_equal(
        responses.predict(state, one, items, 0, AT), responses.predict(state, two, items, 0, AT)
    )
    before = told(state, "video-5")[0]
    take(state, Outcome("o", AT, "viewer-1", "video-5", "video", click=True, long_view=True, like=True))
    assert told(state, "video-5")[0] == before + 1.0
    assert not state.responses.viewers[one].any()


def test_an_erased_viewer_leaves_no_counts() -> None:
    """After erasure the viewer's row of counts is zero."""
    state = opened()
    take(state, Outcome("o", AT, "viewer-1", "video-5", "video", click=True, long_view=True, like=True))
    viewer = state.people.names.find("viewer-1")
    assert state.responses.viewers[viewer, 4] == 1.0
    take(state, ViewerErased("viewer-1", AT))
    assert not state.responses.viewers[viewer].any()


def test_what_responses_are_worth_is_the_sum_of_the_dials_times_chances() -> None:
    """Value = 2·like + 3·follow − 5·hate + 0.5·(5 minutes × watched share); with all dials 0 nothing is computed."""
    state = opened()
    items = np.array([4, 2, 9], np.int32)
    assert len(responses.extra_value(state, 0, items, 0, AT, state.policy)) == 0
    policy = msgspec.structs.replace(
        state.policy, like_value=2.0, follow_value=3.0, hate_cost=5.0, minute_value=0.5
    )
    chances = responses.predict(state, 0, items, 0, AT).astype(np.float64)
    assert responses.extra_value(state, 0, items, 0, AT, policy) == pytest.approx(
        chances @ [2.0, 3.0, -5.0, 2.5], rel=1e-5
    )


def test_a_row_that_is_not_finite_is_worth_nothing() -> None:
    """An item whose folded row holds NaN adds 0, and the others are worth what they were."""
    state = opened()
    policy = msgspec.structs.replace(state.policy, like_value=2.0)
    items = np.array([4, 2], np.int32)
    before = responses.extra_value(state, 0, items, 0, AT, policy)
    state.responses.rows[4] = np.nan
    assert responses.extra_value(state, 0, items, 0, AT, policy).tolist() == [0.0, before[1]]


def test_the_value_of_a_like_decides_what_is_shown() -> None:
    """An item that everybody likes stands first once a like is worth much, and not before."""
    state = opened()
    for number in range(40):
        take(
            state,
            *(
                Outcome(f"{number}/{k}", AT, f"viewer-{number % 30}", f"video-{k}", "video", click=k != 9,
                        long_view=k != 9, like=k == 9)
                for k in range(8, 14)
            ),
        )  # fmt: skip
    take(state, Tick(AT + 30 * MINUTE))
    request = Request("ask", "viewer-3", "video", at=AT + 31 * MINUTE)
    policy = msgspec.structs.replace(state.policy, random_share=0.0)
    engine.reduce(state, policy)
    assert engine.decide(state, request, paid=False).slots[0].item != "video-9"
    engine.reduce(state, msgspec.structs.replace(policy, like_value=5.0))
    assert engine.decide(state, request, paid=False).slots[0].item == "video-9"


def test_a_rare_response_is_shrunk_over_more_looks() -> None:
    """One like in 2 looks: of a viewer 1.5/35.3 = .0425, bin −7; of an item 2.5/102 = .0245, bin −8."""
    told = np.array([2, 0, 0, 0, 1, 0, 0, 0], np.float32)
    assert (response_bin(told, 0, 0.5), response_bin(told, 0, 1.5)) == (-7, -8)


def test_responses_survive_a_snapshot() -> None:
    """A state read back predicts the same to the bit and goes on learning the same."""
    state = opened()
    close(state)
    again = engine.decode(engine.encode(state))
    like = Outcome("o", AT, "viewer-1", "video-5", "video", click=True, long_view=True, like=True)
    for one in (state, again):
        take(one, like)
    items = np.arange(60, dtype=np.int32)
    assert np.array_equal(
        responses.predict(state, 3, items, 0, AT), responses.predict(again, 3, items, 0, AT)
    )
    assert engine.encode(state) == engine.encode(again)


def test_reliability_tells_every_task() -> None:
    """After a slate of two looks each task tells two, the time the one that was told, the order part of one click."""
    state = opened()
    take(state, Watched("w", AT, "slate", "video-1", 90 * SECOND), Like("l", AT, "slate", "video-1"))
    take(state, Click("c1", AT, "slate", "video-1"), Click("c2", AT, "slate", "video-2"))
    close(state)
    looks = {task: sum(row.looks for row in rows) for task, rows in reliability(state).items()}
    assert 0.0 < looks.pop("order") < 1.0  # one of the two sells something, and its click is young
    assert looks == {"click": 2, "long_view": 2, "like": 2, "follow": 2, "hate": 2, "watch": 1}
    clicked = sum(row.looks * row.observed for row in reliability(state)["click"])
    assert clicked == 2.0
