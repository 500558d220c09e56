"""Cold start (S07, S15): every named new work gets its first looks by a deadline, at the platform's cost.

It compiles to one granted contract per item: a floor on exposure whose price rises while the item is behind.
"""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from fieldline.contracts import Contract, Horizon, Limit, Meter, Reach
from fieldline.errors import Refused
from fieldline.facts import Id, Time, Wish
from fieldline.offers.campaign import check_period
from fieldline.offers.naming import Named, each, refuse_repeats

NAME = "cold_start"
LONGEST_ID = 128


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """So many looks for each new work by a deadline."""

    creator: Annotated[Id, Meta(description="who made them")]
    items: Annotated[
        tuple[Id, ...], Meta(min_length=1, max_length=1_000, description="the new works, each named once")
    ]
    looks: Annotated[float, Meta(gt=0.0, le=10_000_000.0, description="owed to each of them by the end")]
    start: Annotated[Time, Meta(description="milliseconds since 1970-01-01 UTC")]
    end: Annotated[
        Time, Meta(description="milliseconds since 1970-01-01 UTC; at most 366 days after the start")
    ]


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return one exposure floor per item.

    Raises:
        Refused: the period is empty or too long, an item is named twice, or its contract's id would be too long.
    """
    check_period(terms.start, terms.end)
    refuse_repeats("terms.items", terms.items)
    return tuple(_floor(wish, terms, n) for n in range(len(terms.items)))


def names(terms: Terms) -> Iterator[Named]:
    """Yield the creator and the items that a cold start names, each with its field."""
    yield Named("terms.creator", "creator", terms.creator)
    yield from each("terms.items", "item", terms.items)


def _floor(wish: Wish, terms: Terms, n: int) -> Contract:
    item = terms.items[n]
    id = f"{wish.id}#{item}"
    if len(id) > LONGEST_ID:
        raise Refused(
            f"terms.items[{n}]", f"makes a contract id of more than {LONGEST_ID} characters: {id!r}"
        )
    return Contract(
        id=id,
        wish=wish.id,
        offer=NAME,
        owner=wish.owner,
        reach=(Reach(items=(item,)),),
        meter=Meter(),
        limit=Limit(looks=terms.looks),
        horizon=Horizon(terms.start, terms.end),
    )
