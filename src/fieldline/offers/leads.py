"""Leads (S42, S60): qualified leads at no more than so many yuan each, and no more a day than can be followed up.

A lead counts once it is qualified; how many do per click is learned for each campaign.
"""

from typing import Annotated

from msgspec import Meta

from fieldline.contracts import Contract, Limit, Meter
from fieldline.facts import Wish
from fieldline.offers import campaign

NAME = "leads"
Capacity = Annotated[
    int, Meta(ge=1, le=1_000_000, description="most that can be served in a day (UTC+8); null: any number")
]


class Terms(campaign.CostCampaign, frozen=True, kw_only=True):
    """So many yuan per qualified lead, at most."""

    capacity: Capacity | None = None


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one contract that a wish for leads stands for.

    Raises:
        Refused: terms that contradict each other; the field is named.
    """
    limit = Limit(goal=1.0, capacity=terms.capacity or 0)
    return (campaign.contract(wish, NAME, terms, Meter(lead=terms.cost), limit, terms.assured),)
