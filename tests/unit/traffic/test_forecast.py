"""Forecast of requests."""

import numpy as np
import pytest

from fieldline.traffic.forecast import (
    PRIOR_SHAPE,
    Traffic,
    hour_of,
    planned_share,
    still_to_come,
    update,
)
from fieldline.units import DAY, HOUR, MINUTE

MIDNIGHT = 1_650_816_000_000
"""2022-04-25 00:00 in UTC+8."""


def test_hours_are_those_of_the_market() -> None:
    """Hour 0 begins at midnight in UTC+8."""
    assert hour_of(MIDNIGHT) == 0
    assert hour_of(MIDNIGHT + 13 * HOUR + 59 * MINUTE) == 13
    assert hour_of(MIDNIGHT - 1) == 23


def test_a_steady_stream_is_forecast_exactly() -> None:
    """With a flat shape and 10 requests in every 5-minute tick, a day ahead holds 2,880 requests."""
    traffic = Traffic(shape=np.ones(24))
    for tick in range(300):
        traffic.requests = 10
        update(traffic, MIDNIGHT + tick * 5 * MINUTE)
    ahead = still_to_come(traffic, MIDNIGHT, np.array([MIDNIGHT + DAY, MIDNIGHT - 1]), 5 * MINUTE)
    assert ahead[0] == pytest.approx(2_880)
    assert ahead[1] == 0.0


def test_a_surge_counts_for_the_next_hours_only() -> None:
    """After a doubled half hour the forecast of the next hour rises more than that of a distant hour."""
    traffic = Traffic(shape=np.ones(24))
    for tick in range(600):
        traffic.requests = 10 if tick < 594 else 20
        update(traffic, MIDNIGHT + tick * 5 * MINUTE)
    ends = MIDNIGHT + np.array([1, 11, 12]) * HOUR
    near, until_11, until_12 = still_to_come(traffic, MIDNIGHT, ends, 5 * MINUTE)
    assert near > 1.3 * (until_12 - until_11) > 120


def test_the_plan_follows_the_day() -> None:
    """Half past nothing is planned at the start, all at the end, and the quiet night plans less than the evening."""
    traffic = Traffic()
    start, end = MIDNIGHT, MIDNIGHT + DAY
    assert planned_share(traffic, start, end, start) == 0.0
    assert planned_share(traffic, start, end, end) == 1.0
    night = planned_share(traffic, start, end, start + 6 * HOUR)
    assert night == pytest.approx(PRIOR_SHAPE[:6].sum() / 24)
    assert night < 1 - planned_share(traffic, start, end, start + 18 * HOUR)
