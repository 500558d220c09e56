"""Laws of domains: tags partition impressions, both ways of tagging agree, and the funnel adds up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.made import play

from fieldline import engine
from fieldline.facts import (
    AnyFact,
    Click,
    Domain,
    Impression,
    Order,
    Place,
)
from fieldline.traffic.domains.funnel import ALL, CLICKS, GMV, IMPRESSIONS, ORDERS
from fieldline.traffic.domains.tags import DOMAINS, domain_of, domains_of, standpoint


@pytest.fixture(scope="module")
def played() -> tuple[engine.State, list[AnyFact]]:
    """A played market and its log."""
    return play(240)


@settings(max_examples=40)
@given(
    st.sets(st.sampled_from([f"creator-{i}" for i in range(8)])),
    st.sampled_from(DOMAINS),
    st.integers(-1, 3),
    st.none() | st.tuples(st.floats(29.9, 30.1), st.floats(119.9, 120.1)),
)
def test_tags_of_one_and_of_many_agree(
    played: tuple[engine.State, list[AnyFact]],
    follows: set[str],
    scene: Domain,
    category: int,
    here: tuple[float, float] | None,
) -> None:
    """Whatever the request, every item is of the same one domain whether it is asked of alone or among all."""
    state = played[0]
    place = Place(*here) if here else None
    stand = standpoint(dict.fromkeys(follows, 0), scene, category, place, 10.0)
    items = np.arange(len(state.shelf.facts), dtype=np.int32)
    many = domains_of(stand, state.shelf, state.content.creators, items).tolist()
    assert many == [domain_of(stand, state.shelf, state.content.creators, int(item)) for item in items]


def figures(state: engine.State, name: str) -> NDArray[np.int64]:
    """All that was counted under a name, [figures, domains and uncredited]."""
    rows = [day.owners[name] for day in state.funnel.days.values() if name in day.owners]
    found: NDArray[np.int64] = np.array(rows, np.int64).sum(axis=0).reshape(-1, 5)
    return found


def test_domains_partition_impressions(played: tuple[engine.State, list[AnyFact]]) -> None:
    """Over the domains, impressions, clicks, orders and GMV sum to what the log holds, of all and over merchants."""
    state, facts = played
    total = figures(state, ALL)
    count = {kind: sum(isinstance(fact, kind) for fact in facts) for kind in (Impression, Click, Order)}
    assert total[IMPRESSIONS].sum() == count[Impression] > 0
    assert total[CLICKS].sum() == count[Click] > 0
    assert total[ORDERS].sum() == count[Order] > 0
    assert total[GMV].sum() == sum(fact.amount for fact in facts if isinstance(fact, Order))
    assert (total[IMPRESSIONS, :2] > 0).all() and total[IMPRESSIONS, 4] == 0
    of_merchants = sum((figures(state, f"m:merchant-{i}") for i in range(4)), np.zeros_like(total))
    assert (of_merchants[ORDERS] == total[ORDERS]).all()
    of_categories = sum((figures(state, f"k:kind-{i}") for i in range(3)), np.zeros_like(total))
    assert (of_categories[IMPRESSIONS] == total[IMPRESSIONS]).all()


def test_every_order_has_one_journey(played: tuple[engine.State, list[AnyFact]]) -> None:
    """Journeys and repeats count each order once, and the journeys' money is the log's."""
    state, facts = played
    orders = [fact for fact in facts if isinstance(fact, Order)]
    days = state.funnel.days.values()
    assert sum(n for day in days for n, _ in day.journeys.values()) == len(orders)
    assert sum(gmv for day in days for _, gmv in day.journeys.values()) == sum(o.amount for o in orders)
    assert sum(n for day in days for n, _ in day.repeats.values()) == len(orders)
