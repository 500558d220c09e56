"""`fieldline lab forecast`: bands of a contract's next day, told at midnight, against the day that came.

In each market every contract is forecast each midnight as if nobody had seen it yet: from the landscape of the others
and from its size, as a merchant is told who asks for a contract that is not there. The width of a band is what the
errors of that market's earlier days give (`traffic.bands`), so a day is never judged by what was learned from it.
"""

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from fieldline.contracts.book import Book
from fieldline.contracts.horizon import CHINA
from fieldline.lab.experiments.figures import Cases, Figure, Floats, over_seeds, share
from fieldline.lab.experiments.runner import Day, run
from fieldline.lab.season import TICK, Arm, Opening, Plan, open_season, plan_of, play, sold
from fieldline.lab.world import SIZES, Size, World
from fieldline.traffic import bands, pace, prospect
from fieldline.traffic.bands import ENOUGH, PRICE, SEEN, SPEND, VALUE, Bands, Told
from fieldline.traffic.forecast import Traffic
from fieldline.traffic.pace import Prices
from fieldline.traffic.rows import BIAS, NET_PRICE
from fieldline.units import DAY, YUAN

FIGURES = ("requests", "spend", "price", "gmv")
TOLD_ON = 2
"""Midnights after the first at which the time until the end is told of, too."""


@dataclass(frozen=True, slots=True)
class Job:
    """One market."""

    seed: int
    days: int
    contracts: int
    size: Size


@dataclass(slots=True)
class Held:
    """Of one market's cases, by figure: whether the band held what came, and ln(upper end/lower end)."""

    inside: dict[str, list[bool]] = field(default_factory=lambda: {name: [] for name in FIGURES})
    width: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in FIGURES})
    until_end: dict[str, list[bool]] = field(default_factory=lambda: {name: [] for name in FIGURES[1:]})
    """Likewise of the time until the end, told once."""


@dataclass(slots=True)
class Watch:
    """The engine's controller, with its bands kept and judged at each midnight."""

    start: int
    sizes: Floats
    bands: Bands = field(default_factory=Bands)
    held: Held = field(default_factory=Held)
    rest: "Rest | None" = None

    def update(self, prices: Prices, book: Book, traffic: Traffic, now: int, tick_ms: int) -> None:
        """Control, and at midnight judge what was told and tell anew."""
        pace.update(prices, book, traffic, now, tick_ms)
        if (now + CHINA) % DAY:
            return
        known = self.bands
        if known.until == now:
            _judge_requests(self.held, known, traffic.of_day)
            came = _came(book, known.numbers) - known.before
            _judge(self.held, Told(known.numbers, known.figures, known.least), came, known, book)
        told = prospect.told_of(prices, book, traffic, self.sizes, now, tick_ms)
        bands.turn(known, book, traffic, told, now, tick_ms)
        if now == self.start + TOLD_ON * DAY:
            whole = prospect.told_of(prices, book, traffic, self.sizes, now, tick_ms, until_end=True)
            errors = known.of_spend, known.of_price, known.of_value
            self.rest = Rest(whole, _came(book, whole.numbers), *errors)
        if self.rest is not None and not book.in_force[: len(book)].any():
            _judge_rest(self.held, self.rest, book)
            self.rest = None


@dataclass(frozen=True, slots=True)
class Rest:
    """What was told of the time until the end, and the errors known by then."""

    told: Told
    before: Floats
    of_spend: Floats
    of_price: Floats
    of_value: Floats


class Forecast(msgspec.Struct, frozen=True):
    """The experiment's figures: shares of cases whose band held what came, with 90% intervals over markets."""

    coverage_80: float
    interval: tuple[float, float]
    by_figure: dict[str, Figure]
    width: dict[str, float]
    """Median of upper over lower end, each with the least amount that counts added."""
    until_end: dict[str, Figure]
    """Of forecasts of the days until the end, in bands that the errors of single days give."""
    cases: int
    seeds: tuple[int, ...]
    days: int
    contracts: int


def forecast(*, seeds: tuple[int, ...], workers: int, json: Path | None, small: bool = False) -> Forecast:
    """Run the experiment, print its table, and write its figures where asked.

    Args:
        seeds: of the markets.
        workers: processes.
        json: file for the figures.
        small: a quarter of the market for four days: shows that it runs, and proves little.
    """
    days, contracts, size = (4, 40, SMALL) if small else (7, 110, SIZES["season"])
    jobs = [Job(seed, days, contracts, size) for seed in seeds]
    found = figures_of(run(play_job, jobs, days * len(jobs), "forecast, days played", workers), jobs)
    console = Console()
    console.print(_table(found))
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    return found


SMALL = Size(viewers=2_000, creators=475, merchants=375, products=750, videos=975, rooms=25)


def play_job(job: Job, day: Day) -> Held:
    """Play a market and return how its bands held.

    Args:
        job: plain data; the same job finds the same.
        day: called for each day played.
    """
    world = World.make(job.seed, job.size)
    opening = open_season(world)
    plan = plan_of(world, job.seed, job.contracts, job.days, 0.0, sold(world, opening))
    watch = Watch(plan.start, sizes_of(world, opening, plan))

    def on_tick(done: int, _: int) -> None:
        if done * TICK % DAY == 0:
            day()

    play(world, plan, Arm(controller=watch.update), seed=opening.seed, opening=opening, on_tick=on_tick)
    return watch.held


def sizes_of(world: World, opening: Opening, plan: Plan) -> Floats:
    """Return what one look at each item of each contract's merchant is worth to it [C], as predicted at the opening."""
    rows, bias = opening.machine.rows, opening.machine.bias[0]
    click, long_view, order = (
        1.0 / (1.0 + np.exp(-(bias[task] + rows[:, BIAS + task]).astype(np.float64))) for task in range(3)
    )
    sizes = np.zeros(len(plan.contracts))
    for number, contract in enumerate(plan.contracts):
        own = world.items.merchant == plan.merchants[number]
        each = prospect.look_worth(
            contract.meter, rows[own, NET_PRICE], click[own], long_view[own], order[own]
        )
        sizes[number] = each.sum()
    return sizes


def figures_of(held: list[Held], jobs: list[Job]) -> Forecast:
    """Return all figures of the markets."""
    whole = share([Cases.of([one for name in FIGURES for one in seed.inside[name]]) for seed in held])
    return Forecast(
        coverage_80=whole.estimate,
        interval=(whole.low, whole.high),
        by_figure={name: share([Cases.of(seed.inside[name]) for seed in held]) for name in FIGURES},
        width={
            name: float(
                np.exp(over_seeds([float(np.median(s.width[name])) for s in held if s.width[name]]).estimate)
            )
            for name in FIGURES
        },
        until_end={name: share([Cases.of(seed.until_end[name]) for seed in held]) for name in FIGURES[1:]},
        cases=sum(len(seed.inside[name]) for seed in held for name in FIGURES),
        seeds=tuple(job.seed for job in jobs),
        days=jobs[0].days,
        contracts=jobs[0].contracts,
    )


def _came(book: Book, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """Spend, impressions and value so far [3, J]."""
    return np.stack([book.spent[numbers] / YUAN, book.impressions[numbers], book.value[numbers]])


def _judge_requests(held: Held, known: Bands, came: int) -> None:
    told = bands.requests_band(known.requests, known.of_requests)
    held.inside["requests"].append(told.low <= came <= told.high)
    held.width["requests"].append(float(np.log(told.high / told.low)))


def _judge(held: Held, told: Told, came: Floats, known: Bands, book: Book) -> None:
    errors = known.of_spend, known.of_price, known.of_value
    for name, inside, width in _cases(told, came, errors, book.budget[told.numbers] / YUAN):
        held.inside[name] += inside.tolist()
        held.width[name] += width.tolist()


def _judge_rest(held: Held, rest: Rest, book: Book) -> None:
    errors = rest.of_spend, rest.of_price, rest.of_value
    came = _came(book, rest.told.numbers) - rest.before
    for name, inside, _ in _cases(rest.told, came, errors, book.budget[rest.told.numbers] / YUAN):
        held.until_end[name] += inside.tolist()


def _cases(
    told: Told, came: Floats, errors: tuple[Floats, Floats, Floats], budget: Floats
) -> list[tuple[str, np.ndarray[tuple[int], np.dtype[np.bool_]], Floats]]:
    """(Figure, whether each band held, the log of its width) of each figure of which enough errors are known."""
    spend, shown, value = came
    found = []
    for name, row, real, judged in (
        ("spend", SPEND, spend, np.ones(len(spend), bool)),
        ("price", PRICE, spend / np.maximum(shown, 1.0), (shown >= SEEN) & (told.figures[PRICE] > 0.0)),
        ("gmv", VALUE, np.maximum(value, 0.0), np.ones(len(value), bool)),
    ):
        if len(errors[row]) < ENOUGH:
            continue
        low, high = _ends(told, row, errors[row], budget, judged)
        least = told.least[row, judged]
        kept = real[judged]
        found.append((name, (low <= kept) & (kept <= high), np.log((high + least) / (low + least))))
    return found


def _ends(
    told: Told, row: int, errors: Floats, budget: Floats, judged: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[Floats, Floats]:
    found = [
        bands.band(
            float(told.figures[row, j]),
            errors,
            float(told.least[row, j]),
            1.0,
            float(budget[j]) if row == SPEND else np.inf,
        )
        for j in np.flatnonzero(judged).tolist()
    ]
    return np.array([one.low for one in found]), np.array([one.high for one in found])


def _table(found: Forecast) -> Table:
    title = f"forecast: {len(found.seeds)} markets × {found.days} days × {found.contracts} contracts"
    table = Table(
        "figure", "in its 80% band", "90% interval", "until the end", "upper : lower end", title=title
    )
    for name in FIGURES:
        one, rest = found.by_figure[name], found.until_end.get(name)
        table.add_row(
            name,
            f"{one.estimate:.3f}",
            f"{one.low:.3f} to {one.high:.3f}",
            f"{rest.estimate:.3f}" if rest else "",
            f"{found.width[name]:.2f}",
        )
    table.add_section()
    low, high = found.interval
    table.add_row("all", f"{found.coverage_80:.3f}", f"{low:.3f} to {high:.3f}", "", "")
    return table
