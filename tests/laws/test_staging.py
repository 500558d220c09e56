"""Laws of staging: plans and stays in any order and number."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import POLICY, START, catalogue

from fieldline import engine
from fieldline.facts import LiveRoom, Staged, StagedOffer, Tick
from fieldline.traffic import staging
from fieldline.traffic.kernels.staging import still_there
from fieldline.traffic.staging import AHEAD, Staging, hazard, note_stay, quickness
from fieldline.units import MINUTE

ROOMS = 3
STAYS = st.lists(st.tuples(st.integers(0, ROOMS - 1), st.integers(0, 20 * MINUTE)), max_size=40)
OFFERS = st.lists(
    st.builds(
        lambda product, start, lasts: StagedOffer(
            f"product-{product}", START + start, START + start + lasts if lasts else None
        ),
        st.integers(0, 7),
        st.integers(0, 30 * MINUTE),
        st.sampled_from([0, 1, MINUTE, 20 * MINUTE]),
    ),
    max_size=6,
)


def market() -> engine.State:
    """The made market with three live rooms."""
    state = engine.init(POLICY)
    for fact in (Tick(START), *catalogue(), *(LiveRoom(f"room-{n}", f"creator-{n}") for n in range(ROOMS))):
        engine.reduce(state, fact)
    return state


MARKET = market()


@given(STAYS, st.floats(0.1, 10.0))
def test_fewer_are_there_the_longer_one_waits_and_the_quicker_they_leave(
    stays: list[tuple[int, int]], factor: float
) -> None:
    """Whatever was seen, the chance is 1 now, in (0, 1] ever after, never rises with time nor with f."""
    known = Staging()
    for room, ms in stays:
        note_stay(known, room, ms)
    rates = hazard(known)
    assert (rates > 0.0).all() and (quickness(known, np.arange(ROOMS + 1, dtype=np.int32)) > 0.0).all()
    chances = [still_there(rates, factor, wait) for wait in range(0, 12 * MINUTE, 20_000)]
    assert chances[0] == 1.0 and chances[-1] > 0.0
    assert all(a >= b for a, b in itertools.pairwise(chances))
    assert all(
        still_there(rates, factor + 0.1, wait) <= still_there(rates, factor, wait) for wait in (0, AHEAD)
    )


@given(STAYS)
def test_stays_are_counted_whole_in_any_order(
    stays: list[tuple[int, int]],
) -> None:
    """Who left and what was lived through do not depend on the order, and every stay under ten minutes left once."""
    forward, backward = Staging(), Staging()
    for room, ms in stays:
        note_stay(forward, room, ms)
    for room, ms in reversed(stays):
        note_stay(backward, room, ms)
    np.testing.assert_array_equal(forward.left, backward.left)
    np.testing.assert_allclose(forward.lived, backward.lived)
    assert forward.left.sum() == sum(ms < AHEAD for _, ms in stays)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(OFFERS, min_size=ROOMS, max_size=ROOMS),
    st.permutations(range(ROOMS)),
    st.integers(0, 40 * MINUTE),
)
def test_plans_count_alike_in_whatever_order_they_come(
    offers: list[list[StagedOffer]], order: list[int], after: int
) -> None:
    """The offers that count at a moment are the same for every order in which rooms told their plans, are within
    ten minutes or on, and pulling all leaves none."""
    found = []
    for rooms in (range(ROOMS), order):
        known = Staging()
        for room in rooms:
            staging.put(known, MARKET.shelf, Staged(f"room-{room}", START, 1, tuple(offers[room])))
        found.append(staging.due(known, MARKET.shelf, START + after))
    first, second = found
    assert (first is None) == (second is None)
    if first is None or second is None:
        return
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    assert ((first.kept > 0.0) & (first.kept <= 1.0)).all()
    expected = sum(
        START + after < offer.starts_at <= START + after + AHEAD
        or offer.starts_at <= START + after < (offer.ends_at or 0)
        for of_room in offers
        for offer in of_room
    )
    assert len(first.rooms) == expected
    for room in range(ROOMS):
        staging.put(known, MARKET.shelf, Staged(f"room-{room}", START, 2))
    assert staging.due(known, MARKET.shelf, START + after) is None
