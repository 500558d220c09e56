"""Rows of the records' tables: how facts become rows and rows facts."""

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Row,
    Select,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from fieldline.facts import Asked, CatalogueEntry, ViewerErased, Wish, WishEnded, WishPaused, matter
from fieldline.stores import typed
from fieldline.stores.tables import asked, audit, catalogue, counters, erased, wishes

_NEW = insert(catalogue)
_CHANGED = (
    update(catalogue)
    .where(catalogue.c.kind == bindparam("of_kind"), catalogue.c.id == bindparam("of_id"))
    .values(doc=bindparam("doc"), at=bindparam("at"), change=bindparam("change"))
)


def counter(connection: Connection, name: str) -> int:
    """Return a counter's value; 0 where it never counted."""
    value: int | None = connection.scalar(select(counters.c.value).where(counters.c.name == name))
    return value or 0


def set_counter(connection: Connection, name: str, value: int) -> None:
    """Set a counter."""
    known = update(counters).where(counters.c.name == name).values(value=value)
    if connection.execute(known).rowcount == 0:
        connection.execute(insert(counters).values(name=name, value=value))


def put_chunk(connection: Connection, chunk: list[CatalogueEntry], change: int, at: int, by: str) -> int:
    """Write the catalogue entries that differ from what is stored; return the last change's number."""
    keys = [(typed.kind_of(entry), entry.id) for entry in chunk]
    stored = _docs(connection, keys)
    docs = dict(stored)
    numbers: dict[tuple[str, str], int] = {}
    lines: list[dict[str, Any]] = []
    for key, entry in zip(keys, chunk, strict=True):
        before, doc = docs.get(key), typed.text_of(entry)
        if before == doc:
            continue
        change += 1
        docs[key], numbers[key] = doc, change
        if before is not None and key[0] != typed.UNAUDITED:
            lines.append(audit_values(typed.subject_of(*key), at, by, before, doc))
    rows = {key: {"doc": docs[key], "at": at, "change": number} for key, number in numbers.items()}
    new = [{"kind": key[0], "id": key[1], **row} for key, row in rows.items() if key not in stored]
    changed = [{"of_kind": key[0], "of_id": key[1], **row} for key, row in rows.items() if key in stored]
    for statement, values in ((_NEW, new), (_CHANGED, changed), (insert(audit), lines)):
        if values:
            connection.execute(statement, values)
    return change


def put_asked(connection: Connection, fact: Asked, change: int) -> None:
    """Write what was asked for in place of the last word on the same matter."""
    kind, (id, part) = typed.kind_of(fact), matter(fact)
    same = (asked.c.kind == kind) & (asked.c.id == id) & (asked.c.part == part)
    connection.execute(delete(asked).where(same))
    row = {"kind": kind, "id": id, "part": part, "doc": typed.text_of(fact), "change": change}
    connection.execute(insert(asked).values(row))


def audit_values(subject: str, at: int, by: str, before: str | None, after: str) -> dict[str, Any]:
    """Return an audit line as values of its row."""
    return {"subject": subject, "at": at, "by": by, "before": before, "after": after}


def wish_values(wish: Wish) -> dict[str, Any]:
    """Return a wish as values of its row."""
    return {
        "id": wish.id,
        "offer": wish.offer,
        "owner": wish.owner,
        "version": wish.version,
        "terms": wish.terms,
        "at": wish.at,
    }


def wish_of(row: Row[Any]) -> Wish:
    """Return the wish of a row."""
    return Wish(id=row.id, at=row.at, version=row.version, offer=row.offer, owner=row.owner, terms=row.terms)


def _entry_of(row: Row[Any]) -> typed.Change:
    return typed.entry_of(row.doc)


def _asked_of(row: Row[Any]) -> typed.Change:
    return typed.asked_of(row.doc)


def _pause_of(row: Row[Any]) -> typed.Change:
    return WishPaused(id=row.id, at=row.paused_at, paused=row.paused)


def _end_of(row: Row[Any]) -> typed.Change:
    return WishEnded(id=row.id, at=row.ended_at)


def _erasure_of(row: Row[Any]) -> typed.Change:
    return ViewerErased(id=row.id, at=row.at)


CHANGES: Sequence[tuple[ColumnElement[int], Select[Any], Callable[[Row[Any]], typed.Change]]] = (
    (catalogue.c.change, select(catalogue), _entry_of),
    (wishes.c.change, select(wishes), wish_of),
    (wishes.c.paused_change, select(wishes), _pause_of),
    (wishes.c.ended_change, select(wishes), _end_of),
    (asked.c.change, select(asked), _asked_of),
    (erased.c.change, select(erased), _erasure_of),
)
"""Per kind of change: the column of its number, its rows, and the fact of a row."""


def changes(connection: Connection, since: int) -> Iterator[tuple[int, typed.Change]]:
    """Yield (number, fact) of what changed after a change, by number."""
    if counter(connection, "change") > since:
        found = [_changed(connection, *group, since) for group in CHANGES]
        yield from merge(*found, key=lambda change: change[0])


def _changed(
    connection: Connection,
    number: ColumnElement[int],
    rows: Select[Any],
    fact_of: Callable[[Row[Any]], typed.Change],
    since: int,
) -> Iterator[tuple[int, typed.Change]]:
    wanted: Executable = rows.add_columns(number.label("number")).where(number > since).order_by(number)
    for row in connection.execute(wanted.execution_options(yield_per=500)):
        yield row.number, fact_of(row)


def _docs(connection: Connection, keys: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    docs: dict[tuple[str, str], str] = {}
    for kind in {kind for kind, _ in keys}:
        ids = [name for of_kind, name in keys if of_kind == kind]
        wanted = select(catalogue.c.id, catalogue.c.doc).where(
            catalogue.c.kind == kind, catalogue.c.id.in_(ids)
        )
        docs |= {(kind, row.id): row.doc for row in connection.execute(wanted)}
    return docs
