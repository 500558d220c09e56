"""The search-term report: what viewers typed when they were shown a campaign's goods, and what came of it."""

from collections.abc import Iterator

import msgspec

from fieldline.facts import API_VERSION
from fieldline.traffic.assured import date_of
from fieldline.traffic.report import contract_of
from fieldline.traffic.search.terms import ENOUGH, Row, Searches, add, told
from fieldline.traffic.state import State

MOST_ROWS = 200


class TermRow(msgspec.Struct, frozen=True):
    """One query's figures; money in micro-yuan, GMV before refunds."""

    query: str
    """As typed, normalised; "" for all that are summed."""
    requests: int
    """Searches in which the campaign paid for a place."""
    impressions: int
    clicks: int
    spend: int
    orders: int
    """Attributed to its paid places."""
    gmv: int
    relevance: float | None
    """Mean over its paid impressions; null without one."""
    organic_requests: int
    """Searches that showed the shop's goods in places that nobody paid for."""
    organic_impressions: int
    organic_clicks: int
    organic_orders: int
    organic_gmv: int


class TermReport(msgspec.Struct, frozen=True):
    """What was searched from a day to a day (both included, in UTC+8), largest spend first."""

    id: str
    first: str
    last: str
    rows: tuple[TermRow, ...]
    """Queries that enough viewers typed."""
    other: TermRow
    """All others: typed by fewer, or rare."""
    total: TermRow
    viewers: int = ENOUGH
    """How many are enough."""
    version: int = API_VERSION


class Searched(msgspec.Struct, frozen=True):
    """How often a query was searched, and how often nothing was found for it."""

    query: str
    """"" for all that are summed."""
    requests: int
    nothing: int


class SearchReport(msgspec.Struct, frozen=True):
    """What was searched on the platform from a day to a day, what most often found nothing first."""

    first: str
    last: str
    rows: tuple[Searched, ...]
    other: Searched
    viewers: int = ENOUGH
    version: int = API_VERSION


def term_report(state: State, wish: str, first: int, last: int) -> TermReport:
    """Return the search terms of a campaign from a day to a day, both included.

    Args:
        state: only read.
        wish: the campaign.
        first: number of the day (UTC+8).
        last: likewise.

    Raises:
        Unknown: there is no such campaign.
        Refused: it was granted, not bought.
    """
    number = contract_of(state, wish)
    merchant = state.book.contracts[number].merchant
    rows: dict[str, tuple[Row, Row]] = {}
    other, total = (Row(), Row()), (Row(), Row())
    for query, kind, row in _rows(state.searches, number, merchant, first, last):
        add(total[kind], row)
        add((rows.setdefault(query, (Row(), Row())) if told(state.searches, query) else other)[kind], row)
    order = sorted(
        rows,
        key=lambda query: (-rows[query][0].spend, -rows[query][0].requests, -rows[query][1].requests, query),
    )
    for query in order[MOST_ROWS:]:
        for kind in range(2):
            add(other[kind], rows[query][kind])
    return TermReport(
        wish,
        date_of(first),
        date_of(last),
        tuple(_term(query, *rows[query]) for query in order[:MOST_ROWS]),
        _term("", *other),
        _term("", *total),
    )


def search_report(state: State, first: int, last: int) -> SearchReport:
    """Return what was searched on the platform from a day to a day, both included.

    Args:
        state: only read.
        first: number of the day (UTC+8).
        last: likewise.
    """
    found: dict[str, tuple[int, int]] = {}
    for day, of_day in state.searches.days.items():
        if first <= day <= last:
            for query, asked in of_day.asked.items():
                name = query if told(state.searches, query) else ""
                requests, nothing = found.get(name, (0, 0))
                found[name] = requests + asked.requests, nothing + asked.nothing
    requests, nothing = found.pop("", (0, 0))
    order = sorted(found, key=lambda query: (-found[query][1], -found[query][0], query))
    for query in order[MOST_ROWS:]:
        requests, nothing = requests + found[query][0], nothing + found[query][1]
    return SearchReport(
        date_of(first),
        date_of(last),
        tuple(Searched(query, *found[query]) for query in order[:MOST_ROWS]),
        Searched("", requests, nothing),
    )


def _rows(
    searches: Searches, number: int, merchant: str, first: int, last: int
) -> Iterator[tuple[str, int, Row]]:
    """Yield (query, 0 paid or 1 organic, row)."""
    for day, of_day in searches.days.items():
        if first <= day <= last:
            yield from ((query, 0, row) for (owner, query), row in of_day.paid.items() if owner == number)
            yield from ((query, 1, row) for (shop, query), row in of_day.organic.items() if shop == merchant)


def _term(query: str, paid: Row, organic: Row) -> TermRow:
    return TermRow(
        query,
        paid.requests,
        paid.impressions,
        paid.clicks,
        paid.spend,
        paid.orders,
        paid.gmv,
        paid.relevance / paid.impressions if paid.impressions else None,
        organic.requests,
        organic.impressions,
        organic.clicks,
        organic.orders,
        organic.gmv,
    )
