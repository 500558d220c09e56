"""Laws of intents: chances are chances, order of viewers means nothing, confidence comes true."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fieldline.people import intent
from fieldline.people.intent import KEPT, Intents
from fieldline.units import DAY

START = 1_650_850_200_000
DEEDS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 19),
        st.sampled_from(["note", "click", "product", "order", "search", "past"]),
        st.integers(0, 40 * DAY),
    ),
    max_size=60,
)


def played(deeds: list[tuple[int, int, str, int]]) -> Intents:
    intents = Intents()
    intent.place(intents, 2)
    for viewer, category, deed, later in deeds:
        at = START + later
        match deed:
            case "note":
                intent.note(intents, viewer, category, intent.HATE if category % 3 else intent.LIKE, at)
            case "click":
                intent.learn(intents, viewer, category, at)
                intent.note(intents, viewer, category, intent.CLICK, at)
            case "product":
                intent.note_product(intents, viewer, category, category * 10 + later % 3, at)
            case "order":
                intent.note_order(intents, viewer, category, at)
            case "search":
                intent.note_search(intents, viewer, category, at)
            case _:
                intent.note_past(intents, viewer, category, intent.WATCHED, at)
    return intents


@given(DEEDS)
def test_chances_sum_to_one_and_confidences_are_among_them(deeds: list[tuple[int, int, str, int]]) -> None:
    """After any deeds in any order the chances are positive and sum to 1, and at most eight intents have theirs."""
    intents = played(deeds)
    for viewer in range(3):
        chances = intent.next_click(intents, viewer, START + 41 * DAY)
        assert chances.min() > 0.0
        assert abs(chances.sum() - 1.0) < 1e-9
        found = intent.intents_of(intents, viewer, START + 41 * DAY)
        assert len(found) == len({of.category for of in found}) <= KEPT
        assert all(of.confidence == chances[of.category] for of in found)
        tops = intent.top_categories(intents, viewer, START + 41 * DAY)
        assert tops == tuple(of.category for of in found[:3])


@given(DEEDS)
def test_nobody_sees_what_another_did(deeds: list[tuple[int, int, str, int]]) -> None:
    """What is kept of a viewer depends on that viewer's deeds alone; others move shares and weights only."""
    together = played(deeds)
    for viewer in range(3):
        alone = played([deed for deed in deeds if deed[0] == viewer])
        for name in ("category", "strength", "at", "products", "evidence"):
            assert np.array_equal(getattr(together, name)[viewer], getattr(alone, name)[viewer]), name


def test_confidence_comes_true() -> None:
    """Of made viewers with two favourites each, kept categories get as many clicks as their chances say, within 0.02.

    The surest one, chosen among noisy chances, may be oversure: by less than 0.05.
    """
    draw = np.random.default_rng(5)
    intents = Intents()
    intent.place(intents, 199)
    favourites = draw.integers(0, 12, (200, 2))
    told, hits, kept, came = [], [], [], []
    for n in range(12_000):
        viewer, at = int(draw.integers(200)), START + n * 60_000
        likes = favourites[viewer][draw.integers(2)] if draw.random() < 0.6 else draw.integers(12)
        chances = intent.next_click(intents, viewer, at)
        if n >= 6_000:
            told.append(float(chances.max()))
            hits.append(int(chances.argmax()) == int(likes))
            held = [category for category in intents.category[viewer].tolist() if category >= 0]
            kept.append(float(chances[held].sum()))
            came.append(int(likes) in held)
        intent.learn(intents, viewer, int(likes), at)
        intent.note(intents, viewer, int(likes), intent.CLICK, at)
    assert np.mean(hits) > 0.25
    assert abs(np.mean(kept) - np.mean(came)) < 0.02
    assert abs(np.mean(told) - np.mean(hits)) < 0.05
