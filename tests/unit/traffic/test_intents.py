"""Which deeds tell of intents: through the engine, from facts."""

import msgspec
import pytest
from tests.made import POLICY, START, catalogue, decided

from fieldline import engine
from fieldline.facts import (
    AnyFact,
    Click,
    Hate,
    Impression,
    IntentCorrected,
    Like,
    LongView,
    Order,
    Personalised,
    Refund,
)
from fieldline.people import intent
from fieldline.traffic import intents
from fieldline.units import DAY, YUAN


@pytest.fixture
def state() -> engine.State:
    """Return the made catalogue, whose viewer-0 watched nothing before."""
    state = engine.init(POLICY)
    for entry in catalogue():
        engine.reduce(state, entry)
    return state


def fold(state: engine.State, *facts: AnyFact) -> None:
    for fact in facts:
        engine.reduce(state, fact)


def strengths(state: engine.State, viewer: str = "viewer-0") -> dict[str, float]:
    """The session's strength of each category kept of a viewer, as of its newest deed."""
    number, kept = state.people.names.find(viewer), state.people.intents
    names = state.shelf.categories.ids
    return {
        names[category]: float(kept.strength[number, k, 1])
        for k, category in enumerate(kept.category[number].tolist())
        if category >= 0
    }


def stages(state: engine.State, at: int) -> dict[str, str]:
    return {of.category: of.stage for of in intents.standing(state, "viewer-0", at).intents}


def test_each_deed_counts_once_and_for_the_products_category_too(state: engine.State) -> None:
    """A look ½, a click 1, a long view ½ and a like 2 add 4 to the category of what they are on.

    A click counts for the category of the product, too: video-9 is of kind-0 and sells product-1 of kind-1.
    """
    fold(state, decided("d", "viewer-0", ("video-1", None, 0), ("video-9", None, 0)))
    for event in (Impression, Click, LongView, Like):
        for number in range(2):  # the second of each tells nothing
            fold(state, event(f"{event.__name__}{number}", START, "d", "video-1"))
    assert strengths(state) == {"kind-1": 4.0}
    fold(state, Click("other", START, "d", "video-9"))
    assert strengths(state) == {"kind-1": 5.0, "kind-0": 1.0}
    fold(state, Hate("hate", START, "d", "video-9"))
    assert strengths(state) == {"kind-1": 3.0, "kind-0": 0.0}


def test_a_search_compares(state: engine.State) -> None:
    """A query makes the named category compared, else that of the first organic result; without one, none is."""
    plain = decided("d1", "viewer-0", ("video-2", None, 0))
    fold(state, plain)
    assert stages(state, START) == {}
    fold(state, msgspec.structs.replace(plain, id="d2", query="tea"))
    assert stages(state, START) == {"kind-2": "compare"}
    fold(state, msgspec.structs.replace(plain, id="d3", query="tea", category="kind-0"))
    assert stages(state, START) == {"kind-2": "compare", "kind-0": "compare"}


def test_orders_and_refunds_are_heard(state: engine.State) -> None:
    """An order is due again a month later, and no longer once it was refunded."""
    fold(state, Order("o", START, "viewer-0", "product-4", 5 * YUAN))
    assert stages(state, START + 30 * DAY) == {"kind-1": "repeat"}
    fold(state, Refund("r", START, "o", YUAN))
    assert stages(state, START + 30 * DAY) == {"kind-1": "browse"}


def test_nothing_is_noted_of_who_opted_out(state: engine.State) -> None:
    """Their clicks count as everybody's, and neither deeds, searches, orders nor corrections leave a trace of them."""
    fold(state, Personalised("viewer-0", START, False))
    fold(state, msgspec.structs.replace(decided("d", "viewer-0", ("video-1", None, 0)), query="tea"))
    fold(state, Impression("i", START, "d", "video-1"), Click("c", START, "d", "video-1"))
    fold(state, Order("o", START, "viewer-0", "product-4", 5 * YUAN))
    fold(state, IntentCorrected("viewer-0", START, "kind-1", "ready"))
    kept, viewer = state.people.intents, state.people.names.find("viewer-0")
    assert kept.clicks[state.shelf.categories.find("kind-1")] == 1.0
    assert (kept.category[viewer] == -1).all()
    assert kept.said == {}
    assert intents.top_categories(state, viewer, START) == ()
    assert kept.weights[0].tolist() == list(intent.START)
