"""`fieldline learn`: policies judged by a log."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fieldline.learn.ope import Evaluation
    from fieldline.learn.ope.replayed import Reward
    from fieldline.learn.ope.report import Scored
    from fieldline.learn.ope.slates import Assumption

learn = typer.Typer(no_args_is_help=True)


@learn.callback()
def learned() -> None:
    """Judge policies by a log before they are served."""


@learn.command()
def ope(
    data: Annotated[
        Path, typer.Option(help="Folder with log.parquet or log.csv, or a data folder of Fieldline.")
    ],
    policy: Annotated[
        Path | None, typer.Option(help="JSON file of the dials that differ (a data folder's log).")
    ] = None,
    reward: Annotated[
        str, typer.Option(help="clicks, long_views or gmv: what the first figures are of (a data folder).")
    ] = "clicks",
    assume: Annotated[
        str,
        typer.Option(help="slate, cascade, slot or looks: what a slot's reward depends on (a data folder)."),
    ] = "looks",
    drawn: Annotated[
        bool,
        typer.Option("--drawn", help="The other policy answers by its draw, not by the slate it serves."),
    ] = False,
    paid: Annotated[
        bool,
        typer.Option("--paid", help="Judge the slate with what is sold in it; the model stands alone there."),
    ] = False,
    json: Annotated[Path | None, typer.Option(help="Also write the figures to this file.")] = None,
) -> None:
    """Tell what another policy would have earned: IPS, SNIPS, doubly robust and switch, with 90% intervals."""
    import msgspec
    from rich.console import Console

    from fieldline.errors import Refused
    from fieldline.learn.ope import evaluate
    from fieldline.learn.ope.replayed import REWARDS, dials_of, replayed
    from fieldline.learn.ope.report import scored
    from fieldline.learn.ope.slates import ASSUMPTIONS
    from fieldline.learn.ope.table import NAMES, log_in, read_table, sample_of
    from fieldline.stores.reading import read_facts

    for name, value, known in (("reward", reward, REWARDS), ("assume", assume, ASSUMPTIONS)):
        if value not in known:
            raise Refused(name, f"is one of {', '.join(known)}, not {value!r}")
    console = Console()
    plain = log_in(data)
    found: Evaluation | Scored
    if plain is not None:
        if policy is not None or drawn or paid:
            raise Refused(
                "policy",
                f"is told by the columns of {plain}; --policy, --drawn and --paid are for data folders",
            )
        found = evaluate(sample_of(read_table(plain)))
        console.print(_table(str(plain), found))
    elif (data / "VERSION").is_file():
        try:
            dials = dials_of(policy.read_bytes()) if policy else {}
        except OSError as error:
            raise Refused("policy", f"{policy} cannot be read: {error.strerror}") from None
        found = scored(replayed(read_facts(data), dials, drawn, paid), _reward(reward), _assumption(assume))
        for line in found.notes:
            console.print(line)
        console.print(_table(f"{reward} a request, as {assume} tells them", found))
    else:
        raise Refused(
            "data", f"{data} holds neither {' nor '.join(NAMES)}, and is no data folder of Fieldline"
        )
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")


def _reward(name: str) -> "Reward":
    from fieldline.learn.ope.replayed import REWARDS

    return REWARDS[REWARDS.index(name)]


def _assumption(name: str) -> "Assumption":
    from fieldline.learn.ope.slates import ASSUMPTIONS

    return ASSUMPTIONS[ASSUMPTIONS.index(name)]


def _table(title: str, found: "Evaluation | Scored") -> object:
    from rich.table import Table

    table = Table("", "value", "90% interval", title=title)
    for name in ("ips", "snips", "dr", "switch", "logged"):
        estimate = getattr(found, name)
        table.add_row(name, f"{estimate.value:.5g}", f"{estimate.low:.5g} to {estimate.high:.5g}")
    table.add_section()
    table.add_row("rounds", f"{found.n:,}", "")
    table.add_row("as many of the target's own", f"{found.effective_sample:,.1f}", "")
    return table
