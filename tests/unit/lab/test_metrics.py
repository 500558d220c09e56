"""Measures, on cases counted by hand and against their definitions pair by pair."""

import math

import numpy as np
import pytest

from fieldline.lab.metrics import auc, gauc, gini, log_loss, ndcg_at, tier_shares


def pairwise(labels: list[int], scores: list[float]) -> float:
    wins = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a, y in zip(scores, labels, strict=True)
        for b, z in zip(scores, labels, strict=True)
        if y == 1 and z == 0
    ]
    return sum(wins) / len(wins)


def test_auc_counts_won_pairs() -> None:
    """One positive above both negatives and one between them win 3 of 4 pairs."""
    assert auc([1, 0, 1, 0], [0.9, 0.8, 0.4, 0.3]) == 0.75


def test_a_tie_is_half_a_win() -> None:
    """Equal scores everywhere give 1/2, and a tied pair beside a won one 3/4."""
    assert auc([1, 0, 0, 1], [0.2] * 4) == 0.5
    assert auc([1, 0, 0], [0.5, 0.5, 0.1]) == 0.75


def test_auc_is_the_definition_with_ties() -> None:
    """On 200 scores of which most tie, the area is that of all pairs."""
    rng = np.random.default_rng(1)
    labels, scores = rng.integers(0, 2, 200).tolist(), rng.integers(0, 7, 200).astype(float).tolist()
    assert auc(labels, scores) == pytest.approx(pairwise(labels, scores), abs=1e-12)


def test_auc_needs_both_classes() -> None:
    """Without a positive, without a negative or without a row there is no area."""
    assert math.isnan(auc([1, 1], [0.1, 0.2]))
    assert math.isnan(auc([0], [0.1]))
    assert math.isnan(auc([], []))


def test_gauc_weighs_viewers_by_exposures() -> None:
    """A viewer of 2 with area 1 and one of 3 with area 0 give .4; a viewer who clicked all does not count."""
    labels = [1, 0, 0, 1, 0, 1, 1]
    scores = [0.9, 0.1, 0.8, 0.2, 0.7, 0.5, 0.4]
    assert gauc(labels, scores, ["a", "a", "b", "b", "b", "c", "c"]) == pytest.approx(0.4, abs=1e-12)


def test_gauc_is_the_definition() -> None:
    """On 300 rows of 20 viewers with ties it is the weighted mean of the viewers' own areas."""
    rng = np.random.default_rng(2)
    labels, groups = rng.integers(0, 2, 300), rng.integers(0, 20, 300)
    scores = rng.integers(0, 5, 300).astype(float)
    parts = [(int((groups == g).sum()), auc(labels[groups == g], scores[groups == g])) for g in range(20)]
    kept = [(n, a) for n, a in parts if not math.isnan(a)]
    expected = sum(n * a for n, a in kept) / sum(n for n, _ in kept)
    assert gauc(labels, scores, groups) == pytest.approx(expected, abs=1e-12)


def test_gauc_needs_a_viewer_with_both_classes() -> None:
    """Where every viewer has one class there is no area."""
    assert math.isnan(gauc([1, 0], [0.1, 0.2], [1, 2]))


def test_log_loss_is_the_mean_surprise() -> None:
    """Chances 1/4 of what happened and 1/2 of what happened cost (ln 4 + ln 2)/2; no error is infinite."""
    assert log_loss([1, 0], [0.25, 0.5]) == pytest.approx((math.log(4) + math.log(2)) / 2, abs=1e-12)
    assert log_loss([1], [0.0]) == pytest.approx(-math.log(1e-7), abs=1e-9)


def test_ndcg_discounts_by_place() -> None:
    """One gain in third place is worth 1/log2(4) = 1/2 of one in first; two in order are worth all."""
    assert ndcg_at([0, 0, 1]) == 0.5
    assert ndcg_at([1, 1, 0]) == 1.0
    assert ndcg_at([0, 1, 1]) == pytest.approx((1 / math.log2(3) + 0.5) / (1 + 1 / math.log2(3)), abs=1e-12)


def test_ndcg_looks_at_k_places() -> None:
    """A gain in place 11 is worth nothing at 10; nothing to gain is no number."""
    assert ndcg_at([0] * 10 + [1]) == 0.0
    assert ndcg_at([0, 1, 1], k=1) == 0.0
    assert math.isnan(ndcg_at([0, 0]))


def test_gini_of_known_spreads() -> None:
    """Equal shares are 0, one of four having all is 3/4, and 1, 2, 3, 4 is 1/4, in any order."""
    assert gini([5, 5, 5]) == 0.0
    assert gini([0, 7, 0, 0]) == 0.75
    assert gini([4, 1, 3, 2]) == pytest.approx(0.25, abs=1e-12)


def test_gini_needs_something_to_spread() -> None:
    """Nothing at all is no number."""
    assert math.isnan(gini([0, 0]))
    assert math.isnan(gini([]))


def test_tiers_share_out_everything() -> None:
    """The first of a ranking holds 5 of 10, the next two 4, the last 1; by another 1, 7 and 2; of equal ones the first
    is first."""
    amounts = [1, 5, 2, 2]
    assert tier_shares(amounts, amounts, (1, 2, 1)) == [0.5, 0.4, 0.1]
    assert tier_shares(amounts, [4, 3, 2, 1], (1, 2, 1)) == [0.1, 0.7, 0.2]
    assert tier_shares(amounts, [0, 0, 0, 0], (1, 2, 1)) == [0.1, 0.7, 0.2]


def test_an_empty_tier_has_nothing() -> None:
    """A tier without members holds nothing, and where there is nothing to share no tier has a number."""
    assert tier_shares([3, 1], [3, 1], (0, 0, 2)) == [0.0, 0.0, 1.0]
    assert all(math.isnan(share) for share in tier_shares([0, 0], [0, 0], (1, 1)))
