"""What was searched, day by day: for each query, what campaigns and shops got of it, and what found nothing.

Rare queries are folded together (under the empty text) where a day holds too many, the rarest first. Who typed a
query is kept only until three viewers have; a query that fewer typed is never told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

ENOUGH = 3
"""Viewers who must have typed a query before it is told."""
MOST = 2_000
"""Rows of one kind that a day keeps; beyond, the half with the fewest requests is folded."""
KEPT_DAYS = 30
OTHER = ""
"""Stands for all queries that are folded; no query is empty."""

Owner = TypeVar("Owner", int, str)


class Row(msgspec.Struct, gc=False):
    """What came of one query for one owner on one day."""

    requests: int = 0
    """Searches that showed something of the owner's."""
    impressions: int = 0
    clicks: int = 0
    spend: int = 0
    """Micro-yuan."""
    orders: int = 0
    gmv: int = 0
    """Micro-yuan, before refunds."""
    relevance: float = 0.0
    """Sum over impressions."""


class Asked(msgspec.Struct, gc=False):
    """How often a query was searched on one day, and how often that found nothing."""

    requests: int = 0
    nothing: int = 0


@dataclass(slots=True)
class Day:
    """One day's searches."""

    paid: dict[tuple[int, str], Row] = field(default_factory=dict)
    """By contract number and query: its paid places alone."""
    organic: dict[tuple[str, str], Row] = field(default_factory=dict)
    """By merchant and query: places that nobody paid for."""
    asked: dict[str, Asked] = field(default_factory=dict)


@dataclass(slots=True)
class Searches:
    """What was searched."""

    days: dict[int, Day] = field(default_factory=dict)
    """By day (UTC+8)."""
    typists: dict[str, list[int]] = field(default_factory=dict)
    """Who typed a query, while fewer than ENOUGH did."""
    common: dict[str, int] = field(default_factory=dict)
    """Queries that ENOUGH viewers typed, and the day on which one last did."""


def ask(searches: Searches, day: int, query: str, viewer: int, found: bool) -> None:
    """Count a search.

    Args:
        searches: changed in place.
        day: of the request (UTC+8).
        query: normalised, not empty.
        viewer: number; negative: nobody who can be told from others.
        found: whether anything was found.
    """
    asked = _day(searches, day).asked
    row = asked.setdefault(query, Asked())
    row.requests += 1
    row.nothing += not found
    if query in searches.common:
        searches.common[query] = max(day, searches.common[query])
    elif viewer >= 0:
        typists = searches.typists.setdefault(query, [])
        if viewer not in typists:
            typists.append(viewer)
        if len(typists) >= ENOUGH:
            del searches.typists[query]
            searches.common[query] = day
    if len(asked) > MOST:
        _fold_asked(searches, day)


def paid_row(searches: Searches, day: int, contract: int, query: str) -> Row:
    """Return the row of what a contract paid for, to be added to."""
    return _row(_day(searches, day).paid, contract, query)


def organic_row(searches: Searches, day: int, merchant: str, query: str) -> Row:
    """Return the row of what a merchant got for nothing, to be added to."""
    return _row(_day(searches, day).organic, merchant, query)


def told(searches: Searches, query: str) -> bool:
    """Return whether enough viewers typed a query for it to be told."""
    return query in searches.common


def forget(searches: Searches, today: int) -> None:
    """Drop days long past, and who typed what on them."""
    for day in [day for day in searches.days if day < today - KEPT_DAYS]:
        del searches.days[day]
    searches.common = {query: day for query, day in searches.common.items() if day >= today - KEPT_DAYS}
    _forget_typists(searches)


def forget_viewer(searches: Searches, viewer: int) -> None:
    """Forget that a viewer typed anything; what nobody else typed is folded, so that its text is gone, too."""
    for query in [query for query, typists in searches.typists.items() if viewer in typists]:
        searches.typists[query].remove(viewer)
        if not searches.typists[query]:
            del searches.typists[query]
            for day in searches.days.values():
                _fold(day.paid, [key for key in day.paid if key[1] == query])
                _fold(day.organic, [key for key in day.organic if key[1] == query])
                _move(day.asked, [query] if query in day.asked else [])


def summed(rows: Iterable[Row]) -> Row:
    """Return the sum of rows."""
    total = Row()
    for row in rows:
        add(total, row)
    return total


def add(total: Row, row: Row) -> None:
    """Add a row to another."""
    for name in Row.__struct_fields__:
        setattr(total, name, getattr(total, name) + getattr(row, name))


def _day(searches: Searches, day: int) -> Day:
    return searches.days.setdefault(day, Day())


def _row(rows: dict[tuple[Owner, str], Row], owner: Owner, query: str) -> Row:
    row = rows.get((owner, query))
    if row is None:
        if len(rows) >= MOST:
            rare = sorted((key for key in rows if key[1] != OTHER), key=lambda key: (rows[key].requests, key))
            _fold(rows, rare[: len(rare) // 2])
        row = rows[owner, query] = Row()
    return row


def _fold(rows: dict[tuple[Owner, str], Row], keys: list[tuple[Owner, str]]) -> None:
    for key in keys:
        add(rows.setdefault((key[0], OTHER), Row()), rows.pop(key))


def _fold_asked(searches: Searches, day: int) -> None:
    asked = searches.days[day].asked
    rare = sorted(
        (query for query in asked if query != OTHER), key=lambda query: (asked[query].requests, query)
    )
    _move(asked, rare[: len(rare) // 2])
    _forget_typists(searches)


def _move(asked: dict[str, Asked], queries: list[str]) -> None:
    for query in queries:
        other, row = asked.setdefault(OTHER, Asked()), asked.pop(query)
        other.requests += row.requests
        other.nothing += row.nothing


def _forget_typists(searches: Searches) -> None:
    kept = {query for day in searches.days.values() for query in day.asked}
    searches.typists = {query: who for query, who in searches.typists.items() if query in kept}
