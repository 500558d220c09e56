"""Who may be quoted: buyers with two kept orders, whose review no upheld appeal took out; and what is kept at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.trust import voices as v
from fieldline.trust.voices import Voices, quotable


def shop(orders: int = 2) -> Voices:
    """Return what a shop knows whose buyer 7 ordered so often and reviewed the first order as `r`."""
    voices = Voices()
    for number in range(orders):
        v.note_order(voices, f"o{number}", "m", 7, "p")
    v.note_review(voices, "r", "o0", 1_000, 5, "很好", 0.9)
    return voices


def ids(voices: Voices, own: tuple[int, ...] = ()) -> list[str]:
    """Return the reviews of the shop that may be quoted."""
    return [review.id for review in quotable(voices, "m", own)]


def test_one_order_is_not_enough() -> None:
    """A buyer of one order is not quoted; after a second at the same merchant they are, with both orders."""
    voices = shop(orders=1)
    v.note_order(voices, "elsewhere", "other", 7, "p")
    assert ids(voices) == []
    v.note_order(voices, "o1", "m", 7, "p")
    assert [review.orders for review in quotable(voices, "m")] == [("o0", "o1")]


def test_a_refund_of_one_of_two_takes_the_quote_out() -> None:
    """However little goes back; a third kept order brings it in again."""
    voices = shop()
    v.note_refund(voices, "back", "o1")
    assert ids(voices) == []
    v.note_order(voices, "o2", "m", 7, "p")
    assert [review.orders for review in quotable(voices, "m")] == [("o0", "o2")]


def test_an_upheld_appeal_takes_out_and_a_later_ruling_puts_back() -> None:
    """So of a review; of a refund it is the other way round."""
    voices = shop()
    v.contest(voices, "r", True)
    assert ids(voices) == []
    v.contest(voices, "r", False)
    v.note_refund(voices, "back", "o1")
    assert ids(voices) == []
    v.contest(voices, "back", True)
    assert ids(voices) == ["r"]
    v.contest(voices, "back", False)
    assert ids(voices) == []


def test_the_merchants_own_accounts_are_never_quoted() -> None:
    """Viewer 7, an own account, is left out."""
    assert ids(shop(), own=(7,)) == []


def test_nobody_is_never_quoted() -> None:
    """Orders of a viewer who cannot be told from others vouch for nothing."""
    voices = Voices()
    for number in range(3):
        v.note_order(voices, f"o{number}", "m", -1, "p")
    v.note_review(voices, "r", "o0", 1_000, 5, "很好")
    assert voices == Voices()


def test_of_two_reviews_of_an_order_the_later_counts() -> None:
    """In whichever order they come, and its reply with it."""
    first = shop()
    v.note_review(first, "s", "o0", 2_000, 1, "坏了")
    v.note_review(first, "a", "o0", 500, 3, "一般")
    second = Voices()
    for number in range(2):
        v.note_order(second, f"o{number}", "m", 7, "p")
    for review in (
        ("s", "o0", 2_000, 1, "坏了"),
        ("a", "o0", 500, 3, "一般"),
        ("r", "o0", 1_000, 5, "很好", 0.9),
    ):
        v.note_review(second, *review)
    assert quotable(first, "m") == quotable(second, "m")
    assert ids(first) == ["s"]


def test_the_last_reply_stands_beside_its_review() -> None:
    """An earlier one that comes later changes nothing, nor does one to a review that nothing has."""
    voices = shop()
    v.note_reply(voices, "b", "r", 2_000, "谢谢")
    v.note_reply(voices, "a", "r", 1_500, "嗯")
    v.note_reply(voices, "c", "none", 3_000, "?")
    assert quotable(voices, "m")[0].reply == "谢谢"


def test_a_review_of_an_order_that_is_not_kept_changes_nothing() -> None:
    """Neither of an unknown order nor a second time under one id."""
    voices, before = shop(), shop()
    v.note_review(voices, "x", "none", 1_000, 5, "很好")
    v.note_review(voices, "r", "o1", 9_000, 1, "坏")
    v.note_refund(voices, "y", "none")
    v.contest(voices, "nothing", True)
    assert voices == before


def test_an_erased_viewer_leaves_nothing_behind() -> None:
    """Orders, refunds, reviews and replies of the viewer are gone from every table."""
    voices = shop()
    v.note_refund(voices, "back", "o1")
    v.note_reply(voices, "b", "r", 2_000, "谢谢")
    v.forget_viewer(voices, 7)
    assert (voices.purchases, voices.merchant_of, voices.order_of) == ({}, {}, {})
    assert not any(voices.buyers.values())
    assert not any(voices.said.values())


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of buyers and reviews leaves so many at most, and the repeat buyer among them."""
    for name, most in (("MOST_REVIEWS", 5), ("MOST_BUYERS", 8), ("MOST_ORDERS", 3)):
        monkeypatch.setattr(v, name, most)
    voices = shop(orders=2)
    for number in range(100):
        v.note_order(voices, f"f{number}", "m", 100 + number, "p")
        v.note_review(voices, f"fr{number}", f"f{number}", 2_000 + number, 5, "好")
    assert ids(voices) == ["r"]
    assert len(voices.said["m"]) == len(voices.merchant_of) == 5
    assert len(voices.buyers["m"]) == 8
    for number in range(2, 10):
        v.note_order(voices, f"o{number}", "m", 7, "p")
        v.note_refund(voices, f"back{number}", f"o{number}")
    assert voices.buyers["m"][7] == ["o7", "o8", "o9"]
    assert len(voices.order_of) == 3
    assert len(voices.purchases) == sum(len(orders) for orders in voices.buyers["m"].values())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("orvfe"), st.integers(0, 5), st.integers(0, 3)), max_size=60))
def test_only_kept_orders_vouch(steps: list[tuple[str, int, int]]) -> None:
    """After any facts each quotable review has two orders of its own buyer at its merchant, none of them refunded."""
    voices, owner, refunded = Voices(), dict[str, int](), set[str]()
    for number, (kind, order, viewer) in enumerate(steps):
        id = f"o{order}"
        if kind == "o" and id not in owner:
            owner[id] = viewer
            v.note_order(voices, id, "m", viewer, "p")
        elif kind == "r" and id in owner:
            refunded.add(id)
            v.note_refund(voices, f"b{number}", id)
        elif kind == "v" and id in owner:
            v.note_review(voices, f"r{number}", id, number, 3, "一般")
        elif kind == "f":
            v.note_reply(voices, f"y{number}", f"r{order}", number, "谢")
        elif kind == "e":
            v.forget_viewer(voices, viewer)
            owner = {id: of for id, of in owner.items() if of != viewer}
    for review in quotable(voices, "m"):
        assert len(review.orders) >= 2
        assert {owner[id] for id in review.orders} == {review.viewer}
        assert not refunded & set(review.orders)
