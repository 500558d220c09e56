"""Laws of off-policy evaluation, on a made bandit whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldline.learn.ope import Estimate, Evaluation, Sample, evaluate
from fieldline.learn.ope.estimators import spread
from fieldline.learn.ope.luce import chances_of, places_of

CHANCE = np.array([[0.1, 0.3, 0.5, 0.2], [0.6, 0.2, 0.1, 0.4]])
"""Of a reward, by context and action."""
LOGGING = np.array([[0.55, 0.25, 0.1, 0.1], [0.2, 0.5, 0.2, 0.1]])
TARGET = np.array([[0.1, 0.2, 0.6, 0.1], [0.7, 0.1, 0.1, 0.1]])
TRUTH = float((TARGET * CHANCE).sum() / 2.0)


def bandit(
    seed: int, rounds: int = 1_000, model: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = CHANCE
) -> Sample:
    """A log of two even contexts and four actions, with a model of the rewards."""
    draws = np.random.default_rng(seed)
    context = draws.integers(0, 2, rounds)
    action = (draws.random((rounds, 1)) > LOGGING[context].cumsum(axis=1)).sum(axis=1)
    ones = np.ones(rounds)
    return Sample(
        weight=TARGET[context, action] / LOGGING[context, action],
        reward=(draws.random(rounds) < CHANCE[context, action]).astype(np.float64),
        predicted=model[context, action],
        exposure=ones,
        round=np.arange(rounds),
        target=(TARGET * model).sum(axis=1)[context],
        exposed=ones,
        group=np.arange(rounds),
    )


def holds(estimate: Estimate) -> bool:
    """Whether an interval holds the truth."""
    return estimate.low <= TRUTH <= estimate.high


@pytest.fixture(scope="module")
def found() -> list[Evaluation]:
    return [evaluate(bandit(seed)) for seed in range(300)]


def test_every_interval_covers_at_its_rate(found: list[Evaluation]) -> None:
    """Of 300 logs the 90% interval of each estimator holds the truth in 85 to 95%."""
    for name in ("ips", "snips", "dr", "switch"):
        share = np.mean([holds(getattr(one, name)) for one in found])
        assert 0.85 <= share <= 0.95, name


def test_ips_and_dr_are_unbiased(found: list[Evaluation]) -> None:
    """Over 300 logs the mean of IPS and of DR is within three standard errors of the truth."""
    for name in ("ips", "dr"):
        values = np.array([getattr(one, name).value for one in found])
        assert abs(values.mean() - TRUTH) < 3.0 * values.std() / np.sqrt(len(values)), name


def test_a_good_model_lowers_the_variance_and_a_wrong_one_does_not_bias(found: list[Evaluation]) -> None:
    """DR with the true rewards varies less than IPS; with a model that says 0.9 of everything it stays unbiased."""
    variance = {name: np.var([getattr(one, name).value for one in found]) for name in ("ips", "dr")}
    assert variance["dr"] < 0.8 * variance["ips"]
    wrong = np.array([evaluate(bandit(seed, model=np.full((2, 4), 0.9))).dr.value for seed in range(300)])
    assert abs(wrong.mean() - TRUTH) < 3.0 * wrong.std() / np.sqrt(len(wrong))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
def test_snips_does_not_feel_the_scale_of_weights(seed: int, scale: float) -> None:
    """Weights of which each is so many times as large give the same SNIPS, and as much more IPS."""
    sample = bandit(seed, 60)
    one, other = evaluate(sample), evaluate(sample._replace(weight=scale * sample.weight))
    assert other.snips.value == pytest.approx(one.snips.value, rel=1e-9)
    assert other.ips.value == pytest.approx(scale * one.ips.value, rel=1e-9)
    assert other.effective_sample == pytest.approx(one.effective_sample, rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_the_logging_policy_is_worth_what_it_earned(seed: int) -> None:
    """Of weights that are all 1, IPS and SNIPS are the logged mean with its interval, and every round counts."""
    sample = bandit(seed, 60)
    told = evaluate(sample._replace(weight=np.ones(60)))
    for estimate in (told.ips, told.snips):
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx(
            (told.logged.value, told.logged.low, told.logged.high), rel=1e-12
        )
    assert told.effective_sample == pytest.approx(60.0)


def test_switch_leaves_out_the_heaviest_weight_where_it_is_rare() -> None:
    """One weight of 400 among 2,000 of about 1 makes DR vary; switch drops it and varies a quarter as much or less."""
    sample = bandit(3, 2_000)
    weight = np.ones(2_000)
    weight[7] = 400.0
    reward = sample.reward.copy()
    reward[7] = 1.0
    told = evaluate(sample._replace(weight=weight, reward=reward, predicted=np.full(2_000, 0.3)))
    assert told.threshold == 1.0
    assert told.switch.high - told.switch.low < 0.25 * (told.dr.high - told.dr.low)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 40), st.integers(1, 6))
def test_rounds_that_repeat_a_viewer_tell_nothing_new(viewers: int, times: int) -> None:
    """A log in which each viewer's round stands several times has the interval of one in which it stands once."""
    once = np.random.default_rng(viewers).normal(size=viewers)
    once -= once.mean()
    group = np.repeat(np.arange(viewers), times)
    assert spread(np.repeat(once, times), group) == pytest.approx(spread(once, np.arange(viewers)))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-12.0, 0.0), min_size=1, max_size=8), st.integers(1, 6))
def test_places_are_a_distribution(logs: list[float], slots: int) -> None:
    """Each of the first places is somebody's, and nobody has more than one place in all."""
    rates = np.exp(np.array(logs))
    chance = places_of(rates, slots)
    filled = min(slots, len(rates))
    assert chance.sum(axis=0)[:filled] == pytest.approx(np.ones(filled), abs=1e-10)
    assert (chance.sum(axis=0)[filled:] == 0.0).all()
    assert (chance >= 0.0).all()
    assert (chance.sum(axis=1) <= 1.0 + 1e-10).all()
    assert chance[:, 0] == pytest.approx(rates / rates.sum(), abs=1e-10)


def test_the_chances_of_all_sequences_sum_to_one() -> None:
    """Of four candidates the twelve ordered pairs have chances that sum to 1."""
    rates = np.array([1.0, 0.5, 0.2, 1e-3])
    pairs = [(a, b) for a in range(4) for b in range(4) if a != b]
    assert sum(chances_of(rates, np.array(pair)).prod() for pair in pairs) == pytest.approx(1.0)
