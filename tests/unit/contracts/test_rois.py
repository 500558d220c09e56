"""A campaign-day's account and its four returns."""

import msgspec
import pytest

from fieldline.contracts.horizon import day_of, day_start
from fieldline.contracts.incrementality import Arm, Arms, Estimate
from fieldline.contracts.rois import DayAccount, pooled, rois
from fieldline.units import HOUR, YUAN, Instant

ARMS = Arms(Arm(9, 9, 900 * YUAN, 90_000.0), Arm(1, 1, 50 * YUAN, 2_500.0), 0.1)
DAY_20 = DayAccount(
    "c",
    20,
    ARMS,
    spend=100 * YUAN,
    storewide=950 * YUAN,
    attributed=600 * YUAN,
    refunds=95 * YUAN,
    orders=10,
)


def test_the_four_returns_of_a_day() -> None:
    """100 yuan with 600 attributed, 950 storewide, 95 returned and 900 − 9·50 gained return 6, 9.5, 8.55 and 4.5."""
    found = rois(DAY_20)
    assert (found.attributed, found.storewide, found.net) == (6.0, 9.5, 8.55)
    assert found.incremental.value == pytest.approx(4.5)
    assert found.incremental_gmv.value == pytest.approx(450.0)


def test_without_spend_there_are_no_returns() -> None:
    """No spend leaves every return absent, but the incremental GMV stands."""
    found = rois(msgspec.structs.replace(DAY_20, spend=0))
    assert (found.attributed, found.storewide, found.net, found.incremental) == (None, None, None, Estimate())
    assert found.incremental_gmv.value == pytest.approx(450.0)


def test_without_a_holdout_only_the_incremental_return_is_absent() -> None:
    """With nobody held out three returns stand."""
    arms = Arms(Arm(10, 10, 950 * YUAN, 92_500.0), Arm(), 0.0)
    found = rois(msgspec.structs.replace(DAY_20, arms=arms))
    assert (found.attributed, found.storewide, found.net) == (6.0, 9.5, 8.55)
    assert found.incremental == found.incremental_gmv == Estimate()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("storewide", 951 * YUAN, "storewide"),
        ("orders", 11, "orders"),
        ("attributed", 951 * YUAN, "exceed"),
        ("refunds", 951 * YUAN, "exceed"),
        ("arms", msgspec.structs.replace(ARMS, holdout=0.0), "nobody is held out"),
    ],
)
def test_an_account_that_breaks_an_identity_cannot_be_made(field: str, value: object, message: str) -> None:
    """Each identity that does not hold is refused by name, also when the account is read from JSON."""
    with pytest.raises(ValueError, match=message):
        msgspec.structs.replace(DAY_20, **{field: value})
    text = msgspec.json.encode(DAY_20)
    assert msgspec.json.decode(text, type=DayAccount) == DAY_20
    broken = msgspec.json.decode(text) | {field: msgspec.to_builtins(value)}
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.convert(broken, DayAccount)


def test_days_turn_at_sixteen_hours_utc() -> None:
    """Midnight in UTC+8 is 16:00 UTC of the day before."""
    assert day_of(Instant(16 * HOUR - 1)) == 0
    assert day_of(Instant(16 * HOUR)) == 1
    assert day_start(1) == 16 * HOUR


def test_pooled_gives_every_campaign_a_share() -> None:
    """A campaign without a holdout gets the pool's share, one with much evidence its own ratio of 450/600."""
    arms = Arms(Arm(900, 900, 90_000 * YUAN, 9_000.0), Arm(50, 50, 5_000 * YUAN, 500.0), 0.1)
    sure = DayAccount("sure", 20, arms, storewide=95_000 * YUAN, attributed=60_000 * YUAN, orders=950)
    plain = Arms(Arm(9, 9, 900 * YUAN, 90_000.0), Arm(), 0.0)
    blind = DayAccount("blind", 20, plain, storewide=900 * YUAN, attributed=600 * YUAN, orders=9)
    found = pooled([blind, sure])
    assert found.campaigns["sure"].value == pytest.approx(0.75, abs=0.001)
    assert found.campaigns["blind"].value == found.pool.value
    assert sorted(found.campaigns) == ["blind", "sure"]
