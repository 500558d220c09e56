"""What a replay found: its figures, as a table for people and as JSON for scripts."""

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from fieldline import engine
from fieldline.lab import metrics, replay
from fieldline.lab.replay.kuairand import FeedLog, read
from fieldline.lab.replay.tiers import Tiers, tiers
from fieldline.traffic.organic.report import inclusion_report
from fieldline.units import YUAN

LEAST_LOOKS = 3
"""Looks of a viewer-day that has an order worth judging."""


class Prediction(msgspec.Struct, frozen=True):
    """How good chances were, each made before its row was learned."""

    auc: float
    gauc: float
    log_loss: float


class Popularity(msgspec.Struct, frozen=True):
    """The same for the video's own running rate."""

    click: Prediction
    long_view: Prediction


class Orders(msgspec.Struct, frozen=True):
    """Mean NDCG@10 by long view over viewer-days, scores frozen at the day's start."""

    engine: float
    logged: float
    popularity: float


class Spread(msgspec.Struct, frozen=True):
    """Gini of exposure over the authors exposed in the log."""

    logged: float
    engine: float


class Dial(msgspec.Struct, frozen=True):
    """The dial of the Gini, and its price by the model."""

    gini: float
    """As set."""
    viewer_value_lost: float
    """Share of the predicted viewer value of the last seven days' slates, against the same scores without its price."""


class Contracts(msgspec.Struct, frozen=True):
    """Twenty storewide contracts; all of it is model-based, as the log has no orders."""

    spend: float
    """Yuan."""
    charge_per_look: float
    """Yuan per look (e_k) of a paid impression."""
    predicted_roi: float
    """Predicted value, paid and organic, per yuan of spend."""
    pacing_error: float
    """Mean over contracts and hours of |spent − planned| / budget."""
    budget: float
    count: int
    budget_bound: int
    """Contracts that spent at least 95% of their budget."""


class Figures(msgspec.Struct, frozen=True):
    """All figures of a replay."""

    requests: int
    decisions_per_cpu_second: float
    click: Prediction
    long_view: Prediction
    popularity: Popularity
    ndcg10: Orders
    gini: Spread
    tiers: Tiers
    dial: Dial | None
    """None: no dial was set."""
    contracts: Contracts


def replay_kuairand(folder: Path, json: Path | None, limit: int | None, gini: float | None = None) -> Figures:
    """Replay a KuaiRand folder, print the table, and write the figures where asked.

    Args:
        folder: with log_*.parquet.
        json: file to write one JSON object to.
        limit: only the first so many looks.
        gini: the dial of the Gini of authors' exposure; None: none.

    Raises:
        DataFolderError: the folder is missing or holds no such log.
    """
    console = Console(stderr=True)
    with console.status(f"Reading {folder} …"):
        log = read(folder, limit)
    with console.status("Learning what viewers watched before the log …"):
        state = replay.loaded(log, gini)
    kept = engine.encode(state)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        dry = progress.add_task("dry pass, for budgets", total=len(log))
        unbound = replay.unbound_spend(log, state, lambda rows: progress.advance(dry, rows))
        budgets = _budgets(unbound)
        task = progress.add_task("replay", total=len(log))
        state = engine.decode(kept)
        wishes = replay.contracts_of(log, budgets)
        played = replay.play(log, state, wishes, lambda rows: progress.advance(task, rows))
    figures = _figures(log, played, state, budgets, np.minimum(budgets, unbound))
    _print(figures)
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    return figures


def _budgets(unbound: NDArray[np.float64]) -> NDArray[np.int64]:
    shares = np.where(np.arange(len(unbound)) % 2, replay.AMPLE, replay.TIGHT)
    return np.maximum(unbound * shares, YUAN // 100).astype(np.int64)


def _figures(
    log: FeedLog,
    played: replay.Played,
    state: engine.State,
    budgets: NDArray[np.int64],
    plans: NDArray[np.float64],
) -> Figures:
    in_log = np.bincount(log.author, minlength=len(log.creators)).astype(np.float64)
    exposed = in_log > 0
    return Figures(
        requests=len(log),
        decisions_per_cpu_second=len(log) / played.cpu_s,
        click=_prediction(log.click, played.chances[:, 0], log.viewer),
        long_view=_prediction(log.long_view, played.chances[:, 1], log.viewer),
        popularity=Popularity(
            _prediction(log.click, played.popularity[:, 0], log.viewer),
            _prediction(log.long_view, played.popularity[:, 1], log.viewer),
        ),
        ndcg10=orders(log, played.frozen, played.frozen_popularity),
        gini=Spread(metrics.gini(in_log[exposed]), metrics.gini(played.exposure[exposed])),
        tiers=tiers(in_log, played.exposure),
        dial=_dial(state),
        contracts=_contracts(log, played, state, budgets, plans),
    )


def _dial(state: engine.State) -> Dial | None:
    dial = state.policy.gini
    return None if dial is None else Dial(dial, inclusion_report(state).effect.viewer_share)


def _prediction(
    labels: NDArray[np.bool_], chances: NDArray[np.floating], viewer: NDArray[np.int32]
) -> Prediction:
    return Prediction(
        metrics.auc(labels, chances), metrics.gauc(labels, chances, viewer), metrics.log_loss(labels, chances)
    )


def orders(log: FeedLog, engine_scores: NDArray[np.floating], popularity: NDArray[np.floating]) -> Orders:
    """Return NDCG@10 by long view of three orders of the same viewer-days; ties go to the lower video id.

    Args:
        log: the feed.
        engine_scores: [n], frozen at the day's start.
        popularity: [n], frozen alike.
    """
    by_day = np.lexsort((np.arange(len(log)), log.viewer, log.day))
    key = log.day[by_day] * len(log.viewers) + log.viewer[by_day]
    begins = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    found: list[tuple[float, float, float]] = []
    for rows in np.split(by_day, begins[1:]):
        gains = log.long_view[rows].astype(np.float64)
        if len(rows) < LEAST_LOOKS or gains.min() == gains.max():
            continue
        names = np.array([int(log.videos[video].id[1:]) for video in log.video[rows]])
        ranked = (gains[np.lexsort((names, -scores[rows]))] for scores in (engine_scores, popularity))
        ours, popular = (metrics.ndcg_at(order) for order in ranked)
        found.append((ours, metrics.ndcg_at(gains), popular))
    mean = np.mean(found, axis=0) if found else np.full(3, np.nan)
    return Orders(float(mean[0]), float(mean[1]), float(mean[2]))


def _contracts(
    log: FeedLog,
    played: replay.Played,
    state: engine.State,
    budgets: NDArray[np.int64],
    plans: NDArray[np.float64],
) -> Contracts:
    book, count = state.book, len(budgets)
    spent = book.spent[:count] / YUAN
    plan = replay.planned(log, plans, played.hours)
    error = np.abs(np.array(played.spent) - plan) / budgets
    return Contracts(
        spend=float(spent.sum()),
        charge_per_look=float(spent.sum() / max(book.paid_looks[:count].sum(), 1e-9)),
        predicted_roi=float(book.value[:count].sum() / max(spent.sum(), 1e-9)),
        pacing_error=float(error.mean()),
        budget=float(budgets.sum() / YUAN),
        count=count,
        budget_bound=int((spent >= 0.95 * budgets / YUAN).sum()),
    )


def _print(figures: Figures) -> None:
    table = Table(title="Replay of the logged feed", title_justify="left")
    for heading, justify in (
        ("", "left"),
        ("engine", "right"),
        ("popularity", "right"),
        ("as logged", "right"),
    ):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for name, ours, popular in (
        ("click", figures.click, figures.popularity.click),
        ("long view", figures.long_view, figures.popularity.long_view),
    ):
        for measure in ("auc", "gauc", "log_loss"):
            label = {"auc": "AUC", "gauc": "AUC within viewers (GAUC)", "log_loss": "log-loss"}[measure]
            table.add_row(
                f"{name}: {label}", f"{getattr(ours, measure):.4f}", f"{getattr(popular, measure):.4f}", ""
            )
    order = figures.ndcg10
    table.add_row(
        "NDCG@10 by long view, per viewer and day",
        f"{order.engine:.4f}",
        f"{order.popularity:.4f}",
        f"{order.logged:.4f}",
    )
    table.add_row("Gini of authors' exposure", f"{figures.gini.engine:.4f}", "", f"{figures.gini.logged:.4f}")
    for title, of in (("log", figures.tiers.by_logged), ("engine", figures.tiers.by_engine)):
        for tier, name in zip(of, ("top 1%", "next 19%", "rest"), strict=True):
            heading = f"exposure of the {name} of authors by the {title}, {tier.authors:,}"
            table.add_row(heading, f"{tier.engine:.4f}", "", f"{tier.logged:.4f}")
    told = figures.tiers
    table.add_row("authors with any exposure", f"{told.exposed_engine:,}", "", f"{told.exposed_logged:,}")
    table.add_row("exposure of authors whom the log never showed", f"{told.outside:.4f}", "", "0.0000")
    if figures.dial is not None:
        lost = f"{figures.dial.viewer_value_lost:.4f}"
        table.add_row(f"Gini's dial {figures.dial.gini:.2f}: viewer value lost (model)", lost, "", "")
    contracts = figures.contracts
    table.add_section()
    table.add_row(f"{contracts.count} contracts: budget, yuan", f"{contracts.budget:.2f}", "", "")
    table.add_row("  spend, yuan (model)", f"{contracts.spend:.2f}", "", "")
    table.add_row("  charge per look, yuan (model)", f"{contracts.charge_per_look:.5f}", "", "")
    table.add_row("  predicted ROI (model; goal 2)", f"{contracts.predicted_roi:.2f}", "", "")
    table.add_row("  mean |spent − planned| / budget by hour", f"{contracts.pacing_error:.4f}", "", "")
    table.add_row(
        "  contracts that used their budget", f"{contracts.budget_bound} of {contracts.count}", "", ""
    )
    table.add_section()
    table.add_row("requests", f"{figures.requests:,}", "", "")
    table.add_row(
        "decisions per CPU-second, learning included", f"{figures.decisions_per_cpu_second:,.0f}", "", ""
    )
    console = Console()
    if not console.is_terminal:
        console = Console(width=110)
    console.print(table)
    console.print(NOTE, style="dim")


NOTE = (
    "Predictions are made before each row is learned. The log has no orders and no outcome of a video that was not "
    "shown: spend, charges and ROI are the model's (0.10 yuan per predicted long view), and every slate counts as "
    "looked at by the declared curve. Budgets: half (ten contracts) and twice (ten) of what a dry pass over every "
    f"{replay.SAMPLED}th request says each would spend without one; planned spend is the lesser of budget and that, "
    "spread over the hours by the declared shape of a day."
)
