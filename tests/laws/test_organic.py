"""Laws of organic prices: ledgers balance to the unit, prices bend as they should, order within a second is nothing."""

from itertools import permutations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.made import POLICY, START, catalogue, decided, wish

from fieldline import engine
from fieldline.contracts.grants import MILLION, Grant, Matching
from fieldline.facts import AnyFact, Click, Earned, Impression, Tick
from fieldline.traffic.organic import credit, inclusion, newcomers, pools
from fieldline.traffic.organic.floors import floor_prices
from fieldline.traffic.organic.moved import Caps, moved, shares
from fieldline.units import DAY, HOUR, YUAN

AMOUNTS = st.lists(st.floats(0.0, 1e4), min_size=1, max_size=30).map(np.array)
MATCHING = Matching(looks_per_yuan=3.0, member_looks=40.0)
STEPS = st.lists(
    st.tuples(st.sampled_from(("grant", "match", "spend", "expire")), st.integers(0, 3), st.integers(0, 60 * MILLION)),
    max_size=40,
)  # fmt: skip


@given(STEPS, st.booleans(), st.sampled_from((0.0, 15.0)))
def test_a_pool_balances_to_the_unit(
    steps: list[tuple[str, int, int]], matches: bool, member_looks: float
) -> None:
    """Whatever is granted, spent and expired in any order, granted = spent + expired + left for pool and members,
    nothing is below 0, and no cap is passed."""
    terms = Grant(
        100.0, member_looks=0.0 if matches else member_looks, matching=MATCHING if matches else None
    )
    ledger, paid = pools.Ledger(), [0, 0, 0, 0]
    pools.begin(ledger, {})
    for what, group, amount in steps:
        if what == "grant" and not matches:
            pools.grant(ledger, min(amount, 100 * MILLION))
        elif what == "match" and matches:
            paid[group] += amount
            pools.match(ledger, group, paid[group], MATCHING, 100 * MILLION)
        elif what == "spend":
            assert pools.spend(ledger, terms, group, amount) <= amount
        elif what == "expire":
            pools.expire(ledger)
        members = ledger.members.values()
        assert ledger.granted == ledger.spent + ledger.expired + ledger.left
        assert min(ledger.granted, ledger.spent, ledger.expired, ledger.left) >= 0
        assert ledger.granted <= 100 * MILLION
        assert sum(member.spent for member in members) == ledger.spent
        if matches:
            assert sum(member.granted for member in members) == ledger.granted
            assert sum(member.expired for member in members) == ledger.expired
            assert all(member.spent + member.expired <= member.granted <= 40 * MILLION for member in members)
        elif member_looks:
            assert all(member.spent <= 15 * MILLION for member in members)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ("earn", "earn_by", "use", "revoke", "revoke_by", "take_back", "decay", "reckon")
            ),
            st.floats(0.0, 50.0),
        ),
        max_size=40,
    )
)
def test_credit_balances_to_the_unit(steps: list[tuple[str, float]]) -> None:
    """Whatever happens in any order, earned = used + expired + revoked + balance, nothing is below 0, and no more is
    taken back for want of a say than is revoked."""
    held = credit.Credits()
    for what, looks in steps:
        match what:
            case "earn":
                credit.earn(held, 3, looks)
            case "use":
                credit.use(held, 3, round(looks * MILLION))
            case "revoke":
                credit.revoke(held, 3, looks)
            case "earn_by":
                credit.earn_by(held, 7, 3, looks)
            case "revoke_by":
                credit.revoke_by(held, 7, 3, looks)
            case "take_back" if (7, 3) in held.by:
                credit.take_back(held, 7, 3)
            case "take_back" | "reckon":
                credit.reckon(held)
            case _:
                credit.decay(held, round(looks * HOUR), 24.0)
        parts = [column.item(3) for column in (held.used, held.expired, held.revoked, held.balance)]
        assert held.earned.item(3) == sum(parts)
        assert min(parts) >= 0
        assert 0 <= held.unheard.item(3) <= held.revoked.item(3)


@given(
    st.lists(st.tuples(st.sampled_from((1, 2)), st.floats(0.0, 50.0), st.integers(0, 30 * HOUR)), max_size=20)
)
def test_taking_back_leaves_what_others_earned(deeds: list[tuple[int, float, int]]) -> None:
    """Two viewers earn one item credit while it decays; taking back the first's leaves the second's, to a millionth of
    a look for each tick and deed."""
    both, second = credit.Credits(), credit.Credits()
    for viewer, looks, passed in deeds:
        credit.earn_by(both, viewer, 3, looks)
        if viewer == 2:
            credit.earn_by(second, viewer, 3, looks)
        for held in (both, second):
            credit.decay(held, passed, 24.0)
    if (1, 3) in both.by:
        credit.take_back(both, 1, 3)
    assert both.balance.item(3) == pytest.approx(second.balance.item(3), abs=2 * len(deeds) + 1)


@given(st.floats(0.0, 3.5), st.lists(st.floats(-1.0, 1.05), min_size=2, max_size=20))
def test_a_floor_costs_more_the_further_it_is_behind(integral: float, behind: list[float]) -> None:
    """With one past, a larger shortfall never has a lower price; prices stay within 0 and 3.5 mean scores."""
    _, prices = floor_prices(np.full(len(behind), integral), np.sort(np.array(behind)))
    assert (np.diff(prices) >= 0.0).all()
    assert prices.min() >= 0.0
    assert prices.max() <= 3.5


@given(AMOUNTS, st.floats(0.01, 3.5))
def test_credit_is_concave_and_capped(looks: np.ndarray, cap: float) -> None:
    """The price rises with the balance, each further look adds less, and it never reaches its cap."""
    balance = (np.arange(50) * (1.0 + looks.max()) * MILLION).astype(np.int64)
    prices = credit.credit_prices(balance, cap)
    assert prices[0] == 0.0
    assert (np.diff(prices) > 0.0).all()
    assert (np.diff(prices, 2) < 1e-12).all()
    assert prices.max() < cap


@given(AMOUNTS, st.floats(0.001, 2.0))
def test_who_is_seen_less_is_lifted_more(exposure: np.ndarray, weight: float) -> None:
    """A creator's price never rises with exposure, and lies between −w/2 and 7.5·w."""
    prices = inclusion.creator_prices(exposure, weight)
    assert (np.diff(prices[np.argsort(exposure, kind="stable")]) <= 1e-12).all()
    assert prices.min() >= -weight / 2.0
    assert prices.max() <= 7.5 * weight


@given(AMOUNTS, st.floats(0.5, 100.0))
def test_the_gini_knows_neither_order_nor_unit(exposure: np.ndarray, unit: float) -> None:
    """It is the same in any order and unit, at least 0, below 1, and a gift from most to least never raises it."""
    found = inclusion.gini(exposure)
    assert 0.0 <= found < 1.0
    assert inclusion.gini(exposure[::-1] * unit) == pytest.approx(found, abs=1e-9)
    most, least = int(exposure.argmax()), int(exposure.argmin())
    given_away = (exposure[most] - exposure[least]) / 4.0
    evened = exposure.copy()
    evened[most] -= given_away
    evened[least] += given_away
    assert inclusion.gini(evened) <= found + 1e-9


@given(
    st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)), min_size=8, max_size=30), st.integers(1, 6)
)
def test_what_some_gain_others_lose(candidates: list[tuple[float, float]], cap: int) -> None:
    """In a slate filled by price, gains and losses sum to nothing, prices get exactly the gains, and without prices
    nothing moves."""
    base, price = np.array(candidates).T
    count, slots = len(base), 4
    looks = np.array([1.0, 0.7, 0.5, 0.2])
    nobody, free = np.full(count, -1, np.int64), np.zeros(count, np.int64)
    slot = np.full(count, -1, np.int64)
    slot[np.argsort(-(base + price), kind="stable")[:slots]] = np.arange(slots)
    found = moved(
        slot, looks, base + price, price, np.stack((base, base), 1), nobody, nobody, free, Caps(cap, cap)
    )
    assert found.looks.sum() == pytest.approx(0.0, abs=1e-9)
    assert found.viewer_value == pytest.approx(-(found.looks * base).sum())
    assert found.viewer_value >= -1e-9  # without prices the best stand first
    by = shares(found.looks, np.stack((price, price), axis=1))
    assert by.sum() == pytest.approx(np.maximum(found.looks, 0.0).sum())
    still = moved(
        slot,
        looks,
        base + price,
        price * 0.0,
        np.stack((base, base), 1),
        nobody,
        nobody,
        free,
        Caps(cap, cap),
    )
    assert (still.looks == 0.0).all()


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 3 * 24), st.floats(0.0, 60.0)), min_size=1, max_size=20)
)
def test_no_work_has_a_floor_but_an_approved_new_one_behind_its_line(
    works: list[tuple[bool, int, float]],
) -> None:
    """What is refused, older than its hours or has its looks costs nothing; the rest at most 3.5 mean scores."""
    held, now = newcomers.Newcomers(), START + 3 * DAY
    for item, (approved, hours, looks) in enumerate(works):
        newcomers.enter(held, item, approved, START + hours * HOUR)
        newcomers.note_look(held, item, looks, 40.0, now)
    there = np.ones(len(works), bool)
    prices = newcomers.priced(held, there, np.ones(24), 40.0, 24 * HOUR, now)
    for (approved, hours, looks), price in zip(works, prices.tolist(), strict=True):
        share = min(1.05 * (72 - hours) / 24, 1.0)
        assert 0.0 <= price <= 3.5
        assert (price > 0.0) == (approved and hours > 48 and looks / 40.0 < share - 1e-12)


@settings(max_examples=10)
@given(st.randoms(use_true_random=False))
def test_the_order_of_facts_within_a_second_is_nothing(random: object) -> None:
    """Impressions and clicks of one second, in whatever order, leave the same accounts and prices."""
    found = {msgspec.msgpack.encode(_accounts(order)) for order in _orders(random)}
    assert len(found) == 1


def _orders(random: object) -> list[tuple[AnyFact, ...]]:
    at = START + 10_000
    facts: list[AnyFact] = [Click(f"c{k}", at, f"d{k}", f"video-{1 + 8 * k}") for k in range(2)]
    facts += [Impression(f"i{k}", at, f"d{k}", f"video-{1 + 8 * k}") for k in range(2)]
    every = list(permutations(facts))
    random.shuffle(every)  # type: ignore[attr-defined]
    return every[:3]


def _accounts(order: tuple[AnyFact, ...]) -> tuple[object, ...]:
    policy = msgspec.structs.replace(
        POLICY, gini=0.5, newcomer_looks=20.0, earned=Earned(per_click=3.0, per_order=5.0)
    )
    state = engine.init(policy)
    terms = {"merchant": "merchant-1", "budget": 40 * YUAN, "goal": 2.0, "start": START, "end": START + DAY}
    begun: tuple[AnyFact, ...] = (Tick(START), *catalogue(), wish("shop", "storewide", "merchant-1", terms))
    for fact in begun:
        engine.reduce(state, fact)
    for k in range(2):
        slate = decided(f"d{k}", f"viewer-{k}", (f"video-{1 + 8 * k}", "shop", YUAN // 100), at=START + 9_000)
        engine.reduce(state, slate)
    for fact in (*order, Tick(START + 300_000)):
        engine.reduce(state, fact)
    organic = state.organic
    assert organic.credits.earned.sum() == 6 * MILLION
    return (
        organic.credits.balance.tobytes(), organic.newcomers.given.tobytes(), organic.inclusion.exposure.tobytes(),
        organic.parts.tobytes(), state.shelf.rows.tobytes(),
    )  # fmt: skip
