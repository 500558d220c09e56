"""Pool (S09, S10, S15, S17, S30): a named budget of looks for those who are eligible, within a window.

It compiles to one granted contract that stands on no item of its own: whoever is eligible draws on it, at a price
that rises while the pool is behind its line. With matching it grants a member so many looks for each yuan that its
campaigns spend.
"""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from fieldline.contracts import Contract, Horizon, Limit, Meter
from fieldline.contracts.grants import Eligible, Grant, Looks, Matching
from fieldline.errors import Conflict, Refused
from fieldline.facts import Id, Name, Share, Time, Wish, Word
from fieldline.offers.campaign import check_period
from fieldline.offers.naming import Named, each, refuse_repeats

NAME = "pool"


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """So many looks for those who are eligible, by a deadline."""

    name: Annotated[Name, Meta(min_length=1, description="for people")]
    looks: Annotated[Looks, Meta(description="in all; with matching, at most")]
    merchants: Annotated[tuple[Id, ...], Meta(max_length=10_000, description="whose works it is for")] = ()
    creators: Annotated[
        tuple[Id, ...], Meta(max_length=10_000, description="whose works it is also for")
    ] = ()
    since: Annotated[Time, Meta(description="only for works listed at this instant or later")] = 0
    categories: Annotated[
        tuple[Word, ...], Meta(max_length=1_000, description="only for these; empty: all")
    ] = ()
    least_trust: Annotated[Share, Meta(description="only for merchants with at least this trust")] = 0.0
    member_looks: Annotated[
        Looks | None,
        Meta(description="most that one merchant (or creator without one) uses; null: any number"),
    ] = None
    matching: Annotated[
        Matching | None,
        Meta(description="grant by what a member's campaigns spend; null: all is granted at once"),
    ] = None
    start: Annotated[Time, Meta(description="milliseconds since 1970-01-01 UTC")]
    end: Annotated[
        Time,
        Meta(
            description="milliseconds since 1970-01-01 UTC; at most 366 days after the start; the rest expires"
        ),
    ]


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one granted contract that a pool is.

    Raises:
        Refused: the window ends before it starts or is too long, something is named twice, nobody and no class is
            named, or a member's cap is above the whole.
    """
    check_period(terms.start, terms.end)
    refuse_repeats("terms.merchants", terms.merchants)
    refuse_repeats("terms.creators", terms.creators)
    refuse_repeats("terms.categories", terms.categories)
    eligible = Eligible(terms.merchants, terms.creators, terms.since, terms.categories, terms.least_trust)
    if eligible == Eligible():
        raise Refused(
            "terms.merchants", "is empty, and no creators, since, categories or least_trust say who else"
        )
    if terms.member_looks is not None and terms.matching is not None:
        raise Refused("terms.member_looks", "is given beside terms.matching, which has a cap of its own")
    if terms.member_looks is not None and terms.member_looks > terms.looks:
        raise Refused("terms.member_looks", f"is above terms.looks, which is {terms.looks:g}")
    if terms.matching is not None and terms.matching.member_looks > terms.looks:
        raise Refused("terms.matching.member_looks", f"is above terms.looks, which is {terms.looks:g}")
    contract = Contract(
        id=wish.id,
        wish=wish.id,
        offer=NAME,
        owner=wish.owner,
        reach=(),
        meter=Meter(),
        limit=Limit(looks=0.0 if terms.matching else terms.looks),
        horizon=Horizon(terms.start, terms.end),
        grant=Grant(terms.looks, eligible, terms.member_looks or 0.0, terms.matching),
    )
    return (contract,)


def names(terms: Terms) -> Iterator[Named]:
    """Yield the merchants and creators that a pool names, each with its field."""
    yield from each("terms.merchants", "merchant", terms.merchants)
    yield from each("terms.creators", "creator", terms.creators)


def editable(old: Terms, new: Terms) -> None:
    """Refuse an edit that would make another kind of pool of it.

    Raises:
        Conflict: matching is added or taken away.
    """
    if (old.matching is None) != (new.matching is None):
        raise Conflict("terms.matching", "cannot be added or taken away")
