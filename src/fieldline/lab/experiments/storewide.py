"""`fieldline lab storewide`: goals, budgets and value under the engine's controller, its rivals and hindsight."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.console import Console

from fieldline.lab.experiments import plot as picture
from fieldline.lab.experiments.figures import Cases, ratio, share
from fieldline.lab.experiments.jobs import (
    FORMS,
    Baselines,
    Controlled,
    Coverage,
    Harder,
    Job,
    Part,
    Result,
    Setting,
    days_played,
    play_job,
)
from fieldline.lab.experiments.outcome import (
    Outcome,
    Seen,
    attained,
    attained_figure,
    ramp_figure,
    used_figure,
    worth_figure,
)
from fieldline.lab.experiments.report import (
    HEADER,
    Attained,
    Extra,
    Held,
    Incremental,
    Ramp,
    Storewide,
    Twin,
    show,
    size_of,
)
from fieldline.lab.experiments.report import arms as rows_of_arms
from fieldline.lab.experiments.runner import run
from fieldline.lab.world import SIZES, Size

R = TypeVar("R", Controlled, Baselines, Harder, Coverage)

SMALL = Size(viewers=2_000, creators=475, merchants=375, products=750, videos=975, rooms=25)
"""A quarter of a season's market."""
CAMPAIGNS = 40
"""Fewest that are switched off one by one, over all seeds."""


def full(seeds: int, forms: bool = False) -> Setting:
    """Return the setting of a full run: seven days of 110 contracts."""
    return Setting(
        days=7,
        contracts=110,
        size=SIZES["season"],
        holdout=0.05,
        passes=4,
        small=SMALL,
        small_contracts=40,
        sampled=max(8, -(-CAMPAIGNS // seeds)),
        forms=forms,
    )


TINY = Size(viewers=1_200, creators=285, merchants=225, products=450, videos=585, rooms=15)

QUICK = Setting(
    days=2, contracts=40, size=SMALL, holdout=0.05, passes=3, small=TINY, small_contracts=40, sampled=3
)
"""Two days of a quarter of the market: shows that all of it runs, and proves little."""


def storewide(
    *,
    seeds: int,
    quick: bool,
    workers: int,
    json: Path | None,
    plot: Path | None,
    forms: bool = False,
) -> Storewide:
    """Run the experiment, print its tables, write its figures and draw its plot where asked.

    Args:
        seeds: markets 1 … seeds.
        quick: one small market for two days.
        workers: processes.
        json: file for the figures.
        plot: PNG.
        forms: also play the engine's other ways to count value in hand (not in a quick run).
    """
    setting = QUICK if quick else full(seeds, forms)
    jobs = [Job(part, seed, setting) for part in Part for seed in range(1, seeds + 1)]
    days = sum(days_played(job.part, setting) for job in jobs)
    results = run(play_job, jobs, days, "storewide, days played", workers)
    figures = figures_of(results, 24.0 * setting.days)
    extra = extra_of(results, seeds, setting)
    console = Console()
    show(figures, extra, console if console.is_terminal else Console(width=140))
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    if plot:
        _draw(plot, results, figures, extra)
    return figures


def figures_of(results: Sequence[Result], hours: float) -> Storewide:
    """Return all figures of the jobs of all seeds.

    Args:
        results: of every part and seed, in any order.
        hours: of the horizon.
    """
    controlled = _of(results, Controlled)
    baselines, harder = _of(results, Baselines), _of(results, Harder)
    coverages = _of(results, Coverage)
    ours = [one.fieldline for one in controlled]
    faster, slower = ramp_figure(list(zip(ours, (one.fixed for one in baselines), strict=True)), hours)
    return Storewide(
        fieldline=held(controlled, ours),
        fixed=held(controlled, [one.fixed for one in baselines]),
        pid=held(controlled, [one.pid for one in baselines]),
        dual_descent=held(controlled, [one.dual_descent for one in baselines]),
        shock=_attained([one.shock for one in harder]),
        biased=_attained([one.biased for one in harder]),
        incremental=Incremental(
            gmv_gain=ratio(
                [Cases.of(one.gain.incremental, one.gain.attributed) for one in controlled], less=1.0
            ),
            interval_coverage=share([one.covered for one in coverages]),
        ),
        ramp=Ramp(faster, slower),
        twin=Twin(share([one.twin for one in controlled])),
    )


def held(controlled: Sequence[Controlled], outcomes: Sequence[Outcome]) -> Held:
    """Return how an arm kept goals and used budgets, seed by seed beside what hindsight knows of it."""
    seeds = [
        Seen(outcome, one.could, one.hindsight) for one, outcome in zip(controlled, outcomes, strict=True)
    ]
    return Held(
        attained_90=attained_figure(seeds, 0.9),
        attained_90_over_20_orders=attained_figure(seeds, 0.9, 20),
        attained_100=attained_figure(seeds, 1.0),
        budget_used=used_figure(seeds),
        value_over_hindsight=worth_figure(seeds),
    )


def extra_of(results: Sequence[Result], seeds: int, setting: Setting) -> Extra:
    """Return what the tables say beside the figures."""
    controlled, baselines = _of(results, Controlled), _of(results, Baselines)
    above = [
        one.fieldline.expected.sum()
        > max(arm.expected.sum() for arm in (other.fixed, other.pid, other.dual_descent))
        for one, other in zip(controlled, baselines, strict=True)
    ]
    spent = os.times()
    return Extra(
        forms=tuple(
            (name, held(controlled, [one.forms[place] for one in baselines]))
            for place, (name, _, _) in enumerate(FORMS)
            if setting.forms
        ),
        hindsight_attained=share([one.hindsight_kept for one in controlled]),
        spend_ratio=ratio(
            [Cases.of(one.gain.incremental_spend, one.gain.attributed_spend) for one in controlled]
        ),
        above_baselines=f"{sum(above)} of {seeds}",
        seeds=seeds,
        days=setting.days,
        contracts=setting.contracts,
        cpu_minutes=sum(spent[:4]) / 60.0,
    )


def _attained(outcomes: Sequence[Outcome]) -> Attained:
    return Attained(share([attained(outcome, 0.9) for outcome in outcomes]))


def _of(results: Sequence[Result], kind: type[R]) -> list[R]:
    found = [result for result in results if isinstance(result, kind)]
    return sorted(found, key=lambda result: result.seed)


def _draw(path: Path, results: Sequence[Result], figures: Storewide, extra: Extra) -> None:
    console = Console(stderr=True)
    if not picture.available():
        console.print(
            f"{path} would be the plot; `pip install fieldline[lab]` brings matplotlib, which draws it.",
            markup=False,
        )
        return
    first = _of(results, Controlled)[0]
    title = f"storewide: {size_of(extra)}; curves of seed {first.seed}"
    picture.draw(path, title, first.traces, HEADER, rows_of_arms(figures, extra))
