"""The archive: compacted facts as Parquet files by type, and queries over them and the log's tail.

A manifest names the files that count and the position up to which they hold the log; it is replaced in one
step, so a crash leaves either the archive before a step of compaction or the one after. Source: ADR 0002.
"""

import re
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import duckdb
import msgspec

from fieldline.errors import DataFolderError, Refused, StoreError
from fieldline.facts import Decision, decode
from fieldline.stores import forget
from fieldline.stores.columns import FACTS, json_line, none_sql, quoted, read_sql, tag_of, text
from fieldline.stores.disk import sync_file, sync_folder, write_whole

ARCHIVE_VERSION = 1
STEP_BYTES = 64 << 20
"""Records compacted at once, in bytes of the log."""


class CompactableLog(Protocol):
    """What compaction and queries need of a log."""

    @property
    def closed(self) -> int:
        """The position up to which segments are closed."""

    def read(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield (position, payload) from a position on."""

    def drop(self, before: int) -> tuple[Path, ...]:
        """Remove the closed segments whose records all come before a position."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction did."""

    position: int
    """The archive holds the log up to here."""
    facts: int
    """Facts taken from the log."""
    forgotten: int
    """Rows left out, or removed from older files, because they name an erased viewer."""
    dropped: tuple[Path, ...]
    """Segments that were removed."""


@dataclass(frozen=True, slots=True)
class Table:
    """The answer to a query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int = ARCHIVE_VERSION
    position: int = 0
    generation: int = 0
    files: dict[str, tuple[str, ...]] = {}


class _Versioned(msgspec.Struct, frozen=True):
    version: int


class Archive:
    """Compacted facts in a folder.

    Args:
        folder: where the files are; made when missing.
        step_bytes: how much of the log is compacted at once.

    Raises:
        DataFolderError: the manifest is unreadable, or of a newer version than this program.
    """

    def __init__(self, folder: Path, step_bytes: int = STEP_BYTES) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob("scratch-*"):  # a killed process could not remove it
            shutil.rmtree(left)
        self._folder = folder
        self._step_bytes = step_bytes
        self._manifest = _read_manifest(folder / "manifest.json")

    @property
    def position(self) -> int:
        """Return the position up to which the archive holds the log."""
        return self._manifest.position

    def compact(self, log: CompactableLog, covered: int) -> Compacted:
        """Move the log's closed segments into Parquet, and forget the viewers that were erased in them.

        Args:
            log: the log; its segments are removed once they are archived and covered.
            covered: the position that snapshots cover (the older kept one's: either may be started from).

        Raises:
            LogCorrupt: a record changed since the log was opened; nothing is removed.
            OSError, StoreError: the disk is full, say; the archive is as it was after its last whole step.
        """
        facts = forgotten = 0
        stop = log.closed
        while self.position < stop:
            records = list(self._step(log, stop))
            with _database(self._folder) as (database, scratch):
                database.execute("SET threads = 1")  # the engine beside it answers requests
                _load(database, records, scratch, FACTS)
                files, gone = self._write(database)
            more = sum(len(payload) for _, payload in records) >= self._step_bytes
            self._publish(records[-1][0] + 1 if more else stop, files)
            facts, forgotten = facts + len(records), forgotten + gone
        return Compacted(self.position, facts, forgotten, log.drop(min(covered, self.position)))

    def query(self, log: CompactableLog, sql: str, parameters: Sequence[Any] = ()) -> Table:
        """Answer one SELECT over all facts, archived and not: a view for each type, named by its tag.

        The columns are the fact's fields, `position`, and `time`: `at` as a timestamp (UTC). "at" and "order"
        are quoted, as SQL has these words too.

        Raises:
            Refused: the text is not one SELECT, or cannot be answered.
        """
        wanted = [tag for tag in FACTS if re.search(rf"\b{tag}\b", sql)]
        with _database(self._folder) as (database, scratch):
            _load(database, log.read(self.position), scratch, wanted)
            for tag in wanted:
                time = ', epoch_ms("at") AS "time"' if "at" in FACTS[tag].__struct_fields__ else ""
                database.execute(f"CREATE VIEW {quoted(tag)} AS SELECT *{time} FROM ({self._rows(tag)})")
            paths = ", ".join(text(str(path)) for tag in wanted for path in self._paths(tag))
            database.execute(f"SET allowed_paths = [{paths}]")
            database.execute("SET enable_external_access = false")
            database.execute("SET lock_configuration = true")
            return _answer(database, sql, parameters)

    def decision(self, id: str) -> Decision | None:
        """Return an archived decision, or None."""
        with _database(self._folder) as (database, _):
            found = database.execute(f"SELECT * FROM ({self._archived('decision')}) WHERE id = ?", [id])
            names = [column[0] for column in found.description or ()]
            row = found.fetchone()
        if row is None:
            return None
        values = {name: value for name, value in zip(names, row, strict=True) if name != "position"}
        return msgspec.convert(values, Decision)

    def _step(self, log: CompactableLog, stop: int) -> Iterator[tuple[int, bytes]]:
        size = 0
        for position, payload in log.read(self.position):
            if position >= stop or size >= self._step_bytes:
                return
            size += len(payload)
            yield position, payload

    def _write(self, database: duckdb.DuckDBPyConnection) -> tuple[dict[str, tuple[str, ...]], int]:
        """Write the new facts and what is left of older ones; return the files that count, and the loss."""
        erasing = forget.mark(database, self._rows)
        written = {tag: self._write_type(database, tag, erasing) for tag in FACTS if tag != forget.ERASED}
        forgotten = sum(count for _, count in written.values())
        return {tag: names for tag, (names, _) in written.items() if names}, forgotten

    def _write_type(
        self, database: duckdb.DuckDBPyConnection, tag: str, erasing: bool
    ) -> tuple[tuple[str, ...], int]:
        condition = forget.names_erased(tag) if erasing else None
        old = self._manifest.files.get(tag, ())
        names = [] if condition else list(old)
        sources = [*(_read([self._folder / name]) for name in old if condition), f"SELECT * FROM new_{tag}"]
        forgotten = 0
        for index, rows in enumerate(sources):
            gone = forget.count(database, f"{rows} WHERE {condition}") if condition else 0
            forgotten += gone
            if gone == 0 and index < len(sources) - 1:
                names.append(old[index])
                continue
            left = f"{rows} WHERE NOT ({condition})" if condition else rows
            if forget.count(database, left):
                names.append(f"{tag}-{self._manifest.generation + 1:06d}-{index}.parquet")
                path = self._folder / names[-1]
                database.execute(f"COPY ({left} ORDER BY position) TO {text(str(path))} (COMPRESSION zstd)")
                sync_file(path)
        return tuple(names), forgotten

    def _publish(self, position: int, files: dict[str, tuple[str, ...]]) -> None:
        sync_folder(self._folder)
        after = _Manifest(position=position, generation=self._manifest.generation + 1, files=files)
        write_whole(self._folder / "manifest.json", msgspec.json.encode(after))
        self._manifest = after
        counted = {name for names in files.values() for name in names}
        for path in self._folder.glob("*.parquet"):
            if path.name not in counted:
                path.unlink()

    def _paths(self, tag: str) -> list[Path]:
        return [self._folder / name for name in self._manifest.files.get(tag, ())]

    def _archived(self, tag: str) -> str:
        return _read(paths) if (paths := self._paths(tag)) else none_sql(tag)

    def _rows(self, tag: str) -> str:
        return f"{self._archived(tag)} UNION ALL BY NAME SELECT * FROM new_{tag}"


@contextmanager
def _database(folder: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    with tempfile.TemporaryDirectory(dir=folder, prefix="scratch-") as scratch, duckdb.connect() as database:
        try:
            database.execute(f"SET temp_directory = {text(scratch)}")
            yield database, Path(scratch)
        except duckdb.Error as error:
            raise StoreError(f"the archive in {folder} could not be read or written: {error}") from error


def _load(
    database: duckdb.DuckDBPyConnection,
    records: Iterable[tuple[int, bytes]],
    scratch: Path,
    tags: Collection[str],
) -> None:
    """Make a table `new_<type>` of the facts of each wanted type."""
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {}
        for position, payload in records:
            fact = decode(payload)
            if (tag := tag_of(fact)) not in tags:
                continue
            if tag not in files:
                files[tag] = stack.enter_context((scratch / f"{tag}.json").open("wb"))
            files[tag].write(json_line(position, fact))
    for tag in tags:
        rows = read_sql(tag, str(scratch / f"{tag}.json")) if tag in files else none_sql(tag)
        database.execute(f"CREATE TABLE new_{tag} AS {rows}")


def _answer(database: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]) -> Table:
    try:
        statements = database.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise Refused("sql", "must be one SELECT")
        found = database.execute(statements[0], parameters)
        names = tuple(column[0] for column in found.description or ())
        return Table(names, tuple(found.fetchall()))
    except duckdb.Error as error:
        raise Refused("sql", str(error)) from error


def _read(paths: Sequence[Path]) -> str:
    return (
        f"SELECT * FROM read_parquet([{', '.join(text(str(path)) for path in paths)}], union_by_name = true)"
    )


def _read_manifest(path: Path) -> _Manifest:
    if not path.exists():
        return _Manifest()
    content = path.read_bytes()
    try:
        version = msgspec.json.decode(content, type=_Versioned).version
        if version > ARCHIVE_VERSION:
            raise DataFolderError(
                f"{path} is of archive version {version}; this program reads up to {ARCHIVE_VERSION}"
            )
        return msgspec.json.decode(content, type=_Manifest)
    except msgspec.DecodeError as error:
        raise DataFolderError(f"{path} is damaged: {error}") from error
