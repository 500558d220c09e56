"""The SQL database: revisions, refusals, writers that meet, what both stores share."""

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import fieldline.stores
from fieldline.errors import DataFolderError
from fieldline.facts import Creator
from fieldline.stores.database import REVISION, open_database
from fieldline.stores.ledger import SqlLedger
from fieldline.stores.records import SqlRecords
from fieldline.stores.tables import metadata
from fieldline.units import Instant, Micros

NOW = Instant(1)


def test_the_newest_migration_is_the_programs_revision() -> None:
    """The program's revision is the only head of the migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(fieldline.stores.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_migrations_make_the_declared_tables(tmp_path: Path) -> None:
    """What the migrations make and what the program declares do not differ."""
    engine = open_database(f"sqlite:///{tmp_path / 'db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """A database of an unknown revision is refused and keeps its revision."""
    path = tmp_path / "db"
    open_database(f"sqlite:///{path}").dispose()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DataFolderError, match="of revision 9999, newer than this program"):
        SqlRecords(f"sqlite:///{path}")
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """A file of something else, or a folder that is not there, is refused in one line and not touched."""
    path = tmp_path / "db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(DataFolderError, match=r"cannot be opened: file is not a database$"):
        SqlLedger(f"sqlite:///{path}")
    assert path.read_bytes() == b"not a database at all" * 100
    with pytest.raises(DataFolderError, match=r"unable to open database file$"):
        SqlRecords(f"sqlite:///{tmp_path / 'none' / 'db'}")


def test_foreign_keys_are_kept(tmp_path: Path) -> None:
    """A posting without its entry cannot be written, on a new database or an old one."""
    for _ in range(2):
        engine = open_database(f"sqlite:///{tmp_path / 'db'}")
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        engine.dispose()


def test_records_and_ledger_share_a_database(tmp_path: Path) -> None:
    """Both live in one file, and each finds what it wrote after reopening."""
    url = f"sqlite:///{tmp_path / 'db'}"
    for turn in (1, 2):
        records, ledger = SqlRecords(url), SqlLedger(url)
        assert records.put_entries([Creator(f"c{turn}")], NOW) == turn
        assert ledger.post(f"k{turn}", NOW, [("a", Micros(1)), ("b", Micros(-1))])
        assert ledger.balance("a") == turn
        records.close()
        ledger.close()


def test_writers_that_meet_wait_for_each_other(tmp_path: Path) -> None:
    """Several threads posting to the same accounts lose no entry."""
    url = f"sqlite:///{tmp_path / 'db'}"
    ledgers = [SqlLedger(url) for _ in range(3)]

    def work(name: int) -> None:
        for n in range(10):
            ledgers[name].post(f"{name} {n}", NOW, [("a", Micros(1)), ("b", Micros(-1))])

    threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledgers[0].balances() == {"a": 30, "b": -30}
    for ledger in ledgers:
        ledger.close()


def test_a_changed_balance_is_found(tmp_path: Path) -> None:
    """When a kept balance is not the sum of its postings, `verify` names the account and both sums."""
    path = tmp_path / "db"
    ledger = SqlLedger(f"sqlite:///{path}")
    ledger.post("k", NOW, [("a", Micros(5)), ("b", Micros(-5))])
    with sqlite3.connect(path) as database:
        database.execute("UPDATE balances SET balance = 7 WHERE account = 'a'")
        database.execute("DELETE FROM balances WHERE account = 'b'")
    found = [(difference.account, difference.kept, difference.posted) for difference in ledger.verify()]
    assert found == [("a", 7, 5), ("b", 0, -5)]
    ledger.close()
