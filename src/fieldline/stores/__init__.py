"""Stores: the log, snapshots, records, the ledger and the archive, each chosen by URL.

`memory:` keeps nothing; `file:///DIR` is a folder (log, snapshots); `sqlite:///FILE` is a database (records,
ledger).
"""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from fieldline.errors import Refused

if TYPE_CHECKING:
    from fieldline.stores.ledger import SqlLedger
    from fieldline.stores.log import FileLog
    from fieldline.stores.memory import MemoryLedger, MemoryLog, MemoryRecords, MemorySnapshots
    from fieldline.stores.records import SqlRecords
    from fieldline.stores.snapshot import FileSnapshots

MEMORY = "memory:"


def open_log(url: str, at_least: int = 0) -> "MemoryLog | FileLog":
    """Open the event log of a URL.

    Args:
        url: "memory:" or "file:///DIR".
        at_least: the least position of the next record: the newest snapshot's.

    Raises:
        DataFolderError: a segment is of a newer version than this program.
        Refused: no log has such a URL.
    """
    if url == MEMORY:
        from fieldline.stores.memory import MemoryLog

        return MemoryLog()
    from fieldline.stores.log import FileLog

    return FileLog(_folder(url), at_least=at_least)


def open_snapshots(url: str) -> "MemorySnapshots | FileSnapshots":
    """Open the snapshots of a URL, "memory:" or "file:///DIR".

    Raises:
        Refused: no snapshots have such a URL.
    """
    if url == MEMORY:
        from fieldline.stores.memory import MemorySnapshots

        return MemorySnapshots()
    from fieldline.stores.snapshot import FileSnapshots

    return FileSnapshots(_folder(url))


def open_records(url: str) -> "MemoryRecords | SqlRecords":
    """Open the records of a URL, "memory:" or "sqlite:///FILE".

    Raises:
        DataFolderError: the database cannot be opened, or is newer than this program.
        Refused: no records have such a URL.
    """
    if url == MEMORY:
        from fieldline.stores.memory import MemoryRecords

        return MemoryRecords()
    from fieldline.stores.records import SqlRecords

    return SqlRecords(_database(url))


def open_ledger(url: str) -> "MemoryLedger | SqlLedger":
    """Open the ledger of a URL, "memory:" or "sqlite:///FILE".

    Raises:
        DataFolderError: the database cannot be opened, or is newer than this program.
        Refused: no ledger has such a URL.
    """
    if url == MEMORY:
        from fieldline.stores.memory import MemoryLedger

        return MemoryLedger()
    from fieldline.stores.ledger import SqlLedger

    return SqlLedger(_database(url))


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc or not parts.path:
        raise Refused("url", f"{url!r} is neither {MEMORY} nor file:///DIR")
    return Path(unquote(parts.path))


def _database(url: str) -> str:
    if not url.startswith("sqlite:///"):
        raise Refused("url", f"{url!r} is neither {MEMORY} nor sqlite:///FILE")
    return url
