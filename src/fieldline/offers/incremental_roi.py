"""Incremental ROI (S38, S39, S44): pay only for sales that would not have come without the campaign.

An attributed order counts for its incremental share alone; the holdout measures how true that share is.
"""

from fieldline.contracts import Contract, Limit, Meter
from fieldline.facts import Wish
from fieldline.offers import campaign

NAME = "incremental_roi"


class Terms(campaign.RoiCampaign, frozen=True, kw_only=True):
    """One ROI over the increment of attributed sales."""


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one contract that an incremental ROI stands for.

    Raises:
        Refused: terms that contradict each other; the field is named.
    """
    meter = Meter(gmv=1.0, incremental=True)
    return (campaign.contract(wish, NAME, terms, meter, Limit(goal=terms.goal), terms.assured),)
