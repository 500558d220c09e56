"""The data folder: what a running Fieldline keeps, under one lock and one version.

VERSION          "fieldline 1"
lock             held by the process that uses the folder, with its id
log/ snapshots/ archive/ records.sqlite
"""

import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sqlalchemy import URL

from fieldline.errors import DataFolderError
from fieldline.stores.disk import write_whole

FOLDER_VERSION = 1
_FOLDERS = ("log", "snapshots", "archive")
_FILES = ("records.sqlite", "records.sqlite-wal", "records.sqlite-shm", "VERSION.new", "NODE", "VERSION")


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A data folder that this process holds until `close`, or until it ends, however it ends."""

    path: Path
    lock: int
    """The descriptor that holds the lock."""

    @classmethod
    def open(cls, path: Path, create: bool) -> "DataFolder":
        """Lock a data folder.

        Args:
            path: where it is.
            create: make it when it is missing or empty.

        Raises:
            DataFolderError: missing, no data folder, locked by another process, or newer than this program.
        """
        path = path.absolute()
        if path.exists() and not path.is_dir():
            raise DataFolderError(f"{path} is a file, not a data folder")
        if not path.exists() and not create:
            raise DataFolderError(f"{path} does not exist")
        marked = (path / "VERSION").exists()
        empty = not path.exists() or {entry.name for entry in path.iterdir()} <= {"lock", "VERSION.new"}
        if not marked and not (create and empty):
            raise DataFolderError(f"{path} is not a Fieldline data folder")
        path.mkdir(parents=True, exist_ok=True)
        lock = _locked(path)
        try:
            if marked:
                _check_version(path)
            else:
                write_whole(path / "VERSION", f"fieldline {FOLDER_VERSION}\n".encode())
        except BaseException:
            os.close(lock)
            raise
        return cls(path, lock)

    @property
    def log_url(self) -> str:
        """Return the URL of the folder's log."""
        return (self.path / "log").as_uri()

    @property
    def snapshots_url(self) -> str:
        """Return the URL of the folder's snapshots."""
        return (self.path / "snapshots").as_uri()

    @property
    def records_url(self) -> str:
        """Return the URL of the folder's database, which holds records and ledger."""
        return URL.create("sqlite", database=str(self.path / "records.sqlite")).render_as_string()

    @property
    def archive(self) -> Path:
        """Return where compacted facts are."""
        return self.path / "archive"

    def close(self) -> None:
        """Let another process have the folder."""
        os.close(self.lock)

    def __enter__(self) -> "DataFolder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def reset(path: Path) -> None:
    """Remove everything that Fieldline keeps in a data folder; what else lies there stays.

    Raises:
        DataFolderError: missing, no data folder, in use, or newer than this program.
    """
    with DataFolder.open(path, create=False) as folder:
        for name in _FOLDERS:
            if (folder.path / name).exists():
                shutil.rmtree(folder.path / name)
        for name in _FILES:  # VERSION last: until then it is a data folder, which can be reset again
            (folder.path / name).unlink(missing_ok=True)
        (folder.path / "lock").unlink()


def _locked(path: Path) -> int:
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        raise DataFolderError(f"{path} is in use by another Fieldline (process {owner})") from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _check_version(path: Path) -> None:
    words = (path / "VERSION").read_text(errors="replace").split()
    if len(words) != 2 or words[0] != "fieldline" or not words[1].isdecimal():
        raise DataFolderError(f"{path} is not a Fieldline data folder: its VERSION says something else")
    if int(words[1]) > FOLDER_VERSION:
        raise DataFolderError(f"{path} is of version {words[1]}; this program reads up to {FOLDER_VERSION}")
