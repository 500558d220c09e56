"""Which archived facts name an erased viewer, in SQL over a DuckDB connection.

A fact names a viewer by itself, through its decision, its order or the review that it answers. What the same id did
after its erasure is a new person's, so each erasure reaches back from its own position only.
"""

from collections.abc import Callable

import duckdb

from fieldline.stores.columns import FACTS, quoted

ERASED = "viewer_erased"
"""The facts that say so; they name the viewer themselves and are never archived."""

_LINKS = ("viewer", "decision", "order", "review")


def mark(database: duckdb.DuckDBPyConnection, rows_of: Callable[[str], str]) -> bool:
    """Make the tables of viewers, decisions, orders and reviews to forget; return whether there is any.

    Args:
        database: has a table `new_<type>` of the facts to archive.
        rows_of: returns the SELECT of all facts of a type, archived and new.
    """
    database.execute(
        f"CREATE TABLE gone_viewer AS SELECT id AS name, max(position) AS until FROM new_{ERASED} GROUP BY id"
    )
    for tag in ("decision", "order"):
        database.execute(
            f"CREATE TABLE gone_{tag} AS SELECT DISTINCT facts.id AS name FROM ({rows_of(tag)}) AS facts "
            "JOIN gone_viewer AS gone ON facts.viewer = gone.name AND facts.position < gone.until"
        )
    database.execute(
        f"CREATE TABLE gone_review AS SELECT DISTINCT facts.id AS name FROM ({rows_of('review')}) AS facts "
        'JOIN gone_order AS gone ON facts."order" = gone.name'
    )
    return bool(count(database, "SELECT * FROM gone_viewer"))


def names_erased(tag: str) -> str | None:
    """Return the condition under which a fact of a type is to be forgotten; None: its type names nobody."""
    if tag in ("viewer", ERASED):
        return _by_viewer("id")
    if tag == "assumed":
        return "id IN (SELECT name FROM gone_decision)"
    link = next((name for name in _LINKS if name in FACTS[tag].__struct_fields__), None)
    if link is None:
        return None
    return _by_viewer(link) if link == "viewer" else f"{quoted(link)} IN (SELECT name FROM gone_{link})"


def count(database: duckdb.DuckDBPyConnection, rows: str) -> int:
    """Return how many rows a SELECT has."""
    found = database.execute(f"SELECT count(*) FROM ({rows})").fetchone()
    return int(found[0]) if found else 0


def _by_viewer(column: str) -> str:
    return f"EXISTS (SELECT 1 FROM gone_viewer AS gone WHERE gone.name = {column} AND position < gone.until)"
