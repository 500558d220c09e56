"""`fieldline twin`: what a campaign would have done on a logged day."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fieldline.lab.twin import Answer, Band


def twin(
    campaign: Annotated[Path, typer.Argument(help="JSON file: id, offer, owner and terms of the campaign.")],
    log: Annotated[Path, typer.Option(help="Data folder whose log is played; a server may be using it.")],
    day: Annotated[
        str | None, typer.Option(help="YYYY-MM-DD, a day in UTC+8; by default the last whole one.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the answer to this file.")] = None,
) -> None:
    """Play a logged day without and with one more campaign: its spend, GMV and ROI, and what it takes from others."""
    import msgspec
    from rich.console import Console

    from fieldline.errors import Refused
    from fieldline.lab.twin import asked_of
    from fieldline.lab.twin import twin as answered
    from fieldline.stores.reading import read_facts
    from fieldline.traffic.assured import day_named

    try:
        asked = asked_of(campaign.read_bytes())
    except OSError as error:
        raise Refused("campaign", f"{campaign} cannot be read: {error.strerror}") from None
    answer = answered(lambda: read_facts(log), asked, None if day is None else day_named(day))
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode(answer)) + b"\n")
    Console().print(_table(answer), _notes(answer))


def _table(answer: "Answer") -> object:
    from rich.table import Table

    table = Table("", "expected", "80% of such days", title=f"{answer.campaign} on {answer.day}")
    rows: tuple[tuple[str, Band | None], ...] = (
        ("spend, yuan", answer.spend),
        ("GMV attributed, yuan", answer.attributed_gmv),
        ("GMV storewide, yuan", answer.storewide_gmv),
        ("ROI attributed", answer.attributed_roi),
        ("ROI storewide", answer.storewide_roi),
    )
    for name, band in rows:
        if band is None:
            table.add_row(name, "-", "nothing was spent")
        else:
            table.add_row(name, f"{band.value:.2f}", f"{band.low:.2f} to {band.high:.2f}")
    table.add_row("GMV that would not come without it, yuan", f"{answer.incremental_gmv:.2f}", "")
    moved = answer.displaced
    table.add_section()
    for name, amount in (
        ("looks bought", moved.own_paid_looks),
        ("looks of its items otherwise", moved.own_organic_looks),
        ("looks of others, paid", moved.others_paid_looks),
        ("looks of others, organic", moved.others_organic_looks),
        ("GMV of others, yuan", moved.others_gmv),
        ("spend of others, yuan", moved.others_spend),
        ("long views", moved.long_views),
    ):
        table.add_row(name, f"{amount:+.2f}", "")
    return table


def _notes(answer: "Answer") -> str:
    when = f"in hour {answer.used_up} (UTC+8)" if answer.used_up is not None else "not used up"
    return (
        f"budget of the day {answer.budget:.2f} yuan: {when}; goal {answer.goal:g}; "
        f"{answer.requests} requests, {answer.impressions} paid impressions.\n"
        "Requests and rendered places are the log's. Outcomes are the model's: nobody clicked or bought. They are "
        f"brought to the day's real level by a factor of {answer.calibration:.2f}."
    )
