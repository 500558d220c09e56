"""A data folder's log and ledger read beside whoever writes them: nothing is locked, and nothing is changed.

The log's files only grow, and records are checked one by one, so a reader sees every record that was whole when it
looked and never half of one.
"""

from collections.abc import Iterator
from pathlib import Path

from fieldline.errors import DataFolderError
from fieldline.facts import AnyFact, decode
from fieldline.stores.recovery import recover


def read_facts(data: Path) -> Iterator[AnyFact]:
    """Yield every fact of a data folder's log in order.

    Args:
        data: the folder.

    Raises:
        DataFolderError: it is no data folder, its log is empty or of a newer version, or does not go back to its
            beginning.
    """
    if not (data / "VERSION").is_file():
        raise DataFolderError(f"{data} is not a Fieldline data folder")
    segments = [segment for segment in recover(data / "log", 0).segments if segment.count]
    if not segments:
        raise DataFolderError(f"the log of {data} is empty")
    if segments[0].first > 0:
        raise DataFolderError(
            f"the log of {data} begins at record {segments[0].first}: what came before was compacted"
        )
    for place, segment in enumerate(segments):
        stop = segments[place + 1].first if place + 1 < len(segments) else segment.stop
        for _, payload in segment.read(segment.first, min(segment.stop, stop)):
            yield decode(payload)


def ledger_url(data: Path) -> str:
    """Return the URL of a data folder's database, opened for reading alone."""
    return f"sqlite:///file:{(data / 'records.sqlite').absolute()}?mode=ro&uri=true"
