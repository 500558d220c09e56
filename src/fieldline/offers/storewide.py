"""Storewide promotion (S37): a merchant states one ROI over all of its sales and one budget.

It compiles to one bidding contract on all items of the merchant, or of a creator who sells for it, whose value
is net GMV (and, where asked, long views), whose goal counts organic value too, and whose budget is hard.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from fieldline.contracts import Contract, Horizon, Limit, Meter, Reach
from fieldline.errors import Refused
from fieldline.facts import Id, Time, Wish
from fieldline.units import MAX_MICROS

NAME = "storewide"
MOST_GOAL = 100.0
"""A higher ROI is a typing error, not a goal."""


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the merchant types."""

    merchant: Id
    budget: Annotated[int, Meta(ge=1, le=MAX_MICROS)]
    goal: Annotated[float, Meta(gt=0.0, le=MOST_GOAL)]
    start: Time
    end: Time
    value_per_long_view: Annotated[float, Meta(ge=0.0, le=1_000.0)] = 0.0
    """Yuan that a long view is worth to the merchant beside sales."""
    predicted: bool = False
    """Count the model's predicted value instead of observed orders (for replays of logs without orders)."""


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one contract that a storewide wish stands for.

    Raises:
        Refused: the period is empty.
    """
    if terms.end <= terms.start:
        raise Refused("terms.end", "must be later than terms.start")
    return (
        Contract(
            id=wish.id,
            wish=wish.id,
            offer=NAME,
            owner=wish.owner,
            reach=Reach(merchant=terms.merchant),
            meter=Meter(gmv=1.0, long_view=terms.value_per_long_view),
            limit=Limit(budget=terms.budget, goal=terms.goal, counts_organic=True, predicted=terms.predicted),
            horizon=Horizon(terms.start, terms.end),
        ),
    )
