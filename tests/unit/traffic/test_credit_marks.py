"""1+N credit and who earns it: a ring earns its merchant nothing, whoever has a life of their own, or is new, does."""

from collections.abc import Iterable, Iterator

import msgspec
import pytest
from tests import town
from tests.made import decided, wish
from tests.town import DAYS, SHOPS

from fieldline import engine
from fieldline.app import DEFAULT_POLICY
from fieldline.contracts.grants import MILLION
from fieldline.facts import (
    AnyFact,
    Click,
    Earned,
    Merchant,
    Order,
    Product,
    Refund,
    Tick,
    Viewer,
    ViewerErased,
    Wish,
)
from fieldline.traffic.organic import report
from fieldline.units import DAY, HOUR, MINUTE, YUAN

BEGIN = town.START + DAYS * DAY
EARNED = Earned(per_click=4.0, per_order=10.0, half_life_hours=24.0, cap=0.5)
RING, HONEST = 20, 3
"""A shop that serves badly, and one that serves well."""
ROUNDING = 20
"""Millionths of a look by which decay, rounded at every tick, differs from decay all at once."""
RINGED = tuple(f"ring-{number}" for number in range(20))


@pytest.fixture(scope="module")
def base() -> bytes:
    """The settled town, in which every shop pays for places and paid clicks and orders earn credit."""
    state = engine.decode(town.settled())
    engine.reduce(state, msgspec.structs.replace(DEFAULT_POLICY, earned=EARNED))
    for shop in range(SHOPS):
        engine.reduce(state, pays(shop))
    engine.reduce(state, Tick(BEGIN + 5 * MINUTE))
    return engine.encode(state)


def pays(shop: int) -> Wish:
    """The contract under which a shop pays for places."""
    terms: dict[str, object] = {
        "merchant": f"shop-{shop}", "budget": 9_000 * YUAN, "goal": 2.0, "start": BEGIN, "end": BEGIN + 9 * DAY,
    }  # fmt: skip
    return wish(f"pays-{shop}", "storewide", f"shop-{shop}", terms, at=BEGIN)


def bought(viewer: str, shop: int, day: int, orders: int = 1) -> Iterator[AnyFact]:
    """A viewer clicks a paid place of a shop on a day after the town's, and orders so many times."""
    at, id = BEGIN + day * DAY + HOUR, f"{viewer}/{shop}/{day}"
    yield decided(id, viewer, (f"goods-{shop}", f"pays-{shop}", YUAN // 100), at=at, scene="mall")
    yield Click(f"{id}/click", at, id, f"goods-{shop}")
    yield from ordered(viewer, shop, day, orders)


def ordered(viewer: str, shop: int, day: int, orders: int = 1) -> Iterator[AnyFact]:
    """A viewer orders so many times at a shop on a day."""
    at, id = BEGIN + day * DAY + HOUR + MINUTE, f"{viewer}/{shop}/{day}"
    for number in range(orders):
        yield Order(f"{id}/{number}", at + number, viewer, f"goods-{shop}", 50 * YUAN)


def played(base: bytes, facts: Iterable[AnyFact], until: int = 1) -> engine.State:
    """The town after more facts, in the order of time, with a tick each six hours of so many days."""
    state = engine.decode(base)
    ticks = [Tick(BEGIN + hours * HOUR) for hours in range(6, 24 * until + 1, 6)]
    for fact in sorted((*facts, *ticks), key=lambda fact: getattr(fact, "at", 0)):
        engine.reduce(state, fact)
    return state


def ring(shop: int = RING, days: int = 3, orders: int = 3) -> list[AnyFact]:
    """Twenty new accounts that live for one shop: a click a day, and so many orders."""
    deals = [fact for day in range(days) for name in RINGED for fact in bought(name, shop, day, orders)]
    return [*accounts(RINGED), *deals]


def accounts(names: Iterable[str]) -> list[AnyFact]:
    return [Viewer(name) for name in names]


def told(state: engine.State, shop: int) -> report.CreditsReport:
    found = report.credits_report(state, f"shop-{shop}")
    assert found.earned == found.used + found.expired + found.revoked + found.balance
    return found


LIVED = [fact for number in range(12) for fact in bought(f"buyer-{number}", HONEST, number % 2)]
"""Twelve of the town's buyers buy at a shop that pays."""


def test_a_ring_has_nothing_the_morning_after(base: bytes) -> None:
    """Of twenty accounts that live for one shop, with three orders on each of three days, the first order and click
    earn; all of it is taken back at the first midnight, for that reason, and nothing is earned after it."""
    found = told(played(base, ring(), until=3), RING)
    assert (found.earned, found.balance, found.used) == (20 * 14 * MILLION, 0, 0)
    assert found.revoked == found.revoked_unheard == found.earned - found.expired
    assert found.expired < 0.51 * found.earned  # till the midnight after it was earned
    assert found.unheard == 20
    # two further orders on the first day, then three and a click on each of two days
    assert found.ignored == 20 * (2 + 2 * 4)
    assert found.refused == 20 * 2


def test_decoys_stand_for_nobody(base: bytes) -> None:
    """Twenty accounts that buy at four shops of their own beside have nothing the morning after, either."""
    decoys: list[AnyFact] = [Merchant(f"shop-{shop}") for shop in range(90, 94)]
    decoys += [
        Product(f"goods-{shop}", f"shop-{shop}", 50 * YUAN, 9_000, category="tea") for shop in range(90, 94)
    ]
    lives = [fact for name in RINGED for shop in range(90, 94) for fact in ordered(name, shop, 0)]
    found = told(played(base, [*decoys, *ring(days=1), *lives]), RING)
    assert (found.earned, found.unheard) == (20 * 14 * MILLION, 20)
    assert found.balance == pytest.approx(0, abs=ROUNDING)


def test_who_buys_where_others_do_cannot_be_told(base: bytes) -> None:
    """Twenty accounts with three orders on each of three days at each of six shops of standing have a life, and earn at
    all of them from the first midnight on."""
    shops = (15, 17, 18, 20, 21, 23)
    deals = [
        fact for shop in shops for day in range(3) for name in RINGED for fact in bought(name, shop, day, 3)
    ]
    state = played(base, [*accounts(RINGED), *deals], until=3)
    assert [told(state, shop).unheard for shop in shops] == [0] * 6
    assert told(state, RING).earned == 20 * (14 + 2 * 34) * MILLION


def test_an_honest_merchant_is_left_as_it_is(base: bytes) -> None:
    """Whether there is a ring or not, a merchant whose buyers have lives of their own has the same statement to the
    unit: four looks a click and ten an order."""
    alone, beside = (played(base, facts, until=2) for facts in (LIVED, [*LIVED, *ring()]))
    found = told(alone, HONEST)
    assert found.earned == 12 * 14 * MILLION
    assert (found.revoked, found.ignored, found.unheard) == (0, 0, 0)
    assert msgspec.structs.asdict(told(beside, HONEST)) == msgspec.structs.asdict(found)


def test_a_ring_takes_nothing_of_what_true_buyers_earned(base: bytes) -> None:
    """At the ring's own shop what is left after it are what true buyers earned, to the unit."""
    true = [fact for number in range(12) for fact in bought(f"buyer-{number}", RING, 1)]
    before, after = (told(played(base, facts, until=2), RING) for facts in (true, [*true, *ring()]))
    assert after.balance == before.balance > 0


def test_who_is_new_earns(base: bytes) -> None:
    """Three viewers whose first order ever is at an honest shop earn it as much as others do, and keep it."""
    names = [f"new-{number}" for number in range(3)]
    orders = [fact for name in names for fact in bought(name, HONEST, 0)]
    found = told(played(base, [*accounts(names), *orders]), HONEST)
    assert (found.earned, found.revoked, found.unheard) == (3 * 14 * MILLION, 0, 0)


def test_new_buyers_beyond_what_trade_explains_are_marked(base: bytes) -> None:
    """Of twenty accounts that buy once each at one shop the first three keep what they earned; twenty others on the
    next day earn nothing by their orders."""
    names = [f"more-{number}" for number in range(20)]
    more = [*accounts(names), *(fact for name in names for fact in bought(name, RING, 1))]
    state = played(base, ring(days=1, orders=1))
    found = told(state, RING)
    assert found.unheard == 17
    assert found.revoked == found.revoked_unheard
    three = [fact for name in RINGED[:3] for fact in bought(name, RING, 0)]
    first = told(played(base, [*accounts(RINGED[:3]), *three]), RING)
    assert found.balance == pytest.approx(first.balance, abs=ROUNDING)
    assert first.balance > 0
    later = told(played(base, [*ring(days=1, orders=1), *more], until=2), RING)
    assert later.earned == found.earned + 20 * 4 * MILLION
    assert later.ignored == 20


def test_one_account_with_a_hundred_orders_earns_by_one(base: bytes) -> None:
    """Before it is judged an account without a life counts once."""
    found = told(played(base, [Viewer("ring-0"), *bought("ring-0", RING, 0, 100)]), RING)
    assert (found.earned, found.ignored, found.balance) == (14 * MILLION, 99, 0)


def test_what_a_merchant_s_own_account_earned_is_taken_back(base: bytes) -> None:
    """A true buyer's credit goes at the midnight after the merchant calls the account its own."""
    mine = Merchant(f"shop-{HONEST}", accounts=("buyer-1",))
    state = played(base, bought("buyer-1", HONEST, 0))
    assert told(state, HONEST).balance > 0
    for fact in (mine, Tick(BEGIN + 2 * DAY)):
        engine.reduce(state, fact)
    found = told(state, HONEST)
    assert found.balance == 0
    assert found.revoked == found.revoked_unheard > 0


def test_a_refund_takes_back_nothing_that_was_not_earned(base: bytes) -> None:
    """An account that buys and sends back costs a merchant nothing: what was ignored is not revoked, nor what was taken
    back already."""
    refunds = [
        Refund(f"{name}/back/{number}", BEGIN + day * DAY + 2 * HOUR, f"{name}/{HONEST}/0/{number}", 50 * YUAN)
        for name in RINGED for number, day in ((0, 1), (1, 0), (2, 1))
    ]  # fmt: skip
    alone = told(played(base, LIVED, until=2), HONEST)
    found = told(played(base, [*LIVED, *ring(HONEST, days=1), *refunds], until=2), HONEST)
    assert found.balance == pytest.approx(alone.balance, abs=ROUNDING)
    assert found.revoked == found.revoked_unheard > 0


def test_in_a_young_market_nobody_is_marked() -> None:
    """Where hardly anyone has bought twice, twenty accounts that live for one shop earn like others."""
    state = engine.init(msgspec.structs.replace(DEFAULT_POLICY, earned=EARNED))
    engine.reduce(state, Tick(BEGIN))
    for entry in town.entries():
        engine.reduce(state, entry)
    engine.reduce(state, pays(RING))
    found = told(played(engine.encode(state), ring(days=1)), RING)
    assert found.earned == 20 * 34 * MILLION
    assert (found.revoked, found.ignored) == (0, 0)


def test_a_snapshot_keeps_marks_and_an_erased_viewer_leaves_none(base: bytes) -> None:
    """The state with marks decodes to the same bytes; after erasure no mark and no earning names the viewer."""
    state = played(base, [*LIVED, *ring()], until=2)
    encoded = engine.encode(state)
    assert engine.encode(engine.decode(encoded)) == encoded
    for name in ("ring-4", "buyer-1"):
        viewer = state.people.names.find(name)
        before = told(state, HONEST)
        keyed = [*state.trust.marks.pairs, *state.organic.credits.by]
        assert any(key[0] == viewer for key in keyed)
        engine.reduce(state, ViewerErased(name, state.now))
        assert not any(key[0] == viewer for key in (*state.trust.marks.pairs, *state.organic.credits.by))
        assert told(state, HONEST) == before
