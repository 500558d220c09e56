"""What bidders reached on recorded auctions: one table for people, JSON for scripts."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from fieldline.lab.recorded.auctions import read_folder
from fieldline.lab.recorded.measure import CONFIDENCE, FRACTIONS, GOAL, Figures, Interval, measure

COLUMNS = (
    "expected\nclicks", "linear", "ratio", "linear, re-\ncalibrated", "of hind-\nsight", "recorded\nclicks", "linear",
    "spent", "goal:\nexpected", "recorded", "in\nredraws",
)  # fmt: skip
WIDTH = 160
"""Columns of text that the table needs."""

Measured = dict[str, dict[str, Figures]]
"""Campaign → budget → figures."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a run is judged by."""

    name: str
    least: float
    measured: float

    @property
    def met(self) -> bool:
        """Whether the figure reaches its target."""
        return self.measured >= self.least


def recorded(folder: Path, json: Path | None) -> None:
    """Tune on the first half of every campaign in a folder, measure on its second, print and write the figures.

    Args:
        folder: with NNNN.validation.txt or NNNN.validation.txt.gz.
        json: where the figures are written; None for nowhere.

    Raises:
        Refused: a malformed line, with its file and number, or a campaign that cannot be measured.
    """
    campaigns = read_folder(folder)
    progress = Console(stderr=True)
    found = {
        campaign.name: measure(campaign)
        for campaign in track(campaigns, "bidding", console=progress, transient=True)
    }
    if json is not None:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    screen = Console()
    console = Console(width=max(screen.width, WIDTH))
    console.print(table(found))
    for target in targets(found):
        verdict = "met" if target.met else "missed"
        console.print(
            f"  {verdict:6}  {target.measured:.3f} (≥ {target.least:g})  {target.name}", soft_wrap=True
        )


def targets(found: Measured) -> list[Target]:
    """Return each target with what was measured."""
    cases = [figures for budgets in found.values() for figures in budgets.values()]
    goals = [figures.goal for figures in cases if figures.goal is not None]
    means = {
        name: float(np.mean([_gain(budgets[name]) for budgets in found.values()]))
        for name in (f"1/{fraction}" for fraction in FRACTIONS)
    }
    share = float(np.mean([_of_hindsight(figures) for figures in cases]))
    return [
        Target("expected clicks over linear bidding, mean over campaigns, at 1/16", 1.05, means["1/16"]),
        Target("the same at 1/32", 1.05, means["1/32"]),
        Target("the same for every campaign and budget: the least", 1.0, min(map(_gain, cases))),
        Target("share of the hindsight knapsack's expected clicks, mean", 0.9, share),
        Target(
            "budget over spend, the least of all episodes", 1.0, min(_headroom(figures) for figures in cases)
        ),
        Target(
            "spend over budget: the least campaign and budget", 0.98, min(f.spend / f.budget for f in cases)
        ),
        Target(
            f"share of {len(goals)} goals ({GOAL:g} × linear cost per click) kept in recorded clicks",
            CONFIDENCE,
            float(np.mean([goal.attained for goal in goals])) if goals else 0.0,
        ),
        Target(
            "the same with clicks redrawn at recalibrated chances",
            CONFIDENCE,
            float(np.mean([goal.attained_redrawn for goal in goals])) if goals else 0.0,
        ),
    ]


def table(found: Measured) -> Table:
    """Return the figures of all campaigns and budgets, and their means by budget."""
    shown = Table(
        title="Recorded second-price auctions: tuned on each campaign's first half, measured on its second",
        caption=(
            "Budget: this share of the price of everything. Expected: at chances recalibrated on the first half. "
            "[ ]: 90% bootstrap over episodes. Goal: spend per click over the cost per click asked for "
            f"({GOAL:g} × linear bidding's, with {CONFIDENCE:.0%} confidence): up to 1 it was "
            "kept; in the means, how many were."
        ),
    )
    for name in ("campaign", "budget"):
        shown.add_column(name, no_wrap=True)
    for name in COLUMNS:
        shown.add_column(name, justify="right", no_wrap=True)
    for campaign, budgets in found.items():
        for budget, figures in budgets.items():
            shown.add_row(campaign, budget, *_cells(figures))
        shown.add_section()
    for fraction in FRACTIONS:
        shown.add_row(
            "mean", f"1/{fraction}", *_means([budgets[f"1/{fraction}"] for budgets in found.values()])
        )
    return shown


def _cells(figures: Figures) -> list[str]:
    goal = figures.goal
    return [
        f"{figures.expected_clicks:.2f}",
        f"{figures.linear_expected:.2f}",
        _with_interval(figures.gain_interval, 3),
        f"{figures.linear_recalibrated_expected:.2f}",
        f"{_of_hindsight(figures):.1%}",
        _with_interval(figures.clicks_interval, 0),
        _with_interval(figures.linear_clicks_interval, 0),
        f"{figures.spend / figures.budget:.1%}",
        "-" if goal is None else _over(goal.spend, goal.cost_per_click * goal.expected_clicks),
        "-" if goal is None else _over(goal.spend, goal.cost_per_click * goal.clicks),
        "-" if goal is None else f"{goal.attained_redrawn:.0%}",
    ]


def _means(rows: list[Figures]) -> list[str]:
    goals = [figures.goal for figures in rows if figures.goal is not None]
    return [
        f"{np.mean([figures.expected_clicks for figures in rows]):.2f}",
        f"{np.mean([figures.linear_expected for figures in rows]):.2f}",
        f"{np.mean([_gain(figures) for figures in rows]):.3f}",
        f"{np.mean([figures.linear_recalibrated_expected for figures in rows]):.2f}",
        f"{np.mean([_of_hindsight(figures) for figures in rows]):.1%}",
        f"{np.mean([figures.clicks for figures in rows]):.1f}",
        f"{np.mean([figures.linear_clicks for figures in rows]):.1f}",
        f"{np.mean([figures.spend / figures.budget for figures in rows]):.1%}",
        f"{sum(goal.attained_expected for goal in goals)} of {len(goals)}",
        f"{sum(goal.attained for goal in goals)} of {len(goals)}",
        f"{np.mean([goal.attained_redrawn for goal in goals]):.0%}" if goals else "-",
    ]


def _with_interval(interval: Interval, digits: int) -> str:
    estimate, low, high = interval
    return f"{estimate:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"


def _over(spend: float, admitted: float) -> str:
    return f"{spend / admitted:.2f}" if admitted > 0.0 else ("-" if spend == 0.0 else "no click")


def _gain(figures: Figures) -> float:
    if figures.linear_expected > 0.0:
        return figures.expected_clicks / figures.linear_expected
    return float("inf") if figures.expected_clicks > 0.0 else 1.0


def _of_hindsight(figures: Figures) -> float:
    return figures.expected_clicks / figures.hindsight_expected if figures.hindsight_expected > 0.0 else 1.0


def _headroom(figures: Figures) -> float:
    return 1.0 / figures.highest_spend if figures.highest_spend > 0.0 else float("inf")
