"""`fieldline train`: models that are fitted to a log and served beside the engine's own."""

from pathlib import Path
from typing import Annotated

import typer

from fieldline.cli.options import setting

train = typer.Typer(no_args_is_help=True)

Data = Annotated[Path, setting("data")]
Out = Annotated[Path, typer.Option(help="Folder of the bundle to write.")]
Days = Annotated[int | None, typer.Option(help="Only looks of so many days before the newest.", min=1)]
Name = Annotated[str, typer.Option(help="What decisions call the model.")]
Seed = Annotated[int, typer.Option(help="Of whatever is drawn while fitting.")]


@train.callback()
def trained() -> None:
    """Fit a model to a data folder's log, which `--predictor` serves, or to reviews, for `--sentiment`."""


@train.command()
def lightgbm(data: Data, out: Out, days: Days = None, name: Name = "lightgbm", seed: Seed = 1) -> None:
    """Boosted trees, one model a task (extra `boosted`)."""
    from fieldline.learn.bundles import write_boosted

    print(write_boosted(data, out, days, name, seed))


@train.command()
def sentiment(
    data: Annotated[
        Path, typer.Argument(help="csv (or .csv.gz, or a folder of them): label, review, perhaps cat.")
    ],
    out: Annotated[Path, typer.Option(help="File to write, for `--sentiment`.")],
    name: Annotated[str, typer.Option(help="What the model is called.")] = "reviews",
) -> None:
    """Whether reviews praise or criticise, from labelled ones; needs no extra."""
    from fieldline.learn.sentiment import train as fitted

    print(fitted(data, out, name))


@train.command()
def dcn(data: Data, out: Out, days: Days = None, name: Name = "dcn", seed: Seed = 1) -> None:
    """A deep and cross network of all tasks, exported to ONNX and checked against torch (extra `train`)."""
    from fieldline.learn.bundles import write_dcn

    print(write_dcn(data, out, days, name, seed))
