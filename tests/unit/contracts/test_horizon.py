"""Days, hours of the week and schedules in UTC+8."""

import pytest

from fieldline.contracts import HOURS, Horizon
from fieldline.contracts.horizon import day_end, day_of, day_start, is_open, week_hour
from fieldline.units import DAY, HOUR

MONDAY = 1_650_816_000_000
"""2022-04-25 00:00 in UTC+8."""


def hours(*opened: int) -> str:
    return "".join("1" if hour in opened else "0" for hour in range(HOURS))


def test_a_day_begins_at_midnight_in_utc_8() -> None:
    """A millisecond before midnight belongs to the day before, and a day's start and end hold it."""
    day = day_of(MONDAY)
    assert (day_of(MONDAY - 1), day_of(MONDAY + DAY - 1)) == (day - 1, day)
    assert (day_start(day), day_end(MONDAY), day_end(MONDAY - 1)) == (MONDAY, MONDAY + DAY, MONDAY)
    assert day_of(0) == 0


def test_a_week_begins_on_monday() -> None:
    """Monday's midnight is hour 0, the millisecond before it hour 167; 1970-01-01 08:00 was Thursday's hour 80."""
    assert [week_hour(MONDAY + n) for n in (0, HOUR - 1, HOUR, -1, 7 * DAY)] == [0, 0, 1, 167, 0]
    assert week_hour(0) == 3 * 24 + 8


@pytest.mark.parametrize(
    ("at", "opened"),
    [
        (9 * HOUR - 1, False),
        (9 * HOUR, True),
        (10 * HOUR - 1, True),
        (10 * HOUR, False),
        (7 * DAY + 9 * HOUR, True),
    ],
)
def test_a_schedule_is_open_in_its_hours(at: int, opened: bool) -> None:
    """Hour 9 of Monday opens at 9:00 and closes at 10:00, every week."""
    assert is_open(Horizon(MONDAY, MONDAY + 14 * DAY, hours(9)), MONDAY + at) is opened


def test_a_horizon_holds_its_start_and_not_its_end() -> None:
    """Without a schedule it is open from the start to the millisecond before the end."""
    horizon = Horizon(MONDAY, MONDAY + HOUR)
    assert [is_open(horizon, MONDAY + n) for n in (-1, 0, HOUR - 1, HOUR)] == [False, True, True, False]
