"""Audiences of staged products: who is of them, why, and what is not told."""

import numpy as np
import pytest
from tests.made import POLICY, START, catalogue

from fieldline import engine
from fieldline.facts import (
    AnyFact,
    Follow,
    IntentCorrected,
    LiveRoom,
    Order,
    Outcome,
    Personalised,
    Product,
    Tick,
    Video,
    Viewer,
    ViewerErased,
)
from fieldline.traffic.audiences import LEAST, audiences, members
from fieldline.units import DAY, YUAN


def take(state: engine.State, *facts: AnyFact) -> None:
    for fact in facts:
        engine.reduce(state, fact)


def clicked(viewer: int, category: str, at: int = START) -> Outcome:
    """A click of a viewer on a video of a category."""
    return Outcome(
        f"o{viewer}{category}", at, f"u{viewer}", f"show-{category}", "video", click=True, long_view=False
    )


@pytest.fixture
def state() -> engine.State:
    """Forty viewers who did nothing yet, videos and products of tea and shoes, a room."""
    found = engine.init(POLICY)
    take(found, Tick(START), *(entry for entry in catalogue() if not isinstance(entry, Viewer)))
    take(found, *(Viewer(f"u{number}") for number in range(40)))
    for kind in ("tea", "shoes"):
        take(
            found,
            Video(f"show-{kind}", "creator-1", category=kind),
            Product(f"best-{kind}", "merchant-1", 9 * YUAN, 1_000, category=kind),
        )
    take(found, LiveRoom("room", "creator-2"))
    return found


def those(state: engine.State, product: str, reason: str | None = None, at: int = START) -> list[int]:
    found = members(state, product, "creator-2", at)
    return np.flatnonzero(found.viewers if reason is None else found.reasons[reason]).tolist()


def test_an_intent_of_the_last_week_makes_a_member(state: engine.State) -> None:
    """Who clicked tea is for tea, not for shoes; eight days later for neither."""
    take(state, *(clicked(number, "tea") for number in range(25)))
    assert those(state, "best-tea") == list(range(25))
    assert those(state, "best-tea", "browse") == list(range(25))
    assert those(state, "best-shoes") == []
    assert those(state, "best-tea", at=START + 8 * DAY) == []


def test_a_viewers_word_counts_either_way(state: engine.State) -> None:
    """Who said to be ready is a member without a click, who said not to want the category is none with one."""
    take(
        state,
        clicked(0, "tea"),
        IntentCorrected("u0", START, "tea", None),
        IntentCorrected("u1", START, "tea", "ready"),
    )
    assert those(state, "best-tea") == those(state, "best-tea", "ready") == [1]


def test_nobody_who_opted_out_or_was_erased_is_counted(state: engine.State) -> None:
    """Both are gone at once from an audience that they were of."""
    take(state, *(clicked(number, "tea") for number in range(3)))
    take(state, Personalised("u0", START, on=False), ViewerErased("u1", START))
    assert those(state, "best-tea") == [2]


def test_known_buyers_and_followers_are_reasons_of_members_alone(state: engine.State) -> None:
    """Of two buyers and two followers the member is told, the other is no member for that."""
    take(state, clicked(0, "tea"))
    for number in (0, 1):
        take(
            state,
            Order(f"b{number}", START, f"u{number}", "product-1", 9 * YUAN),
            Follow(f"f{number}", START, f"u{number}", "creator-2"),
        )
    assert (
        those(state, "best-tea")
        == those(state, "best-tea", "bought")
        == those(state, "best-tea", "follows")
        == [0]
    )


def test_fewer_than_twenty_are_not_told(state: engine.State) -> None:
    """Nineteen members have no size, no reasons and no overlap in figures; a twentieth has all of them told."""
    take(state, *(clicked(number, kind) for number in range(LEAST - 1) for kind in ("tea", "shoes")))
    tea, _ = audiences(state, "room", ("best-tea", "best-shoes"), START)
    assert (tea.size, [reason.viewers for reason in tea.reasons], tea.overlap[0].viewers) == (
        None,
        [None],
        None,
    )
    take(state, *(clicked(LEAST, kind) for kind in ("tea", "shoes")))
    tea, shoes = audiences(state, "room", ("best-tea", "best-shoes"), START)
    assert tea.size == shoes.size == LEAST
    assert [(reason.reason, reason.viewers) for reason in tea.reasons] == [("browse", LEAST)]
    assert [(one.product, one.viewers) for one in tea.overlap] == [("best-shoes", LEAST)]


def test_what_was_watched_is_alike_for_a_tenth_of_those_whose_likes_are_known(state: engine.State) -> None:
    """Of 30 viewers who watched three works each, the three whose works point where the product does are members."""
    item = state.shelf.names.find("best-tea")
    state.shelf.rows[item, :8] = np.eye(8)[0]
    for number in range(30):
        works = [state.shelf.names.find(f"video-{2 * number + one}") for one in (0, 1)]
        works.append(works[0])
        state.shelf.rows[works, :8] = np.eye(8)[0] if number in (4, 11, 27) else np.eye(8)[1]
        state.people.recent[number, :3] = works
    assert those(state, "best-tea", "alike") == those(state, "best-tea") == [4, 11, 27]
    state.people.recent[4, 2] = -1
    assert 4 not in those(state, "best-tea")


def test_asking_changes_nothing(state: engine.State) -> None:
    """The state is byte for byte what it was."""
    take(state, *(clicked(number, "tea") for number in range(25)))
    before = engine.encode(state)
    audiences(state, "room", ("best-tea", "best-shoes"), START)
    assert engine.encode(state) == before
