"""Maximum delivery (S36, S43): no goal: as much net GMV, or as many orders or clicks, as the budget buys."""

from typing import Annotated, Literal

from msgspec import Meta

from fieldline.contracts import Contract, Limit, Meter
from fieldline.facts import Wish
from fieldline.offers import campaign

NAME = "max_delivery"
METERS = {"gmv": Meter(gmv=1.0), "orders": Meter(order=1.0), "clicks": Meter(click=1.0)}
"""Only ratios between looks matter where there is no goal, so that an order or a click counts one yuan."""


class Terms(campaign.Campaign, frozen=True, kw_only=True):
    """What to buy most of with the budget."""

    value: Annotated[
        Literal["gmv", "orders", "clicks"],
        Meta(description="what there should be most of; gmv is net of refunds"),
    ] = "gmv"


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one contract that maximum delivery stands for; it has no goal and is never assured.

    Raises:
        Refused: terms that contradict each other; the field is named.
    """
    limit = Limit(net=terms.value == "gmv")
    return (campaign.contract(wish, NAME, terms, METERS[terms.value], limit),)
