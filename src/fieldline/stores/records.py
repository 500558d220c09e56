"""The catalogue, wishes and what else was asked for, with its audit, in SQL: each change numbered by one counter.

The log learns of a change after the records hold it. What `changes` gives after the last change that the
log is known to hold, a start appends to it (again, perhaps: each such fact may be applied twice), so that a
crash between the two loses nothing.
Source: ADR 0003.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert, select, update

from fieldline.errors import Behind
from fieldline.facts import Asked, CatalogueEntry, Wish
from fieldline.stores import rows, typed
from fieldline.stores.database import open_database, writing
from fieldline.stores.tables import asked, audit, catalogue, erased, heard, wishes
from fieldline.units import Instant

CHUNK = 500
"""Catalogue entries compared and written at once."""


class SqlRecords:
    """What people typed, in a database.

    Args:
        url: SQLAlchemy's, such as "sqlite:////data/records.sqlite"; the ledger may live in the same one.

    Raises:
        DataFolderError: the database cannot be opened, or is newer than this program.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)
        self._writes = writing(self._engine)

    def put_entries(self, entries: Iterable[CatalogueEntry], at: Instant, by: str = "api") -> int:
        """Insert or replace catalogue entries in one transaction; return the last change's number.

        An entry that is there already, word for word, is no change. A replaced one leaves an audit line,
        unless it is a viewer's: that line could not be forgotten with the viewer.
        """
        rest = iter(entries)
        with self._writes.begin() as connection:
            change = rows.counter(connection, "change")
            while chunk := list(islice(rest, CHUNK)):
                change = rows.put_chunk(connection, chunk, change, at, by)
            rows.set_counter(connection, "change", change)
        return change

    def entry(self, kind: str, id: str) -> CatalogueEntry | None:
        """Return one catalogue entry."""
        wanted = select(catalogue.c.doc).where(catalogue.c.kind == kind, catalogue.c.id == id)
        with self._engine.connect() as connection:
            doc = connection.scalar(wanted)
        return None if doc is None else typed.entry_of(doc)

    def entries(self, kind: str, after: str = "", limit: int = 100) -> list[CatalogueEntry]:
        """Return catalogue entries of a kind in the order of their ids, from past one of them."""
        wanted = select(catalogue.c.doc).where(catalogue.c.kind == kind, catalogue.c.id > after)
        with self._engine.connect() as connection:
            docs = connection.scalars(wanted.order_by(catalogue.c.id).limit(limit)).all()
        return [typed.entry_of(doc) for doc in docs]

    def put_wish(self, wish: Wish, by: str) -> int:
        """Store a new or edited wish with an audit line of who did it; return the change's number.

        An edited wish stays paused; its pause is then a change of its own after the edit.

        Raises:
            Conflict: its version is not above the stored one.
        """
        with self._writes.begin() as connection:
            row = connection.execute(select(wishes).where(wishes.c.id == wish.id)).one_or_none()
            before = None if row is None else rows.wish_of(row)
            typed.check_version(wish, before)
            change = rows.counter(connection, "change") + 1
            values = rows.wish_values(wish) | {"change": change}
            if row is None:
                connection.execute(insert(wishes).values(values | {"paused": False}))
            else:
                if row.paused_change is not None:
                    change += 1
                    values["paused_change"] = change
                connection.execute(update(wishes).where(wishes.c.id == wish.id).values(values))
            was = None if before is None else typed.wish_text(before)
            subject = typed.subject_of("wish", wish.id)
            line = rows.audit_values(subject, wish.at, by, was, typed.wish_text(wish))
            connection.execute(insert(audit), line)
            rows.set_counter(connection, "change", change)
        return change

    def pause_wish(self, id: str, paused: bool, at: Instant, by: str) -> int:
        """Pause or resume a wish with an audit line; return the change's number.

        A wish that is paused (or runs) already is not changed.

        Raises:
            Unknown: there is no such wish.
        """
        with self._writes.begin() as connection:
            known = connection.scalar(select(wishes.c.paused).where(wishes.c.id == id))
            if known is None:
                raise typed.unknown("wish", id)
            change = rows.counter(connection, "change")
            if known != paused:
                change += 1
                values = {"paused": paused, "paused_at": at, "paused_change": change}
                connection.execute(update(wishes).where(wishes.c.id == id).values(values))
                subject = typed.subject_of("wish", id)
                line = rows.audit_values(subject, at, by, *typed.pause_texts(paused))
                connection.execute(insert(audit), line)
                rows.set_counter(connection, "change", change)
        return change

    def end_wish(self, id: str, at: Instant, by: str) -> int:
        """End a wish before its time with an audit line; return the change's number.

        A wish that was ended already is not changed.

        Raises:
            Unknown: there is no such wish.
        """
        with self._writes.begin() as connection:
            known = connection.execute(select(wishes.c.ended_at).where(wishes.c.id == id)).one_or_none()
            if known is None:
                raise typed.unknown("wish", id)
            change = rows.counter(connection, "change")
            if known.ended_at is None:
                change += 1
                values = {"ended_at": at, "ended_change": change}
                connection.execute(update(wishes).where(wishes.c.id == id).values(values))
                line = rows.audit_values(typed.subject_of("wish", id), at, by, *typed.END_TEXTS)
                connection.execute(insert(audit), line)
                rows.set_counter(connection, "change", change)
        return change

    def wish(self, id: str) -> tuple[Wish, bool] | None:
        """Return a wish and whether it is paused."""
        with self._engine.connect() as connection:
            row = connection.execute(select(wishes).where(wishes.c.id == id)).one_or_none()
        return None if row is None else (rows.wish_of(row), row.paused)

    def wishes(self, after: str = "", limit: int = 100) -> list[tuple[Wish, bool]]:
        """Return wishes in the order of their ids, from past one of them."""
        wanted = select(wishes).where(wishes.c.id > after).order_by(wishes.c.id).limit(limit)
        with self._engine.connect() as connection:
            found = connection.execute(wanted).all()
        return [(rows.wish_of(row), row.paused) for row in found]

    def put_asked(
        self,
        fact: Asked,
        by: str,
        before: str | None,
        after: str,
        heard: int,
        entry: CatalogueEntry | None = None,
    ) -> int:
        """Store what was asked for in place of the last word on the same matter; return the last change's number.

        Raises:
            Behind: something was typed after the change `heard`; nothing was stored.
        """
        with self._writes.begin() as connection:
            if next(rows.changes(connection, heard), None) is not None:
                raise Behind(f"something was typed after change {heard}")
            change = rows.counter(connection, "change") + 1
            rows.put_asked(connection, fact, change)
            line = rows.audit_values(typed.asked_subject(fact), fact.at, by, before, after)
            connection.execute(insert(audit), line)
            if entry is not None:
                change = rows.put_chunk(connection, [entry], change, fact.at, by)
            rows.set_counter(connection, "change", change)
        return change

    def erase_viewer(self, id: str, at: Instant, by: str) -> int:
        """Remove a viewer, what they chose and its audit; return the change's number.

        The id itself is kept for `changes` until every engine has heard of it, also of one whom nobody entered.
        """
        with self._writes.begin() as connection:
            for gone in (
                delete(catalogue).where(catalogue.c.kind == "viewer", catalogue.c.id == id),
                delete(asked).where(asked.c.kind.in_(typed.CHOICES), asked.c.id == id),
                delete(audit).where(audit.c.subject == typed.subject_of("viewer", id)),
            ):
                connection.execute(gone)
            connection.execute(insert(audit), rows.audit_values("viewers", at, by, None, typed.ERASED))
            change = rows.counter(connection, "change") + 1
            connection.execute(delete(erased).where(erased.c.id == id))
            connection.execute(insert(erased).values(id=id, at=at, change=change))
            rows.set_counter(connection, "change", change)
        return change

    def audit(self, subject: str) -> list[dict[str, Any]]:
        """Return who changed a subject ("wish:w1"), when and from what to what, oldest first."""
        wanted = select(audit).where(audit.c.subject == subject).order_by(audit.c.n)
        with self._engine.connect() as connection:
            found = connection.execute(wanted).all()
        return [typed.Line(*row).shown() for row in found]

    def note(self, subject: str, by: str, at: Instant, before: str | None, after: str) -> None:
        """Add an audit line about something that is kept elsewhere (JSON texts)."""
        with self._writes.begin() as connection:
            connection.execute(insert(audit), rows.audit_values(subject, at, by, before, after))

    def changes(self, since: int = 0) -> Iterator[tuple[int, typed.Change]]:
        """Yield (number, fact) of what changed after a change, by number.

        Of a thing that changed several times there is the last state alone; a wish's text, its pause and its
        end are three things, and both of these always follow their wish. What was asked for: see `facts.matter`.
        """
        with self._engine.connect() as connection:
            yield from rows.changes(connection, since)

    def note_heard(self, node: str, change: int, engines: int) -> None:
        """Note up to which change an engine's log durably holds what was typed.

        The ids of viewers whose erasure every engine's log holds are forgotten.
        """
        with self._writes.begin() as connection:
            connection.execute(delete(heard).where(heard.c.node == node))
            connection.execute(insert(heard).values(node=node, change=change))
            known = connection.scalars(select(heard.c.change)).all()
            if len(known) >= engines:
                connection.execute(delete(erased).where(erased.c.change <= min(known)))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
