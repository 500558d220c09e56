"""What merchants are measured by."""

import numpy as np
import pytest

from fieldline.trust.peers import Floats, peers, standing
from fieldline.trust.signals import COUNT, KEPT_ORDERS

EACH = 10
"""Merchants of a trade."""


def quality(usual: tuple[float, float], apart: float) -> Floats:
    """How merchants of two trades stand, 400 orders each, who differ by so many deviations of one order."""
    trade = np.repeat(np.array((0, 1), np.int32), EACH)
    share = np.repeat(usual, EACH)
    share = share + apart * np.tile(np.linspace(-1.0, 1.0, EACH), 2) * np.sqrt(share * (1.0 - share))
    counts = np.zeros((2 * EACH, COUNT))
    counts[:, KEPT_ORDERS] = 400.0
    sums = counts.copy()
    sums[:, KEPT_ORDERS] *= share
    return standing(sums, counts, peers(sums, counts, sums, counts, trade))[0][:, 0]


def test_a_trade_s_spread_is_that_of_its_own_usual_share() -> None:
    """Who differ alike by the spread of an order stand within 0.1 alike where 4% and where 25% come back."""
    few, many = np.split(quality((0.96, 0.75), 0.2), 2)
    assert few == pytest.approx(many, abs=0.1)
    assert few[-1] > 1.0


def test_a_market_of_one_usual_share_knows_one_spread() -> None:
    """Where both trades keep as much, a merchant stands the same in either."""
    one, other = np.split(quality((0.9, 0.9), 0.2), 2)
    assert one == pytest.approx(other, rel=1e-9)
