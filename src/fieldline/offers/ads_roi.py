"""Ads ROI (S36, S39): the classic goal: GMV of the orders attributed to the campaign's own impressions, over spend."""

from fieldline.contracts import Contract, Limit, Meter
from fieldline.facts import Wish
from fieldline.offers import campaign

NAME = "ads_roi"


class Terms(campaign.RoiCampaign, frozen=True, kw_only=True):
    """One ROI over attributed sales alone."""


def compile(wish: Wish, terms: Terms) -> tuple[Contract, ...]:
    """Return the one contract that an ads ROI stands for.

    Raises:
        Refused: terms that contradict each other; the field is named.
    """
    limit = Limit(goal=terms.goal)
    return (campaign.contract(wish, NAME, terms, Meter(gmv=1.0), limit, terms.assured),)
