"""Counting: what a search showed, and what came of it, into the search terms of whose items they were."""

from fieldline.contracts.horizon import day_of
from fieldline.facts import Decision
from fieldline.traffic.outcomes import NOBODY, Clicked, Paid, Shown
from fieldline.traffic.search import terms
from fieldline.traffic.search.terms import Row
from fieldline.traffic.shelf import merchant_of
from fieldline.traffic.state import State


def count_search(state: State, decision: Decision, shown: Shown) -> None:
    """Count a decision that answers a query, once for each campaign and shop that stands in its slate."""
    if not decision.query:
        return
    day = day_of(decision.at)
    terms.ask(state.searches, day, decision.query, shown.viewer, bool(decision.searched))
    if decision.searched:
        shown.query = decision.query
        shown.relevance = list(decision.relevance)
        counted = set[int | str | None]()
        for k in range(len(shown.items)):
            owner = _owner(state, shown, k)
            row = None if owner in counted else _row_of(state, shown, k)
            if row:
                counted.add(owner)
                row.requests += 1


def count_impression(state: State, shown: Shown, k: int) -> None:
    """Count a rendered slot of a search, and its charge."""
    row = _row_of(state, shown, k)
    if row:
        row.impressions += 1
        row.spend += shown.charges[k] if shown.contracts[k] >= 0 else 0
        row.relevance += shown.relevance[k]


def count_click(state: State, shown: Shown, k: int) -> None:
    """Count a clicked slot of a search."""
    row = _row_of(state, shown, k)
    if row:
        row.clicks += 1


def count_order(state: State, amount: int, at: int, merchant: str, paid: Paid, click: Clicked | None) -> None:
    """Count an order where its paid touch, else its click, came of a search; on the day of the order."""
    if paid is not NOBODY and paid.contract >= 0:
        row = terms.paid_row(state.searches, day_of(at), paid.contract, paid.query) if paid.query else None
    else:
        asked = click.query if click else ""
        row = terms.organic_row(state.searches, day_of(at), merchant, asked) if asked else None
    if row:
        row.orders += 1
        row.gmv += amount


def _row_of(state: State, shown: Shown, k: int) -> Row | None:
    """Return the row that a slot of a search counts in, that of its day; None where it is of no search or shop."""
    if not shown.query:
        return None
    owner, day = _owner(state, shown, k), day_of(shown.at)
    if isinstance(owner, int):
        return terms.paid_row(state.searches, day, owner, shown.query)
    return terms.organic_row(state.searches, day, owner, shown.query) if owner else None


def _owner(state: State, shown: Shown, k: int) -> int | str | None:
    """Return the contract that pays for a slot, else the merchant of its item."""
    if shown.contracts[k] >= 0:
        return shown.contracts[k]
    return merchant_of(state.shelf.facts[shown.items[k]], state.goods)
