"""Commands on a data folder that no server is using: `reset`, `compact`, `query`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fieldline.cli.options import setting
from fieldline.stores import open_log, open_snapshots
from fieldline.stores.folder import DataFolder
from fieldline.stores.folder import reset as empty
from fieldline.stores.log import FileLog
from fieldline.stores.parquet import Archive

Data = Annotated[Path, setting("data")]


def compact(data: Data) -> None:
    """Move the log's closed segments to Parquet, leaving out erased viewers; what two snapshots cover goes."""
    with DataFolder.open(data, create=False) as folder:
        log, positions = _log_of(folder)
        done = Archive(folder.archive).compact(log, positions[0] if len(positions) > 1 else 0)
        log.close()
    print(f"{done.facts} facts moved, {done.forgotten} forgotten, {len(done.dropped)} segments removed.")


def query(
    data: Data, sql: Annotated[str, typer.Argument(help="One SELECT; a view for each type of fact.")]
) -> None:
    """Answer a SELECT over every fact of a data folder (impression, click, decision, "order" …)."""
    with DataFolder.open(data, create=False) as folder:
        log, _ = _log_of(folder)
        answer = Archive(folder.archive).query(log, sql)
        log.close()
    table = Table(*answer.columns)
    for row in answer.rows:
        table.add_row(*(str(cell) for cell in row))
    Console().print(table)


def reset(
    data: Data,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Empty a data folder, after asking."""
    if not yes:
        typer.confirm(f"Delete everything that Fieldline keeps in {data}?", abort=True)
    empty(data)
    print(f"{data} is empty.")


def _log_of(folder: DataFolder) -> tuple[FileLog, tuple[int, ...]]:
    positions = open_snapshots(folder.snapshots_url).positions()
    log = open_log(folder.log_url, positions[-1] if positions else 0)
    assert isinstance(log, FileLog)  # a data folder's log is one
    return log, positions
