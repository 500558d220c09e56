"""Training rows: what was known when a look was decided, and the labels it was given later."""

import numpy as np
import pytest
from tests.made import POLICY, START, catalogue, decided, play

from fieldline.facts import AnyFact, Click, Follow, Hate, Impression, Order, Outcome, Tick
from fieldline.learn import rows as learned
from fieldline.learn.rows import CLICK, FOLLOW, HATE, LIKE, LONG_VIEW, ORDER, rows_of
from fieldline.traffic.outcomes import refusal_weight
from fieldline.traffic.prediction.sheet import FEATURES
from fieldline.units import DAY, MINUTE, YUAN

LOOKS = FEATURES.index("viewer_looks")


def begun() -> list[AnyFact]:
    return [POLICY, Tick(START), *catalogue()]


def outcome(number: int, at: int, like: bool | None = None) -> Outcome:
    return Outcome(f"o{number}", at, "viewer-1", f"video-{number}", "video", number % 2 == 0, False, like)


def test_an_outcome_is_a_row_of_what_was_known_before_it() -> None:
    """The n-th outcome of a viewer is described by the counts after n − 1 of them, and carries its own labels."""
    facts = [*begun(), *(outcome(n, START + n * MINUTE) for n in range(4))]
    rows = rows_of(facts, POLICY)
    first = rows.sheet[0, LOOKS]
    looks = np.expm1(rows.sheet[:, LOOKS]) - np.expm1(first)
    np.testing.assert_allclose(looks, [0, 1, 2, 3], atol=1e-4)
    assert rows.labels[:, CLICK].tolist() == [1, 0, 1, 0]
    assert rows.at.tolist() == [START + n * MINUTE for n in range(4)]


def test_an_unknown_label_weighs_nothing() -> None:
    """An outcome whose like nobody knows has weight 0 there, one that was not liked weight 1 and label 0."""
    rows = rows_of([*begun(), outcome(0, START), outcome(1, START, like=False)], POLICY)
    assert rows.weights[:, LIKE].tolist() == [0.0, 1.0]
    assert rows.labels[:, LIKE].tolist() == [0.0, 0.0]
    assert rows.weights[:, CLICK].tolist() == [1.0, 1.0]


def test_an_outcome_told_twice_is_one_row() -> None:
    """A repeated event makes no second row."""
    assert len(rows_of([*begun(), outcome(0, START), outcome(0, START)], POLICY)) == 1


def decided_facts(ordered: bool, end: int) -> list[AnyFact]:
    decision = decided("d", "viewer-2", ("video-1", None, 0), ("video-2", None, 0), ("video-3", None, 0))
    facts: list[AnyFact] = [*begun(), decision]
    facts += [Impression("i1", START, "d", "video-1"), Impression("i2", START, "d", "video-2")]
    facts += [Click("c1", START + 1_000, "d", "video-1"), Tick(START + 20 * MINUTE)]
    if ordered:
        facts.append(Order("x", START + 30 * MINUTE, "viewer-2", "product-1", 19 * YUAN))
    return [*facts, Tick(end)]


def test_a_decision_gives_rows_of_what_was_rendered() -> None:
    """A click weighs 1, an impression without one as much as its slot was looked at, an unrendered slot nothing."""
    rows = rows_of(decided_facts(ordered=False, end=START + 40 * MINUTE), POLICY)
    assert rows.labels[:, CLICK].tolist() == [1.0, 0.0]
    assert rows.weights[:, LONG_VIEW].tolist() == pytest.approx([1.0, refusal_weight(0.5, 0.1)])
    assert rows.labels[:, LONG_VIEW].tolist() == [0.0, 0.0]


def test_what_a_viewer_answered_to_a_decision_is_a_label() -> None:
    """A follow of the first slot and a dislike of the second weigh 1 there, what was not answered as a refusal."""
    facts = decided_facts(ordered=False, end=START + 40 * MINUTE)
    answers: list[AnyFact] = [
        Follow("f", START + 2_000, "viewer-2", "creator-1", decision="d", item="video-1"),
        Hate("h", START + 3_000, "d", "video-2"),
    ]
    rows = rows_of([*facts[:-2], *answers, *facts[-2:]], POLICY)
    assert rows.labels[:, FOLLOW].tolist() == [1.0, 0.0]
    assert rows.labels[:, HATE].tolist() == [0.0, 1.0]
    assert rows.weights[:, FOLLOW].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("ordered", "end", "label", "weight"),
    [
        (False, START + 40 * MINUTE, 0.0, 0.0),
        (False, START + 2 * DAY, 0.0, 1.0),
        (True, START + 40 * MINUTE, 1.0, 1.0),
    ],
)
def test_an_order_is_known_when_it_came_or_its_window_is_over(
    ordered: bool, end: int, label: float, weight: float
) -> None:
    """A click without an order is a refusal only after the order window; before, nothing is known."""
    rows = rows_of(decided_facts(ordered, end), POLICY)
    assert (rows.labels[0, ORDER], rows.weights[0, ORDER]) == (label, weight)
    assert rows.weights[1, ORDER] == 0.0


def test_only_the_newest_rows_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the most that may be kept, whole blocks of the oldest rows go."""
    monkeypatch.setattr(learned, "BLOCK", 4)
    facts = [*begun(), *(outcome(n, START + n) for n in range(11))]
    assert rows_of(facts, POLICY, most=4).at.tolist() == [START + n for n in (8, 9, 10)]
    assert len(rows_of(facts, POLICY, most=8)) == 7


def test_days_cut_old_looks_off() -> None:
    """Rows older than the days asked for, counted from the newest, are left out."""
    facts = [*begun(), outcome(0, START), outcome(1, START + DAY), outcome(2, START + 2 * DAY)]
    assert rows_of(facts, POLICY, days=2).at.tolist() == [START + DAY, START + 2 * DAY]


def test_a_played_log_gives_the_same_rows_twice() -> None:
    """The same log gives the same rows, and each has a click label that is known."""
    facts = play(40)[1]
    one, two = rows_of(facts, POLICY), rows_of(facts, POLICY)
    np.testing.assert_array_equal(one.sheet, two.sheet)
    assert len(one) and (one.weights[:, CLICK] > 0).all()
