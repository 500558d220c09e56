"""Runs the migrations on the connection that `fieldline.stores.database` hands over."""

from alembic import context
from sqlalchemy import Connection, text

from fieldline.stores.tables import metadata


def migrate(connection: Connection) -> None:
    """Run the missing migrations in one transaction, foreign keys unchecked until its end."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        _pragma(connection, "foreign_keys = OFF")  # a table rebuilt in place would lose its children
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
        if sqlite and (broken := connection.execute(text("PRAGMA foreign_key_check")).all()):
            raise RuntimeError(f"the migration left rows without their parents: {broken[:3]}")
    if sqlite:
        _pragma(connection, "foreign_keys = ON")


def _pragma(connection: Connection, setting: str) -> None:
    """SQLite ignores this setting inside a transaction, so it goes to the driver's own connection."""
    driver = connection.connection.dbapi_connection
    if driver is None:
        raise RuntimeError("the connection is closed")
    driver.cursor().execute(f"PRAGMA {setting}")


migrate(context.config.attributes["connection"])
