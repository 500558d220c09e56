"""Laws of accounts: over whatever happens, every way of telling a contract's day tells the same day."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.made import POLICY, START, decided, wish

from fieldline import engine
from fieldline.contracts import tally
from fieldline.contracts.horizon import day_of
from fieldline.contracts.tally import FIGURES, HELD, TREATED
from fieldline.facts import (
    AnyFact,
    Click,
    Creator,
    Follow,
    Impression,
    Lead,
    LongView,
    Merchant,
    Order,
    Product,
    Refund,
    Tick,
    Video,
    Viewer,
    ViewerErased,
    WishEnded,
    WishPaused,
)
from fieldline.traffic import pace, worth
from fieldline.traffic.measure import account_of
from fieldline.units import DAY, HOUR, MINUTE, YUAN

LAW = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],  # a stream has no smaller one to look for
)
VIEWERS = 6
SHOPS = ("m", "n")
GOODS = {"p": "m", "q": "m", "x": "n"}
ITEMS = ("p", "q", "x", "v", "w", "y")
OFFERS: dict[str, tuple[str, dict[str, object]]] = {
    "store": ("storewide", {"goal": 2.0, "daily": 20 * YUAN, "holdout": 0.3}),
    "net": ("net_roi", {"goal": 1.0, "holdout": 0.5}),
    "ads": ("ads_roi", {"goal": 1.0, "holdout": 0.0}),
    "extra": ("incremental_roi", {"goal": 1.0}),
    "long": ("long_run_roi", {"goal": 1.0, "days": 7}),
    "cost": ("cost_cap", {"cost": 9.0}),
    "most": ("max_delivery", {"daily": 9 * YUAN}),
    "fans": ("follower_growth", {"cost": 2.0}),
    "asks": ("leads", {"cost": 3.0, "capacity": 2}),
    "come": ("visits", {"cost": 3.0}),
}


def campaign(id: str, version: int = 1, **changed: object) -> AnyFact:
    offer, own = OFFERS[id]
    terms = {
        "merchant": "n" if id == "most" else "m",
        "budget": 60 * YUAN,
        "start": START,
        "end": START + 3 * DAY,
    }
    return wish(id, offer, "m", terms | own | changed, version)


def beginning() -> list[AnyFact]:
    """Two shops with three products and three videos, six viewers, and a campaign of every kind."""
    goods = (Product(id, shop, 100 * YUAN, 10**6, refund_rate=0.1) for id, shop in GOODS.items())
    videos = (Video(id, "c", product=product) for id, product in zip("vwy", GOODS, strict=True))
    viewers = (Viewer(f"u{n}") for n in range(VIEWERS))
    shops = (Merchant(id) for id in SHOPS)
    return [
        POLICY,
        Tick(START),
        Creator("c"),
        *shops,
        *goods,
        *videos,
        *viewers,
        *(campaign(id) for id in OFFERS),
    ]


def some(rng: np.random.Generator, count: int) -> list[AnyFact]:  # noqa: PLR0912 (a case for each kind of fact)
    """What may happen over about three days, every kind of fact among it."""
    at, facts, orders, decisions = START, list[AnyFact](), list[Order](), list[tuple[str, str]]()
    versions, gone = Counter(dict.fromkeys(OFFERS, 1)), set[str]()
    for n in range(count):
        at += int(rng.exponential(3 * DAY / count))
        viewer, kind = f"u{rng.integers(VIEWERS)}", rng.random()
        if viewer in gone:
            continue
        if kind < 0.35:
            places = tuple(
                (
                    str(item),
                    str(rng.choice([*OFFERS])) if rng.random() < 0.6 else None,
                    int(rng.integers(1, 3 * YUAN)),
                )
                for item in rng.choice(ITEMS, 2, replace=False)
            )
            id, late = f"d{n}", int(rng.integers(0, HOUR)) * int(rng.random() < 0.2)
            facts.append(decided(id, viewer, *((i, c, m if c else 0) for i, c, m in places), at=at - late))
            for item, _, _ in places:
                if rng.random() < 0.8:
                    facts.append(Impression(f"i{n}{item}", at + 1, id, item))
                    facts.append(LongView(f"l{n}{item}", at + 2, id, item))
                    decisions.append((id, item))
        elif kind < 0.5 and decisions:
            id, item = decisions[int(rng.integers(max(len(decisions) - 4, 0), len(decisions)))]
            facts.append(Click(f"c{n}", at, id, item))
        elif kind < 0.68:
            bought = Order(f"o{n}", at - int(rng.integers(0, HOUR)), viewer, str(rng.choice([*GOODS])),
                           int(rng.integers(1, 100 * YUAN)))  # fmt: skip
            orders.append(bought)
            facts.append(bought)
        elif kind < 0.76 and orders:
            order = orders.pop(int(rng.integers(len(orders))))
            facts.append(Refund(f"r{n}", at, order.id, int(rng.integers(1, order.amount + 1))))
        elif kind < 0.80:
            facts.append(Follow(f"f{n}", at, viewer, "c", bool(rng.random() < 0.8)))
        elif kind < 0.86:
            facts.append(
                Lead(
                    f"e{n}", at, viewer, str(rng.choice(SHOPS)), bool(rng.random() < 0.5), rng.random() < 0.8
                )
            )
        elif kind < 0.90:
            id = str(rng.choice([*OFFERS]))
            versions[id] += 1
            facts.append(campaign(id, versions[id], budget=int(rng.integers(60, 90)) * YUAN))
        elif kind < 0.92:
            facts.append(WishPaused(str(rng.choice([*OFFERS])), at, bool(rng.random() < 0.4)))
        elif kind < 0.925:
            facts.append(WishEnded(str(rng.choice([*OFFERS])), at))
        elif kind < 0.93 and len(gone) < VIEWERS - 2:
            gone.add(viewer)
            facts.append(ViewerErased(viewer, at))
        else:
            facts.append(Tick(at - at % (5 * MINUTE)))
    return facts


def played(seed: int, count: int = 160) -> tuple[engine.State, list[AnyFact]]:
    facts = beginning() + some(np.random.default_rng(seed), count)
    state = engine.State(policy=POLICY)
    for fact in facts:
        engine.reduce(state, fact)
    return state, facts


@LAW
@given(st.integers(0, 1 << 32))
def test_a_day_told_four_ways_is_one_day(seed: int) -> None:
    """For every contract-day and figure the sums by hour, scene, buyer and item are one; paid figures stay within
    all; and the days add up to the book's spend, impressions, orders, sales and value."""
    state, _ = played(seed)
    book, seen = state.book, np.zeros(len(FIGURES), np.int64)
    for number in range(len(book)):
        days = state.tallies.get(number, {})
        for of_day in days.values():
            total = of_day.total
            for other in (of_day.scenes.sum(axis=0), of_day.buyers.sum(axis=0), sum_of(of_day.items)):
                assert np.array_equal(total, other)
            assert (total >= 0).all()
            assert total[tally.STOREWIDE] >= total[tally.ATTRIBUTED] >= total[tally.ATTRIBUTED_REFUNDED]
            assert total[tally.STOREWIDE] >= total[tally.REFUNDED] >= total[tally.ATTRIBUTED_REFUNDED]
            assert total[tally.ORDERS] >= total[tally.PAID_ORDERS]
            seen += total
        whole = sum((of_day.total for of_day in days.values()), np.zeros(len(FIGURES), np.int64))
        assert whole[tally.SPEND] == book.spent[number]
        assert whole[tally.IMPRESSIONS] == book.impressions[number]
        assert whole[tally.PAID_ORDERS] == book.orders[number]
        assert whole[tally.STOREWIDE] - whole[tally.REFUNDED] == book.storewide[number]
        assert whole[tally.ATTRIBUTED] - whole[tally.ATTRIBUTED_REFUNDED] == book.attributed[number]
        assert sum(of_day.value for of_day in days.values()) == pytest.approx(book.value[number], abs=1e-6)
    assert (seen[[tally.SPEND, tally.CLICKS, tally.ORDERS, tally.REFUNDED, tally.STOREWIDE]] > 0).all()


def sum_of(items: dict[int, list[int]]) -> np.ndarray:
    return np.asarray(np.array(list(items.values()), np.int64).reshape(-1, len(FIGURES)).sum(axis=0))


@LAW
@given(st.integers(0, 1 << 32))
def test_treated_and_held_out_are_all(seed: int) -> None:
    """On every day the two arms' GMV and orders add up to the storewide ones, nobody is held out without a holdout,
    and the day's account, which checks its own identities, can be made."""
    state, _ = played(seed)
    compared = 0
    for number, days in state.tallies.items():
        for day, of_day in days.items():
            gmv = sum(sum(totals.values()) for totals in of_day.of_arm)
            assert gmv == of_day.total[tally.STOREWIDE]
            assert sum(of_day.orders_of_arm) == of_day.total[tally.ORDERS]
            assert of_day.holdout > 0.0 or of_day.orders_of_arm[HELD] == 0
            assert account_of(state, number, day).spend == of_day.total[tally.SPEND]
            compared += int(of_day.orders_of_arm[HELD] > 0 < of_day.orders_of_arm[TREATED])
    assert compared > 0


@LAW
@given(st.integers(0, 1 << 32))
def test_no_budget_of_the_whole_or_of_a_day_is_passed(seed: int) -> None:
    """After every fact spent plus reserved stays within each budget, and no day's tally within a daily one is passed,
    whatever came late; value owed is spend × goal."""
    state = engine.State(policy=POLICY)
    for fact in beginning() + some(np.random.default_rng(seed), 160):
        engine.reduce(state, fact)
        count = len(state.book)
        taken = state.book.spent[:count] + state.book.reserved[:count]
        assert (taken <= state.book.budget[:count]).all()
        assert (state.book.reserved[:count] >= 0).all()
        assert (state.book.today[:count] <= state.book.daily[:count]).all()
        assert (state.book.today[:count] >= 0).all()
    for number, days in state.tallies.items():
        limit = state.book.contracts[number].limit
        for of_day in days.values():
            spend = int(of_day.total[tally.SPEND])
            assert spend <= (limit.daily or limit.budget)
            assert of_day.owed == pytest.approx(limit.goal * spend / YUAN)


@settings(LAW, max_examples=3)
@given(st.integers(0, 1 << 32), st.integers(20, 180))
def test_a_snapshot_keeps_every_account(seed: int, cut: int) -> None:
    """Encoded and decoded in the middle, the rest of the facts makes the same state as without."""
    state, facts = played(seed)
    again = engine.State(policy=POLICY)
    for fact in facts[:cut]:
        engine.reduce(again, fact)
    again = engine.decode(engine.encode(again))
    for fact in facts[cut:]:
        engine.reduce(again, fact)
    assert engine.encode(again) == engine.encode(state)
    assert again.tallies.keys() == state.tallies.keys()


@LAW
@given(st.integers(0, 1 << 32), st.lists(st.integers(0, VIEWERS - 1), min_size=1, max_size=3, unique=True))
def test_who_is_erased_is_in_no_account(seed: int, erased: list[int]) -> None:
    """Erased viewers' numbers are in no arm, cohort, first order, fan, order or touch; sums of money stay."""
    state, _ = played(seed)
    numbers = {state.people.names.find(f"u{n}") for n in erased} - {-1}
    before = [of_day.total.tolist() for days in state.tallies.values() for of_day in days.values()]
    arms = [
        sum(t.values()) for days in state.tallies.values() for of_day in days.values() for t in of_day.of_arm
    ]
    for n in erased:
        engine.reduce(state, ViewerErased(f"u{n}", state.now))
    tallies = [of_day for days in state.tallies.values() for of_day in days.values()]
    left = {viewer for of_day in tallies for totals in of_day.of_arm for viewer in totals}
    left |= {viewer for _, viewer in state.outcomes.cohort}
    left |= {viewer for viewer, _ in (*state.worth.first_orders, *state.worth.fans, *state.outcomes.touches)}
    left |= {bought.viewer for bought in state.outcomes.orders.values()}
    left |= {shown.viewer for shown in state.outcomes.open.values()}
    assert not numbers & left
    assert [of_day.total.tolist() for of_day in tallies] == before
    assert [sum(totals.values()) for of_day in tallies for totals in of_day.of_arm] == arms


EDITS = st.fixed_dictionaries(
    {},
    optional={
        "budget": st.integers(60, 10**6).map(lambda yuan: yuan * YUAN),
        "goal": st.floats(0.1, 50.0),
        "daily": st.none() | st.integers(1, 60 * YUAN),
        "end": st.integers(1, 100).map(lambda days: START + days * DAY),
        "hours": st.sampled_from(["", "1" * 168, "01" * 84]),
        "scenes": st.lists(st.sampled_from(["video", "mall", "live"]), unique=True),
        "holdout": st.floats(0.0, 0.5),
        "units": st.lists(st.sampled_from(["a", "b"]), unique=True).map(
            lambda ids: [{"id": id} for id in ids]
        ),
    },
)


@LAW
@given(st.integers(0, 3), st.lists(EDITS, min_size=1, max_size=5))
def test_no_edit_resets_anything(seed: int, edits: list[dict[str, object]]) -> None:
    """Whatever is edited how often, multiplier, landscape, what was spent, counted and told of each day stay."""
    state, facts = played(seed, 120)
    version = max(int(getattr(fact, "version", 0)) for fact in facts if getattr(fact, "id", "") == "store")
    number = state.book.names.find("store")
    state.prices.supply_cost[number, 5] = state.prices.sampled[number] = 7.0
    before = learned(state, number)
    for n, edit in enumerate(edits):
        engine.reduce(state, campaign("store", version + 1 + n, **edit))
        assert learned(state, number) == before
    assert state.book.versions["store"] == version + len(edits)
    assert int(state.book.funded[number]) == int(state.book.budget[number])


COUNTED = ("spent", "reserved", "today", "value", "looks", "impressions", "orders", "attributed", "storewide")


def learned(state: engine.State, number: int) -> tuple[object, ...]:
    """What a contract has learned and earned, as bytes."""
    columns = [getattr(state.prices, name) for name in pace.COLUMNS]
    columns += [
        getattr(state.worth, name) for name in worth.COLUMNS if name != "mean_price"
    ]  # the price list's
    columns += [getattr(state.book, name) for name in COUNTED]
    days = [
        (day, of_day.total.tobytes(), of_day.value, of_day.owed, str(of_day.of_arm))
        for day, of_day in state.tallies.get(number, {}).items()
    ]
    return (*(column[number].tobytes() for column in columns), days)


def test_the_streams_hold_what_the_laws_speak_of() -> None:
    """Over six streams there are late decisions, refunds, fans, leads, visits, full days, ends and erasures."""
    kinds, figures = Counter[str](), np.zeros(len(FIGURES), np.int64)
    for seed in range(6):
        state, facts = played(seed)
        kinds.update(type(fact).__name__ for fact in facts)
        for days in state.tallies.values():
            figures += sum((of_day.total for of_day in days.values()), np.zeros(len(FIGURES), np.int64))
        kinds["days"] += len({day_of(fact.at) for fact in facts if isinstance(fact, Order)})
    assert (figures > 0).all()
    assert all(
        kinds[name] > 2 for name in ("Refund", "Follow", "Lead", "WishPaused", "WishEnded", "ViewerErased")
    )
    assert kinds["days"] >= 12
