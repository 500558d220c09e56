"""The command `fieldline`: what a person or a script types."""

import sys

import typer

from fieldline.cli.assurance import assurance
from fieldline.cli.data import compact, query, reset
from fieldline.cli.lab import lab
from fieldline.cli.learn import learn
from fieldline.cli.replay import replay
from fieldline.cli.run import run, serve
from fieldline.cli.train import train
from fieldline.cli.twin import twin
from fieldline.errors import FieldlineError

app = typer.Typer(
    name="fieldline",
    help="What to show, for every request: organic and paid in one decision, at one set of prices.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(run)
app.command()(serve)
app.command()(reset)
app.command()(compact)
app.command()(query)
app.command()(assurance)
app.command()(twin)
app.command()(lab)
app.add_typer(
    train, name="train", help="Fit a model to a data folder's log, to be served beside the engine's own."
)
app.add_typer(learn, name="learn", help="Judge policies by a log.")
app.add_typer(replay, name="replay", help="Replay a recorded log through the engine.")


def main() -> None:
    """Run the command line; what Fieldline refuses is one line on stderr and exit status 2."""
    try:
        app()
    except FieldlineError as error:
        print(f"fieldline: {error}", file=sys.stderr)
        sys.exit(2)
