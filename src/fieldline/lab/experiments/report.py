"""What `storewide` found: its figures as JSON for scripts, as a table for people."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from rich.console import Console
from rich.table import Table

from fieldline.lab.experiments.figures import Figure


class Held(msgspec.Struct, frozen=True):
    """How a controller kept goals and used budgets."""

    attained_90: Figure
    """Share of contracts with a goal that spent, with value ≥ .9·goal·spend."""
    attained_90_over_20_orders: Figure
    """The same over those with at least 20 orders."""
    attained_100: Figure
    budget_used: Figure
    """Mean share of budget spent, where the best fixed multiplier in hindsight spends ≥ 98% within the goal."""
    value_over_hindsight: Figure
    """Total expected incremental value over that of the best stationary multipliers."""


class Attained(msgspec.Struct, frozen=True):
    """How goals were kept in a harder market."""

    attained_90: Figure


class Incremental(msgspec.Struct, frozen=True):
    """What bidding on incremental value gains, and how often a holdout's interval is right."""

    gmv_gain: Figure
    """True incremental GMV over that of bidding on attributed value at equal spend, less 1."""
    interval_coverage: Figure
    """Share of sampled campaigns whose 90% interval covers the truth."""


class Ramp(msgspec.Struct, frozen=True):
    """Median hours to a campaign's 20th order."""

    hours_to_20_orders: Figure
    fixed_hours_to_20_orders: Figure


class Twin(msgspec.Struct, frozen=True):
    """How often a forecast of the evening before is right."""

    coverage_80: Figure
    """Share of campaign-days whose spend and GMV lie within their 80% bands."""


class Storewide(msgspec.Struct, frozen=True):
    """All figures, each [estimate, low, high]."""

    fieldline: Held
    fixed: Held
    pid: Held
    dual_descent: Held
    shock: Attained
    biased: Attained
    incremental: Incremental
    ramp: Ramp
    twin: Twin


@dataclass(frozen=True, slots=True)
class Extra:
    """What the table says beside the figures of the JSON."""

    forms: tuple[tuple[str, Held], ...]
    """The engine's controller with other ways to count value in hand, by name."""
    hindsight_attained: Figure
    """Share of contracts that keep their goals at hindsight's multipliers."""
    spend_ratio: Figure
    """Spend of the incremental arm over that of the attributed one."""
    above_baselines: str
    seeds: int
    days: int
    contracts: int
    cpu_minutes: float


HEADER = ("", "≥ .9 × goal", "… with ≥ 20 orders", "≥ 1.0 × goal", "budget used", "value / hindsight")
TARGETS = ("target", "≥ .98", "≥ .995", "≥ .95", "≥ .98", "≥ .97")


def percent(figure: Figure) -> str:
    """Return a share as `98.4% [97.9, 98.8]`."""
    if figure.estimate != figure.estimate:
        return "–"
    text = f"{100 * figure.estimate:.1f}%"
    known = figure.low == figure.low and figure.high == figure.high
    return f"{text} [{100 * figure.low:.1f}, {100 * figure.high:.1f}]" if known else text


def plain(figure: Figure) -> str:
    """Return a number as `31.5 [28.0, 35.1]`."""
    if figure.estimate != figure.estimate:
        return "–"
    known = figure.low == figure.low and figure.high == figure.high
    return (
        f"{figure.estimate:.1f} [{figure.low:.1f}, {figure.high:.1f}]" if known else f"{figure.estimate:.1f}"
    )


def arms(found: Storewide, extra: Extra) -> list[tuple[str, ...]]:
    """Return the rows of the table of arms, under `HEADER`."""
    rows: list[tuple[str, ...]] = [TARGETS]
    for name, held in (
        ("fieldline", found.fieldline),
        *((f"  {name}", form) for name, form in extra.forms),
        ("fixed bid v/τ", found.fixed),
        ("PID", found.pid),
        ("dual descent", found.dual_descent),
    ):
        rows.append((name, *(percent(getattr(held, field)) for field in Held.__struct_fields__)))
    rows.append(("shock", percent(found.shock.attained_90), "", "", "", ""))
    rows.append(("biased ±30%", percent(found.biased.attained_90), "", "", "", ""))
    rows.append(("hindsight", "", "", percent(extra.hindsight_attained), "", ""))
    return rows


def others(found: Storewide, extra: Extra) -> list[tuple[str, str, str]]:
    """Return the rows of what else was measured: name, figure, target."""
    return [
        ("fieldline above every baseline in value, seeds", extra.above_baselines, "all"),
        (
            "incremental over attributed bidding, true incremental GMV",
            percent(found.incremental.gmv_gain),
            "> 0",
        ),
        ("  at a spend of", percent(extra.spend_ratio), "100%"),
        (
            "90% interval of the holdout covers the truth",
            percent(found.incremental.interval_coverage),
            "85–95%",
        ),
        ("hours to the 20th order, median", plain(found.ramp.hours_to_20_orders), "less than"),
        ("  with fixed bids", plain(found.ramp.fixed_hours_to_20_orders), ""),
        ("80% bands of the evening before cover", percent(found.twin.coverage_80), "75–85%"),
    ]


def size_of(extra: Extra) -> str:
    """Return how much was played, for titles."""
    seeds = "1 seed" if extra.seeds == 1 else f"{extra.seeds} seeds"
    return f"{seeds} × {extra.days} days × {extra.contracts} contracts"


def show(found: Storewide, extra: Extra, console: Console) -> None:
    """Print both tables and what they mean."""
    title = f"storewide: {size_of(extra)}"
    console.print(_table(title, HEADER, arms(found, extra)))
    console.print(_table(None, ("", "", "target"), others(found, extra)))
    interval = (
        "Student's t over seeds"
        if extra.seeds > 1
        else "over the campaigns of one seed as if they were independent, so too narrow"
    )
    console.print(
        f"In brackets: 90% intervals, {interval}. Outcomes are a simulated market's. "
        f"{extra.cpu_minutes:.1f} CPU-minutes.",
        style="dim",
        markup=False,
    )


def _table(title: str | None, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for place, heading in enumerate(header):
        table.add_column(heading, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    return table
