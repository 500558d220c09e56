"""Days and hours of contracts: when a schedule is open, in the market's own time (UTC+8)."""

from fieldline.contracts import HOURS, Horizon
from fieldline.units import DAY, HOUR

CHINA = 8 * HOUR
"""The market's days begin at midnight in UTC+8."""
MONDAY = 3
"""Day 0, 1 January 1970, was a Thursday."""


def day_of(at: int) -> int:
    """Return the number of the day (UTC+8) of an instant; day 0 is 1 January 1970."""
    return (at + CHINA) // DAY


def day_start(day: int) -> int:
    """Return the first instant of a day, ms."""
    return day * DAY - CHINA


def day_end(at: int) -> int:
    """Return the first instant of the day after an instant, ms."""
    return day_start(day_of(at) + 1)


def week_hour(at: int) -> int:
    """Return the hour of the week of an instant: 0 is Monday 00:00 in UTC+8."""
    return int(((at + CHINA) // HOUR + 24 * MONDAY) % HOURS)


def is_open(horizon: Horizon, at: int) -> bool:
    """Return whether an instant lies within a horizon and in an hour of its schedule."""
    inside = horizon.start <= at < horizon.end
    return inside and (not horizon.hours or horizon.hours[week_hour(at)] == "1")
