"""Storewide promotion (S37, S38): a merchant states one ROI over all of its sales and one budget.

It bids on all items of the merchant, whoever shows them, in every scene or in those that are named. Its value is
GMV at payment, paid and organic together (and, where asked, long views); the bid itself reckons with refunds.
"""

from typing import Annotated

from msgspec import Meta

from fieldline.contracts import Contract, Limit, Meter
from fieldline.facts import Wish
from fieldline.offers import campaign

NAME = "storewide"


class Terms(campaign.RoiCampaign, frozen=True, kw_only=True):
    """One ROI over all sales of the items, paid and organic, and one budget."""

    value_per_long_view: Annotated[
        float, Meta(ge=0.0, le=1_000.0, description="yuan that a long view is worth beside sales")
    ] = 0.0
    predicted: Annotated[
        bool,
        Meta(description="count predicted value, not orders (replays of logs without orders); never assured"),
    ] = False


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one contract that a storewide wish stands for.

    Raises:
        Refused: terms that contradict each other; the field is named.
    """
    meter = Meter(gmv=1.0, long_view=terms.value_per_long_view)
    limit = Limit(goal=terms.goal, counts_organic=True, predicted=terms.predicted)
    assured = terms.assured and not terms.predicted
    return (campaign.contract(wish, NAME, terms, meter, limit, assured),)
