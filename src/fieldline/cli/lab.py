"""`fieldline lab`: named experiments on simulated and recorded auctions."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Name(StrEnum):
    """The experiments."""

    STOREWIDE = "storewide"
    RECORDED = "recorded"
    FORECAST = "forecast"


def lab(
    name: Annotated[
        Name,
        typer.Argument(
            help="storewide: a simulated market of days. recorded: recorded auctions in --data. "
            "forecast: bands told at midnight against the day that came."
        ),
    ],
    seeds: Annotated[int, typer.Option(help="How many markets (storewide, forecast).", min=1, max=100)] = 5,
    quick: Annotated[
        bool, typer.Option("--quick", help="One small market for some days (storewide, forecast).")
    ] = False,
    forms: Annotated[
        bool, typer.Option("--forms", help="Also play the controller's other forms (storewide).")
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes (storewide, forecast).", min=1, max=64)] = 2,
    data: Annotated[Path | None, typer.Option(help="Folder of recorded auctions (recorded).")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the figures to this file.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Where to draw prices, spend and goals (storewide).")
    ] = None,
) -> None:
    """Run a named experiment: a table on the screen, figures with 90% intervals in JSON, a plot in PNG."""
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
    from fieldline.lab.experiments.storewide import storewide

    storewide(seeds=1 if quick else seeds, quick=quick, workers=workers, json=json, plot=plot, forms=forms)
