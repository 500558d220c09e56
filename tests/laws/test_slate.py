"""Laws of the slate: what holds for every market, every rule and every order of candidates."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.draws import is_held
from fieldline.traffic import oracle_answer as oracle
from fieldline.traffic.allocate import Desk, Rules, Slate, allocate
from fieldline.traffic.pace import STEP
from fieldline.traffic.rows import ORGANIC_PRICE, PRICED
from fieldline.traffic.toy import Market, market_at_random, market_by_hand, rules_by_hand

DESK = Desk()

markets = st.builds(
    market_at_random,
    seed=st.integers(0, 1 << 30),
    items=st.sampled_from([1, 2, 7, 30, 400]),
    contracts=st.integers(1, 12),
    promoted=st.sampled_from([0.0, 0.3, 0.9]),
    merchants=st.sampled_from([1, 4, 100]),
    categories=st.sampled_from([1, 5, 50]),
    bid_scale=st.sampled_from([0.1, 1.0, 3.0]),
    gates=st.sampled_from([1, 2, 9]),
    holdout=st.sampled_from([0.0, 1.0]),
)


@st.composite
def rules(draw: Any) -> Rules:
    looks = sorted(draw(st.lists(st.floats(0.0, 1.0, width=16), min_size=1, max_size=10)), reverse=True)
    small = st.integers(0, 3)
    return rules_by_hand(
        looks,
        ad_price=draw(st.sampled_from([0.0, 0.002, 0.05])),
        max_ads=draw(st.integers(0, len(looks))),
        first_ad=draw(small),
        ad_gap=draw(small),
        merchant_cap=1 + draw(small),
        category_cap=1 + draw(small),
        explained=draw(st.sampled_from([0, 5, 30, 150])),
    )


ways = st.sampled_from(
    [{}, {"landscape": True}, {"paid": False}, {"random_key": 5}, {"random_key": (1 << 64) - 3}]
)


def asked(market: Market) -> Any:
    """Who asks."""
    return {"open_gates": market.open_gates, "viewer_key": market.viewer_key}


def value_told(slate: Slate) -> dict[int, float]:
    told: dict[int, float] = {}
    for contract, _, value, _ in np.frombuffer(slate.landscape, STEP).tolist():
        told[contract] = told.get(contract, 0.0) + value
    return told


def parts(slate: Slate) -> tuple[Any, ...]:
    return (
        slate.slots.tobytes(),
        slate.eligible,
        slate.contenders,
        slate.contributions,
        slate.landscape,
        slate.dropped_steps,
    )


@settings(deadline=None)
@given(markets, rules(), ways, st.randoms(use_true_random=False))
def test_order_of_candidates_is_irrelevant(market: Market, rules: Rules, way: Any, random: Any) -> None:
    """A slate, its charges and its whole account are the same bits whatever the order of the candidates."""
    shuffled = market.candidates.tolist()
    random.shuffle(shuffled)
    one = allocate(market.candidates, market.viewer, 0, market.index, market.prices, rules, DESK, **way)
    other = allocate(
        np.array(shuffled, np.int32), market.viewer, 0, market.index, market.prices, rules, DESK, **way
    )
    assert parts(one) == parts(other)
    assert one.propensity.hex() == other.propensity.hex()


@settings(max_examples=200, deadline=None)
@given(markets, rules(), ways)
def test_kernel_equals_oracle(market: Market, rules: Rules, way: Any) -> None:
    """The kernel's slate, ranks, charges, account and landscape are the plain NumPy oracle's, bit for bit."""
    request = (market.candidates, market.viewer, 0, market.index, market.prices, rules)
    ours = allocate(*request, DESK, **(way | asked(market)))
    theirs = oracle.allocate(*request, **(way | asked(market)))
    assert parts(ours) == parts(theirs)
    assert ours.propensity == pytest.approx(theirs.propensity, rel=1e-12)


@settings(deadline=None)
@given(markets, rules(), ways)
def test_a_contract_held_out_or_behind_closed_gates_is_one_that_does_not_bid(
    market: Market, rules: Rules, way: Any
) -> None:
    """Slate, charges, account and landscape are those of α = 0 for each contract that the request shuts out."""
    index, prices = market.index, market.prices
    request = (market.candidates, market.viewer, 0)
    ours = allocate(*request, index, prices, rules, DESK, **(way | asked(market)))
    count = len(prices.alpha)
    held = [is_held(market.viewer_key, int(prices.contract_key[j]), prices.holdout[j]) for j in range(count)]
    alpha = np.where(held, 0.0, prices.alpha)
    within = market.open_gates[index.gate] == 1
    others = range(count, 2 * count)  # each contract once more, silent, for its entries behind closed gates
    split = replace(
        index, contracts=np.where(within, index.contracts, index.contracts + count).astype(np.int32)
    )
    silent = replace(
        prices,
        alpha=np.concatenate([alpha, np.zeros(count)]),
        bid_cap=np.tile(prices.bid_cap, 2),
        organic=np.tile(prices.organic, 2),
        meter=np.tile(prices.meter, (1, 2, 1)),
        holdout=np.zeros(2 * count),
        contract_key=np.tile(prices.contract_key, 2),
    )
    theirs = allocate(*request, split, silent, rules, DESK, **way)
    assert (ours.places, ours.contenders) == (theirs.places, theirs.contenders)
    assert (ours.landscape, ours.propensity) == (theirs.landscape, theirs.propensity)
    assert not set(ours.slots["contract"].tolist()) & {*np.flatnonzero(held).tolist(), *others}


@settings(deadline=None)
@given(markets, rules())
def test_a_contract_that_may_bid_nothing_still_logs_what_it_could_buy(market: Market, rules: Rules) -> None:
    """With no bid at all, each contract is told of as much value as with a bid too low to win anything."""
    request = (market.candidates, market.viewer, 0, market.index)
    none, little = (
        replace(market.prices, bid_cap=np.full(len(market.prices.alpha), cap)) for cap in (0.0, 1e-12)
    )
    resting = allocate(*request, none, rules, DESK, landscape=True)
    losing = allocate(*request, little, rules, DESK, landscape=True)
    assert (resting.slots["contract"] == -1).all()
    if (losing.slots["contract"] == -1).all():
        assert value_told(resting) == pytest.approx(value_told(losing))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("merchants", "categories"), [(5_000, 50), (3, 2), (1, 50)])
def test_kernel_equals_oracle_at_full_size(seed: int, merchants: int, categories: int) -> None:
    """At 2,000 candidates, also where caps keep the whole head out, the kernel equals the oracle."""
    market = market_at_random(
        seed, 3_000, promoted=0.5, merchants=merchants, categories=categories, bid_scale=1.0
    )
    chosen = np.random.default_rng(seed).choice(3_000, 2_000, replace=False).astype(np.int32)
    rules = rules_by_hand(
        (0.9 * 0.85 ** np.arange(10.0)).tolist(), max_ads=4, ad_gap=1, merchant_cap=2, category_cap=4
    )
    request = (chosen, market.viewer, 0, market.index, market.prices, rules)
    assert parts(allocate(*request, DESK, landscape=True)) == parts(oracle.allocate(*request, landscape=True))


@settings(deadline=None)
@given(markets, rules())
def test_caps_gap_and_load_hold(market: Market, rules: Rules) -> None:
    """No slate has more ads, nearer ads, earlier ads or more of one merchant or category than allowed."""
    slots = allocate(market.candidates, market.viewer, 0, market.index, market.prices, rules, DESK).slots
    ads = np.flatnonzero(slots["contract"] >= 0)
    assert len(ads) <= rules.max_ads
    assert (ads >= rules.first_ad).all()
    assert (np.diff(ads) > rules.ad_gap).all()
    for group, cap in (
        (market.index.merchant, rules.merchant_cap),
        (market.index.category, rules.category_cap),
    ):
        shown = Counter(group[slots["item"]].tolist())
        shown.pop(-1, None)
        assert all(count <= cap for count in shown.values())
    assert len(set(slots["item"].tolist())) == len(slots)


@settings(deadline=None)
@given(
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=12),
    st.data(),
    st.floats(-2.0, 2.0),
    st.floats(0.0, 2.0),
)
def test_shadow_price_of_a_limit_moves_its_use_the_right_way(
    scores: list[float], data: Any, price: float, more: float
) -> None:
    """With one contract and slot, a higher price of a ceiling never raises its use, of a floor never lowers it."""
    used = data.draw(st.lists(st.sampled_from(range(len(scores))), min_size=1, unique=True))
    rules = rules_by_hand([0.7])

    def use(organic_price: float) -> float:
        market = market_by_hand(scores, [(used, 0.0)])
        market.prices.organic[0] = organic_price
        market.index.rows[used, ORGANIC_PRICE] += np.float32(organic_price)
        market.index.rows.view(np.int32)[used, 30] |= PRICED
        slots = allocate(market.candidates, market.viewer, 0, market.index, market.prices, rules, DESK).slots
        return 0.7 if slots["item"][0] in used else 0.0

    assert use(price + more) >= use(price)  # a floor's price is added
    assert use(-price - more) <= use(-price)  # a ceiling's is taken away


@settings(deadline=None)
@given(
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=12),
    st.data(),
    st.floats(0.1, 10.0),
    st.floats(1.0, 3.0),
)
def test_shadow_price_of_a_budget_never_raises_its_use(
    scores: list[float], data: Any, price: float, more: float
) -> None:
    """With one contract and slot, a higher shadow price of its budget (alpha = 1/price) buys no more looks."""
    used = data.draw(st.lists(st.sampled_from(range(len(scores))), min_size=1, unique=True))
    rules = rules_by_hand([0.7], ad_price=0.05)

    def looks(price: float) -> float:
        market = market_by_hand(scores, [(used, 1.0 / price)])
        slots = allocate(market.candidates, market.viewer, 0, market.index, market.prices, rules, DESK).slots
        return 0.7 if slots["contract"][0] == 0 else 0.0

    assert looks(price * more) <= looks(price)


@pytest.mark.parametrize("temperature", [0.3, 1.0])
def test_propensities_of_all_slates_sum_to_one(temperature: float) -> None:
    """The chances of all 60 ordered slates of 3 out of 5 sum to 1, and slates come about that often."""
    market = market_by_hand([0.5, 0.45, 0.6, 0.4, 0.55], [((1,), 9.0)])
    rules = rules_by_hand([0.9, 0.5, 0.3], random_temperature=temperature)
    chance: dict[tuple[int, ...], float] = {}
    seen: Counter[tuple[int, ...]] = Counter()
    draws = 12_000
    for key in range(draws):
        slate = allocate(
            market.candidates, market.viewer, 0, market.index, market.prices, rules, DESK, random_key=key
        )
        assert not (slate.slots["contract"] >= 0).any()
        items = tuple(slate.slots["item"].tolist())
        seen[items] += 1
        assert chance.setdefault(items, slate.propensity) == slate.propensity
    assert len(chance) == 60
    assert sum(chance.values()) == pytest.approx(1.0, abs=1e-12)
    for items, share in chance.items():
        assert abs(seen[items] - draws * share) < 5 * np.sqrt(draws * share)
