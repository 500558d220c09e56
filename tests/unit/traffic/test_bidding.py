"""The controllers outside the engine: supply of any market, and the multiplier that limits admit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.errors import Refused
from fieldline.traffic import bidding, solve

Floats = bidding.Floats
PRICES = np.exp(np.linspace(np.log(0.5), np.log(50.0), 400))
"""α from .05 to 5 at a value of 10."""
VALUES = np.full(400, 10.0)
PAST = bidding.update(bidding.init(), VALUES, PRICES, np.inf)


def limits(goal: float = 0.0, confidence: float = 0.5, trust: float = np.inf) -> bidding.Limits:
    """Return the limits of one campaign whose conversions are worth 20."""
    return bidding.Limits(
        goal=np.array([goal]),
        confidence=np.array([confidence]),
        conversion=np.array([20.0]),
        trust=np.array([trust]),
    )


def standing(
    left: float, spent: float = 0.0, gained: float = 0.0, predicted: float = 0.0, auctions: float = 400.0
) -> bidding.Standing:
    """Return where one campaign is."""
    return bidding.Standing(
        left=np.array([left]),
        auctions=np.array([auctions]),
        spent=np.array([spent]),
        gained=np.array([gained]),
        predicted=np.array([predicted]),
        goal_auctions=np.array([auctions]),
    )


def solved(where: bidding.Standing, stated: bidding.Limits) -> float:
    """Return the one multiplier."""
    return float(bidding.multiplier(PAST, stated, where)[0])


def bought(alpha: float) -> tuple[float, float]:
    """Return the value and the cost of what α wins of the 400 auctions."""
    won = alpha * VALUES >= PRICES
    return float(VALUES[won].sum()), float(PRICES[won].sum())


def test_an_auction_lands_in_the_bin_of_the_multiplier_that_wins_it() -> None:
    """A price of 8 for a value of 4 adds 4 and 8 to the bin that holds α = 2 and to no other."""
    supply = bidding.update(bidding.init(), np.array([4.0]), np.array([8.0]), np.inf)
    bin_ = int((np.log(2.0) - solve.LOW) / solve.WIDTH)
    assert (supply.value[0, bin_], supply.cost[0, bin_], supply.auctions[0]) == (4.0, 8.0, 1.0)
    assert (supply.value.sum(), supply.cost.sum()) == (4.0, 8.0)


def test_the_past_fades_by_auction() -> None:
    """With a memory of two auctions each weighs half of the next, in one update as in three."""
    values, prices = np.array([1.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0])
    at_once = bidding.update(bidding.init(), values, prices, 2.0)
    one_by_one = bidding.init()
    for i in range(3):
        one_by_one = bidding.update(one_by_one, values[i : i + 1], prices[i : i + 1], 2.0)
    assert float(at_once.auctions[0]) == 1.75
    assert float(at_once.cost.sum()) == 1.75
    np.testing.assert_array_equal(at_once.cost, one_by_one.cost)


def test_what_is_free_or_worthless_is_told_apart() -> None:
    """A price of 0 is won by any bid; an auction worth nothing is never wanted, yet is seen."""
    supply = bidding.update(bidding.init(), np.array([5.0, 0.0]), np.array([0.0, 3.0]), np.inf)
    assert (supply.value[0, 0], supply.cost.sum(), supply.auctions[0]) == (5.0, 0.0, 2.0)


def test_weight_leaves_the_curves_per_auction() -> None:
    """The same supply as so many auctions gives the same multiplier, and counts for so many."""
    light = bidding.worth(PAST, 50.0)
    assert float(light.auctions[0]) == 50.0
    alpha = bidding.multiplier(light, limits(), standing(300.0))
    assert float(alpha[0]) == pytest.approx(solved(standing(300.0), limits()))
    np.testing.assert_array_equal(bidding.worth(bidding.init(), 50.0).auctions, [0.0])


def test_a_market_never_seen_is_refused() -> None:
    """Without a past there is no multiplier."""
    with pytest.raises(Refused, match="past auctions"):
        bidding.multiplier(bidding.init(), limits(), standing(1.0))


@pytest.mark.parametrize("left", [50.0, 200.0, 1000.0])
def test_the_budget_is_what_the_multiplier_buys(left: float) -> None:
    """When the future is the past, α spends the budget to within one bin's cost."""
    _, cost = bought(solved(standing(left), limits()))
    assert cost == pytest.approx(left, rel=0.07)


def test_a_goal_is_reached_in_the_mean_and_by_no_more() -> None:
    """At a confidence of one half the value bought is the goal times the cost."""
    value, cost = bought(solved(standing(1e9), limits(goal=1.5)))
    assert value / cost == pytest.approx(1.5, rel=0.03)


def test_confidence_leaves_the_guard_that_poisson_noise_asks_for() -> None:
    """At 90% what is bought reaches the goal even 1.28 standard deviations of its conversions lower."""
    value, cost = bought(solved(standing(1e9), limits(goal=1.5, confidence=0.9)))
    conversions = value / 20.0
    lowest = 20.0 * (conversions - 1.2816 * conversions**0.5)
    assert lowest / cost == pytest.approx(1.5, rel=0.03)


def test_of_two_limits_the_tighter_decides() -> None:
    """With a budget and a goal α is the smaller of what each alone admits."""
    budget, goal = solved(standing(300.0), limits()), solved(standing(1e9), limits(goal=1.5))
    assert solved(standing(300.0), limits(goal=1.5)) == min(budget, goal)


def test_predictions_that_do_not_come_true_are_trusted_less() -> None:
    """With half of what was predicted observed, the multiplier falls, and the more so the less trust there was."""
    where = standing(1e9, spent=200.0, gained=400.0, predicted=800.0)
    alphas = [solved(where, limits(goal=1.5, trust=trust)) for trust in (10.0, 100.0, np.inf)]
    assert alphas[0] < alphas[1] < alphas[2]


def test_a_goal_out_of_reach_buys_only_what_pays_for_itself() -> None:
    """Far behind its goal a campaign bids value / goal, whatever the confidence."""
    where = standing(1e9, spent=1e6, gained=0.0, predicted=0.0)
    for confidence in (0.5, 0.9):
        assert solved(where, limits(goal=4.0, confidence=confidence)) == pytest.approx(0.25)


def test_a_goal_that_too_few_conversions_can_show_still_bids() -> None:
    """With half a conversion to come no bid is 90% sure, and the campaign bids value / goal, not nothing."""
    where = standing(1e9, auctions=1.0)
    assert solved(where, limits(goal=1.5, confidence=0.9)) == pytest.approx(1 / 1.5)


@settings(max_examples=60, deadline=None)
@given(
    left=st.floats(1.0, 5e3),
    more=st.floats(1.0, 3.0),
    goal=st.floats(0.5, 5.0),
    confidence=st.floats(0.5, 0.99),
)
def test_more_budget_or_a_lower_goal_never_lowers_a_bid(
    left: float, more: float, goal: float, confidence: float
) -> None:
    """α rises with the budget and falls with the goal in the mean."""
    assert solved(standing(left * more), limits()) >= solved(standing(left), limits())
    assert solved(standing(1e9), limits(goal=goal)) >= solved(standing(1e9), limits(goal=goal * more)) - 1e-9
    budgets = [solved(standing(b), limits(goal=goal, confidence=confidence)) for b in (left, left * more)]
    assert budgets[1] >= budgets[0]


def test_campaigns_share_a_market_or_have_one_each() -> None:
    """Two campaigns on one market get what each would get on a copy of its own."""
    two = bidding.Limits(*(np.repeat(entry, 2) for entry in _entries(limits(goal=1.5))))
    where = bidding.Standing(*(np.repeat(entry, 2) for entry in _entries(standing(300.0))))
    both = bidding.update(bidding.init(2), np.stack([VALUES, VALUES]), np.stack([PRICES, PRICES]), np.inf)
    np.testing.assert_allclose(bidding.multiplier(PAST, two, where), bidding.multiplier(both, two, where))


def test_no_bid_passes_what_is_left() -> None:
    """A bid is α·value up to the budget left."""
    given_bids = bidding.bids(np.array([2.0, 2.0]), np.array([1.0, 10.0]), np.array([100.0, 5.0]))
    np.testing.assert_array_equal(given_bids, [[2.0, 20.0], [2.0, 5.0]])


def _entries(frozen: bidding.Limits | bidding.Standing) -> list[Floats]:
    return [getattr(frozen, name) for name in frozen.__dataclass_fields__]
