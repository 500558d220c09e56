"""Cold start (S07, S15): every named new work gets its first looks by a deadline, at the platform's cost.

It compiles to one granted contract per item: a floor on exposure whose price rises while the item is behind.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from fieldline.contracts import Contract, Horizon, Limit, Meter, Reach
from fieldline.errors import Refused
from fieldline.facts import Id, Time, Wish

NAME = "cold_start"


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the operator or the creator types."""

    creator: Id
    items: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=1_000)]
    looks: Annotated[float, Meta(gt=0.0, le=10_000_000.0)]
    start: Time
    end: Time


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return one exposure floor per item.

    Raises:
        Refused: the period is empty or an item is named twice.
    """
    if terms.end <= terms.start:
        raise Refused("terms.end", "must be later than terms.start")
    if len(set(terms.items)) < len(terms.items):
        raise Refused("terms.items", "names an item twice")
    return tuple(
        Contract(
            id=f"{wish.id}#{item}"[:128],
            wish=wish.id,
            offer=NAME,
            owner=wish.owner,
            reach=Reach(items=(item,)),
            meter=Meter(),
            limit=Limit(looks=terms.looks),
            horizon=Horizon(terms.start, terms.end),
        )
        for item in terms.items
    )
