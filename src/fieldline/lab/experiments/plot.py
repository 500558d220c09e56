"""The plot of an experiment: prices, spend and goals over time for a handful of contracts, and its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLUE, ORANGE, GREY, INK = "#1f5fa8", "#c8601a", "#9aa3ad", "#20262d"


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened to one contract, tick by tick."""

    title: str
    days: Floats
    """[T], days since the start."""
    alpha: Floats
    """[T]."""
    spend: Floats
    """[T], yuan so far."""
    planned: Floats
    """[T], share of the traffic so far, in hindsight."""
    value: Floats
    """[T], observed so far, yuan."""
    budget: float
    goal: float
    """0: none."""


def available() -> bool:
    """Return whether plots can be drawn: whether matplotlib is installed (`pip install fieldline[lab]`)."""
    return find_spec("matplotlib") is not None


def draw(
    path: Path, title: str, traces: Sequence[Trace], header: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Write a PNG: per contract its multiplier, spend and ROI over time; below them the table of arms.

    Args:
        path: where to.
        title: above all.
        traces: one column each.
        header: of the table.
        rows: of the table.
    """
    import_module("matplotlib").use("Agg")
    plt = import_module("matplotlib.pyplot")
    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
                         "axes.edgecolor": GREY, "text.color": INK, "axes.labelcolor": INK})  # fmt: skip
    columns = max(len(traces), 1)
    figure = plt.figure(figsize=(3.6 * columns, 8.6 + 0.26 * len(rows)), layout="constrained")
    grid = figure.add_gridspec(4, columns, height_ratios=[1, 1, 1, 0.55 + 0.13 * len(rows)])
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    for column, trace in enumerate(traces):
        axes = [figure.add_subplot(grid[row, column]) for row in range(3)]
        axes[0].set_title(trace.title, loc="left", fontsize=9)
        _price(axes[0], trace)
        _spend(axes[1], trace)
        _goal(axes[2], trace)
        axes[2].set_xlabel("day")
        for axis in axes:
            axis.set_xlim(0.0, trace.days[-1])
            axis.grid(color=GREY, alpha=0.25, linewidth=0.6)
        if column == 0:
            for axis, name in zip(axes, ("multiplier α", "spend, yuan", "value so far / spend"), strict=True):
                axis.set_ylabel(name)
    below = figure.add_subplot(grid[3, :])
    below.axis("off")
    if rows:
        table = below.table(cellText=[list(row) for row in rows], colLabels=list(header), loc="upper center",
                            cellLoc="left", edges="horizontal")  # fmt: skip
        table.auto_set_font_size(False)
        table.set_fontsize(9)
        table.auto_set_column_width(list(range(len(header))))
        table.scale(1.0, 1.25)
        for cell in table.get_celld().values():
            cell.set_linewidth(0.4)
            cell.set_edgecolor(GREY)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _price(axis: Any, trace: Trace) -> None:
    axis.plot(trace.days, trace.alpha, color=BLUE, linewidth=1.1)
    axis.set_yscale("log")
    if trace.goal > 0.0:
        axis.axhline(1.0 / trace.goal, color=GREY, linestyle="--", linewidth=0.9)
        axis.annotate("1/τ", (trace.days[-1], 1.0 / trace.goal), xytext=(0, 2), textcoords="offset points",
                      ha="right", color=GREY)  # fmt: skip
    ticker = import_module("matplotlib.ticker")
    decades = np.log10(trace.alpha.max() / max(trace.alpha.min(), 1e-9)) if trace.alpha.max() > 0.0 else 0.0
    axis.yaxis.set_major_locator(ticker.LogLocator(subs=(1.0,) if decades > 2.0 else (1.0, 2.0, 5.0)))
    axis.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:.3g}"))
    axis.yaxis.set_minor_locator(ticker.NullLocator())


def _spend(axis: Any, trace: Trace) -> None:
    axis.plot(trace.days, trace.planned * trace.budget, color=GREY, linestyle="--", label="plan")
    axis.plot(trace.days, trace.spend, color=BLUE, label="spent")
    axis.axhline(trace.budget, color=ORANGE, linewidth=0.9, label="budget")
    axis.set_ylim(bottom=0.0)
    axis.legend(frameon=False, fontsize=8, loc="upper left")


def _goal(axis: Any, trace: Trace) -> None:
    shown = trace.spend > 0.01 * trace.budget
    so_far = np.where(shown, trace.value / np.where(shown, trace.spend, 1.0), np.nan)
    axis.plot(trace.days, so_far, color=BLUE, label="observed")
    if trace.goal > 0.0:
        axis.axhline(trace.goal, color=ORANGE, linewidth=0.9, label="goal")
        end = trace.value[-1] / trace.spend[-1] if shown[-1] else 0.0
        axis.set_ylim(0.0, max(3.0 * trace.goal, 1.5 * end))
    axis.legend(frameon=False, fontsize=8, loc="upper right")
