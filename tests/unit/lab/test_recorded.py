"""Recorded auctions: read strictly, tuned on the first half, measured on the second."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fieldline.errors import Refused
from fieldline.lab.recorded import auctions, bidders, calibrate, measure, report, resample
from fieldline.lab.recorded.auctions import Campaign
from fieldline.traffic import bidding

IPINYOU = Path(__file__).parents[4] / "shared" / "data" / "ipinyou"
GOOD = "7\t2\n1\n0\t51\t0.25\n1\t87\t3e-4\n2\t9.5\n0\t0\t0.5\n0\t13\t0.125\n"


def market(episodes: int = 8, per_episode: int = 300, seed: int = 5) -> Campaign:
    """Return a made-up campaign whose chances say too much: the log-odds are .5 × those predicted."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-3.0, 1.0, (episodes, per_episode))
    chances = 1.0 / (1.0 + np.exp(-odds))
    true = 1.0 / (1.0 + np.exp(1.5 - 0.5 * odds))
    return Campaign(
        name="1",
        clicks=(rng.random(odds.shape) < true).astype(np.float64),
        prices=np.floor(rng.lognormal(4.0, 0.6, odds.shape)),
        chances=chances,
    )


def written(campaign: Campaign) -> str:
    """Return a campaign in the form that is read."""
    lines = [f"1\t{campaign.prices.shape[1]}"]
    for e, (clicks, prices, chances) in enumerate(
        zip(campaign.clicks, campaign.prices, campaign.chances, strict=True)
    ):
        lines.append(str(e + 1))
        for click, price, chance in zip(clicks, prices, chances, strict=True):
            lines.append(f"{int(click)}\t{int(price)}\t{float(chance)!r}")
    return "\n".join(lines) + "\n"


def test_a_file_is_read_as_written_plain_or_zipped(tmp_path: Path) -> None:
    """Clicks, prices and chances come out episode by episode, with or without a cost on the index line."""
    (tmp_path / "12.validation.txt").write_text(GOOD)
    (tmp_path / "3.validation.txt.gz").write_bytes(gzip.compress(GOOD.encode()))
    (tmp_path / "12.info.json").write_text("not auctions")
    first, second = auctions.read_folder(tmp_path)
    assert (first.name, second.name) == ("12", "3")
    for campaign in (first, second):
        np.testing.assert_array_equal(campaign.clicks, [[0, 1], [0, 0]])
        np.testing.assert_array_equal(campaign.prices, [[51, 87], [0, 13]])
        np.testing.assert_array_equal(campaign.chances, [[0.25, 3e-4], [0.5, 0.125]])


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "dim TAB T"),
        ("7\t0\n1\n", 1, "T ≥ 1"),
        ("7\t2\n", 2, "before its first episode"),
        (GOOD.replace("\n2\t9.5", "\nsecond"), 5, "index"),
        (GOOD.replace("\n2\t9.5", "\n2\tdear"), 5, "index TAB cost"),
        (GOOD.replace("0\t51\t0.25", "0\t51"), 3, "click TAB price TAB chance"),
        (GOOD.replace("0\t51\t0.25", "0\t51\t0.25\t9"), 3, "click TAB price TAB chance"),
        (GOOD.replace("0\t51\t0.25", ""), 3, "click TAB price TAB chance"),
        (GOOD.replace("1\t87", "2\t87"), 4, "click must be 0 or 1, found '2'"),
        (GOOD.replace("87", "-87"), 4, "whole number"),
        (GOOD.replace("87", "8.7"), 4, "whole number"),
        (GOOD.replace("3e-4", "nan"), 4, "between 0 and 1, found 'nan'"),
        (GOOD.replace("3e-4", "1.0"), 4, "between 0 and 1"),
        (GOOD.replace("3e-4", "0"), 4, "between 0 and 1"),
        (GOOD.replace("3e-4", "?"), 4, "between 0 and 1"),
        (GOOD.replace("0\t13\t0.125\n", ""), 6, "after 1 of 2"),
        (GOOD + "3\n", 8, "after 0 of 2"),
    ],
)
def test_a_malformed_line_is_refused_with_its_place(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    """The refusal names the file, the line's number and what is wrong with it."""
    (tmp_path / "9.validation.txt").write_text(text)
    with pytest.raises(Refused, match=reason) as refused:
        auctions.read_folder(tmp_path)
    assert refused.value.field == f"9.validation.txt:{line}"


def _absent(folder: Path) -> Path:
    return folder / "absent"


def _empty(folder: Path) -> Path:
    return folder


def _twice(folder: Path) -> Path:
    (folder / "9.validation.txt").write_text(GOOD)
    (folder / "9.validation.txt.gz").write_bytes(gzip.compress(GOOD.encode()))
    return folder


def _torn(folder: Path) -> Path:
    (folder / "9.validation.txt.gz").write_bytes(gzip.compress(GOOD.encode())[:-9])
    return folder


@pytest.mark.parametrize(
    ("make", "reason"),
    [(_absent, "not a folder"), (_empty, "holds no"), (_twice, "same campaign"), (_torn, "cannot be read")],
)
def test_a_folder_that_cannot_be_read_is_refused(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    """A missing or empty folder, a campaign twice and a torn archive are refused, and no figures are written."""
    folder = make(tmp_path)
    with pytest.raises(Refused, match=reason):
        report.recorded(folder, tmp_path / "figures.json")
    assert not (tmp_path / "figures.json").exists()


def test_recalibration_finds_the_line_that_made_the_clicks() -> None:
    """Chances whose log-odds are twice the true ones get a slope near one half, and the clicks' own total."""
    campaign = market(episodes=400)
    line = calibrate.fit(campaign.clicks.ravel(), campaign.chances.ravel())
    assert line.slope == pytest.approx(0.5, abs=0.05)
    assert calibrate.apply(line, campaign.chances).sum() == pytest.approx(campaign.clicks.sum())


def test_recalibration_stays_finite_where_a_threshold_separates_clicks() -> None:
    """Four auctions told apart without error do not send the slope off; alike chances leave it at 1."""
    line = calibrate.fit(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.2, 0.3, 0.4]))
    assert 1.0 < line.slope < 4.0
    assert calibrate.fit(np.array([0.0, 1.0]), np.array([0.3, 0.3])).slope == pytest.approx(1.0)


@pytest.mark.parametrize("clicks", [np.zeros(5), np.ones(5)])
def test_recalibration_needs_both_outcomes(clicks: np.ndarray) -> None:
    """Nothing but clicks, or none, is refused."""
    with pytest.raises(Refused, match="with a click and auctions without"):
        calibrate.fit(clicks, np.full(5, 0.1))


def test_a_bid_wins_at_the_price_and_never_past_the_budget() -> None:
    """A bid equal to the price wins; once 12 of 20 are spent a price of 9 is out of reach, one of 8 is not."""
    prices = np.array([5.0, 7.0, 9.0, 8.0, 1.0])
    won = bidders.winners(np.array([1.0]), np.array([5.0, 50.0, 50.0, 50.0, 50.0]), prices, np.array([20.0]))
    np.testing.assert_array_equal(won, [[1, 1, 0, 1, 0]])


def test_the_knapsack_takes_the_cheapest_value_and_a_part_of_the_last() -> None:
    """With 9 for prices 0, 4, 10 and values 1, 4, 5 it gains 1 + 4 + half of 5."""
    assert bidders.knapsack(np.array([5.0, 4.0, 1.0]), np.array([10.0, 4.0, 0.0]), 9.0) == 7.5


def test_the_tuned_multiplier_buys_what_the_budget_holds() -> None:
    """With prices 1 … 10 for like scores and a budget of 6 the best multiplier wins 1, 2 and 3."""
    half = bidders.Half(
        prices=np.arange(1.0, 11.0)[None, ::-1].copy(), values=np.ones((1, 10)), scores=np.ones((1, 10))
    )
    assert 3.0 <= bidders.tune_fixed(half.scores, half, 6.0) < 4.0


@pytest.fixture(scope="module")
def measured() -> dict[str, measure.Figures]:
    """Return the figures of the made-up campaign."""
    return measure.measure(market())


def test_no_episode_passes_its_budget_and_nobody_beats_hindsight(
    measured: dict[str, measure.Figures],
) -> None:
    """Every budget holds in every episode, and the knapsack is above both bidders."""
    for figures in measured.values():
        assert figures.highest_spend <= 1.0
        assert figures.hindsight_expected >= max(figures.expected_clicks, figures.linear_expected)


def test_budgets_are_shares_of_the_full_cost(measured: dict[str, measure.Figures]) -> None:
    """1/8 is an eighth of T × the first half's mean price, for each episode of the second half."""
    prices = market().prices
    assert measured["1/8"].budget == pytest.approx(4 * 300 * prices[:4].mean() / 8)


def test_measuring_twice_gives_the_same_figures(measured: dict[str, measure.Figures]) -> None:
    """Nothing depends on when it runs."""
    assert measure.measure(market()) == measured


def test_later_episodes_tell_earlier_bids_nothing(measured: dict[str, measure.Figures]) -> None:
    """Other prices in the second half leave budgets and goals as they were; other clicks, all expected clicks too."""
    campaign = market()
    dearer, clicked = campaign.prices.copy(), campaign.clicks.copy()
    dearer[4:] *= 2.0
    clicked[4:] = 1.0 - clicked[4:]
    other_prices = measure.measure(replace(campaign, prices=dearer))
    other_clicks = measure.measure(replace(campaign, clicks=clicked))
    for budget, figures in measured.items():
        assert figures.goal is not None
        for other in (other_prices[budget], other_clicks[budget]):
            assert other.goal is not None
            assert (other.budget, other.goal.cost_per_click) == (figures.budget, figures.goal.cost_per_click)
        same = other_clicks[budget]
        assert (same.expected_clicks, same.linear_expected) == (
            figures.expected_clicks,
            figures.linear_expected,
        )
        assert same.clicks != figures.clicks


def test_an_episode_is_bid_without_knowing_its_end() -> None:
    """Other auctions in an episode's last third leave what was won in the episodes before it as it was."""
    half, other = (_half(market(), factor) for factor in (1.0, 9.0))
    stated = bidding.Limits(*(np.array([entry]) for entry in (0.0, 0.5, 1.0, np.inf)))
    past = bidding.update(bidding.init(), half.values.ravel(), half.prices.ravel(), np.inf)
    none = np.zeros((1, *half.prices.shape))
    played, changed = (bidders.play(each, none, np.array([2000.0]), stated, past) for each in (half, other))
    np.testing.assert_array_equal(played.cost[:, :-1], changed.cost[:, :-1])
    assert played.cost[0, -1] != changed.cost[0, -1]


def _half(campaign: Campaign, factor: float) -> bidders.Half:
    prices = campaign.prices.copy()
    prices[-1, 200:] *= factor
    return bidders.Half(prices=prices, values=campaign.chances * 1000.0, scores=campaign.chances)


def test_a_stated_confidence_is_kept_when_clicks_are_drawn_as_predicted() -> None:
    """Of 200 campaigns with true chances and a goal at 90%, at least 90% keep it, and spend 80% of what it admits."""
    campaign = market(episodes=3)
    half = _half(campaign, 1.0)
    drawn = resample.clicks(1, campaign.chances, 1e12, 200)
    goal = 1.0 / 500.0 * 1000.0
    stated = bidding.Limits(*(np.full(200, entry) for entry in (goal, 0.9, 1000.0, np.inf)))
    past = bidding.update(bidding.init(), half.values.ravel(), half.prices.ravel(), np.inf)
    played = bidders.play(half, drawn, np.full(200, 1e6), stated, past)
    kept = played.clicks.sum(axis=1) * 1000.0 >= goal * played.cost.sum(axis=1)
    assert kept.mean() >= 0.9
    assert played.cost.sum(axis=1).mean() > 0.8 * played.value.sum(axis=1).mean() / goal


def test_too_little_to_measure_is_refused() -> None:
    """One episode, a first half without clicks, and one without prices are refused by the campaign's name."""
    campaign = market(episodes=2, per_episode=50)
    nothing = np.zeros_like(campaign.clicks)
    for short in (
        replace(campaign, clicks=campaign.clicks[:1], prices=campaign.prices[:1]),
        replace(campaign, clicks=nothing),
        replace(campaign, prices=nothing),
    ):
        with pytest.raises(Refused) as refused:
            measure.measure(short)
        assert refused.value.field.startswith("1")


def test_the_report_writes_every_campaign_and_budget(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file holds each campaign's five budgets with the stated figures, and the table is printed."""
    (tmp_path / "0042.validation.txt").write_text(written(market(episodes=4, per_episode=80)))
    report.recorded(tmp_path, tmp_path / "figures.json")
    found = msgspec.json.decode((tmp_path / "figures.json").read_bytes())
    assert list(found) == ["0042"]
    assert list(found["0042"]) == ["1/2", "1/4", "1/8", "1/16", "1/32"]
    stated = {
        "clicks",
        "linear_clicks",
        "expected_clicks",
        "linear_expected",
        "hindsight_expected",
        "spend",
        "budget",
    }
    assert all(stated <= set(figures) for figures in found["0042"].values())
    assert "Recorded second-price auctions" in capsys.readouterr().out


@pytest.mark.skipif(not IPINYOU.is_dir(), reason="../shared/data/ipinyou is absent")
def test_real_auctions_are_bid_better_than_linearly() -> None:
    """On a recorded campaign's first ten episodes, at 1/16, ours passes linear bidding and 90% of hindsight."""
    whole = auctions.read(IPINYOU / "2259.validation.txt.gz", "2259")
    assert whole.prices.shape == (100, 1000)
    few = replace(whole, clicks=whole.clicks[:10], prices=whole.prices[:10], chances=whole.chances[:10])
    figures = measure.measure(few)["1/16"]
    assert figures.expected_clicks > figures.linear_expected
    assert figures.expected_clicks > 0.9 * figures.hindsight_expected
