"""The forecast experiment: what it counts, on one tiny market."""

import pytest

from fieldline.lab.experiments.forecast import FIGURES, Held, Job, figures_of, play_job
from fieldline.lab.world import Size

TINY = Size(viewers=120, creators=100, merchants=80, products=160, videos=240, rooms=8)


@pytest.fixture(scope="module")
def held() -> Held:
    return play_job(Job(5, 3, 60, TINY), lambda: None)


def test_a_day_is_judged_once_earlier_days_gave_a_width(held: Held) -> None:
    """Requests are judged from the second day on; the others once 50 errors are known, and never more than a day's
    contracts a day."""
    assert len(held.inside["requests"]) == 2
    for name in FIGURES[1:]:
        assert len(held.inside[name]) == len(held.width[name]) <= 60, name
    assert held.inside["gmv"]


def test_coverage_is_the_share_of_all_cases() -> None:
    """Two markets of 3 of 4 and 1 of 2 cases: the mean of their shares, with an interval over markets."""
    one, other = Held(), Held()
    one.inside["spend"], one.inside["gmv"] = [True, True], [True, False]
    other.inside["price"] = [True, False]
    found = figures_of([one, other], [Job(1, 7, 110, TINY), Job(2, 7, 110, TINY)])
    assert found.coverage_80 == pytest.approx(0.625)
    assert found.interval[0] < 0.625 < found.interval[1]
    assert found.by_figure["gmv"].estimate == pytest.approx(0.5)
    assert found.cases == 6
