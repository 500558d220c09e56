"""Long-run ROI (S35): an order also counts for what its buyer is expected to buy again within 7 or 30 days."""

from typing import Annotated, Literal

from msgspec import Meta

from fieldline.contracts import Contract, Limit, Meter
from fieldline.facts import Wish
from fieldline.offers import campaign

NAME = "long_run_roi"


class Terms(campaign.RoiCampaign, frozen=True, kw_only=True):
    """One ROI over attributed sales and what their buyers come back for."""

    days: Annotated[Literal[7, 30], Meta(description="T: days after an order in which a repeat counts")]


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one contract that a long-run ROI stands for.

    Raises:
        Refused: terms that contradict each other; the field is named.
    """
    meter = Meter(gmv=1.0, days=terms.days)
    return (campaign.contract(wish, NAME, terms, meter, Limit(goal=terms.goal), terms.assured),)
