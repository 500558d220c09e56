"""Intents: what each deed adds, how stages follow from products, searches and orders, what viewers say."""

import numpy as np
import pytest

from fieldline.people import intent
from fieldline.people.intent import BROWSE, COMPARE, READY, REPEAT, Intents
from fieldline.units import DAY, HOUR, MINUTE

START = 1_650_850_200_000
SHOES, TEA = 3, 5


@pytest.fixture
def intents() -> Intents:
    """Return the intents of two viewers of whom nothing is known."""
    made = Intents()
    intent.place(made, 1)
    return made


def stage(intents: Intents, category: int, at: int) -> int:
    return next(of.stage for of in intent.intents_of(intents, 0, at) if of.category == category)


def test_strengths_fade_by_their_two_time_scales(intents: Intents) -> None:
    """Half an hour leaves 1/e of a click in the session and e^(-1/336) in the history, and a look adds ½ to both."""
    intent.note(intents, 0, SHOES, intent.CLICK, START)
    intent.note(intents, 0, SHOES, intent.LOOK, START + 30 * MINUTE)
    expected = [np.exp(-1.0 / 336.0) + 0.5, np.exp(-1.0) + 0.5]
    assert intents.strength[0, 0] == pytest.approx(expected, rel=1e-6)


def test_the_past_makes_no_session(intents: Intents) -> None:
    """What was watched before the log adds to the history alone."""
    intent.note_past(intents, 0, TEA, intent.WATCHED_LONG, START)
    assert intents.strength[0, 0].tolist() == [1.5, 0.0]


def test_the_weakest_of_eight_gives_way(intents: Intents) -> None:
    """A ninth category takes the place of the weakest one, and a hated one that is not kept takes none."""
    for category in range(8):
        intent.note(intents, 0, category, 2.0 if category != 4 else 0.5, START)
    intent.note(intents, 0, 9, intent.HATE, START)
    assert 9 not in intents.category[0]
    intent.note(intents, 0, 9, intent.CLICK, START)
    assert sorted(intents.category[0].tolist()) == [0, 1, 2, 3, 5, 6, 7, 9]


def test_hating_takes_away_but_never_below_nothing(intents: Intents) -> None:
    """One dislike undoes a click and leaves strengths at zero."""
    intent.note(intents, 0, SHOES, intent.CLICK, START)
    intent.note(intents, 0, SHOES, intent.HATE, START)
    assert intents.strength[0, 0].tolist() == [0.0, 0.0]


def test_chances_are_everybodys_until_something_is_known(intents: Intents) -> None:
    """Two clicks of others on tea and none on the rest make tea 3/18 and each of 15 others 1/18 likely."""
    intent.learn(intents, -1, TEA, START)
    intent.learn(intents, -1, TEA, START)
    chances = intent.next_click(intents, 0, START)
    assert chances == pytest.approx([3 / 18 if c == TEA else 1 / 18 for c in range(16)])
    assert intents.weights[0].tolist() == list(intent.START)


def test_the_confidence_is_the_formulas(intents: Intents) -> None:
    """One click on shoes, nobody else's: lifts ln(4/(5/16·…)) give the chance that the module's formula says."""
    intent.note(intents, 0, SHOES, intent.CLICK, START)
    share = 1 / 16
    lift = np.exp(
        0.5 * np.log((1 + 4 * share) / (5 * share)) + 0.3 * np.log((1 + 2 * share) / (3 * share)) + 0.0
    )
    expected = share * lift / (1 - share + share * lift)
    (found,) = intent.intents_of(intents, 0, START)
    assert (found.category, found.said) == (SHOES, False)
    assert found.confidence == pytest.approx(expected)


def test_a_second_product_compares_and_a_return_is_ready(intents: Intents) -> None:
    """Browse after one product, compare after another of the session, ready after the first again, browse a day on."""
    intent.note(intents, 0, SHOES, intent.CLICK, START)
    found = []
    for minutes, product in ((0, 7), (10, 8), (20, 7)):
        intent.note_product(intents, 0, SHOES, product, START + minutes * MINUTE)
        found.append(stage(intents, SHOES, START + minutes * MINUTE))
    assert found == [BROWSE, COMPARE, READY]
    assert stage(intents, SHOES, START + 20 * MINUTE + DAY) == BROWSE


def test_another_product_after_the_session_compares_nothing(intents: Intents) -> None:
    """Two products an hour apart leave the viewer looking around."""
    intent.note(intents, 0, SHOES, intent.CLICK, START)
    intent.note_product(intents, 0, SHOES, 7, START)
    intent.note_product(intents, 0, SHOES, 8, START + HOUR)
    assert stage(intents, SHOES, START + HOUR) == BROWSE


def test_many_product_clicks_are_ready_until_an_order(intents: Intents) -> None:
    """The fifth product click without an order makes ready, and an order makes browse of it."""
    intent.note(intents, 0, SHOES, intent.CLICK, START)
    for number in range(5):
        assert stage(intents, SHOES, START + number * HOUR) == BROWSE
        intent.note_product(intents, 0, SHOES, 10 + number, START + number * HOUR)
    assert stage(intents, SHOES, START + 4 * HOUR) == READY
    intent.note_order(intents, 0, SHOES, START + 5 * HOUR)
    assert stage(intents, SHOES, START + 5 * HOUR) == BROWSE


def test_a_week_without_a_product_forgets_them(intents: Intents) -> None:
    """The same product eight days later is no return."""
    intent.note(intents, 0, SHOES, intent.CLICK, START)
    intent.note_product(intents, 0, SHOES, 7, START)
    intent.note_product(intents, 0, SHOES, 7, START + 8 * DAY)
    assert stage(intents, SHOES, START + 8 * DAY) == BROWSE
    intent.note_product(intents, 0, SHOES, 7, START + 9 * DAY)
    assert stage(intents, SHOES, START + 9 * DAY) == READY


def test_a_search_compares_but_takes_no_readiness_away(intents: Intents) -> None:
    """A search makes compare, and does not lower a viewer who is ready."""
    intent.note_search(intents, 0, SHOES, START)
    assert stage(intents, SHOES, START) == COMPARE
    for _ in range(2):
        intent.note_product(intents, 0, SHOES, 7, START)
    intent.note_search(intents, 0, SHOES, START + MINUTE)
    assert stage(intents, SHOES, START + MINUTE) == READY


def test_what_is_bought_again_is_due_at_the_usual_time(intents: Intents) -> None:
    """With nothing known of the category 30 days are usual: repeat from day 24 to day 60."""
    intent.note_order(intents, 0, TEA, START)
    days = {day: stage(intents, TEA, START + day * DAY) for day in (0, 23, 24, 60, 61)}
    assert days == {0: BROWSE, 23: BROWSE, 24: REPEAT, 60: REPEAT, 61: BROWSE}


def test_usual_times_are_learned_from_those_who_bought_again(intents: Intents) -> None:
    """One gap of ten days makes the usual time exp((5·ln 30 + ln 10)/6) days; orders of one day are one purchase."""
    intent.note_order(intents, 0, TEA, START)
    intent.note_order(intents, 0, TEA, START + HOUR)
    assert intent.usual_gap(intents, TEA) == pytest.approx(30 * DAY)
    intent.note_order(intents, 0, TEA, START + HOUR + 10 * DAY)
    assert intent.usual_gap(intents, TEA) == pytest.approx(30 ** (5 / 6) * 10 ** (1 / 6) * DAY)


def test_what_was_given_back_is_not_due(intents: Intents) -> None:
    """A refund takes the repeat away."""
    intent.note_order(intents, 0, TEA, START)
    intent.note_refund(intents, 0, TEA)
    assert stage(intents, TEA, START + 30 * DAY) == BROWSE


def test_a_viewers_word_holds_for_a_week(intents: Intents) -> None:
    """A stated stage has confidence 1 for seven days, inferred or not, and then what is inferred is back."""
    intent.note(intents, 0, SHOES, intent.CLICK, START)
    intent.say(intents, 0, SHOES, READY, START)
    intent.say(intents, 0, TEA, COMPARE, START)
    said = [(of.category, of.stage, of.confidence) for of in intent.intents_of(intents, 0, START)]
    assert said == [(SHOES, READY, 1.0), (TEA, COMPARE, 1.0)]
    later = intent.intents_of(intents, 0, START + 7 * DAY)
    assert [(of.category, of.stage, of.said) for of in later] == [(SHOES, BROWSE, False)]


def test_what_is_not_wanted_stays_away(intents: Intents) -> None:
    """Not interested: the category is no intent and no top category, however often it is clicked, until reset."""
    intent.note(intents, 0, SHOES, intent.CLICK, START)
    intent.say(intents, 0, SHOES, intent.UNWANTED, START)
    intent.note(intents, 0, SHOES, intent.CLICK, START + 30 * DAY)
    intent.note(intents, 0, TEA, intent.LOOK, START + 30 * DAY)
    assert intent.top_categories(intents, 0, START + 30 * DAY) == (TEA,)
    assert intent.unwanted(intents, 0) == (SHOES,)
    intent.forget(intents, 0)
    intent.note(intents, 0, SHOES, intent.CLICK, START + 30 * DAY)
    assert intent.top_categories(intents, 0, START + 30 * DAY) == (SHOES,)


def test_an_order_ends_a_viewers_word(intents: Intents) -> None:
    """A stated readiness is done with by an order, a stated disinterest is not."""
    intent.say(intents, 0, SHOES, READY, START)
    intent.say(intents, 0, TEA, intent.UNWANTED, START)
    intent.note_order(intents, 0, SHOES, START)
    intent.note_order(intents, 0, TEA, START)
    assert [(of.category, of.said) for of in intent.intents_of(intents, 0, START)] == [(SHOES, False)]
    assert intent.unwanted(intents, 0) == (TEA,)


def test_forgetting_leaves_nothing_of_one_and_all_of_the_other(intents: Intents) -> None:
    """A forgotten viewer's columns are those of a new one, and the other viewer's are as they were."""
    for viewer in (0, 1):
        intent.note_order(intents, viewer, TEA, START)
        intent.note_product(intents, viewer, TEA, 7, START)
        intent.say(intents, viewer, SHOES, READY, START)
    before = intent.intents_of(intents, 1, START)
    intent.forget(intents, 0)
    new = Intents()
    for name in ("category", "strength", "at", "products", "evidence"):
        assert np.array_equal(getattr(intents, name)[0], getattr(new, name)[0]), name
    assert 0 not in intents.said
    assert intent.intents_of(intents, 1, START) == before
