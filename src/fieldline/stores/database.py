"""The SQL database of records and ledger: opened, checked and brought to this program's version."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, inspect, text

from fieldline.errors import DataFolderError

REVISION = "0003"
"""The newest revision in `migrations/versions`."""


def open_database(url: str) -> Engine:
    """Open a database, making or migrating its tables.

    Transactions of `writing(engine)` take the write lock when they begin: a read-modify-write that asks for
    it in the middle fails as soon as two meet.

    Raises:
        DataFolderError: it cannot be opened, or it was made by a newer version of this program.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
    try:
        with engine.connect() as connection:
            if _revision(connection) != REVISION:
                connection.rollback()
                _migrate(connection, url)
    except exc.DatabaseError as error:
        engine.dispose()
        raise DataFolderError(f"the database {url} cannot be opened: {error.orig}") from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def writing(engine: Engine) -> Engine:
    """Return the engine for transactions that write."""
    return engine.execution_options(writes=True)


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, not by the driver
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _migrate(connection: Connection, url: str) -> None:
    from alembic import command  # a start with nothing to migrate goes without
    from alembic.config import Config

    known = {path.name.split("_")[0] for path in (_folder() / "versions").glob("[0-9]*.py")}
    revision = _revision(connection)
    connection.rollback()
    if revision is not None and revision not in known:
        raise DataFolderError(
            f"the database {url} is of revision {revision}, newer than this program's {REVISION}"
        )
    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, REVISION)


def _folder() -> Path:
    return Path(__file__).parent / "migrations"
