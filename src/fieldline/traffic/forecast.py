"""How many requests are still to come: the shape of a day × the level of late.

Per tick: count = level·shape[hour]; the slow level is a decayed mean over a day, the fast one over half an hour.
Expected requests of the tick that is Δ ahead: slow·shape[hour]·(1 + surprise·e^(−Δ/2h)), surprise = fast/slow − 1.
Source: S44 (the first form: one shape for all scenes).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fieldline.units import HOUR

CHINA = 8 * HOUR
"""The market's days begin at midnight in UTC+8."""

_EVENING = np.array(
    [2.2, 1.3, 0.8, 0.5, 0.4, 0.5, 1.2, 2.4, 3.6, 4.2, 4.6, 5.2,
     6.0, 5.2, 4.6, 4.6, 4.8, 5.4, 6.4, 7.2, 7.8, 7.8, 6.6, 4.2]
)  # fmt: skip
PRIOR_SHAPE = _EVENING / _EVENING.mean()
"""Declared shape of a day before any was seen (mean 1), index = hour in UTC+8."""

SLOW, FAST, SHAPE = 0.003, 0.15, 0.01
RELAXATION_HOURS = 2.0


@dataclass(slots=True)
class Traffic:
    """What the forecast knows."""

    shape: NDArray[np.float64] = field(default_factory=PRIOR_SHAPE.copy)  # [24]
    slow: float = 0.0
    fast: float = 0.0
    ticks: int = 0
    requests: int = 0
    """Requests since the last tick."""
    first: int = 0
    """Instant of the first tick."""


def hour_of(at: int) -> int:
    """Return the hour of the day in UTC+8 of an instant."""
    return (at + CHINA) // HOUR % 24


def update(traffic: Traffic, at: int) -> None:
    """Close a tick: learn level and shape from the requests that it saw."""
    hour = hour_of(at)
    seen = traffic.requests / traffic.shape[hour]
    traffic.ticks += 1
    traffic.slow += max(SLOW, 1.0 / traffic.ticks) * (seen - traffic.slow)
    traffic.fast += max(FAST, 1.0 / traffic.ticks) * (seen - traffic.fast)
    if traffic.slow > 0.0:
        traffic.shape[hour] += SHAPE * (traffic.requests / traffic.slow - traffic.shape[hour])
        traffic.shape[hour] = max(traffic.shape[hour], 0.02)
    traffic.requests = 0


def still_to_come(traffic: Traffic, now: int, ends: NDArray[np.int64], tick_ms: int) -> NDArray[np.float64]:
    """Return the requests expected from now until each end.

    Args:
        traffic: level and shape.
        now: ms.
        ends: ms, shape [C].
        tick_ms: ticks' length.

    Returns:
        Expected requests, shape [C]; 0 where the end has passed.
    """
    ahead = np.maximum(ends - now, 0)
    hours = int(min(ahead.max(initial=0) // HOUR + 2, 24 * 400))
    begin = now - (now + CHINA) % HOUR
    per_hour = traffic.slow * traffic.shape[(hour_of(begin) + np.arange(hours)) % 24] * (HOUR / tick_ms)
    if traffic.slow > 0.0:
        surprise = traffic.fast / traffic.slow - 1.0
        per_hour = per_hour * (1.0 + surprise * np.exp(-np.arange(hours) / RELAXATION_HOURS))
    total = np.concatenate([[0.0], np.cumsum(per_hour)])
    return _until(total, now + ahead - begin) - _until(total, np.array(now - begin))


def planned_share(traffic: Traffic, start: int, end: int, now: int) -> float:
    """Return the share of a horizon's traffic that the day's shape expects by now, in [0, 1]."""
    if now >= end:
        return 1.0
    if now <= start:
        return 0.0
    begin = start - (start + CHINA) % HOUR
    hours = (end - begin) // HOUR + 2
    total = np.concatenate([[0.0], np.cumsum(traffic.shape[(hour_of(begin) + np.arange(hours)) % 24])])
    at = _until(total, np.array([start, now, end]) - begin)
    return float((at[1] - at[0]) / (at[2] - at[0]))


def _until(total: NDArray[np.float64], ahead: NDArray[np.int64]) -> NDArray[np.float64]:
    whole = np.minimum(ahead // HOUR, len(total) - 2)
    part = ahead / HOUR - whole
    return np.asarray(total[whole] + np.clip(part, 0.0, 1.0) * (total[whole + 1] - total[whole]))
