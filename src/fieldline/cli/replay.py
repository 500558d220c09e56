"""`fieldline replay`: recorded logs through the engine."""

from pathlib import Path
from typing import Annotated

import typer

replay = typer.Typer(no_args_is_help=True)


@replay.callback()
def recorded() -> None:
    """Replay a recorded log through the engine: it decides as if it were there, and learns what was logged."""


@replay.command()
def kuairand(
    folder: Annotated[Path, typer.Argument(help="Folder with log_*.parquet and the feature files.")],
    json: Annotated[Path | None, typer.Option(help="Also write the figures to this file.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many exposures.", min=1)] = None,
    gini: Annotated[
        float | None, typer.Option(help="Set the dial of the Gini of authors' exposure.", min=0.3, max=0.95)
    ] = None,
) -> None:
    """Replay a KuaiRand feed log in time order and print what the engine predicted and decided."""
    from fieldline.lab.replay.report import replay_kuairand

    replay_kuairand(folder, json, limit, gini)
