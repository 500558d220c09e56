"""What experiments with organic policies share: markets, what a stretch of days came to, costs, tables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from fieldline.facts import Policy
from fieldline.lab.experiments import plot as picture
from fieldline.lab.experiments.figures import Figure, Floats, in_95
from fieldline.lab.experiments.jobs import Season
from fieldline.lab.experiments.runner import Day, run
from fieldline.lab.season import PLAIN, POLICY, Course, Life, open_season, plan_of, releases, sold
from fieldline.lab.season.columns import GMV, LOOKED, WATCHED, WORTH
from fieldline.lab.season.organic import Flags
from fieldline.lab.world import Size, World
from fieldline.units import YUAN

Found = TypeVar("Found")
Told = TypeVar("Told", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Setting:
    """How large an experiment is."""

    size: Size
    contracts: int
    days: int
    paid_days: int = 0
    """Of them those on which contracts run, the first ones; 0: all."""
    new_share: float = 0.0
    """Of the videos that are released during the season."""
    new_hours: int = 0
    """Within which."""


@dataclass(frozen=True, slots=True)
class Job:
    """One market."""

    seed: int
    setting: Setting


@dataclass(frozen=True, slots=True)
class Whole:
    """What a stretch of days came to in an arm, as the truth expects it of what was shown, and as it came."""

    watched: float
    """Expected long views."""
    worth: float
    """Expected yuan of orders, net of refunds."""
    gmv: float
    """Yuan of orders as they came, before refunds."""
    others: float
    """Share of all true looks that went to those from whom the policy may take."""


class Cost(msgspec.Struct, frozen=True):
    """What a policy costs, as shares of what there was without it; below 0 it is a gain."""

    viewer_value: Figure
    """Expected long views lost."""
    platform_gmv: Figure
    """Expected net GMV of all that was shown, lost."""
    displacement: Figure
    """Share of all looks lost by those from whom it takes; the experiment says who, or what else they lose."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    label: str
    figure: Figure
    percent: bool = True
    against: str = ""
    """The claim or the target, as text."""
    drawn: bool = True


def opened(job: Job, day: Day, policy: Policy = POLICY, life: Life = PLAIN) -> Season:
    """Return a job's market after its days without contracts, with its contracts.

    Args:
        job: plain data.
        day: called for each day played.
        policy: of the days before.
        life: what of viewers' lives the market plays.
    """
    setting = job.setting
    world = World.make(job.seed, setting.size)
    new = releases(world, setting.new_share, setting.new_hours) if setting.new_share else None
    opening = open_season(world, policy=policy, released=new, life=life)
    paid = setting.paid_days or setting.days
    plan = plan_of(world, job.seed, setting.contracts, paid, 0.0, sold(world, opening))
    return Season(world, replace(plan, days=setting.days, released=new), opening, day)


def daily(course: Course, column: int) -> Floats:
    """Return a column of the items' tallies by day [D, I], the last row for what came after the end."""
    return np.diff(course.items[:, :, column], axis=0, prepend=0.0)


def whole_of(course: Course, first: int, last: int, others: Flags) -> Whole:
    """Return what the days first … last − 1 came to.

    Args:
        course: of an arm.
        first: day.
        last: past the last day.
        others: items of those from whom the policy may take [I].
    """
    stretch = slice(first, last)
    looks = daily(course, LOOKED)[stretch].sum(axis=0)
    return Whole(
        watched=float(daily(course, WATCHED)[stretch].sum()),
        worth=float(daily(course, WORTH)[stretch].sum()),
        gmv=float(course.total[stretch, GMV].sum()) / YUAN,
        others=float(looks[others].sum() / looks.sum()),
    )


def gain(now: float, before: float) -> float:
    """Return by which share there is more now; NaN where there was nothing."""
    return now / before - 1.0 if before > 0.0 else float("nan")


def cost_of(arms: Sequence[Whole], bases: Sequence[Whole], displacement: Sequence[float] = ()) -> Cost:
    """Return what a policy costs, seed by seed beside the arm without it.

    Args:
        arms: with it.
        bases: without it.
        displacement: of each seed; without any, the share of looks that the others lost.
    """
    pairs = list(zip(arms, bases, strict=True))
    return Cost(
        viewer_value=in_95([1.0 - arm.watched / base.watched for arm, base in pairs]),
        platform_gmv=in_95([1.0 - arm.worth / base.worth for arm, base in pairs]),
        displacement=in_95(displacement or [base.others - arm.others for arm, base in pairs]),
    )


def cost_rows(cost: Cost, indent: str = "  ") -> list[Row]:
    """Return a cost's lines."""
    return [
        Row(f"{indent}cost in viewer value", cost.viewer_value),
        Row(f"{indent}cost in platform GMV", cost.platform_gmv),
        Row(f"{indent}displaced", cost.displacement),
    ]


@dataclass(frozen=True, slots=True)
class Experiment(Generic[Found, Told]):
    """A named experiment: what is played, what it comes to, and how it is told."""

    name: str
    full: Setting
    quick: Setting
    """Shows that it runs, and proves little."""
    arms: int
    """That each market is played in."""
    play: Callable[[Job, Day], Found]
    """A module's function: of a market and of a call for each day played."""
    figures: Callable[[Sequence[Found], Setting], Told]
    rows: Callable[[Told], list[Row]]
    """Lines of the table."""
    scope: Callable[[Setting], str]
    """What a market has of what matters here, for the title."""


def carry_out(
    experiment: Experiment[Found, Told],
    *,
    seeds: int,
    quick: bool,
    workers: int,
    json: Path | None,
    plot: Path | None,
) -> Told:
    """Play an experiment, print its table, write its figures and draw its plot where asked.

    Args:
        experiment: which.
        seeds: markets 1 … seeds.
        quick: whether in its quick setting.
        workers: processes.
        json: file for the figures.
        plot: PNG.
    """
    name, setting = experiment.name, experiment.quick if quick else experiment.full
    jobs = [Job(seed, setting) for seed in range(1, seeds + 1)]
    days = len(jobs) * setting.days * experiment.arms
    markets = run(experiment.play, jobs, days, f"{name}, days played", workers)
    found = experiment.figures(markets, setting)
    title = f"{name}: {seeds} markets × {setting.days} days × {experiment.scope(setting)}"
    publish(title, found, experiment.rows(found), json, plot)
    return found


def publish(
    title: str, found: msgspec.Struct, rows: Sequence[Row], json: Path | None, plot: Path | None
) -> None:
    """Print an experiment's table, and write its figures and its plot where asked.

    Args:
        title: of the table and the plot.
        found: all figures.
        rows: lines of the table.
        json: file for the figures.
        plot: PNG.
    """
    console = Console()
    table = Table(title=title, title_justify="left")
    table.add_column("")
    table.add_column("estimate [95% interval over seeds]", justify="right")
    table.add_column("claim or target", justify="right")
    for row in rows:
        table.add_row(row.label, text(row), row.against)
    (console if console.is_terminal else Console(width=140)).print(table)
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    if plot:
        _draw(plot, title, rows)


def text(row: Row) -> str:
    """Return a figure as `1.2% [.8, 1.6]`, or as a plain number; a dash where it is not known."""
    figure, scale = row.figure, 100.0 if row.percent else 1.0
    if np.isnan(figure.estimate):
        return "–"
    places, sign = (2, "%") if row.percent else (3, "")
    told = f"{scale * figure.estimate:.{places}f}{sign}"
    if np.isnan(figure.low):
        return told
    return f"{told} [{scale * figure.low:.{places}f}, {scale * figure.high:.{places}f}]"


def named(rows: Sequence[Row]) -> list[Row]:
    """Return lines whose labels can stand alone: an indented one has the head of the line that it stands under."""
    found, head = [], ""
    for row in rows:
        if not row.label.startswith(" "):
            head = row.label.split(":")[0]
            found.append(row)
        else:
            found.append(replace(row, label=f"{head}: {row.label.strip()}"))
    return found


def _draw(path: Path, title: str, rows: Sequence[Row]) -> None:
    if not picture.available():
        Console(stderr=True).print(
            f"{path} would be the plot; `pip install fieldline[lab]` brings matplotlib, which draws it.",
            markup=False,
        )
        return
    import_module("matplotlib").use("Agg")
    plt = import_module("matplotlib.pyplot")
    parts = [
        (kind, [row for row in named(rows) if row.drawn and row.percent is kind]) for kind in (True, False)
    ]
    parts = [(kind, some) for kind, some in parts if some]
    height = 1.2 + 0.24 * max(len(some) for _, some in parts)
    figure, axes = plt.subplots(1, len(parts), figsize=(8.0 * len(parts), height), squeeze=False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    for axis, (kind, some) in zip(axes[0], parts, strict=True):
        _points(axis, some, 100.0 if kind else 1.0)
        axis.set_xlabel("percent" if kind else "")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _points(axis: Any, rows: Sequence[Row], scale: float) -> None:
    for place, row in enumerate(rows):
        estimate, low, high = (scale * end for end in (row.figure.estimate, row.figure.low, row.figure.high))
        if not np.isnan(low):
            axis.plot([low, high], [place, place], color=picture.GREY, linewidth=2.0)
        axis.plot([estimate], [place], "o", color=picture.BLUE, markersize=4)
    axis.axvline(0.0, color=picture.ORANGE, linewidth=0.8)
    axis.set_yticks(range(len(rows)), [row.label for row in rows], fontsize=8)
    axis.invert_yaxis()
    axis.grid(axis="x", color=picture.GREY, alpha=0.25, linewidth=0.6)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
