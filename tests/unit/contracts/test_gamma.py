"""Gamma quantiles and limits against published values."""

import math

import numpy as np
import pytest

from fieldline.contracts.gamma import gamma_limits, gamma_quantile

CHI_SQUARE = [  # (degrees of freedom, chance, value), tables
    (1, 0.95, 3.841458820694124),
    (1, 0.05, 0.003932140000019531),
    (10, 0.99, 23.20925115895436),
    (100, 0.5, 99.33412923598846),
]


@pytest.mark.parametrize(("freedom", "chance", "value"), CHI_SQUARE)
def test_quantiles_are_those_of_the_chi_square_tables(freedom: int, chance: float, value: float) -> None:
    """Twice a gamma quantile of shape n/2 is the chi-square quantile of n degrees of freedom."""
    assert 2.0 * float(gamma_quantile(chance, freedom / 2.0)) == pytest.approx(value, rel=1e-10)


def test_a_shape_of_one_is_exponential() -> None:
    """At shape 1 the quantile is −ln(1 − p)."""
    chances = np.array([1e-6, 0.05, 0.5, 0.8, 0.999])
    np.testing.assert_allclose(gamma_quantile(chances, 1.0), -np.log1p(-chances), rtol=1e-10)


@pytest.mark.parametrize(("shape", "value"), [(0.26, 1.2437665266862892), (9e4, 90494.02394817796)])
def test_small_and_large_shapes_are_as_exact(shape: float, value: float) -> None:
    """The .95 quantile is right at shapes from a fourth to ninety thousand."""
    assert float(gamma_quantile(0.95, shape)) == pytest.approx(value, rel=1e-10)


def test_shapes_beyond_counting_are_right_to_a_millionth_of_a_deviation() -> None:
    """Where the approximation takes over the quantile goes on, and at four trillion it is the normal one."""
    below, above = gamma_quantile(0.8, np.array([99_999.999, 100_000.0])).tolist()
    assert above - below == pytest.approx(1e-3, abs=1e-6 * 1e5**0.5)
    assert float(gamma_quantile(0.95, 4e12)) == pytest.approx(4e12 + 1.6448536 * 2e6, abs=2.0)


@pytest.mark.parametrize(
    ("seen", "low", "high"), [(0, 0.0, 2.9957), (1, 0.0513, 4.7439), (10, 5.4254, 16.9622)]
)
def test_counts_have_the_exact_poisson_limits(seen: int, low: float, high: float) -> None:
    """With amounts of 1 the limits are Garwood's 90% limits of a Poisson mean."""
    found = gamma_limits(seen, seen, 1.0, 1.0, 0.05)
    assert [float(end) for end in found] == pytest.approx([low, high], abs=5e-5)


def test_limits_are_in_the_unit_of_the_amounts() -> None:
    """Amounts in another unit give the same limits in that unit."""
    one = gamma_limits(7.0, 19.0, 1.4, 2.9, 0.1)
    thousand = gamma_limits(7e3, 19e6, 1.4e3, 2.9e6, 0.1)
    for small, large in zip(one, thousand, strict=True):
        assert float(large) == pytest.approx(1e3 * float(small), rel=1e-12)


def test_nothing_seen_leaves_the_upper_limit_alone() -> None:
    """Seeing nothing, the lower limit is 0 and the upper one −ln(tail) amounts."""
    low, high = gamma_limits(np.zeros(2), np.zeros(2), np.array([1.0, 5.0]), np.array([1.0, 25.0]), 0.2)
    assert low.tolist() == [0.0, 0.0]
    assert high.tolist() == pytest.approx([-math.log(0.2), -5.0 * math.log(0.2)])
