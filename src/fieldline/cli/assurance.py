"""`fieldline assurance`: a day's credit worked out again from the log, beside what the ledger holds."""

from pathlib import Path
from typing import Annotated

import typer

from fieldline.cli.options import setting


def assurance(
    campaign: Annotated[str, typer.Argument(help="The campaign's id.")],
    day: Annotated[str, typer.Argument(help="YYYY-MM-DD, a day in UTC+8.")],
    data: Annotated[Path, setting("data")],
    money: Annotated[str, setting("money")],
) -> None:
    """Work out a campaign-day's assurance from the log, and compare it with the ledger; 1 where they differ."""
    from fieldline.errors import Unknown
    from fieldline.recount import recounted
    from fieldline.stores import open_ledger
    from fieldline.stores.reading import ledger_url, read_facts
    from fieldline.traffic.assured import credit_key, day_named

    number = day_named(day)
    told = recounted(read_facts(data), campaign, number)
    if told is None:
        raise Unknown("campaign", f"the log of {data} has no campaign {campaign!r}")
    ledger = open_ledger(money or ledger_url(data))
    entry = ledger.posted(credit_key(campaign, number))
    ledger.close()
    posted = 0 if entry is None else int(entry.get(f"merchant:{told.owner}", 0))
    for line in told.lines():
        print(line)
    print(f"ledger  {'no entry' if entry is None else f'{posted / 1e6:.6f} yuan to merchant:{told.owner}'}")
    if posted != told.due:
        print(f"DIFFERS the log gives {told.due} micro-yuan, the ledger holds {posted}")
        raise typer.Exit(1)
