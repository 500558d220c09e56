"""What bidders reach on one campaign's recorded auctions: tuned on its first half, measured on its second."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldline.draws import key_of
from fieldline.errors import Refused
from fieldline.lab.recorded import bidders, calibrate, resample
from fieldline.lab.recorded.auctions import Campaign
from fieldline.lab.recorded.bidders import Half, Played
from fieldline.traffic import bidding

Floats = NDArray[np.float64]
Interval = tuple[float, float, float]

FRACTIONS = (2, 4, 8, 16, 32)
"""Budgets: one over these of T × the mean full cost."""
GOAL, CONFIDENCE = 0.8, 0.9
"""A cost per click of so much of the linear bidder's, to be kept with this chance."""
REDRAWS, RESAMPLES, SEED = 20, 2_000, 1


@dataclass(frozen=True, slots=True)
class GoalFigures:
    """A budget and a cost per click, over all episodes of the second half."""

    cost_per_click: float
    """The goal: 0.8 × the linear bidder's cost per expected click on the first half."""
    confidence: float
    expected_clicks: float
    clicks: float
    spend: float
    attained_expected: bool
    """Spend per expected click at most the goal."""
    attained: bool
    """Spend per recorded click at most the goal."""
    attained_redrawn: float
    """Share of redraws of all clicks, and of the calibration's level, in which the goal was kept."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One campaign and one budget, summed over the episodes of the second half."""

    clicks: float
    linear_clicks: float
    expected_clicks: float
    linear_expected: float
    hindsight_expected: float
    spend: float
    budget: float
    clicks_interval: Interval
    linear_clicks_interval: Interval
    gain_interval: Interval
    """Expected clicks over the linear bidder's."""
    linear_spend: float
    linear_recalibrated_expected: float
    """Of linear bidding on recalibrated chances: what is left of the gain above it is the bidder's."""
    short_episodes: int
    """Episodes with enough supply whose spend stayed more than 2% below the budget."""
    highest_spend: float
    """Of any episode, as a share of its budget."""
    goal: GoalFigures | None
    """None where the linear bidder won nothing on the first half, so that it has no cost per click."""


def measure(campaign: Campaign) -> dict[str, Figures]:
    """Return the figures of one campaign, by budget.

    Raises:
        Refused: fewer than two episodes, or a first half that has no price or cannot be recalibrated.
    """
    episodes, per_episode = campaign.prices.shape
    if episodes < 2:
        raise Refused(campaign.name, "two episodes are needed: one to tune on, one to report on")
    half = episodes // 2
    try:
        line = calibrate.fit(campaign.clicks[:half].ravel(), campaign.chances[:half].ravel())
    except Refused as refused:
        raise Refused(f"{campaign.name}, first half, {refused.field}", refused.reason) from refused
    full = float(campaign.prices[:half].mean())
    if full == 0.0:
        raise Refused(f"{campaign.name}, first half", "every price is 0, so that budgets would be")
    click = full / float(calibrate.apply(line, campaign.chances[:half]).mean())  # the value of one, in prices
    first, second = (_half(campaign, rows, line, click, half) for rows in (slice(half), slice(half, None)))
    budgets = np.array([per_episode * full / fraction for fraction in FRACTIONS])
    linear = _linear(first, second, campaign, budgets)
    goals = np.array([GOAL * own.first_cost_per_value * click for own in linear])  # cost per click; 0: none
    plain, goal, redrawn = _ours(campaign, first, second, budgets, goals, click)
    return {
        f"1/{fraction}": _figures(
            campaign, second, float(budgets[i]), linear[i], _row(plain, i), click,
            _goal(_row(goal, i), [_row(played, i) for played in redrawn], float(goals[i]), click),
        )
        for i, fraction in enumerate(FRACTIONS)
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Linear:
    played: Played
    recalibrated: Played
    first_cost_per_value: float


def _half(campaign: Campaign, rows: slice, line: calibrate.Line, click: float, half: int) -> Half:
    chances = campaign.chances[rows]
    return Half(
        prices=campaign.prices[rows],
        values=calibrate.apply(line, chances) * click,
        scores=chances / campaign.chances[:half].mean(),
    )


def _linear(first: Half, second: Half, campaign: Campaign, budgets: Floats) -> list[_Linear]:
    clicks = campaign.clicks[len(first.prices) :]
    found = []
    for budget in budgets:
        each = np.array([budget])
        base = np.array([bidders.tune_fixed(first.scores, first, budget)])
        before = bidders.play_fixed(base, first.scores, first, np.zeros_like(first.scores), each)
        own = np.array([bidders.tune_fixed(first.values, first, budget)])
        found.append(
            _Linear(
                played=bidders.play_fixed(base, second.scores, second, clicks, each),
                recalibrated=bidders.play_fixed(own, second.values, second, clicks, each),
                first_cost_per_value=_ratio(float(before.cost.sum()), float(before.value.sum())),
            )
        )
    return found


def _ours(
    campaign: Campaign, first: Half, second: Half, budgets: Floats, goals: Floats, click: float
) -> tuple[Played, Played, list[Played]]:
    arms = 2 + REDRAWS  # without a goal, with one, and with one while clicks are redrawn
    known = float(campaign.clicks[: len(first.prices)].sum())
    recorded = campaign.clicks[len(first.prices) :]
    drawn = resample.clicks(key_of(SEED, campaign.name, "clicks"), second.values / click, known, REDRAWS)
    clicks = np.concatenate([np.stack([recorded, recorded]), drawn])  # [arms, E, T]
    count = len(budgets)
    limits = bidding.Limits(
        goal=np.concatenate([np.zeros(count), np.tile([_ratio(click, goal) for goal in goals], arms - 1)]),
        confidence=np.full(arms * count, CONFIDENCE),
        conversion=np.full(arms * count, click),
        trust=np.full(arms * count, known),
    )
    past = bidding.update(bidding.init(), first.values.ravel(), first.prices.ravel(), bidders.MEMORY)
    played = bidders.play(second, np.repeat(clicks, count, axis=0), np.tile(budgets, arms), limits, past)
    parts = [
        Played(cost=played.cost[at], value=played.value[at], clicks=played.clicks[at])
        for at in (slice(arm * count, (arm + 1) * count) for arm in range(arms))
    ]
    return parts[0], parts[1], parts[2:]


def _row(played: Played, i: int) -> Played:
    return Played(cost=played.cost[i : i + 1], value=played.value[i : i + 1], clicks=played.clicks[i : i + 1])


def _figures(
    campaign: Campaign,
    second: Half,
    budget: float,
    linear: _Linear,
    ours: Played,
    click: float,
    goal: GoalFigures | None,
) -> Figures:
    pairs = zip(second.values, second.prices, strict=True)
    best = sum(bidders.knapsack(values, prices, budget) for values, prices in pairs)
    share = ours.cost[0] / budget  # [E]
    key = key_of(SEED, campaign.name, "episodes")
    one = np.ones_like(ours.clicks[0])
    return Figures(
        clicks=float(ours.clicks.sum()),
        linear_clicks=float(linear.played.clicks.sum()),
        expected_clicks=float(ours.value.sum()) / click,
        linear_expected=float(linear.played.value.sum()) / click,
        hindsight_expected=best / click,
        spend=float(ours.cost.sum()),
        budget=budget * len(share),
        clicks_interval=_bootstrap(key, ours.clicks[0] * len(one), one),
        linear_clicks_interval=_bootstrap(key, linear.played.clicks[0] * len(one), one),
        gain_interval=_bootstrap(key, ours.value[0], linear.played.value[0]),
        linear_spend=float(linear.played.cost.sum()),
        linear_recalibrated_expected=float(linear.recalibrated.value.sum()) / click,
        short_episodes=int(((share < 0.98) & (second.prices.sum(axis=1) >= budget)).sum()),
        highest_spend=float(share.max()),
        goal=goal,
    )


def _goal(ours: Played, redrawn: list[Played], cost_per_click: float, click: float) -> GoalFigures | None:
    if cost_per_click == 0.0:
        return None
    spend, clicks = float(ours.cost.sum()), float(ours.clicks.sum())
    expected = float(ours.value.sum()) / click
    kept = [float(played.cost.sum()) <= cost_per_click * float(played.clicks.sum()) for played in redrawn]
    return GoalFigures(
        cost_per_click=cost_per_click,
        confidence=CONFIDENCE,
        expected_clicks=expected,
        clicks=clicks,
        spend=spend,
        attained_expected=spend <= cost_per_click * expected,
        attained=spend <= cost_per_click * clicks,
        attained_redrawn=float(np.mean(kept)),
    )


def _bootstrap(key: int, over: Floats, under: Floats) -> Interval:
    ratios = resample.ratios(key, over, under, RESAMPLES)
    low, high = np.quantile(ratios, [0.05, 0.95])
    return _ratio(float(over.sum()), float(under.sum())), float(low), float(high)


def _ratio(over: float, under: float) -> float:
    return over / under if under > 0.0 else 0.0
