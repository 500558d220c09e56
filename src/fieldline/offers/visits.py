"""Visits (S42, S58, S59): store visits at no more than so many yuan each, for viewers near the store.

A unit whose audience has a circle of its own (a branch) keeps it; the others take the campaign's.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from fieldline.contracts import Contract, Limit, Meter, Reach
from fieldline.facts import Place, Wish
from fieldline.offers import campaign
from fieldline.offers.leads import Capacity

NAME = "visits"


class Circle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Within so many kilometres of a place."""

    place: Annotated[Place, Meta(description="the middle, such as the store")]
    within_km: Annotated[float, Meta(gt=0.0, le=20_000.0, description="radius in kilometres")]


class Terms(campaign.CostCampaign, frozen=True, kw_only=True):
    """So many yuan per store visit, at most."""

    capacity: Capacity | None = None
    circle: Annotated[
        Circle | None, Meta(description="only viewers known to be in it; null: wherever they are")
    ] = None


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one contract that a wish for visits stands for.

    Raises:
        Refused: terms that contradict each other; the field is named.
    """
    limit = Limit(goal=1.0, capacity=terms.capacity or 0)
    made = campaign.contract(wish, NAME, terms, Meter(visit=terms.cost), limit, terms.assured)
    reach = tuple(_within(reach, terms.circle) for reach in made.reach)
    return (msgspec.structs.replace(made, reach=reach),)


def _within(reach: Reach, circle: Circle | None) -> Reach:
    if circle is None or reach.audience.near is not None:
        return reach
    audience = msgspec.structs.replace(reach.audience, near=circle.place, within_km=circle.within_km)
    return msgspec.structs.replace(reach, audience=audience)
