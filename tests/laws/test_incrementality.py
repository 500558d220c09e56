"""Laws of a campaign-day's account and of what a placement displaced."""

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.contracts.displacement import displacement
from fieldline.contracts.incrementality import Arm, Arms, incremental, shrunk
from fieldline.contracts.rois import DayAccount, rois
from fieldline.units import YUAN

FEW = settings(max_examples=60, deadline=None)


@st.composite
def accounts(draw: Any) -> DayAccount:
    """Any campaign-day whose amounts are whole cents."""
    holdout = draw(st.sampled_from([0.0, 0.05, 0.1, 0.5]))
    amount = st.integers(1, 1_000_000).map(lambda cents: cents * 10_000)

    def arm(sales: list[int]) -> Arm:
        return Arm(len(sales), len(sales), sum(sales), sum((sale / YUAN) ** 2 for sale in sales))

    treated = arm(draw(st.lists(amount, max_size=30)))
    held = arm(draw(st.lists(amount, max_size=5)) if holdout else [])
    storewide = treated.gmv + held.gmv
    return DayAccount(
        "c",
        draw(st.integers(0, 30_000)),
        Arms(treated, held, holdout),
        spend=draw(st.integers(0, 10**12)),
        storewide=storewide,
        attributed=draw(st.integers(0, storewide)),
        refunds=draw(st.integers(0, storewide)),
        orders=treated.orders + held.orders,
    )


@FEW
@given(accounts())
def test_the_identities_of_a_day(account: DayAccount) -> None:
    """Storewide is attributed and other, treated and held; net is it less refunds; the increment is the formula's."""
    found, arms = rois(account), account.arms
    assert account.storewide == account.attributed + account.other == arms.treated.gmv + arms.held.gmv
    assert account.net + account.refunds == account.storewide
    if not account.spend:
        assert found.attributed is found.storewide is found.net is found.incremental.value is None
        return
    assert found.attributed is not None
    assert found.storewide is not None
    assert found.net is not None
    assert found.attributed * account.spend == pytest.approx(account.attributed)
    assert found.storewide * account.spend == pytest.approx(account.attributed + account.other)
    assert found.net * account.spend == pytest.approx(account.storewide - account.refunds, abs=0.01)
    if arms.holdout == 0.0:
        assert found.incremental.value is found.incremental_gmv.value is None
        return
    assert found.incremental.value is not None
    gained = arms.treated.gmv - arms.held.gmv * (1.0 - arms.holdout) / arms.holdout
    assert found.incremental.value * account.spend == pytest.approx(gained, abs=1e-3)


@FEW
@given(st.lists(accounts(), min_size=1, max_size=5))
def test_days_add_up(days: list[DayAccount]) -> None:
    """Spend-weighted, the returns of days are those of their sum; so is the incremental GMV where each day has one."""
    spend = sum(day.spend for day in days)
    whole, parts = rois(*days), [rois(day) for day in days]
    for name in ("attributed", "storewide", "net"):
        each = sum((getattr(part, name) or 0.0) * day.spend for part, day in zip(parts, days, strict=True))
        idle = sum(getattr(day, name) for day in days if not day.spend)
        if spend:
            assert getattr(whole, name) * spend == pytest.approx(each + idle)
    gains = [part.incremental_gmv.value for part in parts]
    if None in gains:
        assert whole.incremental_gmv.value is None
    else:
        assert whole.incremental_gmv.value == pytest.approx(sum(gain or 0.0 for gain in gains), abs=1e-6)


@FEW
@given(accounts(), st.floats(0.5, 0.9), st.floats(0.01, 0.09))
def test_limits_enclose_the_point_and_widen_with_confidence(
    account: DayAccount, low: float, more: float
) -> None:
    """The point lies within its limits, and a surer interval holds the less sure one."""
    inner, outer = incremental([account.arms], low), incremental([account.arms], low + more)
    if inner.low is None or inner.high is None or inner.value is None:
        assert outer.low is outer.high is None
        return
    assert outer.low is not None
    assert outer.high is not None
    slack = 1e-9 * (1.0 + abs(outer.high) + abs(outer.low))
    assert outer.low - slack <= inner.low <= inner.value + slack
    assert inner.value - slack <= inner.high <= outer.high + slack


@FEW
@given(st.integers(0, 1 << 30), st.integers(1, 8))
def test_shares_keep_their_order_and_bounds(seed: int, campaigns: int) -> None:
    """At equal evidence a higher ratio never gets a lower share, and every share is within [0, 1.5]."""
    rng = np.random.default_rng(seed)
    ratios = np.sort(rng.normal(0.5, 1.0, campaigns))
    found = shrunk(np.full(campaigns, 10.0), 10.0 * ratios, np.full(campaigns, rng.exponential(40.0)))
    values = [share.value for share in found.campaigns if share.value is not None]
    assert len(values) == campaigns
    assert all(a <= b + 1e-12 for a, b in pairwise(values))
    assert all(0.0 <= share.low <= share.value <= share.high <= 1.5 for share in found.campaigns)  # type: ignore[operator]


@st.composite
def slates(draw: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Any slate that fills its slots with and without bids, its looks, ranks, payers and owners."""
    slots = draw(st.integers(1, 8))
    looks = np.sort(np.array(draw(st.lists(st.floats(0.0, 1.0), min_size=slots, max_size=slots))))[::-1]
    pool = draw(st.permutations(range(2 * slots)))
    items = np.array(pool[:slots])  # item i stands at organic rank i, from K on nowhere
    ranks = np.minimum(items, slots)
    paid = np.array(draw(st.lists(st.booleans(), min_size=slots, max_size=slots))) & (
        np.arange(slots) < ranks
    )
    owners = np.array(draw(st.lists(st.integers(0, 3), min_size=2 * slots, max_size=2 * slots)))
    return looks, ranks, np.where(paid, 9, -1), owners[items], owners[:slots]


@FEW
@given(slates())
def test_what_is_gained_is_what_others_and_oneself_lose(slate: tuple[Any, Any, Any, Any, Any]) -> None:
    """kept + gained = e_k, own + others = gained, none negative; nobody takes more from an owner than it lost."""
    looks, ranks, payers, owners, organic_owners = slate
    found = displacement(looks, ranks, payers, owners, organic_owners)
    paid = payers != -1
    np.testing.assert_allclose(found.kept + found.gained, np.where(paid, looks, 0.0), atol=1e-12)
    np.testing.assert_allclose(found.own + found.others, found.gained, atol=1e-12)
    assert min(found.kept.min(), found.gained.min(), found.own.min(), found.others.min()) >= -1e-12
    before = np.append(looks, 0.0)
    gone = [rank for rank in range(len(looks)) if rank not in ranks]
    for owner in set(owners[paid]):
        lost = sum(max(before[r] - looks[k], 0.0) for k, r in enumerate(ranks) if owners[k] == owner)
        lost += sum(looks[rank] for rank in gone if organic_owners[rank] == owner)
        assert found.own[paid & (owners == owner)].sum() <= lost + 1e-9


@FEW
@given(slates())
def test_all_that_is_gained_is_lost_by_somebody(slate: tuple[Any, Any, Any, Any, Any]) -> None:
    """If one owner has every item, a placement takes from nobody else."""
    looks, ranks, payers, owners, organic_owners = slate
    found = displacement(looks, ranks, payers, np.zeros_like(owners), np.zeros_like(organic_owners))
    np.testing.assert_allclose(found.others, 0.0, atol=1e-12)


def test_accounts_are_frozen() -> None:
    """An account cannot be changed once made."""
    account = DayAccount("c", 1, Arms(Arm(), Arm(), 0.0))
    with pytest.raises(AttributeError):
        account.spend = 1  # type: ignore[misc]
    assert msgspec.json.decode(msgspec.json.encode(account), type=DayAccount) == account
