"""Incremental GMV, pooled shares and shares by scene."""

import numpy as np
import pytest
from bench.intervals import differences, shares

from fieldline.contracts.incrementality import (
    Arm,
    Arms,
    Estimate,
    draw_variance,
    incremental,
    scene_shares,
    shrunk,
)
from fieldline.units import YUAN


def arms(treated: tuple[int, int], held: tuple[int, int], holdout: float = 0.1) -> Arms:
    """Arms of so many buyers of so many yuan each."""

    def arm(buyers: int, yuan: int) -> Arm:
        return Arm(buyers, buyers, buyers * yuan * YUAN, float(buyers * yuan**2))

    return Arms(arm(*treated), arm(*held), holdout)


def test_the_point_is_treated_less_held_out_at_its_weight() -> None:
    """40 treated buyers of 10 yuan against 3 held out at 10% gain 400 − 9·30 = 130 yuan."""
    found = incremental([arms((40, 10), (3, 10))])
    assert found.value == pytest.approx(130.0)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.0
    assert found.high > 130.0


def test_without_a_holdout_there_is_no_value() -> None:
    """One day without held-out viewers leaves nothing to say of the period."""
    assert incremental([arms((40, 10), (3, 10)), arms((40, 10), (0, 10), 0.0)]) == Estimate()


def test_without_buyers_there_are_no_limits() -> None:
    """Where nobody bought, nothing was gained and nothing is known of amounts."""
    assert incremental([arms((0, 10), (0, 10))]) == Estimate(value=0.0)


def test_no_days_are_refused() -> None:
    """A period of no days is an error, not a value of 0."""
    with pytest.raises(ValueError, match="no day"):
        incremental([])


def test_days_of_other_holdouts_add_up() -> None:
    """Each day is weighted by its own holdout: 400 − 9·30 + 400 − 4·30 = 410 yuan."""
    days = [arms((40, 10), (3, 10), 0.1), arms((40, 10), (3, 10), 0.2)]
    assert incremental(days).value == pytest.approx(410.0)


def test_more_held_out_viewers_narrow_the_interval() -> None:
    """The same sales in the mean, seen through 20% instead of 5%, have narrower limits."""

    def width(found: Estimate) -> float:
        assert found.low is not None
        assert found.high is not None
        return found.high - found.low

    thin = incremental([arms((190, 10), (8, 10), 0.05)])
    thick = incremental([arms((160, 10), (32, 10), 0.2)])
    assert width(thick) < 0.7 * width(thin)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """Each case of the study (seeded): 90% intervals cover .87 to .97, where a normal one may cover less than .6."""
    figures = np.array([each for _, _, each in differences(1_000)])  # [cases, effects, 5]
    covered = figures[:, :, 0]
    assert covered.min() > 0.87
    assert covered.max() < 0.97
    assert 0.90 < covered.mean() < 0.94
    assert figures[:, :, 3].min() < 0.6


def test_variance_over_the_draw_is_that_of_all_draws() -> None:
    """V equals the variance of T − w·C over random draws of who is held out, in expectation over the draws."""
    rng = np.random.default_rng(5)
    amounts = rng.lognormal(0.0, 0.8, 300)
    held = rng.random((20_000, 300)) < 0.1
    difference = amounts.sum() - held @ amounts - 9.0 * (held @ amounts)
    total = Arm(300, 300, int(amounts.sum() * YUAN), float((amounts**2).sum()))
    assert draw_variance(Arms(total, Arm(), 0.1)) == pytest.approx(float(difference.var()), rel=0.03)


def test_a_campaign_never_measured_gets_the_pools_share() -> None:
    """Without evidence of its own a campaign has the pool's share and a wider interval."""
    found = shrunk(np.array([9e5, 9e5, 0.0]), np.array([3e5, 5e5, 0.0]), np.array([9e9, 9e9, 0.0]))
    unmeasured, pool = found.campaigns[2], found.pool
    assert unmeasured.value == pytest.approx(pool.value)
    assert unmeasured.low is not None
    assert pool.low is not None
    assert unmeasured.low < pool.low


def test_without_any_evidence_the_prior_stands() -> None:
    """Nothing measured anywhere leaves a share of 1 within [0, 1.5]."""
    found = shrunk(np.zeros(1), np.zeros(1), np.zeros(1))
    assert found.pool.value == pytest.approx(1.0)
    assert found.campaigns[0].high == 1.5
    assert shrunk(np.zeros(0), np.zeros(0), np.zeros(0)).campaigns == ()


def test_shares_that_are_sure_keep_their_own() -> None:
    """A campaign measured to the hundredth keeps its ratio whatever the others say."""
    found = shrunk(np.full(2, 100.0), np.array([20.0, 90.0]), np.array([1e-2, 1e4]))
    assert found.campaigns[0].value == pytest.approx(0.2, abs=1e-4)


def test_shrunk_shares_err_less_and_cover() -> None:
    """Of 100 campaigns' true shares 90% intervals hold 82 to 97%, at less than a fourth of the raw ratios' error."""
    bias, _, covered, error, raw = shares(np.random.default_rng(8), 100, 5.0, 10)
    assert abs(bias) < 0.15
    assert 0.82 < covered < 0.97
    assert error < 0.25 * raw


def test_scene_shares_are_the_ridge_solution() -> None:
    """Inside the bounds the shares solve the normal equations."""
    rng = np.random.default_rng(3)
    a, v = rng.exponential(100.0, (40, 3)), rng.exponential(2_000.0, 40)
    d = a @ np.array([0.9, 0.4, 0.7]) + rng.normal(0.0, np.sqrt(v))
    weighted = a / v[:, None]
    exact = np.linalg.solve(weighted.T @ a + 4.0 * np.eye(3), weighted.T @ d + 4.0)
    np.testing.assert_allclose(scene_shares(a, d, v), exact, rtol=1e-9)
    assert np.abs(exact - [0.9, 0.4, 0.7]).max() < 0.15


def test_scene_shares_stay_within_their_bounds() -> None:
    """Scenes that seem to lose, or to bring five times what is attributed, are held at 0 and 1.5."""
    found = scene_shares(np.eye(3) * 1e3, np.array([-5e3, 5e3, 700.0]), np.ones(3))
    assert found.tolist() == pytest.approx([0.0, 1.5, 0.7], abs=1e-4)


def test_a_scene_without_attributed_value_keeps_the_prior() -> None:
    """What was never measured, and days with no variance, say nothing."""
    found = scene_shares(
        np.array([[100.0, 0.0], [0.0, 50.0]]), np.array([10.0, 0.0]), np.array([1.0, 0.0]), prior=0.8
    )
    assert found[1] == pytest.approx(0.8)
    assert found[0] == pytest.approx(0.1, abs=1e-3)
