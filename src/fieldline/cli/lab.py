"""`fieldline lab`: named experiments on simulated and recorded auctions."""

from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer


class Name(StrEnum):
    """The experiments."""

    STOREWIDE = "storewide"
    RECORDED = "recorded"
    FORECAST = "forecast"
    GINI = "gini"
    ONE_PLUS_N = "one_plus_n"
    COLD_START = "cold_start"
    TRUST = "trust"
    FOCUS_POOLS = "focus_pools"
    STAGING = "staging"
    DOMAINS = "domains"


ORGANIC = (
    Name.GINI, Name.ONE_PLUS_N, Name.COLD_START, Name.TRUST, Name.FOCUS_POOLS, Name.STAGING, Name.DOMAINS
)  # fmt: skip
"""Those of organic policies: each is a module's experiment."""


def lab(
    name: Annotated[
        Name,
        typer.Argument(
            help="storewide: a simulated market of days. recorded: recorded auctions in --data. "
            "forecast: bands told at midnight against the day that came. gini: the dial on creators' exposure. "
            "one_plus_n: credit for paid exposure. cold_start: floors for new works. trust: its weight in ranking. "
            "focus_pools: looks granted for what is spent. staging: plans of live rooms. "
            "domains: who follows whom, in the feeds."
        ),
    ],
    seeds: Annotated[int, typer.Option(help="How many markets (all but recorded).", min=1, max=100)] = 5,
    quick: Annotated[
        bool, typer.Option("--quick", help="One small market for some days (all but recorded).")
    ] = False,
    forms: Annotated[
        bool, typer.Option("--forms", help="Also play the controller's other forms (storewide).")
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes (all but recorded).", min=1, max=64)] = 2,
    data: Annotated[Path | None, typer.Option(help="Folder of recorded auctions (recorded).")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the figures to this file.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Where to draw the figures (all but recorded and forecast).")
    ] = None,
) -> None:
    """Run a named experiment: a table on the screen, figures with intervals in JSON, a plot in PNG."""
    if name is Name.RECORDED:
        from fieldline.lab.recorded.report import recorded

        if data is None:
            raise typer.BadParameter("recorded needs --data, the folder of its auctions", param_hint="--data")
        recorded(data, json)
        return
    if name is Name.FORECAST:
        from fieldline.lab.experiments.forecast import forecast

        forecast(seeds=tuple(range(1, 2 if quick else seeds + 1)), workers=workers, json=json, small=quick)
        return
    markets = 1 if quick else seeds
    if name in ORGANIC:
        from fieldline.lab.experiments.policies import carry_out

        experiment = import_module(f"fieldline.lab.experiments.{name}").EXPERIMENT
        carry_out(experiment, seeds=markets, quick=quick, workers=workers, json=json, plot=plot)
        return
    from fieldline.lab.experiments.storewide import storewide

    storewide(seeds=markets, quick=quick, workers=workers, json=json, plot=plot, forms=forms)
