"""How many requests are still to come: the shape of a day × the level of late, and in which scenes.

Per tick: count = level·shape[hour]; the slow level is a decayed mean over a day, the fast one over half an hour.
Expected requests of the tick that is Δ ahead: slow·shape[hour]·(1 + surprise·e^(−Δ/2h)), surprise = fast/slow − 1.
The mix of scenes is learned by hour; a contract whose supply is in some scenes more than in others has its own
weight for each, so that an evening of live rooms is not taken for a morning of search. Source: S44.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fieldline.contracts import HOURS
from fieldline.contracts.book import Book
from fieldline.contracts.horizon import CHINA, MONDAY, day_end, day_of, day_start
from fieldline.units import DAY, HOUR

_EVENING = np.array(
    [2.2, 1.3, 0.8, 0.5, 0.4, 0.5, 1.2, 2.4, 3.6, 4.2, 4.6, 5.2,
     6.0, 5.2, 4.6, 4.6, 4.8, 5.4, 6.4, 7.2, 7.8, 7.8, 6.6, 4.2]
)  # fmt: skip
PRIOR_SHAPE = _EVENING / _EVENING.mean()
"""Declared shape of a day before any was seen (mean 1), index = hour in UTC+8."""

SLOW, FAST, SHAPE = 0.003, 0.15, 0.01
SCENES = 32
MIX_FORGET = 0.99
"""What a tick leaves of its hour's mix of scenes."""
MIX_STRENGTH = 200.0
"""Requests that the mix of all hours counts for in that of one."""
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
    of_day: int = 0
    """Requests of the ticks that this day has closed."""
    first: int = 0
    """Instant of the first tick."""
    by_scene: NDArray[np.int64] = field(default_factory=lambda: np.zeros(SCENES, np.int64))
    """Requests since the last tick, by scene."""
    mix: NDArray[np.float64] = field(default_factory=lambda: np.zeros((24, SCENES)))
    """Requests by hour and scene, decayed."""


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
    traffic.of_day += traffic.requests
    traffic.requests = 0
    traffic.mix[hour] = traffic.mix[hour] * MIX_FORGET + traffic.by_scene
    traffic.by_scene[:] = 0


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


def requests_to_come(
    traffic: Traffic,
    book: Book,
    numbers: NDArray[np.int64],
    now: int,
    tick_ms: int,
    weight: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the requests expected while each contract may still bid: until its end, and today.

    Args:
        traffic: level, shape and mix.
        book: the contracts.
        numbers: which ones, [J].
        now: ms.
        tick_ms: ticks' length.
        weight: [J, SCENES], how much a request of each scene counts to each contract (1 in the mean of what it
            saw); None: all alike.

    Returns:
        Expected requests in the hours of their schedules, twice [J].
    """
    ends, midnight = book.end[numbers], day_end(now)
    scheduled = np.flatnonzero(book.scheduled[numbers])
    if not len(scheduled) and weight is None:
        today = still_to_come(traffic, now, np.minimum(ends, midnight), tick_ms)
        return still_to_come(traffic, now, ends, tick_ms), today
    edges = _hours_until(now, int(ends.max(initial=now)))
    counts = np.diff(still_to_come(traffic, now, edges, tick_ms), prepend=0.0)  # [H]
    each = np.ones((len(numbers), 24))
    if weight is not None and traffic.mix.any():
        seen = np.flatnonzero(traffic.mix.any(axis=0))
        each = np.einsum("js,hs->jh", weight[:, seen], _mix(traffic)[:, seen])  # [J, 24]; no threads of BLAS
    by_day = _Hours(edges, counts, now, (edges - 1 + CHINA) // HOUR % 24, 24)
    whole = np.einsum("jh,jh->j", _until_each(by_day, ends), each)
    today = np.einsum("jh,jh->j", _until_each(by_day, np.minimum(ends, midnight)), each)
    if len(scheduled):
        horizons = [book.contracts[number].horizon for number in numbers[scheduled]]
        begun = np.array([horizon.start for horizon in horizons])
        hours = "".join(horizon.hours for horizon in horizons).encode()
        opened = np.frombuffer(hours, np.uint8).reshape(-1, HOURS) == ord("1")  # [S, 168]
        by_week = _Hours(edges, counts, now, ((edges - 1 + CHINA) // HOUR + 24 * MONDAY) % HOURS, HOURS)
        counted = np.tile(each[scheduled], (1, HOURS // 24)) * opened
        before = _until_each(by_week, begun)
        for found, last in ((whole, ends), (today, np.minimum(ends, midnight))):
            parts = np.maximum(_until_each(by_week, last[scheduled]) - before, 0.0)
            found[scheduled] = np.einsum("jh,jh->j", parts, counted)
    return whole, today


def scene_weights(offered: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return how much a request of each scene counts to each contract, 1 in the mean of what it saw.

    w_s = r_s/Σ_s r_s·q_s, r_s = (offered_s + k·r)/(asked_s + k), r = offered/asked of all scenes, q_s = asked_s/asked.

    Args:
        offered: [J, SCENES], value offered to each contract in sampled requests of each scene, yuan.
        asked: [SCENES], those requests.

    Returns:
        [J, SCENES]; None where nothing was seen.
    """
    total = asked.sum()
    if total <= 0.0:
        return None
    overall = offered.sum(axis=1, keepdims=True) / total  # [J, 1]
    rate = (offered + WEIGHT_STRENGTH * overall) / (asked + WEIGHT_STRENGTH)
    mean = np.einsum("js,s->j", rate, asked / total)
    return np.where(mean[:, None] > 0.0, rate / np.maximum(mean, 1e-12)[:, None], 1.0)


WEIGHT_STRENGTH = 100.0
"""Sampled requests that all scenes together count for in one scene's rate."""


def _hours_until(now: int, end: int) -> NDArray[np.int64]:
    """The ends of the hours from now until past an end, ms."""
    first = now - (now + CHINA) % HOUR + HOUR
    return np.arange(first, max(end, now + 1) + HOUR, HOUR, dtype=np.int64)


def _mix(traffic: Traffic) -> NDArray[np.float64]:
    """The share of each scene in the requests of each hour of the day, [24, SCENES]."""
    overall = traffic.mix.sum(axis=0) / traffic.mix.sum()
    total = traffic.mix.sum(axis=1, keepdims=True)
    return np.asarray((traffic.mix + MIX_STRENGTH * overall) / (total + MIX_STRENGTH))


class _Hours(NamedTuple):
    """The requests of the clock hours to come, and of which kind each hour is."""

    edges: NDArray[np.int64]  # [H] ms, their ends
    counts: NDArray[np.float64]  # [H]
    now: int
    kind: NDArray[np.int64]  # [H]
    kinds: int


def _until_each(hours: _Hours, ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """The requests from now to each end, even within an hour, by kind of hour, [J, kinds]."""
    count = len(hours.edges)
    sums = np.zeros((count + 1, hours.kinds))
    sums[np.arange(1, count + 1), hours.kind] = hours.counts
    sums = np.cumsum(sums, axis=0)
    hour = np.clip(np.searchsorted(hours.edges, ends), 0, count - 1)
    start = np.where(hour > 0, hours.edges[np.maximum(hour - 1, 0)], hours.now)
    part = np.clip((ends - start) / np.maximum(hours.edges[hour] - start, 1), 0.0, 1.0)
    found = sums[hour]
    found[np.arange(len(ends)), hours.kind[hour]] += part * hours.counts[hour]
    return found


def day_passed(traffic: Traffic, now: int) -> float:
    """Return the share of a day's traffic that has passed by now, in [0, 1]."""
    return planned_share(traffic, day_start(day_of(now)), day_end(now), now)


def planned_share(traffic: Traffic, start: int, end: int, now: int) -> float:
    """Return the share of a horizon's traffic that the day's shape expects by now, in [0, 1]."""
    if now >= end:
        return 1.0
    if now <= start:
        return 0.0
    shape = traffic.shape.tolist()
    begun, past, over = (_shape_until(shape, at - start, start) for at in (start, now, end))
    return (past - begun) / (over - begun)


def _shape_until(shape: list[float], passed: int, start: int) -> float:
    """The sum of the day's shape over the time that has passed since the midnight before a start."""
    since = passed + (start + CHINA) % DAY
    hour = since // HOUR % 24
    return since // DAY * sum(shape) + sum(shape[:hour]) + since % HOUR / HOUR * shape[hour]


def _until(total: NDArray[np.float64], ahead: NDArray[np.int64]) -> NDArray[np.float64]:
    whole = np.minimum(ahead // HOUR, len(total) - 2)
    part = ahead / HOUR - whole
    return np.asarray(total[whole] + np.clip(part, 0.0, 1.0) * (total[whole + 1] - total[whole]))
