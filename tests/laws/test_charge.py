"""Laws of the charge: what each place costs is the least bid that would have taken it."""

from collections.abc import Callable
from itertools import groupby
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.traffic.allocate import Desk, Rules, allocate
from fieldline.traffic.pace import STEP
from fieldline.traffic.toy import Market, market_by_hand, rules_by_hand

DESK = Desk()


@st.composite
def auctions(draw: Any, items_each: int = 1) -> tuple[Market, Rules, list[tuple[list[int], float]]]:
    """A market with bids, tight caps and every kind of ad rule; floats such that ties do not occur."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    items = draw(st.integers(2, 16))
    scores = rng.random(items)
    bids = [
        (sorted(set(rng.integers(0, items, items_each).tolist())), float(rng.exponential(0.6)))
        for _ in range(draw(st.integers(1, 6)))
    ]
    looks = np.sort(rng.random(draw(st.integers(1, 7))))[::-1]
    rules = rules_by_hand(
        looks.tolist(),
        ad_price=draw(st.sampled_from([0.0, 0.05])),
        max_ads=draw(st.integers(1, 4)),
        first_ad=draw(st.integers(0, 1)),
        ad_gap=draw(st.integers(0, 2)),
        merchant_cap=draw(st.integers(1, 3)),
        category_cap=draw(st.integers(1, 3)),
    )
    market = market_by_hand(
        scores.tolist(), bids, rng.integers(-1, 5, items).tolist(), rng.integers(-1, 3, items).tolist()
    )
    return market, rules, bids


def slots_of(market: Market, rules: Rules) -> Any:
    return allocate(market.candidates, market.viewer, 0, market.index, market.prices, rules, DESK).slots


def place(market: Market, rules: Rules, item: int, contract: int) -> int:
    """The item's slot where this contract pays or nobody does; K otherwise."""
    for slot, row in enumerate(slots_of(market, rules)):
        if row["item"] == item:
            return slot if row["contract"] in (-1, contract) else len(rules.looks)
    return len(rules.looks)


def least_bid(holds: Callable[[float], bool]) -> float:
    """The least bid at which something holds, by bisection; ∞ where it never does."""
    low, high = 0.0, 1e7
    if holds(1e-12):
        return 0.0
    if not holds(high):
        return inf
    for _ in range(90):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def least_bids(market: Market, rules: Rules, item: int, contract: int, rank: int) -> list[float]:
    """For each slot above a rank, the least bid of a contract that puts the item there or higher."""
    alpha = market.prices.alpha
    truth = alpha[contract]

    def holds_at(slot: int) -> Callable[[float], bool]:
        def holds(bid: float) -> bool:
            alpha[contract] = bid
            return place(market, rules, item, contract) <= slot

        return holds

    found = [least_bid(holds_at(slot)) for slot in range(rank)]
    alpha[contract] = truth
    return found


@settings(max_examples=60, deadline=None)
@given(auctions())
def test_each_step_of_a_charge_is_the_least_bid_for_its_slot(auction: Any) -> None:
    """A charge is the sum of its steps' looks times the bid, by bisection, that just takes each step's slot."""
    market, rules, _ = auction
    looks = np.append(rules.looks, 0.0)
    for slot, row in enumerate(slots_of(market, rules)):
        if row["contract"] < 0:
            continue
        needed = least_bids(market, rules, row["item"], row["contract"], row["organic_rank"])
        assert all(needed[k] <= row["bid"] * (1 + 1e-9) for k in range(slot, len(needed)))
        steps = [(looks[k] - looks[k + 1]) * needed[k] for k in range(slot, len(needed))]
        assert row["charge"] == pytest.approx(sum(steps), rel=1e-9, abs=1e-11)


@settings(max_examples=40, deadline=None)
@given(auctions())
def test_each_step_of_the_landscape_is_the_least_bid_for_its_slot(auction: Any) -> None:
    """Winner or loser, a contract's landscape has a step for each slot in reach, at the bid that bisection finds."""
    market, rules, bids = auction
    looks = np.append(rules.looks, 0.0)
    request = (market.candidates, market.viewer, 0, market.index, market.prices, rules, DESK)
    slate = allocate(*request, landscape=True)
    landscape = np.frombuffer(slate.landscape, STEP)
    organic = allocate(*request, paid=False).slots["item"].tolist()
    for contract, (items, _) in enumerate(bids):
        item = items[0]
        rank = organic.index(item) if item in organic else len(rules.looks)
        needed = least_bids(market, rules, item, contract, rank)
        reached = [slot for slot in reversed(range(rank)) if needed[slot] < inf]
        expected = [
            (look, bid)
            for bid, slots in groupby(reached, key=needed.__getitem__)
            if (look := sum(looks[slot] - looks[slot + 1] for slot in slots)) > 0
        ]
        steps = landscape[landscape["contract"] == contract]
        assert steps["value"] == pytest.approx([look for look, _ in expected], rel=1e-6)
        assert steps["charge"] == pytest.approx([look * bid for look, bid in expected], rel=1e-5, abs=1e-9)
        assert steps["log_alpha"] == pytest.approx(
            [np.log(max(bid, np.exp(-30.0))) for _, bid in expected], rel=1e-5, abs=1e-5
        )


@settings(max_examples=40, deadline=None)
@given(auctions(items_each=6))
def test_a_contract_does_not_pay_against_itself(auction: Any) -> None:
    """A contract on many items pays as if, from the slot it won on, its other items did not bid."""
    market, rules, bids = auction
    looks = np.append(rules.looks, 0.0)
    slots = slots_of(market, rules)
    for slot, row in enumerate(slots):
        if row["contract"] < 0:
            continue
        before = [int(other["item"]) for other in slots[:slot] if other["contract"] == row["contract"]]
        alone = [
            ([int(row["item"])] if contract == row["contract"] else items, alpha)
            for contract, (items, alpha) in enumerate(bids)
        ]
        split = market_by_hand(
            market.index.rows[:, 29].tolist(),
            [*alone, (before, float(row["bid"]))],
            market.index.merchant.tolist(),
            market.index.category.tolist(),
        )
        needed = least_bids(split, rules, row["item"], row["contract"], row["organic_rank"])
        steps = [(looks[k] - looks[k + 1]) * min(needed[k], row["bid"]) for k in range(slot, len(needed))]
        assert row["charge"] == pytest.approx(sum(steps), rel=1e-9, abs=1e-11)


@settings(deadline=None)
@given(auctions(items_each=3))
def test_a_charge_never_exceeds_the_bid(auction: Any) -> None:
    """A charge is at least 0 and at most the bid times the looks gained, which is at most the bid."""
    market, rules, _ = auction
    looks = np.append(rules.looks, 0.0)
    for slot, row in enumerate(slots_of(market, rules)):
        gained = looks[slot] - looks[row["organic_rank"]] if row["contract"] >= 0 else 0.0
        assert 0.0 <= row["charge"] <= row["bid"] * gained * (1 + 1e-12)
        assert row["charge"] <= row["bid"]


@settings(deadline=None)
@given(auctions(), st.floats(1.0, 4.0))
def test_a_higher_bid_never_gets_a_worse_slot(auction: Any, factor: float) -> None:
    """Raising one bid leaves its item where it was or puts it higher."""
    market, rules, bids = auction
    for contract, (items, _) in enumerate(bids):
        before = place(market, rules, items[0], contract)
        market.prices.alpha[contract] *= factor
        assert place(market, rules, items[0], contract) <= before
        market.prices.alpha[contract] /= factor


@settings(deadline=None)
@given(auctions())
def test_truth_is_the_best_report(auction: Any) -> None:
    """No contract on one item gains, in looks bought at its value less the charge, by another report."""
    market, rules, bids = auction
    looks = np.append(rules.looks, 0.0)
    alpha = market.prices.alpha
    for contract, (items, value) in enumerate(bids):

        def utility(
            report: float, contract: int = contract, item: int = items[0], value: float = value
        ) -> float:
            alpha[contract] = report
            for slot, row in enumerate(slots_of(market, rules)):
                if row["item"] == item and row["contract"] in (-1, contract):
                    bought = max(float(looks[slot] - looks[row["organic_rank"]]), 0.0)
                    return value * bought - float(row["charge"])
            return 0.0

        best = utility(value)
        for factor in (0.0, 0.5, 0.75, 0.9, 0.99, 1.01, 1.1, 1.33, 2.0, 10.0):
            assert utility(value * factor) <= best + 1e-12
        alpha[contract] = value
